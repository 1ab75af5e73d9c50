//! Every parameter of every method at its limits, just beyond, and far beyond; alone and in pairs, on problems that hurt.

use crate::guard::guarded;
use crate::tally::Tally;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use swarmgrad::algorithms::gradient::yardstick::Exact;
use swarmgrad::algorithms::parameters::Parameter;
use swarmgrad::problems;
use swarmgrad::registry::{Entry, Settings, entries};
use swarmgrad::{Draws, Error, Evaluations, Function, Outcome, Rng, Run, Space, memory};

/// Evaluations of a run.
const BUDGET: u64 = 500;
/// Evaluations that a gradient costs.
const PRICE: f64 = 2.0;
/// What methods may take here, in MiB.
const MEMORY: usize = 256;

/// Numbers that stand in the words of a range.
fn limits(range: &str) -> Vec<f64> {
    let words = range.split(|c: char| !(c.is_ascii_digit() || "+-.e".contains(c)));
    words.filter_map(|word| word.parse::<f64>().ok()).collect()
}

/// Values of a parameter that may hurt.
fn values(parameter: &Parameter) -> Vec<Value> {
    let mut values =
        vec![Value::Null, json!(true), json!("bogus"), json!([]), json!({}), json!("nan"), json!("inf"), json!("-inf")];
    values.extend(parameter.range.split(" | ").map(|word| json!(word)));
    if parameter.range.starts_with("a method") {
        let methods = [
            "pso",
            "auto",
            "cma_es",
            "pso(particles=1)",
            "pso(",
            "multistart",
            "islands(islands=2)",
            "ensemble(methods=pso)",
        ];
        values.extend(methods.map(|method| json!(method)));
    }
    let whole = [0.0, 1.0, 2.0, 3.0, 7.0, 1048576.0, 4294967296.0, 9007199254740992.0, 18446744073709551616.0];
    let real = [0.0, -0.0, -1.0, 0.5, 1.0, 1.5, 1e308, -1e308, 1e-308, 5e-324, 1e17];
    let near = limits(&parameter.range).into_iter().flat_map(|t| [t, t.next_up(), t.next_down(), t + 1.0, t - 1.0]);
    for t in whole.into_iter().chain(real).chain(near) {
        values.push(json!(t));
        if t.fract() == 0.0 && (0.0..1.8e19).contains(&t) {
            values.push(json!(t as u64));
        }
    }
    values.push(json!(u64::MAX));
    values
}

/// A function of a point.
type Formula = fn(&[f64]) -> f64;

/// Functions that hurt, and one that does not.
const FUNCTIONS: [(&str, Formula); 8] = [
    ("rosenbrock", |x| {
        x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum::<f64>() + x[0].abs()
    }),
    ("linear", |x| x.iter().sum()),
    ("constant", |_| 1.0),
    ("steps", |x| x.iter().map(|t| t.floor().abs()).sum()),
    ("half of it not finite", |x| if x[0] > 0.0 { f64::NAN } else { x.iter().map(|t| t * t).sum() }),
    ("nowhere finite", |_| f64::INFINITY),
    ("huge", |x| 1e307 * x.iter().map(|t| t * t).sum::<f64>()),
    ("tiny", |x| 1e-310 * x.iter().map(|t| t * t).sum::<f64>()),
];

/// Boxes that hurt, and one that does not.
fn space(draw: &mut Draws<'_>) -> Space {
    let dim = [1, 2, 3, 4, 6][draw.below(5)];
    let boxes = [(-5.0, 5.0), (-5.0, 5.0), (0.0, 1e-300), (-1e300, 1e300), (1.0, 1.0_f64.next_up())];
    let (low, high) = boxes[draw.below(boxes.len())];
    Space::cube(dim, low, high).unwrap()
}

/// Whether the counts are those of the calls, and the answer is what was seen.
fn honest(outcome: &Outcome, calls: u64, space: &Space) -> Result<(), String> {
    let nfev = outcome.nfev;
    if nfev != calls {
        return Err(format!("{calls} calls, and nfev says {nfev}"));
    }
    if outcome.cost > BUDGET || nfev > outcome.cost {
        return Err(format!("nfev {nfev}, cost {} of {BUDGET}", outcome.cost));
    }
    if !outcome.x.is_empty() && !space.contains(&outcome.x) {
        return Err(format!("{:?} lies outside", outcome.x));
    }
    if !outcome.answer.is_empty() && !space.contains(&outcome.answer) {
        return Err(format!("the answer, {:?}, lies outside", outcome.answer));
    }
    Ok(())
}

