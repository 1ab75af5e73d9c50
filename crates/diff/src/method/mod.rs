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
//! | `selection` | who becomes a parent and who stays, hard, straight through or soft |
//! | `lshade` | L-SHADE with numbers that can be learned |
//! | `evolution`, `swarm` | their plain methods: learnable numbers, adjoints of moves |
//! | `sampling` | the base of methods that sample from a distribution: [`Sampling`] |
//! | `strategy` | their distributions: learnable numbers, what an update does by them |
//! | `subject` | what [`crate::meta`] needs of a method: `Subject` |

mod evolution;
mod frame;
mod lshade;
mod params;
mod sampling;
mod selection;
mod strategy;
mod subject;
mod swarm;
mod swarming;

pub(crate) use frame::Steered;
pub use frame::{Adjoint, Base, Differentiable, Trials};
pub use lshade::{Adaptation, Shrinking};
pub use params::{Both, Mode, Params, Slopes};
pub use sampling::{Learns, Named, Sampling};
pub use selection::{Added, Candidates, Mating, Nothing, Parents, Part, Ranking, Rivals, Selecting, Selection};
pub use strategy::{ByRates, ByTemperature, Learned, Numbers};
pub(crate) use subject::Subject;
pub use swarming::{Before, Plain, Swarming};
