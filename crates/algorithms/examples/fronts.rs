//! Hypervolumes after 10,000 evaluations on problems of several objectives: medians over seeds, and beside them those of fronts that
//! another program has found. Prints the table of docs/objectives.md:
//!
//! ```sh
//! cargo run --release -p swarmgrad-algorithms --example fronts -- 30 peers/fronts/pymoo.jsonl
//! ```
//!
//! A line of that file is `["zdt1", seed, [[f1, f2], ..]]`. Volumes are shares of the volume of the known front (of 1 where none is
//! known), from the reference point of the problem; where a problem's front is out of reach, from the farther one that is named.

use std::collections::BTreeMap;
use swarmgrad_algorithms::front::{Archive, Told, hypervolume};
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_algorithms::registry::entry;
use swarmgrad_core::{Evaluations, Matrix, Problem, Rng, Run, Start};
use swarmgrad_problems::{TestProblem, known_front, reference_point, usual_dim};

const EVALUATIONS: usize = 10_000;

/// Problems, and a farther reference point where the front is out of reach.
const PROBLEMS: [(&str, Option<[f64; 3]>); 15] = [
    ("zdt1", None),
    ("zdt2", None),
    ("zdt3", None),
    ("zdt4", None),
    ("zdt6", None),
    ("dtlz1", Some([100.0; 3])),
    ("dtlz2", None),
    ("dtlz3", Some([500.0; 3])),
    ("dtlz4", None),
    ("dtlz5", None),
    ("dtlz6", Some([10.0; 3])),
    ("dtlz7", None),
    ("srn", None),
    ("tnk", None),
    ("osy", None),
];

type Fronts = BTreeMap<String, Vec<Vec<Vec<f64>>>>;

fn read(path: &str) -> std::io::Result<Fronts> {
    let mut fronts = Fronts::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let (name, _, front): (String, u64, Vec<Vec<f64>>) = serde_json::from_str(line)?;
        fronts.entry(name).or_default().push(front);
    }
    Ok(fronts)
}

/// The front of as many points at random.
fn random(problem: &dyn Problem, seed: u64) -> Vec<Vec<f64>> {
    let (mut archive, mut told, mut xs) = (Archive::new(100), Told::default(), Matrix::default());
    told.expect_aim(problem.aim());
    told.expect_constraints(problem.constraints());
    for round in 0..EVALUATIONS as u64 / 100 {
        Start::Uniform.fill(problem.space(), &Rng::new(seed).at(round), 100, &mut xs);
        let found: Vec<_> = xs.iter().map(|x| problem.evaluate(x)).collect();
        let parts = found.iter().flat_map(|e| e.parts.clone()).collect();
        told.take_parts(&Matrix::from_vec(found[0].parts.len(), parts).expect("rows of one length"));
        if !problem.constraints().is_empty() {
            let c = found.iter().flat_map(|e| e.constraints.clone()).collect();
            told.take_constraints(&Matrix::from_vec(problem.constraints().len(), c).expect("rows of one length"));
        }
        told.take_values(&found.iter().map(|e| e.cost()).collect::<Vec<_>>());
        archive.join(&xs, &told);
    }
    if archive.violation() > 0.0 { Vec::new() } else { archive.f().iter().map(<[f64]>::to_vec).collect() }
}

/// The feasible front that a method has found.
fn found(problem: &dyn TestProblem, method: &str, seed: u64) -> Vec<Vec<f64>> {
    let (name, settings) = method.split_once(':').unwrap_or((method, ""));
    let mut given = Settings::new();
    for (key, value) in settings.split(',').filter_map(|pair| pair.split_once('=')) {
        given.insert(key.into(), serde_json::from_str(value).expect("a number"));
    }
    let row = entry(name).expect("a method of the registry");
    let mut method = row.build(problem.space(), Some(EVALUATIONS as u64), &given).expect("settings of the method");
    Run::new(problem, &mut *method, seed).watch(&mut Evaluations(EVALUATIONS as u64)).minimize();
    let points = method.solutions().map_or(Vec::new(), |solutions| solutions.points);
    let feasible = |x: &[f64]| {
        let c = problem.evaluate(x).constraints;
        swarmgrad_core::violation(problem.constraints(), &c) == 0.0
    };
    points.into_iter().filter(|point| feasible(&point.x)).map(|point| point.parts).collect()
}

fn volume(front: &[Vec<f64>], reference: &[f64]) -> f64 {
    let mut points = Matrix::empty(reference.len());
    front.iter().for_each(|f| points.push(f));
    hypervolume(points.rows(), reference)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { 0.5 * (values[half - 1] + values[half]) }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seeds: u64 = arguments.next().map_or(Ok(30), |n| n.parse())?;
    let peer = arguments.next().filter(|path| path != "-").map(|path| read(&path)).transpose()?.unwrap_or_default();
    let mut methods: Vec<String> = arguments.collect();
    if methods.is_empty() {
        methods = ["sms_emoa", "nsga2", "mo_cbo"].map(str::to_owned).to_vec();
    }
    println!("| problem | reference point | {} | pymoo NSGA-II | random search |", methods.join(" | "));
    println!("|---|---|{}---|---|", "---|".repeat(methods.len()));
    let mut wins = vec![0; methods.len()];
    for (name, farther) in PROBLEMS {
        let row = swarmgrad_problems::entry(name)?;
        let dim = usual_dim(&row).unwrap_or(2);
        let problem = row.build::<f64>(dim, None)?;
        let near = reference_point(&row, dim).unwrap_or_default();
        let volumes = |fronts: &[Vec<Vec<f64>>]| -> Vec<f64> {
            let reference = farther.map_or(near.clone(), |far| far.to_vec());
            let whole = known_front(&row, 4_000).map_or(1.0, |front| volume(&front, &reference));
            fronts.iter().map(|front| volume(front, &reference) / whole).collect()
        };
        let all = |find: &dyn Fn(u64) -> Vec<Vec<f64>>| volumes(&(1..=seeds).map(find).collect::<Vec<_>>());
        let theirs = peer.get(name).map(|fronts| median(volumes(fronts)));
        let mut cells = Vec::new();
        for (method, wins) in methods.iter().zip(&mut wins) {
            let ours = median(all(&|seed| found(&*problem, method, seed)));
            *wins += usize::from(theirs.is_some_and(|theirs| ours >= theirs));
            cells.push(format!("{ours:.4}"));
        }
        cells.push(theirs.map_or("-".into(), |theirs| format!("{theirs:.4}")));
        cells.push(format!("{:.4}", median(all(&|seed| random(&*problem, seed)))));
        let reference = farther.map_or(near.clone(), |far| far.to_vec());
        println!("| {name} | {reference:?} | {} |", cells.join(" | "));
    }
    println!("\nat least the peer's median on {wins:?} of {} problems", PROBLEMS.len());
    Ok(())
}
