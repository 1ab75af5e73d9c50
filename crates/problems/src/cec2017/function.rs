//! A function of the suite: a recipe and its shifts, rotations and shuffles.

use super::basic::{Basic, lunacek};
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
}

/// Memory for points on their way.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    shifted: Vec<f64>,
    rotated: Vec<f64>,
    shuffled: Vec<f64>,
    part: Vec<f64>,
    parts: Vec<[f64; 2]>,
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
        // Lunacek's wells lie on the side of the shift.
        let side = |(t, o): (&f64, &f64)| if *o < 0.0 { -t } else { *t };
        match self {
            Recipe::Whole(basic) => {
                shifted.iter_mut().for_each(|y| *y *= basic.rate());
                match basic {
                    Basic::SchafferF7 => basic.value(shifted), // not rotated
                    Basic::Lunacek => {
                        part.clear();
                        part.extend(shifted.iter().zip(&numbers.shift).map(side));
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
                        part.iter_mut().zip(&numbers.shift).for_each(|(t, o)| *t = side((t, o)));
                    }
                    sum += basic.value(part);
                    from += size;
                }
                sum
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
}

/// e^(-r^2 / (2 d sigma^2)) / r with r the distance from the part's shift; as good as all there.
fn weight(sigma: f64, shift: &[f64], x: &[f64]) -> f64 {
    let square: f64 = x.iter().zip(shift).map(|(x, o)| (x - o) * (x - o)).sum();
    if square == 0.0 { 1e99 } else { exp(-square / (2.0 * x.len() as f64 * sigma * sigma)) / square.sqrt() }
}
