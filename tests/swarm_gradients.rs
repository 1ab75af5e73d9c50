//! Laws of the gradients read off a swarm: signs, factors, identities, orders of accuracy, envelopes, and what they cost.

use proptest::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use swarmgrad::algorithms::gradient::cloud::{Consensus, ConsensusParams, LeastSquares, LeastSquaresParams};
use swarmgrad::algorithms::gradient::descend::descend;
use swarmgrad::algorithms::gradient::equivalence::{self, Equivalence, Form, Kappa, Sign, far};
use swarmgrad::algorithms::gradient::proximal::{self, Proximal};
use swarmgrad::algorithms::gradient::quality::quality;
use swarmgrad::algorithms::gradient::rule::{Adam, RmsProp, Rule, Sgd, Text};
use swarmgrad::algorithms::gradient::search::Flight;
use swarmgrad::algorithms::gradient::yardstick::{
    Differences, DifferencesParams, Directions, DirectionsParams, Exact, RandomDirections, Sides,
};
use swarmgrad::algorithms::gradient::{SOURCES, source};
use swarmgrad::algorithms::particle::{Motion, Pulls, Swarm, consensus, empso, pso};
use swarmgrad::problems::{self, TestProblem};
use swarmgrad::registry::{self, Settings};
use swarmgrad::{
    Collapse, Differentiable, Function, GradientSource, Iterations, Matrix, Problem, Reliability, Rng, Rows, Run,
    Sampled, Space, Tape,
};

fn line(f: impl Fn(f64) -> f64 + Sync, low: f64, high: f64) -> impl Problem {
    Function::new(Space::cube(1, low, high).unwrap(), move |x: &[f64]| f(x[0]))
}

fn problem(name: &str, dim: usize) -> Box<dyn TestProblem<f64>> {
    problems::entry(name).unwrap().build::<f64>(dim, None).unwrap()
}

fn gradient(source: &mut dyn GradientSource, w: &[f64], rng: &Rng) -> (Vec<f64>, Sampled) {
    let mut out = vec![f64::NAN; w.len()];
    let sampled = source.gradient(w, &mut out, rng);
    (out, sampled)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(s, t)| s * t).sum()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    0.5 * (values[(values.len() - 1) / 2] + values[values.len() / 2])
}

/// Slope of log y against log x.
fn slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let n = logs.len() as f64;
    let (mx, my) = logs.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    logs.iter().map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / logs.iter().map(|(x, _)| (x - mx).powi(2)).sum::<f64>()
}

// ------------------------------------------------------------------------------------------------ the theorems

#[test]
fn the_gradient_of_a_parabola_descends_and_the_printed_sign_does_not() {
    let square = line(|x| x * x, -5.0, 5.0);
    let make = |sign| equivalence::Params {
        sign,
        iterations: 80,
        beta: 0.2,
        c1: 1.2,
        c2: 1.2,
        ..equivalence::Params::paper()
    };
    let (down, sampled) = gradient(&mut Equivalence::new(&square, make(Sign::Descent)).unwrap(), &[1.0], &Rng::new(1));
    let (printed, _) = gradient(&mut Equivalence::new(&square, make(Sign::Paper)).unwrap(), &[1.0], &Rng::new(1));
    let kappa = 1.2 / 0.1;
    println!("f = x^2 at w = 1: {} with kappa {kappa}; as printed {}", down[0], printed[0]);
    assert!((down[0] - kappa).abs() < 1e-4 && (printed[0] + kappa).abs() < 1e-4);
    assert_eq!((sampled.value, sampled.evaluations, sampled.gradients), (1.0, 810, 0));
    assert!((1.0 - 0.01 * down[0]).powi(2) < 1.0 && (1.0 - 0.01 * printed[0]).powi(2) > 1.0);
}

#[test]
fn kappa_has_the_mean_and_spread_of_the_paper() {
    let flat = line(|_| 0.0, -1.0, 1.0);
    let paper = equivalence::Params {
        kappa: Kappa::Paper,
        iterations: 1,
        draws: Pulls::PerParticle,
        ..equivalence::Params::paper()
    };
    for (particles, spread) in [(10, 1.10), (1, 3.48)] {
        let mut source = Equivalence::new(&flat, equivalence::Params { particles, ..paper.clone() }).unwrap();
        let (mut sum, mut squares, n) = (0.0, 0.0, 100_000);
        let rng = Rng::new(4);
        for k in 0..n {
            gradient(&mut source, &[0.0], &rng.at(k));
            sum += source.kappa();
            squares += source.kappa().powi(2);
        }
        let mean = sum / n as f64;
        let deviation = (squares / n as f64 - mean * mean).sqrt();
        println!("kappa, {particles} particles, 1e5 draws: mean {mean:.4}, deviation {deviation:.4}");
        assert!((mean - 8.5).abs() < 0.05 && (deviation - spread).abs() < 0.03);
    }
    let mut expected = Equivalence::new(&flat, equivalence::Params::paper()).unwrap();
    gradient(&mut expected, &[0.0], &Rng::new(1));
    assert_eq!(expected.kappa(), 8.5);
    // The theorem's tie of eta to the inertia.
    let tied = equivalence::Params { eta: None, ..equivalence::Params::paper() };
    let mut tied = Equivalence::new(&flat, tied).unwrap();
    gradient(&mut tied, &[0.0], &Rng::new(1));
    assert!((tied.kappa() - 8.5).abs() < 1e-13);
    let vanilla =
        equivalence::Params { flight: Flight::Pso, inertia: 0.5, c1: 2.0, c2: 2.0, ..equivalence::Params::default() };
    let mut vanilla = Equivalence::new(&flat, vanilla).unwrap();
    gradient(&mut vanilla, &[0.0], &Rng::new(1));
    assert_eq!(vanilla.kappa(), 4.0);
}

/// Equation (19) with eta = omega is one move of the swarm; with phi / eta for the velocity it is one for every eta.
#[allow(clippy::needless_range_loop)] // indices as in the equations
#[test]
fn the_far_form_is_a_move_of_the_swarm() {
    let (n, d) = (7, 4);
    let space = Space::unbounded(d).unwrap();
    let (c1, c2) = (0.8, 0.9);
    let mut worst: f64 = 0.0;
    for seed in 0..50 {
        let rng = Rng::new(seed);
        let random = |label: &str| {
            let mut m = Matrix::zeros(n, d);
            rng.fork(label).fill_normal(0..n, 0..d, m.data_mut());
            m
        };
        let (x, v, y) = (random("x"), random("v"), random("y"));
        let fy: Vec<f64> = (0..n).map(|i| rng.fork("f").row(i).uniform()).collect();
        let g = swarmgrad::best_index(&fy).unwrap();
        let fresh = || Swarm { x: x.clone(), v: v.clone(), y: y.clone(), fx: vec![9.0; n], fy: fy.clone() };
        let inertia = 0.1 + 0.8 * rng.row(0).uniform();
        let draws = Pulls::PerParticle;
        let mut r = [vec![0.0; n], vec![0.0; n]];
        for (r, label) in r.iter_mut().zip(["r1", "r2"]) {
            rng.fork(label).fill_uniform(0..n, 0..1, r);
        }
        let mut vanilla = fresh();
        let params = pso::Params { particles: n, inertia, c1, c2, draws, ..pso::Params::default() };
        let mut motion = <pso::Pso as Motion<f64>>::new(params, &space, None).unwrap();
        motion.begin(&mut vanilla);
        motion.advance(&mut vanilla, &space, &rng);
        let mut momentum = fresh();
        let beta = 1.0 - inertia;
        let params = empso::Params { particles: n, beta, c1, c2, draws, ..empso::Params::default() };
        let mut motion = <empso::Empso<f64> as Motion<f64>>::new(params, &space, None).unwrap();
        motion.begin(&mut momentum); // M starts as v
        motion.advance(&mut momentum, &space, &rng);
        for i in 0..n {
            let step = |eta: f64, scale: f64| {
                let mut out = vec![0.0; d];
                let kappas = [c1 * r[0][i] / eta, c2 * r[1][i] / eta];
                far(kappas, scale, v.row(i), x.row(i), [y.row(i), y.row(g)], &mut out);
                x.row(i).iter().zip(out).map(|(w, o)| w - eta * o).collect::<Vec<f64>>()
            };
            for (theirs, eta, scale, extra) in [
                (&vanilla, inertia, 1.0, 0.0),         // eq. (19), eta = omega
                (&vanilla, 0.37, inertia / 0.37, 0.0), // the supplement's phi / eta, any eta
                (&momentum, inertia, 1.0, beta),       // EMPSO: eta = 1 - beta, plus the momentum
            ] {
                let ours = step(eta, scale);
                for j in 0..d {
                    worst = worst.max((ours[j] + extra * v.row(i)[j] - theirs.x.row(i)[j]).abs());
                }
            }
        }
    }
    println!("eq. (19) against a move of PSO, phi/eta against any PSO, 1 - beta against EMPSO: {worst:.1e}");
    assert!(worst < 1e-12);
}

