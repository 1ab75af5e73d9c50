//! A network of one hidden layer and its mean squared error, with the gradient by backpropagation over all rows.
//!
//! ```text
//! y(x) = c + sum_h v_h tanh(b_h + <w_h, x>)          E = (1/n) sum_i (y(x_i) - t_i)^2
//! dE/dy_i = 2 (y_i - t_i) / n = e_i,  dE/dv_h = sum_i e_i a_hi,  dE/db_h = sum_i e_i v_h (1 - a_hi^2),  dE/dw_h = the same times x_i
//! ```
//!
//! Rows go through the network in blocks of 64, a column of a block side by side; nothing is allocated, and every sum has one
//! order.

use swarmgrad_core::{Differentiable, Error, Problem, Result, Space};

const HIDDEN: usize = Network::HIDDEN;
const BOX: f64 = Network::BOX;

const LANES: usize = 64;
type Column = [f64; LANES];

/// The mean squared error of a network of one hidden layer with ten neurons (tanh) on rows of numbers with targets, in the box
/// [-5, 5]^d, d = 10 (inputs + 2) + 1. The point is `[b_1, w_1 .., b_2, w_2 .., .., v .., c]`.
///
/// ```
/// use swarmgrad_core::{Differentiable, Problem};
/// use swarmgrad_problems::Network;
/// let rows: Vec<Vec<f64>> = (0..5).map(|i| vec![f64::from(i) / 4.0, f64::from(i * i) / 16.0]).collect();
/// let network = Network::new(&rows)?;
///
/// let (w, mut gradient) = (vec![0.0; 31], vec![0.0; 31]);
/// assert_eq!(network.value(&w), rows.iter().map(|row| row[1] * row[1]).sum::<f64>() / 5.0);
/// network.gradient(&w, &mut gradient);
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Network {
    space: Space,
    inputs: usize,
    rows: usize,
    /// A block: a column for every input, the targets, and 1 where there is a row.
    columns: Vec<Column>,
}

impl Network {
    /// Neurons of the hidden layer.
    pub const HIDDEN: usize = 10;
    /// Weights are within this of 0.
    pub const BOX: f64 = 5.0;

    /// A network for these rows, each with its target behind its inputs.
    ///
    /// # Errors
    /// No rows; rows without an input; rows of different lengths.
    pub fn new(rows: &[Vec<f64>]) -> Result<Self> {
        let inputs = rows.first().map_or(0, |row| row.len().saturating_sub(1));
        if inputs == 0 {
            return Err(Error::parameter("rows", rows.len(), "must be one or more, of an input and a target or more"));
        }
        if let Some(row) = rows.iter().find(|row| row.len() != inputs + 1) {
            return Err(Error::parameter(
                "row",
                row.len(),
                format!("must hold {} numbers, like the first", inputs + 1),
            ));
        }
        let mut columns = Vec::new();
        for block in rows.chunks(LANES) {
            for j in 0..=inputs {
                columns.push(std::array::from_fn(|i| block.get(i).map_or(0.0, |row| row[j])));
            }
            columns.push(std::array::from_fn(|i| f64::from(u8::from(i < block.len()))));
        }
        let space = Space::cube(HIDDEN * (inputs + 2) + 1, -BOX, BOX)?;
        Ok(Network { space, inputs, rows: rows.len(), columns })
    }

    /// The error at `w`, and its gradient where it is wanted.
    fn pass(&self, w: &[f64], mut gradient: Option<&mut [f64]>) -> f64 {
        let (hidden, output) = w.split_at(HIDDEN * (self.inputs + 1));
        if let Some(g) = &mut gradient {
            g.fill(0.0);
        }
        let mut sum = 0.0;
        for block in self.columns.chunks_exact(self.inputs + 2) {
            let (x, [targets, here]) = block.split_at(self.inputs) else { continue };
            let mut error: Column = [output[HIDDEN]; LANES];
            let mut a = [[0.0; LANES]; HIDDEN];
            for ((a, own), v) in a.iter_mut().zip(hidden.chunks_exact(self.inputs + 1)).zip(output) {
                a.fill(own[0]);
                for (x, w) in x.iter().zip(&own[1..]) {
                    a.iter_mut().zip(x).for_each(|(a, x)| *a += w * x);
                }
                a.iter_mut().for_each(|a| *a = tanh(*a));
                error.iter_mut().zip(&*a).for_each(|(e, a)| *e += v * a);
            }
            error.iter_mut().zip(targets).zip(here).for_each(|((e, t), h)| *e = h * (*e - t));
            sum += dot(&error, &error);
            let Some(g) = &mut gradient else { continue };
            let (into_hidden, into_output) = g.split_at_mut(hidden.len());
            error.iter_mut().for_each(|e| *e *= 2.0 / self.rows as f64);
            into_output[HIDDEN] += dot(&error, &[1.0; LANES]);
            for (h, (a, own)) in a.iter_mut().zip(into_hidden.chunks_exact_mut(self.inputs + 1)).enumerate() {
                into_output[h] += dot(&error, a);
                a.iter_mut().zip(&error).for_each(|(a, e)| *a = e * output[h] * (1.0 - *a * *a));
                own[0] += dot(a, &[1.0; LANES]);
                own[1..].iter_mut().zip(x).for_each(|(g, x)| *g += dot(a, x));
            }
        }
        sum / self.rows as f64
    }
}

