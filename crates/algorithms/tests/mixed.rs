//! Methods on spaces with whole variables, choices and flags.

use swarmgrad_algorithms::registry::entry;
use swarmgrad_core::{Evaluations, Function, Outcome, Reason, Run, Space, Variable};

fn run(texts: &[&str], f: fn(&[f64]) -> f64, method: &str, seed: u64, evaluations: u64) -> Outcome {
    let space: Space = Space::of(texts.iter().map(|text| Variable::parse(text).unwrap()).collect()).unwrap();
    let problem = Function::new(space.clone(), f);
    let mut algorithm = entry(method).unwrap().build(&space, Some(evaluations), &Default::default()).unwrap();
    Run::new(&problem, &mut *algorithm, seed).watch(&mut Evaluations(evaluations)).minimize()
}

/// Steep in the reals, so that a distribution shrinks long before the others have been looked at.
fn steep(x: &[f64]) -> f64 {
    let reals: f64 = x[..3].iter().enumerate().map(|(j, t)| 10f64.powi(2 * j as i32 + 2) * (t - 1.3) * (t - 1.3)).sum();
    let wholes: f64 = [3.0, -7.0, 2.0].iter().zip(&x[3..6]).map(|(wanted, n)| (n - wanted) * (n - wanted)).sum();
    reals + wholes + [0.4, 0.1, 0.0, 0.3][x[6] as usize] + if x[7] == 1.0 { 0.0 } else { 0.2 }
}

const STEEP: [&str; 8] =
    ["a=-3:3", "b=-3:3", "c=-3:3", "l=int:-9:9", "m=int:-9:9", "n=int:-9:9", "w=choice:p,q,r,s", "f=flag"];

#[test]
fn no_whole_variable_choice_or_flag_freezes() {
    // Without the margin they solve 1, 0, 2, 11 and 1.
    for (method, least) in [("cma_es", 18), ("sep_cma_es", 18), ("ipop_cma_es", 18), ("snes", 18), ("cr_fm_nes", 14)] {
        let solved = (0..20).filter(|&seed| run(&STEEP, steep, method, seed, 8_000).fun < 1e-6).count();
        assert!(solved >= least, "{method} solves {solved} of 20");
    }
}

/// Rosenbrock's valley through two real and a whole variable; its other end lies elsewhere and .5 higher where the flag is not
/// set, and the choice says how far everything is moved along the first variable.
fn valley(x: &[f64]) -> f64 {
    let (flag, word) = (x[3] == 1.0, x[4] as usize);
    let a = x[0] - [0.0, 0.7, -1.3][word] - if flag { 0.0 } else { 1.5 };
    let (b, n) = (x[1], x[2]);
    let steep = (1.0 - a).powi(2) + 100.0 * (b - a * a).powi(2) + (n - 3.0 * b).powi(2);
    steep + if flag { 0.0 } else { 0.5 } + [0.2, 0.0, 0.3][word]
}

#[test]
fn local_searches_leave_the_basin_of_a_wrong_flag() {
    let texts = ["a=-3:3", "b=-3:3", "n=int:-2:7", "f=flag", "c=choice:x,y,z"];
    // The rest end at n = 0, in the wrong half of the valley.
    for (method, least) in [("quasi_newton", 12), ("trust_region", 12), ("nelder_mead", 18)] {
        let outcomes: Vec<Outcome> = (0..20).map(|seed| run(&texts, valley, method, seed, 20_000)).collect();
        let solved = outcomes.iter().filter(|outcome| outcome.fun < 1e-6).count();
        assert!(solved >= least, "{method} solves {solved} of 20");
        let ended =
            |outcome: &Outcome| matches!(&outcome.reason, Reason::Method(why) if why.contains("whole variable"));
        assert!(outcomes.iter().all(ended) && outcomes.iter().all(|outcome| outcome.nfev < 4_000), "{method}");
    }
}

#[test]
fn local_searches_solve_what_has_one_basin() {
    for method in ["quasi_newton", "trust_region", "nelder_mead", "coordinate_search"] {
        for seed in 0..5 {
            let outcome = run(&STEEP, steep, method, seed, 20_000);
            assert!(outcome.fun < 1e-6, "{method}: {} at {:?}", outcome.fun, outcome.x);
        }
    }
    // Without a continuous variable there is nothing to descend along.
    let grid = |x: &[f64]| (x[0] - 612.0).abs() + (x[1] + 40.0).abs() + if x[2] == 1.0 { 0.0 } else { 3.0 };
    let outcome = run(&["a=int:0:1000", "b=int:-500:500:4", "f=flag"], grid, "quasi_newton", 1, 2_000);
    assert!(outcome.fun == 0.0 && outcome.nfev < 150, "{} after {}", outcome.fun, outcome.nfev);
}
