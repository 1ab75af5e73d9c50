//! Golden trajectories: every method replays the draws of an independent NumPy program (`golden/make.py` and its
//! neighbours, written from the equations) and must give its numbers to 1e-12. Methods made of methods have laws instead
//! (`combine.rs`).

use serde_json::Value;
use std::path::PathBuf;
use swarmgrad::algorithms::particle::{Motion, Swarm, consensus, empso};
use swarmgrad::registry::{self, Settings};
use swarmgrad::{Aim, Algorithm, Matrix, Rng, Rows, Space, Tape, Variable};

const TOLERANCE: f64 = 1e-12;

/// What a state allows: where the file has measured how far a last bit moves the trajectory, ten times that.
fn tolerance(state: &Value) -> f64 {
    state.get("rounding").map_or(TOLERANCE, |rounding| TOLERANCE.max(10.0 * number(rounding)))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn read(name: &str) -> Value {
    let path = folder().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn number(value: &Value) -> f64 {
    match value {
        Value::String(name) => name.parse().unwrap(),
        other => other.as_f64().unwrap(),
    }
}

fn vector(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// The largest gap between two lists, relative where numbers exceed 1; NaN counts as infinitely far.
fn gap(ours: &[f64], golden: &[f64]) -> f64 {
    assert_eq!(ours.len(), golden.len());
    let gaps = ours.iter().zip(golden).map(|(a, b)| if a == b { 0.0 } else { (a - b).abs() / b.abs().max(1.0) });
    gaps.fold(0.0, |worst, gap| if gap <= worst { worst } else { gap })
}

fn objective(name: &str) -> fn(&[f64]) -> f64 {
    match name {
        "sphere" => |x| x.iter().map(|t| t * t).sum(),
        "rastrigin25" => |x| x.iter().map(|t| t * t + 2.5 * (1.0 - (2.0 * std::f64::consts::PI * t).cos())).sum(),
        "rosenbrock" => |x| x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum(),
        "bowls" => |x| bowls(x)[0],
        other => panic!("no objective {other}"),
    }
}

/// Two objectives.
fn bowls(x: &[f64]) -> [f64; 2] {
    [1.0, -1.0].map(|c| x.iter().map(|t| (t - c) * (t - c)).sum())
}

/// The parameters of a file under our names.
fn settings(golden: &Value) -> Settings {
    let mut settings = Settings::new();
    let params = golden["params"].as_object().unwrap();
    for (name, value) in params {
        let ours = match name.as_str() {
            "m" => "inertia",
            "gamma" => "friction",
            "F" => "weight",
            "CR" => "crossover",
            "informants" => "informed",
            "cooling" => {
                settings.insert("cooling".into(), true.into());
                "epoch"
            }
            "kick" => {
                settings.insert("kick".into(), params["kick_tolerance"].clone());
                continue;
            }
            "kick_tolerance" => continue,
            "budget" | "bounds" => continue, // of the run and of the space
            same => same,
        };
        settings.insert(ours.into(), value.clone());
    }
    if let Some(particles) = golden.get("particles") {
        settings.insert("particles".into(), particles.clone());
    }
    settings.insert("start".into(), serde_json::json!({ "points": golden["start"] }));
    settings
}

fn tape(golden: &Value) -> Tape {
    let mut tape = Tape::default();
    // The first population of a method that samples from a distribution is drawn as well.
    let initial = Some(&golden["initial"]).filter(|state| state.get("draws").is_some());
    for step in initial.into_iter().chain(golden["steps"].as_array().unwrap()) {
        for (label, rows) in step["draws"].as_object().unwrap() {
            for (i, row) in rows.as_array().unwrap().iter().enumerate() {
                tape.set(label, step["round"].as_u64().unwrap(), i, vector(row));
            }
        }
    }
    tape
}

/// The gradient of an objective.
fn slope(name: &str, x: &[f64]) -> Vec<f64> {
    let tau = 2.0 * std::f64::consts::PI;
    let mut g: Vec<f64> = x.iter().map(|t| 2.0 * t).collect();
    match name {
        "rastrigin25" => g.iter_mut().zip(x).for_each(|(g, t)| *g += 2.5 * tau * (tau * t).sin()),
        "rosenbrock" => {
            g.fill(0.0);
            for j in 0..x.len() - 1 {
                let rise = x[j + 1] - x[j] * x[j];
                g[j] += -400.0 * x[j] * rise - 2.0 * (1.0 - x[j]);
                g[j + 1] += 200.0 * rise;
            }
        }
        _ => {}
    }
    g
}

/// One round of ask, evaluation, with gradients where they are wanted, and tell.
fn round(algorithm: &mut dyn Algorithm, rng: &Rng, name: &str, gradients: bool, xs: &mut Matrix) {
    algorithm.ask(rng, xs);
    let values: Vec<f64> = xs.iter().map(objective(name)).collect();
    if gradients && !algorithm.gradient_rows().is_empty() {
        let gradients: Vec<f64> = algorithm.gradient_rows().iter().flat_map(|&i| slope(name, xs.row(i))).collect();
        algorithm.tell_gradients(&Matrix::from_vec(xs.dim(), gradients).unwrap());
    }
    if name == "bowls" {
        algorithm.tell_parts(&Matrix::from_vec(2, xs.iter().flat_map(bowls).collect()).unwrap());
    }
    algorithm.tell(xs, &values);
}

fn compare(algorithm: &dyn Algorithm, state: &Value, at: &str) {
    let (view, tolerance) = (algorithm.view(), tolerance(state));
    let differential = state.get("trial").is_some();
    for key in ["x", "v", "y", "m", "v_prev", "archive"] {
        // The population of differential evolution is our y, its trials our x.
        let ours = match key {
            "x" if differential => "y",
            same => same,
        };
        if let Some(golden) = state.get(key) {
            let golden: Vec<f64> = golden.as_array().unwrap().iter().flat_map(vector).collect();
            let rows: Rows<'_> = view.matrix(ours).unwrap_or_else(|| panic!("{at}: no matrix {ours}"));
            let gap = gap(rows.data(), &golden);
            assert!(gap <= tolerance, "{at}: {key} is {gap:e} off");
        }
    }
    for key in ["fx", "fy", "mean", "p_sigma", "p_c", "sigma_vector", "v_vector", "d_vector"] {
        if let (Some(golden), false) = (state.get(key), differential) {
            let name = key.trim_end_matches("_vector");
            let ours = view.vector(name).unwrap_or_else(|| panic!("{at}: no vector {key}"));
            let gap = gap(ours, &vector(golden));
            assert!(gap <= tolerance, "{at}: {key} is {gap:e} off");
        }
    }
    if let Some(golden) = state.get("g").filter(|_| !differential) {
        let gap = gap(&algorithm.answer(), &vector(golden));
        assert!(gap <= tolerance, "{at}: g is {gap:e} off");
    }
    for key in ["alpha", "sigma", "run", "mu_F", "mu_CR", "f", "rectangles"] {
        if let Some(golden) = state.get(key) {
            let ours = view.number(key).unwrap_or_else(|| panic!("{at}: no number {key}"));
            let gap = gap(&[ours], &[number(golden)]);
            assert!(gap <= tolerance, "{at}: {key} is {gap:e} off");
        }
    }
}

fn replay(name: &str) {
    let golden = read(name);
    let f = golden["objective"].as_str().unwrap();
    let dim = golden["dim"].as_u64().unwrap() as usize;
    let bounds = golden.get("bounds").or(golden["params"].get("bounds")).map(vector);
    let typed = |texts: &Value| {
        let texts = texts.as_array().unwrap().iter();
        Space::of(texts.map(|text| Variable::parse(text.as_str().unwrap()).unwrap()).collect()).unwrap()
    };
    let space = match bounds {
        _ if golden.get("variables").is_some() => typed(&golden["variables"]),
        Some(bounds) => Space::cube(dim, bounds[0], bounds[1]).unwrap(),
        None => Space::unbounded(dim).unwrap(),
    };
    let space = match golden.get("outside") {
        Some(outside) => space.with_outside(serde_json::from_value(outside.clone()).unwrap()),
        None => space,
    };
    let entry = registry::entry(golden["method"].as_str().unwrap()).unwrap();
    let mut algorithm = entry.build(&space, golden["params"]["budget"].as_u64(), &settings(&golden)).unwrap();
    // The local searches use gradients too; their files are of runs without.
    let params = &golden["params"];
    let with_gradients = name.starts_with("diff_") && params["slopes"] != "population" && params["mode"] != "classical";
    assert!(!name.starts_with("diff_") || algorithm.expect_gradients() == with_gradients, "{name}");
    if f == "bowls" {
        assert!(algorithm.expect_aim(&Aim::Objectives(vec!["f1".into(), "f2".into()])), "{name}");
    }
    let mut rng = Rng::scripted(tape(&golden));
    let mut xs = Matrix::default();
    round(&mut *algorithm, &rng, f, with_gradients, &mut xs);
    compare(&*algorithm, &golden["initial"], &format!("{name}, start"));
    for (k, step) in golden["steps"].as_array().unwrap().iter().enumerate() {
        rng.set_iteration(step["round"].as_u64().unwrap());
        // The file shows the sigma with which the step was made, the method the one of the next step.
        if let Some(golden) = step.get("sigma2") {
            let gap = gap(&[algorithm.view().number("sigma2").unwrap()], &[number(golden)]);
            assert!(gap <= TOLERANCE, "{name}, step {k}: sigma2 is {gap:e} off");
        }
        while algorithm.iterations() == k as u64 {
            round(&mut *algorithm, &rng, f, with_gradients, &mut xs);
        }
        compare(&*algorithm, step, &format!("{name}, step {k}"));
    }
}

macro_rules! replays {
    ($($name:ident),* $(,)?) => { $( #[test] fn $name() { replay(stringify!($name)); } )* };
}

replays! {
    pso, pso_scalar, pso_ring, pso_von_neumann, pso_constriction,
    mpso, mpso_scalar,
    empso, empso_paper, empso_scalar, empso_printed, empso_printed_scalar, adaswarm, adaswarm_paper,
    rempso, rempso_particle, rempso_covariance, rempso_literal,
    pso_sde, pso_sde_isotropic, pso_sde_one_normal, pso_sde_memoryless, pso_sde_massless, pso_sde_smooth, pso_sde_explicit,
    pso_sde_infinite, pso_sde_partial, pso_sde_full, pso_sde_kick, pso_sde_cooling,
    cbo, cbo_isotropic, cbo_corrected, cbo_truncated, cbo_jumps, cbo_gradient, cbo_sphere, cbo_stiefel,
    polar_cbo_gaussian, polar_cbo_laplace, polar_cbo_constant, polar_cbo_inverse_quadratic, cluster_cbo, adam_cbo, adam_cbo_isotropic,
    mirror_cbo, mirror_cbo_ball, mirror_cbo_simplex, mirror_cbo_sparse, mirror_cbo_sphere, mirror_cbo_stiefel,
    cbs, cbs_optimise, consensus_hopping, spso2011, spso2011_sphere, clpso, clpso_sphere, de, de_low,
    diff_de, diff_de_few, diff_de_raw, diff_de_fit, diff_pso_fit, diff_jde, diff_shade, diff_ga, diff_pso, diff_empso, diff_cbo,
    diff_es, diff_es_many, diff_cma_es, diff_cma_es_box,
    diff_ga_soft, diff_ga_ranks, diff_de_soft, diff_es_soft, diff_lshade,
    de_pbest, de_exponential, jde, jade, jade_bounds, shade, lshade, lshade_terminal, jso, jso_bounds, ga, ga_unbounded,
    quasi_newton, quasi_newton_box, quasi_newton_central,
    nelder_mead, nelder_mead_box,
    coordinate_search, coordinate_search_free, coordinate_search_bent, trust_region, trust_region_box, direct, direct_original,
    cma_es, cma_es_stalled, cma_es_passive, cma_es_lazy, cma_es_box, cma_es_clamped, cma_es_margin, ipop_cma_es, bipop_cma_es,
    lq_cma_es, lq_cma_es_rugged, lq_cma_es_box,
    nsga2, sms_emoa, mo_cbo,
    sep_cma_es, snes, snes_margin, xnes, xnes_wide, cr_fm_nes, cr_fm_nes_far, open_es, pgpe,
}

#[test]
fn every_file_is_replayed_and_every_method_has_one() {
    let source = include_str!("golden.rs");
    let list = source.split("replays! {").nth(1).unwrap().split('}').next().unwrap();
    let replayed: Vec<&str> = list.split(',').map(str::trim).collect();
    let mut methods = std::collections::BTreeSet::new();
    for file in std::fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|e| e == "json")
            && !["consensus", "empso_reference", "elements"].contains(&name.as_str())
            && !name.starts_with("batched_")
        // tests/batched.rs
        {
            assert!(replayed.contains(&name.as_str()), "{name}.json is not replayed");
            methods.insert(read(&name)["method"].as_str().unwrap().to_owned());
        }
    }
    // The process of gp is held to NumPy's and its slopes to differences (algorithms/model/process.rs); descents of sqp are held to published minima and to conditions that suffice (combine/tests/constrained.rs, local/quadratic.rs).
    let without = [
        "random_search",
        "auto",
        "multistart",
        "polish",
        "islands",
        "constrained",
        "sqp",
        "least_squares",
        "fit",
        "gp",
    ];
    for entry in registry::entries().filter(|e| !without.contains(&e.name)) {
        assert!(methods.contains(entry.name), "{} has no golden trajectory", entry.name);
    }
}

#[test]
fn consensus_points() {
    for case in read("consensus")["cases"].as_array().unwrap() {
        let points: Vec<Vec<f64>> = case["points"].as_array().unwrap().iter().map(vector).collect();
        let matrix = Matrix::from_vec(points[0].len(), points.concat()).unwrap();
        let mut c = case.get("previous").filter(|p| p.is_array()).map_or_else(|| points[0].clone(), vector);
        consensus(&matrix, &vector(&case["values"]), number(&case["alpha"]), 0..matrix.len(), &mut c);
        let gap = gap(&c, &vector(&case["expected"]));
        assert!(gap <= TOLERANCE, "{}: {gap:e} off", case["name"]);
    }
}

/// The reference sequences of both forms: D = 1, attractors fixed at 0, r1 = r2 = 1/2.
fn walk<M: Motion<f64>>(form: &Value, head: &Value) {
    let mut params = head["params"].clone();
    params["particles"] = 1.into();
    let params: M::Params = serde_json::from_value(params).unwrap();
    let space = Space::unbounded(1).unwrap();
    let mut motion = M::new(params, &space, None).unwrap();
    let point = |t: f64| Matrix::from_vec(1, vec![t]).unwrap();
    let mut swarm = Swarm { x: point(1.0), v: point(0.0), y: point(0.0), fx: vec![1.0], fy: vec![0.0] };
    motion.begin(&mut swarm);
    let mut tape = Tape::default();
    (0..10).for_each(|k| ["r1", "r2"].iter().for_each(|label| tape.set(label, k, 0, vec![0.5])));
    let mut rng = Rng::scripted(tape);
    for (k, x) in vector(&form["x"]).into_iter().enumerate() {
        rng.set_iteration(k as u64);
        motion.advance(&mut swarm, &space, &rng);
        let gap = gap(swarm.x.data(), &[x]);
        assert!(gap <= TOLERANCE, "{} step {k}: {gap:e} off", M::NAME);
    }
}

#[test]
fn empso_reference_sequences() {
    let head = read("empso_reference");
    walk::<empso::Empso<f64>>(&head["forms"][0], &head);
    walk::<empso::EmpsoPrinted<f64>>(&head["forms"][1], &head);
    // The printed numbers themselves, so that the file cannot drift.
    assert_eq!(vector(&head["forms"][0]["x"])[..5], [0.15, -0.0625, -0.107125, -0.10850625, -0.0996078125]);
    assert!(gap(&vector(&head["forms"][1]["x"])[..5], &[0.15, -0.139, -0.14461, -0.1081314, -0.086579786]) < 1e-12);
}
