//! Consensus-based optimisation of several objectives: each particle has weights, and goes to the consensus of all for its weights.
//!
//! Papers: Borghi, Herty and Pareschi, "A consensus-based algorithm for multi-objective optimization and its mean-field description"
//! (CDC 2022), and "An adaptive consensus based method for multi-objective optimization with uniform Pareto front approximation"
//! (Applied Mathematics and Optimization 2023):
//!
//! ```text
//! (1)  G(x, w) = max_k w_k |g_k(x)|                                        Chebyshev, w on the simplex
//! (2)  y_i = sum_j x_j e^(-alpha G(x_j, w_i)) / sum_j e^(-alpha G(x_j, w_i))
//! (3)  x_i <- x_i + lambda dt (y_i - x_i) + sigma sqrt(dt) (y_i - x_i) * xi_i
//! (4)  F_i = 1 / (N - 1) sum_j C/2 (g_i - g_j) / |g_i - g_j| e^(-C |g_i - g_j|)   Morse's energy pushes images apart
//! (5)  w_ik <- w_ik + dt tau sum_l (F_il - F_ik), back to the simplex
//! ```
//!
//! Larger weights mean smaller objectives, whence the sign of (5).
//!
//! Differs from the papers: dt is 0.1, for the papers' 0.01 takes thousands of steps (preset `paper`); objectives count from the best to the worst value on the front found so far, where the papers suppose them
//! to be positive and of like size; where feasible points are known infeasible ones have no weight in (2), before that G is the
//! violation; an archive of the best points of all that were evaluated is the answer.

use super::archive::Archive;
use super::told::{Incumbent, Told};
use crate::method::Method;
use crate::parameters::{Parameters, parameters};
use crate::particle::consensus;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{
    Aim, Algorithm, Constraint, Matrix, Real, Result, Rng, Solutions, Space, Start, View, save_state,
};

parameters! {
    /// Parameters of [`MoCbo`].
    pub struct Params {
        /// Number of particles, N.
        particles "N": usize = 100, AtLeast(2.0);
        /// Length of a time step.
        dt "dt": f64 = 0.1, Above(0.0);
        /// Drift towards the consensus.
        lambda "lambda": f64 = 1.0, AtLeast(0.0);
        /// Noise, in units of the distance to the consensus.
        sigma "sigma": f64 = 3.0, AtLeast(0.0);
        /// How much better points weigh more.
        alpha "alpha": f64 = 1e6, AtLeastOrInfinite(0.0), with "crate::parameters::number";
        /// How fast the weights move; 0 leaves them as they are.
        tau "tau": f64 = 0.1, AtLeast(0.0);
        /// Inverse reach of the force between images, in units of the front.
        reach "C": f64 = 20.0, Above(0.0);
        /// Points of the front that are kept at most.
        archive "A": usize = 100, AtLeast(1.0);
    }
}

/// Consensus-based optimisation of several objectives.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct MoCbo<F: Real> {
    params: Params,
    space: Space<F>,
    start: Start,
    x: Matrix<F>,
    fx: Vec<F>,
    /// Objectives and violations of the particles.
    f: Matrix<f64>,
    violation: Vec<f64>,
    weights: Matrix<f64>,
    told: Told,
    archive: Archive<F>,
    best: Incumbent<F>,
    iterations: u64,
    started: bool,
    lent: bool,
}

impl<F: Real> Method<F> for MoCbo<F> {
    const NAME: &'static str = "mo_cbo";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, _budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        Ok(MoCbo {
            archive: Archive::new(params.archive),
            params,
            space: space.clone(),
            start,
            x: Matrix::empty(space.dim()),
            fx: Vec::new(),
            f: Matrix::empty(1),
            violation: Vec::new(),
            weights: Matrix::empty(1),
            told: Told::default(),
            best: Incumbent::default(),
            iterations: 0,
            started: false,
            lent: false,
        })
    }

    fn verify(&self) -> Result<()> {
        let (dim, objectives) = (self.space.dim(), self.told.objectives());
        let n = if self.started { self.params.particles } else { 0 };
        saved::parameters(&self.params)?;
        self.start.check(&self.space)?;
        self.told.verify()?;
        saved::holds("phase", !self.lent, "must be that between two rounds")?;
        saved::count("iterations", self.iterations)?;
        saved::length("values", &self.fx, n)?;
        saved::length("violations", &self.violation, n)?;
        saved::shape("x", &self.x, n, dim)?;
        saved::shape("objectives", &self.f, n, objectives)?;
        saved::shape("weights", &self.weights, n, objectives)?;
        saved::length("best", &self.best.x, if self.started { dim } else { 0 })?;
        let numbers = !self.f.data().iter().chain(self.weights.data()).chain(&self.violation).any(|t| t.is_nan());
        saved::holds("objectives and weights", numbers, "must be numbers")?;
        self.archive.verify(dim, objectives)
    }
}

