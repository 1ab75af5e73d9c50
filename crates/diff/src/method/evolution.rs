//! The evolutionary methods: GA, DE, jDE and SHADE, their learnable numbers and the adjoints of their moves.
//!
//! Draws are read again from the streams of the move, so that the plain kernel needs to keep nothing. Straight-through masks:
//! a rate has the derivative of its gate at temperature tau.

use super::frame::Adjoint;
use super::swarming::{Before, Plain};
use crate::learn::{Learnable, Link};
use crate::operator::Operator;
use crate::operator::cross::{Recombination, Recombine, Sbx};
use crate::operator::mutate::{Difference, Kind, Polynomial};
use crate::operator::travel::Inside;
use crate::relax::Relaxation;
use swarmgrad_algorithms::evolution::select::{best_share, others, tournament};
use swarmgrad_algorithms::evolution::{de, ga, jde, shade};
use swarmgrad_core::{Matrix, Real, Rng, Space};

const fn rate(name: &'static str) -> Learnable {
    // The logits stay within [-6, 6].
    Learnable { name, link: Link::Sigmoid(1.0), bounds: [0.002_472_623_156_634_775, 0.997_527_376_843_365_2] }
}

const fn index(name: &'static str) -> Learnable {
    Learnable { name, link: Link::Exp, bounds: [0.5, 200.0] }
}

/// The move of one trial of differential evolution, and its adjoint.
struct Trial<'a> {
    kind: Kind,
    /// The individuals that make the mutant.
    parents: [usize; 4],
    /// The trial's own parent.
    own: usize,
    recombine: Recombine<'a>,
    weight: f64,
    rate: f64,
}

impl Trial<'_> {
    /// Adds the derivatives by F, CR and the points; `row` is that of the repair's draws.
    fn pull_back(
        &self,
        y: &Matrix<f64>,
        space: &Space<f64>,
        outside: &Rng,
        cotangent: &[f64],
        d_theta: &mut [f64],
        d_points: &mut Matrix<f64>,
    ) {
        let dim = y.dim();
        let parents = if self.kind == Kind::Base { &self.parents[..3] } else { &self.parents[..] };
        let difference = Difference { kind: self.kind, dim, each: false };
        let theta: &[f64] = if self.kind == Kind::Base { &[self.weight] } else { &[self.weight, self.weight] };
        let points: Vec<f64> = parents.iter().flat_map(|&p| y.row(p)).copied().collect();
        let mut pair = vec![0.0; 2 * dim];
        let (mutant, parent) = pair.split_at_mut(dim);
        difference.forward(theta, &points, mutant);
        parent.copy_from_slice(y.row(self.own));
        let mut trial = vec![0.0; dim];
        self.recombine.forward(&[self.rate], &pair, &mut trial);

        let (mut d_trial, mut d_pair) = (vec![0.0; dim], vec![0.0; 2 * dim]);
        Inside::new(space, outside, self.own).vjp(&[], &trial, cotangent, &mut [], &mut d_trial);
        let mut d_rate = [0.0];
        self.recombine.vjp(&[self.rate], &pair, &d_trial, &mut d_rate, &mut d_pair);
        let (mut d_weight, mut d_inputs) = (vec![0.0; theta.len()], vec![0.0; points.len()]);
        difference.vjp(theta, &points, &d_pair[..dim], &mut d_weight, &mut d_inputs);
        if let [by_weight, by_rate] = d_theta {
            *by_weight += d_weight.iter().sum::<f64>();
            *by_rate += d_rate[0];
        }
        let mut add = |i: usize, d: &[f64]| d_points.row_mut(i).iter_mut().zip(d).for_each(|(o, d)| *o += d);
        add(self.own, &d_pair[dim..]);
        parents.iter().zip(d_inputs.chunks_exact(dim)).for_each(|(&p, d)| add(p, d));
    }
}

/// The points in double precision.
fn widened<F: Real>(points: &Matrix<F>) -> Matrix<f64> {
    let mut wide = Matrix::zeros(points.len(), points.dim());
    wide.data_mut().iter_mut().zip(points.data()).for_each(|(w, x)| *w = x.f64());
    wide
}

/// The uniform numbers of one row.
fn drawn<F: Real>(rng: &Rng, row: usize, dim: usize) -> Vec<f64> {
    let mut draws = vec![F::zero(); dim];
    rng.row(row).fill_uniform(&mut draws);
    draws.iter().map(|u| u.f64()).collect()
}

impl<F: Real> Plain<F> for de::De {
    const LABEL: &'static str = "diff_de";
    const MEMORIES: bool = true;
    const TRAVELS: bool = false;
    const THETA: &'static [Learnable] =
        &[Learnable { name: "weight", link: Link::Exp, bounds: [0.01, 2.0] }, rate("crossover")];

    fn theta(&self, _dim: usize, out: &mut Vec<f64>) {
        out.extend([self.params().weight, self.params().crossover]);
    }

    fn set_theta(&mut self, theta: &[f64]) {
        self.set_law(theta[0], theta[1]);
    }

