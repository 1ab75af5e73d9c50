//! Every operator on trial: adjoint against dual numbers and difference quotients, forms against each other and against the
//! plain methods' kernels.

use super::cross::{Arithmetic, Blend, Recombination, Recombine, Sbx};
use super::mutate::{Difference, Gaussian, Kind, Polynomial};
use super::sample::{Mean, Sample, Step};
use super::select::{Choose, TopK};
use super::survive::{Best, Greedy};
use super::travel::{Cbo, Empso, Inside, Pso};
use super::{Operator, Sizes};
use crate::Dual;
use crate::relax::{Form, Relaxation, gumbel, rank_logits};
use swarmgrad_algorithms::evolution::cross::{exponential, sbx};
use swarmgrad_algorithms::evolution::mutate::polynomial;
use swarmgrad_core::{Outside, Rng, Scalar, Space};

const DIM: usize = 5;
const N: usize = 7;

fn normals(rng: &Rng, label: &str, n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n];
    rng.fork(label).row(0).fill_normal(&mut out);
    out
}

fn uniforms(rng: &Rng, label: &str, n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n];
    rng.fork(label).row(0).fill_uniform(&mut out);
    out
}

fn run<S: Scalar, O: Operator>(operator: &O, theta: &[S], inputs: &[S]) -> Vec<S> {
    let Sizes { theta: t, inputs: i, outputs } = operator.sizes();
    assert_eq!((theta.len(), inputs.len()), (t, i));
    let mut out = vec![S::zero(); outputs];
    operator.forward(theta, inputs, &mut out);
    out
}

/// Every number beside its direction of change.
fn along(numbers: &[f64], directions: &[f64]) -> Vec<Dual<1>> {
    numbers.iter().zip(directions).map(|(&value, &slope)| Dual { value, slopes: [slope] }).collect()
}

/// Holds the adjoint against dual numbers along a random direction and along every number, and where `smooth` against a
/// central difference; `forward` is where the difference is taken.
fn check<O: Operator>(name: &str, operator: &O, theta: &[f64], inputs: &[f64], rng: &Rng, smooth: bool) {
    let sizes = operator.sizes();
    let cotangent = normals(rng, "cotangent", sizes.outputs);
    let (mut d_theta, mut d_inputs) = (vec![0.5; sizes.theta], vec![0.25; sizes.inputs]);
    operator.vjp(theta, inputs, &cotangent, &mut d_theta, &mut d_inputs);
    d_theta.iter_mut().for_each(|d| *d -= 0.5); // it adds to what is there
    d_inputs.iter_mut().for_each(|d| *d -= 0.25);
    let all: Vec<f64> = [d_theta.clone(), d_inputs.clone()].concat();
    let largest = all.iter().fold(0.0f64, |m, d| m.max(d.abs()));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();

    let place = |k: usize| {
        let mut unit = vec![0.0; all.len()];
        unit[k] = 1.0;
        unit
    };
    let directions = (0..all.len()).map(place).chain([normals(rng, "direction", all.len())]);
    for (k, direction) in directions.enumerate() {
        let (by_theta, by_inputs) = direction.split_at(sizes.theta);
        let out = run(operator, &along(theta, by_theta), &along(inputs, by_inputs));
        let slopes: Vec<f64> = out.iter().map(|o| o.slopes[0]).collect();
        let (forward, backward) = (dot(&cotangent, &slopes), dot(&all, &direction));
        assert!(
            (forward - backward).abs() <= 1e-12 * (1.0 + largest + forward.abs()),
            "{name} {k}: {forward} {backward}"
        );
        let plain = run(operator, theta, inputs);
        assert!(plain.iter().zip(&out).all(|(a, b)| (a - b.value).abs() <= 1e-14 * (1.0 + a.abs())), "{name}: values");
        if smooth {
            let h = 1e-6;
            let at = |h: f64| {
                let moved = |x: &[f64], d: &[f64]| x.iter().zip(d).map(|(x, d)| x + h * d).collect::<Vec<f64>>();
                dot(&cotangent, &run(operator, &moved(theta, by_theta), &moved(inputs, by_inputs)))
            };
            let quotient = (at(h) - at(-h)) / (2.0 * h);
            assert!(
                (quotient - backward).abs() <= 1e-6 * (1.0 + largest + quotient.abs()),
                "{name} {k}: {quotient} {backward}"
            );
        }
    }
}