/// Weights on the simplex: evenly for two objectives, else the gaps between sorted uniform numbers.
fn spread(n: usize, objectives: usize, rng: &Rng) -> Matrix<f64> {
    let mut weights = Matrix::zeros(n, objectives);
    let rng = rng.fork("weights");
    for (i, row) in weights.iter_mut().enumerate() {
        let mut cuts = vec![0.0; objectives - 1];
        match objectives {
            2 => cuts[0] = i as f64 / (n - 1) as f64,
            _ => rng.row(i).fill_uniform(&mut cuts),
        }
        cuts.sort_by(f64::total_cmp);
        let ends = cuts.iter().copied().chain([1.0]);
        let mut before = 0.0;
        for (w, end) in row.iter_mut().zip(ends) {
            *w = end - std::mem::replace(&mut before, end);
        }
    }
    weights
}

/// Moves a point to the nearest one on the simplex: what is beyond is taken from all that stay positive alike.
fn to_simplex(w: &mut [f64]) {
    let mut sorted = w.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut shift) = (0.0, 0.0);
    for (k, t) in sorted.into_iter().enumerate() {
        sum += t;
        let next = (sum - 1.0) / (k + 1) as f64;
        if t > next {
            shift = next;
        }
    }
    w.iter_mut().for_each(|t| *t = (*t - shift).max(0.0));
}

impl<F: Real> MoCbo<F> {
    /// The weights of the particles, one row each.
    pub fn weights(&self) -> &Matrix<f64> {
        &self.weights
    }

    /// The objectives in units of the front found so far; +inf where there are none.
    fn scaled(&self) -> Matrix<f64> {
        let mut g = self.f.clone();
        let front = self.archive.f();
        for k in 0..g.dim() {
            let values = || front.iter().map(|f| f[k]);
            let (best, worst) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), t| (l.min(t), h.max(t)));
            let extent = 0.5 * worst - 0.5 * best;
            for row in g.iter_mut() {
                let above = 0.5 * row[k] - 0.5 * best;
                row[k] = if !above.is_finite() {
                    f64::INFINITY
                } else if extent > 0.0 && extent.is_finite() {
                    above / extent
                } else {
                    2.0 * above
                };
            }
        }
        g
    }

    fn advance(&mut self, rng: &Rng) {
        let Params { dt, lambda, sigma, alpha, .. } = self.params;
        let (g, n, dim) = (self.scaled(), self.x.len(), self.space.dim());
        let feasible = self.violation.contains(&0.0);
        let (mut energy, mut y) = (vec![0.0; n], vec![F::zero(); dim]);
        let (noise, outside) = (rng.fork("xi"), rng.fork("outside"));
        let (drift, spread) = (F::of(lambda * dt), F::of(sigma * dt.sqrt()));
        let before = self.x.clone();
        let mut xi = vec![F::zero(); dim];
        for i in 0..n {
            for ((energy, g), &violation) in energy.iter_mut().zip(g.iter()).zip(&self.violation) {
                let weighted = g.iter().zip(self.weights.row(i)).map(|(g, w)| if *w > 0.0 { w * g.abs() } else { 0.0 });
                *energy = match feasible {
                    true if violation > 0.0 => f64::INFINITY,
                    true => weighted.fold(0.0, f64::max), // eq. (1)
                    false => violation,
                };
            }
            let energy: Vec<F> = energy.iter().map(|&e| F::of(e)).collect();
            // Where nothing is known yet there is no consensus, and it stays.
            if !consensus(&before, &energy, alpha, 0..n, &mut y) {
                y.copy_from_slice(before.row(i));
            }
            noise.row(i).fill_normal(&mut xi);
            let x = self.x.row_mut(i);
            for ((x, &y), &xi) in x.iter_mut().zip(&y).zip(&xi) {
                let way = y - *x;
                *x = *x + drift * way + spread * way * xi; // eq. (3)
            }
            // What overflows stays.
            x.iter_mut().zip(before.row(i)).filter(|(x, _)| !x.is_finite()).for_each(|(x, &old)| *x = old);
            self.space.repair(x, 0, &mut outside.row(i));
        }
        self.adapt(&g);
    }

    /// Moves the weights so that images part.
    fn adapt(&mut self, g: &Matrix<f64>) {
        let Params { dt, tau, reach, .. } = self.params;
        let (n, m) = (g.len(), g.dim());
        if m < 2 || tau == 0.0 {
            return;
        }
        for i in 0..n {
            let mut force = vec![0.0; m];
            for j in 0..n {
                let away = || g.row(i).iter().zip(g.row(j)).map(|(a, b)| a - b);
                let distance = away().map(|t| t * t).sum::<f64>().sqrt();
                if distance > 0.0 && distance.is_finite() {
                    let size = 0.5 * reach * swarmgrad_core::math::exp(-reach * distance) / distance;
                    force.iter_mut().zip(away()).for_each(|(f, t)| *f += size * t / (n - 1) as f64); // eq. (4)
                }
            }
            let sum: f64 = force.iter().sum();
            let w = self.weights.row_mut(i);
            w.iter_mut().zip(&force).for_each(|(w, f)| *w += dt * tau * (sum - m as f64 * f)); // eq. (5)
            to_simplex(w);
        }
    }
}

