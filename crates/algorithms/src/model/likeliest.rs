//! The likeliest process: lengths, error and kernel that explain the values best.
//!
//! Papers: Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), section 5.4; Hvarfner, Hellsten and Nardi, "Vanilla
//! Bayesian optimization performs great in high dimensions" (ICML 2024), eq. (5), for the prior of the lengths; Riedmiller and Braun, "A
//! direct adaptive method for faster backpropagation learning" (1993), for the ascent.
//!
//! ```text
//! log L + sum over lengths of log p(l) + log p(e),  ln l ~ N(sqrt 2 + ln(d) / 2, 3),  ln e ~ N(ln 1e-7, 4^2)     (1)
//! T(f) = f with walls drawn in;  ln(f - f_best + c (f_median - f_best))                                          (2)
//! log L of the values f = log L of the z - n ln(deviation of T) + sum_i ln T'(f_i)                               (3)
//! ```

use super::process::{Kernel, Process};
use serde::{Deserialize, Serialize};
use swarmgrad_core::math;

/// Ranges of the logarithms of lengths, in widths of the box, and of e.
const LENGTHS: [f64; 2] = [-5.0, 3.5];
const ERRORS: [f64; 2] = [-20.7, -0.7];
/// Eq. (1): where the errors are thought to be, and how surely.
const ERROR: [f64; 2] = [-16.1, 4.0];
/// First and last step of the ascent, in logarithms.
const STEP: [f64; 2] = [0.4, 2e-3];
/// Factors of a step after a slope of the same sign and of the other.
const FACTORS: [f64; 2] = [1.3, 0.5];

/// What a process is made with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Likeliest {
    kernel: Kernel,
    /// The group of each variable: those of a group share a length.
    groups: Vec<usize>,
    /// Logarithms of the lengths of groups; that of e comes last.
    logs: Vec<f64>,
}

impl Likeliest {
    /// Before anything is known.
    pub fn new(kernel: Kernel, groups: Vec<usize>) -> Self {
        let count = groups.iter().max().map_or(0, |&g| g + 1);
        let mut logs = vec![math::ln(0.3) + 0.5 * math::ln(count.max(1) as f64); count];
        logs.push(ERROR[0]);
        Likeliest { kernel, groups, logs }
    }

    /// Whether it is what `new` may have become.
    pub fn is_sound(&self, dim: usize) -> bool {
        let count = self.groups.iter().max().map_or(0, |&g| g.saturating_add(1));
        self.groups.len() == dim
            && count <= dim
            && self.logs.len() == count + 1
            && self.logs.iter().all(|t| t.is_finite())
    }

    /// The lengths of all variables.
    pub fn lengths(&self) -> Vec<f64> {
        self.groups.iter().map(|&g| math::exp(self.logs[g])).collect()
    }

    /// The process of now; with a larger e where K has lost its meaning.
    pub fn process(&self, x: &[f64], z: &[f64]) -> Option<Process> {
        let error = math::exp(self.logs[self.logs.len() - 1]);
        let errors = [error, 10.0 * error, 1e3 * error, 1e-3_f64.max(error), 0.1_f64.max(error)];
        errors.into_iter().find_map(|error| Process::new(self.kernel, x, z, &self.lengths(), error))
    }

    /// Climbs log L by so many steps; what is reached by eq. (1), and its process.
    pub fn climb(&mut self, x: &[f64], z: &[f64], steps: usize) -> Option<(f64, Process)> {
        let mut lengths = self.clone();
        let mut best: Option<(f64, Process)> = None;
        let (mut step, mut last) = (vec![STEP[0]; self.logs.len()], vec![0.0; self.logs.len()]);
        let mut slopes = Vec::new();
        for k in 0..=steps {
            let Some(process) = lengths.process(x, z) else { break };
            let reached = process.likelihood() + lengths.prior();
            if k < steps {
                process.likelihood_slopes(&self.groups, &mut slopes);
                lengths.add_prior_slopes(&mut slopes);
            }
            if best.as_ref().is_none_or(|(value, _)| reached > *value) {
                best = Some((reached, process));
                self.logs.clone_from(&lengths.logs);
            }
            if k == steps || step.iter().all(|s| *s < STEP[1]) {
                break;
            }
            for (j, log) in lengths.logs.iter_mut().enumerate() {
                let turn = slopes[j] * last[j];
                step[j] = (step[j]
                    * if turn > 0.0 {
                        FACTORS[0]
                    } else if turn < 0.0 {
                        FACTORS[1]
                    } else {
                        1.0
                    })
                .min(1.0);
                last[j] = if turn < 0.0 { 0.0 } else { slopes[j] };
                let [low, high] = if j + 1 == last.len() { ERRORS } else { LENGTHS };
                let way = if turn < 0.0 || slopes[j] == 0.0 { 0.0 } else { step[j].copysign(slopes[j]) };
                *log = (*log + way).max(low).min(high);
            }
        }
        best
    }

    /// Mean of the logarithms of lengths in eq. (1).
    fn middle(&self) -> f64 {
        std::f64::consts::SQRT_2 + 0.5 * math::ln((self.logs.len() - 1).max(1) as f64)
    }

    fn prior(&self) -> f64 {
        let (error, lengths) = self.logs.split_last().expect("e");
        let middle = self.middle();
        let lengths: f64 = lengths.iter().map(|t| -t - (t - middle) * (t - middle) / 6.0).sum();
        let away = (error - ERROR[0]) / ERROR[1];
        lengths - 0.5 * away * away
    }