/// Theorem III-B ties EMPSO to SGD with momentum, dw' = alpha dw - eta f'(w) with f'(w) = kappa (w - g), by eta = 1 - beta, kappa = (c1 r1 +
/// c2 r2) / eta and alpha = beta. With p = g the first two are identities: eta kappa (w - g) is what a move adds, whatever beta is. The third
/// is not: a move leaves beta M + (1 - beta) v of the past, which is beta v for no swarm but one with M = v (2 beta - 1) / beta.
#[test]
fn theorem_iii_b_ties_two_of_its_three() {
    let (n, d) = (6, 3);
    let space = Space::unbounded(d).unwrap();
    let (mut exact, mut printed): (f64, f64) = (0.0, 0.0);
    for seed in 0..50 {
        let rng = Rng::new(seed);
        let beta = 0.05 + 0.9 * rng.row(0).uniform();
        let (c1, c2, eta) = (0.8, 0.9, 1.0 - beta);
        let mut x = Matrix::zeros(n, d);
        rng.fork("x").fill_normal(0..n, 0..d, x.data_mut());
        let g = vec![0.25; d];
        let mut y = Matrix::zeros(n, d);
        y.iter_mut().for_each(|row| row.copy_from_slice(&g)); // all remember g: p = g
        let (v, fx) = (Matrix::zeros(n, d), vec![9.0; n]);
        let mut swarm = Swarm { x, v, y, fx, fy: vec![0.0; n] };
        let draws = Pulls::PerParticle;
        let params = empso::Params { particles: n, beta, c1, c2, draws, ..empso::Params::default() };
        let mut motion = <empso::Empso<f64> as Motion<f64>>::new(params, &space, None).unwrap();
        motion.begin(&mut swarm);
        let mut mean = Matrix::<f64>::zeros(n, d); // M, as it is before a move
        for t in 0..6 {
            let before = (swarm.x.clone(), swarm.v.clone());
            let rng = rng.at(t);
            let [mut r1, mut r2] = [vec![0.0; n], vec![0.0; n]];
            for (r, label) in [(&mut r1, "r1"), (&mut r2, "r2")] {
                rng.fork(label).fill_uniform(0..n, 0..1, r);
            }
            motion.advance(&mut swarm, &space, &rng);
            for (i, (r1, r2)) in r1.iter().zip(&r2).enumerate() {
                let kappa = (c1 * r1 + c2 * r2) / eta;
                for (j, &g) in g.iter().enumerate() {
                    let (w, v, m) = (before.0.row(i)[j], before.1.row(i)[j], mean.row(i)[j]);
                    let kept = beta * m + (1.0 - beta) * v;
                    let step = |kept: f64| w + kept - eta * kappa * (w - g);
                    exact = exact.max((swarm.x.row(i)[j] - step(kept)).abs());
                    printed = printed.max((swarm.x.row(i)[j] - step(beta * v)).abs());
                    mean.row_mut(i)[j] = kept;
                }
            }
        }
    }
    println!("theorem III-B: eta and f'' {exact:.1e}, with alpha = beta off by up to {printed:.2}");
    assert!(exact < 1e-12 && printed > 0.1);
}

/// O(t n log n), O(t n^2)? A move of n particles asks for n values and draws 2 n d numbers: t n (d + cost of f), linear in all.
#[test]
fn the_cost_of_a_swarm_is_linear_in_its_particles() {
    let (dim, moves) = (3, 5);
    for particles in [8, 16, 64, 256] {
        let calls = AtomicU64::new(0);
        let f = Function::new(Space::cube(dim, -5.0, 5.0).unwrap(), |x: &[f64]| {
            calls.fetch_add(1, Ordering::Relaxed);
            dot(x, x)
        });
        let tape = Arc::new(Mutex::new(Tape::default()));
        let params = equivalence::Params { particles, iterations: moves, ..equivalence::Params::default() };
        let mut source = Equivalence::new(&f, params).unwrap();
        gradient(&mut source, &[1.0, 2.0, 3.0], &Rng::new(1).recording(tape.clone()));
        let pulls = tape.lock().unwrap().take().into_iter();
        let drawn: usize = pulls.filter(|(stream, ..)| stream.starts_with("swarm/r")).map(|(.., r)| r.len()).sum();
        assert_eq!(calls.load(Ordering::Relaxed), (particles * (moves + 1)) as u64);
        assert_eq!(drawn, 2 * particles * dim * moves, "{particles} particles");
    }
}

#[test]
fn the_forms_are_put_together_as_printed() {
    let bowl = Function::new(Space::cube(3, -4.0, 4.0).unwrap(), |x: &[f64]| x.iter().map(|t| (t - 1.0).abs()).sum());
    let w = [3.0, -2.0, 0.5];
    for flight in [Flight::Empso, Flight::Pso] {
        let base = equivalence::Params {
            flight,
            iterations: 4,
            kappa: Kappa::Paper,
            eta: Some(0.3),
            shift: 0.25,
            ..equivalence::Params::default()
        };
        let with = |form| {
            let mut source = Equivalence::new(&bowl, equivalence::Params { form, ..base.clone() }).unwrap();
            let (out, _) = gradient(&mut source, &w, &Rng::new(5));
            (out, source)
        };
        let (near, source) = with(Form::Near);
        let (g, at_g) = source.search().attractor();
        assert!(at_g == bowl.value(g) && at_g <= bowl.value(&w));
        let pulls = source.search().pulls();
        let kappa = (pulls[0] + pulls[1]) / 0.3;
        assert!(pulls.iter().all(|p| *p > 0.0) && (source.kappa() - kappa).abs() < 1e-15);
        let (p, v) = (source.search().own_memory(), source.search().velocity());
        let (far, far_scaled, shifted) = (with(Form::Far).0, with(Form::FarScaled).0, with(Form::Shifted).0);
        for j in 0..3 {
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-13, "{a} {b}");
            close(near[j], kappa * (w[j] - g[j]));
            close(shifted[j], kappa * (w[j] + 0.25 - g[j]));
            let pulled = (pulls[0] * (w[j] - p[j]) + pulls[1] * (w[j] - g[j])) / 0.3;
            close(far[j], pulled - v[j]);
            close(far_scaled[j], pulled - base.swarm_inertia() / 0.3 * v[j]);
        }
    }
}

