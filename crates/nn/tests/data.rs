//! Data sets: the catalogue against its pinned figures, UCI's own files, bad data, splits, fetching, and what the two
//! accuracies make of a network that has learnt nothing.

use flate2::{Compression, write::GzEncoder};
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use swarmgrad_core::{Halt, Matrix, Rng};
use swarmgrad_nn::data::catalog::{self, ENTRIES, Entry, MNIST, Place};
use swarmgrad_nn::data::csv::{self, Format, Separator, Target};
use swarmgrad_nn::data::fetch::{self, Source};
use swarmgrad_nn::data::{
    self, Categories, Column, Fill, Options, Preprocessing, Preset, Table, Targets, Task, Values, cifar, idx, images,
};
use swarmgrad_nn::metric::{argmax_accuracy, element_accuracy};

/// A folder of the test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("swarmgrad-data-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Every file in it, by path relative to it.
    fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in folder.read_dir().unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(&self.0, &mut found);
        found.iter().map(|path| path.strip_prefix(&self.0).unwrap().to_owned()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The folder of data that no package may carry; tests that need it say so when they are skipped.
fn shared(what: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SWARMGRAD_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped ({what}): SWARMGRAD_DATA is not set");
    }
    folder
}

/// A file below the folder, or a printed line.
fn shared_file(name: &str) -> Option<PathBuf> {
    let path = shared(name)?.join(name);
    if !path.is_file() {
        eprintln!("skipped: there is no {}", path.display());
    }
    path.is_file().then_some(path)
}

fn message(text: &str, format: &Format) -> String {
    csv::parse(text, "t.csv", format).unwrap_err().to_string()
}

fn numbers(table: &Table, name: &str) -> Vec<Option<f64>> {
    match &table.column(name).unwrap().values {
        Values::Numbers(numbers) => numbers.clone(),
        Values::Words(_) => panic!("{name} holds words"),
    }
}

fn check_entry(entry: &Entry) {
    let table = entry.table().unwrap();
    assert_eq!(table.len(), entry.rows, "{}", entry.name);
    assert_eq!(table.features().count(), entry.features, "{}", entry.name);
    assert_eq!(table.missing(), entry.missing, "{}", entry.name);
    assert_eq!(table.task, entry.task, "{}", entry.name);
    let counts = table.counts();
    let counts: Vec<_> = counts.iter().map(|(class, count)| (class.as_str(), *count)).collect();
    assert_eq!(counts, entry.classes, "{}", entry.name);
    for column in table.features() {
        let words = matches!(column.values, Values::Words(_));
        assert_eq!(words, entry.categorical.contains(&&*column.name), "{} {}", entry.name, column.name);
    }
    for preset in [Preset::Paper, Preset::Full] {
        let Ok(table) = data::load(entry.name, preset) else { continue };
        let set = table.dataset(&preset.options()).unwrap();
        assert!(set.features.data().iter().all(|t| t.is_finite()), "{}", entry.name);
        if preset == Preset::Paper {
            assert_eq!(set.dim(), entry.features, "{}", entry.name);
        }
    }
}

#[test]
fn embedded_sets_are_what_the_catalogue_says() {
    let mut count = 0;
    for entry in ENTRIES {
        if let Place::Embedded(text) = entry.place {
            assert_eq!(catalog::sha256(text.as_bytes()), entry.sha256, "{}", entry.name);
            check_entry(entry);
            count += 1;
        }
    }
    assert_eq!(count, 22);
    let names: BTreeSet<_> = ENTRIES.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), ENTRIES.len());
    assert_eq!(fetch::fetchable().collect::<Vec<_>>(), ["seeds", "banknote", "ilpd583", "titanic", "mnist"]);
}

#[test]
fn fetched_sets_are_what_the_catalogue_says() {
    for entry in ENTRIES.iter().filter(|entry| entry.place == Place::Fetch) {
        if shared(entry.name).is_none() {
            continue;
        }
        if !entry.is_there() {
            eprintln!("skipped: {} is not in SWARMGRAD_DATA", entry.name);
            continue;
        }
        check_entry(entry);
    }
}

#[test]
fn presets_take_the_rows_of_the_paper() {
    for (name, paper, full) in
        [("wbc", 683, 699), ("heart", 297, 303), ("mushroom", 8124, 8124), ("abalone", 4177, 4177)]
    {
        let rows = |preset| data::load(name, preset).unwrap().len();
        assert_eq!((rows(Preset::Paper), rows(Preset::Full)), (paper, full), "{name}");
    }
    assert_eq!(data::load("ilpd", Preset::Paper).unwrap().len(), 579);
    for (name, paper, full) in [("ilpd", 579, 583), ("titanic", 714, 891)] {
        match data::load(name, Preset::Full) {
            Ok(table) => assert_eq!((data::load(name, Preset::Paper).unwrap().len(), table.len()), (paper, full)),
            Err(why) => eprintln!("skipped: {why}"),
        }
    }
    // Codes as pandas gives them: sorted, counted from 0.
    let abalone = data::load("abalone", Preset::Paper).unwrap().dataset(&Preset::Paper.options()).unwrap();
    assert_eq!(abalone.features.row(0), [2.0, 0.455, 0.365, 0.095, 0.514, 0.2245, 0.101, 0.15]);
    let car = data::load("car", Preset::Paper).unwrap().dataset(&Preset::Paper.options()).unwrap();
    assert_eq!(car.features.row(0), [3.0, 3.0, 0.0, 0.0, 2.0, 1.0]);
    // A missing category has the code -1.
    let mushroom = data::load("mushroom", Preset::Paper).unwrap();
    let codes = mushroom.dataset(&Preset::Paper.options()).unwrap();
    assert_eq!(codes.features.iter().filter(|row| row[10] == -1.0).count(), 2480);
    // Zeros that stand for missing values are filled in `full` alone.
    assert_eq!(data::load("pima", Preset::Paper).unwrap().missing(), 0);
    assert_eq!(data::load("pima", Preset::Full).unwrap().missing(), 652);
    let full = data::load("pima", Preset::Full).unwrap().dataset(&Preset::Full.options()).unwrap();
    assert_eq!((full.len(), full.dim()), (768, 8));
}

/// UCI's own file of a set that the program carries.
struct Raw {
    file: &'static str,
    set: &'static str,
    target: &'static str,
    separator: Separator,
    /// Columns of the raw file, counted from 1, that are left out.
    without: &'static [usize],
    /// Class in the raw file and in the table.
    classes: &'static [(&'static str, &'static str)],
}