    fn add_prior_slopes(&self, slopes: &mut [f64]) {
        let (middle, last) = (self.middle(), self.logs.len() - 1);
        for (j, slope) in slopes.iter_mut().enumerate() {
            let t = self.logs[j];
            *slope += if j == last { -(t - ERROR[0]) / (ERROR[1] * ERROR[1]) } else { -1.0 - (t - middle) / 3.0 };
        }
    }
}

/// A scale on which values are looked at: T of eq. (2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Scale {
    /// As they are, those far above the median drawn in.
    Plain,
    /// The logarithm of what they are above the best, with this share of what the median is above it.
    Log(f64),
}

/// Values above so many times the median's distance from the best are drawn in, and what is left of the logarithm of the excess.
const CLIP: f64 = 3.0;
const SOFT: f64 = 0.3;

impl Scale {
    /// All that are tried.
    pub const ALL: [Scale; 3] = [Scale::Plain, Scale::Log(0.1), Scale::Log(0.01)];

    /// Writes the values on the scale, with mean 0 and variance 1; infinite ones count as the largest. Returns the last two terms of eq.
    /// (3); none where the values do not have this scale.
    pub fn write(self, values: &[f64], z: &mut Vec<f64>) -> Option<f64> {
        z.clear();
        z.extend(values.iter().copied().filter(|f| f.is_finite()));
        z.sort_unstable_by(f64::total_cmp);
        let (Some(&best), Some(&worst)) = (z.first(), z.last()) else {
            z.resize(values.len(), 0.0);
            return (self == Scale::Plain).then_some(0.0);
        };
        let middle = z[z.len() / 2] - best;
        let above = values.iter().map(|&f| if f.is_finite() { f } else { worst } - best);
        let mut slope = 0.0;
        z.clear();
        match self {
            Scale::Plain => z.extend(above.map(|t| {
                let over = t / (CLIP * middle) - 1.0;
                if middle > 0.0 && over > 0.0 {
                    slope += math::ln(SOFT / (1.0 + over));
                    CLIP * middle * (1.0 + SOFT * math::ln(1.0 + over))
                } else {
                    t
                }
            })),
            Scale::Log(share) => {
                if !(middle * share > 0.0 && middle.is_finite()) {
                    return None;
                }
                z.extend(above.map(|t| {
                    let log = math::ln(t + share * middle);
                    slope -= log;
                    log
                }));
            }
        }
        let n = z.len() as f64;
        let mean = z.iter().sum::<f64>() / n;
        let deviation = (z.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>() / n).sqrt();
        let unit = if deviation > 0.0 && deviation.is_finite() { deviation } else { 1.0 };
        z.iter_mut().for_each(|t| *t = (*t - mean) / unit);
        Some(slope - n * math::ln(unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_is_drawn_in_and_order_is_kept() {
        let values = [1e9, 3.0, 1.0, 2.0, f64::INFINITY, 2.5];
        let mut z = Vec::new();
        for scale in Scale::ALL {
            scale.write(&values, &mut z).unwrap();
            assert!(z[2] < z[3] && z[3] < z[5] && z[5] < z[1] && z[1] < z[0] && z[0] == z[4]);
            assert!(z.iter().sum::<f64>().abs() < 1e-12);
            let none = scale.write(&[f64::INFINITY; 2], &mut z);
            assert_eq!(none.is_some(), scale == Scale::Plain);
        }
        Scale::Plain.write(&values, &mut z).unwrap();
        assert!(z[0] - z[2] < 50.0 * (z[3] - z[2]), "{z:?}");
        assert!(Scale::Log(0.1).write(&[1.0, 1.0, 1.0], &mut z).is_none());
    }

    #[test]
    fn eq_3_is_a_density_of_the_values() {
        // The logarithm of T' by differences, T being what z is before it is shifted and scaled.
        let values = [1.0, 2.0, 2.5, 4.0, 900.0];
        for scale in Scale::ALL {
            let (mut z, mut moved) = (Vec::new(), Vec::new());
            let known = scale.write(&values, &mut z).unwrap();
            // Moves of values that change neither the best nor the median, and mean and deviation by known amounts: T = A z + B.
            let slopes: f64 = (0..5)
                .map(|i| {
                    let h = 1e-6 * values[i];
                    let mut near = values.to_vec();
                    near.push(values[i] + h);
                    near.push(values[2]);
                    near.push(values[2]);
                    near.push(values[2]);
                    scale.write(&near, &mut moved).unwrap();
                    math::ln((moved[5] - moved[i]).abs() / h / ((moved[4] - moved[0]) / (z[4] - z[0])))
                })
                .sum();
            assert!((slopes - known).abs() < 1e-3 * (1.0 + known.abs()), "{scale:?}: {slopes} {known}");
        }
    }

    #[test]
    fn lengths_are_found_again() {
        // Values that change fast along one variable and hardly along the other.
        let places: Vec<f64> =
            (0..40).map(|i| math::sin(f64::from(i) * 12.9898) * 43_758.545_3 % 1.0).map(f64::abs).collect();
        let z: Vec<f64> = places.chunks_exact(2).map(|x| math::sin(9.0 * x[0]) + 0.1 * x[1]).collect();
        for kernel in Kernel::ALL {
            let mut likeliest = Likeliest::new(kernel, vec![0, 1]);
            let before = likeliest.clone().climb(&places, &z, 0).unwrap().0;
            let (after, _) = likeliest.climb(&places, &z, 40).unwrap();
            let lengths = likeliest.lengths();
            assert!(after > before + 1.0 && lengths[1] > 5.0 * lengths[0], "{kernel:?} {before} {after} {lengths:?}");
            assert!(likeliest.is_sound(2) && !likeliest.is_sound(3));
        }
    }
}
