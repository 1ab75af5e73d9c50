//! How a gradient moves a point: one file a rule, each a fused pass over flat slices.
//!
//! ```text
//! SGD         b <- mu b + (1 - dampening) g;    w <- w - rate b
//! Adam        m <- b1 m + (1 - b1) g;           v <- b2 v + (1 - b2) g^2
//!             w <- w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//! ```
//!
//! and AdaGrad, AdaDelta, RMSProp, AMSGrad, AdamW, diffGrad. A network's weights come in pieces, a tensor at a time, so a step is
//! [`Rule::begin`] and an [`Rule::update`] for each piece; [`Rule::step`] does both for a point in one piece.
//!
//! An average that decays towards zero ends in subnormal numbers, which cost a processor a hundred times a normal one's time, and
//! never leaves them: averages below 1e-31 (`f32`) are set to zero. There the step they would make is below a billionth of the learning
//! rate (epsilon is far larger).

mod adadelta;
mod adagrad;
mod adam;
mod diffgrad;
mod rmsprop;
mod sgd;

pub use adadelta::AdaDelta;
pub use adagrad::AdaGrad;
pub use adam::{Adam, Text};
pub use diffgrad::DiffGrad;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use swarmgrad_core::simd::level;
use swarmgrad_core::{Error, Real, Result};

/// A rule that moves weights by gradients, element by element. It keeps its own averages; when the number of weights changes they
/// start anew.
pub trait Rule<F: Real = f64>: Send {
    /// Whether every parameter is in its range.
    ///
    /// # Errors
    /// The first that is not: name, value and range.
    fn check(&self) -> Result<()>;

    /// A new step begins, for `total` weights in all.
    fn begin(&mut self, total: usize);

    /// Moves the weights `from..from + weights.len()` of the flat vector down their gradient; both slices have that length.
    fn update(&mut self, from: usize, weights: &mut [F], gradient: &[F]);

    /// One whole step on a flat vector.
    fn step(&mut self, weights: &mut [F], gradient: &[F]) {
        self.begin(weights.len());
        self.update(0, weights, gradient);
    }

    /// The learning rate.
    fn rate(&self) -> f64;

    /// Sets the learning rate, for schedules.
    fn set_rate(&mut self, rate: f64);
}

/// The size below which an average counts as zero: 1e-31 in `f32`, 1e-292 in `f64`.
#[inline(always)]
fn tiny<F: Real>() -> F {
    F::min_positive_value() / F::epsilon()
}

/// A number, or zero where it is [`tiny`].
#[inline(always)]
fn flushed<F: Real>(x: F) -> F {
    if x.abs() < tiny() { F::zero() } else { x }
}

/// The square of a gradient, zero where it would be [`tiny`].
#[inline(always)]
fn squared<F: Real>(g: F) -> F {
    let g = if g.abs() < tiny::<F>().sqrt() { F::zero() } else { g };
    g * g
}

/// One pass over weights, gradients and the rule's averages: `each` takes a weight, its gradient and its averages, and gives the
/// weight and the averages after the step.
fn pass<F: Real, const N: usize>(
    weights: &mut [F],
    gradient: &[F],
    state: [&mut [F]; N],
    each: impl Fn(F, F, [F; N]) -> (F, [F; N]),
) {
    dispatch!(level(), simd => vectors(simd, weights, gradient, state, each));
}

#[simd]
fn vectors<S: Simd, F: Real, const N: usize>(
    _simd: S,
    weights: &mut [F],
    gradient: &[F],
    state: [&mut [F]; N],
    each: impl Fn(F, F, [F; N]) -> (F, [F; N]),
) {
    let n = weights.len();
    let (gradient, mut state) = (&gradient[..n], state.map(|averages| &mut averages[..n]));
    for j in 0..n {
        let before = std::array::from_fn(|k| state[k][j]);
        let (weight, after) = each(weights[j], gradient[j], before);
        weights[j] = weight;
        for (averages, after) in state.iter_mut().zip(after) {
            averages[j] = after;
        }
    }
}

/// Makes a state vector as long as the weights, with zeros, the first time; says whether it had another length.
fn grow<F: Real>(state: &mut Vec<F>, total: usize) -> bool {
    let anew = state.len() != total;
    if anew {
        state.clear();
        state.resize(total, F::zero());
    }
    anew
}

/// A number that must be above 0 and finite.
fn above_zero(name: &str, value: f64) -> Result<()> {
    let holds = value > 0.0 && value.is_finite();
    if holds { Ok(()) } else { Err(Error::parameter(name, value, "must be above 0 and finite")) }
}

/// A share that must be in \[0, 1).
fn share(name: &str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) { Ok(()) } else { Err(Error::parameter(name, value, "must be in [0, 1)")) }
}

/// A learning rate and the two methods that every rule has for it.
macro_rules! learning_rate {
    () => {
        fn rate(&self) -> f64 {
            self.rate
        }

        fn set_rate(&mut self, rate: f64) {
            self.rate = rate;
        }
    };
}
use learning_rate;
