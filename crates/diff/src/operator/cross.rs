//! Crossover: two parents make children.
//!
//! ```text
//! SBX          children (y1 + y2) / 2 -+ beta (y2 - y1) / 2 of a pair that is crossed with probability p_c, see
//!              `evolution::cross::sbx`; a variable takes part with probability 1/2
//! blend        p1 + ((1 + 2 alpha) u - alpha) (p2 - p1)                                   (BLX-alpha)
//! arithmetic   a p1 + (1 - a) p2
//! binomial     the mutant's number where u_j < CR or j = start, else the parent's          (uniform: without start)
//! exponential  the mutant's numbers from start on, while the draws stay below CR
//! ```
//!
//! Rates are learnable: the mask u < p is the gate of logit(p) - logit(u) ([`crate::relax`]).

use super::{Operator, Sizes, one_or_each, place};
use crate::relax::{Relaxation, mask_logit, mask_logit_slope};
use swarmgrad_algorithms::evolution::cross::sbx;
use swarmgrad_core::{Scalar, math};

/// Simulated binary crossover. Theta: eta_c, p_c; inputs: two parents; outputs: two children.
#[derive(Debug, Clone, Copy)]
pub struct Sbx<'a> {
    /// How the pair is decided to be crossed.
    pub relax: Relaxation,
    /// The pair is crossed where this uniform number is below p_c.
    pub pair: f64,
    /// A uniform number a variable: below 1/4 and 1/2, which takes part and on which side the children stand.
    pub which: &'a [f64],
    /// A uniform number a variable: the spread.
    pub spread: &'a [f64],
    /// Lower bounds.
    pub lower: &'a [f64],
    /// Upper bounds.
    pub upper: &'a [f64],
}

impl Sbx<'_> {
    /// The children of one variable of a crossed pair.
    #[inline(always)]
    fn children<S: Scalar>(&self, j: usize, p1: S, p2: S, eta: S) -> (S, S) {
        if self.which[j] >= 0.5 {
            return (p1, p2);
        }
        let (small, large) = sbx(p1, p2, S::of(self.spread[j]), eta, S::of(self.lower[j]), S::of(self.upper[j]));
        if (p1 <= p2) == (self.which[j] < 0.25) { (small, large) } else { (large, small) }
    }
}

/// beta of [`sbx`] and its derivatives by the room, the distance and eta.
fn spread_slopes(room: f64, distance: f64, u: f64, eta: f64) -> (f64, [f64; 3]) {
    let power = eta + 1.0;
    let q = 1.0 + 2.0 * room.max(0.0) / distance;
    let cut = math::powf(q, -power);
    let t = u * (2.0 - cut);
    let base = if t <= 1.0 { t } else { (2.0 - t).recip() };
    let beta = math::powf(base, power.recip());
    if base <= 0.0 {
        return (beta, [0.0; 3]);
    }
    let by_t = beta / (power * base) * if t <= 1.0 { 1.0 } else { base * base };
    // Where the bound is far away nothing is cut.
    let (by_q, by_power) = if cut > 0.0 { (power * cut / q, cut * math::ln(q)) } else { (0.0, 0.0) };
    let by_q = by_t * u * by_q;
    let by_eta = by_t * u * by_power - beta * math::ln(base) / (power * power);
    let by_distance = if by_q == 0.0 || room < 0.0 { 0.0 } else { -by_q * 2.0 * room / (distance * distance) };
    (beta, [if room < 0.0 { 0.0 } else { by_q * 2.0 / distance }, by_distance, by_eta])
}

