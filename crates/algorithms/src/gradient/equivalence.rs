//! Gradients by the equivalence theorems of the AdaSwarm paper: kappa (w - g), g the best point of a swarm around w.
//!
//! Paper: Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha, "AdaSwarm: augmenting gradient-based optimizers in
//! deep learning with swarm intelligence" (IEEE TETCI 2021). With w' the minimum, its right-hand sides are
//!
//! ```text
//! (15)  df/dw = -(c1 r1 + c2 r2) / eta  (w - g)                          near; eta = omega (PSO), eta = 1 - beta (EMPSO)
//! (19)  df/dw = v - [c1 r1 (w - p) + c2 r2 (w - g)] / eta                far
//! supp. df/dw = (phi / eta) v - [c1 r1 (w - p) + c2 r2 (w - g)] / eta    far, phi the inertia of the swarm
//! III-C df/dw = -(c1 r1 + c2 r2) / eta  (z - g),  z = w + shift          non-differentiable
//! ```
//!
//! c1 r1 and c2 r2 are means over the particles in the last iteration, v the velocity of the particle that found g, p the
//! best point of the particle that started at w. The paper steps w <- w + eta df/dw (eq. 11): with (19) and eta = omega
//! that is one move of the swarm, to the bit.
//!
//! Differs from the paper: equation (11) makes its "df/dw" **minus** a gradient. What is written here descends,
//! w <- w - step * gradient, so every formula has the opposite sign; [`Sign::Paper`] gives the printed one. kappa =
//! (c1 r1 + c2 r2) / eta holds no information about f: the direction is sound (see [`super::search`]), the length is not.
//! [`Kappa::Calibrated`] measures the curvature instead.

use super::points::length;
use super::search::{self, Flight, Search};
use super::{curvature, towards};
use crate::parameters::{Parameters, choice, parameters};
use crate::particle::Pulls;
use swarmgrad_core::{Error, GradientSource, Problem, Real, Reliability, Result, Rng, Sampled};

choice! {
    /// Where the factor kappa comes from.
    pub enum Kappa {
        /// (c1 + c2) / (2 eta), the mean of the paper's.
        Expected = "expected",
        /// (c1 r1 + c2 r2) / eta with the means over the particles of the last iteration: random.
        Paper = "paper",
        /// The curvature around g, from the swarm's own samples; `expected` where they do not show one.
        Calibrated = "calibrated",
        /// A given number.
        Fixed = "fixed",
    }
}

choice! {
    /// Which of the paper's formulas.
    pub enum Form {
        /// Equation (15).
        Near = "near",
        /// Equation (19), with velocity and own memory.
        Far = "far",
        /// The supplement's variant of (19), with phi / eta times the velocity.
        FarScaled = "far_scaled",
        /// Section III-C: (15) at the shifted point z = w + shift.
        Shifted = "shifted",
    }
}

choice! {
    /// Which way the result points.
    pub enum Sign {
        /// To be subtracted: w - step * gradient has smaller values.
        Descent = "descent",
        /// As the paper prints it: to be added.
        Paper = "paper",
    }
}

parameters! {
    /// Parameters of [`Equivalence`].
    pub struct Params {
        /// Number of particles, the point itself included.
        particles "n": usize = 10, AtLeast(1.0);
        /// Moves of the swarm; a gradient costs n (T + 1) evaluations.
        iterations "T": usize = 30, AtLeast(0.0);
        /// Which swarm flies.
        flight "": Flight = Flight::Empso, Choice(Flight::WORDS);
        /// Share of the old momentum in the new one (EMPSO).
        beta "beta": f64 = 0.2, Below(0.0, 1.0);
        /// Inertia weight (PSO).
        inertia "omega": f64 = 0.729_843_788_128_357, Within(0.0, 1.0);
        /// Pull towards the particle's own best position.
        c1 "c1": f64 = 1.2, AtLeast(0.0);
        /// Pull towards the swarm's best position.
        c2 "c2": f64 = 1.2, AtLeast(0.0);
        /// How many random numbers a pull draws.
        draws "r1, r2": Pulls = Pulls::PerCoordinate, Choice(Pulls::WORDS);
        /// The other particles start within this distance of the point in each coordinate; null for the whole box (distance 1 where a bound is infinite).
        span "span": Option<f64> = None, Above(0.0);
        /// Learning rate of the theorem; null for the swarm's inertia: 1 - beta (EMPSO), omega (PSO).
        eta "eta": Option<f64> = None, Above(0.0);
        /// Where the factor kappa comes from.
        kappa "kappa": Kappa = Kappa::Expected, Choice(Kappa::WORDS);
        /// The factor of the policy `fixed`.
        factor "kappa": f64 = 1.0, Above(0.0);
        /// Samples within this distance of g show the curvature of the policy `calibrated`.
        radius "R": f64 = 0.05, Above(0.0);
        /// Which of the paper's formulas.
        form "": Form = Form::Near, Choice(Form::WORDS);
        /// The shift of the form `shifted`, the same in every coordinate.
        shift "alpha": f64 = 0.0, Finite;
        /// Which way the result points.
        sign "": Sign = Sign::Descent, Choice(Sign::WORDS);
    }
}

impl Params {
    /// The paper's numbers: c1 = 0.8, c2 = 0.9, beta = 0.9, so eta = 0.1 and kappa = 8.5 in the mean.
    pub fn paper() -> Self {
        Params { c1: 0.8, c2: 0.9, beta: 0.9, eta: Some(0.1), ..Params::default() }
    }

