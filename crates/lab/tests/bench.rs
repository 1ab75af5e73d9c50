//! The bench: what it counts, what it computes from it, and what it writes.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, atomic::AtomicBool};
use swarmgrad::registry;
use swarmgrad::study::units::Records;
use swarmgrad::{Constraint, Evaluation, Evaluations, Function, Halt, Problem, Progress, Rng, Run, Space, problems};
use swarmgrad_lab::Record;
use swarmgrad_lab::bench::{Bench, Findings, Method, Place, Scores, Step, Suite, Trial, read, targets, write_archive};

fn methods(texts: &[&str]) -> Vec<Method> {
    texts.iter().map(|text| Method::parse(text).unwrap()).collect()
}

fn bench(bench: &Bench, texts: &[&str]) -> Vec<Trial> {
    bench.run(&methods(texts), &Records::none(), &|_| {}).unwrap()
}

fn small() -> Bench {
    Bench { functions: vec![1, 3, 8, 21], dims: vec![2, 5], instances: vec![1, 4], budget: 60, ..Bench::default() }
}

/// What does not depend on the clock.
fn timeless(trials: &[Trial]) -> Vec<Trial> {
    let still = |t: &Trial| Trial { record: Record { seconds: 0.0, ..t.record.clone() }, ..t.clone() };
    trials.iter().map(still).collect()
}

/// A folder of the test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("swarmgrad-bench-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A run of f1 in 4 variables that reached these precisions.
fn trial(method: &str, instance: u64, curve: &[(u64, f64)], nfev: u64) -> Trial {
    let optimum = problems::bbob(1, instance).unwrap().build::<f64>(4, None).unwrap().minimum().unwrap();
    let curve: Vec<_> = curve.iter().map(|(n, precision)| (*n, optimum + precision)).collect();
    let record = Record {
        method: method.into(),
        problem: format!("bbob/f1/i{instance}"),
        dim: 4,
        fun: curve.last().map_or(f64::INFINITY, |last| last.1),
        nfev,
        curve,
        ..Record::default()
    };
    Trial { budget: 1000, starts: 1, record }
}

#[test]
fn targets_are_51_in_steps_of_a_fifth_of_a_decade() {
    let targets = targets();
    assert_eq!((targets[0], targets[5], targets[10], targets[50]), (100.0, 10.0, 1.0, 1e-8));
    assert!(targets.windows(2).all(|w| (w[0] / w[1] - 10f64.powf(0.2)).abs() < 1e-12));
}

#[test]
fn shares_and_areas_by_hand() {
    // 10^2 to 10^1.4 are 4 targets, after 4 evaluations (1 d); 11 more down to 10^-0.8 after 40 (10 d); 0.1 after 400.
    let one = trial("a", 1, &[(4, 15.9), (40, 0.1001), (400, 0.09)], 4000);
    let scores = Scores::of([&one]).unwrap();
    let share = |n: f64| scores.share(n) * 51.0;
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-9, "{found} and {wanted}");
    near(share(0.99), 0.0);
    near(share(1.0), 4.0);
    near(share(10.0), 15.0);
    near(share(99.0), 15.0);
    near(share(100.0), 16.0);
    // 4 targets for all three decades, 11 for two of them, 1 for one.
    near(scores.area() * 51.0, 4.0 + 11.0 * 2.0 / 3.0 + 1.0 / 3.0);
    // A first value before one evaluation a variable counts for the whole area and no more.
    let early = trial("a", 1, &[(1, 1e-9)], 1);
    near(Scores::of([&early]).unwrap().area(), 1.0);
}

#[test]
fn the_selector_takes_the_best_of_every_run_and_intervals_run_over_instances() {
    let runs = [
        trial("a", 1, &[(4, 90.0), (400, 1e-9)], 400),
        trial("a", 2, &[(4, 90.0)], 4000),
        trial("b", 1, &[(40, 0.9)], 4000),
        trial("b", 2, &[(40, 0.9)], 4000),
    ];
    let [a, b] = [Scores::of(&runs[..2]).unwrap(), Scores::of(&runs[2..]).unwrap()];
    let best = Scores::best_of([&a, &b]);
    assert_eq!(best.0.len(), 2);
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-12, "{found} and {wanted}");
    near(best.share(1.0), 1.0 / 51.0);
    near(best.share(10.0), 11.0 / 51.0);
    near(best.share(100.0), (1.0 + 11.0 / 51.0) / 2.0);
    // Two instances of shares 1 and 1/51: Student's t at 97.5 % with one degree of freedom is 12.706.
    let interval = a.interval(|scores| scores.share(1000.0)).unwrap();
    let half = 12.706204736 * (50.0 / 51.0 / 2f64.sqrt()) / 2f64.sqrt();
    assert!((interval.high - interval.low - 2.0 * half).abs() < 1e-6);
    assert!(b.only(|score| score.instance == 1).interval(Scores::area).unwrap().high.is_infinite());
}