#[test]
fn ucis_own_files_hold_the_same_tables() {
    let raw =
        |file, set, target, classes| Raw { file, set, target, separator: Separator::Guess, without: &[], classes };
    let sets = [
        raw(
            "iris.data",
            "iris",
            "5",
            &[("Iris-setosa", "setosa"), ("Iris-versicolor", "versicolor"), ("Iris-virginica", "virginica")],
        ),
        raw("ionosphere.data", "ionosphere", "35", &[]),
        Raw {
            without: &[1],
            ..raw("breast-cancer-wisconsin.data", "wbc", "11", &[("2", "benign"), ("4", "malignant")])
        },
        raw("sonar.all-data", "sonar", "61", &[]),
        raw("processed.cleveland.data", "heart", "14", &[("2", "1"), ("3", "1"), ("4", "1")]),
        raw("haberman.data", "haberman", "4", &[("1", "survived"), ("2", "died")]),
        raw("wine.data", "wine", "1", &[]),
        raw("car.data", "car", "7", &[]),
        raw("abalone.data", "abalone_rings", "9", &[]),
        raw("agaricus-lepiota.data", "mushroom", "1", &[]),
        Raw { without: &[1], ..raw("wdbc.data", "wdbc", "2", &[("B", "benign"), ("M", "malignant")]) },
        Raw { separator: Separator::Char(';'), ..raw("winequality-red.csv", "winequality_red", "12", &[]) },
    ];
    for Raw { file, set, target, separator, without, classes } in sets {
        let Some(path) = shared_file(&format!("uci_raw/{file}")) else { continue };
        let entry = catalog::entry(set).unwrap();
        let table = entry.table().unwrap();
        let header = Some(set == "winequality_red");
        let categorical = (1..=60).map(|j| format!("column_{j}"));
        let categorical =
            if set == "car" || set == "mushroom" { categorical.take(entry.features + 1).collect() } else { vec![] };
        let (target, task) = (Target::Column(target.into()), Some(entry.task));
        let format = Format { header, separator, target, task, categorical, ..Format::default() };
        let raw = csv::read(&path, &format).unwrap();
        assert_eq!(raw.len(), table.len(), "{file}");
        let kept = raw.columns.iter().enumerate();
        let kept =
            kept.filter(|(j, _)| !without.contains(&(j + 1)) && Some(*j) != raw.target).map(|(_, column)| column);
        let different = |(a, b): &(&Column, &Column)| (0..table.len()).filter(|&i| a.text(i) != b.text(i)).count();
        let kept: Vec<_> = kept.collect();
        assert_eq!(kept.len(), entry.features, "{file}");
        let differences: usize = kept.into_iter().zip(table.features()).map(|pair| different(&pair)).sum();
        // Fisher's rows 35 and 38 are wrong in UCI's file, in three values.
        assert_eq!(differences, if set == "iris" { 3 } else { 0 }, "{file}");
        let (found, wanted) = (raw.target().unwrap(), table.target().unwrap());
        for i in 0..table.len() {
            let class = found.text(i);
            let class = classes.iter().find(|(code, _)| *code == class).map_or(class, |(_, name)| (*name).to_owned());
            assert_eq!(class, wanted.text(i), "{file} row {i}");
        }
    }
}

#[test]
fn bad_tables_are_refused_with_place_value_and_rule() {
    let guess = Format::default();
    let target = |name: &str| Format { target: Target::Column(name.into()), ..Format::default() };
    let cases = [
        // Ragged rows.
        ("a,b,c\n1,2,x\n3,y\n5,6,x\n", "t.csv line 3 = 2 fields: must have 3, as line 1 has"),
        ("a,b,c\n1,2,x\n\n3,4,5,y\n", "t.csv line 4 = 4 fields: must have 3, as line 1 has"),
        // Text in a numeric column.
        (
            "a,b,c\n1,2,x\n3,oops,y\n5,6,x\n",
            "t.csv line 3, column 'b' = 'oops': must be a number, as most of the column are, unless it is declared categorical",
        ),
        // One class only.
        ("a,c\n1,x\n2,x\n", "t.csv, target 'c' = only class 'x': must have at least two classes"),
        // Not finite.
        (
            "a,c\n1,x\nNaN,y\n",
            "t.csv line 3, column 'a' = 'NaN': must be a finite number; a missing value is an empty field, ? or NA",
        ),
        (
            "a,c\n-inf,x\n2,y\n",
            "t.csv line 2, column 'a' = '-inf': must be a finite number; a missing value is an empty field, ? or NA",
        ),
        (
            "a,c\n1,x\n1e999,y\n",
            "t.csv line 3, column 'a' = '1e999': must be a finite number; a missing value is an empty field, ? or NA",
        ),
        ("a,c\n1,x\n2,nan\n3,y\n", "t.csv line 3, column 'c' = 'nan': the target must be a class, not NaN"),
        // Empty.
        ("", "t.csv = an empty file: must hold a table"),
        ("\r\n\r\n", "t.csv = an empty file: must hold a table"),
        ("a,c\n", "t.csv = only a header: must hold at least one row of data"),
        // Names of columns.
        ("a,b,a\n1,2,x\n3,4,y\n", "t.csv line 1, column 3 = 'a': every column must have a name of its own"),
        // The target.
        ("a,c\n1,x\n2,\n3,y\n", "t.csv line 3, column 'c' = missing: the target of every row must be given"),
        ("c\nx\ny\n", "t.csv = only 'c': must have a column beside the target"),
        // Quotes.
        ("a,c\n1,x\n\"2,y\n", "t.csv line 3 = '\"2,y\n': the quote must be closed"),
        ("a,c\n\"1\"2,x\n", "t.csv line 2 = '2': after a closing quote must come a separator or the end of the line"),
    ];
    for (text, expected) in cases {
        let format =
            if text.starts_with("a,b,a") { Format { header: Some(true), ..guess.clone() } } else { guess.clone() };
        assert_eq!(message(text, &format), expected, "{text:?}");
    }
    let text = "length,width,class\n1,2,x\n3,4,y\n";
    assert_eq!(message(text, &target("clas")), "unknown target column of t.csv 'clas', did you mean 'class'?");
    assert_eq!(
        message(text, &target("4")),
        "target column of t.csv = 4: must be a column's name or a number from 1 to 3"
    );
    let unknown = Format { categorical: vec!["lenght".into()], ..Format::default() };
    assert_eq!(message(text, &unknown), "unknown column of t.csv 'lenght', did you mean 'length'?");
    let regression = Format { task: Some(Task::Regression), ..Format::default() };
    assert_eq!(message(text, &regression), "t.csv line 2, column 'class' = 'x': must be a number");
    // Files.
    let folder = Folder::new("bad");
    let path = folder.write("latin.csv", b"a,c\n1,caf\xe9\n");
    let why = csv::read(&path, &guess).unwrap_err().to_string();
    assert_eq!(why, format!("{}: line 2 is not UTF-8 text", path.display()));
    let why = csv::read(&folder.0.join("none.csv"), &guess).unwrap_err().to_string();
    assert!(why.starts_with(&format!("{}: ", folder.0.join("none.csv").display())), "{why}");
}

