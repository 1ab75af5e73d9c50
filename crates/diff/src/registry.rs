//! The methods of this crate by name.

use crate::method::{Differentiable, Sampling, Shrinking, Subject, Swarming};
use swarmgrad_algorithms::distribution::{cma_es, snes};
use swarmgrad_algorithms::evolution::adaptive::Adaptive;
use swarmgrad_algorithms::evolution::{de, ga, jde, shade};
use swarmgrad_algorithms::method::Entry;
use swarmgrad_algorithms::particle::{cbo, empso, pso};
use swarmgrad_core::{Error, Result};

/// The table: for both scalars what moves, one line what it is, and the paper.
macro_rules! methods {
    ($($B32:ty, $B64:ty, $summary:literal, $paper:literal;)*) => {
        /// All methods of this crate.
        pub static ENTRIES: &[Entry] =
            &[$(Entry::of::<Differentiable<f32, $B32>, Differentiable<f64, $B64>>($summary, $paper, &[])),*];

        static SUBJECTS: &[Subject] = &[$(Subject::of::<$B64>(
            Entry::of::<Differentiable<f32, $B32>, Differentiable<f64, $B64>>($summary, $paper, &[]))),*];
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
    Swarming<f32, Adaptive<f32, Shrinking>>, Swarming<f64, Adaptive<f64, Shrinking>>,
        "L-SHADE that uses gradients", "Citterio & Tangherloni 2025; Tanabe & Fukunaga 2014";
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

/// The method of that name, if it has learnable numbers.
pub(crate) fn subject(name: &str) -> Result<&'static Subject> {
    let learnable = || SUBJECTS.iter().filter(|subject| !subject.learnables.is_empty());
    let unknown = || Error::unknown("method with learnable numbers", name, learnable().map(|subject| subject.name));
    learnable().find(|subject| subject.name == name).ok_or_else(unknown)
}
