//! A damaged state is refused or works: it never panics, and never asks for memory that its own size does not speak for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use swarmgrad_algorithms::method::Entry;
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_algorithms::registry::ENTRIES;
use swarmgrad_core::{Function, Iterations, Matrix, Problem, Rng, Run, Space};

/// Methods whose states are not yet held together when they are read back: those that restart, and the local searches.
const UNCHECKED: [&str; 6] =
    ["ipop_cma_es", "bipop_cma_es", "quasi_newton", "coordinate_search", "nelder_mead", "trust_region"];

fn bowl() -> Function<f64, impl Fn(&[f64]) -> f64 + Sync> {
    Function::new(Space::cube(4, -5.0, 5.0).unwrap(), |x: &[f64]| x.iter().map(|t| (t - 1.0) * (t - 1.0)).sum())
}

/// Three rounds of a state, if it loads.
fn drive(entry: &Entry, bytes: &[u8]) -> bool {
    let Ok(mut method) = entry.load::<f64>(bytes) else { return false };
    let (problem, mut xs) = (bowl(), Matrix::default());
    for round in 0..3 {
        method.ask(&Rng::new(4).at(round), &mut xs);
        if xs.is_empty() {
            break;
        }
        assert!(xs.len() <= 10 * bytes.len(), "{} points from {} bytes", xs.len(), bytes.len());
        let values: Vec<f64> = xs.iter().map(|x| problem.value(x)).collect();
        method.tell(&mut xs, &values);
        method.answer();
        method.view();
    }
    true
}

#[test]
fn a_damaged_state_is_refused_or_works() {
    let mut failing = Vec::new();
    std::panic::set_hook(Box::new(|_| {})); // the panics are reported below, all of them
    for entry in ENTRIES.iter().filter(|entry| !UNCHECKED.contains(&entry.name)) {
        let problem = bowl();
        let mut method = entry.build::<f64>(problem.space(), Some(2_000), &Settings::new()).unwrap();
        Run::new(&problem, &mut *method, 2).watch(&mut Iterations(4)).minimize();
        let mut state = Vec::new();
        method.save(&mut state).unwrap();
        assert!(drive(entry, &state), "{}: its own state is refused", entry.name);
        let rng = Rng::new(9).fork(entry.name);
        let mut refused = 0;
        for k in 0..400 {
            let mut draws = rng.row(k);
            let mut bytes = state.clone();
            // Most of a state is numbers; its sizes stand at its beginning and its end.
            let near = draws.below(3);
            let place = draws.below(if near == 0 { bytes.len() } else { bytes.len().min(60) });
            let place = if near == 2 { bytes.len() - 1 - place } else { place };
            match draws.below(4) {
                0 => bytes.truncate(place),
                1 => bytes[place] = draws.below(256) as u8,
                _ => bytes[place] ^= 1 << draws.below(8),
            }
            match catch_unwind(AssertUnwindSafe(|| drive(entry, &bytes))) {
                Ok(works) => refused += usize::from(!works),
                Err(why) => {
                    let text = why.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    failing.push(format!("{} number {k}, byte {place}: {}", entry.name, text.unwrap_or_default()));
                }
            }
        }
        assert!(refused >= 50, "{}: only {refused} of 400 are refused", entry.name);
    }
    let _ = std::panic::take_hook();
    assert!(failing.is_empty(), "{} states panic:\n{}", failing.len(), failing.join("\n"));
}