impl<F: Real> Algorithm<F> for MoCbo<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        assert!(!self.lent, "ask was called twice without tell");
        if self.started {
            self.advance(rng);
        } else {
            self.start.fill(&self.space, rng, self.params.particles, &mut self.x);
            self.weights = spread(self.params.particles, self.told.objectives(), rng);
        }
        self.lent = true;
        std::mem::swap(&mut self.x, xs);
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        assert!(self.lent, "tell was called without ask");
        assert_eq!(values.len(), xs.len(), "tell needs one value for each point asked");
        self.lent = false;
        std::mem::swap(&mut self.x, xs);
        self.fx.clear();
        self.fx.extend(values.iter().map(|&value| if value.is_nan() { F::infinity() } else { value }));
        self.told.take_values(&self.fx);
        self.archive.join(&self.x, &self.told);
        self.f = self.told.f().clone();
        self.violation.clear();
        self.violation.extend_from_slice(self.told.violation());
        self.best.keep(&self.x, &self.fx, &self.violation);
        self.iterations += u64::from(self.started);
        self.started = true;
    }

    fn expect_constraints(&mut self, constraints: &[Constraint]) -> bool {
        self.told.expect_constraints(constraints);
        true
    }

    fn tell_constraints(&mut self, values: &Matrix<F>) {
        self.told.take_constraints(values);
    }

    fn expect_aim(&mut self, aim: &Aim) -> bool {
        let before = self.told.objectives();
        let taken = self.told.expect_aim(aim);
        if self.told.objectives() != before {
            // What is known is of other objectives.
            (self.archive, self.best) = (Archive::new(self.params.archive), Incumbent::default());
            self.started = false;
        }
        taken
    }

    fn tell_parts(&mut self, parts: &Matrix<F>) {
        self.told.take_parts(parts);
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn solutions(&self) -> Option<Solutions<F>> {
        self.archive.solutions()
    }

    fn memory(&self) -> f64 {
        let points = 3.0 * self.params.particles as f64 + self.params.archive as f64;
        size_of::<F>() as f64 * points * self.space.dim() as f64
    }

    fn iterations(&self) -> u64 {
        self.iterations
    }

    fn view(&self) -> View<'_, F> {
        View {
            matrices: vec![("x", self.x.rows()), ("archive", self.archive.x().rows())],
            vectors: vec![("fx", &self.fx), ("g", &self.best.x)],
            numbers: Vec::new(),
        }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(<Self as Method<F>>::NAME, self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn weights_start_and_stay_on_the_simplex() {
        let rng = swarmgrad_core::Rng::new(3);
        for objectives in [1, 2, 5] {
            for row in spread(7, objectives, &rng).iter() {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12 && row.iter().all(|w| *w >= 0.0), "{row:?}");
            }
        }
        assert_eq!(spread(3, 2, &rng).data(), [0.0, 1.0, 0.5, 0.5, 1.0, 0.0]);
        let mut w = [0.9, 0.4, -0.5];
        to_simplex(&mut w);
        assert_eq!(w, [0.75, 0.25, 0.0]);
    }

    proptest! {
        /// The nearest point: no other point of the simplex is nearer.
        #[test]
        fn projection_is_nearest(w in prop::collection::vec(-2.0..2.0f64, 1..6), other in prop::collection::vec(0.01..1.0f64, 6)) {
            let mut nearest = w.clone();
            to_simplex(&mut nearest);
            prop_assert!((nearest.iter().sum::<f64>() - 1.0).abs() < 1e-12 && nearest.iter().all(|t| *t >= 0.0));
            let total: f64 = other[..w.len()].iter().sum();
            let to = |p: &mut dyn Iterator<Item = f64>| w.iter().zip(p).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
            let near = to(&mut nearest.iter().copied());
            prop_assert!(near <= to(&mut other.iter().map(|t| t / total)) + 1e-12);
        }
    }
}
