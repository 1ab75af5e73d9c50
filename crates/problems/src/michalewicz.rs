//! Michalewicz's function with steepness m = 10.

use crate::entry::{Dims, Entry};
use crate::math::{cos, sin, twentieth_power};
use crate::shape::{Formula, Summed, Terms};
use std::f64::consts::PI;
use swarmgrad_core::{Real, math};

/// Narrow valleys across a plain.
///
/// The literature gives the minimum for d = 2, 5 and 10 (-1.8013, -4.687658, -9.66015). The function is a sum of one
/// term a coordinate, so the minimum of any dimension is the sum of the terms' own, found here by bisection.
pub(crate) struct Michalewicz;

/// Where the term -sin(x) sin(i x^2 / pi)^20 of coordinate `i`, counted from one, is smallest on [0, pi].
fn place(i: usize) -> f64 {
    let i = i as f64;
    let term = |x: f64| -math::sin(x) * math::sin(i * x * x / PI).powi(20);
    // Between neighbouring zeros of the second sine there is one minimum, where the derivative of the logarithm,
    // which falls from infinity to minus infinity, crosses zero.
    let slope = |x: f64| 1.0 / math::tan(x) + 40.0 * i * x / PI / math::tan(i * x * x / PI);
    let lowest = |k: f64| {
        let (mut low, mut high) = (PI * (k / i).sqrt(), PI * ((k + 1.0) / i).sqrt());
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if slope(middle) > 0.0 { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    };
    // The first sine is largest at pi / 2: only the valleys about there can be the deepest.
    let centre = (0.25 * i - 0.5).floor();
    let valleys = (-1..=2).map(|step| (centre + f64::from(step)).clamp(0.0, i - 1.0));
    valleys.map(lowest).min_by(|a, b| term(*a).total_cmp(&term(*b))).expect("four valleys")
}

impl Formula for Michalewicz {
    const ENTRY: Entry = Entry {
        name: "michalewicz",
        title: "Michalewicz, m = 10",
        formula: "- sum sin(x_i) sin(i x_i^2 / pi)^20",
        source: "Michalewicz (1992), Genetic algorithms + data structures = evolution programs",
        about: "steep narrow valleys across a plain that says nothing of them; d! local minima",
        dims: Dims::Any { min: 1 },
        domain: &[(0.0, PI)],
        everywhere: false,
        differentiable: true,
        instance: None,
    };
    type Shape = Summed<1>;

    fn minimum(dim: usize) -> f64 {
        let term = |(j, &x): (usize, &f64)| -math::sin(x) * math::sin((j + 1) as f64 * x * x / PI).powi(20);
        Self::minimizers(dim)[0].iter().enumerate().map(term).sum()
    }

    fn minimizers(dim: usize) -> Vec<Vec<f64>> {
        vec![(1..=dim).map(place).collect()]
    }

    fn gradient<F: Real>(x: &[F], out: &mut [F]) {
        for (j, (o, &t)) in out.iter_mut().zip(x).enumerate() {
            let rate = F::of(Self::weight(j, x.len()));
            let (angle, wave) = (rate * (t * t), sin(rate * (t * t)));
            let slope = F::of(40.0) * rate * t * cos(angle) * wave.powi(19);
            *o = -(cos(t) * twentieth_power(wave) + sin(t) * slope);
        }
    }
}

impl Terms<1> for Michalewicz {
    const WEIGHTED: bool = true;

    fn weight(j: usize, _dim: usize) -> f64 {
        (j + 1) as f64 / PI
    }

    #[inline(always)]
    fn term<F: Real>(x: F, _next: F, weight: F) -> [F; 1] {
        [-(sin(x) * twentieth_power(sin(weight * (x * x))))]
    }
}