impl Operator for Sbx<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 2, inputs: 2 * self.which.len(), outputs: 2 * self.which.len() }
    }

    #[inline]
    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let dim = self.which.len();
        let (eta, rate) = (theta[0], theta[1]);
        let (p1, p2) = inputs.split_at(dim);
        let (first, second) = outputs.split_at_mut(dim);
        let crossed = S::of(self.pair) < rate;
        for j in 0..dim {
            let children = |_: ()| self.children(j, p1[j], p2[j], eta);
            let mixed = |p: S, c: S| p + self.relax.gate(crossed, || mask_logit(rate, self.pair)) * (c - p);
            first[j] =
                self.relax.decide(|| if crossed { children(()).0 } else { p1[j] }, || mixed(p1[j], children(()).0));
            second[j] =
                self.relax.decide(|| if crossed { children(()).1 } else { p2[j] }, || mixed(p2[j], children(()).1));
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let dim = self.which.len();
        let (eta, rate) = (theta[0], theta[1]);
        let (p1, p2) = inputs.split_at(dim);
        let (d1, d2) = d_inputs.split_at_mut(dim);
        let z = mask_logit(rate, self.pair);
        let open = self.relax.gate(self.pair < rate, || z);
        let mut d_gate = 0.0;
        for j in 0..dim {
            let (a, b) = (cotangent[j], cotangent[dim + j]);
            let (c1, c2) = self.children(j, p1[j], p2[j], eta);
            d_gate += a * (c1 - p1[j]) + b * (c2 - p2[j]);
            d1[j] += (1.0 - open) * a;
            d2[j] += (1.0 - open) * b;
            let (a, b) = (open * a, open * b);
            let distance = (p1[j] - p2[j]).abs();
            if self.which[j] >= 0.5 || distance == 0.0 {
                d1[j] += a;
                d2[j] += b;
                continue;
            }
            // The adjoint in the kernel's order: y1 < y2, the smaller child first.
            let ascending = p1[j] < p2[j];
            let (y1, y2) = if ascending { (p1[j], p2[j]) } else { (p2[j], p1[j]) };
            let (small, large) = if (p1[j] <= p2[j]) == (self.which[j] < 0.25) { (a, b) } else { (b, a) };
            let (low, [low_room, low_distance, low_eta]) =
                spread_slopes(y1 - self.lower[j], distance, self.spread[j], eta);
            let (high, [high_room, high_distance, high_eta]) =
                spread_slopes(self.upper[j] - y2, distance, self.spread[j], eta);
            let reach = 0.5 * distance;
            let middle = 0.5 * (small + large);
            // d beta = room' d room + distance' d distance; the room below grows with y1, that above falls with y2.
            let by_distance = large * (high_distance * reach + 0.5 * high) - small * (low_distance * reach + 0.5 * low);
            let d_y1 = middle - by_distance - small * low_room * reach;
            let d_y2 = middle + by_distance - large * high_room * reach;
            d_theta[0] += reach * (large * high_eta - small * low_eta);
            let (to_1, to_2) = if ascending { (d_y1, d_y2) } else { (d_y2, d_y1) };
            d1[j] += to_1;
            d2[j] += to_2;
        }
        d_theta[1] += d_gate * self.relax.gate_slope(z) * mask_logit_slope(rate);
    }
}

/// BLX-alpha. Theta: alpha; inputs: two parents; output: a child.
#[derive(Debug, Clone, Copy)]
pub struct Blend<'a> {
    /// A uniform number a variable.
    pub draws: &'a [f64],
}

impl Operator for Blend<'_> {
    fn sizes(&self) -> Sizes {
        Sizes { theta: 1, inputs: 2 * self.draws.len(), outputs: self.draws.len() }
    }

    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (alpha, (p1, p2)) = (theta[0], inputs.split_at(self.draws.len()));
        for (j, o) in outputs.iter_mut().enumerate() {
            let gamma = (S::one() + S::of(2.0) * alpha) * S::of(self.draws[j]) - alpha;
            *o = p1[j] + gamma * (p2[j] - p1[j]);
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let dim = self.draws.len();
        let (p1, p2) = inputs.split_at(dim);
        for (j, (c, u)) in cotangent.iter().zip(self.draws).enumerate() {
            let gamma = (1.0 + 2.0 * theta[0]) * u - theta[0];
            d_theta[0] += c * (2.0 * u - 1.0) * (p2[j] - p1[j]);
            d_inputs[j] += c * (1.0 - gamma);
            d_inputs[dim + j] += c * gamma;
        }
    }
}

/// Arithmetic crossover. Theta: a, one or one a variable; inputs: two parents; output: a child.
#[derive(Debug, Clone, Copy)]
pub struct Arithmetic {
    /// Coordinates.
    pub dim: usize,
    /// Whether every variable has its own share.
    pub each: bool,
}

impl Operator for Arithmetic {
    fn sizes(&self) -> Sizes {
        Sizes { theta: if self.each { self.dim } else { 1 }, inputs: 2 * self.dim, outputs: self.dim }
    }

    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (p1, p2) = inputs.split_at(self.dim);
        for (j, o) in outputs.iter_mut().enumerate() {
            let a = one_or_each(theta, j);
            *o = a * p1[j] + (S::one() - a) * p2[j];
        }
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let (p1, p2) = inputs.split_at(self.dim);
        for (j, c) in cotangent.iter().enumerate() {
            let k = place(theta, j);
            d_theta[k] += c * (p1[j] - p2[j]);
            d_inputs[j] += c * theta[k];
            d_inputs[self.dim + j] += c * (1.0 - theta[k]);
        }
    }
}