#[test]
fn tables_are_read_as_people_write_them() {
    let text = "\u{feff}name;\"the \"\"size\"\"\";age;sick\r\n\"Rossi; A.\";1,5; 30 ;no\r\n\r\nBianchi;2;NA;yes\r\nVerdi;x;44;no";
    let table =
        csv::parse(text, "t.csv", &Format { categorical: vec!["the \"size\"".into()], ..Format::default() }).unwrap();
    assert_eq!((table.len(), table.missing(), table.classes()), (3, 1, vec!["no".to_owned(), "yes".to_owned()]));
    assert_eq!(table.columns[0].text(0), "Rossi; A.");
    assert_eq!(table.columns[1].name, "the \"size\"");
    assert_eq!(numbers(&table, "age"), [Some(30.0), None, Some(44.0)]);
    assert_eq!(table.place(1), "t.csv line 4");
    // A quoted field may go on over lines; the next record's line is right all the same.
    let table = csv::parse("a,b,c\n1,\"x\ny\",p\n2,z,q\n", "t.csv", &Format::default()).unwrap();
    assert_eq!((table.columns[1].text(0).as_str(), table.place(1).as_str()), ("x\ny", "t.csv line 4"));
    // No header; numbered target; runs of blanks.
    let format = Format { separator: Separator::Whitespace, target: Target::Column("1".into()), ..Format::default() };
    let table = csv::parse("1  0.5\t\t2\n2 0.25 3\n", "t.txt", &format).unwrap();
    assert_eq!((table.target, table.task, table.len()), (Some(0), Task::Classification, 2));
    assert_eq!(numbers(&table, "column_2"), [Some(0.5), Some(0.25)]);
    // What a target of numbers is.
    let task = |values: &[&str]| {
        let rows: String = values.iter().map(|value| format!("1,{value}\n")).collect();
        csv::parse(&format!("a,y\n{rows}"), "t.csv", &Format::default()).unwrap().task
    };
    assert_eq!(task(&["0", "1", "0"]), Task::Classification);
    assert_eq!(task(&["0.5", "1", "0"]), Task::Regression);
    let many: Vec<_> = (0..30).map(|k| k.to_string()).collect();
    assert_eq!(task(&many.iter().map(String::as_str).collect::<Vec<_>>()), Task::Regression);
    // Classes that are numbers are in the order of their values.
    let classes = csv::parse("a,y\n1,10\n1,9\n1,2\n", "t.csv", &Format::default()).unwrap().classes();
    assert_eq!(classes, ["2", "9", "10"]);
}

#[test]
fn preprocessing_knows_its_training_rows_only() {
    let text = "size,city,sick\n1,Rome,no\n3,Paris,yes\n?,?,no\n8,Rome,yes\n1000,Oslo,no\n?,?,yes\n";
    let table = csv::parse(text, "t.csv", &Format::default()).unwrap();
    let raw = Options { standardise: false, ..Options::default() };
    let fitted = Preprocessing::fit(&table, &[0, 1, 2, 3], &raw).unwrap();
    assert_eq!(fitted.feature_names(), ["size", "city=Paris", "city=Rome", "city missing"]);
    let all = fitted.apply(&table).unwrap();
    assert_eq!(all.features.row(2), [3.0, 0.0, 0.0, 1.0]);
    assert_eq!(all.features.row(4), [1000.0, 0.0, 0.0, 0.0]);
    assert_eq!(all.features.row(5), [3.0, 0.0, 0.0, 1.0]);
    let fitted = Preprocessing::fit(&table, &[0, 1, 3], &Options { fill: Fill::Mean, ..raw }).unwrap();
    assert_eq!(fitted.features(&table).unwrap().row(2), [4.0, 0.0, 0.0]);
    let codes = Options { categories: Categories::Codes, ..raw };
    let coded = Preprocessing::fit(&table, &[0, 1, 3], &codes).unwrap().features(&table).unwrap();
    assert_eq!((0..6).map(|i| coded.row(i)[1]).collect::<Vec<_>>(), [1.0, 0.0, -1.0, 1.0, -1.0, -1.0]);
    // Mean 0 and deviation 1 of the training part; the other part uses the same shift and scale.
    let iris = data::load("iris", Preset::Full).unwrap();
    let split = iris.split(0.3, &Rng::new(4)).unwrap();
    let parts = iris.parts(&split, &Preset::Full.options()).unwrap();
    for j in 0..4 {
        let column = |set: &data::Dataset| set.features.iter().map(|row| f64::from(row[j])).collect::<Vec<_>>();
        let train = column(&parts.train);
        let mean = train.iter().sum::<f64>() / 105.0;
        let variance = train.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / 105.0;
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5, "{mean} {variance}");
        assert!((column(&parts.test).iter().sum::<f64>() / 45.0).abs() > 1e-4);
    }
    // A constant column is only shifted.
    let radar = data::load("ionosphere", Preset::Full).unwrap().dataset(&Preset::Full.options()).unwrap();
    assert!(radar.features.iter().all(|row| row[1] == 0.0));
    // A model carries it.
    let text = serde_json::to_string(&parts.preprocessing).unwrap();
    assert_eq!(serde_json::from_str::<Preprocessing>(&text).unwrap(), parts.preprocessing);
    // Regression, with the target in its units again.
    let concrete = data::load("concrete", Preset::Full).unwrap();
    let split = concrete.split(0.2, &Rng::new(1)).unwrap();
    let scaled = Options { standardise_target: true, ..Options::default() };
    let parts = concrete.parts(&split, &scaled).unwrap();
    let Targets::Numbers(targets) = &parts.test.targets else { panic!("concrete is regression") };
    let strength = numbers(&concrete, "strength");
    for (&i, &t) in split.test.iter().zip(targets) {
        assert!((parts.preprocessing.in_units(t) - strength[i].unwrap()).abs() < 1e-4);
    }
    assert_eq!(parts.test.target_rows().dim(), 1);
}

