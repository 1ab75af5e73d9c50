//! Operators: moves of a population as maps of numbers, forward and backward.
//!
//! An [`Operator`] maps learnable numbers `theta` and `inputs` (points, values or logits, flat, in the order its documentation
//! gives) to `outputs`. What is random or discrete and not relaxed (noise, indices, start of a run) is part of the operator.
//!
//! | file | operators |
//! |---|---|
//! | [`select`] | [`select::Choose`]: tournament, roulette, soft best = consensus; [`select::TopK`]: truncation, Gumbel top-k |
//! | [`cross`] | [`cross::Sbx`], [`cross::Blend`], [`cross::Arithmetic`], [`cross::Recombine`]: binomial, exponential, uniform |
//! | [`mutate`] | [`mutate::Difference`]: rand/1, best/1, current-to-best/1, current-to-pbest/1; [`mutate::Gaussian`], [`mutate::Polynomial`] |
//! | [`survive`] | [`survive::Greedy`], [`survive::Best`]: (mu + lambda) |
//! | [`travel`] | [`travel::Pso`], [`travel::Empso`], [`travel::Cbo`], [`travel::Inside`]: bounds |
//! | [`sample`] | [`sample::Sample`], [`sample::Mean`], [`sample::Step`]: evolution strategies and CMA-ES |
//!
//! Laws, each a test: with hard and straight-through decisions `forward` gives the bits of the plain method's kernel; as the
//! temperature goes to 0 the soft form becomes the hard one; `vjp` is the transpose of the derivative by dual numbers.

pub mod cross;
pub mod mutate;
pub mod sample;
pub mod select;
pub mod survive;
pub mod travel;
#[cfg(test)]
mod trial;

use swarmgrad_core::Scalar;

/// How many numbers an operator takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Learnable numbers.
    pub theta: usize,
    /// Numbers that come in.
    pub inputs: usize,
    /// Numbers that go out.
    pub outputs: usize,
}

/// A move with its derivative.
pub trait Operator {
    /// How many numbers it takes and gives.
    fn sizes(&self) -> Sizes;

    /// Writes the outputs.
    fn forward<S: Scalar>(&self, theta: &[S], inputs: &[S], outputs: &mut [S]);

    /// Vector-Jacobian product: **adds** to `d_theta` and `d_inputs` the derivatives of `sum cotangent . outputs`.
    fn vjp(&self, theta: &[f64], inputs: &[f64], cotangent: &[f64], d_theta: &mut [f64], d_inputs: &mut [f64]);
}

/// Number `j` of a parameter that is one for all or one for each coordinate.
#[inline(always)]
fn one_or_each<S: Scalar>(theta: &[S], j: usize) -> S {
    theta[place(theta, j)]
}

/// Where that number stands.
#[inline(always)]
fn place<T>(theta: &[T], j: usize) -> usize {
    if theta.len() == 1 { 0 } else { j }
}