/// A run with these settings: refused in words that name one of them (then false), or honest.
fn run(entry: &Entry, settings: &Settings, row: usize, rng: &Rng) -> Result<bool, String> {
    let mut draw = rng.row(row);
    let (space, (_, function)) = (space(&mut draw), FUNCTIONS[draw.below(FUNCTIONS.len())]);
    let gradients = entry.name.starts_with("diff_") && draw.below(2) == 0;
    let calls = Arc::new(AtomicU64::new(0));
    let counted = calls.clone();
    let built = entry.build::<f64>(&space, Some(BUDGET), settings);
    let mut algorithm = match built {
        Ok(algorithm) => algorithm,
        Err(Error::Memory { .. }) => return Ok(false),
        Err(why) => {
            let text = why.to_string();
            let named = settings.keys().any(|name| text.contains(name.as_str()));
            return if named { Ok(false) } else { Err(format!("refused without its name: {text}")) };
        }
    };
    if gradients {
        let problem = problems::entry("rosenbrock").unwrap().build::<f64>(4, None).unwrap();
        let Ok(mut algorithm) = entry.build(problem.space(), Some(BUDGET), settings) else { return Ok(false) };
        let mut exact = Exact::new(problem.differentiable().unwrap());
        let seen = Function::new(problem.space().clone(), |x: &[f64]| {
            counted.fetch_add(1, Relaxed);
            problem.value(x)
        });
        let outcome =
            Run::new(&seen, &mut *algorithm, 5).watch(&mut Evaluations(BUDGET)).gradients(&mut exact, PRICE).minimize();
        // A gradient comes with the value of its point, which is an evaluation more; the rest of its price is cost.
        let cost = outcome.nfev + ((PRICE - 1.0) * outcome.ngev as f64).ceil() as u64;
        if outcome.cost != cost {
            return Err(format!("{} evaluations and {} gradients: cost {}", outcome.nfev, outcome.ngev, outcome.cost));
        }
        return honest(&outcome, calls.load(Relaxed) + outcome.ngev, problem.space()).map(|()| true);
    }
    let problem = Function::new(space.clone(), move |x: &[f64]| {
        counted.fetch_add(1, Relaxed);
        function(x)
    });
    let outcome = Run::new(&problem, &mut *algorithm, 5).watch(&mut Evaluations(BUDGET)).minimize();
    honest(&outcome, calls.load(Relaxed), &space).map(|()| true)
}

/// Runs with one or two settings that hurt, `scale` times five hundred: where there are runs enough every value of every parameter alone, and
/// then pairs; else some of both.
pub fn settings(scale: u64, seed: u64) -> Tally {
    memory::allow(&format!("{MEMORY}M")).unwrap();
    let mut tally = Tally::new("settings at and beyond their limits, alone and in pairs");
    let rng = Rng::new(seed).fork("settings");
    let all: Vec<(&'static Entry, &'static str, Value)> = entries()
        .flat_map(|entry| entry.parameters().into_iter().map(move |parameter| (entry, parameter)))
        .flat_map(|(entry, parameter)| values(&parameter).into_iter().map(move |value| (entry, parameter.name, value)))
        .collect();
    let cases = 500 * scale as usize;
    for case in 0..cases {
        let rng = rng.at(case as u64);
        let mut draw = rng.row(0);
        let whole = cases > all.len();
        let (entry, name, value) = all[if whole && case < all.len() { case } else { draw.below(all.len()) }].clone();
        let mut settings = Settings::from_iter([(name.to_owned(), value)]);
        if case >= all.len() || !whole && draw.below(2) == 0 {
            let parameters = entry.parameters();
            let parameter = &parameters[draw.below(parameters.len())];
            let values = values(parameter);
            settings.insert(parameter.name.into(), values[draw.below(values.len())].clone());
        }
        let words = serde_json::to_string(&settings).unwrap();
        let name = format!("{} {words}, case {case}", entry.name);
        let outcome = guarded(&name, MEMORY, move || run(entry, &settings, 1, &rng)).and_then(|done| done);
        tally.count(if outcome == Ok(true) { "ran" } else { "refused" }, u64::from(outcome.is_ok()));
        tally.case(outcome.map(|_| ()).map_err(|why| format!("{name}: {why}")));
    }
    if cases > all.len() {
        tally.count("values alone", all.len() as u64);
    }
    tally
}

#[test]
fn settings_are_refused_or_honest() {
    settings(1, 1).hold();
}
