//! The augmented Lagrangian, with multipliers and weights that follow the best point of each round.
//!
//! Papers: Atamna, Auger and Hansen, "Linearly convergent evolution strategies via augmented Lagrangian constraint handling" (FOGA
//! 2017); Hansen et al., pycma, for the first multipliers and weights. With n variables:
//!
//! ```text
//! (1)  L(x) = f(x) + sum_i phi_i,   phi = lambda c + mu c^2 / 2,   for c <= 0:  - lambda^2 / (2 mu)  where  lambda + mu c < 0
//! (2)  lambda <- lambda + mu c / 5,   at least 0 for c <= 0,      c at the best point of the round
//! (3)  mu <- mu 2^(1/k)  if  mu c^2 < 3 |L - L'| / n  or  5 |c - c'| < |c'|,   else mu 2^(-1/4k),      k = 2 sqrt(n)
//! (4)  lambda = q(f) / (n q(c)),   mu = 2 q(f) / (5 n q(c)^2)     at first;  q the distance between the quartiles of the round
//! ```
//!
//! Differs from the papers: (2) and (3) take the best point of the round, which is evaluated anyway, not the mean; the weights grow
//! faster than they shrink, where in the papers k = 5 n and growth is the slower one: a population draws in within a few hundred rounds,
//! and where the weights are too small until then it does so far outside.

use super::{ToldRound, quartiles, root_of_two};
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Real, Relation, Result, best_index};

/// Damping of eq. (2), and the constants of eq. (3).
const DAMPING: f64 = 5.0;
const K1: f64 = 3.0;
const K2: f64 = 5.0;

/// Multipliers and weights.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AugmentedLagrangian {
    lambda: Vec<f64>,
    mu: Vec<f64>,
    /// L and c of the best point one round before.
    last: Option<(f64, Vec<f64>)>,
}

impl AugmentedLagrangian {
    /// The multipliers, once they have followed a round.
    pub fn multipliers(&self) -> Option<Vec<f64>> {
        self.last.as_ref().map(|_| self.lambda.clone())
    }

    /// Whether what was read back can be gone on with.
    pub(super) fn verify(&self) -> Result<()> {
        saved::length("multipliers", &self.lambda, self.mu.len())?;
        self.last.as_ref().map_or(Ok(()), |(_, c)| saved::length("constraints", c, self.mu.len()))
    }

    pub(super) fn scalars<F: Real>(&mut self, told: ToldRound<'_, F>, out: &mut Vec<F>) {
        let n = told.dim as f64;
        if self.mu.len() != told.constraints.len() {
            *self = AugmentedLagrangian::default();
            self.begin(&told, n);
        }
        out.extend((0..told.values.len()).map(|i| F::of(self.value(&told, i))));
        let Some(best) = best_index(out).filter(|&i| out[i].is_finite()) else { return };
        let c: Vec<f64> = told.rows.row(best).iter().map(|c| c.f64()).collect();
        let l = out[best].f64();
        let k = 2.0 * n.sqrt();
        let (up, down) = (root_of_two(k), 1.0 / root_of_two(4.0 * k));
        for (i, constraint) in told.constraints.iter().enumerate() {
            let mut lambda = self.lambda[i] + self.mu[i] * c[i] / DAMPING; // eq. (2)
            if constraint.relation() == Relation::AtMost {
                lambda = lambda.max(0.0);
            }
            if let Some((before, past)) = &self.last {
                let slow = self.mu[i] * c[i] * c[i] < K1 * (l - before).abs() / n;
                let still = K2 * (c[i] - past[i]).abs() < past[i].abs();
                self.mu[i] *= if slow || still { up } else { down }; // eq. (3)
            }
            self.lambda[i] = lambda;
        }
        self.last = Some((l, c));
    }

    /// Eq. (4).
    fn begin<F: Real>(&mut self, told: &ToldRound<'_, F>, n: f64) {
        let positive = |t: f64| if t > 0.0 { t } else { 1.0 };
        let f = positive(quartiles(told.values.iter().map(|f| f.f64())));
        for (i, constraint) in told.constraints.iter().enumerate() {
            let c = positive(quartiles(told.rows.iter().map(|row| row[i].f64())));
            let inequality = constraint.relation() == Relation::AtMost;
            self.lambda.push(if inequality { f / (n * c) } else { 0.0 });
            self.mu.push(2.0 * f / (5.0 * n * c * c));
        }
    }

    /// Eq. (1); +inf where something is not known.
    fn value<F: Real>(&self, told: &ToldRound<'_, F>, i: usize) -> f64 {
        let mut sum = told.values[i].f64();
        for (k, (constraint, c)) in told.constraints.iter().zip(told.rows.row(i)).enumerate() {
            let (c, lambda, mu) = (c.f64(), self.lambda[k], self.mu[k]);
            let idle = constraint.relation() == Relation::AtMost && lambda + mu * c < 0.0;
            sum += if idle { -lambda * lambda / (2.0 * mu) } else { lambda * c + 0.5 * mu * c * c };
        }
        if sum.is_finite() { sum } else { f64::INFINITY }
    }
}