/// The harness's curve holds exactly when each target was reached: against a run that writes down every value.
#[test]
fn every_target_has_its_exact_evaluation() {
    let setup = Bench { functions: vec![1, 6, 20], dims: vec![3], instances: vec![2], budget: 500, ..Bench::default() };
    for trial in bench(&setup, &["de:particles=10", "random_search"]) {
        let Place { function, instance, .. } = trial.place().unwrap();
        let problem = problems::bbob(function, instance).unwrap().build::<f64>(3, None).unwrap();
        let values = Mutex::new(Vec::new());
        let written = Function::new(Space::cube(3, -5.0, 5.0).unwrap(), |x: &[f64]| {
            let value = problem.value(x);
            values.lock().unwrap().push(value);
            value
        });
        let method = if trial.record.method == "random_search" { "random_search" } else { "de" };
        let entry = registry::entry(method).unwrap();
        let mut algorithm = entry.build(problem.space(), Some(1500), &trial.record.params).unwrap();
        let rng = Rng::new(0).fork(&format!("{}/d3", trial.record.problem)).fork("start 0");
        Run::new(&written, &mut *algorithm, 0).rng(rng).watch(&mut Evaluations(trial.record.nfev)).minimize();

        let values = values.into_inner().unwrap();
        assert_eq!(values.len() as u64, trial.record.nfev);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(trial.record.fun, least);
        let optimum = problem.minimum().unwrap();
        let score = &Scores::of([&trial]).unwrap().0[0];
        for (target, &reached) in targets().into_iter().zip(&score.reached) {
            let first = values.iter().position(|value| value - optimum <= target);
            let wanted = first.map_or(f64::INFINITY, |i| (i + 1) as f64 / 3.0);
            assert_eq!(reached, wanted, "f{function}, precision {target:e}");
        }
    }
}

/// Random search is known: another program's figures (24 functions, instances 1 to 5, 1000 d) are .100 in 5 variables.
#[test]
fn random_search_has_its_known_share() {
    let setup = Bench { dims: vec![5], threads: 0, ..Bench::default() };
    let scores = Scores::of(&bench(&setup, &["random_search"])).unwrap();
    assert_eq!(scores.0.len(), 24 * 5);
    let share = scores.share(1000.0);
    assert!((share - 0.100).abs() < 0.01, "{share}");
}

#[test]
fn budgets_are_spent_to_the_last_evaluation_or_the_target_is_reached() {
    for trial in bench(&small(), &["de", "pso"]) {
        let Place { function, instance, .. } = trial.place().unwrap();
        let optimum = problems::bbob(function, instance).unwrap().build::<f64>(2, None).unwrap().minimum().unwrap();
        let granted = 60 * trial.record.dim as u64;
        assert!(trial.record.nfev == granted || trial.record.fun - optimum <= 1e-8, "{trial:?}");
        assert!(trial.record.nfev <= granted && trial.starts >= 1);
    }
}

#[test]
fn threads_and_the_company_of_other_methods_change_nothing() {
    let one = timeless(&bench(&small(), &["de", "pso"]));
    let four = timeless(&bench(&Bench { threads: 4, ..small() }, &["pso", "de"]));
    let by_name = |trials: &[Trial], name: &str| -> Vec<Trial> {
        trials.iter().filter(|trial| trial.record.method == name).cloned().collect()
    };
    for name in ["de", "pso"] {
        assert_eq!(by_name(&one, name), by_name(&four, name));
    }
    let other = timeless(&bench(&Bench { seed: 1, ..small() }, &["de"]));
    assert_ne!(by_name(&one, "de")[0].record.curve, other[0].record.curve);
}

