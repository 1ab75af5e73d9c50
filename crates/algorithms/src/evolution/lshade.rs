//! L-SHADE: SHADE whose population shrinks over the budget.
//!
//! Paper: Tanabe and Fukunaga, "Improving the search performance of SHADE using linear population size reduction"
//! (CEC 2014). Beside what [`super::adaptive`] and [`super::shade`] say:
//!
//! ```text
//! M_CR,k <- terminal if it is terminal or max(S_CR) = 0, else mean_WL(S_CR);   CR_i = 0 for the terminal value
//! M_F,k  <- mean_WL(S_F)
//! (10)  N <- round((4 - N_init) / budget * evaluations + N_init), the worst leave
//! archive: r_arc N members;  pbest: one of the best 100 p %
//! ```
//!
//! Differs from the paper: N_init is the paper's 18 d for the paper's budget, 10^4 evaluations a variable, and for more; for
//! less it falls with the square root of the budget (18 d there would leave a handful of iterations). Without a budget that
//! of the paper is planned, and four individuals go on after it.

use super::adaptive::{Adaptive, Control, Dice, History, Law, Plan, Stage, Successes, best};
use super::select::one_of;
use crate::parameters::parameters;
use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::Result;

parameters! {
    /// Parameters of [`Lshade`].
    pub struct Params {
        /// Size of the first population; null for 18 d sqrt(budget / (10^4 d)), at most 18 d.
        particles "N_init": Option<usize> = None, AtLeast(4.0);
        /// Entries of the memory.
        memory "H": usize = 6, Within(1.0, 1e6);
        /// Share of the population that counts as the best.
        best "p": f64 = 0.11, Within(0.0, 1.0);
        /// Members of the archive for each individual.
        archive "r_arc": f64 = 2.6, Within(0.0, 100.0);
    }
}

/// L-SHADE.
pub type Lshade<F> = Adaptive<F, Shrinking>;

/// The success history and the plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shrinking {
    params: Params,
    plan: Plan,
    history: History,
}

impl Law for Shrinking {
    const NAME: &'static str = "lshade";
    const UNIFORMS: usize = 1;
    type Params = Params;

    fn new(params: Params, dim: usize, budget: Option<u64>) -> Result<Self> {
        let plan = Plan::new(params.particles, 18.0 * dim as f64, dim, budget);
        let history = History::new(params.memory, 0.5, 0.5);
        Ok(Shrinking { params, plan, history })
    }

    fn verify(&self) -> Result<()> {
        saved::parameters(&self.params)?;
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
        let (weight, rate) = (dice.weight(weight), dice.rate(rate));
        Control { weight, pull: weight, rate, best: best(self.params.best, stage), another: false }
    }

    fn learn(&mut self, successes: &Successes) {
        self.history.write(|_, old| (successes.lehmer_weight(), old.and_then(|_| successes.lehmer_rate())));
    }

    fn means(&self) -> (f64, f64) {
        self.history.means()
    }
}