const TABLE_ONE: [(&str, f64, f64); 4] = [
    ("adaswarm1", 1.084_471_771_197_698_6, 95.66),
    ("adaswarm2", 2.0, 6.0),
    ("adaswarm3", 0.0, 2.0),
    ("adaswarm4", 0.651_208_398_183_123_4, 7.757),
];

#[test]
fn the_curvature_is_read_off_the_swarm() {
    for (name, at, truth) in TABLE_ONE {
        let f = problem(name, 1);
        let params = equivalence::Params { kappa: Kappa::Calibrated, iterations: 60, ..equivalence::Params::paper() };
        let mut source = Equivalence::new(&*f, params).unwrap();
        let measured = (0..200).map(|seed| {
            gradient(&mut source, &[at + 0.05], &Rng::new(seed));
            source.kappa()
        });
        let kappa = median(measured.collect());
        println!("{name}: kappa {kappa:.3}, f'' = {truth}, {:+.1} %", 100.0 * (kappa / truth - 1.0));
        assert!((kappa / truth - 1.0).abs() < 0.1);
    }
}

/// The factor `paper` takes the draws of the very move that the swarm made last.
#[test]
fn the_random_factor_uses_the_draws_of_the_last_move() {
    let f = problem("sphere", 3);
    for draws in [Pulls::PerCoordinate, Pulls::PerParticle] {
        let params = equivalence::Params { kappa: Kappa::Paper, draws, iterations: 4, ..equivalence::Params::paper() };
        let tape = Arc::new(Mutex::new(Tape::default()));
        let mut source = Equivalence::new(&*f, params).unwrap();
        gradient(&mut source, &[1.0, 2.0, 3.0], &Rng::new(1).at(2).recording(tape.clone()));
        let drawn = tape.lock().unwrap().take();
        let last = drawn.iter().map(|(_, iteration, ..)| *iteration).max().unwrap();
        assert_eq!(last, 2 * 5 + 4, "gradient k of T moves draws from iterations k (T + 1) to k (T + 1) + T");
        let mean = |label: &str| {
            let rows = drawn.iter().filter(|(stream, iteration, ..)| stream == label && *iteration == last);
            let r: Vec<f64> = rows.flat_map(|(.., values)| values.clone()).collect();
            assert_eq!(r.len(), if draws == Pulls::PerCoordinate { 30 } else { 10 });
            r.iter().sum::<f64>() / r.len() as f64
        };
        let kappa = (0.8 * mean("swarm/r1") + 0.9 * mean("swarm/r2")) / 0.1;
        assert!((source.kappa() - kappa).abs() < 1e-12, "{} {kappa}", source.kappa());
    }
}

/// |kappa (w - g) - f'(w)| for w = x* + h: first order with a factor that knows nothing of f, second with the curvature,
/// given or measured within h of g; third where f''' = 0.
#[test]
fn orders_of_accuracy() {
    let distances = [0.03, 0.015, 0.0075, 0.00375, 0.001_875];
    let at = |name: &str, at: f64, params: &dyn Fn(f64) -> equivalence::Params| {
        let f = problem(name, 1);
        let points = distances.map(|h| {
            let mut source = Equivalence::new(&*f, params(h)).unwrap();
            let errors = (0..15).map(|seed| {
                let (ours, _) = gradient(&mut source, &[at + h], &Rng::new(seed));
                let mut truth = [0.0];
                f.differentiable().unwrap().gradient(&[at + h], &mut truth);
                (ours[0] - truth[0]).abs()
            });
            (h, median(errors.collect()))
        });
        slope(&points)
    };
    let swarm = |h: f64| equivalence::Params { iterations: 80, span: Some(2.0 * h), ..equivalence::Params::default() };
    for (name, minimum, curvature) in TABLE_ONE {
        let exact = match name {
            "adaswarm4" => second_derivative(name, minimum),
            "adaswarm1" => 90.0 * minimum.powi(8) - 60.0 * minimum.powi(3),
            _ => curvature,
        };
        assert!((exact / curvature - 1.0).abs() < 1e-3);
        let expected = at(name, minimum, &|h| equivalence::Params { eta: Some(1.2 / 8.5), ..swarm(h) });
        let given = at(name, minimum, &|h| equivalence::Params { kappa: Kappa::Fixed, factor: exact, ..swarm(h) });
        let measured = at(name, minimum, &|h| equivalence::Params { kappa: Kappa::Calibrated, radius: h, ..swarm(h) });
        println!(
            "{name}: order {expected:.3} with kappa 8.5, {given:.3} with f'', {measured:.3} with measured curvature"
        );
        if ["adaswarm2", "adaswarm3"].contains(&name) {
            assert!((expected - 1.0).abs() < 0.05);
        }
        let order = if name == "adaswarm3" { 3.0 } else { 2.0 };
        assert!((given - order).abs() < 0.1, "{given}");
        if name != "adaswarm3" {
            assert!((measured - 2.0).abs() < 0.1, "{measured}");
        }
    }
}

/// By differences of the exact gradient.
fn second_derivative(name: &str, x: f64) -> f64 {
    let f = problem(name, 1);
    let slope = |x: f64| {
        let mut out = [0.0];
        f.differentiable().unwrap().gradient(&[x], &mut out);
        out[0]
    };
    (slope(x + 1e-5) - slope(x - 1e-5)) / 2e-5
}

// ------------------------------------------------------------------------------------------------ convex functions

/// A random convex function in d dimensions with a subgradient: quadratic, L1, or logistic loss of a few samples.
struct Convex {
    space: Space,
    kind: usize,
    rows: Vec<Vec<f64>>,
    targets: Vec<f64>,
}

impl Convex {
    fn new(kind: usize, dim: usize, seed: u64) -> Self {
        let rng = Rng::new(seed);
        let row = |i: usize| {
            let mut row = vec![0.0; dim];
            rng.fork("row").row(i).fill_normal(&mut row);
            row
        };
        let targets = (0..dim + 2).map(|i| rng.fork("target").row(i).normal()).collect();
        let space = Space::cube(dim, -10.0, 10.0).unwrap();
        Convex { space, kind, rows: (0..dim + 2).map(row).collect(), targets }
    }

    fn terms<'a>(&'a self, x: &'a [f64]) -> impl Iterator<Item = (f64, f64, &'a [f64])> + 'a {
        self.rows.iter().zip(&self.targets).map(move |(row, &target)| {
            let t = dot(row, x) - target;
            let (value, slope) = match self.kind {
                0 => (0.5 * t * t, t),
                1 => (t.abs(), t.signum()),
                // log(1 + e^t) without overflow
                _ => (t.max(0.0) + (-t.abs()).exp().ln_1p(), 1.0 / (1.0 + (-t).exp())),
            };
            (value, slope, &row[..])
        })
    }

    fn subgradient(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        self.terms(x).for_each(|(_, slope, row)| out.iter_mut().zip(row).for_each(|(o, r)| *o += slope * r));
        out
    }
}

