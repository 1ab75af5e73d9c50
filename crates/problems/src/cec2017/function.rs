//! A function of the suite: a recipe and its shifts, rotations and shuffles.

use super::basic::{Basic, lunacek, lunacek_gradient};
use swarmgrad_core::math::exp;

/// What is done with a shifted and rotated point.
#[derive(Debug, Clone, Copy)]
pub(super) enum Recipe {
    /// One basic function.
    Whole(Basic),
    /// The sum of basic functions on parts of the shuffled coordinates, with the share of each; the last takes what is left.
    Hybrid(&'static [(f64, Basic)]),
}

/// A part of a composition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) recipe: Recipe,
    /// The breadth of its weight.
    pub(super) sigma: f64,
    /// What its value is multiplied by.
    pub(super) scale: f64,
}

/// The numbers behind a recipe.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    pub(super) shift: Vec<f64>,
    /// Row after row.
    pub(super) rotation: Vec<f64>,
    /// Places of the coordinates, counted from 0; empty where there is no hybrid.
    pub(super) shuffle: Vec<usize>,
}

impl Numbers {
    fn rotate(&self, y: &[f64], z: &mut Vec<f64>) {
        z.clear();
        z.extend(self.rotation.chunks_exact(y.len()).map(|row| row.iter().zip(y).map(|(m, y)| m * y).sum::<f64>()));
    }

    /// Adds M' `by_z` to `by_y`.
    fn rotate_back(&self, by_z: &[f64], by_y: &mut [f64]) {
        for (row, z) in self.rotation.chunks_exact(by_z.len()).zip(by_z) {
            by_y.iter_mut().zip(row).for_each(|(y, m)| *y += m * z);
        }
    }
}

/// Memory for points on their way.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    shifted: Vec<f64>,
    rotated: Vec<f64>,
    shuffled: Vec<f64>,
    part: Vec<f64>,
    parts: Vec<[f64; 2]>,
    slopes: [Vec<f64>; 3],
}

/// `slopes` with `n` zeros in it.
fn zeros(slopes: &mut Vec<f64>, n: usize) -> &mut [f64] {
    slopes.clear();
    slopes.resize(n, 0.0);
    slopes
}

/// Lunacek's wells lie on the side of the shift.
fn side(t: f64, shift: f64) -> f64 {
    if shift < 0.0 { -t } else { t }
}

/// How many coordinates each part of a hybrid of `dim` takes: its share rounded up, and the last one the rest.
pub(super) fn sizes(parts: &[(f64, Basic)], dim: usize) -> impl Iterator<Item = usize> + '_ {
    let mut left = dim;
    parts.iter().enumerate().map(move |(i, (share, _))| {
        let size = if i + 1 == parts.len() { left } else { (share * dim as f64).ceil() as usize };
        left = left.saturating_sub(size);
        size
    })
}

impl Recipe {
    fn value(self, numbers: &Numbers, x: &[f64], scratch: &mut Scratch) -> f64 {
        let Scratch { shifted, rotated, shuffled, part, .. } = scratch;
        shifted.clear();
        shifted.extend(x.iter().zip(&numbers.shift).map(|(x, o)| x - o));
        match self {
            Recipe::Whole(basic) => {
                shifted.iter_mut().for_each(|y| *y *= basic.rate());
                match basic {
                    Basic::SchafferF7 => basic.value(shifted), // not rotated
                    Basic::Lunacek => {
                        part.clear();
                        part.extend(shifted.iter().zip(&numbers.shift).map(|(t, o)| side(*t, *o)));
                        numbers.rotate(part, rotated);
                        lunacek(part, rotated)
                    }
                    _ => {
                        numbers.rotate(shifted, rotated);
                        basic.value(rotated)
                    }
                }
            }
            Recipe::Hybrid(parts) => {
                numbers.rotate(shifted, rotated);
                shuffled.clear();
                shuffled.extend(numbers.shuffle.iter().map(|&at| rotated[at]));
                let (mut sum, mut from) = (0.0, 0);
                for (size, (_, basic)) in sizes(parts, x.len()).zip(parts) {
                    // Schaffer's F7 looks at the first coordinates instead of its own.
                    let start = if *basic == Basic::SchafferF7 { 0 } else { from };
                    part.clear();
                    part.extend(shuffled[start..start + size].iter().map(|y| y * basic.rate()));
                    if *basic == Basic::Lunacek {
                        part.iter_mut().zip(&numbers.shift).for_each(|(t, o)| *t = side(*t, *o));
                    }
                    sum += basic.value(part);
                    from += size;
                }
                sum
            }
        }
    }