#[test]
fn a_killed_bench_continues_from_its_finished_runs() {
    let folder = Folder::new("continue");
    let path = folder.0.join("runs.jsonl");
    let whole = timeless(&bench(&small(), &["de"]));
    let flag = Arc::new(AtomicBool::new(false));
    let setup = Bench { halt: Halt::new(flag.clone()), ..small() };
    let open = || Records::open(&path).unwrap();
    let done = AtomicUsize::new(0);
    let kill = |step: Step| {
        if matches!(step, Step::Done { .. }) && done.fetch_add(1, SeqCst) == 4 {
            flag.store(true, SeqCst);
        }
    };
    assert!(matches!(setup.run(&methods(&["de"]), &open(), &kill), Err(swarmgrad_lab::Error::Interrupted)));
    // What a kill in the middle of a line leaves.
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 5);
    std::fs::write(&path, &text[..text.len() - 30]).unwrap();

    let setup = small();
    let seen = Mutex::new(Vec::new());
    let trials = setup.run(&methods(&["de"]), &open(), &|step| seen.lock().unwrap().push(step)).unwrap();
    assert_eq!(timeless(&trials), whole);
    let seen = seen.into_inner().unwrap();
    assert!(matches!(seen[0], Step::Begin { found: 4, .. }), "{:?}", seen[0]);
    assert_eq!(seen.len(), 1 + 12);
    assert_eq!(timeless(&read(&path).unwrap()).len(), 16);
    // Other settings are other runs.
    let other = Bench { budget: 61, ..small() };
    other.run(&methods(&["de"]), &open(), &|step| seen_nothing(step)).unwrap();
}

fn seen_nothing(step: Step) {
    assert!(!matches!(step, Step::Begin { found: 1.., .. }), "{step:?}");
}

#[test]
fn mistakes_are_named() {
    let message = |bench: &Bench, text: &str| {
        let methods = Method::parse(text).map(|method| vec![method]);
        methods.and_then(|methods| bench.run(&methods, &Records::none(), &|_| {})).unwrap_err().to_string()
    };
    let base = small();
    assert_eq!(message(&base, "dee"), "unknown method 'dee', did you mean 'de'?");
    assert!(message(&base, "de:particles").contains("NAME:KEY=VALUE"));
    assert!(message(&base, "de:particle=3").contains("did you mean 'particles'?"));
    assert!(message(&Bench { functions: vec![25], ..base.clone() }, "de").starts_with("function = 25"));
    assert!(message(&Bench { instances: vec![0], ..base.clone() }, "de").starts_with("instance = 0"));
    assert!(message(&Bench { dims: vec![1], ..base.clone() }, "de").contains("needs at least 2"));
    assert!(message(&Bench { dims: vec![], ..base.clone() }, "de").starts_with("dims = nothing"));
    assert!(message(&Bench { budget: 0, ..base.clone() }, "de").starts_with("budget = 0"));
    let twice = base.run(&methods(&["de", "de"]), &Records::none(), &|_| {}).unwrap_err();
    assert!(twice.to_string().contains("named once"));
    let folder = Folder::new("lines");
    let path = folder.0.join("runs.jsonl");
    std::fs::write(
        &path,
        "{\"method\":\"x\",\"problem\":\"sphere\",\"dim\":2,\"seed\":0,\"fun\":1,\"nfev\":3,\"nit\":1}\n",
    )
    .unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("runs.jsonl:1: problem = sphere"));
}

#[test]
fn the_report_has_every_part() {
    let trials = bench(&small(), &["de", "random_search"]);
    let findings = Findings::of(&trials).unwrap();
    let (text, markdown) = (findings.text().unwrap(), findings.markdown().unwrap());
    for word in ["de", "random_search", "perfect selector", "10 d", "60 d", "area", "separable", "d = 5", "±"] {
        assert!(text.contains(word) && markdown.contains(word), "{word} is missing in\n{text}");
    }
    assert!(!text.contains("100 d") && !text.contains("ill-conditioned"));
    let names: Vec<_> = findings.pictures().into_iter().map(|picture| picture.name).collect();
    assert_eq!(names.len(), 1 + 2 + 3, "{names:?}");
    assert!(names.contains(&"ecdf_weakly_structured".into()), "{names:?}");
    let page = findings.page().unwrap().html();
    assert!(page.matches("<svg").count() == 6 && !page.contains("http://") || page.contains("www.w3.org"));
    let json = findings.json().unwrap();
    assert_eq!(json["methods"].as_array().unwrap().len(), 3);
    let scores = &findings.methods()[0].1;
    assert_eq!(json["methods"][0]["share"]["60"], scores.share(60.0));
    assert_eq!(json["methods"][0]["groups"]["separable"]["area"], scores.only(|s| s.function <= 5).area());
}