#[test]
fn new_rows_are_read_by_the_names_of_their_columns() {
    let table = data::load("car", Preset::Full).unwrap();
    let rows: Vec<_> = (0..table.len()).collect();
    let fitted = Preprocessing::fit(&table, &rows, &Options::default()).unwrap();
    assert_eq!(fitted.dim(), 21);
    let text = "safety,doors,lug_boot,persons,maint,buying\nlow,2,small,2,vhigh,vhigh\n";
    let new = csv::parse(text, "new.csv", &fitted.format()).unwrap();
    assert_eq!(fitted.features(&new).unwrap().row(0), fitted.features(&table).unwrap().row(0));
    let why = fitted.features(&csv::parse("safety,door\nlow,2\n", "new.csv", &fitted.format()).unwrap()).unwrap_err();
    assert_eq!(why.to_string(), "unknown column of new.csv 'buying': there are safety, door");
    let other = csv::parse(
        &(text.replace("buying\n", "buying,class\n").replace("vhigh,vhigh\n", "vhigh,vhigh,great\n")
            + "low,2,small,2,vhigh,vhigh,acc\n"),
        "new.csv",
        &fitted.format(),
    )
    .unwrap();
    let why = fitted.apply(&other).unwrap_err().to_string();
    assert_eq!(why, "new.csv line 2, column 'class' = 'great': must be one of the classes acc, good, unacc, vgood");
    let iris = data::load("iris", Preset::Full).unwrap();
    let fitted = Preprocessing::fit(&iris, &[0, 50, 100], &Options::default()).unwrap();
    let text = "petal_width,petal_length,sepal_width,sepal_length\n0.2,1.4,wide,5.1\n";
    let why = csv::parse(text, "new.csv", &fitted.format()).unwrap_err().to_string();
    assert_eq!(why, "new.csv line 2, column 'sepal_width' = 'wide': must be a number");
    let text = "petal_width,petal_length,sepal_width,sepal_length\n0.2,1.4,1e200,5.1\n";
    let why = fitted.features(&csv::parse(text, "new.csv", &fitted.format()).unwrap()).unwrap_err().to_string();
    assert!(why.ends_with("must fit single precision, about 3e38"), "{why}");
}

#[test]
fn splits_are_stratified_and_repeatable() {
    let table = data::load("wine", Preset::Paper).unwrap();
    let strata = table.strata();
    let count = |rows: &[usize]| (0..3).map(|c| rows.iter().filter(|&&i| strata[i] == c).count()).collect::<Vec<_>>();
    let split = table.split(0.25, &Rng::new(7)).unwrap();
    assert_eq!(split, table.split(0.25, &Rng::new(7)).unwrap());
    assert_ne!(split, table.split(0.25, &Rng::new(8)).unwrap());
    assert_eq!(count(&split.test), [15, 18, 12]);
    let both: BTreeSet<_> = split.train.iter().chain(&split.test).copied().collect();
    assert_eq!((both.len(), split.train.len() + split.test.len()), (178, 178));
    assert!(table.split(0.0, &Rng::new(7)).unwrap().test.is_empty());
    for bad in [-0.1, 1.0, f64::NAN] {
        assert!(table.split(bad, &Rng::new(7)).unwrap_err().to_string().contains("must be from 0 to below 1"));
    }
    let folds = table.folds(10, &Rng::new(7)).unwrap();
    let mut seen = vec![0; 178];
    for fold in &folds {
        fold.test.iter().for_each(|&i| seen[i] += 1);
        assert!(fold.train.iter().all(|i| !fold.test.contains(i)));
        assert_eq!(fold.train.len() + fold.test.len(), 178);
        assert!([17, 18].contains(&fold.test.len()));
        for (found, wanted) in count(&fold.test).into_iter().zip([5.9, 7.1, 4.8]) {
            assert!((found as f64 - wanted).abs() <= 1.0, "{found} of {wanted}");
        }
    }
    assert!(seen.iter().all(|&times| times == 1));
    assert!(table.folds(1, &Rng::new(7)).is_err() && table.folds(179, &Rng::new(7)).is_err());
}

