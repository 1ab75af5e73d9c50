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

pub use frame::{Adjoint, Base, Differentiable, Trials};
pub use params::{Both, Mode, Params};
pub use sampling::{Named, Sampling};
pub use swarming::{Before, Plain, Swarming};

use swarmgrad_algorithms::distribution::{cma_es, snes};
use swarmgrad_algorithms::evolution::{de, ga, jde, shade};
use swarmgrad_algorithms::particle::{cbo, empso, pso};
use swarmgrad_algorithms::registry::Entry;

/// One line of the table.
macro_rules! method {
    ($M32:ty, $M64:ty, $summary:literal, $paper:literal) => {
        Entry::of::<Differentiable<f32, Swarming<f32, $M32>>, Differentiable<f64, Swarming<f64, $M64>>>(
            $summary,
            $paper,
            &[],
        )
    };
}

/// The same for a distribution.
macro_rules! sampling {
    ($D:ty, $summary:literal, $paper:literal) => {
        Entry::of::<Differentiable<f32, Sampling<f32, $D>>, Differentiable<f64, Sampling<f64, $D>>>(
            $summary,
            $paper,
            &[],
        )
    };
}

/// All methods of this crate.
pub static ENTRIES: &[Entry] = &[
    method!(
        ga::Ga<f32>,
        ga::Ga<f64>,
        "genetic algorithm that uses gradients",
        "Citterio & Tangherloni 2025; Deb & Agrawal 1995"
    ),
    method!(
        de::De,
        de::De,
        "differential evolution that uses gradients",
        "Citterio & Tangherloni 2025; Storn & Price 1997"
    ),
    method!(jde::Jde, jde::Jde, "jDE whose best take gradient steps", "Citterio & Tangherloni 2025; Brest et al. 2006"),
    method!(
        shade::Shade<f32>,
        shade::Shade<f64>,
        "SHADE whose best take gradient steps",
        "Citterio & Tangherloni 2025; Tanabe & Fukunaga 2013"
    ),
    method!(pso::Pso, pso::Pso, "PSO that uses gradients", "Citterio & Tangherloni 2025; Shi & Eberhart 1998"),
    method!(empso::Empso<f32>, empso::Empso<f64>, "EMPSO that uses gradients", "Citterio & Tangherloni 2025; AdaSwarm"),
    method!(
        cbo::Cbo<f32>,
        cbo::Cbo<f64>,
        "CBO that uses gradients",
        "Citterio & Tangherloni 2025; Carrillo et al. 2021"
    ),
    sampling!(
        snes::Snes,
        "evolution strategy (SNES) that uses gradients",
        "Citterio & Tangherloni 2025; Schaul et al. 2011"
    ),
    sampling!(cma_es::CmaEs, "CMA-ES that uses gradients", "Citterio & Tangherloni 2025; Hansen 2011, 2016"),
];
