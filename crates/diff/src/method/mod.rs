//! Methods that use gradients: each a plain method and five modes of it.
//!
//! ```text
//! classical  the plain method's kernel and nothing else
//! adaptive   (X', aux') = T_theta(X; xi);  g_i = grad f(x'_i);  theta moves against vjp_T(omega_i g_i)      one gradient a child
//! diff       the same derivative by the points: every survivor tries x - Delta R u, u = -dL/dx / |dL/dx|, and keeps it if better
//! full       both
//! hybrid     elite injection ([`crate::inject`]): the best tenth takes gradient steps, the rest is classical; the default
//! ```
//!
//! omega are the derivatives of a [`Loss`](crate::learn::Loss) of the new values; only adjoints of operators and gradients of f
//! are needed, and f is never differentiated twice. Without a source of gradients a method whose mode the user has not chosen is classical.
//!
//! Laws, each a test: classical walks the plain method's trajectory to the bit, and so do the others at learning rate and step 0;
//! the stored value of a point is the value of that point after every iteration; what a run counts is what was evaluated.
//! Gradient steps are trials: evaluated, counted, kept only if better.
//!
//! | file | what is there |
//! |---|---|
//! | `params` | the modes and their parameters |
//! | `frame` | ask and tell, phases, modes: [`Differentiable`] over a [`Base`] |
//! | `swarming` | the base of methods that move a swarm: [`Swarming`] over a [`Plain`] |
//! | `evolution`, `swarm` | their plain methods: learnable numbers, adjoints of moves |
//! | `sampling` | the base of methods that sample from a distribution: [`Sampling`] |

mod evolution;
mod frame;
mod params;
mod sampling;
mod swarm;
mod swarming;

use crate::learn::Learnable;
pub(crate) use frame::Steered;
pub use frame::{Adjoint, Base, Differentiable, Trials};
pub use params::{Both, Mode, Params, Slopes};
pub use sampling::{Named, Sampling};
pub use swarming::{Before, Plain, Swarming};

use swarmgrad_algorithms::distribution::{cma_es, snes};
use swarmgrad_algorithms::evolution::{de, ga, jde, shade};
use swarmgrad_algorithms::particle::{cbo, empso, pso};
use swarmgrad_algorithms::registry::{Entry, Method, Settings};
use swarmgrad_core::{Error, Result, Space};

type Build = fn(&Space<f64>, Option<u64>, &Settings) -> Result<Box<dyn Steered>>;

/// What [`crate::meta`] needs of a method that has learnable numbers.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) learnables: &'static [Learnable],
    pub(crate) build: Build,
}

impl Subject {
    const fn of<B: Base<f64>>() -> Self {
        Subject { name: B::LABEL, learnables: B::THETA, build: build::<B> }
    }
}

fn build<B: Base<f64>>(space: &Space<f64>, budget: Option<u64>, settings: &Settings) -> Result<Box<dyn Steered>> {
    let known = ENTRIES.iter().find(|entry| entry.name == B::LABEL);
    let entry = known.ok_or_else(|| Error::parameter("method", B::LABEL, "must be in the table"))?;
    let (start, settings) = entry.resolve(settings)?;
    let params = serde_json::from_value(settings.into())
        .map_err(|why| Error::parameter("settings", B::LABEL, why.to_string()))?;
    Ok(Box::new(Differentiable::<f64, B>::new(space, start, budget, params)?))
}

/// The method of that name, if it has learnable numbers.
pub(crate) fn subject(name: &str) -> Result<&'static Subject> {
    let learnable = || SUBJECTS.iter().filter(|subject| !subject.learnables.is_empty());
    let unknown = || Error::unknown("method with learnable numbers", name, learnable().map(|subject| subject.name));
    learnable().find(|subject| subject.name == name).ok_or_else(unknown)
}

/// The table: for both scalars what moves, one line what it is, and the paper.
macro_rules! methods {
    ($($B32:ty, $B64:ty, $summary:literal, $paper:literal;)*) => {
        /// All methods of this crate.
        pub static ENTRIES: &[Entry] =
            &[$(Entry::of::<Differentiable<f32, $B32>, Differentiable<f64, $B64>>($summary, $paper, &[])),*];

        static SUBJECTS: &[Subject] = &[$(Subject::of::<$B64>()),*];
    };
}

methods! {
    Swarming<f32, ga::Ga<f32>>, Swarming<f64, ga::Ga<f64>>,
        "genetic algorithm that uses gradients", "Citterio & Tangherloni 2025; Deb & Agrawal 1995";
    Swarming<f32, de::De>, Swarming<f64, de::De>,
        "differential evolution that uses gradients", "Citterio & Tangherloni 2025; Storn & Price 1997";
    Swarming<f32, jde::Jde>, Swarming<f64, jde::Jde>,
        "jDE whose best take gradient steps", "Citterio & Tangherloni 2025; Brest et al. 2006";
    Swarming<f32, shade::Shade<f32>>, Swarming<f64, shade::Shade<f64>>,
        "SHADE whose best take gradient steps", "Citterio & Tangherloni 2025; Tanabe & Fukunaga 2013";
    Swarming<f32, pso::Pso>, Swarming<f64, pso::Pso>,
        "PSO that uses gradients", "Citterio & Tangherloni 2025; Shi & Eberhart 1998";
    Swarming<f32, empso::Empso<f32>>, Swarming<f64, empso::Empso<f64>>,
        "EMPSO that uses gradients", "Citterio & Tangherloni 2025; AdaSwarm";
    Swarming<f32, cbo::Cbo<f32>>, Swarming<f64, cbo::Cbo<f64>>,
        "CBO that uses gradients", "Citterio & Tangherloni 2025; Carrillo et al. 2021";
    Sampling<f32, snes::Snes>, Sampling<f64, snes::Snes>,
        "evolution strategy (SNES) that uses gradients", "Citterio & Tangherloni 2025; Schaul et al. 2011";
    Sampling<f32, cma_es::CmaEs>, Sampling<f64, cma_es::CmaEs>,
        "CMA-ES that uses gradients", "Citterio & Tangherloni 2025; Hansen 2011, 2016";
}
