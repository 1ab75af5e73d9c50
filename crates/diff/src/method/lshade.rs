//! L-SHADE with numbers that can be learned.
//!
//! ```text
//! F_i  = M_F + s_F C,  C Cauchy, cut to (0, 1]:    dF/dM_F = 1,   dF/ds_F = C               0 where it is cut
//! CR_i = M_CR + s_CR z, cut to [0, 1]:             dCR/dM_CR = 1, dCR/ds_CR = z             0 where it is cut, or terminal
//! M_k <- M_k + c (mean_WL(S) - M_k),  c = 1:       dM_k/dc = mean_WL(S) - M_k, felt by the trials that draw the entry next
//! pbest  rank rho = u p N - 1/2 of the order, as if it were softmax(-|r - rho| / ((N - 1) tau)) of all
//! r_arc  decides which points there are: it follows schedules, and has no derivative
//! ```
//!
//! The text of the plain method (`evolution::lshade`) with s_F = s_CR = 0.1 and c = 1 is this one's: with these numbers it walks
//! the same trajectory to the bit. The population shrinks with what the run has spent: evaluations, and gradients at their price.

use super::evolution::widened;
use super::frame::Adjoint;
use super::selection::{Added, Selecting};
use super::swarming::{Before, Plain};
use crate::learn::{Learnable, Link};
use crate::operator::Operator;
use crate::operator::cross::{Recombination, Recombine};
use crate::operator::mutate::{Difference, Kind};
use crate::relax::{Relaxation, softmax, softmax_vjp};
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::evolution::adaptive::{
    Adaptive, Control, Dice, History, Law, Plan, SPREAD, Stage, Successes,
};
use swarmgrad_algorithms::evolution::lshade;
use swarmgrad_algorithms::evolution::mutate::midpoint;
use swarmgrad_algorithms::evolution::select::{best_share, one_of, two_others};
use swarmgrad_algorithms::parameters;
use swarmgrad_algorithms::parameters::Parameters;
use swarmgrad_core::{Matrix, Real, Result, Space, sort_indices};

parameters! {
    /// How L-SHADE adapts.
    pub struct Adaptation {
        /// Scale of F around its mean.
        weight_spread "s_F": f64 = SPREAD, Within(0.001, 1.0);
        /// Deviation of CR around its mean.
        rate_spread "s_CR": f64 = SPREAD, Within(0.001, 1.0);
        /// Share of what succeeded in an entry that is written.
        memory_rate "c": f64 = 1.0, Within(0.01, 1.0);
    }
}

impl Added for Adaptation {}

/// The success history and the plan of L-SHADE, with numbers that can be set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shrinking {
    params: lshade::Params,
    adaptation: Adaptation,
    plan: Plan,
    history: History,
    writes: u64,
    /// The entry written last, and the derivatives of M_F and M_CR there by c.
    written: Option<(usize, [f64; 2])>,
}

impl Shrinking {
    /// s_F, s_CR, c, p and r_arc.
    fn numbers(&self) -> [f64; 5] {
        let Adaptation { weight_spread, rate_spread, memory_rate } = self.adaptation;
        [weight_spread, rate_spread, memory_rate, self.params.best, self.params.archive]
    }
}

impl Law for Shrinking {
    const NAME: &'static str = "lshade";
    const UNIFORMS: usize = 1;
    type Params = lshade::Params;

    fn new(params: lshade::Params, dim: usize, budget: Option<u64>) -> Result<Self> {
        let plan = Plan::new(params.particles, 18.0 * dim as f64, dim, budget);
        let history = History::new(params.memory, 0.5, 0.5);
        Ok(Shrinking { params, adaptation: Adaptation::default(), plan, history, writes: 0, written: None })
    }

    fn verify(&self) -> Result<()> {
        self.params.check()?;
        self.adaptation.check()?;
        self.history.verify()
    }

    fn population(&self, evaluations: u64) -> usize {
        self.plan.population(evaluations)
    }

    fn archive(&self, population: usize) -> usize {
        (self.params.archive * population as f64).round() as usize
    }

