//! The 24 functions: what to say about each, and its chain.

use super::core::{Core, LUNACEK, Peaks};
use super::function::{Finish, Function, Move};
use super::instance::*;
use super::transform::Columns;
use crate::entry::{Dims, Entry};
use swarmgrad_core::math;

/// A row of the table of problems.
macro_rules! row {
    ($name:literal, $title:literal, $formula:literal, $about:literal) => {
        Entry {
            name: $name,
            title: $title,
            formula: $formula,
            source: "Hansen, Finck, Ros, Auger (2009), Real-parameter black-box optimization benchmarking: noiseless functions definitions; COCO",
            about: $about,
            dims: Dims::Any { min: 2 },
            domain: &[(-5.0, 5.0)],
            everywhere: true,
            differentiable: false,
            instance: Some(1),
        }
    };
}

/// The rows of f1 to f24, instance 1. Q and R are rotations, y = x - x_opt, D^a has the entries a^(i / (2 (d - 1))) for
/// i = 0 .. d - 1 on its diagonal, T_osz and T_asy are the suite's irregular and asymmetric distortions, P is the penalty sum
/// max(0, |x_i| - 5)^2.
pub(crate) const ROWS: [Entry; 24] = [
    row!("bbob/f1", "BBOB sphere", "|y|^2 + f_opt", "separable: the easiest function there is"),
    row!(
        "bbob/f2",
        "BBOB separable ellipsoid",
        "sum 10^(6 (i - 1) / (d - 1)) z_i^2 + f_opt, z = T_osz(y)",
        "separable and ill-conditioned (10^6)"
    ),
    row!(
        "bbob/f3",
        "BBOB Rastrigin",
        "10 (d - sum cos(2 pi z_i)) + |z|^2 + f_opt, z = D^10 T_asy^0.2(T_osz(y))",
        "separable, with 10^d local minima"
    ),
    row!(
        "bbob/f4",
        "BBOB Büche-Rastrigin",
        "10 (d - sum cos(2 pi z_i)) + |z|^2 + 100 P + f_opt, z_i = s_i T_osz(y)_i, s skewed by 10 where positive and odd",
        "separable, a skewed Rastrigin that misleads symmetric searches"
    ),
    row!(
        "bbob/f5",
        "BBOB linear slope",
        "sum 5 |s_i| - s_i z_i + f_opt, s_i = sign(x_opt_i) 10^((i - 1) / (d - 1))",
        "a plane: the minimum lies in a corner of the box"
    ),
    row!(
        "bbob/f6",
        "BBOB attractive sector",
        "T_osz(sum (s_i z_i)^2)^0.9 + f_opt, z = Q D^10 R y, s_i = 100 where z_i x_opt_i > 0",
        "highly asymmetric: only one orthant leads down"
    ),
    row!(
        "bbob/f7",
        "BBOB step ellipsoid",
        "0.1 max(|z'_1| / 10^4, sum 10^(2 (i - 1) / (d - 1)) z_i^2) + P + f_opt, z = Q round(z'), z' = D^10 R y",
        "plateaus of many sizes: gradients are zero almost everywhere"
    ),
    row!(
        "bbob/f8",
        "BBOB Rosenbrock",
        "sum 100 (z_i^2 - z_(i+1))^2 + (z_i - 1)^2 + f_opt, z = max(1, sqrt(d) / 8) y + 1",
        "a bent valley in the coordinates' directions"
    ),
    row!(
        "bbob/f9",
        "BBOB rotated Rosenbrock",
        "sum 100 (z_i^2 - z_(i+1))^2 + (z_i - 1)^2 + f_opt, z = max(1, sqrt(d) / 8) R x + 1/2",
        "a bent valley in any direction"
    ),
    row!(
        "bbob/f10",
        "BBOB ellipsoid",
        "sum 10^(6 (i - 1) / (d - 1)) z_i^2 + f_opt, z = T_osz(R y)",
        "rotated and ill-conditioned (10^6)"
    ),
    row!(
        "bbob/f11",
        "BBOB discus",
        "10^6 z_1^2 + sum_(i > 1) z_i^2 + f_opt, z = T_osz(R y)",
        "one direction a thousand times as sensitive as all others"
    ),
    row!(
        "bbob/f12",
        "BBOB bent cigar",
        "z_1^2 + 10^6 sum_(i > 1) z_i^2 + f_opt, z = R T_asy^0.5(R y)",
        "a narrow bent ridge to be followed"
    ),
    row!(
        "bbob/f13",
        "BBOB sharp ridge",
        "z_1^2 + 100 sqrt(sum_(i > 1) z_i^2) + f_opt, z = Q D^10 R y",
        "a ridge on which the function has a crease"
    ),
    row!(
        "bbob/f14",
        "BBOB sum of different powers",
        "sqrt(sum |z_i|^(2 + 4 (i - 1) / (d - 1))) + f_opt, z = R y",
        "the scales of the variables drift apart near the minimum"
    ),
    row!(
        "bbob/f15",
        "BBOB rotated Rastrigin",
        "10 (d - sum cos(2 pi z_i)) + |z|^2 + f_opt, z = R D^10 Q T_asy^0.2(T_osz(R y))",
        "10^d local minima, not separable"
    ),
    row!(
        "bbob/f16",
        "BBOB Weierstrass",
        "10 (1/d sum_i sum_(k < 12) cos(2 pi 3^k (z_i + 1/2)) / 2^k - f_0)^3 + 10/d P + f_opt, z = R D^0.01 Q T_osz(R y)",
        "rugged and repetitive, many minima of the same value"
    ),
    row!(
        "bbob/f17",
        "BBOB Schaffer F7",
        "(1/(d - 1) sum sqrt(s_i) (1 + sin(50 s_i^0.2)^2))^2 + 10 P + f_opt, s_i = |(z_i, z_(i+1))|, z = D^10 Q T_asy^0.5(R y)",
        "waves whose amplitude and frequency vary"
    ),
    row!(
        "bbob/f18",
        "BBOB Schaffer F7, ill-conditioned",
        "(1/(d - 1) sum sqrt(s_i) (1 + sin(50 s_i^0.2)^2))^2 + 10 P + f_opt, s_i = |(z_i, z_(i+1))|, z = D^1000 Q T_asy^0.5(R y)",
        "waves whose amplitude and frequency vary, condition 1000"
    ),
    row!(
        "bbob/f19",
        "BBOB Griewank-Rosenbrock",
        "10 + 10/(d - 1) sum t_i / 4000 - cos(t_i) + f_opt, t_i = 100 (z_i^2 - z_(i+1))^2 + (z_i - 1)^2, z = max(1, sqrt(d) / 8) R x + 1/2",
        "Rosenbrock's valley under fine ripples"
    ),
    row!(
        "bbob/f20",
        "BBOB Schwefel",
        "4.189828872724339 - 1/(100 d) sum z_i sin(sqrt|z_i|) + sum max(0, |z_i| - 500)^2 / 100 + f_opt, z = 100 (D^10 (z' - 2 |x_opt|) + 2 |x_opt|), z'_i = 2 s_i x_i + (2 s_(i-1) x_(i-1) - 2 |x_opt_(i-1)|) / 4, s = sign(x_opt)",
        "2^d wells far apart, the deepest near a corner"
    ),
    row!(
        "bbob/f21",
        "BBOB Gallagher, 101 peaks",
        "T_osz(10 - max_i w_i exp(-(y_i^T R^T C_i R y_i) / (2 d)))^2 + P + f_opt, y_i = x - p_i",
        "101 hills at random places, none says where the highest is"
    ),
    row!(
        "bbob/f22",
        "BBOB Gallagher, 21 peaks",
        "T_osz(10 - max_(i <= 21) w_i exp(-(y_i^T R^T C_i R y_i) / (2 d)))^2 + P + f_opt, y_i = x - p_i",
        "21 narrower hills at random places"
    ),
    row!(
        "bbob/f23",
        "BBOB Katsuura",
        "10/d^2 prod (1 + i sum_(j <= 32) |2^j z_i - round(2^j z_i)| / 2^j)^(10 / d^1.2) - 10/d^2 + P + f_opt, z = Q D^100 R y",
        "rugged everywhere and at every scale"
    ),
    row!(
        "bbob/f24",
        "BBOB Lunacek bi-Rastrigin",
        "min(sum (z'_i - 2.5)^2, d + s sum (z'_i - mu)^2) + 10 (d - sum cos(2 pi z_i)) + 10^4 P + f_opt, z' = 2 sign(x_opt) x, z = Q D^100 R (z' - 2.5)",
        "two funnels under Rastrigin's waves, the larger one is the wrong one"
    ),
];