#[test]
fn the_archive_has_cocos_form() {
    let folder = Folder::new("archive");
    let trials = bench(&small(), &["de:particles=8"]);
    let folders = write_archive(&folder.0, &trials).unwrap();
    assert_eq!(folders, [folder.0.join("de_particles_8")]);
    let file = |name: &str| std::fs::read_to_string(folders[0].join(name)).unwrap();
    let info = file("bbobexp_f8.info");
    let info: Vec<_> = info.lines().collect();
    assert_eq!(info.len(), 6, "three lines a dimension");
    assert!(
        info[0].starts_with("suite = 'bbob', funcId = 8, DIM = 2, Precision = 1.000e-08, algId = 'de:particles=8'")
    );
    assert!(info[1].starts_with('%') && info[2].starts_with("data_f8/bbobexp_f8_DIM2.dat, 1:120|"));
    let run = trials.iter().find(|t| t.record.problem == "bbob/f8/i4" && t.record.dim == 5).unwrap();
    let optimum = problems::bbob(8, 4).unwrap().build::<f64>(5, None).unwrap().minimum().unwrap();
    for ending in ["dat", "tdat"] {
        let text = file(&format!("data_f8/bbobexp_f8_DIM5.{ending}"));
        let parts: Vec<_> = text.split("% f evaluations").skip(1).collect();
        assert_eq!(parts.len(), 2, "a part for each instance");
        let rows: Vec<Vec<f64>> = parts[1]
            .lines()
            .skip(1)
            .map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect())
            .collect();
        assert!(rows.iter().all(|row| row.len() == 5 && row[1] == 0.0));
        assert!(rows.windows(2).all(|w| w[0][0] < w[1][0] && w[0][2] >= w[1][2]));
        let last = rows.last().unwrap();
        assert_eq!((rows[0][0], last[0]), (1.0, 300.0));
        let gap = run.record.fun - optimum;
        assert!((last[2] - gap).abs() <= 1e-9 * gap && (last[4] - run.record.fun).abs() <= 1e-9 * run.record.fun.abs());
    }
}

#[test]
fn every_function_of_every_suite_has_its_place() {
    for suite in Suite::ALL {
        let setup = Bench { instances: vec![2], budget: 1, ..Bench::of(suite) };
        let trials = bench(&setup, &["random_search"]);
        let places: Vec<_> = trials.iter().map(|trial| trial.place().unwrap()).collect();
        let dims = setup.dims.len().max(1);
        assert_eq!(places.len(), setup.functions.len() * dims, "{}", suite.name());
        let all = || setup.functions.iter().map(|&function| Place { suite, function, instance: 2 });
        assert!(all().all(|place| places.iter().filter(|other| **other == place).count() == dims), "{places:?}");
        assert_eq!(Suite::parse(suite.name()).unwrap(), suite);
        let findings = Findings::of(&trials).unwrap();
        assert!(findings.markdown().unwrap().starts_with(&format!("# {}\n", suite.title())));
    }
    let mixed: Vec<_> = [Suite::Bbob, Suite::BbobMixint]
        .into_iter()
        .flat_map(|suite| {
            bench(&Bench { functions: vec![1], instances: vec![1], budget: 1, ..Bench::of(suite) }, &["de"])
        })
        .collect();
    let why = Findings::of(&mixed).err().unwrap().to_string();
    assert!(why.contains("the other runs are of the suite bbob"), "{why}");
    let why = Suite::parse("cec2007").unwrap_err().to_string();
    assert!(why.contains("did you mean 'cec2006'?") || why.contains("did you mean 'cec2017'?"), "{why}");
    let own = Bench { dims: vec![5], ..Bench::of(Suite::Cec2006) };
    let why = own.run(&methods(&["de"]), &Records::none(), &|_| {}).unwrap_err().to_string();
    assert!(why.starts_with("dims = [5]: left out"), "{why}");
}

