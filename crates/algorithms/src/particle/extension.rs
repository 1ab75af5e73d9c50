//! The general step of consensus-based optimisation: what [`super::cbo`] adds to its plain step. Its header is that of `cbo`.

use super::Swarm;
use super::cbo::{Cbo, Correction, Surface};
use super::pso_sde::Noise;
use super::surface::{correction, nearest, tangent};
use swarmgrad_core::{Matrix, Real, Rng, Space, math};

impl<F: Real> Cbo<F> {
    /// Whether the plain step is not enough.
    pub(super) fn is_extended(&self) -> bool {
        let p = &self.params;
        p.correction != Correction::None
            || p.truncation.is_some()
            || p.jump_rate > 0.0
            || p.gradient > 0.0
            || p.surface != Surface::None
    }

    /// The consensus, where the drift is corrected (the mean of points in a narrow box may be a rounding outside), and the neighbours of all particles, where there is a gradient drift.
    pub(super) fn probes(&mut self, swarm: &Swarm<F>, space: &Space<F>, points: &mut Matrix<F>) {
        if self.params.correction != Correction::None {
            points.push(&self.agreement.consensus);
            space.clamp(points.row_mut(0));
        }
        if self.params.gradient > 0.0 {
            self.steps.clear();
            for x in swarm.x.iter() {
                for j in 0..x.len() {
                    let h = F::of(self.params.difference) * x[j].abs().max(F::one());
                    // Backwards where the next point would leave the space.
                    let h = if x[j] + h <= space.upper()[j] { h } else { -h };
                    let next = (x[j] + h).max(space.lower()[j]);
                    points.push(x);
                    let last = points.len() - 1;
                    points.row_mut(last)[j] = next;
                    self.steps.push(next - x[j]);
                }
            }
        }
    }

    /// One step of all particles with everything that is switched on.
    pub(super) fn advance_extended(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (n, dim) = (swarm.len(), swarm.dim());
        let (xi, jumps) = (rng.fork("xi2"), rng.fork("jump"));
        self.noise.resize(n, dim);
        xi.fill_normal(0..n, 0..dim, self.noise.data_mut());
        self.step.resize(dim, 0.0);
        self.jump.resize(dim, 0.0);
        let p = &self.params;
        let (dt, sigma) = (p.dt, self.agreement.sigma * p.dt.sqrt());
        let probed = &self.probed;
        let (at_consensus, differences) = match p.correction {
            Correction::None => (F::neg_infinity(), &probed[..]),
            _ => (probed[0], &probed[1..]),
        };
        let jump = p.jump * math::exp(-p.jump_decay * self.iterations as f64 * dt);
        let columns = if p.surface == Surface::Stiefel { p.columns } else { 1 };
        for (i, x) in swarm.x.iter_mut().enumerate() {
            let z = |j: usize, x: &[F]| (self.agreement.consensus[j] - x[j]).f64();
            let distance = (0..dim).map(|j| z(j, x) * z(j, x)).sum::<f64>().sqrt();
            let size = |j: usize, x: &[F]| if p.noise == Noise::Isotropic { distance } else { z(j, x).abs() };
            let share = match p.correction {
                Correction::None => 1.0,
                Correction::Heaviside => f64::from(u8::from(swarm.fx[i] > at_consensus)),
                Correction::Smooth => {
                    let gap = (swarm.fx[i] - at_consensus).f64();
                    if gap.is_nan() { 0.5 } else { 0.5 * (1.0 + math::tanh(gap / p.epsilon)) }
                }
            };
            let mut jumped = false;
            if p.jump_rate > 0.0 {
                let mut draws = jumps.row(i);
                let count = poisson(p.jump_rate * dt, draws.uniform());
                if count > 0 {
                    jumped = true;
                    draws.fill_normal(&mut self.jump);
                    // The sum of `count` standard normals.
                    self.jump.iter_mut().for_each(|t| *t *= f64::from(count).sqrt() * jump);
                }
            }
            for j in 0..dim {
                let most = p.truncation.unwrap_or(f64::INFINITY);
                let mut step = p.lambda * share * dt * z(j, x);
                step += sigma * size(j, x).min(most) * self.noise.row(i)[j].f64();
                if jumped {
                    step += size(j, x) * self.jump[j];
                }
                if p.gradient > 0.0 {
                    let (h, at) = (self.steps[i * dim + j].f64(), differences[i * dim + j].f64());
                    let slope = (at - swarm.fx[i].f64()) / h;
                    step -= if slope.is_finite() { p.gradient * dt * slope } else { 0.0 };
                }
                self.step[j] = step;
            }
            if p.surface == Surface::None {
                x.iter_mut().zip(&self.step).for_each(|(x, s)| *x += F::of(*s));
            } else {
                self.point.clear();
                self.point.extend(x.iter().map(|t| t.f64()));
                tangent(&self.point, &mut self.step, columns);
                let inward = correction(dim, columns) * (sigma * distance).powi(2);
                self.point.iter_mut().zip(&self.step).for_each(|(x, s)| *x += s - inward * *x);
                nearest(&mut self.point, columns);
                x.iter_mut().zip(&self.point).for_each(|(x, p)| *x = F::of(*p));
            }
        }
        let outside = rng.fork("outside");
        for (i, x) in swarm.x.iter_mut().enumerate() {
            space.repair(x, 0, &mut outside.row(i));
        }
    }
}

/// A Poisson number with this mean from one uniform number, by its distribution function; at most 1000.
fn poisson(mean: f64, u: f64) -> u32 {
    let (mut term, mut sum, mut k) = (math::exp(-mean), math::exp(-mean), 0);
    while u >= sum && k < 1000 {
        k += 1;
        term *= mean / f64::from(k);
        sum += term;
    }
    k
}

#[cfg(test)]
mod tests {
    use super::poisson;

    #[test]
    fn poisson_numbers() {
        // P(0) = .6065, P(1) = .3033, P(2) = .0758 at mean 1/2.
        assert_eq!([0.0, 0.6, 0.61, 0.9, 0.92, 0.99].map(|u| poisson(0.5, u)), [0, 0, 1, 1, 2, 3]);
        assert_eq!(poisson(0.0, 0.999), 0);
        let mean = (0..100_000).map(|i| f64::from(poisson(2.5, (f64::from(i) + 0.5) / 1e5))).sum::<f64>() / 1e5;
        assert!((mean - 2.5).abs() < 1e-3);
    }
}