    fn control(&self, stage: Stage, uniforms: &[f64], dice: &Dice<'_>) -> Control {
        let (weight, rate) = self.history.entry(one_of(self.history.len(), uniforms[0]));
        let weight = dice.weight_within(weight, self.adaptation.weight_spread);
        let rate = dice.rate_within(rate, self.adaptation.rate_spread);
        Control { weight, pull: weight, rate, best: best_share(self.params.best, stage.population), another: false }
    }

    fn learn(&mut self, successes: &Successes) {
        let c = self.adaptation.memory_rate;
        let toward = |old: f64, new: f64| if c == 1.0 { new } else { old + c * (new - old) };
        let mut slopes = [0.0; 2];
        self.history.write(|weight, rate| {
            let new = successes.lehmer_weight();
            slopes[0] = new - weight;
            let rate = rate.zip(successes.lehmer_rate()).map(|(old, new)| {
                slopes[1] = new - old;
                toward(old, new)
            });
            (toward(weight, new), rate)
        });
        self.written = Some(((self.writes % self.history.len() as u64) as usize, slopes));
        self.writes = self.writes.wrapping_add(1);
    }

    fn means(&self) -> (f64, f64) {
        self.history.means()
    }
}

const fn spread(name: &'static str) -> Learnable {
    Learnable { name, link: Link::Exp, bounds: [0.001, 1.0] }
}