impl Problem for Convex {
    fn space(&self) -> &Space {
        &self.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.terms(x).map(|(value, ..)| value).sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// <s, kappa (w - g)> >= kappa (f(w) - f(g)) >= 0 for every subgradient s, however little the swarm has converged.
    #[test]
    fn on_convex_functions_the_gradient_leads_down(
        kind in 0usize..3, dim in 1usize..5, seed in 0u64..10_000, moves in 0usize..8, particles in 1usize..8,
        kappa in prop::sample::select(vec![Kappa::Expected, Kappa::Paper, Kappa::Calibrated, Kappa::Fixed]),
        flight in prop::sample::select(vec![Flight::Empso, Flight::Pso]),
        w in prop::collection::vec(-10.0..10.0f64, 4),
    ) {
        let (f, w) = (Convex::new(kind, dim, seed), &w[..dim]);
        let params = equivalence::Params { kappa, flight, iterations: moves, particles, ..equivalence::Params::default() };
        let mut source = Equivalence::new(&f, params).unwrap();
        let (ours, sampled) = gradient(&mut source, w, &Rng::new(seed).at(3));
        prop_assert_eq!(sampled.value, f.value(w));
        let gain = source.kappa() * (f.value(w) - source.search().attractor().1);
        let product = dot(&f.subgradient(w), &ours);
        prop_assert!(gain >= 0.0 && source.kappa() > 0.0);
        prop_assert!(product >= gain - 1e-9 * (1.0 + gain.abs()), "{product} < {gain}");

        // The same for the proximal point, which gains |w - g|^2 / (2 tau) at least.
        let mut source = Proximal::new(&f, proximal::Params { iterations: Some(moves), particles, ..Default::default() }).unwrap();
        let (ours, _) = gradient(&mut source, w, &Rng::new(seed));
        let product = dot(&f.subgradient(w), &ours);
        prop_assert!(product >= 0.5 * dot(&ours, &ours) - 1e-9 * (1.0 + product.abs()));
    }

    #[test]
    fn the_proximal_gradient_of_the_modulus_is_hubers(w in -4.0..4.0f64, tau in 0.05..2.0f64, seed in 0u64..1000) {
        let kink = line(f64::abs, -50.0, 50.0);
        let mut source = Proximal::new(&kink, proximal::Params { tau, ..Default::default() }).unwrap();
        let (ours, _) = gradient(&mut source, &[w], &Rng::new(seed));
        prop_assert!((ours[0] - (w / tau).clamp(-1.0, 1.0)).abs() < 1e-3, "{} at {w}", ours[0]);
    }

    #[test]
    fn mirrored_least_squares_is_exact_on_quadratics(dim in 1usize..6, seed in 0u64..1000, extra in 0usize..10, w in prop::collection::vec(-5.0..5.0f64, 6)) {
        let (f, w) = (Convex::new(0, dim, seed), &w[..dim]);
        let params = LeastSquaresParams { sigma: 0.1, particles: Some(2 * (dim + extra)), ..Default::default() };
        let (ours, sampled) = gradient(&mut LeastSquares::new(&f, params).unwrap(), w, &Rng::new(seed));
        let truth = f.subgradient(w);
        prop_assert_eq!(sampled.evaluations as usize, 2 * (dim + extra) + 1);
        let gap = ours.iter().zip(&truth).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        // Two mirrored clouds of `dim` normals may be nearly flat: the error grows with their condition number.
        prop_assert!(gap < 1e-6 * (1.0 + dot(&truth, &truth).sqrt()), "{gap}");
    }
}

// ------------------------------------------------------------------------------------------------ envelopes

#[test]
fn proximal_gradients_are_those_of_the_moreau_envelope() {
    let kink = line(f64::abs, -50.0, 50.0);
    let mut worst: f64 = 0.0;
    for tau in [0.1, 0.5, 1.0, 2.0] {
        let mut source = Proximal::new(&kink, proximal::Params { tau, ..Default::default() }).unwrap();
        for k in -30..=30 {
            let w = f64::from(k) * 0.1;
            let (ours, sampled) = gradient(&mut source, &[w], &Rng::new(7).at((k + 30) as u64));
            worst = worst.max((ours[0] - (w / tau).clamp(-1.0, 1.0)).abs());
            assert_eq!((sampled.value, sampled.evaluations), (w.abs(), 20 * 61));
        }
    }
    println!("Huber's slope from |x|: largest error {worst:.1e}");
    assert!(worst < 1e-4);
    let logistic = line(|z| (-z).exp().ln_1p(), -50.0, 50.0);
    for (tau, expected) in [(10.0, -0.16335), (1.0, -0.40106), (0.1, -0.48781), (0.01, -0.49875), (1e-4, -0.5)] {
        let mut source = Proximal::new(&logistic, proximal::Params { tau, ..Default::default() }).unwrap();
        let errors = (0..20).map(|seed| (gradient(&mut source, &[0.0], &Rng::new(seed)).0[0] - expected).abs());
        let worst = errors.fold(0.0, f64::max);
        println!("logistic, tau = {tau}: {expected}, largest error of 20 seeds {worst:.1e}");
        assert!(worst < 1e-3);
    }
    // In several dimensions: the envelope of a quadratic is (A^-1 + tau)^-1.
    let scales = [1.0, 4.0, 0.25];
    let bowl =
        Function::new(Space::unbounded(3).unwrap(), |x: &[f64]| (0..3).map(|j| 0.5 * scales[j] * x[j] * x[j]).sum());
    let params = proximal::Params { iterations: Some(150), tau: 0.5, ..Default::default() };
    let w = [1.0, -0.5, 2.0];
    let (ours, _) = gradient(&mut Proximal::new(&bowl, params).unwrap(), &w, &Rng::new(1));
    for j in 0..3 {
        let expected = scales[j] / (1.0 + 0.5 * scales[j]) * w[j];
        assert!((ours[j] - expected).abs() < 1e-4, "{} {expected}", ours[j]);
    }
}

/// Gradient of -(1 / alpha) log E exp(-alpha f(w + sigma xi)) by quadrature over a fine grid that does not move with w, so
/// that jumps of f do not matter, and a difference in w.
fn smoothed_slope(f: &dyn Fn(f64) -> f64, w: f64, alpha: f64, sigma: f64) -> f64 {
    let envelope = |centre: f64| {
        let steps = 200_000;
        let points = (0..=steps).map(|k| w + sigma * (-9.0 + 18.0 * f64::from(k) / f64::from(steps)));
        let total: f64 = points.map(|x| (-0.5 * ((x - centre) / sigma).powi(2) - alpha * f(x)).exp()).sum();
        -total.ln() / alpha
    };
    (envelope(w + 1e-4) - envelope(w - 1e-4)) / 2e-4
}

#[test]
fn consensus_gradients_are_those_of_the_smoothed_envelope() {
    type Line = fn(f64) -> f64;
    let waves: Line = |x| x * x + 1.0 - (6.0 * x).cos();
    let parabola: Line = |x| 0.5 * x * x;
    for (name, f, w, alpha, sigma) in [
        ("|x|", f64::abs as Line, 0.3, 20.0, 0.2),
        ("x^2/2", parabola, 1.0, 5.0, 0.3),
        ("waves", waves, 0.4, 3.0, 0.4),
        ("step", f64::ceil as Line, 0.9, 2.0, 0.5),
    ] {
        let on_line = Function::new(Space::unbounded(1).unwrap(), move |x: &[f64]| f(x[0]));
        let truth = smoothed_slope(&f, w, alpha, sigma);
        for antithetic in [true, false] {
            let params = ConsensusParams { alpha: Some(alpha), sigma, particles: Some(1_000_000), antithetic };
            let (ours, sampled) = gradient(&mut Consensus::new(&on_line, params).unwrap(), &[w], &Rng::new(2));
            let error = (ours[0] / truth - 1.0).abs();
            println!("consensus of {name}: {:.5}, envelope {truth:.5}, relative error {error:.1e}", ours[0]);
            assert!(error < 0.02 && sampled.evaluations == 1_000_001);
        }
    }
    // Three dimensions in closed form: A w / (1 + alpha sigma^2 A) for x' A x / 2.
    let scales = [1.0, 3.0, 0.5];
    let bowl =
        Function::new(Space::unbounded(3).unwrap(), |x: &[f64]| (0..3).map(|j| 0.5 * scales[j] * x[j] * x[j]).sum());
    let params = ConsensusParams { alpha: Some(4.0), sigma: 0.5, particles: Some(200_000), antithetic: true };
    let w = [1.0, -0.5, 2.0];
    let (ours, _) = gradient(&mut Consensus::new(&bowl, params).unwrap(), &w, &Rng::new(3));
    for j in 0..3 {
        let expected = scales[j] * w[j] / (1.0 + scales[j]);
        assert!((ours[j] / expected - 1.0).abs() < 0.03, "{} {expected}", ours[j]);
    }
}

// ------------------------------------------------------------------------------------------------ how far they reach

/// Curvatures from 1 to 10.
fn bowl(dim: usize) -> (Vec<f64>, impl Problem) {
    let scales: Vec<f64> = (0..dim).map(|j| 1.0 + 9.0 * j as f64 / (dim.max(2) - 1) as f64).collect();
    let own = scales.clone();
    let value = move |x: &[f64]| x.iter().zip(&own).map(|(t, a)| 0.5 * a * t * t).sum();
    (scales, Function::new(Space::cube(dim, -5.0, 5.0).unwrap(), value))
}

fn point(dim: usize, seed: u64) -> Vec<f64> {
    let mut w = vec![0.0; dim];
    Rng::new(seed).fork("point").row(0).fill_uniform(&mut w);
    w.iter().map(|t| 4.0 * t - 2.0).collect()
}

fn length(v: &[f64]) -> f64 {
    dot(v, v).sqrt()
}

fn gap(a: &[f64], b: &[f64]) -> f64 {
    length(&a.iter().zip(b).map(|(s, t)| s - t).collect::<Vec<_>>())
}

/// A gradient source as a test calls it.
type Told<'a> = &'a mut dyn FnMut(&[f64], &Rng) -> (Vec<f64>, Reliability);

/// Medians over 15 points of the relative error, of the standard error that is told over it, and of the effective sample size; and how
/// many gradients warn.
fn told(dim: usize, source: Told<'_>, truth: &dyn Fn(&[f64]) -> Vec<f64>) -> (f64, f64, f64, usize) {
    let (mut errors, mut ratios, mut effective, mut warned) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for seed in 0..15 {
        let w = point(dim, seed);
        let (ours, reliability) = source(&w, &Rng::new(seed));
        let truth = truth(&w);
        let error = gap(&ours, &truth);
        errors.push(error / length(&truth));
        ratios.push(reliability.standard_error / error);
        effective.push(reliability.effective_samples);
        warned += usize::from(reliability.collapse.is_some());
    }
    (median(errors), median(ratios), median(effective), warned)
}

/// What the cloud of one variable was before it knew of dimensions: its points, its consensus, its cost, bit by bit.
#[test]
fn one_variable_is_as_it_was() {
    let waves = line(|x| x * x + 1.0 - (6.0 * x).cos(), -5.0, 5.0);
    for seed in 0..20 {
        let (w, rng) = (point(1, seed)[0], Rng::new(seed).at(seed));
        let mut cloud = Matrix::zeros(200, 1);
        for i in 0..200 {
            let sign = if i % 2 == 1 { -1.0 } else { 1.0 };
            let mut xi = [0.0];
            rng.fork("cloud").row(i / 2).fill_normal(&mut xi);
            cloud.row_mut(i)[0] = w + sign * 0.1 * xi[0];
        }
        let values: Vec<f64> = cloud.iter().map(|x| waves.value(x)).collect();
        let mut centre = [0.0];
        consensus(&cloud, &values, 10.0, 0..200, &mut centre);
        let mut source = Consensus::new(&waves, ConsensusParams::default()).unwrap();
        let (ours, sampled) = gradient(&mut source, &[w], &rng);
        assert_eq!(ours[0].to_bits(), ((w - centre[0]) * (1.0 / (10.0 * 0.1 * 0.1))).to_bits());
        assert_eq!((sampled.evaluations, source.alpha()), (201, 10.0));

        let moves = |iterations| {
            let params = proximal::Params { iterations, ..Default::default() };
            gradient(&mut Proximal::new(&waves, params).unwrap(), &[w], &rng)
        };
        assert_eq!(moves(None), moves(Some(60)));
    }
}

/// Twenty variables at the defaults: mean errors below a tenth, told as they are. Without the tilt the cloud collapses, and says so.
#[test]
fn clouds_reach_twenty_variables() {
    for dim in [2, 5, 10, 20] {
        let (scales, f) = bowl(dim);
        let mut source = Consensus::new(&f, ConsensusParams::default()).unwrap();
        let alpha = std::cell::Cell::new(f64::NAN);
        let mut ours = |w: &[f64], rng: &Rng| {
            let (ours, sampled) = gradient(&mut source, w, rng);
            alpha.set(source.alpha());
            assert_eq!(sampled.evaluations, 301.max(30 * dim as u64 + 1));
            (ours, sampled.reliability.unwrap())
        };
        let envelope = |w: &[f64]| -> Vec<f64> {
            let tau = alpha.get() * 0.01;
            w.iter().zip(&scales).map(|(t, a)| a * t / (1.0 + tau * a)).collect()
        };
        let (error, ratio, effective, warned) = told(dim, &mut ours, &envelope);
        println!(
            "consensus, {dim} variables: error {error:.3}, told / error {ratio:.2}, {effective:.0} samples, {warned} warn"
        );
        assert!(error <= 0.1 && (0.4..2.5).contains(&ratio) && effective > dim as f64 + 1.0 && warned == 0);

        // Too few points to be tilted, and alpha as it was.
        let params = ConsensusParams { particles: Some(4 * dim - 1), ..Default::default() };
        let mut source = Consensus::new(&f, params).unwrap();
        let mut ours = |w: &[f64], rng: &Rng| {
            let (ours, sampled) = gradient(&mut source, w, rng);
            (ours, sampled.reliability.unwrap())
        };
        alpha.set(10.0);
        let (error, _, effective, warned) = told(dim, &mut ours, &envelope);
        println!("untilted, {dim} variables: error {error:.3}, {effective:.1} samples, {warned} warn");
        assert!(error > 0.4 && effective < dim as f64 + 1.0 && warned >= 13);
    }
}

/// An alpha that is asked for is kept, and where the cloud cannot bear it the source says so.
#[test]
fn an_alpha_that_is_asked_for_is_kept() {
    let (_, f) = bowl(20);
    let params = ConsensusParams { alpha: Some(1000.0), ..Default::default() };
    let mut source = Consensus::new(&f, params).unwrap();
    let (_, sampled) = gradient(&mut source, &point(20, 1), &Rng::new(1));
    let reliability = sampled.reliability.unwrap();
    assert_eq!((source.alpha(), reliability.collapse), (1000.0, Some(Collapse::FewSamples)));
    let words = reliability.collapse.unwrap().to_string();
    assert!(words.contains("too few samples"), "{words}");
}

#[test]
fn proximal_swarms_reach_twenty_variables() {
    for dim in [1, 2, 5, 10, 20] {
        let (scales, f) = bowl(dim);
        let modulus = Function::new(Space::cube(dim, -5.0, 5.0).unwrap(), |x: &[f64]| x.iter().map(|t| t.abs()).sum());
        let swarm = |f: &dyn Problem, is_bowl: bool, iterations: Option<usize>| {
            let mut source = Proximal::new(f, proximal::Params { iterations, ..Default::default() }).unwrap();
            let mut ours = |w: &[f64], rng: &Rng| {
                let (ours, sampled) = gradient(&mut source, w, rng);
                assert!(iterations.is_some() || sampled.evaluations == 20 * (61 + 6 * (dim as u64 - 1)));
                (ours, sampled.reliability.unwrap())
            };
            let envelope = |w: &[f64]| -> Vec<f64> {
                let each = w.iter().zip(&scales);
                each.map(|(t, a)| if is_bowl { a * t / (1.0 + a) } else { t.clamp(-1.0, 1.0) }).collect()
            };
            told(dim, &mut ours, &envelope)
        };
        for (name, f) in [("bowl", &f as &dyn Problem), ("modulus", &modulus)] {
            let (error, ratio, _, warned) = swarm(f, name == "bowl", None);
            println!("proximal, {name}, {dim} variables: error {error:.1e}, told / error {ratio:.1e}, {warned} warn");
            assert!(error <= 0.1 && ratio > 0.4 && warned == 0, "{name} {dim}");
            // Ten moves find nothing in many variables, and the swarm is not at one.
            let (error, ratio, _, warned) = swarm(f, name == "bowl", Some(10));
            println!("   10 moves: error {error:.2}, told / error {ratio:.2}, {warned} warn");
            assert!(dim < 10 || error > 0.3 && ratio > 0.4 && warned >= 13, "{name} {dim}");
        }
    }
}

/// Errors that are told against errors that are made, on a plane with noise, and on a bowl.
#[test]
fn yardsticks_tell_their_errors() {
    let dim = 10;
    let slope: Vec<f64> = (0..dim).map(|j| 1.0 + j as f64).collect();
    let own = slope.clone();
    // A hash of the point between -1 and 1.
    let noise = |x: &[f64]| {
        let bits = x.iter().fold(0u64, |h, t| (h ^ t.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
        (bits >> 11) as f64 * (-52f64).exp2() - 1.0
    };
    let space = Space::cube(dim, -5.0, 5.0).unwrap();
    let noisy = Function::new(space.clone(), move |x: &[f64]| dot(x, &own) + 0.1 * noise(x));
    let truth = |_: &[f64]| slope.clone();
    let run = |name: &str, settings: serde_json::Value| {
        let mut source = gradient_source(name, &noisy, settings);
        let mut ours = |w: &[f64], rng: &Rng| {
            let (ours, sampled) = gradient(&mut *source, w, rng);
            (ours, sampled.reliability.unwrap())
        };
        let found = told(dim, &mut ours, &truth);
        println!("{name}: error {:.3}, told / error {:.2}, {:.1} samples, {} warn", found.0, found.1, found.2, found.3);
        found
    };
    let (error, ratio, effective, warned) = run("least_squares", serde_json::json!({ "sigma": 0.5, "particles": 100 }));
    assert!(error < 0.1 && (0.6..1.6).contains(&ratio) && (50.0..100.0).contains(&effective) && warned == 0);
    let (.., warned) = run("least_squares", serde_json::json!({ "sigma": 0.5, "particles": 10 }));
    assert_eq!(warned, 15, "five pairs show five of ten directions");
    for name in ["spsa", "evolution_strategies"] {
        let (error, ratio, effective, warned) = run(name, serde_json::json!({ "pairs": 400, "step": 0.5 }));
        assert!(error < 0.3 && (0.6..1.6).contains(&ratio) && effective == 400.0 && warned == 0);
        let (error, ratio, _, warned) = run(name, serde_json::json!({ "pairs": 1, "step": 0.5 }));
        assert!(error > 1.0 && ratio > 0.2 && warned == 15);
    }
    let (error, _, effective, warned) = run("differences", serde_json::json!({ "step": 0.5 }));
    assert!(error < 0.1 && effective == 10.0 && warned == 0);

    // In one variable a pair says all.
    let cubic = line(|x| x * x * x, -5.0, 5.0);
    let (_, sampled) = gradient(&mut *gradient_source("spsa", &cubic, serde_json::json!({})), &[1.0], &Rng::new(1));
    let reliability = sampled.reliability.unwrap();
    assert_eq!((reliability.standard_error, reliability.collapse), (0.0, None));
    // Rounding: a step of 1e-14 sees nothing of a slope of 1 on top of 1000.
    let high = line(|x| 1000.0 + x, -5.0, 5.0);
    let tiny = |step: f64| {
        let (ours, sampled) = gradient(
            &mut *gradient_source("differences", &high, serde_json::json!({ "step": step })),
            &[1.0],
            &Rng::new(1),
        );
        (ours[0], sampled.reliability.unwrap())
    };
    assert!(tiny(1e-6).1.collapse.is_none() && tiny(1e-13).1.collapse == Some(Collapse::Noise));
    // Half of the coordinates fail.
    let half = Function::new(space, |x: &[f64]| if x[0] == 1.0 { x.iter().sum() } else { f64::NAN });
    let (_, sampled) =
        gradient(&mut *gradient_source("differences", &half, serde_json::json!({})), &[1.0; 10], &Rng::new(1));
    let reliability = sampled.reliability.unwrap();
    assert_eq!((reliability.effective_samples, reliability.collapse), (9.0, Some(Collapse::FewSamples)));
    // A formula has nothing to tell.
    let sphere = problem("sphere", 3);
    let (_, exact) = gradient(&mut Exact::new(sphere.differentiable().unwrap()), &[1.0; 3], &Rng::new(1));
    assert!(exact.reliability.is_none());
}

// ------------------------------------------------------------------------------------------------ yardsticks

#[test]
fn differences_have_their_orders_and_random_directions_their_mean() {
    let f = line(|x| x.sin() + x.exp(), -50.0, 50.0);
    let truth = 0.7f64.cos() + 0.7f64.exp();
    for (sides, order) in [(Sides::Forward, 1.0), (Sides::Central, 2.0)] {
        let error = |step: f64| {
            let mut source = Differences::new(&f, DifferencesParams { sides, step: Some(step) }).unwrap();
            (step, (gradient(&mut source, &[0.7], &Rng::new(1)).0[0] - truth).abs())
        };
        let measured = slope(&[1e-1, 3e-2, 1e-2, 3e-3].map(error));
        println!("{sides:?} differences: order {measured:.3}");
        assert!((measured - order).abs() < 0.05);
    }
    // At a bound the points stay inside and the slope is still right.
    let root = line(|x| if x < 0.0 { f64::NAN } else { 3.0 * x }, 0.0, 1.0);
    for sides in [Sides::Forward, Sides::Central] {
        for w in [0.0, 1.0] {
            let mut source = Differences::new(&root, DifferencesParams { sides, step: None }).unwrap();
            assert!((gradient(&mut source, &[w], &Rng::new(1)).0[0] - 3.0).abs() < 1e-6);
        }
    }
    let cubic = problem("rosenbrock", 4);
    let w = [0.5, -0.3, 1.2, 0.1];
    let (truth, sampled) = gradient(&mut Exact::new(cubic.differentiable().unwrap()), &w, &Rng::new(1));
    assert_eq!((sampled.evaluations, sampled.gradients, sampled.value), (1, 1, cubic.value(&w)));
    for directions in [Directions::Normal, Directions::Signs] {
        let params = DirectionsParams { directions, step: 1e-3, pairs: 40_000 };
        let (ours, sampled) = gradient(&mut RandomDirections::new(&*cubic, params).unwrap(), &w, &Rng::new(9));
        let cosine = dot(&ours, &truth) / (dot(&ours, &ours) * dot(&truth, &truth)).sqrt();
        let length = (dot(&ours, &ours) / dot(&truth, &truth)).sqrt();
        println!("{directions:?} directions, 40,000 pairs: cosine {cosine:.5}, length {length:.4}");
        assert!(cosine > 0.999 && (length - 1.0).abs() < 0.03 && sampled.evaluations == 80_001);
    }
}

#[test]
fn every_source_counts_honestly_stays_inside_and_repeats_itself() {
    for entry in SOURCES {
        let calls = AtomicU64::new(0);
        let space = Space::new(vec![-1.0, 0.0, f64::NEG_INFINITY], vec![1.0, 2.0, f64::INFINITY]).unwrap();
        let inside = space.clone();
        let f = Function::new(space, |x: &[f64]| {
            assert!(inside.contains(x), "{x:?}");
            calls.fetch_add(1, Ordering::Relaxed);
            x[0].abs() + x[1] * x[1] + (x[2] - 1.0).abs()
        });
        let mut settings = Settings::new();
        if entry.parameters().iter().any(|p| p.name == "particles") {
            settings.insert("particles".into(), 14.into());
        }
        let mut source = entry.build(&f, &settings).unwrap();
        let w = [1.0, 0.01, 3.0]; // at a bound, near a bound, free
        let (first, sampled) = gradient(&mut *source, &w, &Rng::new(3).at(5));
        assert_eq!(sampled.evaluations, calls.load(Ordering::Relaxed), "{}", entry.name);
        assert_eq!((sampled.value, sampled.gradients), (1.0 + 0.0001 + 2.0, 0), "{}", entry.name);
        let (again, _) = gradient(&mut *source, &w, &Rng::new(3).at(5));
        let (other, _) = gradient(&mut *source, &w, &Rng::new(3).at(6));
        assert!(first == again && (first != other || entry.name == "differences"), "{}", entry.name);
        assert!(first[2] > 0.0 || entry.name == "spsa" || entry.name == "evolution_strategies", "{}", entry.name);

        // A function that never succeeds gives no direction, and no panic.
        let hopeless = Function::new(Space::cube(2, -1.0, 1.0).unwrap(), |_: &[f64]| f64::NAN);
        let (none, sampled) =
            gradient(&mut *entry.build(&hopeless, &Settings::new()).unwrap(), &[0.1, 0.2], &Rng::new(1));
        assert!(none.iter().all(|t| t.is_finite()), "{}: {none:?}", entry.name);
        let reliability = sampled.reliability.unwrap();
        assert_eq!(reliability.collapse, Some(Collapse::NoValue), "{}: {reliability:?}", entry.name);
    }
}

#[test]
fn bad_parameters_of_sources_are_named_with_value_and_rule() {
    let f = line(|x| x, -1.0, 1.0);
    for entry in SOURCES {
        let refused = |key: &str, value: serde_json::Value| {
            let settings = Settings::from_iter([(key.to_owned(), value)]);
            entry.build(&f, &settings).map(drop).expect_err("must be refused").to_string()
        };
        for p in entry.parameters() {
            assert!(!p.about.is_empty() && refused(p.name, serde_json::json!({ "no": "sense" })).contains(p.name));
            let same = Settings::from_iter([(p.name.to_owned(), p.default.clone())]);
            assert!(entry.build(&f, &same).is_ok(), "{} {}", entry.name, p.name);
        }
        assert!(refused("partikles", 3.into()).contains("unknown parameter"));
    }
    let refused = |name: &str, key: &str, value: serde_json::Value| {
        let settings = Settings::from_iter([(key.to_owned(), value)]);
        source(name).unwrap().build(&f, &settings).map(drop).unwrap_err().to_string()
    };
    assert_eq!(refused("proximal", "tau", 0.into()), "tau = 0: must be > 0");
    assert_eq!(refused("consensus", "sigma", (-1).into()), "sigma = -1: must be > 0");
    assert_eq!(refused("equivalence", "particles", 0.into()), "particles = 0: must be a whole number >= 1");
    assert!(source("proxmal").map(drop).unwrap_err().to_string().contains("did you mean 'proximal'?"));
    let still = equivalence::Params { flight: Flight::Pso, inertia: 0.0, ..Default::default() };
    assert!(Equivalence::new(&f, still).map(drop).unwrap_err().to_string().starts_with("inertia = 0: "));
    let mut exact = Differences::new(&f, DifferencesParams::default()).unwrap();
    let mut refused = |rule: &mut dyn Rule, start: &[f64]| {
        descend(&f, &mut exact, rule, start, 3, &Rng::new(1)).unwrap_err().to_string()
    };
    let mut adam = Adam::new(0.1);
    adam.beta2 = 1.0;
    assert_eq!(refused(&mut adam, &[0.0]), "beta2 = 1: must be in [0, 1)");
    assert_eq!(refused(&mut RmsProp::new(f64::NAN), &[0.0]), "learning rate = NaN: must be above 0 and finite");
    assert!(refused(&mut Sgd::new(0.1), &[0.0, 1.0]).contains("start"));
}

/// An ellipsoid of condition 1000.
struct Ellipsoid(Space);

impl Ellipsoid {
    fn scale(&self, j: usize) -> f64 {
        1000f64.powf(j as f64 / (self.0.dim() - 1) as f64)
    }
}

impl Problem for Ellipsoid {
    fn space(&self) -> &Space {
        &self.0
    }

    fn value(&self, x: &[f64]) -> f64 {
        x.iter().enumerate().map(|(j, t)| 0.5 * self.scale(j) * t * t).sum()
    }
}

impl Differentiable for Ellipsoid {
    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(x).enumerate().for_each(|(j, (o, t))| *o = self.scale(j) * t);
    }
}

/// Ten dimensions: kappa (w - g) finds only half of the direction, least squares all of it.
#[test]
fn the_quality_report_tells_directions_apart() {
    let rosenbrock = problem("rosenbrock", 10);
    let ellipsoid = Ellipsoid(Space::cube(10, -5.0, 5.0).unwrap());
    let problems: [(&str, &dyn Differentiable); 2] =
        [("rosenbrock", rosenbrock.differentiable().unwrap()), ("ellipsoid", &ellipsoid)];
    let mut points = Matrix::<f64>::zeros(20, 10);
    Rng::new(3).fill_uniform(0..20, 0..10, points.data_mut());
    points.data_mut().iter_mut().for_each(|t| *t = 4.0 * *t - 2.0);
    for (name, f) in problems {
        let report = |source: &str, json: serde_json::Value| {
            let mut built = gradient_source(source, f, json);
            let report = quality(source, &mut *built, f, points.rows(), &Rng::new(1)).unwrap();
            println!("{name}, {report}");
            report
        };
        let near = report("equivalence", serde_json::json!({ "iterations": 100 }));
        let fitted = report("least_squares", serde_json::json!({}));
        let central = report("differences", serde_json::json!({}));
        let cloud = report("consensus", serde_json::json!({ "alpha": 1e-3, "sigma": 0.05 }));
        let proximal = report("proximal", serde_json::json!({ "tau": 1e-4, "iterations": 150 }));
        let evolution = report("evolution_strategies", serde_json::json!({ "pairs": 100 }));
        let spsa = report("spsa", serde_json::json!({ "pairs": 100 }));
        assert!(fitted.cosine > 0.999 && central.cosine > 0.999_999 && central.relative_error < 1e-6);
        assert!(cloud.cosine > 0.9 && evolution.cosine > 0.9 && spsa.cosine > 0.9);
        assert!(near.cosine < 0.9 && near.cosine < proximal.cosine && proximal.cosine > 0.99);
        assert!(name == "rosenbrock" || near.descending == 1.0);
        assert_eq!((central.evaluations, fitted.evaluations, near.evaluations), (21.0, 21.0, 1010.0));
        assert!(serde_json::to_string(&near).unwrap().contains("\"worst_cosine\""));
    }
    let flat = problem("sphere", 2);
    let mut source = Differences::new(&*flat, DifferencesParams::default()).unwrap();
    let at_minimum =
        quality("differences", &mut source, flat.differentiable().unwrap(), Rows::new(2, &[0.0, 0.0]), &Rng::new(1));
    assert!(at_minimum.unwrap_err().to_string().contains("points = 1"));
}

fn gradient_source<'a>(name: &str, f: &'a dyn Problem, json: serde_json::Value) -> Box<dyn GradientSource + 'a> {
    source(name).unwrap().build(f, json.as_object().unwrap()).unwrap()
}

