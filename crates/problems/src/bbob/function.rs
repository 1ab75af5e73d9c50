//! A function of the suite: a chain of moves of the point, what is computed at its end, and what is done to that value.
//!
//! ```text
//! f(x) = T(core(m_n(... m_2(m_1(x))))) + penalty sum_i max(0, |x_i| - 5)^2 + f_opt
//! ```

use super::core::Core;
use super::transform::{Columns, oscillate, stretched};
use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;
use swarmgrad_core::{math, simd::level};

/// What is done to a point before the core sees it.
pub(super) enum Move {
    /// `x - c`.
    Shift(Vec<f64>),
    /// `w_i x_i`.
    Scale(Vec<f64>),
    /// `M x + c`.
    Linear(Columns, f64),
    /// T_osz: small, smooth irregularities that leave zero and signs alone.
    Oscillate,
    /// T_asy of beta: the `beta i / (d - 1)` by which positive coordinates are stretched.
    Asymmetric(Vec<f64>),
    /// The scale of f4: `w_i x_i`, and ten times that for every second coordinate from the first where it is positive.
    Skew(Vec<f64>),
    /// The chain of f20: `z_i = x_i + (x_(i-1) - c_(i-1)) / 4`.
    Lean(Vec<f64>),
}

impl Move {
    /// T_osz and T_asy, where the point is; nothing for moves that are none of them.
    #[inline(always)]
    pub(super) fn in_place(&self, z: &mut [f64]) {
        match self {
            // Plain loops: a closure may be compiled apart, without the instructions of the function that calls this.
            Move::Oscillate => {
                for t in z.iter_mut() {
                    *t = oscillate(*t);
                }
            }
            Move::Asymmetric(stretch) => {
                for (t, s) in z.iter_mut().zip(stretch) {
                    *t = stretched(*t, *s);
                }
            }
            _ => {}
        }
    }
}

/// What is done to the core's value.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Finish {
    Nothing,
    /// T_osz, then the power 0.9 (f6).
    OscillateAndFlatten,
}

/// A function of the suite in a dimension, ready to be evaluated.
pub(super) struct Function {
    pub(super) moves: Vec<Move>,
    pub(super) core: Core,
    pub(super) finish: Finish,
    pub(super) penalty: f64,
    pub(super) offset: f64,
    pub(super) optimum: Vec<f64>,
}

/// How far `x` is outside [-5, 5]^d: the sum of squares.
#[inline(always)]
fn beyond(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |sum, t| {
        let far = (t.abs() - 5.0).max(0.0);
        sum + far * far
    })
}

impl Function {
    /// The value at `x`; `scratch` is memory that is kept from call to call.
    pub(super) fn value(&self, x: &[f64], scratch: &mut Vec<f64>) -> f64 {
        dispatch!(level(), simd => wide_value(simd, self, x, scratch))
    }

    #[inline(always)]
    fn value_here(&self, x: &[f64], scratch: &mut Vec<f64>) -> f64 {
        let dim = x.len();
        // NaN would pass unseen through comparisons.
        if x.iter().any(|t| t.is_nan()) {
            return f64::NAN;
        }
        scratch.resize(2 * dim + self.core.needs(dim), 0.0);
        let (mut z, rest) = scratch.split_at_mut(dim);
        let (mut spare, rest) = rest.split_at_mut(dim);
        z.copy_from_slice(x);
        for step in &self.moves {
            match step {
                Move::Shift(by) => z.iter_mut().zip(by).for_each(|(t, by)| *t -= by),
                Move::Scale(by) => z.iter_mut().zip(by).for_each(|(t, by)| *t *= by),
                Move::Linear(matrix, offset) => {
                    matrix.times(z, *offset, spare);
                    std::mem::swap(&mut z, &mut spare);
                }
                Move::Oscillate | Move::Asymmetric(_) => step.in_place(z),
                Move::Skew(by) => {
                    for (i, (t, by)) in z.iter_mut().zip(by).enumerate() {
                        *t *= if i % 2 == 0 && *t > 0.0 { 10.0 * by } else { *by };
                    }
                }
                Move::Lean(centre) => {
                    for i in (1..dim).rev() {
                        z[i] += 0.25 * (z[i - 1] - centre[i - 1]);
                    }
                }
            }
        }
        let mut value = self.core.value(x, z, spare, rest);
        if self.finish == Finish::OscillateAndFlatten {
            value = math::powf(oscillate(value), 0.9);
        }
        if self.penalty > 0.0 {
            value += self.penalty * beyond(x);
        }
        value + self.offset
    }
}

/// The value by the widest vectors there are: the same bits whatever they are.
#[simd]
fn wide_value<S: Simd>(_simd: S, function: &Function, x: &[f64], scratch: &mut Vec<f64>) -> f64 {
    function.value_here(x, scratch)
}