    /// The derivatives of [`value`](Recipe::value) at the point whose way through `scratch` that has just left there.
    fn gradient(self, numbers: &Numbers, scratch: &mut Scratch, out: &mut [f64]) {
        let Scratch { shifted, rotated, shuffled, part, slopes: [by_part, by_rotated, by_shuffled], .. } = scratch;
        let n = out.len();
        out.fill(0.0);
        match self {
            Recipe::Whole(basic) => {
                match basic {
                    Basic::SchafferF7 => basic.gradient(shifted, out),
                    Basic::Lunacek => {
                        let by_rotated = zeros(by_rotated, n);
                        lunacek_gradient(part, rotated, out, by_rotated);
                        numbers.rotate_back(by_rotated, out);
                        out.iter_mut().zip(&numbers.shift).for_each(|(g, o)| *g = side(*g, *o));
                    }
                    _ => {
                        let by_rotated = zeros(by_rotated, n);
                        basic.gradient(rotated, by_rotated);
                        numbers.rotate_back(by_rotated, out);
                    }
                }
                out.iter_mut().for_each(|g| *g *= basic.rate());
            }
            Recipe::Hybrid(parts) => {
                let (by_shuffled, mut from) = (zeros(by_shuffled, n), 0);
                for (size, (_, basic)) in sizes(parts, n).zip(parts) {
                    let start = if *basic == Basic::SchafferF7 { 0 } else { from };
                    let sides = |t: &mut f64, o: &f64| {
                        if *basic == Basic::Lunacek {
                            *t = side(*t, *o);
                        }
                    };
                    part.clear();
                    part.extend(shuffled[start..start + size].iter().map(|y| y * basic.rate()));
                    part.iter_mut().zip(&numbers.shift).for_each(|(t, o)| sides(t, o));
                    let by_part = zeros(by_part, size);
                    basic.gradient(part, by_part);
                    by_part.iter_mut().zip(&numbers.shift).for_each(|(g, o)| sides(g, o));
                    let places = by_shuffled[start..start + size].iter_mut();
                    places.zip(by_part.iter()).for_each(|(s, g)| *s += basic.rate() * g);
                    from += size;
                }
                let by_rotated = zeros(by_rotated, n);
                numbers.shuffle.iter().zip(by_shuffled.iter()).for_each(|(&at, s)| by_rotated[at] += s);
                numbers.rotate_back(by_rotated, out);
            }
        }
    }
}

/// A function of the suite with all its numbers.
pub(super) struct Function {
    pub(super) parts: &'static [Part],
    pub(super) numbers: Vec<Numbers>,
    /// Its least value.
    pub(super) bias: f64,
}

impl Function {
    pub(super) fn value(&self, x: &[f64], scratch: &mut Scratch) -> f64 {
        if let ([part], [numbers]) = (self.parts, &self.numbers[..]) {
            return part.scale * part.recipe.value(numbers, x, scratch) + self.bias;
        }
        let mut parts = std::mem::take(&mut scratch.parts);
        parts.clear();
        for (k, (part, numbers)) in self.parts.iter().zip(&self.numbers).enumerate() {
            // The biases of the parts are 0, 100, 200, ..
            let value = part.scale * part.recipe.value(numbers, x, scratch) + 100.0 * k as f64;
            parts.push([weight(part.sigma, &numbers.shift, x), value]);
        }
        let total: f64 = parts.iter().map(|[weight, _]| weight).sum();
        let share = |weight: f64| if total == 0.0 { 1.0 / parts.len() as f64 } else { weight / total };
        let value: f64 = parts.iter().map(|[weight, value]| share(*weight) * value).sum();
        scratch.parts = parts;
        value + self.bias
    }

    /// The derivatives at `x`, where there are some; one-sided ones or 0 elsewhere.
    pub(super) fn gradient(&self, x: &[f64], out: &mut [f64], scratch: &mut Scratch) {
        if let ([part], [numbers]) = (self.parts, &self.numbers[..]) {
            part.recipe.value(numbers, x, scratch);
            part.recipe.gradient(numbers, scratch, out);
            return out.iter_mut().for_each(|g| *g *= part.scale);
        }
        let value = self.value(x, scratch) - self.bias;
        let parts = std::mem::take(&mut scratch.parts);
        let total: f64 = parts.iter().map(|[weight, _]| weight).sum();
        let mut by_part = vec![0.0; x.len()];
        out.fill(0.0);
        for (k, (part, numbers)) in self.parts.iter().zip(&self.numbers).enumerate() {
            // The way of this part.
            part.recipe.value(numbers, x, scratch);
            part.recipe.gradient(numbers, scratch, &mut by_part);
            let [weight, height] = parts[k];
            let share = if total == 0.0 { 1.0 / parts.len() as f64 } else { weight / total };
            out.iter_mut().zip(&by_part).for_each(|(g, p)| *g += share * part.scale * p);
            // The derivative of w_k / sum w is (share / w_k) (w_k' - share of all w'), which sums to sum share (f_k - f) (log w_k)'.
            let square: f64 = x.iter().zip(&numbers.shift).map(|(x, o)| (x - o) * (x - o)).sum();
            if total > 0.0 && square > 0.0 {
                let fall = 1.0 / (x.len() as f64 * part.sigma * part.sigma) + 1.0 / square;
                let pull = -share * (height - value) * fall;
                out.iter_mut().zip(x.iter().zip(&numbers.shift)).for_each(|(g, (x, o))| *g += pull * (x - o));
            }
        }
        scratch.parts = parts;
    }
}

/// e^(-r^2 / (2 d sigma^2)) / r with r the distance from the part's shift; as good as all there.
fn weight(sigma: f64, shift: &[f64], x: &[f64]) -> f64 {
    let square: f64 = x.iter().zip(shift).map(|(x, o)| (x - o) * (x - o)).sum();
    if square == 0.0 { 1e99 } else { exp(-square / (2.0 * x.len() as f64 * sigma * sigma)) / square.sqrt() }
}