    /// The inertia of the swarm: 1 - beta (EMPSO) or omega (PSO). The theorems set eta to it.
    pub fn swarm_inertia(&self) -> f64 {
        match self.flight {
            Flight::Empso => 1.0 - self.beta,
            Flight::Pso => self.inertia,
        }
    }

    fn search(&self) -> search::Params {
        search::Params {
            particles: self.particles,
            iterations: self.iterations,
            flight: self.flight,
            beta: self.beta,
            inertia: self.inertia,
            c1: self.c1,
            c2: self.c2,
            draws: self.draws,
            span: self.span,
        }
    }
}

/// The gradient read off a swarm by the paper's theorems.
///
/// ```
/// use swarmgrad_algorithms::gradient::equivalence::{Equivalence, Params};
/// use swarmgrad_core::{Function, GradientSource, Rng, Space};
///
/// let step = Function::new(Space::cube(2, -5.0, 5.0)?, |x: &[f64]| x.iter().map(|t| t.abs().ceil()).sum());
/// let mut source = Equivalence::new(&step, Params::default())?;     // this function has no useful gradient
/// let mut gradient = [0.0; 2];
/// let sampled = source.gradient(&[4.5, -4.5], &mut gradient, &Rng::new(1));
/// assert!(gradient[0] > 0.0 && gradient[1] < 0.0);                  // descending leads towards 0
/// assert_eq!((sampled.value, sampled.evaluations), (10.0, 10 * 31));
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Equivalence<'a, F: Real = f64> {
    problem: &'a dyn Problem<F>,
    params: Params,
    eta: f64,
    search: Search<F>,
    kappa: f64,
}

impl<'a, F: Real> Equivalence<'a, F> {
    /// The source for a problem. Errors name the parameter, its value and the rule.
    pub fn new(problem: &'a dyn Problem<F>, params: Params) -> Result<Self> {
        params.check()?;
        let eta = params.eta.unwrap_or_else(|| params.swarm_inertia());
        if eta <= 0.0 {
            return Err(Error::parameter("inertia", params.inertia, "must be above 0 where eta is tied to it"));
        }
        let mut search = Search::new(params.search(), problem.space())?;
        if params.kappa == Kappa::Calibrated {
            search = search.with_samples();
        }
        Ok(Equivalence { problem, params, eta, search, kappa: f64::NAN })
    }

    /// The factor of the last gradient; NaN before the first.
    pub fn kappa(&self) -> f64 {
        self.kappa
    }

    /// The swarm of the last gradient.
    pub fn search(&self) -> &Search<F> {
        &self.search
    }

    /// The shares of p and of g in kappa.
    fn factors(&self) -> [f64; 2] {
        let p = &self.params;
        let expected = [0.5 * p.c1 / self.eta, 0.5 * p.c2 / self.eta];
        let total = expected[0] + expected[1];
        let split = |kappa: f64| if total > 0.0 { expected.map(|k| k * kappa / total) } else { [0.0, kappa] };
        match p.kappa {
            Kappa::Expected => expected,
            Kappa::Paper => self.search.pulls().map(|pull| pull / self.eta),
            Kappa::Fixed => split(p.factor),
            Kappa::Calibrated => {
                let ((g, at_g), (points, values)) = (self.search.attractor(), self.search.samples());
                curvature(points.rows(), values, g, at_g, p.radius).map_or(expected, split)
            }
        }
    }
}

impl<F: Real> GradientSource<F> for Equivalence<'_, F> {
    fn gradient(&mut self, w: &[F], out: &mut [F], rng: &Rng) -> Sampled<F> {
        let value = self.search.fly(self.problem, w, rng);
        let [own, best] = self.factors();
        self.kappa = own + best;
        let (g, _) = self.search.attractor();
        match self.params.form {
            Form::Near => towards(self.kappa, w, g, out), // eq. (15)
            Form::Shifted => {
                towards(self.kappa, w, g, out); // section III-C
                let shift = F::of(self.kappa * self.params.shift);
                out.iter_mut().for_each(|o| *o += shift);
            }
            Form::Far => far([own, best], 1.0, self.search.velocity(), w, [self.search.own_memory(), g], out), // eq. (19)
            Form::FarScaled => {
                let scale = self.params.swarm_inertia() / self.eta;
                far([own, best], scale, self.search.velocity(), w, [self.search.own_memory(), g], out);
            }
        }
        if self.params.sign == Sign::Paper {
            out.iter_mut().for_each(|o| *o = -*o);
        }
        let (near, spread) = self.search.agreement(w);
        let reliability = Reliability::of(near, 2.0, self.kappa * spread, length(out));
        Sampled { value, evaluations: self.search.evaluations(), gradients: 0, reliability: Some(reliability) }
    }
}

/// Minus the right-hand side of (19): -scale v + kappa1 (w - p) + kappa2 (w - g). With kappa1 = c1 r1 / eta, kappa2 =
/// c2 r2 / eta, scale = 1 and eta = omega the step w - eta * out is one move of PSO from the position w.
pub fn far<F: Real>([kappa1, kappa2]: [f64; 2], scale: f64, v: &[F], w: &[F], [p, g]: [&[F]; 2], out: &mut [F]) {
    let (kappa1, kappa2, scale) = (F::of(kappa1), F::of(kappa2), F::of(scale));
    for j in 0..out.len() {
        out[j] = kappa1 * (w[j] - p[j]) + kappa2 * (w[j] - g[j]) - scale * v[j];
    }
}