/// Hard, straight-through and soft.
fn forms(temperature: f64) -> [Relaxation; 3] {
    [Form::Hard, Form::StraightThrough, Form::Soft].map(|form| Relaxation { form, temperature })
}

/// Checks an operator in all forms: the adjoint of each (hard ones where no decision changes are smooth too), the bits of
/// straight-through, and the limit of the soft form at temperature 1e-6 / `scale`.
fn trial<O: Operator>(name: &str, theta: &[f64], inputs: &[f64], rng: &Rng, make: impl Fn(Relaxation) -> O, cold: f64) {
    let [hard, straight, soft] = forms(0.7).map(&make);
    check(&format!("{name} hard"), &hard, theta, inputs, rng, true);
    check(&format!("{name} straight-through"), &straight, theta, inputs, rng, false);
    check(&format!("{name} soft"), &soft, theta, inputs, rng, true);
    let decided = run(&hard, theta, inputs);
    let bits = |x: &[f64]| x.iter().map(|t| t.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&decided), bits(&run(&straight, theta, inputs)), "{name}: forward identity");
    let limit = run(&make(Relaxation::soft(cold)), theta, inputs);
    let gap = decided.iter().zip(&limit).fold(0.0f64, |gap, (a, b)| gap.max((a - b).abs()));
    assert!(gap < 1e-8, "{name}: {gap} from its limit");
    let warm = run(&soft, theta, inputs);
    assert!(warm.iter().zip(&decided).any(|(a, b)| a != b), "{name}: soft is hard");
}

#[test]
fn selection() {
    for seed in 0..100 {
        let rng = Rng::new(seed).fork("selection");
        let values = normals(&rng, "values", N);
        let (mut logits, mut order) = (vec![0.0; N], Vec::new());
        rank_logits(&values, &mut order, &mut logits);
        let points = normals(&rng, "points", N * DIM);
        let inputs = [logits, points].concat();
        let mut noise = uniforms(&rng, "gumbel", N);
        gumbel(&mut noise);
        for gumbel in [&[][..], &noise] {
            trial("choose", &[], &inputs, &rng, |relax| Choose { relax, gumbel, n: N, dim: DIM }, 1e-6);
            trial("top k", &[], &inputs, &rng, |relax| TopK { relax, gumbel, k: 3, n: N, dim: DIM }, 1e-6);
        }
        // Hard: the entrant with the best value, the k best.
        let relax = Relaxation::HARD;
        let chosen = run(&Choose { relax, gumbel: &[], n: N, dim: DIM }, &[], &inputs);
        assert_eq!(chosen, inputs[N + order[0] * DIM..][..DIM]);
        let all = run(&TopK { relax, gumbel: &[], k: N, n: N, dim: DIM }, &[], &inputs);
        let mean = (0..N).map(|i| inputs[N + i * DIM]).sum::<f64>() / N as f64;
        assert!((all[0] - mean).abs() < 1e-14);
    }
}

#[test]
fn the_soft_best_is_the_consensus() {
    use swarmgrad_algorithms::particle::consensus;
    use swarmgrad_core::Matrix;
    let rng = Rng::new(4);
    let (values, points) = (normals(&rng, "values", N), normals(&rng, "points", N * DIM));
    let alpha = 3.0;
    let mut expected = vec![0.0; DIM];
    let matrix = Matrix::from_vec(DIM, points.clone()).unwrap();
    assert!(consensus(&matrix, &values, alpha, 0..N, &mut expected));
    let inputs = [values.iter().map(|f| -alpha * f).collect(), points].concat();
    let soft = Choose { relax: Relaxation::soft(1.0), gumbel: &[], n: N, dim: DIM };
    let found = run(&soft, &[], &inputs);
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?} {expected:?}");
}

#[test]
fn survival() {
    for seed in 0..100 {
        let rng = Rng::new(seed).fork("survival");
        let inputs = [normals(&rng, "values", 2), normals(&rng, "points", 2 * DIM)].concat();
        trial("greedy", &[], &inputs, &rng, |relax| Greedy { relax, dim: DIM, ties: true }, 1e-6);
        let scores = normals(&rng, "scores", N);
        let inputs = [scores, normals(&rng, "points", N * DIM)].concat();
        trial("best", &[], &inputs, &rng, |relax| Best { relax, k: 4, n: N, dim: DIM }, 1e-7);
        let weights = [0.5, 0.3, 0.2];
        for based in [false, true] {
            let all = [&inputs[..], &normals(&rng, "base", if based { DIM } else { 0 })].concat();
            trial("mean", &[], &all, &rng, |relax| Mean { relax, weights: &weights, n: N, dim: DIM, based }, 1e-7);
        }
    }
    let tie = |ties| run(&Greedy { relax: Relaxation::HARD, dim: 1, ties }, &[], &[1.0, 1.0, 5.0, 6.0])[0];
    assert_eq!((tie(true), tie(false)), (5.0, 6.0));
}