/// Which numbers come from the mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recombination {
    /// Each by itself, and the one at this place for sure.
    Binomial(usize),
    /// A run that begins here.
    Exponential(usize),
    /// Each by itself.
    Uniform,
}

/// Discrete crossover. Theta: the rate, one or one a draw; inputs: mutant, parent; output: a child.
#[derive(Debug, Clone, Copy)]
pub struct Recombine<'a> {
    /// How a number is decided to be taken.
    pub relax: Relaxation,
    /// Which numbers come from the mutant.
    pub kind: Recombination,
    /// A uniform number a variable.
    pub draws: &'a [f64],
    /// Whether every draw has its own rate.
    pub each: bool,
}

impl Recombine<'_> {
    /// The place of the k-th number that is decided, and its share of the mutant, for all of them in turn.
    #[inline(always)]
    fn shares<S: Scalar>(&self, theta: &[S], mut see: impl FnMut(usize, bool, S)) {
        let dim = self.draws.len();
        let gate = |k: usize| {
            let rate = one_or_each(theta, k);
            self.relax.gate(S::of(self.draws[k]) < rate, || mask_logit(rate, self.draws[k]))
        };
        match self.kind {
            Recombination::Exponential(start) => {
                let first =
                    self.draws[..dim - 1].iter().enumerate().position(|(k, &u)| S::of(u) >= one_or_each(theta, k));
                let run = 1 + first.unwrap_or(dim - 1);
                let mut share = S::one();
                for k in 0..dim {
                    if k > 0 {
                        share = share * gate(k - 1);
                    }
                    see((start + k) % dim, k < run, share);
                }
            }
            Recombination::Binomial(_) | Recombination::Uniform => {
                for j in 0..dim {
                    let sure = self.kind == Recombination::Binomial(j);
                    let taken = sure || S::of(self.draws[j]) < one_or_each(theta, j);
                    see(j, taken, if sure { S::one() } else { gate(j) });
                }
            }
        }
    }
}

impl Operator for Recombine<'_> {
    fn sizes(&self) -> Sizes {
        let dim = self.draws.len();
        Sizes { theta: if self.each { dim } else { 1 }, inputs: 2 * dim, outputs: dim }
    }

    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]) {
        let (mutant, parent) = inputs.split_at(self.draws.len());
        self.shares(theta, |j, taken, share| {
            let hard = || if taken { mutant[j] } else { parent[j] };
            outputs[j] = self.relax.decide(hard, || parent[j] + share * (mutant[j] - parent[j]));
        });
    }

    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]) {
        let dim = self.draws.len();
        let (mutant, parent) = inputs.split_at(dim);
        let (d_mutant, d_parent) = d_inputs.split_at_mut(dim);
        let slope = |k: usize| {
            let rate = one_or_each(theta, k);
            self.relax.gate_slope(mask_logit(rate, self.draws[k])) * mask_logit_slope(rate)
        };
        // The derivative by every share, in the order of the decisions, and the shares themselves.
        let (mut d_shares, mut shares) = (vec![0.0; dim], vec![0.0; dim]);
        let mut k = 0;
        self.shares(theta, |j, _, share| {
            (d_shares[k], shares[k]) = (cotangent[j] * (mutant[j] - parent[j]), share);
            d_mutant[j] += share * cotangent[j];
            d_parent[j] += (1.0 - share) * cotangent[j];
            k += 1;
        });
        match self.kind {
            Recombination::Exponential(_) => {
                for k in (1..dim).rev() {
                    // share_k = share_(k-1) gate_(k-1)
                    let rate = one_or_each(theta, k - 1);
                    let gate = self.relax.gate(self.draws[k - 1] < rate, || mask_logit(rate, self.draws[k - 1]));
                    d_theta[place(theta, k - 1)] += d_shares[k] * shares[k - 1] * slope(k - 1);
                    d_shares[k - 1] += d_shares[k] * gate;
                }
            }
            Recombination::Binomial(_) | Recombination::Uniform => {
                for (j, d) in d_shares.iter().enumerate().filter(|(j, _)| self.kind != Recombination::Binomial(*j)) {
                    d_theta[place(theta, j)] += d * slope(j);
                }
            }
        }
    }
}
