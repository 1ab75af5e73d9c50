//! What every method must do, as laws that a method of your own can be put through. The library's own are, in its tests.
//!
//! ```
//! use swarmgrad::registry::{self, Settings};
//! use swarmgrad::testing::violations;
//!
//! assert!(violations(registry::entry("de")?, &Settings::new()).is_empty());
//! # Ok::<(), swarmgrad::Error>(())
//! ```

use crate::registry::{Entry, Settings};
use crate::{
    Algorithm, Checkpoint, Evaluations, Function, Iterations, Outcome, Outside, Problem, Reason, Run, Space, Workers,
};
use serde_json::json;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// A law that a method has broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The method.
    pub method: &'static str,
    /// The law.
    pub law: &'static str,
    /// What was seen.
    pub seen: String,
}

type Law = fn(&Entry, &Settings) -> Result<(), String>;

/// The laws in words.
const LAWS: &[(&str, Law)] = &[
    ("the same seed gives the same run", seeds),
    ("results do not depend on the number of threads", threads),
    ("evaluations are counted exactly and a budget is never exceeded", counts),
    ("an objective that never succeeds ends with a result", hopeless),
    ("points stay inside the space", inside),
    ("extreme values and boxes without width are survived", extremes),
    ("a given point is evaluated first", start),
    ("saved and loaded it goes on as if nothing had happened", saved),
];

/// The laws that the method breaks with these settings; a panic breaks one too.
pub fn violations(entry: &Entry, settings: &Settings) -> Vec<Violation> {
    let broken = |(law, check): &(&'static str, Law)| {
        let seen = catch_unwind(AssertUnwindSafe(|| check(entry, settings)));
        let seen = seen.unwrap_or_else(|_| Err("it panicked".into())).err()?;
        Some(Violation { method: entry.name, law, seen })
    };
    LAWS.iter().filter_map(broken).collect()
}

fn build(entry: &Entry, space: &Space, budget: u64, settings: &Settings) -> Result<Box<dyn Algorithm>, String> {
    entry.build(space, Some(budget), settings).map_err(|why| why.to_string())
}

fn run(entry: &Entry, problem: &dyn Problem, settings: &Settings, seed: u64, budget: u64) -> Result<Outcome, String> {
    let mut method = build(entry, problem.space(), budget, settings)?;
    Ok(Run::new(problem, &mut *method, seed).watch(&mut Evaluations(budget)).minimize())
}

fn hold(holds: bool, seen: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(seen()) }
}

/// Whether a run used its whole budget, or the method ended before by itself.
fn is_spent(outcome: &Outcome, budget: u64) -> bool {
    outcome.nfev == budget && outcome.reason == Reason::Evaluations
        || outcome.nfev <= budget && matches!(outcome.reason, Reason::Method(_))
}

fn bits(x: &[f64]) -> Vec<u64> {
    x.iter().map(|t| t.to_bits()).collect()
}

/// A bowl about 1.
fn sphere(dim: usize) -> Result<impl Problem, String> {
    let space = Space::cube(dim, -100.0, 100.0).map_err(|why| why.to_string())?;
    Ok(Function::new(space, |x: &[f64]| x.iter().map(|t| (t - 1.0) * (t - 1.0)).sum::<f64>()))
}

/// A valley: no method ends in it within a few dozen rounds.
fn valley(dim: usize) -> Result<impl Problem, String> {
    let space = Space::cube(dim, -100.0, 100.0).map_err(|why| why.to_string())?;
    let value = |x: &[f64]| x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum();
    Ok(Function::new(space, move |x: &[f64]| -> f64 { value(x) }))
}

fn seeds(entry: &Entry, settings: &Settings) -> Result<(), String> {
    let problem = sphere(5)?;
    let of = |seed| run(entry, &problem, settings, seed, 2_000);
    let (a, b, c) = (of(1)?, of(1)?, of(2)?);
    hold(bits(&a.x) == bits(&b.x) && bits(&a.answer) == bits(&b.answer), || {
        format!("{:?} and {:?} with seed 1", a.x, b.x)
    })?;
    // Two local searches may well find the very minimum.
    hold(bits(&a.x) != bits(&c.x) || a.fun < 1e-25, || format!("seeds 1 and 2 both give {:?}", a.x))
}

fn threads(entry: &Entry, settings: &Settings) -> Result<(), String> {
    let problem = sphere(20)?;
    let mut found = Vec::new();
    for threads in [1, 2, 8] {
        let workers = Workers::new(threads).map_err(|why| why.to_string())?;
        let mut method = build(entry, problem.space(), 100_000, settings)?;
        let outcome = Run::new(&problem, &mut *method, 3).watch(&mut Iterations(12)).workers(&workers).minimize();
        let mut state = Vec::new();
        method.save(&mut state).map_err(|why| why.to_string())?;
        found.push((bits(&outcome.x), bits(&outcome.answer), outcome.nfev, state));
    }
    hold(found[0] == found[1] && found[0] == found[2], || "1, 2 and 8 threads differ".into())
}

fn counts(entry: &Entry, settings: &Settings) -> Result<(), String> {
    let calls = AtomicU64::new(0);
    let space = Space::cube(3, -5.0, 5.0).map_err(|why| why.to_string())?;
    let counted = Function::new(space, |x: &[f64]| {
        calls.fetch_add(1, Ordering::Relaxed);
        x.iter().map(|t| t * t).sum::<f64>()
    });
    // Also where it ends within a batch or before the first one is complete.
    for budget in [1, 7, 523] {
        calls.store(0, Ordering::Relaxed);
        let outcome = run(entry, &counted, settings, 1, budget)?;
        let made = calls.load(Ordering::Relaxed);
        hold(outcome.nfev == made && is_spent(&outcome, budget), || {
            format!("budget {budget}: {made} calls, {} counted, {}", outcome.nfev, outcome.reason)
        })?;
    }
    Ok(())
}