#[test]
fn crossover() {
    let infinity = f64::INFINITY;
    for seed in 0..100 {
        let rng = Rng::new(seed).fork("crossover");
        let parents: Vec<f64> = normals(&rng, "parents", 2 * DIM).iter().map(|t| t.clamp(-2.9, 2.9)).collect();
        let (mut which, spread) = (uniforms(&rng, "which", DIM), uniforms(&rng, "spread", DIM));
        which[0] *= 0.4; // one variable takes part
        // What stands nearer than 1e-3 to a kink has no difference quotient.
        if spread.iter().any(|u| *u < 1e-3 || (u - 0.5).abs() < 1e-3) {
            continue;
        }
        let pair = uniforms(&rng, "pair", 1)[0];
        for bounds in [[-3.0, 3.0], [-infinity, infinity], [-3.0, infinity]] {
            let [lower, upper] = bounds.map(|b| vec![b; DIM]);
            let make = |relax| Sbx { relax, pair, which: &which, spread: &spread, lower: &lower, upper: &upper };
            let theta = [3.0, 0.9];
            if (pair - 0.9).abs() > 1e-3 {
                trial("sbx", &theta, &parents, &rng, make, 1e-6);
            }
            // The children are those of the plain kernel.
            let children = run(&make(Relaxation::HARD), &theta, &parents);
            for j in (0..DIM).filter(|_| pair < 0.9) {
                let (p1, p2) = (parents[j], parents[DIM + j]);
                let (small, large) = sbx(p1, p2, spread[j], 3.0, lower[j], upper[j]);
                let expected = match which[j] {
                    u if u >= 0.5 => [p1, p2],
                    u if (p1 <= p2) == (u < 0.25) => [small, large],
                    _ => [large, small],
                };
                assert_eq!([children[j], children[DIM + j]], expected);
            }
        }
        check("blend", &Blend { draws: &spread }, &[0.4], &parents, &rng, true);
        check("arithmetic", &Arithmetic { dim: DIM, each: false }, &[0.3], &parents, &rng, true);
        check("arithmetic", &Arithmetic { dim: DIM, each: true }, &uniforms(&rng, "a", DIM), &parents, &rng, true);

        let start = (seed % DIM as u64) as usize;
        for kind in [Recombination::Binomial(start), Recombination::Exponential(start), Recombination::Uniform] {
            for rates in [vec![0.6], uniforms(&rng, "rates", DIM)] {
                let near = |j: usize, u: f64| (u - rates[j.min(rates.len() - 1)]).abs() < 1e-3;
                if spread.iter().enumerate().any(|(j, &u)| near(j, u))
                    || rates.iter().any(|r| !(0.01..0.99).contains(r))
                {
                    continue;
                }
                let make = |relax| Recombine { relax, kind, draws: &spread, each: rates.len() > 1 };
                trial(&format!("{kind:?}"), &rates, &parents, &rng, make, 1e-5);
            }
            let recombined =
                run(&Recombine { relax: Relaxation::HARD, kind, draws: &spread, each: false }, &[0.6], &parents);
            let taken = |j: usize| match kind {
                Recombination::Binomial(start) => spread[j] < 0.6 || j == start,
                Recombination::Exponential(start) => (j + DIM - start) % DIM < exponential(&spread, 0.6),
                Recombination::Uniform => spread[j] < 0.6,
            };
            assert!((0..DIM).all(|j| recombined[j] == parents[if taken(j) { j } else { DIM + j }]), "{kind:?}");
        }
    }
}

