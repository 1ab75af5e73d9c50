//! Logistic regression, the ordinary yardstick of tables IV and V: softmax of a linear map, a ridge on its slopes, fitted to the end by
//! Newton's method on all rows.

use swarmgrad::{Matrix, Rows, math};
use swarmgrad_nn::data::Dataset;
use swarmgrad_nn::metric;

/// Half of this times the sum of the squared slopes is added to the summed cross-entropy; intercepts are free.
pub const RIDGE: f64 = 1.0;
/// Newton's steps at most; iris takes 7.
const STEPS: usize = 50;
/// The fit ends where no component of the gradient is larger than this share of the rows.
const FLAT: f64 = 1e-8;

/// Slopes and intercepts of each class.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    classes: usize,
    /// A class a row: its slopes, then its intercept.
    weights: Vec<f64>,
}

impl Logistic {
    /// The best fit to rows with classes.
    pub fn fit(rows: &Dataset) -> Self {
        let labels = rows.labels().unwrap_or_default();
        let fit = Fit { rows: &rows.features, labels, classes: rows.outputs() };
        let mut weights = vec![0.0; fit.classes * fit.width()];
        for _ in 0..STEPS {
            let shares = fit.shares(&weights);
            let gradient = fit.gradient(&weights, &shares);
            if gradient.iter().all(|g| g.abs() <= FLAT * labels.len() as f64) {
                break;
            }
            let step = fit.newton(&shares, &gradient);
            // Convex: half of the step as often as the objective does not fall by a part of what the slope promises.
            let (now, slope) = (fit.objective(&weights, &shares), dot(&gradient, &step));
            let moved = |length: f64| weights.iter().zip(&step).map(|(w, s)| w - length * s).collect::<Vec<_>>();
            let falls = |length: &f64| {
                let there = moved(*length);
                fit.objective(&there, &fit.shares(&there)) <= now - 1e-4 * length * slope
            };
            let Some(length) = (0..30).map(|k| 0.5f64.powi(k)).find(falls) else { break };
            weights = moved(length);
        }
        Logistic { classes: fit.classes, weights }
    }

    /// Share of rows whose likeliest class is the right one.
    pub fn accuracy(&self, rows: &Dataset) -> f64 {
        let fit = Fit { rows: &rows.features, labels: rows.labels().unwrap_or_default(), classes: self.classes };
        let shares: Vec<f32> = fit.shares(&self.weights).into_iter().map(|p| p as f32).collect();
        metric::argmax_accuracy(Rows::new(self.classes, &shares), fit.labels)
    }
}

/// What is fitted to.
struct Fit<'a> {
    rows: &'a Matrix<f32>,
    labels: &'a [usize],
    classes: usize,
}