    fn vjp(&mut self, before: &Before<F>, space: &Space<f64>, tau: f64, cotangent: &Matrix<f64>, adjoint: Adjoint<'_>) {
        let (y, params) = (widened(&before.swarm.y), self.params());
        let (n, dim) = (y.len(), y.dim());
        let [picks, crosses, outside] = ["pick", "cross", "outside"].map(|label| before.rng.fork(label));
        let best = best_share(params.best, n);
        for (i, c) in cotangent.iter().enumerate().filter(|(_, c)| c.iter().any(|t| *t != 0.0)) {
            let mut draws = picks.row(i);
            let (kind, parents) = match params.mutation {
                de::Mutation::Rand => {
                    let [r1, r2, r3] = others(i, n, |len| draws.below(len));
                    (Kind::Base, [r1, r2, r3, i])
                }
                de::Mutation::CurrentToPbest => {
                    let pbest = self.best()[draws.below(best)];
                    let [r1, r2] = others(i, n, |len| draws.below(len));
                    (Kind::Current, [i, pbest, r1, r2])
                }
            };
            let start = draws.below(dim);
            let kind_of_cross = match params.recombination {
                de::Recombination::Binomial => Recombination::Binomial(start),
                de::Recombination::Exponential => Recombination::Exponential(start),
            };
            let uniforms = drawn::<F>(&crosses, i, dim);
            let relax = Relaxation::straight_through(tau);
            let recombine = Recombine { relax, kind: kind_of_cross, draws: &uniforms, each: false };
            let trial = Trial { kind, parents, own: i, recombine, weight: params.weight, rate: params.crossover };
            trial.pull_back(&y, space, &outside, c, adjoint.theta, adjoint.points);
        }
    }
}

impl<F: Real> Plain<F> for jde::Jde {
    const LABEL: &'static str = "diff_jde";
    const MEMORIES: bool = true;
    const TRAVELS: bool = false;
    // F and CR of the individuals learn from their own successes.
    const THETA: &'static [Learnable] = &[];
}

impl<F: Real> Plain<F> for shade::Shade<F> {
    const LABEL: &'static str = "diff_shade";
    const MEMORIES: bool = true;
    const TRAVELS: bool = false;
    // M_F and M_CR learn from successes.
    const THETA: &'static [Learnable] = &[];
}

impl<F: Real> Plain<F> for ga::Ga<F> {
    const LABEL: &'static str = "diff_ga";
    const MEMORIES: bool = true;
    const TRAVELS: bool = false;
    const THETA: &'static [Learnable] = &[rate("crossover"), index("eta_c"), rate("mutation"), index("eta_m")];

    fn theta(&self, dim: usize, out: &mut Vec<f64>) {
        let p = self.params();
        out.extend([p.crossover, p.eta_c, p.mutation.unwrap_or(1.0 / dim as f64), p.eta_m]);
    }

    fn set_theta(&mut self, theta: &[f64]) {
        self.set_law([theta[0], theta[1], theta[2], theta[3]]);
    }

    fn survivors(&self) -> Option<&[usize]> {
        Some(ga::Ga::survivors(self))
    }

    fn vjp(&mut self, before: &Before<F>, space: &Space<f64>, tau: f64, cotangent: &Matrix<f64>, adjoint: Adjoint<'_>) {
        let y = widened(&before.swarm.y);
        let (n, dim) = (y.len(), y.dim());
        let relax = Relaxation::straight_through(tau);
        let mut numbers = Vec::new();
        Plain::<F>::theta(self, dim, &mut numbers);
        let [crossing, mutating] = [[numbers[1], numbers[0]], [numbers[3], numbers[2]]];
        let [pair, which, spread, mutate, outside] =
            ["pair", "which", "spread", "mutate", "outside"].map(|label| before.rng.fork(label));
        for k in 0..n.div_ceil(2) {
            let mut draws = pair.row(k);
            let [a, b] = [(); 2].map(|()| tournament(&before.swarm.fy, |len| draws.below(len)));
            let crossed = draws.uniform();
            let parents = [y.row(a), y.row(b)].concat();
            let [which, spread] = [&which, &spread].map(|rng| singles(rng, k, dim));
            let cross = Sbx {
                relax,
                pair: crossed,
                which: &which,
                spread: &spread,
                lower: space.lower(),
                upper: space.upper(),
            };
            let (mut children, mut d_children) = (vec![0.0; 2 * dim], vec![0.0; 2 * dim]);
            cross.forward(&crossing, &parents, &mut children);
            let mut d_mutating = [0.0; 2];
            for i in 0..2.min(n - 2 * k) {
                let c = cotangent.row(2 * k + i);
                let half = i * dim..(i + 1) * dim;
                let draws = singles(&mutate, 2 * k + i, dim);
                let sizes: Vec<f64> = draws.iter().map(|u| (u / mutating[1]).min(1.0)).collect();
                let mutation =
                    Polynomial { relax, draws: &draws, sizes: &sizes, lower: space.lower(), upper: space.upper() };
                let child = &children[half.clone()];
                let mut mutant = vec![0.0; dim];
                mutation.forward(&mutating, child, &mut mutant);
                let mut d_mutant = vec![0.0; dim];
                Inside::new(space, &outside, 2 * k + i).vjp(&[], &mutant, c, &mut [], &mut d_mutant);
                mutation.vjp(&mutating, child, &d_mutant, &mut d_mutating, &mut d_children[half]);
            }
            let (mut d_crossing, mut d_parents) = ([0.0; 2], vec![0.0; 2 * dim]);
            cross.vjp(&crossing, &parents, &d_children, &mut d_crossing, &mut d_parents);
            for (theta, d) in adjoint.theta.iter_mut().zip([d_crossing[1], d_crossing[0], d_mutating[1], d_mutating[0]])
            {
                *theta += d;
            }
            for (p, d) in [a, b].into_iter().zip(d_parents.chunks_exact(dim)) {
                adjoint.points.row_mut(p).iter_mut().zip(d).for_each(|(o, d)| *o += d);
            }
        }
    }
}

/// Uniform numbers drawn one by one.
fn singles(rng: &Rng, row: usize, dim: usize) -> Vec<f64> {
    let mut draws = rng.row(row);
    (0..dim).map(|_| draws.uniform()).collect()
}