// ------------------------------------------------------------------------------------------------ descending

#[test]
fn update_rules_follow_their_equations() {
    let gradients = [[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]];
    let walk = |rule: &mut dyn Rule| {
        let mut w = [1.0, 1.0];
        gradients.iter().for_each(|g| rule.step(&mut w, g));
        w
    };
    let close =
        |a: [f64; 2], b: [f64; 2]| assert!((a[0] - b[0]).abs() < 1e-15 && (a[1] - b[1]).abs() < 1e-15, "{a:?} {b:?}");
    close(walk(&mut Sgd::new(0.1)), [0.95, 0.875]);
    // V: -.1, -.1, .05 and .2, -.2, -.125
    close(walk(&mut Sgd::with_momentum(0.1, 0.5)), [1.0 - 0.1 - 0.1 + 0.05, 1.0 + 0.2 - 0.2 - 0.125]);
    // V: .5, .5, -.25 and -1, 1, .625
    close(walk(&mut Sgd::averaged(0.1, 0.5)), [1.0 - 0.05 - 0.05 + 0.025, 1.0 + 0.1 - 0.1 - 0.0625]);
    let adam = |text| Adam::new(0.1).with_text(text);
    for (text, corrected) in [(Text::Corrected, true), (Text::Uncorrected, false)] {
        let mut expected = [1.0, 1.0];
        for (j, w) in expected.iter_mut().enumerate() {
            let (mut m, mut v) = (0.0, 0.0);
            for (t, g) in gradients.iter().enumerate() {
                m = 0.9 * m + 0.1 * g[j];
                v = 0.999 * v + 0.001 * g[j] * g[j];
                let (a, b) = if corrected {
                    (1.0 - 0.9f64.powi(t as i32 + 1), 1.0 - 0.999f64.powi(t as i32 + 1))
                } else {
                    (1.0, 1.0)
                };
                *w -= 0.1 * (m / a) / ((v / b).sqrt() + 1e-8);
            }
        }
        let ours = walk(&mut adam(text));
        assert!((ours[0] - expected[0]).abs() < 1e-14 && (ours[1] - expected[1]).abs() < 1e-14, "{text:?}");
    }
    assert_eq!(walk(&mut adam(Text::MissingPlus)).map(f64::to_bits), [1.0f64, 1.0].map(f64::to_bits));
    let mut single = Adam::new(0.1);
    let mut w = [1.0f32];
    single.step(&mut w, &[-3.0]);
    assert!((w[0] - 1.1).abs() < 1e-6);
}

