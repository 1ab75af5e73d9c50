//! Start: where the first points come from.

use crate::{Error, Matrix, Real, Result, Rng, Space};
use serde::{Deserialize, Serialize};

/// The law of the initial points.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Uniform between the bounds where both are finite; elsewhere normal around the finite bound or 0, deviation 1.
    #[default]
    Uniform,
    /// Normal with this mean and standard deviation in each coordinate, brought back inside the bounds.
    Normal {
        /// Mean of every coordinate.
        mean: f64,
        /// Standard deviation of every coordinate, >= 0.
        deviation: f64,
    },
    /// One point in each of n equal slices of every variable.
    LatinHypercube,
    /// Owen-scrambled Sobol points.
    Sobol,
    /// These points first; what is missing is drawn as by `Uniform`, what is too many is left out.
    Points(Vec<Vec<f64>>),
}

impl Start {
    /// Whether the start fits the space: finite numbers of the right count, and bounds where the law needs them.
    pub fn check<F: Real>(&self, space: &Space<F>) -> Result<()> {
        match self {
            Start::Uniform => Ok(()),
            Start::Normal { mean, deviation } => {
                if !mean.is_finite() {
                    return Err(Error::parameter("start mean", mean, "must be a finite number"));
                }
                if !(deviation.is_finite() && *deviation >= 0.0) {
                    return Err(Error::parameter("start deviation", deviation, "must be a finite number, at least 0"));
                }
                Ok(())
            }
            Start::LatinHypercube | Start::Sobol if !space.is_bounded() => {
                Err(Error::parameter("start", self.name(), "needs finite bounds for every variable"))
            }
            Start::LatinHypercube | Start::Sobol => Ok(()),
            Start::Points(points) => points.iter().enumerate().try_for_each(|(i, point)| {
                if point.len() != space.dim() {
                    return Err(Error::shape(format!("start point {i}"), point.len(), space.dim()));
                }
                match point.iter().find(|t| !t.is_finite()) {
                    Some(t) => Err(Error::parameter(format!("start point {i}"), t, "must hold finite numbers")),
                    None => Ok(()),
                }
            }),
        }
    }

    /// The law's name as users write it.
    pub fn name(&self) -> &'static str {
        match self {
            Start::Uniform => "uniform",
            Start::Normal { .. } => "normal",
            Start::LatinHypercube => "latin_hypercube",
            Start::Sobol => "sobol",
            Start::Points(_) => "points",
        }
    }

    /// The given point.
    pub fn at<F: Real>(x: &[F]) -> Self {
        Start::Points(vec![x.iter().map(|t| t.f64()).collect()])
    }

    /// The law of later starts, when given points have been used.
    pub fn later(&self) -> Self {
        match self {
            Start::Points(_) => Start::Uniform,
            law => law.clone(),
        }
    }

    /// The start of a run after so many others: of given points the next, and none where all have been used; else the law.
    pub fn after(&self, runs: usize) -> Self {
        match self {
            Start::Points(points) if runs > 0 => Start::Points(points.iter().skip(runs).take(1).cloned().collect()),
            start => start.clone(),
        }
    }

    /// Fills `xs` with what a method begins with that needs a single point: those given, else one, by `Uniform` from the middle
    /// fifth of the box. Not the very middle: there many test functions have their minimum, and the first evaluation would solve
    /// them.
    pub fn fill_first<F: Real>(&self, space: &Space<F>, rng: &Rng, xs: &mut Matrix<F>) {
        let given = match self {
            Start::Points(points) => points.len().max(1),
            _ => 1,
        };
        self.fill(space, rng, given, xs);
        if *self == Start::Uniform {
            xs.row_mut(0).iter_mut().enumerate().for_each(|(j, t)| *t = space.middle_fifth(j, *t));
        }
    }

    /// Fills `xs` with `n` points inside the space, from the stream `start` of `rng`.
    pub fn fill<F: Real>(&self, space: &Space<F>, rng: &Rng, n: usize, xs: &mut Matrix<F>) {
        let rng = rng.fork("start");
        let dim = space.dim();
        xs.resize(n, dim);
        match self {
            Start::Uniform => (0..n).for_each(|i| uniform(space, &rng, i, xs.row_mut(i))),
            Start::Normal { mean, deviation } => {
                for i in 0..n {
                    rng.row(i).fill_normal(xs.row_mut(i));
                    xs.row_mut(i).iter_mut().for_each(|t| *t = F::of(*mean) + F::of(*deviation) * *t);
                }
            }
            Start::LatinHypercube => latin_hypercube(space, &rng, n, xs),
            Start::Sobol => sobol(space, &rng, n, xs),
            Start::Points(points) => {
                for i in 0..n {
                    match points.get(i) {
                        Some(point) => xs.row_mut(i).iter_mut().zip(point).for_each(|(t, &p)| *t = F::of(p)),
                        None => uniform(space, &rng, i, xs.row_mut(i)),
                    }
                }
            }
        }
        let outside = rng.fork("outside");
        for i in 0..n {
            space.repair(xs.row_mut(i), 0, &mut outside.row(i));
        }
    }
}

/// A point of `Start::Uniform`.
fn uniform<F: Real>(space: &Space<F>, rng: &Rng, i: usize, x: &mut [F]) {
    let mut draws = rng.row(i);
    draws.fill_uniform(x);
    for (j, t) in x.iter_mut().enumerate() {
        let (lo, hi) = (space.lower()[j], space.upper()[j]);
        *t = match (lo.is_finite(), hi.is_finite()) {
            // hi - lo may overflow where the bounds are huge.
            (true, true) => lo + *t * (hi - lo).min(F::max_value()),
            (true, false) => lo + F::of(draws.normal()).abs(),
            (false, true) => hi - F::of(draws.normal()).abs(),
            (false, false) => F::of(draws.normal()),
        };
    }
}

/// Point `i` of variable `j` lies in slice `permutation_j(i)`, uniformly within it.
fn latin_hypercube<F: Real>(space: &Space<F>, rng: &Rng, n: usize, xs: &mut Matrix<F>) {
    let mut slice: Vec<usize> = (0..n).collect();
    for j in 0..space.dim() {
        let mut draws = rng.row(j);
        draws.shuffle(&mut slice);
        for (i, &s) in slice.iter().enumerate() {
            let u = (s as f64 + draws.uniform()) / n as f64;
            xs.row_mut(i)[j] = space.lower()[j] + F::of(u) * space.width(j);
        }
    }
}

/// Variables beyond the generator's 256 dimensions take further scrambles of the same points.
fn sobol<F: Real>(space: &Space<F>, rng: &Rng, n: usize, xs: &mut Matrix<F>) {
    const DIMENSIONS: usize = sobol_burley::NUM_DIMENSIONS as usize;
    let scrambles: Vec<u32> =
        (0..space.dim().div_ceil(DIMENSIONS)).map(|s| (rng.row(s).uniform() * 4_294_967_296.0) as u32).collect();
    for i in 0..n {
        for j in 0..space.dim() {
            let u = sobol_burley::sample(i as u32, (j % DIMENSIONS) as u32, scrambles[j / DIMENSIONS]);
            xs.row_mut(i)[j] = space.lower()[j] + F::of(f64::from(u)) * space.width(j);
        }
    }
}
