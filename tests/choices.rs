//! Every choice of every parameter of every method, a few rounds each: no panic, points inside, in a box of two numbers too, and a saved state that loads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use swarmgrad::algorithms::gradient::yardstick::Exact;
use swarmgrad::problems::{self, TestProblem};
use swarmgrad::registry::{Entry, Settings, entries};
use swarmgrad::{Evaluations, Function, Iterations, Run, Space};

/// Values of a parameter worth trying, from the words that state its range; none for what the range only describes.
fn values(range: &str) -> Vec<serde_json::Value> {
    use serde_json::json;
    if let "a finite number" | "null, or a schedule: a file of `learn` or its JSON" = range {
        return vec![json!(0), json!(-1.5)];
    }
    if range.starts_with("a method, ") {
        return ["pso:particles=5", "cma_es", "quasi_newton", "auto"].map(|method| json!(method)).to_vec();
    }
    if range == "true | false" {
        return vec![json!(true), json!(false)];
    }
    let (whole, limits) = range.strip_prefix("a whole number ").map_or((false, range), |limits| (true, limits));
    let number = |t: f64| if whole { json!(t as u64) } else { json!(t) };
    let read = |text: &str| text.parse::<f64>().unwrap_or_else(|_| panic!("a limit in '{range}'"));
    if let Some(low) = limits.strip_prefix(">= ") {
        let (low, infinite) = low.strip_suffix(", inf allowed").map_or((low, false), |low| (low, true));
        let low = read(low);
        let more = if whole { 1.0 } else { 0.5 };
        let end = infinite.then(|| json!("inf"));
        let end = end.or(whole.then(|| json!(u64::MAX)));
        return [number(low), number(low + more), number(low + 4.0 * more)].into_iter().chain(end).collect();
    }
    if let Some(low) = limits.strip_prefix("> ") {
        let low = read(low);
        return vec![json!(low + 1e-9), json!(low + 0.5), json!(low + 3.0)];
    }
    if let Some((low, high)) = limits.strip_prefix("from ").and_then(|ends| ends.split_once(" to ")) {
        let (high, below) = high.strip_prefix("below ").map_or((high, 0.0), |high| (high, 1e-9));
        let (low, high) = (read(low), read(high));
        return vec![number(low), number((low + high) / 2.0), number(high - below)];
    }
    assert!(limits.contains(" | "), "a range that nobody tries: '{range}'");
    limits.split(" | ").map(|word| json!(word)).collect()
}

/// A few rounds on a problem in four variables, the state saved and loaded halfway; true if the method takes the settings.
fn works(entry: &Entry, problem: &dyn TestProblem, settings: &Settings, gradients: bool) -> bool {
    let Ok(mut algorithm) = entry.build(problem.space(), Some(2_000), settings) else { return false };
    let mut exact = Exact::new(problem.differentiable().unwrap());
    let (mut halfway, mut end) = (Iterations(3), Iterations(5));
    let mut run = Run::new(problem, &mut *algorithm, 5).watch(&mut halfway);
    if gradients {
        run = run.gradients(&mut exact, 2.0);
    }
    let mut rounds = 0;
    while rounds < 6 && run.step().is_continue() {
        rounds += 1;
    }
    let checkpoint = run.checkpoint(entry.name, "").unwrap();
    drop(run);
    let mut loaded = entry.load(&checkpoint.algorithm).unwrap_or_else(|why| panic!("its state does not load: {why}"));
    let mut run = Run::new(problem, &mut *loaded, 5).watch(&mut end).resume(checkpoint);
    if gradients {
        run = run.gradients(&mut exact, 2.0);
    }
    let outcome = run.minimize();
    // A mode that needs gradients and is offered none says so and ends.
    if !gradients && outcome.nfev == 0 {
        assert!(outcome.reason.to_string().contains("needs gradients"), "nothing evaluated: {}", outcome.reason);
        return false;
    }
    assert!(problem.space().contains(&outcome.x), "{:?}", outcome.x);
    true
}

/// In a box of two numbers a side, where every rounding leads outside, no point that is evaluated lies outside, nor the answer.
fn stays_inside(entry: &Entry, settings: &Settings) {
    let space = Space::cube(4, 1.0, 1.0_f64.next_up()).unwrap();
    let Ok(mut algorithm) = entry.build(&space, Some(60), settings) else { return };
    let outside = Mutex::new(Vec::new());
    let sum = Function::new(space.clone(), |x: &[f64]| {
        if !space.contains(x) {
            outside.lock().unwrap().extend_from_slice(x);
        }
        x.iter().sum::<f64>()
    });
    let outcome = Run::new(&sum, &mut *algorithm, 5).watch(&mut Evaluations(60)).minimize();
    let outside = outside.into_inner().unwrap();
    assert!(outside.is_empty(), "evaluated outside: {outside:?}");
    assert!(outcome.answer.is_empty() || space.contains(&outcome.answer), "an answer outside: {:?}", outcome.answer);
}

#[test]
fn every_choice_of_every_parameter_works_or_is_refused() {
    let problem = problems::entry("rosenbrock").unwrap().build::<f64>(4, None).unwrap();
    let (mut runs, mut failing) = (0, Vec::new());
    std::panic::set_hook(Box::new(|_| {})); // the panics are reported below, all of them
    for entry in entries() {
        let parameters = entry.parameters();
        let tried: Vec<(&str, bool, Vec<serde_json::Value>)> = parameters
            .iter()
            .map(|p| {
                let mut values = values(&p.range);
                if p.default.is_null() {
                    values.push(serde_json::Value::Null);
                }
                (p.name, p.range.contains(" | "), values)
            })
            .collect();
        // Alone, and each word or flag with everything else.
        let mut all = Vec::new();
        for (k, (name, words, values)) in tried.iter().enumerate() {
            for value in values {
                all.push(Settings::from_iter([((*name).to_owned(), value.clone())]));
                let rest =
                    tried.iter().enumerate().filter(|(l, (_, others, _))| *l != k && *words && (!others || *l > k));
                for (_, (other, _, more)) in rest {
                    for further in more {
                        let pair = [(*name, value), (*other, further)];
                        all.push(Settings::from_iter(pair.map(|(name, value)| (name.to_owned(), value.clone()))));
                    }
                }
            }
        }
        let offers: &[bool] = if entry.name.starts_with("diff_") { &[false, true] } else { &[false] };
        for mut settings in all {
            // Small, unless it is the size that is tried.
            if parameters.iter().any(|p| p.name == "particles") {
                settings.entry("particles").or_insert_with(|| 12.into());
            }
            for &gradients in offers {
                let tried = catch_unwind(AssertUnwindSafe(|| {
                    if !gradients {
                        stays_inside(entry, &settings);
                    }
                    works(entry, &*problem, &settings, gradients)
                }));
                match tried {
                    Ok(taken) => runs += usize::from(taken),
                    Err(why) => {
                        let words = why.downcast_ref::<String>().cloned();
                        let words = words.or_else(|| why.downcast_ref::<&str>().map(|words| (*words).to_owned()));
                        let why = words.unwrap_or_else(|| "a panic without words".into());
                        failing.push(format!("{} {settings:?}, gradients: {gradients}: {why}", entry.name));
                    }
                }
            }
        }
    }
    let _ = std::panic::take_hook();
    assert!(failing.is_empty(), "{} settings panic:\n{}", failing.len(), failing.join("\n"));
    assert!(runs > 4_000, "only {runs} runs");
}