fn idx_bytes(dims: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn idx_files_are_read_and_bad_ones_refused() {
    let folder = Folder::new("idx");
    let images = folder.write("images.gz", &gzip(&idx_bytes(&[3, 2, 2], &[0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8])));
    let labels = folder.write("labels", &idx_bytes(&[3], &[0, 2, 1]));
    let set = idx::images(&images, &labels, "tiny").unwrap();
    assert_eq!((set.len(), set.dim(), set.labels().unwrap()), (3, 4, &[0usize, 2, 1][..]));
    assert_eq!(set.features.row(0), [0.0, 0.2, 0.4, 1.0]);
    assert_eq!((set.counts(), set.classes().len(), set.feature_names[3].as_str()), (vec![1, 1, 1], 3, "p003"));
    let why = |bytes: &[u8]| idx::parse(bytes, "x").unwrap_err().to_string();
    assert_eq!(
        why(&[0, 0, 0x0d, 1, 0, 0, 0, 0]),
        "x: magic number = 0x00000d01: must be 0x00000801 to 0x000008ff: an IDX file of unsigned bytes"
    );
    assert_eq!(why(&[0, 0]), "x: length = 2 bytes: must be at least 4");
    assert_eq!(why(&[0, 0, 8, 3, 0, 0]), "x: length = 6 bytes: must be at least 16");
    assert_eq!(why(&idx_bytes(&[2, 2], &[1, 2, 3])), "x: length = 15 bytes: must be 16 for 2 x 2 entries");
    assert_eq!(why(&idx_bytes(&[2], &[1, 2, 3])), "x: length = 11 bytes: must be 10 for 2 entries");
    assert!(why(&idx_bytes(&[u32::MAX; 4], &[])).contains("must be more for 4294967295 x"));
    let fewer = folder.write("fewer", &idx_bytes(&[2], &[0, 1]));
    assert_eq!(idx::images(&images, &fewer, "tiny").unwrap_err().to_string(), "tiny: labels has 2 entries, expected 3");
    let mut cut = gzip(&idx_bytes(&[3], &[0, 1, 2]));
    cut.truncate(cut.len() - 9);
    let cut = folder.write("cut.gz", &cut);
    let why = idx::read(&cut).unwrap_err().to_string();
    assert!(why.starts_with(&format!("{}: cut short or damaged gzip", cut.display())), "{why}");
}

#[test]
fn mnist_is_whole() {
    if shared("mnist").is_none() || !catalog::entry("mnist").unwrap().is_there() {
        eprintln!("skipped: mnist is not in SWARMGRAD_DATA");
        return;
    }
    for (name, sha256) in MNIST {
        let mut bytes = std::fs::read(fetch::find_packed(name).unwrap()).unwrap();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut plain = Vec::new();
            flate2::read::MultiGzDecoder::new(&*bytes).read_to_end(&mut plain).unwrap();
            bytes = plain;
        }
        assert_eq!(catalog::sha256(&bytes), sha256, "{name}");
    }
    let parts = data::parts("mnist", Preset::Paper, &Options::default(), 0.2, &Rng::new(1)).unwrap();
    assert_eq!(
        (parts.train.len(), parts.test.len(), parts.train.dim(), parts.train.outputs()),
        (60_000, 10_000, 784, 10)
    );
    assert_eq!(parts.train.counts(), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(parts.test.counts(), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    let both = parts.train.counts().into_iter().zip(parts.test.counts()).map(|(a, b)| a + b);
    assert!(both.eq(catalog::entry("mnist").unwrap().classes.iter().map(|class| class.1)));
    assert!(parts.train.features.data().iter().all(|t| (0.0..=1.0).contains(t)));
    assert_eq!(parts.preprocessing.dim(), 784);
    // Three of the files, one of them unpacked; the fourth is missing, and the message says which.
    let (from, to) = (Folder::new("mnist-from"), Folder::new("mnist-to"));
    for (name, _) in &MNIST[1..] {
        std::fs::copy(fetch::find_packed(name).unwrap(), from.0.join(format!("{name}.gz"))).unwrap();
    }
    let why = fetch::fetch("mnist", Source::Folder(&from.0), &to.0).unwrap_err().to_string();
    assert!(why.contains("holds none of 'train-images-idx3-ubyte.gz'") && to.files().is_empty(), "{why}");
    std::fs::copy(fetch::find_packed(MNIST[0].0).unwrap(), from.0.join(format!("{}.gz", MNIST[0].0))).unwrap();
    assert_eq!(fetch::fetch("mnist", Source::Folder(&from.0), &to.0).unwrap().len(), 4);
    assert_eq!(to.files().len(), 4);
}

/// `n` records of CIFAR's kind, record i with these labels and a picture of the number i.
fn records(labels: &[&[u8]]) -> Vec<u8> {
    let record = |(i, labels): (usize, &&[u8])| [labels.to_vec(), vec![i as u8; cifar::PIXELS]].concat();
    labels.iter().enumerate().flat_map(record).collect()
}

#[test]
fn cifar_files_are_read_and_bad_ones_refused() {
    let read = cifar::parse(&records(&[&[3, 61], &[0, 99]]), "train.bin", &[20, 100]).unwrap();
    assert_eq!((read.labels, read.pixels.len(), read.pixels[0], read.pixels[6143]), (vec![61, 99], 6144, 0, 1));
    let why = |bytes: &[u8], classes: &[usize]| cifar::parse(bytes, "x", classes).unwrap_err().to_string();
    let two = records(&[&[1], &[9]]);
    assert_eq!(
        why(&two[..6145], &[10]),
        "x: length = 6145 bytes: must be a multiple of 3073, at least one record: a label and 3072 pixels"
    );
    assert!(why(&two, &[20, 100]).contains("must be a multiple of 3074, at least one record: 2 labels and"));
    assert!(why(&[], &[10]).starts_with("x: length = 0 bytes: must be"));
    assert_eq!(why(&records(&[&[1], &[10]]), &[10]), "x: label of record 2 = 10: must be from 0 to 9");
    assert_eq!(why(&records(&[&[20, 1]]), &[20, 100]), "x: label of record 1 = 20: must be from 0 to 19");
    assert_eq!(why(&records(&[&[1, 100]]), &[20, 100]), "x: label of record 1 = 100: must be from 0 to 99");
}

/// Sets that the user brings: found in their folder as they are published, whole or not at all.
#[test]
fn images_that_a_user_brings_are_found() {
    let load = |name: &str, root: &Folder| {
        let entry = catalog::entry(name).unwrap();
        let Place::Images(files) = entry.place else { panic!("{name} is a table") };
        let parts = images::load(entry, files, &root.0).map_err(|why| why.to_string())?;
        Ok::<_, String>((parts, images::digest(entry, files, &root.0).unwrap()))
    };
    let root = Folder::new("images");
    // CIFAR-10, a file at a time.
    for part in 1..=5u8 {
        let missing = load("cifar10", &root).unwrap_err();
        assert!(missing.starts_with(&format!("data set = cifar10: there is no data_batch_{part}.bin in")), "{missing}");
        root.write(&format!("cifar-10-batches-bin/data_batch_{part}.bin"), &records(&[&[part], &[part - 1]]));
    }
    // A name that is not the published one is not taken.
    root.write("cifar-10-batches-bin/test.bin", &records(&[&[7]]));
    let missing = load("cifar10", &root).unwrap_err();
    assert_eq!(
        missing,
        "data set = cifar10: there is no test_batch.bin in the data folder; get cifar-10-binary.tar.gz from \
         https://www.cs.toronto.edu/~kriz/cifar.html, unpack it, and put its files into the folder `cifar10` or \
         `cifar-10-batches-bin` of $SWARMGRAD_DATA, as they are called there"
    );
    root.write("cifar-10-batches-bin/test_batch.bin", &records(&[&[7]]));
    let (parts, digest) = load("cifar10", &root).unwrap();
    assert_eq!((parts.train.len(), parts.test.len(), parts.train.dim(), parts.train.outputs()), (10, 1, 3072, 10));
    assert_eq!(parts.train.labels().unwrap(), [1, 0, 2, 1, 3, 2, 4, 3, 5, 4]);
    assert_eq!((parts.test.labels().unwrap(), &*parts.train.classes()[7]), (&[7usize][..], "horse"));
    assert_eq!((parts.train.features.row(1)[0], parts.preprocessing.dim()), (1.0 / 255.0, 3072));
    // Other pictures, another digest; a file with a torn record names itself.
    root.write("cifar-10-batches-bin/test_batch.bin", &records(&[&[8]]));
    assert_ne!(load("cifar10", &root).unwrap().1, digest);
    root.write("cifar-10-batches-bin/data_batch_4.bin", &records(&[&[1]])[1..]);
    assert!(load("cifar10", &root).unwrap_err().contains("data_batch_4.bin: length = 3072 bytes"));
    // CIFAR-100.
    root.write("cifar100/train.bin", &records(&[&[1, 0], &[19, 99]]));
    root.write("cifar100/test.bin", &records(&[&[1, 52]]));
    let (parts, _) = load("cifar100", &root).unwrap();
    assert_eq!(
        (parts.train.outputs(), &*parts.train.classes()[99], &*parts.train.classes()[52]),
        (100, "worm", "oak_tree")
    );
    assert_eq!(parts.test.labels().unwrap(), [52]);
    // Fashion-MNIST has MNIST's names: neither is taken for the other.
    let [train_images, train_labels, images, labels] = MNIST.map(|(name, _)| name);
    for (name, bytes) in [
        (train_images, idx_bytes(&[2, 28, 28], &[51; 2 * 784])),
        (train_labels, idx_bytes(&[2], &[9, 3])),
        (images, idx_bytes(&[1, 28, 28], &[255; 784])),
        (labels, idx_bytes(&[1], &[0])),
    ] {
        root.write(&format!("fashion-mnist/{name}.gz"), &gzip(&bytes));
    }
    assert_eq!(
        load("mnist", &root).unwrap_err(),
        "data set = mnist: is not fetched yet: run `swarmgrad data fetch mnist`"
    );
    let (parts, _) = load("fashion_mnist", &root).unwrap();
    assert_eq!(
        (&*parts.train.classes()[9], parts.train.features.row(0)[0], parts.test.outputs()),
        ("Ankle boot", 0.2, 10)
    );
    for (name, bytes) in [
        (train_images, idx_bytes(&[1, 28, 28], &[0; 784])),
        (train_labels, idx_bytes(&[1], &[5])),
        (images, idx_bytes(&[1, 28, 28], &[0; 784])),
        (labels, idx_bytes(&[1], &[5])),
    ] {
        root.write(&format!("zoo/{name}"), &bytes);
    }
    assert_eq!(load("mnist", &root).unwrap().0.train.len(), 1);
    root.write(&format!("fashion-mnist/{train_labels}.gz"), &gzip(&idx_bytes(&[2], &[9, 10])));
    let why = load("fashion_mnist", &root).unwrap_err();
    assert!(why.ends_with("label of record 2 = 10: must be from 0 to 9"), "{why}");
}

/// Gives some bytes, then fails.
struct Interrupted(usize);

impl Read for Interrupted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = out.len().min(self.0);
        self.0 -= n;
        if n == 0 { Err(io::Error::new(io::ErrorKind::ConnectionReset, "connection reset")) } else { Ok(n) }
    }
}

