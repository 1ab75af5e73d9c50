//! jDE: differential evolution whose individuals carry their own F and CR.
//!
//! Paper: Brest, Greiner, Boskovic, Mernik and Zumer, "Self-adapting control parameters in differential evolution: a
//! comparative study on numerical benchmark problems" (IEEE TEC 2006):
//!
//! ```text
//! F_i'  = F_l + rand1 F_u  where rand2 < tau1, else F_i         F_l = 0.1, F_u = 0.9
//! CR_i' = rand3            where rand4 < tau2, else CR_i
//! trial    rand/1/bin with F_i' and CR_i', see [`super::de`]
//! survival y_i, F_i, CR_i <- x_i, F_i', CR_i' if E(x_i) <= E(y_i)
//! ```
//!
//! Differs from the paper: none. All trials of an iteration come from the same population.

use super::mutate::rand_1;
use super::select::others;
use crate::parameters::parameters;
use crate::particle::{Motion, Remembered, Swarm};
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Real, Result, Rng, Space, View};

parameters! {
    /// Parameters of [`Jde`].
    pub struct Params {
        /// Size of the population.
        particles "NP": usize = 50, AtLeast(4.0);
        /// F of every individual at first.
        weight "F": f64 = 0.5, Within(0.0, 2.0);
        /// CR of every individual at first.
        crossover "CR": f64 = 0.9, Within(0.0, 1.0);
        /// Probability that a trial has a new F.
        tau1 "tau1": f64 = 0.1, Within(0.0, 1.0);
        /// Probability that a trial has a new CR.
        tau2 "tau2": f64 = 0.1, Within(0.0, 1.0);
    }
}

/// jDE: y is the population, x the trials.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Jde {
    params: Params,
    /// (F, CR) of the individuals, and of their trials.
    own: Vec<(f64, f64)>,
    tried: Vec<(f64, f64)>,
}

impl Jde {
    /// (F, CR) of the last trials.
    pub fn tried(&self) -> &[(f64, f64)] {
        &self.tried
    }
}

impl<F: Real> Motion<F> for Jde {
    const NAME: &'static str = "jde";
    type Params = Params;

    fn new(params: Params, _space: &Space<F>, _budget: Option<u64>) -> Result<Self> {
        Ok(Jde { params, own: Vec::new(), tried: Vec::new() })
    }

    fn verify_settings(&self, space: &Space<F>) -> Result<()> {
        saved::parameters(&self.params)?;
        Self::new(self.params.clone(), space, None).map(drop)
    }

    fn verify(&self, swarm: &Swarm<F>, _space: &Space<F>, _probed: bool) -> Result<()> {
        saved::holds("population", swarm.len() >= 4, "must be at least 4")?;
        swarm.verify_remembers()?;
        saved::length("own", &self.own, swarm.len())?;
        saved::length("tried", &self.tried, swarm.len())
    }

    fn particles(&self) -> usize {
        self.params.particles
    }

    fn launch(&mut self, _swarm: &mut Swarm<F>, _space: &Space<F>, _rng: &Rng) {}

    fn begin(&mut self, swarm: &mut Swarm<F>) {
        self.own = vec![(self.params.weight, self.params.crossover); swarm.len()];
        self.tried = self.own.clone();
    }

    fn advance(&mut self, swarm: &mut Swarm<F>, space: &Space<F>, rng: &Rng) {
        let (n, dim) = (swarm.len(), swarm.dim());
        let [picks, crosses, outside, control] = ["pick", "cross", "outside", "control"].map(|label| rng.fork(label));
        for i in 0..n {
            let mut draws = control.row(i);
            let [rand1, rand2, rand3, rand4] = std::array::from_fn(|_| draws.uniform());
            let (weight, rate) = self.own[i];
            let weight = if rand2 < self.params.tau1 { 0.1 + rand1 * 0.9 } else { weight };
            let rate = if rand4 < self.params.tau2 { rand3 } else { rate };
            self.tried[i] = (weight, rate);
            let (weight, rate) = (F::of(weight), F::of(rate));
            let mut draws = picks.row(i);
            let (x, y) = (swarm.x.row_mut(i), swarm.y.row(i));
            crosses.row(i).fill_uniform(x); // the draws stand where the trial will
            let [r1, r2, r3] = others(i, n, |len| draws.below(len)).map(|r| swarm.y.row(r));
            let start = draws.below(dim);
            for j in 0..dim {
                x[j] = if x[j] < rate || j == start { rand_1(weight, [r1[j], r2[j], r3[j]]) } else { y[j] };
            }
            space.repair(x, 0, &mut outside.row(i));
        }
    }

    fn remember(&mut self, swarm: &mut Swarm<F>) -> Remembered {
        for (i, (own, tried)) in self.own.iter_mut().zip(&self.tried).enumerate() {
            if swarm.fx[i] <= swarm.fy[i] {
                *own = *tried;
            }
        }
        swarm.keep_no_worse();
        Remembered::Done
    }

    fn show<'a>(&'a self, view: &mut View<'a, F>) {
        let n = self.own.len().max(1) as f64;
        let (weight, rate) = self.own.iter().fold((0.0, 0.0), |(f, c), own| (f + own.0, c + own.1));
        view.numbers.extend([("mean_F", weight / n), ("mean_CR", rate / n)]);
    }
}