impl Fit<'_> {
    /// Numbers of a class: its slopes and the intercept.
    fn width(&self) -> usize {
        self.rows.dim() + 1
    }

    /// A linear map of a row, class by class.
    fn linear(&self, weights: &[f64], row: &[f32], out: &mut [f64]) {
        for (out, class) in out.iter_mut().zip(weights.chunks_exact(self.width())) {
            *out = row.iter().zip(class).map(|(&x, w)| f64::from(x) * w).sum::<f64>() + class[row.len()];
        }
    }

    /// Adds a row, times a number a class, to the transposed map.
    fn add(&self, factors: &[f64], row: &[f32], out: &mut [f64]) {
        for (factor, class) in factors.iter().zip(out.chunks_exact_mut(row.len() + 1)) {
            class.iter_mut().zip(row).for_each(|(out, &x)| *out += factor * f64::from(x));
            class[row.len()] += factor;
        }
    }

    /// The ridge's part of a gradient or of a curvature: it leaves intercepts alone.
    fn add_ridge(&self, of: &[f64], out: &mut [f64]) {
        let last = self.width() - 1;
        for (j, (out, of)) in out.iter_mut().zip(of).enumerate() {
            *out += if j % self.width() == last { 0.0 } else { RIDGE * of };
        }
    }

    /// Probabilities of the classes, row by row.
    fn shares(&self, weights: &[f64]) -> Vec<f64> {
        let mut shares = vec![0.0; self.rows.len() * self.classes];
        for (row, shares) in self.rows.iter().zip(shares.chunks_exact_mut(self.classes)) {
            self.linear(weights, row, shares);
            let most = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            shares.iter_mut().for_each(|s| *s = math::exp(*s - most));
            let sum: f64 = shares.iter().sum();
            shares.iter_mut().for_each(|s| *s /= sum);
        }
        shares
    }

    fn objective(&self, weights: &[f64], shares: &[f64]) -> f64 {
        let mut ridge = vec![0.0; weights.len()];
        self.add_ridge(weights, &mut ridge);
        let right = shares.chunks_exact(self.classes).zip(self.labels).map(|(shares, &label)| shares[label]);
        0.5 * dot(weights, &ridge) - right.map(|p| math::ln(p.max(f64::MIN_POSITIVE))).sum::<f64>()
    }

    fn gradient(&self, weights: &[f64], shares: &[f64]) -> Vec<f64> {
        let mut gradient = vec![0.0; weights.len()];
        let mut factors = vec![0.0; self.classes];
        for ((row, shares), &label) in self.rows.iter().zip(shares.chunks_exact(self.classes)).zip(self.labels) {
            factors.copy_from_slice(shares);
            factors[label] -= 1.0;
            self.add(&factors, row, &mut gradient);
        }
        self.add_ridge(weights, &mut gradient);
        gradient
    }

    /// The Hessian times a vector.
    fn curvature(&self, shares: &[f64], of: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; of.len()];
        let mut along = vec![0.0; self.classes];
        for (row, shares) in self.rows.iter().zip(shares.chunks_exact(self.classes)) {
            self.linear(of, row, &mut along);
            let mean = dot(shares, &along);
            along.iter_mut().zip(shares).for_each(|(a, p)| *a = p * (*a - mean));
            self.add(&along, row, &mut out);
        }
        self.add_ridge(of, &mut out);
        out
    }

    /// The Hessian's inverse times the gradient, by conjugate gradients. Along the one flat direction, all intercepts alike, the gradient
    /// is zero.
    fn newton(&self, shares: &[f64], gradient: &[f64]) -> Vec<f64> {
        let mut step = vec![0.0; gradient.len()];
        let (mut left, mut along) = (gradient.to_vec(), gradient.to_vec());
        let start = dot(&left, &left);
        let mut square = start;
        for _ in 0..2 * gradient.len() {
            let bent = self.curvature(shares, &along);
            let curvature = dot(&along, &bent);
            if curvature <= 0.0 || square <= 1e-12 * start {
                break;
            }
            let length = square / curvature;
            step.iter_mut().zip(&along).for_each(|(s, a)| *s += length * a);
            left.iter_mut().zip(&bent).for_each(|(l, b)| *l -= length * b);
            let next = dot(&left, &left);
            along.iter_mut().zip(&left).for_each(|(a, l)| *a = l + next / square * *a);
            square = next;
        }
        step
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmgrad::Rng;
    use swarmgrad_nn::data::{self, Categories, Options, Preset, Targets};

    fn rows(x: Vec<f32>, dim: usize, labels: Vec<usize>) -> Dataset {
        let names = (0..=labels.iter().copied().max().unwrap()).map(|k| k.to_string()).collect();
        Dataset {
            name: "rows".into(),
            features: Matrix::from_vec(dim, x).unwrap(),
            feature_names: (0..dim).map(|k| format!("x{k}")).collect(),
            targets: Targets::Classes { labels, names },
        }
    }

    /// Without slopes to learn the shares are those of the classes; two rows at +-1 have slopes +-w with w = 2 / (1 + exp(2 w)) by hand:
    /// d/dw (2 ln(1 + exp(-2 w)) + w^2) = 0.
    #[test]
    fn small_fits_by_hand() {
        let flat = rows(vec![0.0; 8], 1, vec![0, 0, 0, 1, 1, 1, 1, 1]);
        let fit = Logistic::fit(&flat);
        assert!((fit.weights[3] - fit.weights[1] - (5.0f64 / 3.0).ln()).abs() < 1e-6, "{fit:?}");
        assert_eq!((fit.weights[0], fit.accuracy(&flat)), (0.0, 0.625));
        let two = rows(vec![-1.0, 1.0], 1, vec![0, 1]);
        let fit = Logistic::fit(&two);
        let w = fit.weights[2];
        assert!((w - 2.0 / (1.0 + (2.0 * w).exp())).abs() < 1e-7 && (fit.weights[0] + w).abs() < 1e-9, "{fit:?}");
        assert!(w > 0.4 && fit.accuracy(&two) == 1.0);
    }

    /// Ten folds of six sets, standardised, one-hot, beside the figures of another program, whose folds are other ones: hence two points.
    #[test]
    fn folds_agree_with_another_program() {
        let wanted = [
            ("iris", 95.33),
            ("ionosphere", 88.31),
            ("wbc", 96.78),
            ("haberman", 73.51),
            ("wine", 98.33),
            ("pima", 77.47),
        ];
        for (name, theirs) in wanted {
            let table = data::load(name, Preset::Paper).unwrap();
            let options = Options { standardise: true, categories: Categories::OneHot, ..Options::default() };
            let folds = table.folds(10, &Rng::new(0).fork("folds")).unwrap();
            let of_fold = |fold| {
                let parts = table.parts(fold, &options).unwrap();
                10.0 * Logistic::fit(&parts.train).accuracy(&parts.test)
            };
            let ours: f64 = folds.iter().map(of_fold).sum();
            println!("{name}: {ours:.2} against {theirs}");
            assert!((ours - theirs).abs() < 2.0, "{name}: {ours} against {theirs}");
        }
    }
}
