//! How good a source of gradients is: held against the true gradient at given points.

use serde::Serialize;
use std::fmt;
use swarmgrad_core::{Differentiable, GradientSource, Instant, Real, Result, Rng, Rows};

/// The report: direction, length and price of a source's gradients.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quality {
    /// The source's name.
    pub source: String,
    /// Points compared.
    pub points: usize,
    /// Points left out because the true gradient is zero or not finite there.
    pub skipped: usize,
    /// Median of the cosine between the source's gradient and the true one; 0 where the source wrote zero.
    pub cosine: f64,
    /// The smallest cosine.
    pub worst_cosine: f64,
    /// Share of the points at which the cosine is positive: stepping down the gradient goes down.
    pub descending: f64,
    /// Median of |gradient - true| / |true|.
    pub relative_error: f64,
    /// The largest relative error.
    pub worst_error: f64,
    /// Median of the standard error that the source tells of its gradient, over |true|; 0 for a formula.
    pub standard_error: f64,
    /// Share of the points at which the source says that its gradient has collapsed.
    pub collapsed: f64,
    /// Evaluations a gradient.
    pub evaluations: f64,
    /// Exact gradients a gradient.
    pub gradients: f64,
    /// Seconds a gradient.
    pub seconds: f64,
}

/// Holds `source` against the gradient of `problem` at each of the points; point i draws from iteration i of `rng`.
///
/// Errors if there is no point at which the true gradient is finite and not zero, or the points have the wrong length.
///
/// ```
/// use swarmgrad_algorithms::gradient::{quality::quality, yardstick::{Differences, DifferencesParams}};
/// use swarmgrad_core::{Differentiable, Problem, Rng, Rows, Space};
///
/// struct Bowl(Space);
/// impl Problem for Bowl {
///     fn space(&self) -> &Space { &self.0 }
///     fn value(&self, x: &[f64]) -> f64 { x.iter().map(|t| t * t).sum() }
/// }
/// impl Differentiable for Bowl {
///     fn gradient(&self, x: &[f64], out: &mut [f64]) { out.iter_mut().zip(x).for_each(|(o, t)| *o = 2.0 * t) }
/// }
/// let bowl = Bowl(Space::cube(2, -5.0, 5.0)?);
/// let mut source = Differences::new(&bowl, DifferencesParams::default())?;
/// let report = quality("differences", &mut source, &bowl, Rows::new(2, &[1.0, 2.0, -3.0, 0.5]), &Rng::new(1))?;
/// assert!(report.cosine > 0.999_999 && report.evaluations == 5.0);
/// println!("{report}");
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn quality<F: Real>(
    name: &str,
    source: &mut dyn GradientSource<F>,
    problem: &dyn Differentiable<F>,
    points: Rows<'_, F>,
    rng: &Rng,
) -> Result<Quality> {
    let dim = problem.space().dim();
    if points.dim() != dim {
        return Err(swarmgrad_core::Error::shape("points", points.dim(), dim));
    }
    let (mut ours, mut truth) = (vec![F::zero(); dim], vec![F::zero(); dim]);
    let (mut cosines, mut errors, mut told, mut collapsed) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let (mut evaluations, mut gradients, mut seconds) = (0u64, 0u64, 0.0);
    for (i, point) in points.iter().enumerate() {
        let begin = Instant::now();
        let sampled = source.gradient(point, &mut ours, &rng.at(i as u64));
        seconds += begin.elapsed().as_secs_f64();
        evaluations += sampled.evaluations;
        gradients += sampled.gradients;
        problem.gradient(point, &mut truth);
        let dot = |a: &[F], b: &[F]| a.iter().zip(b).map(|(a, b)| a.f64() * b.f64()).sum::<f64>();
        let (length, size) = (dot(&truth, &truth).sqrt(), dot(&ours, &ours).sqrt());
        if !(length.is_finite() && length > 0.0) {
            continue;
        }
        let gap = ours.iter().zip(&truth).map(|(a, b)| (a.f64() - b.f64()).powi(2)).sum::<f64>().sqrt();
        cosines.push(if size > 0.0 { dot(&ours, &truth) / (length * size) } else { 0.0 });
        errors.push(gap / length);
        told.push(sampled.reliability.map_or(0.0, |reliability| reliability.standard_error) / length);
        collapsed += usize::from(sampled.reliability.is_some_and(|reliability| reliability.collapse.is_some()));
    }
    let compared = cosines.len();
    if compared == 0 {
        let rule = "must hold one at which the true gradient is finite and not zero";
        return Err(swarmgrad_core::Error::parameter("points", points.len(), rule));
    }
    cosines.sort_by(f64::total_cmp);
    errors.sort_by(f64::total_cmp);
    told.sort_by(f64::total_cmp);
    let each = |total: f64| total / points.len() as f64;
    Ok(Quality {
        source: name.into(),
        points: compared,
        skipped: points.len() - compared,
        cosine: median(&cosines),
        worst_cosine: cosines[0],
        descending: cosines.iter().filter(|c| **c > 0.0).count() as f64 / compared as f64,
        relative_error: median(&errors),
        worst_error: errors[compared - 1],
        standard_error: median(&told),
        collapsed: collapsed as f64 / compared as f64,
        evaluations: each(evaluations as f64),
        gradients: each(gradients as f64),
        seconds: each(seconds),
    })
}

/// The middle of sorted numbers.
fn median(sorted: &[f64]) -> f64 {
    0.5 * (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2])
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: cosine {:.4} (worst {:.4}, descending at {:.0} %), relative error {:.2e} (worst {:.2e}, \
             told {:.2e}, collapsed at {:.0} %), {:.1} evaluations, {:.3} ms a gradient, {} points",
            self.source,
            self.cosine,
            self.worst_cosine,
            100.0 * self.descending,
            self.relative_error,
            self.worst_error,
            self.standard_error,
            100.0 * self.collapsed,
            self.evaluations,
            1e3 * self.seconds,
            self.points
        )
    }
}
