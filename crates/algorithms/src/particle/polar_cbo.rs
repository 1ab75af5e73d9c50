//! Polarised consensus-based optimisation: every particle has a consensus of its own, made of its neighbours, so that a
//! swarm finds several minima at once.
//!
//! Paper: Bungert, Roith, Wacker, "Polarized consensus-based dynamics for optimization and sampling" (Mathematical Programming
//! 2024):
//!
//! ```text
//! c_i = sum_j k(X_i, X_j) w_j X_j / sum_j k(X_i, X_j) w_j,   w_j = exp(-alpha E(X_j)),   r = |X_i - X_j| / kappa
//! k:  gaussian exp(-r^2/2) | laplace exp(-r) | constant 1 if r <= 1, else 0 | inverse_quadratic 1/(1 + r^2)
//! X_i <- X_i + lambda dt (c_i - X_i) + sigma sqrt(dt) D(c_i - X_i) xi_i
//! ```
//!
//! An infinite kappa is `cbo`. With a kernel that never vanishes a large alpha lets the best particle attract all others;
//! alpha (E_i - E_j) and the kernel's exponent should be of one size. The answer is the consensus of the best particle; the view
//! shows all of them as `c`. The minima ([`Motion::solutions`]): particles whose centres lie within a kernel's width of that of the
//! best one belong to it, of the others again the best one, and so on; fewer than two in a hundred particles are still on their way.
//!
//! Differs from the paper: none.

use super::agreement::{Agreement, consensus_parameters};
use super::kinetic::distance;
use super::pso_sde::Noise;
use super::{Motion, Remembered, Swarm};
use crate::parameters::choice;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Found, Matrix, Real, Result, Rng, Solutions, Space, View, best_index, math};

choice! {
    /// How much particles at a distance count.
    pub enum Kernel {
        /// exp(-r^2/2).
        Gaussian = "gaussian",
        /// exp(-r).
        Laplace = "laplace",
        /// 1 up to r = 1, 0 beyond.
        Constant = "constant",
        /// 1/(1 + r^2).
        InverseQuadratic = "inverse_quadratic",
    }
}

consensus_parameters! {
    /// Parameters of [`PolarCbo`].
    pub struct Params {
        sigma = 8.0, alpha = 1.0;
        /// Drift towards the particle's consensus.
        lambda "lambda": f64 = 1.0, AtLeast(0.0);
        /// Time step.
        dt "dt": f64 = 0.01, Above(0.0);
        /// The form of the diffusion.
        noise "D": Noise = Noise::Anisotropic, Choice(Noise::WORDS);
        /// How much particles at a distance count.
        kernel "k": Kernel = Kernel::Gaussian, Choice(Kernel::WORDS);
        /// Width of the kernel, in the unit of the variables; infinity is one consensus for all.
        width "kappa": f64 = 1.0, AtLeastOrInfinite(1e-300), with "crate::parameters::number";
    }
}

/// Polarised CBO.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct PolarCbo<F: Real> {
    params: Params,
    agreement: Agreement<F>,
    /// The consensus of each particle.
    centres: Matrix<F>,
    /// The positions they are of.
    seen: Matrix<F>,
    answer: Vec<F>,
    #[serde(skip)]
    logs: Vec<f64>,
    #[serde(skip)]
    xi: Matrix<F>,
}

impl Kernel {
    /// The logarithm of the kernel at r = distance / kappa.
    fn log(self, r: f64) -> f64 {
        match self {
            Kernel::Gaussian => -0.5 * r * r,
            Kernel::Laplace => -r,
            Kernel::Constant if r <= 1.0 => 0.0,
            Kernel::Constant => f64::NEG_INFINITY,
            Kernel::InverseQuadratic => -math::ln(1.0 + r * r),
        }
    }
}