fn hopeless(entry: &Entry, settings: &Settings) -> Result<(), String> {
    let space = Space::cube(2, 0.0, 1.0).map_err(|why| why.to_string())?;
    let problem = Function::new(space.clone(), |_: &[f64]| f64::NAN);
    let outcome = run(entry, &problem, settings, 1, 500)?;
    hold(is_spent(&outcome, 500) && outcome.failures == outcome.nfev && !outcome.success(), || {
        format!("{} failures of {}, {}", outcome.failures, outcome.nfev, outcome.reason)
    })?;
    hold(space.contains(&outcome.x) && space.contains(&outcome.answer), || {
        format!("{:?} and {:?} are the result", outcome.x, outcome.answer)
    })
}

fn inside(entry: &Entry, settings: &Settings) -> Result<(), String> {
    for (name, outside) in Outside::ALL {
        let (lower, upper) = (vec![-1.0, 3.0, f64::NEG_INFINITY, 0.0], vec![1.0, 3.0, f64::INFINITY, f64::INFINITY]);
        let space = Space::new(lower, upper).map_err(|why| why.to_string())?.with_outside(outside);
        let strayed = AtomicU64::new(0);
        let problem = Function::new(space.clone(), |x: &[f64]| {
            strayed.fetch_add(u64::from(!space.contains(x)), Ordering::Relaxed);
            -x[0] + x[1] + (x[2] - 2.0).powi(2) + x[3]
        });
        run(entry, &problem, settings, 9, 1_000)?;
        let strayed = strayed.load(Ordering::Relaxed);
        hold(strayed == 0, || format!("{strayed} points outside with {name}"))?;
    }
    Ok(())
}

fn extremes(entry: &Entry, settings: &Settings) -> Result<(), String> {
    type Shape = (&'static str, fn(&[f64]) -> f64);
    let shapes: [Shape; 5] = [
        ("a constant", |_| 7.0),
        ("huge values", |x| 1e300 * x.iter().map(|t| t * t).sum::<f64>()),
        ("a slope down to -1e300", |x| -1e300 * x[0]),
        ("tiny values", |x| 1e-300 * x.iter().map(|t| t * t).sum::<f64>()),
        ("a cliff of 2e308", |x| if x[0] > 0.5 { 1e308 } else { -1e308 }),
    ];
    let spaces = [
        Space::new(vec![1.0, -3.0], vec![1.0, -3.0]),
        Space::cube(2, -1e300, 1e300),
        Space::cube(3, -1e-300, 1e-300),
        Space::unbounded(1),
    ];
    for space in spaces {
        let space = space.map_err(|why| why.to_string())?;
        for (name, f) in shapes {
            let outcome = run(entry, &Function::new(space.clone(), f), settings, 2, 600)?;
            let fine = is_spent(&outcome, 600) && space.contains(&outcome.x);
            hold(fine && outcome.answer.iter().all(|t| t.is_finite()), || {
                let (x, answer, nfev) = (&outcome.x, &outcome.answer, outcome.nfev);
                format!("{name} in {space:?}: x = {x:?}, answer {answer:?} after {nfev} evaluations")
            })?;
        }
    }
    Ok(())
}

fn start(entry: &Entry, settings: &Settings) -> Result<(), String> {
    let mut given = settings.clone();
    given.insert("start".into(), json!({ "points": [[1.0, 1.0]] }));
    let outcome = run(entry, &sphere(2)?, &given, 1, 1)?;
    hold(outcome.x == [1.0, 1.0] && outcome.fun == 0.0, || format!("(1, 1) was given, the first was {:?}", outcome.x))
}

fn saved(entry: &Entry, settings: &Settings) -> Result<(), String> {
    let problem = valley(6)?;
    let text = |why: crate::Error| why.to_string();
    let go = |method: &mut dyn Algorithm, from: Option<Checkpoint>| {
        let mut limit = Iterations(40);
        let run = Run::new(&problem, method, 11).watch(&mut limit);
        match from {
            Some(checkpoint) => run.resume(checkpoint).minimize(),
            None => run.minimize(),
        }
    };
    let mut whole = build(entry, problem.space(), 10_000, settings)?;
    let expected = go(&mut *whole, None);
    let mut first = build(entry, problem.space(), 10_000, settings)?;
    let mut run = Run::new(&problem, &mut *first, 11);
    for _ in 0..18 {
        hold(run.step().is_continue(), || "it ended within 18 rounds of a valley".into())?;
    }
    let checkpoint = run.checkpoint(entry.name, "").map_err(text)?;
    let mut second = entry.load(&checkpoint.algorithm).map_err(text)?;
    let outcome = go(&mut *second, Some(checkpoint));
    let same = bits(&outcome.x) == bits(&expected.x) && bits(&outcome.answer) == bits(&expected.answer);
    hold(same && (outcome.nfev, outcome.nit) == (expected.nfev, expected.nit), || {
        format!("{:?} instead of {:?}", outcome.x, expected.x)
    })?;
    let [mut a, mut b] = [Vec::new(), Vec::new()];
    whole.save(&mut a).and_then(|()| second.save(&mut b)).map_err(text)?;
    hold(a == b, || "the states differ".into())?;
    hold(entry.load::<f64>(&a[..a.len() / 2]).is_err(), || "half a state was loaded".into())
}