#[test]
fn headers_with_gaps_are_headers() {
    // R's row.names and pandas' index: a column without a name.
    let table = csv::parse("\"\",\"a\",\"y\"\n1,2.5,x\n2,3.5,z\n", "t.csv", &Format::default()).unwrap();
    assert_eq!(table.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["column_1", "a", "y"]);
    assert_eq!(table.len(), 2);
    // Rows of letters without a header have letters twice; a mark of a missing value is no name.
    for text in ["p,x,x\ne,x,y\n", "?,x,p\n1,y,e\n"] {
        assert_eq!(csv::parse(text, "t.csv", &Format::default()).unwrap().len(), 2, "{text}");
    }
    // Years as names: only if said.
    let years = Format { header: Some(true), ..Format::default() };
    assert_eq!(csv::parse("2019,2020,2021\n1,2,a\n3,4,b\n", "t.csv", &years).unwrap().columns[0].name, "2019");
}

/// A column that would become a category a value is refused with its name and what to do; one that numbers the rows is told.
#[test]
fn columns_that_are_no_categories_are_noticed() {
    let rows = |name: &str, cell: &dyn Fn(usize) -> String| {
        let lines = (0..40).map(|i| format!("{};{};{}\n", i * 7 % 40, cell(i), ["no", "yes"][i % 2]));
        format!("size;{name};sick\n{}", lines.collect::<String>())
    };
    let read = |text: &str, format: &Format| csv::parse(text, "t.csv", format);
    let commas = rows("price", &|i| format!("{},{}", i, i % 10));
    let thousands = rows("price", &|i| format!("{},137", i + 1));
    let dates = rows("day", &|i| format!("2021-03-{:02}", 1 + i % 28));
    let names = rows("name", &|i| format!("person {i}"));
    for (text, column, message) in [
        (&commas, "price", "'0,0': looks like a number with a comma"),
        (&thousands, "price", "'1,137': looks like a number with a comma"),
        (&dates, "day", "'2021-03-01': looks like a date"),
        (&names, "name", "40 different words in 40 rows: each would be a category that hardly another row has"),
    ] {
        let why = read(text, &Format::default()).unwrap_err().to_string();
        assert!(why.starts_with(&format!("t.csv, column '{column}' = {message}")), "{why}");
        assert!(why.contains("`categorical`"), "{why}");
        let declared = Format { categorical: vec![column.into()], ..Format::default() };
        assert_eq!(read(text, &declared).unwrap().features().count(), 2);
        let dropped = Format { drop: vec![column.into()], ..Format::default() };
        let table = read(text, &dropped).unwrap();
        assert_eq!((table.features().count(), table.target().unwrap().name.as_str()), (1, "sick"));
        // A row to answer may have any columns.
        let to_predict = Format { target: Target::IfPresent("sick".into()), ..Format::default() };
        assert!(read(text, &to_predict).is_ok());
    }
    // As a target.
    let target = |column: &str| Format { target: Target::Column(column.into()), ..Format::default() };
    let why = read(&commas, &target("price")).unwrap_err().to_string();
    assert!(why.starts_with("t.csv, column 'price' = '0,0': looks like a number with a comma"), "{why}");
    let why = read(&names, &target("name")).unwrap_err().to_string();
    assert!(why.starts_with("t.csv, column 'name' = 40 classes in 40 rows: hardly two rows share a class"), "{why}");
    let said = Format { task: Some(Task::Classification), ..target("name") };
    assert_eq!(read(&names, &said).unwrap().classes().len(), 40);
    // Few words for many rows are categories, and so is a mixture.
    let cities = rows("city", &|i| ["Rome", "Oslo", "3,5"][i % 3].to_owned());
    assert!(read(&cities, &Format::default()).unwrap().notices.is_empty());
    // Numbers that number the rows, or are keys.
    let numbered = rows("place", &|i| (i + 1).to_string());
    let notices = read(&numbered, &Format::default()).unwrap().notices;
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].starts_with("t.csv, column 'place' numbers the rows"), "{notices:?}");
    let keys = rows("patient_id", &|i| (i * 7919 % 1000).to_string());
    assert!(read(&keys, &Format::default()).unwrap().notices[0].contains("'patient_id' is called a key"));
    let heights = rows("height", &|i| (i * 7919 % 1000).to_string());
    assert!(read(&heights, &Format::default()).unwrap().notices.is_empty());
    let why = read(&heights, &Format { drop: vec!["sick".into()], ..Format::default() }).unwrap_err().to_string();
    assert_eq!(why, "t.csv, column 'sick' = dropped: is the target");
    let why = read(&heights, &Format { drop: vec!["heigth".into()], ..Format::default() }).unwrap_err().to_string();
    assert!(why.contains("did you mean 'height'?"), "{why}");
}

