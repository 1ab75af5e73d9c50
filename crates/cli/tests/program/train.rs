//! `train` and `predict` as their users meet them.

use crate::harness::{Folder, finish, good, program, wrong};
use serde_json::Value;

fn mean(result: &Value, optimizer: &str, part: &str, measure: &str) -> f64 {
    let all = result["optimizers"].as_array().unwrap();
    let mine = all.iter().find(|o| o["optimizer"] == optimizer).unwrap();
    mine[part][measure]["mean"].as_f64().unwrap_or_else(|| panic!("{optimizer} {part} {measure} in {mine}"))
}

/// The result without what a clock says.
fn timeless(mut result: Value) -> Value {
    for optimizer in result["optimizers"].as_array_mut().unwrap() {
        for run in optimizer["runs"].as_array_mut().unwrap() {
            assert!(run.as_object_mut().unwrap().remove("seconds").is_some());
        }
    }
    result
}

/// The data of people: a number with gaps, a category, and a class or a number to learn from them.
fn people(folder: &Folder) -> (String, String) {
    let (mut classes, mut numbers) = ("age,city,sick\n".to_owned(), "age,city,pay\n".to_owned());
    for i in 0..120 {
        let (age, city) = (20 + i * 7 % 50, ["Rome", "Oslo", "Lima"][i % 3]);
        let old = age > 45;
        let shown = if i % 17 == 5 { "?".to_owned() } else { age.to_string() };
        classes += &format!("{shown},{city},{}\n", if old != (i % 3 == 1) { "yes" } else { "no" });
        numbers += &format!("{age},{city},{}\n", 1000.5 + 30.0 * age as f64 + [0.0, 400.0, -200.0][i % 3]);
    }
    (folder.write("people.csv", &classes), folder.write("pay.csv", &numbers))
}

#[test]
fn a_newcomer_gets_a_table() {
    let done = good(&["train", "iris", "--seeds", "2"]);
    for part in ["adaswarm", "adam", "adam_on_mse", "95 %", "±", "iris: 3 classes", "112 rows to learn from"] {
        assert!(done.out.contains(part), "{part} is not in\n{}", done.out);
    }
    let result = good(&["train", "iris", "--seeds", "3", "--json"]).json();
    for optimizer in ["adaswarm", "adam", "adam_on_mse"] {
        assert!(mean(&result, optimizer, "test", "accuracy") > 0.9, "{optimizer}: {result}");
        assert!(mean(&result, optimizer, "test", "element_accuracy") > 0.9, "{optimizer}");
    }
    let optimizers = result["optimizers"].as_array().unwrap();
    assert_eq!(optimizers.iter().map(|o| o["control"] == true).collect::<Vec<_>>(), [false, true, true]);
    assert!(optimizers[0]["runs"][0]["evaluations"].as_u64().unwrap() > 0);
    assert_eq!(optimizers[1]["runs"][0]["evaluations"], 0);
    assert_eq!(result["classes"], serde_json::json!(["setosa", "versicolor", "virginica"]));
}

#[test]
fn a_number_is_learnt_in_its_units() {
    let args = ["train", "diabetes", "--seeds", "2", "--no-controls", "--optimizer", "adam"];
    let result = good(&[&args[..], &["--json"]].concat()).json();
    let (r2, rmse) = (mean(&result, "adam", "test", "r2"), mean(&result, "adam", "test", "rmse"));
    assert!(r2 > 0.3 && (40.0..70.0).contains(&rmse), "{r2} {rmse}");
    let text = good(&args).out;
    assert!(text.contains("test RMSE") && text.contains("R²"), "{text}");
}

#[test]
fn losses_without_a_gradient_are_learnt_by_swarms_only() {
    let args = ["train", "iris", "--loss", "zero_one", "--seeds", "2", "--json"];
    let result = good(&args).json();
    assert!(mean(&result, "adaswarm", "test", "accuracy") > 0.8, "{result}");
    // Its gradient is zero: adam stays at its start.
    assert!(mean(&result, "adam", "test", "accuracy") < 0.75, "{result}");
}