impl Problem for Network {
    fn space(&self) -> &Space {
        &self.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.pass(x, None)
    }
}

impl Differentiable for Network {
    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        self.pass(x, Some(out));
    }
}

/// Eight sums side by side, then one.
fn dot(a: &Column, b: &Column) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        sums.iter_mut().zip(a).zip(b).for_each(|((s, a), b)| *s += a * b);
    }
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}

/// tanh to 1e-15, in a form that vectorises: 1 - 2 / (e^2x + 1), with e^y = 2^k e^r, |r| <= ln(2) / 2, and e^r by its series.
fn tanh(x: f64) -> f64 {
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
    const WHOLE: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52: what is added to it is rounded to a whole number
    let y = 2.0 * x.clamp(-20.0, 20.0);
    let shifted = y * std::f64::consts::LOG2_E + WHOLE;
    let k = shifted - WHOLE;
    let r = (y - k * LN_2[0]) - k * LN_2[1];
    let mut series = 1.0 / 6_227_020_800.0;
    for inverse in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        series = series * r + inverse;
    }
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0_f64.to_bits()));
    1.0 - 2.0 / (series * power + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad_core::Rng;

    fn numbers(label: &str, n: usize, scale: f64) -> Vec<f64> {
        let mut out = vec![0.0; n];
        Rng::new(7).fork(label).row(0).fill_normal(&mut out);
        out.iter_mut().for_each(|t| *t *= scale);
        out
    }

    #[test]
    fn tanh_is_tanh() {
        for x in numbers("x", 10_000, 4.0).into_iter().chain([0.0, -0.0, 1e-9, 19.0, -25.0, 700.0]) {
            assert!((tanh(x) - x.tanh()).abs() < 1e-15, "{x}: {} {}", tanh(x), x.tanh());
        }
        assert!(tanh(f64::NAN).is_nan());
    }

    /// Rows that fill no whole block, weights anywhere.
    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        for (inputs, rows) in [(1, 5), (3, 64), (8, 150)] {
            let table: Vec<Vec<f64>> =
                numbers("rows", rows * (inputs + 1), 1.0).chunks(inputs + 1).map(Vec::from).collect();
            let network = Network::new(&table).unwrap();
            let dim = network.space().dim();
            let w = numbers("w", dim, 0.8);
            let neuron = |x: &[f64], h: usize| {
                let own = &w[h * (inputs + 1)..];
                (own[0] + x.iter().zip(&own[1..]).map(|(x, w)| x * w).sum::<f64>()).tanh()
            };
            let output = &w[HIDDEN * (inputs + 1)..];
            let square = |row: &Vec<f64>| {
                let y = output[HIDDEN] + (0..HIDDEN).map(|h| output[h] * neuron(&row[..inputs], h)).sum::<f64>();
                (y - row[inputs]).powi(2)
            };
            let mean = table.iter().map(square).sum::<f64>() / rows as f64;
            assert!((network.value(&w) / mean - 1.0).abs() < 1e-13);
            let mut gradient = vec![f64::NAN; dim];
            network.gradient(&w, &mut gradient);
            let largest = gradient.iter().fold(0.0, |m: f64, g| m.max(g.abs()));
            for j in 0..dim {
                let at = |h: f64| {
                    let mut moved = w.clone();
                    moved[j] += h;
                    network.value(&moved)
                };
                let quotient = (8.0 * (at(1e-3) - at(-1e-3)) - (at(2e-3) - at(-2e-3))) / 12e-3;
                assert!((gradient[j] - quotient).abs() < 1e-8 * (1.0 + largest), "{j}: {} {quotient}", gradient[j]);
            }
        }
    }
}