impl<F: Real> PolarCbo<F> {
    /// The consensus of every particle; where no value is finite, the particle itself.
    fn centre(&mut self, swarm: &Swarm<F>) {
        let (alpha, p) = (self.agreement.alpha, &self.params);
        let (x, values) = (&swarm.x, &swarm.fx);
        self.centres.copy_from(x.rows());
        self.seen.copy_from(x.rows());
        let lowest = values.iter().map(|e| e.f64()).filter(|e| e.is_finite()).fold(f64::INFINITY, f64::min);
        let gibbs = |e: F| match e.f64() - lowest {
            above if !above.is_finite() => f64::NEG_INFINITY,
            above if above == 0.0 || alpha == 0.0 => 0.0,
            above => -alpha * above,
        };
        for (i, out) in self.centres.iter_mut().enumerate() {
            let own = x.row(i);
            self.logs.clear();
            self.logs.extend(x.iter().zip(values).map(|(other, &e)| {
                let weight = gibbs(e);
                if weight == f64::NEG_INFINITY {
                    weight
                } else {
                    weight + p.kernel.log(distance(own, other).f64() / p.width)
                }
            }));
            let most = self.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if most == f64::NEG_INFINITY {
                continue;
            }
            let total: f64 = self.logs.iter().map(|l| math::exp(l - most)).sum();
            out.fill(F::zero());
            for (log, other) in self.logs.iter().zip(x.iter()).filter(|(log, _)| **log > most - 46.0) {
                let share = F::of(math::exp(log - most) / total);
                out.iter_mut().zip(other).for_each(|(c, &o)| *c += share * o);
            }
        }
        if let Some(best) = best_index(values) {
            self.answer.clear();
            self.answer.extend_from_slice(self.centres.row(best));
        }
    }
}

impl<F: Real> Motion<F> for PolarCbo<F> {
    const NAME: &'static str = "polar_cbo";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        let agreement = params.agreement();
        let [centres, seen, xi] = [(); 3].map(|()| Matrix::default());
        Ok(PolarCbo { params, agreement, centres, seen, answer: Vec::new(), logs: Vec::new(), xi })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        saved::shape("centres", &self.centres, swarm.len(), swarm.dim())?;
        saved::shape("seen", &self.seen, swarm.len(), swarm.dim())?;
        saved::length("answer", &self.answer, swarm.dim())?;
        self.agreement.verify(swarm.dim())
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, _swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {}

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        (swarm.y, swarm.fy) = (Matrix::default(), Vec::new());
        self.agreement.begin(&swarm.x, &swarm.fx);
        self.centre(swarm);
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let p = &self.params;
        let law = [p.lambda * p.dt, self.agreement.sigma * p.dt.sqrt()].map(F::of);
        approach(swarm, law, p.noise, &mut self.xi, space, rng, |i| self.centres.row(i));
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        self.agreement.next(&swarm.x, &swarm.fx);
        self.centre(swarm);
        Remembered::Done
    }

    fn answer(&self, _swarm: &Swarm<F>) -> Vec<F> {
        self.answer.clone()
    }

    fn solutions(&self, swarm: &Swarm<F>) -> Option<Solutions<F>> {
        let mut rest: Vec<usize> = (0..swarm.fx.len()).filter(|&i| swarm.fx[i].is_finite()).collect();
        rest.sort_by(|&a, &b| swarm.fx[a].f64().total_cmp(&swarm.fx[b].f64()));
        let mut minima = Vec::new();
        while let Some(&best) = rest.first() {
            let near = |i: usize| {
                distance(self.centres.row(i), self.centres.row(best)).f64() <= self.params.width || i == best
            };
            let particles = rest.iter().filter(|&&i| near(i)).count();
            if 50 * particles >= swarm.fx.len() {
                minima.push(Found {
                    x: self.seen.row(best).to_vec(),
                    value: swarm.fx[best],
                    parts: Vec::new(),
                    particles,
                });
            }
            rest.retain(|&i| !near(i));
        }
        Some(Solutions::minima(minima))
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        self.agreement.show(view);
        if !self.centres.is_empty() {
            view.matrices.push(("c", self.centres.rows()));
        }
    }
}

/// X_i <- X_i + lambda (c_i - X_i) + sigma D(c_i - X_i) xi_i, both numbers with their powers of dt.
pub(super) fn approach<'c, F: Real>(
    swarm: &mut Swarm<F>,
    [lambda, sigma]: [F; 2],
    noise: Noise,
    xi: &mut Matrix<F>,
    space: &Space<F>,
    rng: &Rng,
    centre: impl Fn(usize) -> &'c [F],
) {
    let (n, dim) = (swarm.len(), swarm.dim());
    xi.resize(n, dim);
    rng.fork("xi").fill_normal(0..n, 0..dim, xi.data_mut());
    let outside = rng.fork("outside");
    for (i, x) in swarm.x.iter_mut().enumerate() {
        let (c, xi) = (centre(i), xi.row(i));
        let far = if noise == Noise::Isotropic { Some(distance(c, x)) } else { None };
        for j in 0..dim {
            let z = c[j] - x[j];
            x[j] += lambda * z + sigma * far.unwrap_or(z.abs()) * xi[j];
        }
        space.repair(x, 0, &mut outside.row(i));
    }
}