#[test]
fn the_numbers_do_not_depend_on_threads() {
    for more in [&[][..], &["--loss", "f1", "--optimizer", "adaswarm,sgd"]] {
        let args = [&["train", "wine", "--epochs", "3", "--json"], more].concat();
        let one = timeless(good(&[&args[..], &["--seeds", "2", "--threads", "1"]].concat()).json());
        let two = timeless(good(&[&args[..], &["--seeds", "2", "--threads", "2"]].concat()).json());
        assert_eq!(one, two);
        // More threads than runs: the swarms have some too.
        let many = timeless(good(&[&args[..], &["--seeds", "1,", "--no-controls", "--threads", "7"]].concat()).json());
        assert_eq!(many["optimizers"][0]["runs"][0], one["optimizers"][0]["runs"][1]);
    }
}

#[test]
fn a_saved_model_answers_for_new_rows() {
    let folder = Folder::new("train-predict");
    let (classes, numbers) = people(&folder);
    let model = folder.path("sick.model");
    let swarms = ["--optimizer", "adaswarm", "--particles", "8", "--iterations", "20", "--block", "element"];
    let args = ["train", &classes, "--no-controls", "--seeds", "1", "--save", &model, "--json"];
    let trained = good(&[&args[..], &swarms].concat()).json();
    assert_eq!(trained["target"], "sick");

    // The rows it was made from, in another order of columns and with one too many.
    let text = folder.read("people.csv");
    let turned = text.lines().map(|line| {
        let part: Vec<&str> = line.split(',').collect();
        format!("{},x,{},{}\n", part[2], part[1], part[0])
    });
    let turned = folder.write("turned.csv", &turned.collect::<String>());
    let answers = good(&["predict", &model, &turned, "--json"]).json();
    let rows = answers["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 120);
    let accuracy = answers["scores"]["accuracy"].as_f64().unwrap();
    let trained =
        0.75 * mean(&trained, "adaswarm", "train", "accuracy") + 0.25 * mean(&trained, "adaswarm", "test", "accuracy");
    assert!((accuracy - trained).abs() < 1e-9, "{accuracy} {trained}");
    let sum =
        |row: &Value| row["probabilities"].as_object().unwrap().values().map(|p| p.as_f64().unwrap()).sum::<f64>();
    assert!(rows.iter().all(|row| (sum(row) - 1.0).abs() < 1e-5));

    // One row without a target, and one with.
    let new = folder.write("new.csv", "city,age\nOslo,30\n");
    let out = good(&["predict", &model, &new]).out;
    assert!(out.contains("predicted sick") && out.contains("p(yes)") && !out.contains("accuracy"), "{out}");
    let one = folder.write("one.csv", "city,age,sick\nOslo,30,yes\nRome,,\n");
    let out = good(&["predict", &model, &one]).out;
    assert!(out.contains("over the 1 rows") || out.contains("over the 1 row"), "{out}");

    // To a file.
    let answers = folder.path("answers.csv");
    let out = good(&["predict", &model, &new, "--output", &answers]).out;
    assert!(out.contains("1 answers are in") || out.contains("1 answer"), "{out}");
    let kept = folder.read("answers.csv");
    assert!(kept.starts_with("row,predicted sick,p(no),p(yes)\n1,"), "{kept}");

    // A number, in its units.
    let model = folder.path("pay.model");
    good(&["train", &numbers, "--seeds", "1", "--optimizer", "adam", "--epochs", "300", "--save", &model]);
    let answers = good(&["predict", &model, &numbers, "--json"]).json();
    assert!(answers["scores"]["r2"].as_f64().unwrap() > 0.9, "{}", answers["scores"]);
    let first = &answers["rows"][0];
    assert!((first["prediction"].as_f64().unwrap() - first["target"].as_f64().unwrap()).abs() < 300.0, "{first}");
}

#[test]
fn training_continues_from_a_saved_model() {
    let folder = Folder::new("train-load");
    let (first, second) = (folder.path("first.model"), folder.path("second.model"));
    let usual = ["--no-controls", "--json"];
    let train = |args: &[&str]| good(&[args, &usual].concat()).json();
    let short = train(&["train", "heart", "--epochs", "2", "--seeds", "3,", "--save", &first]);
    let more = train(&["train", "heart", "--epochs", "30", "--load", &first, "--save", &second]);
    assert_eq!(more["seeds"], serde_json::json!([3]));
    assert_eq!(more["optimizers"][0]["optimizer"], "adaswarm");
    assert!(mean(&more, "adaswarm", "train", "loss") < mean(&short, "adaswarm", "train", "loss"));
    assert!(std::fs::metadata(&second).unwrap().len() > 100);
    // It starts where the other ended: one small epoch changes little.
    let next = train(&["train", "heart", "--epochs", "1", "--rate", "1e-6", "--load", &first]);
    let gap = mean(&next, "adaswarm", "train", "loss") - mean(&short, "adaswarm", "train", "loss");
    assert!(gap.abs() < 1e-3, "{gap}");
    assert!(wrong(&["train", "wine", "--load", &first]).contains("column"));
}

#[test]
fn a_broken_model_is_refused() {
    let folder = Folder::new("train-broken");
    let model = folder.path("iris.model");
    good(&["train", "iris", "--epochs", "1", "--seeds", "1", "--no-controls", "--save", &model]);
    let rows = folder.write("rows.csv", "sepal_length,sepal_width,petal_length,petal_width\n5,3,1,0.2\n");
    let bytes = std::fs::read(&model).unwrap();
    std::fs::write(&model, &bytes[..bytes.len() - 9]).unwrap();
    assert!(wrong(&["predict", &model, &rows]).contains("cut short or changed"));
    let mut changed = bytes.clone();
    changed[200] ^= 1;
    std::fs::write(&model, changed).unwrap();
    assert!(wrong(&["predict", &model, &rows]).contains("cut short or changed"));
    assert!(wrong(&["predict", &rows, &rows]).contains("not a model"));
    assert!(wrong(&["predict", &folder.path("none"), &rows]).contains("none"));
}

#[test]
fn rows_that_do_not_fit_a_model_are_refused() {
    let folder = Folder::new("train-rows");
    let (classes, _) = people(&folder);
    let model = folder.path("sick.model");
    good(&["train", &classes, "--epochs", "1", "--seeds", "1", "--no-controls", "--save", &model]);
    let refused = |text: &str| wrong(&["predict", &model, &folder.write("new.csv", text)]);
    let why = refused("age\n30\n");
    assert!(why.contains("missing column = city"), "{why}");
    let why = refused("30,Rome\n31,Oslo\n");
    assert!(why.contains("missing columns = age, city") && why.contains("names no columns"), "{why}");
    let why = refused("age,city\n30,Rome\n31,Paris\n");
    assert!(why.contains("new.csv line 3, column 'city' = 'Paris': must be one of Lima, Oslo, Rome"), "{why}");
    let why = refused("age,city\nold,Rome\n");
    assert!(why.contains("new.csv line 2, column 'age' = 'old'"), "{why}");
    let why = refused("age,city,sick\n30,Rome,maybe\n");
    assert!(why.contains("column 'sick' = 'maybe': must be one of the classes no, yes"), "{why}");
    let paris = folder.write("paris.csv", "age,city\n31,Paris\n");
    good(&["predict", &model, &paris, "--allow-unknown"]);
}

#[test]
fn finished_runs_are_not_run_again() {
    let folder = Folder::new("train-records");
    let (records, model) = (folder.path("runs.jsonl"), folder.path("wine.model"));
    // One thread: the last record is the last seed's.
    let args = ["train", "wine", "--epochs", "5", "--threads", "1", "--json", "--records", &records];
    let some = good(&[&args[..], &["--seeds", "2"]].concat()).json();
    let kept = folder.read("runs.jsonl");
    assert_eq!(kept.lines().count(), 6);
    // A kill tears the last line.
    folder.write("runs.jsonl", &kept[..kept.len() - 40]);
    let all = good(&[&args[..], &["--seeds", "3"]].concat()).json();
    let lines: Vec<Value> = folder.read("runs.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 9);
    for (before, after) in some["optimizers"].as_array().unwrap().iter().zip(all["optimizers"].as_array().unwrap()) {
        // Five of the six runs are those of before, the clock's word included.
        assert_eq!(before["runs"][0], after["runs"][0]);
    }
    assert_eq!(good(&[&args[..], &["--seeds", "3"]].concat()).json(), all);
    // Other settings are other runs.
    good(&[&args[..], &["--seeds", "1", "--batch", "20", "--no-controls"]].concat());
    assert_eq!(folder.read("runs.jsonl").lines().count(), 10);
    // A record holds no weights: to keep the model its run is run again, and is not written twice.
    let saved = good(&[&args[..], &["--seeds", "3", "--save", &model]].concat()).json();
    assert_eq!(timeless(saved.clone())["optimizers"], timeless(all)["optimizers"]);
    assert!(std::fs::metadata(&model).is_ok());
    assert_eq!(folder.read("runs.jsonl").lines().count(), 10);
}

#[test]
fn bad_data_says_file_line_and_rule() {
    let folder = Folder::new("train-bad");
    let refused = |text: &str| wrong(&["train", &folder.write("t.csv", text)]);
    for (text, message) in [
        ("", "t.csv = an empty file: must hold a table"),
        ("a,b,c\n1,2,x\n1,2\n", "t.csv line 3 = 2 fields: must have 3"),
        ("a,b,c\n1,2,x\n1,two,y\n3,4,x\n", "t.csv line 3, column 'b' = 'two': must be a number"),
        ("a,c\n1,x\n2,x\n", "must have at least two classes"),
        ("a,c\n1,x\nnan,y\n3,x\n", "t.csv line 3, column 'a' = 'nan': must be a finite number"),
        ("a,c\n1,x\n2,\n", "t.csv line 3, column 'c' = missing"),
        ("a,b,c\n", "only a header"),
    ] {
        let why = refused(text);
        assert!(why.contains(message), "{text:?} gives {why}");
    }
    assert!(wrong(&["train", &folder.path("none.csv")]).contains("none.csv"));
    assert!(wrong(&["train", "iri"]).contains("unknown data set 'iri', did you mean 'iris'?"));
    let fetch = program(&["train", "seeds"]).env("SWARMGRAD_DATA", &folder.0).output().unwrap();
    let why = String::from_utf8(fetch.stderr).unwrap();
    assert!(why.contains("swarmgrad data fetch seeds") && fetch.status.code() == Some(2), "{why}");
}

#[test]
fn wrong_usage_names_the_option() {
    for (args, message) in [
        (&["--rate", "0"][..], "--rate"),
        (&["--rate", "-1"], "--rate"),
        (&["--epochs", "0"], "--epochs"),
        (&["--batch", "0"], "--batch"),
        (&["--seeds", "0"], "--seeds"),
        (&["--seeds", "1,1"], "named twice"),
        (&["--loss", "quantile:2"], "loss quantile:q = 2: must be a number between 0 and 1, both excluded"),
        (&["--loss", "huber:x"], "loss huber:delta = x: must be a finite number above 0"),
        (&["--loss", "bce:1"], "bce has no parameter"),
        (&["--loss", "maee"], "unknown loss 'maee', did you mean 'mae'?"),
        (&["--optimizer", "adamm"], "did you mean 'adam'?"),
        (&["--optimizer", "adam,adam"], "named twice"),
        (&["--activation", "rely"], "did you mean 'relu'?"),
        (&["--output", "softmaxx"], "did you mean 'softmax'?"),
        (&["--loss", "bce", "--output", "identity"], "bce takes outputs between 0 and 1"),
        (&["--loss", "cross_entropy", "--output", "sigmoid"], "takes logits"),
        (&["--test-share", "1"], "test share = 1"),
        (&["--preset", "papers"], "did you mean 'paper'?"),
        (&["--model", "cnn"], "at least 6 x 6 pixels"),
        (&["--model", "lenet"], "did you mean 'lenet1'?"),
        (&["--target", "x"], "is for CSV files"),
        (&["--optimizer", "adam", "--particles", "5"], "needs an optimiser with a swarm"),
        (&["--loss", "f1", "--block", "element"], "block"),
        (&["--plot", "curve.pdf"], ".svg or .png"),
        (&["--save", "/no/such/folder/iris.model"], "no folder"),
        (&["--hidden", "8,0"], "hidden[1] = 0"),
    ] {
        let why = wrong(&[&["train", "iris"], args].concat());
        assert!(why.contains(message), "{args:?} gives {why}");
    }
    assert!(wrong(&["train", "diabetes", "--loss", "bce"]).contains("needs classes"));
    assert!(wrong(&["train", "wine", "--model", "cnn"]).contains("needs square images"));
    assert!(wrong(&["train", "diabetes", "--balance"]).contains("class weights need classes"));
    assert!(wrong(&["train", "diabetes", "--output", "sigmoid"]).contains("identity"));
}

/// A price with skewed noise, and what the noise is of.
fn prices(folder: &Folder) -> String {
    let mut text = "size,price\n".to_owned();
    for i in 0..400u32 {
        let (x, u) = (f64::from(i * 37 % 400) / 400.0, f64::from(i * 167 % 400) / 400.0 + 0.001);
        text += &format!("{x},{}\n", 1000.0 + 500.0 * x - 200.0 * u.ln());
    }
    folder.write("prices.csv", &text)
}

#[test]
fn the_loss_asked_for_is_trained_and_judged() {
    let folder = Folder::new("train-asked");
    let data = prices(&folder);
    let optimizers = ["--optimizer", "adaswarm,adaswarm_prox,adaswarm_consensus", "--seeds", "3"];
    let args = [&["train", &data, "--loss", "quantile:0.9"][..], &optimizers].concat();
    let result = good(&[&args[..], &["--json"]].concat()).json();
    for way in ["adaswarm", "adaswarm_prox", "adaswarm_consensus", "adam"] {
        let covered = mean(&result, way, "test", "coverage");
        assert!((covered - 0.9).abs() < 0.06, "{way}: {covered}");
        let (loss, best) = (mean(&result, way, "test", "loss"), mean(&result, "adam", "test", "loss"));
        assert!(loss < 1.05 * best, "{way}: {loss} against {best}");
        assert!(loss < result["constant"]["test"]["loss"]["mean"].as_f64().unwrap(), "{result}");
    }
    let constant = result["constant"]["test"]["coverage"]["mean"].as_f64().unwrap();
    assert!((constant - 0.9).abs() < 0.05, "{constant}");
    let text = good(&args).out;
    for part in [
        "test coverage %",
        "\nconstant ",
        "adaswarm against adam: test loss",
        "R²",
        "adaswarm against the constant",
        "adaswarm_prox: no swarm was run",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    // With a fixed tau the mean is learnt, and the program says so.
    let fixed = [
        &args[..3],
        &[
            "quantile:0.9",
            "--optimizer",
            "adaswarm_prox",
            "--tau",
            "20",
            "--particles",
            "20",
            "--iterations",
            "100",
            "--seeds",
            "2",
        ],
    ]
    .concat();
    let text = good(&fixed).out;
    assert!(!text.contains("no swarm was run"), "{text}");
    assert!(
        text.contains("adaswarm_prox: in 80 of 80 epochs") && text.contains("has become the squared error"),
        "{text}"
    );
    assert!(text.contains("adaswarm_prox against adam_on_mse: test loss"), "{text}");
}

#[test]
fn a_constant_and_an_untrained_network_are_called_what_they_are() {
    let text = good(&["train", "haberman", "--loss", "zero_one", "--seeds", "2", "--epochs", "3"]).out;
    assert!(text.contains("adam: the derivative of zero_one is zero wherever it exists"), "{text}");
    assert!(!text.contains("adam_on_mse: the derivative"), "{text}");
    let result = good(&["train", "haberman", "--loss", "zero_one", "--seeds", "2", "--epochs", "1", "--json"]).json();
    let constant = &result["constant"]["test"];
    // 81 of 306 patients died, and 21 of the 77 of each test part.
    assert!((constant["loss"]["mean"].as_f64().unwrap() - 21.0 / 77.0).abs() < 1e-9, "{constant}");
    assert_eq!(constant["mcc"]["mean"], 0.0);
    assert_eq!(constant["auc"]["mean"], 0.5);
    let text = good(&["train", "haberman", "--seeds", "2", "--epochs", "2", "--metrics", "mcc,auc"]).out;
    assert!(text.contains("test MCC") && text.contains("test AUC"), "{text}");
    assert!(wrong(&["train", "haberman", "--metrics", "acuracy"]).contains("did you mean 'accuracy'?"));
}

#[test]
fn a_validation_part_chooses_the_epoch() {
    let args = ["train", "diabetes", "--validation", "0.2", "--optimizer", "adam", "--rate", "0.05", "--seeds", "2"];
    let more = ["--epochs", "200", "--patience", "5"];
    let result = good(&[&args[..], &more, &["--json"]].concat()).json();
    assert_eq!(result["rows"], serde_json::json!({"train": 265, "validation": 66, "test": 111}));
    for run in result["optimizers"][0]["runs"].as_array().unwrap() {
        let (best, epochs) = (run["best_epoch"].as_u64().unwrap(), run["epochs"].as_u64().unwrap());
        assert_eq!(epochs, best + 5, "{run}");
        assert!(run["validation"]["loss"].as_f64().unwrap() < 0.9, "{run}");
    }
    let text = good(&[&args[..], &more].concat()).out;
    assert!(text.contains("66 to choose the epoch by") && text.contains("best epoch"), "{text}");
    // A swarm's network too, and the model that is saved is the one that was judged.
    let folder = Folder::new("train-validation");
    let (model, records) = (folder.path("sick.model"), folder.path("runs.jsonl"));
    let (classes, _) = people(&folder);
    let swarm = ["--method", "snes", "--validation", "0.25", "--epochs", "12", "--seeds", "1", "--records", &records];
    let result = good(&[&["train", &classes, "--save", &model, "--json"], &swarm[..]].concat()).json();
    let run = &result["optimizers"][0]["runs"][0];
    assert!(run["best_epoch"].as_u64().unwrap() <= run["epochs"].as_u64().unwrap(), "{run}");
    let answers = good(&["predict", &model, &classes, "--json"]).json();
    let rows = &result["rows"];
    let share = |part: &str| rows[part].as_f64().unwrap() * run[part]["accuracy"].as_f64().unwrap();
    let all = (share("train") + share("validation") + share("test")) / 120.0;
    assert!((answers["scores"]["accuracy"].as_f64().unwrap() - all).abs() < 1e-9, "{answers} {run}");
    assert!(
        wrong(&["train", "iris", "--validation", "1"])
            .contains("--validation = 1: must be a number above 0 and below 1")
    );
    assert!(wrong(&["train", "iris", "--patience", "3"]).contains("--validation"));
    assert!(wrong(&["train", "iris", "--validation", "0.001"]).contains("at least one of the 112 training rows"));
}

/// A quantile in Python, the example of the documentation.
#[cfg(unix)]
#[test]
fn a_program_of_the_users_is_a_loss() {
    let folder = Folder::new("train-exec");
    let data = prices(&folder);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/quantile_loss.py");
    let python = std::process::Command::new("python3").arg("--version").output().is_ok_and(|out| out.status.success());
    if !python {
        eprintln!("skipped: there is no python3, so a loss in Python is not tried");
        return;
    }
    let command = format!("python3 {script}");
    let small = ["--seeds", "2", "--epochs", "12", "--particles", "6", "--iterations", "8", "--json"];
    let result = good(&[&["train", &data, "--loss-exec", &command], &small[..]].concat()).json();
    let names: Vec<&str> =
        result["optimizers"].as_array().unwrap().iter().map(|o| o["optimizer"].as_str().unwrap()).collect();
    assert_eq!(names, ["adaswarm", "adam_on_mse"]);
    let loss = |name: &str| mean(&result, name, "test", "loss");
    assert!(loss("adaswarm") < 0.8 * loss("adam_on_mse"), "{result}");
    assert!(loss("adaswarm") < result["constant"]["test"]["loss"]["mean"].as_f64().unwrap(), "{result}");
    assert!((mean(&result, "adaswarm", "test", "coverage") - 0.9).abs() < 0.08, "{result}");
    // The same loss by its name.
    let named = good(&[&["train", &data, "--loss", "quantile:0.9", "--no-controls"], &small[..]].concat()).json();
    assert!((mean(&named, "adaswarm", "test", "loss") - loss("adaswarm")).abs() < 0.01, "{named}");
    let refused = |more: &[&str]| wrong(&[&["train", &data], more].concat());
    let why = refused(&["--loss-exec", "echo seven; cat", "--seeds", "1"]);
    assert!(why.contains("answered 'seven'") && why.contains("echo seven; cat"), "{why}");
    let why = refused(&["--loss-exec", &command, "--optimizer", "adam"]);
    assert!(why.contains("--optimizer = adam") && why.contains("a program has none"), "{why}");
    // A model's file must not say what is run.
    let model = folder.path("exec.model");
    let one = ["--epochs", "1", "--particles", "3", "--iterations", "2", "--seeds", "1", "--no-controls"];
    good(&[&["train", &data, "--loss-exec", &command, "--save", &model], &one[..]].concat());
    assert!(refused(&["--load", &model]).contains("give it again"));
    good(&[&["train", &data, "--load", &model, "--loss-exec", &command], &one[..]].concat());
    good(&["predict", &model, &data]);
}

#[test]
fn suspicious_columns_are_refused_or_told() {
    let folder = Folder::new("train-suspicious");
    let rows = |cell: &dyn Fn(usize) -> String| {
        let lines = (0..60).map(|i| format!("{};{};{}\n", cell(i), i * 13 % 60, ["no", "yes"][i % 2]));
        folder.write("t.csv", &format!("what;size;sick\n{}", lines.collect::<String>()))
    };
    let quick = ["--epochs", "1", "--seeds", "1", "--no-controls"];
    let dates = rows(&|i| format!("{:02}/03/2021", 1 + i % 28));
    let why = wrong(&["train", &dates]);
    assert!(why.contains("column 'what' = '01/03/2021': looks like a date") && why.contains("--drop"), "{why}");
    good(&[&["train", &dates, "--drop", "what"], &quick[..]].concat());
    let numbered = rows(&|i| i.to_string());
    let told = good(&[&["train", &numbered], &quick[..]].concat()).err;
    assert!(told.contains("column 'what' numbers the rows") && told.contains("--drop leaves it out"), "{told}");
    assert!(wrong(&["train", "diabetes", "--loss", "soft_f1"]).contains("soft_f1: needs classes"));
    assert!(wrong(&["train", "iris", "--loss", "soft_f1", "--output", "identity"]).contains("between 0 and 1"));
    assert!(wrong(&["train", "iris", "--drop", "x"]).contains("--drop"));
}

#[test]
fn curves_are_drawn() {
    let folder = Folder::new("train-plot");
    let (svg, png) = (folder.path("curve.svg"), folder.path("curve.png"));
    let args = ["train", "iris", "--epochs", "10", "--seeds", "2", "--plot"];
    good(&[&args[..], &[&svg]].concat());
    good(&[&args[..], &[&png, "--test-share", "0"]].concat());
    let text = folder.read("curve.svg");
    assert!(text.starts_with("<svg") && text.contains("adam_on_mse") && text.contains("frame3"), "{text}");
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn presets_limits_and_weights_are_heard() {
    let paper = good(&["train", "heart", "--preset", "paper", "--seeds", "1", "--epochs", "2", "--json"]).json();
    assert_eq!((&paper["batch"], &paper["loss"]), (&Value::from(50), &Value::from("mse")));
    assert_eq!(paper["rows"]["train"].as_u64().unwrap() + paper["rows"]["test"].as_u64().unwrap(), 297);
    assert_eq!(paper["optimizers"][0]["rate"], 0.1);
    let few = good(&[
        "train",
        "haberman",
        "--limit",
        "40",
        "--test-limit",
        "20",
        "--balance",
        "--seeds",
        "2",
        "--epochs",
        "5",
        "--json",
    ])
    .json();
    assert_eq!(few["rows"], serde_json::json!({"train": 40, "validation": 0, "test": 20}));
    let linear = good(&["train", "iris", "--hidden", "0", "--seeds", "1", "--epochs", "2", "--json"]).json();
    assert_eq!(linear["weights"], 15);
    let deep = ["--hidden", "8,6", "--activation", "tanh", "--output", "softmax", "--tau", "0.5", "--raw"];
    let deep = good(&[&["train", "iris", "--seeds", "1", "--epochs", "2", "--json"], &deep[..]].concat()).json();
    assert_eq!(deep["weights"], 40 + 54 + 21);
    assert_eq!(deep["optimizers"][0]["signal"]["swarm"]["search"]["proximity"], 0.5);
}

#[test]
fn images_go_through_convolutions() {
    let sizes = ["--limit", "100", "--test-limit", "50", "--epochs", "2", "--seeds", "2", "--no-controls", "--json"];
    let args = [&["train", "digits", "--model", "cnn"], &sizes[..]].concat();
    let one = timeless(good(&[&args[..], &["--threads", "1"]].concat()).json());
    assert_eq!(one["architecture"]["cnn"]["image"]["width"], 8);
    assert_eq!(one, timeless(good(&[&args[..], &["--threads", "2"]].concat()).json()));
    assert!(wrong(&["train", "digits", "--model", "lenet1"]).contains("image = 8 x 8: too small for this network"));
}

/// CIFAR-10 in its published files, here of a few pictures: every network takes three colours, and where the files are missing it is
/// said what to bring.
#[test]
fn pictures_of_three_colours_are_learnt() {
    let home = Folder::new("train-cifar");
    let run = |args: &[&str]| finish(program(args).env("SWARMGRAD_DATA", &home.0).spawn().unwrap());
    let train = |model: &str| {
        let sizes = ["--limit", "20", "--epochs", "1", "--seeds", "1", "--no-controls", "--particles", "3", "--json"];
        run(&[&["train", "cifar10", "--model", model], &sizes[..]].concat())
    };
    let missing = train("cnn");
    assert_eq!(missing.code, Some(2));
    assert!(
        missing.err.contains("no data_batch_1.bin") && missing.err.contains("cifar-10-binary.tar.gz"),
        "{}",
        missing.err
    );
    let fetched = run(&["data", "fetch", "cifar10"]);
    assert!(
        fetched.code == Some(2) && fetched.err.contains("put its files into the folder `cifar10`"),
        "{}",
        fetched.err
    );
    assert!(run(&["data", "list"]).out.contains("to bring"));
    let folder = home.0.join("cifar10");
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, records: u8| {
        let record =
            |i: u8| [vec![i % 10], (0..3072u32).map(|k| (k * u32::from(i + 1) % 251) as u8).collect()].concat();
        std::fs::write(folder.join(name), (0..records).flat_map(record).collect::<Vec<u8>>()).unwrap();
    };
    (1..=5).for_each(|part| file(&format!("data_batch_{part}.bin"), 10));
    file("test_batch.bin", 10);
    for model in ["cnn", "lenet1", "resnet18", "shallow", "mlp"] {
        let done = train(model);
        assert_eq!(done.code, Some(0), "{model}: {}", done.err);
        let result = done.json();
        assert_eq!(result["rows"], serde_json::json!({"train": 20, "validation": 0, "test": 10}), "{model}");
        let image = result["architecture"].as_object().unwrap().values().next().unwrap()["image"].clone();
        let colours = if matches!(model, "cnn" | "lenet1" | "resnet18") { image["channels"] == 3 } else { true };
        assert!(colours, "{model}: {image}");
    }
    assert!(run(&["data", "show", "cifar10"]).out.contains("airplane"));
    file("test_batch.bin", 0);
    assert!(train("mlp").err.contains("test_batch.bin: length = 0 bytes"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_reached() {
    use rustix::process::{Pid, Signal, kill_process};
    let folder = Folder::new("train-interrupt");
    let (records, model) = (folder.path("runs.jsonl"), folder.path("abalone.model"));
    let args = ["train", "abalone", "--epochs", "100000", "--seeds", "2", "--no-controls", "--json"];
    let child =
        program(&[&args[..], &["--records", &records, "--save", &model, "--threads", "1"]].concat()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert!(err.contains("interrupted"), "{err}");
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["unfinished"], 2);
    let epochs = result["optimizers"][0]["runs"][0]["epochs"].as_u64().unwrap();
    assert!((1..100_000).contains(&epochs), "{result}");
    // What has not ended is no finished run, but its model is there.
    assert_eq!(folder.read("runs.jsonl"), "");
    let table = folder.write("rows.csv", "a\n1\n");
    assert!(wrong(&["predict", &model, &table]).contains("missing columns"));
}