/// With constraints only points that keep them count: against a run that writes down every evaluation.
#[test]
fn infeasible_points_do_not_count() {
    let setup = Bench { functions: vec![4, 6, 8], instances: vec![1, 2], budget: 300, ..Bench::of(Suite::Cec2006) };
    let trials = bench(&setup, &["de(particles=12)", "auto", "random_search"]);
    let findings = Findings::of(&trials).unwrap();
    let scores = |name: &str| &findings.methods().iter().find(|(method, _)| method == name).unwrap().1;
    assert!(scores("auto").share(300.0) > 0.8 && scores("auto").feasible(300.0) == 1.0);
    assert!(scores("random_search").share(300.0) < 0.1 && scores("random_search").feasible(300.0) < 1.0);
    for trial in trials.iter().filter(|trial| trial.record.method != "auto") {
        let Place { suite, function, instance } = trial.place().unwrap();
        let problem = suite.entry(function, 1).unwrap();
        let dim = problem.dims.least();
        let problem = problem.build::<f64>(dim, None).unwrap();
        let (entry, settings) = registry::parse(&trial.record.method).unwrap();
        let constraints = problem.constraints();
        let mut method =
            registry::build(entry, problem.space(), Some(300 * dim as u64), &settings, constraints, problem.aim())
                .unwrap();
        let rng = Rng::new(instance).fork(&format!("{}/d{dim}", trial.record.problem)).fork("start 0");
        let seen = Mutex::new((None, None));
        let minimum = problem.minimum().unwrap();
        let mut note = |progress: &Progress<'_>| {
            let best = progress.best;
            let mut seen = seen.lock().unwrap();
            if best.violation == 0.0 && best.value.is_finite() {
                seen.0.get_or_insert(best.evaluation);
                if best.value - minimum <= 1e-4 * minimum.abs() {
                    seen.1.get_or_insert(best.evaluation);
                }
            }
            ControlFlow::Continue(())
        };
        let mut end = Evaluations(trial.record.nfev);
        let outcome = Run::new(&*problem, &mut *method, instance).rng(rng).watch(&mut note).watch(&mut end).minimize();
        let score = &Scores::of([trial]).unwrap().0[0];
        let when = |evaluation: Option<u64>| evaluation.map_or(f64::INFINITY, |n| n as f64 / dim as f64);
        let solved = seen.lock().unwrap().1;
        assert_eq!(score.reached, [when(solved)], "{} {}", trial.record.method, trial.record.problem);
        assert!(score.feasible <= when(seen.lock().unwrap().0), "{}", trial.record.problem);
        assert_eq!(outcome.is_feasible(), trial.record.fun.is_finite());
        assert!(!outcome.is_feasible() || trial.record.fun == outcome.fun);
    }
}

/// A problem that writes down every value, infinity where a constraint is broken.
struct Noted<'a>(&'a dyn problems::TestProblem, Mutex<Vec<f64>>);

impl Problem for Noted<'_> {
    fn space(&self) -> &Space {
        self.0.space()
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.0.value(x)
    }

    fn constraints(&self) -> &[Constraint] {
        self.0.constraints()
    }

    fn evaluate(&self, x: &[f64]) -> Evaluation {
        let found = self.0.evaluate(x);
        let broken = found.constraints.iter().any(|g| *g > 0.0);
        self.1.lock().unwrap().push(if broken { f64::INFINITY } else { found.value });
        found
    }
}

/// The constrained functions of BBOB have 41 precisions and minima that depend on the number of variables: against all evaluations.
#[test]
fn constrained_functions_are_judged_by_precisions_of_feasible_points() {
    let setup = Bench {
        functions: vec![1, 20, 45],
        dims: vec![2, 3],
        instances: vec![1, 2],
        budget: 40,
        ..Bench::of(Suite::BbobConstrained)
    };
    let trials = bench(&setup, &["de(particles=8)", "auto"]);
    assert_eq!(trials.len(), 2 * 3 * 2 * 2);
    let mut some = 0;
    for trial in &trials {
        let (Place { suite, function, instance }, dim) = (trial.place().unwrap(), trial.record.dim);
        let problem = suite.entry(function, instance).unwrap().build::<f64>(dim, None).unwrap();
        assert_eq!(problem.entry().to_string().trim_end_matches("/i2"), format!("bbob_constrained/f{function}"));
        let noted = Noted(&*problem, Mutex::default());
        let (entry, settings) = registry::parse(&trial.record.method).unwrap();
        let budget = Some(40 * dim as u64);
        let mut method =
            registry::build(entry, problem.space(), budget, &settings, problem.constraints(), problem.aim()).unwrap();
        let rng = Rng::new(0).fork(&format!("{}/d{dim}", trial.record.problem)).fork("start 0");
        let mut end = Evaluations(trial.record.nfev);
        Run::new(&noted, &mut *method, 0).rng(rng).watch(&mut end).minimize();
        let values = noted.1.into_inner().unwrap();
        let score = &Scores::of([trial]).unwrap().0[0];
        assert_eq!(score.reached.len(), 41);
        // A method that ended early began anew: what came before is the same.
        for (k, reached) in score.reached.iter().enumerate() {
            let minimum = problem.minimum().unwrap();
            let first = values.iter().position(|value| *value - minimum <= targets()[k]);
            let when = first.map_or(f64::INFINITY, |at| (at + 1) as f64 / dim as f64);
            assert!(*reached == when || trial.starts > 1 && *reached <= when, "{k}: {reached} and {when}");
            some += usize::from(reached.is_finite());
        }
    }
    assert!(some > 100, "{some} targets reached");
    let text = Findings::of(&trials).unwrap().text().unwrap();
    assert!(text.contains("Feasible") && text.contains("by dimension") && text.contains("Rastrigin"), "{text}");
}