#[test]
fn nothing_is_left_of_what_failed() {
    let folder = Folder::new("store");
    let path = folder.0.join("set.csv");
    let why = fetch::store(&path, &mut Interrupted(100_000), "00").unwrap_err().to_string();
    assert_eq!(why, format!("{}: nothing was kept: connection reset", path.display()));
    assert!(folder.files().is_empty());
    let why = fetch::store(&path, &mut &b"a,b\n"[..], "00").unwrap_err().to_string();
    assert_eq!(why, format!("{}: sha256 = {}: must be 00", path.display(), catalog::sha256(b"a,b\n")));
    assert!(folder.files().is_empty());
    // What was there stays.
    fetch::store(&path, &mut &b"old"[..], &catalog::sha256(b"old")).unwrap();
    assert!(fetch::store(&path, &mut Interrupted(9), &catalog::sha256(b"new")).is_err());
    assert!(fetch::store(&path, &mut &b"bad"[..], &catalog::sha256(b"new")).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(folder.files(), [Path::new("set.csv")]);
    // Ctrl-C.
    let halt = Halt::new(Arc::new(true.into()));
    if fetch::find_packed(MNIST[1].0).is_some() {
        let from = fetch::folder().unwrap();
        let why = fetch::fetch_unless("mnist", Source::Folder(&from), &folder.0, &halt).unwrap_err().to_string();
        assert!(why.contains("nothing was kept: interrupted"), "{why}");
        assert!(folder.0.join("mnist").read_dir().unwrap().next().is_none());
        std::fs::remove_dir(folder.0.join("mnist")).unwrap();
    }
    // The checksum of a packed file is that of what it holds; one that is cut short is refused.
    let packed = folder.0.join("set.gz");
    let bytes = gzip(b"some text");
    let why = fetch::store(&packed, &mut &bytes[..bytes.len() - 6], &catalog::sha256(b"some text")).unwrap_err();
    assert!(why.to_string().contains("nothing was kept") && !packed.exists(), "{why}");
    fetch::store(&packed, &mut &*bytes, &catalog::sha256(b"some text")).unwrap();
}

/// A zip archive of one deflated file, as UCI's are.
fn zip(name: &str, data: &[u8]) -> Vec<u8> {
    let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(data).unwrap();
    let deflated = deflated.finish().unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(data);
    let (crc, packed, plain) =
        (crc.sum().to_le_bytes(), (deflated.len() as u32).to_le_bytes(), (data.len() as u32).to_le_bytes());
    let length = (name.len() as u16).to_le_bytes();
    let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0".to_vec();
    zip.extend([crc, packed, plain].concat());
    zip.extend(length);
    zip.extend([0, 0]);
    zip.extend(name.as_bytes());
    zip.extend(&deflated);
    let directory = zip.len() as u32;
    zip.extend(b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0");
    zip.extend([crc, packed, plain].concat());
    zip.extend(length);
    zip.extend([0; 16]);
    zip.extend(name.as_bytes());
    let size = zip.len() as u32 - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(size.to_le_bytes());
    zip.extend(directory.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

/// UCI's form of a prepared table: no header, another separator, classes as codes, whole numbers with a point.
fn raw_form(text: &str, separator: &str, classes: &[(&str, &str)]) -> String {
    let mut raw = String::new();
    for line in text.lines().skip(1) {
        let (features, class) = line.rsplit_once(',').unwrap();
        let code = classes.iter().find(|(_, name)| *name == class).unwrap().0;
        raw += &format!("{}{separator}{code}\r\n", features.replace(',', separator));
    }
    raw
}

#[test]
fn tables_are_fetched_from_files_that_lie_there() {
    let Some(banknote) = shared_file("tabular_shared_only/data_banknote_authentication.txt") else { return };
    let (from, to) = (Folder::new("fetch-from"), Folder::new("fetch-to"));
    // UCI's own file, in a subfolder.
    let text = std::fs::read(&banknote).unwrap();
    let raw = from.write("a/data_banknote_authentication.txt", &text);
    let path = fetch::fetch("banknote", Source::Folder(&from.0), &to.0).unwrap();
    assert_eq!(path, [to.0.join("banknote.csv")]);
    std::fs::remove_file(raw).unwrap();
    let sha256 = |name: &str| catalog::entry(name).unwrap().sha256;
    let kept = |name: &str| catalog::sha256(&std::fs::read(to.0.join(name)).unwrap());
    assert_eq!(kept("banknote.csv"), sha256("banknote"));
    std::fs::remove_file(to.0.join("banknote.csv")).unwrap();
    // The archive.
    from.write("a/b/banknote+authentication.zip", &zip("data_banknote_authentication.txt", &text));
    fetch::fetch("banknote", Source::Folder(&from.0), &to.0).unwrap();
    assert_eq!(kept("banknote.csv"), sha256("banknote"));
    // UCI's forms of the others, made from the prepared tables.
    let prepared = |file| shared_file(file).map(|path| std::fs::read_to_string(path).unwrap());
    if let Some(text) = prepared("tabular_shared_only/seeds.csv") {
        let raw = raw_form(&text, "\t\t", &[("1", "Kama"), ("2", "Rosa"), ("3", "Canadian")]);
        from.write("seeds_dataset.txt", raw.as_bytes());
        fetch::fetch("seeds", Source::Folder(&from.0), &to.0).unwrap();
        assert_eq!(kept("seeds.csv"), sha256("seeds"));
    }
    if let Some(text) = prepared("tabular_shared_only/ilpd583.csv") {
        let raw = raw_form(&text, ",", &[("1", "patient"), ("2", "healthy")]);
        from.write("Indian Liver Patient Dataset (ILPD).csv", raw.as_bytes());
        fetch::fetch("ilpd583", Source::Folder(&from.0), &to.0).unwrap();
        assert_eq!(kept("ilpd583.csv"), sha256("ilpd583"));
    }
    if let Some(text) = prepared("tabular_shared_only/seeds.csv") {
        // The prepared table with a digit changed is told by its checksum, not taken for UCI's file.
        let (bad, nowhere) = (Folder::new("fetch-bad"), Folder::new("fetch-nowhere"));
        bad.write("seeds.csv", text.replacen('1', "2", 1).as_bytes());
        let why = fetch::fetch("seeds", Source::Folder(&bad.0), &nowhere.0).unwrap_err().to_string();
        assert!(why.contains("sha256 = ") && nowhere.files().is_empty(), "{why}");
    }
    if let Some(text) = prepared("tabular/titanic.csv") {
        from.write("titanic.csv", text.as_bytes());
        fetch::fetch("titanic", Source::Folder(&from.0), &to.0).unwrap();
        std::fs::remove_file(to.0.join("titanic.csv")).unwrap();
        let mut raw = String::from("survived,pclass,sex,age,sibsp,parch,fare,embarked,class,who\n");
        for line in text.lines().skip(1) {
            let (features, class) = line.rsplit_once(',').unwrap();
            let mut fields: Vec<_> = features.split(',').map(str::to_owned).collect();
            // Ages of whole years have a point there.
            if let Ok(age) = fields[2].parse::<f64>() {
                fields[2] = format!("{age:?}");
            }
            raw += &format!("{},{},Third,man\n", u8::from(class == "survived"), fields.join(","));
        }
        from.write("titanic.csv", raw.as_bytes());
        fetch::fetch("titanic", Source::Folder(&from.0), &to.0).unwrap();
        assert_eq!(kept("titanic.csv"), sha256("titanic"));
    }
    // A file that was tampered with, cut short, or damaged.
    let other = Folder::new("fetch-bad");
    let clean = Folder::new("fetch-clean");
    let text = String::from_utf8(text).unwrap();
    let try_bytes = |name: &str, bytes: &[u8]| {
        let path = other.write(name, bytes);
        let why = fetch::fetch("banknote", Source::Folder(&other.0), &clean.0).unwrap_err().to_string();
        std::fs::remove_file(path).unwrap();
        assert!(clean.files().is_empty(), "{why}");
        why
    };
    let file = "data_banknote_authentication.txt";
    let why = try_bytes(file, text.replacen("3.6216", "3.6217", 1).as_bytes());
    assert!(why.contains("sha256 = ") && why.ends_with(&format!("must be {}", sha256("banknote"))), "{why}");
    let why = try_bytes(file, &text.as_bytes()[..20_000]);
    assert!(why.contains("data_banknote_authentication.txt"), "{why}");
    let why = try_bytes(file, text.replacen("3.6216", "three", 1).as_bytes());
    assert!(why.ends_with("line 1, column 'variance' = 'three': must be a number"), "{why}");
    let mut archive = zip(file, text.as_bytes());
    archive[200] ^= 1;
    try_bytes("banknote+authentication.zip", &archive);
    let why = try_bytes("banknote+authentication.zip", &archive[..500]);
    assert!(why.ends_with("the archive is cut short or damaged"), "{why}");
    let why = try_bytes("banknote+authentication.zip", &zip("readme.txt", b"hello"));
    assert!(why.ends_with("the archive holds no file 'data_banknote_authentication.txt'"), "{why}");
}

#[test]
fn names_and_places_are_explained() {
    let why = |name| data::load(name, Preset::Paper).unwrap_err().to_string();
    assert_eq!(why("iriss"), "unknown data set 'iriss', did you mean 'iris'?");
    assert_eq!(why("mnist"), "data set = mnist: holds images, not a table: use `data::parts` or `data::images`");
    let folder = Folder::new("names");
    let fetch = |name| fetch::fetch(name, Source::Folder(&folder.0), &folder.0).unwrap_err().to_string();
    assert_eq!(fetch("iris"), "data set = iris: is part of the program: nothing is to be fetched");
    let expected = "holds none of 'seeds.csv', 'seeds_dataset.txt', 'seeds.zip', the files of seeds; they come from \
                    https://archive.ics.uci.edu/static/public/236/seeds.zip";
    assert_eq!(fetch("seeds"), format!("{}: {expected}", folder.0.display()));
    assert!(Preset::named("papr").unwrap_err().to_string().ends_with("did you mean 'paper'?"));
    if !catalog::entry("seeds").unwrap().is_there() {
        assert_eq!(why("seeds"), "data set = seeds: is not fetched yet: run `swarmgrad data fetch seeds`");
    }
}

#[cfg(not(feature = "download"))]
#[test]
fn a_build_without_downloads_says_what_to_do() {
    let folder = Folder::new("no-download");
    let why = fetch::fetch("seeds", Source::Web, &folder.0).unwrap_err().to_string();
    for part in ["236/seeds.zip: this build does not download", "data fetch seeds --from DIR", "--features download"] {
        assert!(why.contains(part), "{why}");
    }
    assert!(folder.files().is_empty());
}

#[cfg(feature = "download")]
mod download {
    use super::*;
    use std::net::TcpListener;

    /// A server that gives one answer and hangs up; its address.
    fn serve(head: String, body: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/file", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
        });
        address
    }

    fn found(length: usize) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    }

    #[test]
    fn whole_files_are_kept_and_nothing_else() {
        let Some(banknote) = shared_file("tabular_shared_only/data_banknote_authentication.txt") else { return };
        let (text, to) = (std::fs::read(banknote).unwrap(), Folder::new("http"));
        let get = |head: String, body: &[u8]| {
            let address = serve(head, body.to_vec());
            fetch::fetch("banknote", Source::Address(&address), &to.0).map_err(|why| why.to_string())
        };
        // Cut short in the middle, not found, wrong content.
        for (head, body) in [
            (found(text.len()), &text[..text.len() / 2]),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into(), &[][..]),
            (found(20), &b"<html>no way</html>\n"[..]),
        ] {
            let why = get(head, body).unwrap_err();
            assert!(why.starts_with("http://127.0.0.1:"), "{why}");
            assert!(to.files().is_empty());
        }
        assert_eq!(get(found(text.len()), &text).unwrap(), [to.0.join("banknote.csv")]);
        assert_eq!(to.files(), [Path::new("banknote.csv")]);
    }
}