#[test]
fn mutation() {
    let infinity = f64::INFINITY;
    for seed in 0..100 {
        let rng = Rng::new(seed).fork("mutation");
        let points = normals(&rng, "points", 4 * DIM);
        let (theta, each) = ([0.6, 0.8], uniforms(&rng, "F", DIM));
        let difference = |kind, each| Difference { kind, dim: DIM, each };
        check("rand", &difference(Kind::Base, false), &theta[..1], &points[..3 * DIM], &rng, true);
        check("rand", &difference(Kind::Base, true), &each, &points[..3 * DIM], &rng, true);
        check("current", &difference(Kind::Current, false), &theta, &points, &rng, true);

        let x: Vec<f64> = points[..DIM].iter().map(|t| t.clamp(-2.9, 2.9)).collect();
        let (draws, noise) = (uniforms(&rng, "draws", DIM), normals(&rng, "noise", DIM));
        let rate = 0.4;
        let kinks = |u: &f64| [0.0, 0.5 * rate, rate, 0.5 * (1.0 + rate), 1.0].iter().any(|k| (u - k).abs() < 2e-3);
        if draws.iter().any(kinks) || x.iter().any(|x| (x.abs() - 1.0).abs() < 1e-3) {
            continue;
        }
        let gaussian = |relax| Gaussian { relax, draws: &draws, noise: &noise };
        trial("gaussian", &[0.3, rate], &x, &rng, gaussian, 1e-6);
        for bounds in [[-3.0, 3.0], [-infinity, infinity]] {
            let [lower, upper] = bounds.map(|b| vec![b; DIM]);
            let sizes: Vec<f64> =
                draws.iter().map(|u| if *u < rate { u / rate } else { (u - rate) / (1.0 - rate) }).collect();
            let make = |relax| Polynomial { relax, draws: &draws, sizes: &sizes, lower: &lower, upper: &upper };
            trial("polynomial", &[4.0, rate], &x, &rng, make, 1e-6);
            let found = run(&make(Relaxation::straight_through(0.3)), &[4.0, rate], &x);
            for j in 0..DIM {
                let mutated = polynomial(x[j], draws[j] / rate, 4.0, lower[j], upper[j]);
                assert_eq!(found[j], if draws[j] < rate { mutated } else { x[j] });
            }
        }
    }
}

#[test]
fn travel() {
    for seed in 0..100 {
        let rng = Rng::new(seed).fork("travel");
        let (r1, r2, noise) = (uniforms(&rng, "r1", DIM), uniforms(&rng, "r2", DIM), normals(&rng, "xi", DIM));
        let inputs = normals(&rng, "inputs", 5 * DIM);
        check("pso", &Pso { r1: &r1, r2: &r2 }, &[0.7, 1.4, 1.6], &inputs[..4 * DIM], &rng, true);
        check("empso", &Empso { r1: &r1, r2: &r2 }, &[0.3, 1.1, 1.3], &inputs, &rng, true);
        if (0..DIM).all(|j| (inputs[j] - inputs[DIM + j]).abs() > 1e-3) {
            check("cbo", &Cbo { noise: &noise }, &[0.2, 0.7], &inputs[..2 * DIM], &rng, true);
        }
        for (name, outside) in Outside::ALL {
            let space = Space::cube(DIM, -0.7, 0.5).unwrap().with_outside(outside);
            let wide: Vec<f64> = inputs[..DIM].iter().map(|t| 3.0 * t).collect();
            let edges = |t: f64| ((t + 0.7) / 1.2).rem_euclid(1.0);
            if wide.iter().all(|&t| (1e-3..1.0 - 1e-3).contains(&edges(t))) {
                // A point drawn anew jumps where another one comes in or out, but not here.
                check(name, &Inside::new(&space, &rng, 3), &[], &wide, &rng, true);
            }
            let mut repaired = wide.clone();
            space.repair(&mut repaired, 0, &mut rng.row(3));
            assert_eq!(run(&Inside::new(&space, &rng, 3), &[], &wide), repaired, "{name}");
        }
    }
}

#[test]
fn sampling() {
    for seed in 0..100 {
        let rng = Rng::new(seed).fork("sampling");
        let noise = normals(&rng, "z", 3 * DIM);
        let inputs = normals(&rng, "inputs", DIM + DIM * DIM);
        for (each, theta) in [(false, vec![0.3]), (true, uniforms(&rng, "sigma", DIM))] {
            let sample = |shaped| Sample { noise: &noise, dim: DIM, shaped, each };
            check("sample", &sample(true), &theta, &inputs, &rng, true);
            check("sample", &sample(false), &theta, &inputs[..DIM], &rng, true);
        }
        check("step", &Step { dim: DIM }, &[0.8, 0.3], &inputs[..2 * DIM], &rng, true);
    }
}