/// The function `number` (1 to 24) in `dim` (at least 2) variables.
pub(super) fn function(number: usize, instance: u64, dim: usize) -> Function {
    let seed = seed(number, instance);
    let second = || rotation(dim, seed);
    let first = || rotation(dim, seed + SECOND);
    let linear = |square: &Square| Move::Linear(Columns::of(square), 0.0);
    let stretch = |beta: f64| Move::Asymmetric((0..dim).map(|i| beta * i as f64 / (dim as f64 - 1.0)).collect());
    // D^a; the roots are taken first, as in the suite's own program.
    let diagonal = |a: f64| powers(a.sqrt(), dim);
    let both = |a: f64| first().through(&diagonal(a), &second());
    let rosenbrock = (dim as f64).sqrt() / 8.0;
    let rosenbrock = rosenbrock.max(1.0);
    let weights = |ends: [f64; 2]| (0..dim).map(|i| ends[usize::from(i > 0)]).collect::<Vec<_>>();
    let ellipsoid = |condition: f64| Core::Quadratic(powers(condition, dim));

    let mut optimum = match number {
        12 => super::instance::optimum(dim, seed + SECOND),
        _ => super::instance::optimum(dim, seed),
    };
    let mut penalty = 0.0;
    let mut finish = Finish::Nothing;
    let shift = |optimum: &[f64]| Move::Shift(optimum.to_vec());
    let (moves, core) = match number {
        1 => (vec![shift(&optimum)], Core::Quadratic(vec![1.0; dim])),
        2 => (vec![shift(&optimum), Move::Oscillate], ellipsoid(1e6)),
        3 => {
            let scale = Move::Scale((0..dim).map(|i| math::powf(10.0, 0.5 * i as f64 / (dim as f64 - 1.0))).collect());
            (vec![shift(&optimum), Move::Oscillate, stretch(0.2), scale], Core::Rastrigin)
        }
        4 => {
            penalty = 100.0;
            optimum.iter_mut().step_by(2).for_each(|t| *t = t.abs());
            (vec![shift(&optimum), Move::Oscillate, Move::Skew(diagonal(10.0))], Core::Rastrigin)
        }
        5 => {
            optimum.iter_mut().for_each(|t| *t = if *t < 0.0 { -5.0 } else { 5.0 });
            let slopes = optimum.iter().zip(diagonal(100.0)).map(|(corner, s)| s * corner.signum()).collect();
            (vec![], Core::Slope { corner: optimum.clone(), slopes })
        }
        6 => {
            finish = Finish::OscillateAndFlatten;
            (vec![shift(&optimum), linear(&both(10.0))], Core::Sector(optimum.clone()))
        }
        7 => {
            penalty = 1.0;
            let core = Core::Steps { rotation: Columns::of(&first()), weights: powers(100.0, dim) };
            let weights: Vec<_> = (0..dim).map(|i| math::powf(10.0, place(i, dim)).sqrt()).collect();
            (vec![shift(&optimum), linear(&second().scaled(&weights))], core)
        }
        8 => {
            optimum.iter_mut().for_each(|t| *t *= 0.75);
            let moves = vec![shift(&optimum), Move::Scale(vec![rosenbrock; dim]), Move::Shift(vec![-1.0; dim])];
            (moves, Core::Rosenbrock)
        }
        9 | 19 => {
            let rotation = second();
            optimum =
                (0..dim).map(|j| (0..dim).map(|i| rotation.row(i)[j]).sum::<f64>() / (2.0 * rosenbrock)).collect();
            let scaled = Columns::of(&rotation.scaled(&vec![rosenbrock; dim]));
            // The suite's program adds the half before the sum in f9 and behind it in f19.
            if number == 9 {
                (vec![Move::Linear(scaled, 0.5)], Core::Rosenbrock)
            } else {
                (vec![Move::Linear(scaled, 0.0), Move::Shift(vec![-0.5; dim])], Core::GriewankRosenbrock)
            }
        }
        10 => (vec![shift(&optimum), linear(&first()), Move::Oscillate], ellipsoid(1e6)),
        11 => (vec![shift(&optimum), linear(&first()), Move::Oscillate], Core::Quadratic(weights([1e6, 1.0]))),
        12 => {
            let moves = vec![shift(&optimum), linear(&first()), stretch(0.5), linear(&first())];
            (moves, Core::Quadratic(weights([1.0, 1e6])))
        }
        13 => (vec![shift(&optimum), linear(&both(10.0))], Core::Ridge),
        14 => {
            let exponents = (0..dim).map(|i| 2.0 + 4.0 * i as f64 / (dim as f64 - 1.0)).collect();
            (vec![shift(&optimum), linear(&first())], Core::Powers(exponents))
        }
        15 => {
            let moves = vec![shift(&optimum), linear(&first()), Move::Oscillate, stretch(0.2), linear(&both(10.0))];
            (moves, Core::Rastrigin)
        }
        16 => {
            penalty = 10.0 / dim as f64;
            let (a, b) = (std::array::from_fn(|k| 0.5f64.powi(k as i32)), std::array::from_fn(|k| 3f64.powi(k as i32)));
            let f0 = (0..12).fold(0.0, |sum, k| sum + a[k] * math::cos(2.0 * std::f64::consts::PI * b[k] * 0.5));
            let skewed = first().through(&powers(1.0 / 100f64.sqrt(), dim), &second());
            let moves = vec![shift(&optimum), linear(&first()), Move::Oscillate, linear(&skewed)];
            (moves, Core::Weierstrass { a, b, f0 })
        }
        17 | 18 => {
            penalty = 10.0;
            let condition = if number == 17 { 10.0 } else { 1000.0 };
            let scaled = linear(&second().scaled(&diagonal(condition)));
            (vec![shift(&optimum), linear(&first()), stretch(0.5), scaled], Core::Schaffers)
        }
        20 => {
            // The suite's program reports half of 4.2096874633 as the optimum and computes with the other number.
            let sign = |u: f64| if u - 0.5 < 0.0 { -1.0 } else { 1.0 };
            optimum = uniform(dim, seed).into_iter().map(|u| sign(u) * 0.5 * 4.2096874633).collect();
            let centre = vec![4.2096874637; dim];
            let back = centre.iter().map(|t| -t).collect();
            let moves = vec![
                Move::Scale(optimum.iter().map(|t| 2.0 * t.signum()).collect()),
                Move::Lean(centre.clone()),
                Move::Shift(centre),
                Move::Scale(diagonal(10.0)),
                Move::Shift(back),
                Move::Scale(vec![100.0; dim]),
            ];
            (moves, Core::Schwefel)
        }
        21 | 22 => {
            penalty = 1.0;
            let rotation = second();
            let peaks = peaks(number, seed, &rotation, &mut optimum);
            (vec![linear(&rotation)], Core::Gallagher(peaks))
        }
        23 => {
            penalty = 1.0;
            (vec![shift(&optimum), linear(&both(100.0))], Core::Katsuura)
        }
        _ => {
            penalty = 1e4;
            let signs: Vec<_> = normal(dim, seed).into_iter().map(f64::signum).collect();
            optimum = signs.iter().map(|sign| 0.5 * LUNACEK * sign).collect();
            let moves = vec![
                Move::Scale(signs.iter().map(|sign| 2.0 * sign).collect()),
                Move::Shift(vec![LUNACEK; dim]),
                linear(&second().scaled(&diagonal(100.0))),
                linear(&first()),
            ];
            (moves, Core::Lunacek { signs })
        }
    };
    Function { moves, core, finish, penalty, offset: offset(seed), optimum }
}