/// The class of every row is said to be the commonest one.
fn majority(name: &str) -> (f64, f64) {
    let set = data::load(name, Preset::Paper).unwrap().dataset(&Preset::Paper.options()).unwrap();
    let counts = set.counts();
    let commonest = (0..counts.len()).max_by_key(|&class| counts[class]).unwrap();
    let mut outputs = Matrix::<f32>::zeros(set.len(), set.outputs());
    outputs.iter_mut().for_each(|row| row[commonest] = 1.0);
    let element = element_accuracy(outputs.rows(), set.target_rows().rows());
    (100.0 * element, 100.0 * argmax_accuracy(outputs.rows(), set.labels().unwrap()))
}

#[test]
fn a_net_that_learnt_nothing_looks_good_element_by_element() {
    for (name, element, argmax) in [
        ("car", "85.01", "70.02"),
        ("heart", "53.87", "53.87"),
        ("haberman", "73.53", "73.53"),
        ("pima", "65.10", "65.10"),
        ("wine", "59.93", "39.89"),
    ] {
        let found = majority(name);
        assert_eq!((format!("{:.2}", found.0), format!("{:.2}", found.1)), (element.into(), argmax.into()), "{name}");
    }
    let iris = data::load("iris", Preset::Paper).unwrap().dataset(&Preset::Paper.options()).unwrap();
    let nothing = Matrix::<f32>::zeros(iris.len(), 3);
    assert_eq!(format!("{:.2}", 100.0 * element_accuracy(nothing.rows(), iris.target_rows().rows())), "66.67");
    assert_eq!(argmax_accuracy(nothing.rows(), iris.labels().unwrap()), 50.0 / 150.0);
    let nan = Matrix::from_vec(3, vec![f32::NAN; 450]).unwrap();
    assert_eq!(argmax_accuracy(nan.rows(), iris.labels().unwrap()), 0.0);
    assert_eq!(element_accuracy(nan.rows(), iris.target_rows().rows()), 0.0);
}