/// After a gradient has vanished the averages end in exact zeros, not in subnormal numbers, and the point stands still.
#[test]
fn averages_of_a_vanished_gradient_end_in_zero() {
    let (mut adam, mut w) = (Adam::new(0.1), [1.0f32, 1.0]);
    for gradient in [1.0, 1e-20].into_iter().chain(std::iter::repeat_n(0.0, 1500)) {
        adam.step(&mut w, &[gradient, 1e-25]);
        let (mean, square) = adam.moments();
        assert!(mean.iter().chain(square).all(|m| *m == 0.0 || m.is_normal()), "{mean:?} {square:?}");
    }
    assert!(adam.moments().0[0] == 0.0 && w[1] == 1.0, "{:?} {w:?}", adam.moments());
}

#[test]
fn walks_descend_stay_inside_and_count() {
    let calls = AtomicU64::new(0);
    let space = Space::cube(2, -1.0, 4.0).unwrap();
    let inside = space.clone();
    let f = Function::new(space, |x: &[f64]| {
        assert!(inside.contains(x));
        calls.fetch_add(1, Ordering::Relaxed);
        (x[0] + 2.0).abs() + (x[1] - 1.0).powi(2)
    });
    let mut rules: Vec<Box<dyn Rule>> =
        vec![Box::new(Sgd::new(0.05)), Box::new(Sgd::with_momentum(0.02, 0.9)), Box::new(Adam::new(0.05))];
    for rule in &mut rules {
        for entry in SOURCES {
            calls.store(0, Ordering::Relaxed);
            let mut source = entry.build(&f, &Settings::new()).unwrap();
            let walk = descend(&f, &mut *source, &mut **rule, &[3.0, 3.0], 200, &Rng::new(2)).unwrap();
            assert_eq!(walk.evaluations, calls.load(Ordering::Relaxed));
            assert_eq!((walk.points.len(), walk.values.len(), walk.gradients), (201, 201, 0));
            assert!(walk.best().1 <= walk.last().1 && walk.best().1 < 1.2, "{}: {}", entry.name, walk.best().1);
        }
    }
    let g = problem("sphere", 3);
    let mut rule = Sgd::new(0.25);
    let mut exact = Exact::new(g.differentiable().unwrap());
    let walk = descend(&*g, &mut exact, &mut rule, &[1.0, 2.0, -4.0], 3, &Rng::new(1)).unwrap();
    assert_eq!(walk.last().0, [0.125, 0.25, -0.5]);
    assert_eq!((walk.evaluations, walk.gradients), (4, 3));
}

