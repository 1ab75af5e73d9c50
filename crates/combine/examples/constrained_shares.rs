//! Share of runs that are feasible and within 1e-4 of the best value, on CEC 2006 and the designs:
//!
//! ```text
//! cargo run --example constrained_shares -p swarmgrad-combine -- [METHOD] [SEEDS] [DIGITS] [PROBLEM]
//! ```
//!
//! Feasible: c <= 1e-6, |c| <= 1e-4. Solved: f - best <= 1e-4 max(1, |best|), or 1e-4 |best| where |best| < 1. With DIGITS all values are
//! rounded to so many digits, and the designs alone are run.

use std::env;
use swarmgrad_combine::registry::{self, build};
use swarmgrad_core::{Constraint, Evaluation, Evaluations, Problem, Run, Space};
use swarmgrad_problems::{CONSTRAINED, TestProblem};

/// The first seed: those up to 100 were looked at while the numbers of the methods were chosen.
const FIRST: u64 = 101;
const BUDGETS: [u64; 4] = [30, 100, 300, 1000];

/// A problem whose values have been printed with few digits.
struct Rounded<'a> {
    problem: &'a dyn TestProblem,
    digits: Option<usize>,
}

fn rounded(value: f64, digits: Option<usize>) -> f64 {
    digits.map_or(value, |digits| format!("{value:.*e}", digits - 1).parse().unwrap_or(value))
}

impl Problem for Rounded<'_> {
    fn space(&self) -> &Space {
        self.problem.space()
    }

    fn value(&self, x: &[f64]) -> f64 {
        rounded(self.problem.value(x), self.digits)
    }

    fn constraints(&self) -> &[Constraint] {
        self.problem.constraints()
    }

    fn evaluate(&self, x: &[f64]) -> Evaluation {
        let exact = self.problem.evaluate(x);
        let constraints = exact.constraints.iter().map(|&c| rounded(c, self.digits)).collect();
        Evaluation { constraints, ..Evaluation::of(rounded(exact.value, self.digits)) }
    }
}

fn main() -> swarmgrad_core::Result<()> {
    let mut arguments = env::args().skip(1);
    let method = arguments.next().unwrap_or_else(|| registry::DEFAULT.into());
    let seeds: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(5);
    let digits: Option<usize> = arguments.next().and_then(|text| text.parse().ok()).filter(|&digits| digits > 0);
    let only = arguments.next().unwrap_or_default();
    let budgets: Vec<u64> = match env::var("BUDGETS") {
        Ok(text) => text.split(',').filter_map(|word| word.parse().ok()).collect(),
        Err(_) => BUDGETS.to_vec(),
    };
    let mut totals = vec![[0.0; 2]; budgets.len()];
    let mut problems = 0.0;
    print!("{:24}", "solved of all runs");
    budgets.iter().for_each(|budget| print!("{:>8}", format!("{budget} d")));
    println!("   feasible");
    // COCO's suite has instances, and a measure of its own: `swarmgrad bench --suite bbob_constrained`.
    for entry in CONSTRAINED.iter().filter(|entry| entry.instance.is_none() && entry.name.contains(&only)) {
        if digits.is_some() && !entry.name.starts_with("designs") {
            continue;
        }
        problems += 1.0;
        let problem = entry.build::<f64>(entry.dims.least(), None)?;
        let rounded = Rounded { problem: &*problem, digits };
        let best = problem.minimum().unwrap_or(f64::NAN);
        let (mut solved, mut feasible) = (vec![0.0; budgets.len()], vec![0.0; budgets.len()]);
        for (k, budget) in budgets.iter().enumerate() {
            for seed in FIRST..FIRST + seeds {
                let evaluations = budget * problem.space().dim() as u64;
                let (chosen, settings) = registry::parse(&method)?;
                let constraints = problem.constraints();
                let mut method =
                    build(chosen, problem.space(), Some(evaluations), &settings, constraints, problem.aim())?;
                let outcome = Run::new(&rounded, &mut *method, seed).watch(&mut Evaluations(evaluations)).minimize();
                // Judged by exact values, those that were rounded by their own.
                let exact = problem.evaluate(&outcome.x);
                let keeps = match digits {
                    None => {
                        exact.constraints.iter().zip(constraints).all(|(c, constraint)| constraint.violation(*c) == 0.0)
                    }
                    Some(_) => outcome.is_feasible(),
                };
                let size = if best.abs() < 1.0 { best.abs() } else { best.abs().max(1.0) };
                feasible[k] += f64::from(u8::from(keeps)) / seeds as f64;
                solved[k] += f64::from(u8::from(keeps && exact.value - best <= 1e-4 * size)) / seeds as f64;
                if env::var("EXPLAIN").is_ok() {
                    println!("  {} {:e} {:?}", seed, exact.value - best, outcome.explanation);
                }
            }
            totals[k][0] += solved[k];
            totals[k][1] += feasible[k];
        }
        print!("{:24}", entry.name);
        solved.iter().for_each(|share| print!("{share:8.2}"));
        println!("   {}", feasible.iter().map(|share| format!("{share:.2}")).collect::<Vec<_>>().join(" "));
    }
    print!("{:24}", "all");
    totals.iter().for_each(|total| print!("{:8.3}", total[0] / problems));
    println!("   {}", totals.iter().map(|total| format!("{:.2}", total[1] / problems)).collect::<Vec<_>>().join(" "));
    Ok(())
}