impl<F: Real> Plain<F> for Adaptive<F, Shrinking> {
    const LABEL: &'static str = "diff_lshade";
    const MEMORIES: bool = true;
    const TRAVELS: bool = false;
    const THETA: &'static [Learnable] = &[
        spread("weight_spread"),
        spread("rate_spread"),
        Learnable { name: "memory_rate", link: Link::Exp, bounds: [0.01, 1.0] },
        Learnable { name: "best", link: Link::Exp, bounds: [0.01, 1.0] },
        Learnable { name: "archive", link: Link::Exp, bounds: [0.01, 100.0] },
    ];
    type Added = Adaptation;

    fn adopt(&mut self, added: &Adaptation) {
        self.law_mut().adaptation = added.clone();
    }

    fn spend(&mut self, spent: u64, points: usize) {
        self.set_evaluations(spent.saturating_sub(points as u64));
    }

    fn theta(&self, _dim: usize, out: &mut Vec<f64>) {
        out.extend(self.law().numbers());
    }

    fn set_theta(&mut self, theta: &[f64]) {
        if let &[weight_spread, rate_spread, memory_rate, best, archive] = theta {
            let law = self.law_mut();
            law.adaptation = Adaptation { weight_spread, rate_spread, memory_rate };
            (law.params.best, law.params.archive) = (best, archive);
        }
    }

    fn places(&self) -> Option<&[usize]> {
        Adaptive::places(self)
    }

    fn vjp(
        &mut self,
        before: &Before<F>,
        space: &Space<f64>,
        _selecting: &Selecting,
        tau: f64,
        cotangent: &Matrix<f64>,
        adjoint: Adjoint<'_>,
    ) {
        let (y, archive, law) = (widened(&before.swarm.y), widened(self.archive()), self.law());
        let (n, dim) = (y.len(), y.dim());
        let mut order = Vec::new();
        sort_indices(&before.swarm.fy, &mut order);
        let (picks, crosses) = (before.rng.fork("pick"), before.rng.fork("cross"));
        let [weight_spread, rate_spread, _, best, _] = law.numbers();
        let (mut own, mut draws) = ([0.0; 5], vec![F::zero(); dim]);
        let mut add = |i: usize, d: &[f64]| adjoint.points.row_mut(i).iter_mut().zip(d).for_each(|(o, d)| *o += d);
        for (i, c) in cotangent.iter().enumerate().filter(|(_, c)| c.iter().any(|t| *t != 0.0)) {
            picks.fill_uniform(i..i + 1, 0..5, &mut own);
            crosses.fill_uniform(i..i + 1, 0..dim, &mut draws);
            let uniforms: Vec<f64> = draws.iter().map(|u| u.f64()).collect();
            let Control { weight, rate, best: count, .. } = self.controls()[i];
            let pbest = order[one_of(count, own[1])];
            let [r1, r2] = two_others(i, n, n + archive.len(), [own[2], own[3]]);
            let second = if r2 < n { y.row(r2) } else { archive.row(r2 - n) };
            let points = [y.row(i), y.row(pbest), y.row(r1), second].concat();

            let difference = Difference { kind: Kind::Current, dim, each: false };
            let (mut mutant, mut trial) = (vec![0.0; dim], vec![0.0; dim]);
            difference.forward(&[weight, weight], &points, &mut mutant);
            let bounds = |j: usize| (space.lower()[j], space.upper()[j]);
            let repaired = (0..dim).map(|j| midpoint(mutant[j], y.row(i)[j], bounds(j).0, bounds(j).1));
            let pair: Vec<f64> = repaired.chain(y.row(i).iter().copied()).collect();
            let relax = Relaxation::straight_through(tau);
            let kind = Recombination::Binomial(one_of(dim, own[4]));
            let recombine = Recombine { relax, kind, draws: &uniforms, each: false };
            recombine.forward(&[rate], &pair, &mut trial);

            let (mut d_rate, mut d_pair) = ([0.0], vec![0.0; 2 * dim]);
            recombine.vjp(&[rate], &pair, c, &mut d_rate, &mut d_pair);
            let (d_mutant, d_parent) = d_pair.split_at_mut(dim);
            for (j, d) in d_mutant.iter_mut().enumerate() {
                // What left the bounds came back half-way to the parent, what was no number became the parent.
                let (lower, upper) = bounds(j);
                if !mutant[j].is_finite() {
                    d_parent[j] += std::mem::take(d);
                } else if mutant[j] < lower || mutant[j] > upper {
                    d_parent[j] += 0.5 * std::mem::take(d);
                }
            }
            let (mut d_weights, mut d_points) = ([0.0; 2], vec![0.0; 4 * dim]);
            difference.vjp(&[weight, weight], &points, d_mutant, &mut d_weights, &mut d_points);
            add(i, d_parent);
            for (p, d) in [i, pbest, r1, r2].into_iter().zip(d_points.chunks_exact(dim)).filter(|(p, _)| *p < n) {
                add(p, d);
            }

            // By the numbers behind F and CR.
            let entry = one_of(law.history.len(), own[0]);
            let (mean, mean_rate) = law.history.entry(entry);
            let d_weight = if weight < 1.0 { d_weights[0] + d_weights[1] } else { 0.0 };
            let d_rate = if rate > 0.0 && rate < 1.0 { d_rate[0] } else { 0.0 };
            adjoint.theta[0] += d_weight * (weight - mean) / weight_spread;
            adjoint.theta[1] += d_rate * (rate - mean_rate.unwrap_or(rate)) / rate_spread;
            if let Some((_, [by_weight, by_rate])) = law.written.filter(|(written, _)| *written == entry) {
                adjoint.theta[2] += d_weight * by_weight + d_rate * by_rate;
            }
            // By p: where in the order the pbest stands.
            let (unit, position) = ((n - 1) as f64, own[1] * best * n as f64 - 0.5);
            let logits: Vec<f64> = (0..n).map(|r| -(r as f64 - position).abs() / unit).collect();
            let (mut weights, mut d_logits) = (vec![0.0; n], vec![0.0; n]);
            softmax(&logits, tau, &mut weights);
            let d_pbest = &d_points[dim..2 * dim];
            let along = |r: usize| y.row(order[r]).iter().zip(d_pbest).map(|(x, d)| x * d).sum::<f64>();
            let d_weights: Vec<f64> = (0..n).map(along).collect();
            softmax_vjp(&weights, &d_weights, tau, &mut d_logits);
            let by_position = |(r, d): (usize, &f64)| d * (r as f64 - position).signum() / unit;
            adjoint.theta[3] += d_logits.iter().enumerate().map(by_position).sum::<f64>() * own[1] * n as f64;
        }
    }
}