/// The printed sign climbs: every source that is followed upwards ends worse than it began.
#[test]
fn the_printed_sign_climbs() {
    let f = line(|x| x * x, -100.0, 100.0);
    for sign in [Sign::Descent, Sign::Paper] {
        let params = equivalence::Params { sign, span: Some(2.0), ..Default::default() };
        let mut source = Equivalence::new(&f, params).unwrap();
        let mut adam = Adam::new(0.1);
        let walk = descend(&f, &mut source, &mut adam, &[1.0], 100, &Rng::new(1)).unwrap();
        assert!(if sign == Sign::Descent { walk.last().1 < 0.2 } else { walk.last().1 > 10.0 }, "{}", walk.last().1);
    }
}

/// Adam, learning rate 0.1, one move of ten particles a step, 500 steps: the eight functions of tables I to III.
#[test]
fn adaswarm_finds_the_minima_of_the_papers_functions() {
    for k in 1..=8 {
        let name = format!("adaswarm{k}");
        let f = problem(&name, 1);
        let minimum = f.minimum().unwrap();
        let (mut best, mut walker, mut gaps) = (0, 0, Vec::new());
        for seed in 0..40 {
            let settings = Settings::from_iter([("preset".to_owned(), "paper".into())]);
            let mut algorithm = registry::entry("adaswarm").unwrap().build(f.space(), None, &settings).unwrap();
            let outcome = Run::new(&*f, &mut *algorithm, seed).watch(&mut Iterations(500)).minimize();
            assert_eq!(outcome.nfev, 10 * 501);
            let w = algorithm.view().vector("fx").unwrap()[0]; // particle 0 is w
            best += i32::from(outcome.fun - minimum < 1e-3);
            walker += i32::from(w - minimum < 1e-3);
            gaps.push(w - minimum);
        }
        let percent = |count: i32| f64::from(count) / 0.4;
        println!(
            "{name}: g {:.1} %, w {:.1} % of 40 seeds, median gap of w {:.1e}",
            percent(best),
            percent(walker),
            median(gaps)
        );
        assert!(percent(best) >= 97.0);
    }
}