/// The hills of f21 and f22; writes the top of the highest to `optimum`.
fn peaks(number: usize, seed: u64, rotation: &Square, optimum: &mut [f64]) -> Peaks {
    let dim = rotation.dim;
    let (count, width, first_condition) = if number == 21 { (101, 10.0, 1000f64.sqrt()) } else { (21, 9.8, 1000.0) };
    let place = |at: usize| at as f64 / (count as f64 - 2.0);
    let heights = (0..count).map(|i| if i == 0 { 10.0 } else { place(i - 1) * (9.1 - 1.1) + 1.1 }).collect();
    let shuffled = order(&uniform(count - 1, seed));
    let condition = |i: usize| if i == 0 { first_condition } else { math::powf(1000.0, place(shuffled[i - 1])) };
    let draws = uniform(dim * count, seed);
    let (mut centres, mut scales) = (vec![0.0; dim * count], vec![0.0; dim * count]);
    for i in 0..count {
        let mut peak: Vec<_> = draws[i * dim..][..dim].iter().map(|u| width * u - 0.5 * width).collect();
        let shuffled = order(&uniform(dim, seed + 1000 * i as u64));
        for j in 0..dim {
            let sum = rotation.row(j).iter().zip(&peak).fold(0.0, |sum, (r, p)| sum + r * p);
            centres[j * count + i] = if i == 0 { 0.8 * sum } else { sum };
            scales[j * count + i] = math::powf(condition(i), shuffled[j] as f64 / (dim as f64 - 1.0) - 0.5);
        }
        if i == 0 {
            peak.iter_mut().for_each(|t| *t *= 0.8);
            optimum.copy_from_slice(&peak);
        }
    }
    Peaks { heights, centres, scales }
}
