//! Estimates of C_E, the bound on the norm of an objective's Hessian (assumption A4): from second differences where it can be
//! evaluated, from fits where there are only samples. Neither is a bound that is proven.

use crate::linear::Triangle;
use crate::linear::eigen::Eigen;
use swarmgrad_core::{Error, Problem, Result, Rng, Rows};

/// Points at which second differences are taken, and directions at each.
const CURVED: usize = 2_000;
const DIRECTIONS: usize = 8;

/// Samples about which a quadratic is fitted, at most, and how many of their neighbours it gets for each of its coefficients.
const FITTED: usize = 64;
const FOR_A_COEFFICIENT: usize = 2;
/// Multiplications that all fits may take, about, and those beyond which none is tried: some ten seconds.
const WORK: f64 = 2e10;

/// The largest second difference |E(x + h u) - 2 E(x) + E(x - h u)|/h^2 over the first sample points and random unit
/// directions u (in low dimensions the axes as well): an estimate from below.
pub(super) fn of_function(problem: &dyn Problem, points: Rows<'_>, values: &[f64], rng: &Rng) -> f64 {
    let (dim, rng) = (points.dim(), rng.fork("directions"));
    let mut worst = 0.0f64;
    let (mut u, mut at) = (vec![0.0; dim], vec![0.0; dim]);
    for (i, (x, e)) in points.iter().zip(values).take(CURVED).enumerate() {
        let size = x.iter().fold(1.0f64, |s, t| s.max(t.abs()));
        let h = 1e-4 * size;
        let axes = if dim <= DIRECTIONS { dim } else { 0 };
        let mut draws = rng.row(i);
        for k in 0..axes + DIRECTIONS {
            if k < axes {
                u.fill(0.0);
                u[k] = 1.0;
            } else {
                draws.fill_normal(&mut u);
                let norm = u.iter().map(|t| t * t).sum::<f64>().sqrt();
                u.iter_mut().for_each(|t| *t /= norm);
            }
            let mut value = |sign: f64| {
                at.iter_mut().zip(x).zip(&u).for_each(|((a, x), u)| *a = x + sign * h * u);
                problem.value(&at)
            };
            let second = (value(1.0) - 2.0 * e + value(-1.0)) / (h * h);
            worst = if second.is_finite() { worst.max(second.abs()) } else { worst };
        }
    }
    worst
}

/// The largest norm of the Hessian of a quadratic that is fitted, by least squares, to a sample and its nearest neighbours, over
/// some of the samples. What bends within a neighbourhood is not seen. Errors where there are too few samples for a fit, or
/// they lie so that they determine none, or there are so many variables that a fit takes too long.
pub(super) fn of_samples(points: Rows<'_>, values: &[f64]) -> Result<f64> {
    let dim = points.dim();
    let coefficients = (dim + 1) * (dim + 2) / 2;
    let near = FOR_A_COEFFICIENT * coefficients;
    let work = 2.0 * near as f64 * (coefficients as f64).powi(2);
    if work > WORK {
        let rule = format!("must be given: {dim} variables are too many for an estimate from samples");
        return Err(Error::parameter("hessian", "missing", rule));
    }
    // Each point once: copies tell nothing new.
    let mut known: Vec<usize> = (0..points.len()).filter(|&i| values[i].is_finite()).collect();
    let order = |&a: &usize, &b: &usize| {
        let coordinates = points.row(a).iter().zip(points.row(b));
        coordinates.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(a.cmp(&b))
    };
    known.sort_unstable_by(order);
    known.dedup_by(|a, b| points.row(*a) == points.row(*b));
    known.sort_unstable();
    if known.len() < near {
        let rule = format!(
            "must be given: an estimate in {dim} variables takes {near} different samples with finite values, and there are {}",
            known.len()
        );
        return Err(Error::parameter("hessian", "missing", rule));
    }
    let fits = FITTED.min((WORK / work) as usize).max(1);
    let centres = known.iter().step_by(known.len().div_ceil(fits));
    let norms = centres.filter_map(|&centre| {
        let x = points.row(centre);
        let square = |i: usize| points.row(i).iter().zip(x).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let mut by_distance: Vec<(f64, usize)> = known.iter().map(|&i| (square(i), i)).collect();
        by_distance.select_nth_unstable_by(near - 1, |a, b| a.0.total_cmp(&b.0));
        by_distance.truncate(near);
        norm_of_fit(points, values, centre, &by_distance)
    });
    let unknown = || Error::parameter("hessian", "missing", "must be given: the samples determine no quadratic");
    norms.reduce(f64::max).ok_or_else(unknown)
}

/// The norm of the Hessian of the quadratic that fits these neighbours, given with their squared distances; `None` where they do
/// not determine it.
fn norm_of_fit(points: Rows<'_>, values: &[f64], centre: usize, near: &[(f64, usize)]) -> Option<f64> {
    let (x, dim) = (points.row(centre), points.dim());
    // In units of the farthest distance all columns are of one size.
    let radius = near.iter().fold(0.0f64, |most, (square, _)| most.max(*square)).sqrt();
    let scaled = |i: usize, j: usize| (points.row(i)[j] - x[j]) / radius;
    let pairs: Vec<(usize, usize)> = (0..dim).flat_map(|j| (0..=j).map(move |k| (j, k))).collect();
    let term = |row: usize, column: usize| {
        let i = near[row].1;
        match column.checked_sub(1 + dim).map(|pair| pairs[pair]) {
            Some((j, k)) => scaled(i, j) * scaled(i, k) * if j == k { 0.5 } else { 1.0 },
            None if column == 0 => 1.0,
            None => scaled(i, column - 1),
        }
    };
    let count = 1 + dim + pairs.len();
    let rows = near.len();
    let design: Vec<f64> = (0..count * rows).map(|at| term(at % rows, at / rows)).collect();
    let columns: Vec<&[f64]> = design.chunks_exact(rows).collect();
    // The triangle's solution is that of A x = -b.
    let depths: Vec<f64> = near.iter().map(|(_, i)| values[centre] - values[*i]).collect();
    let triangle = Triangle::of(&columns, &depths);
    // A direction in which the neighbours do not spread ends the diagonal near 0. (With a radius of 0 all is NaN.)
    let sizes = || triangle.diagonal().map(f64::abs);
    let spread = sizes().fold(f64::INFINITY, f64::min) / sizes().fold(0.0, f64::max);
    if spread.is_nan() || spread < 1e-9 {
        return None;
    }
    let solution = triangle.solve()?;
    let mut hessian = vec![0.0; dim * dim];
    for (&(j, k), entry) in pairs.iter().zip(&solution[1 + dim..]) {
        hessian[j * dim + k] = entry / (radius * radius);
    }
    let mut eigen = Eigen::identity(dim);
    let norm = eigen.decompose(&hessian).then(|| eigen.values.iter().fold(0.0f64, |most, t| most.max(t.abs())))?;
    norm.is_finite().then_some(norm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(n: usize, dim: usize) -> Vec<f64> {
        let mut flat = vec![0.0; n * dim];
        Rng::new(5).fill_normal(0..n, 0..dim, &mut flat);
        flat
    }

    #[test]
    fn of_a_quadratic_the_fit_is_exact() {
        // Eigenvalues of [[6, 2], [2, 3]]: 7 and 2; the other way up they are -7 and -2. A plane is added.
        let flat = cloud(200, 2);
        let points = Rows::new(2, &flat);
        let height = |x: &[f64]| 3.0 * x[0] * x[0] + 2.0 * x[0] * x[1] + 1.5 * x[1] * x[1] - 40.0 * x[0] + 9.0;
        for sign in [1.0, -1.0] {
            let values: Vec<f64> = points.iter().map(|x| sign * height(x)).collect();
            let norm = of_samples(points, &values).unwrap();
            assert!((norm - 7.0).abs() < 1e-8, "{norm}");
        }
    }

    #[test]
    fn of_something_else_it_comes_near_with_many_samples() {
        // |sin(3 t)''| <= 9. Values that are not finite are passed over.
        let flat = cloud(3_000, 1);
        let points = Rows::new(1, &flat);
        let mut values: Vec<f64> = flat.iter().map(|t| (3.0 * t).sin()).collect();
        values.iter_mut().step_by(10).for_each(|e| *e = f64::NAN);
        let norm = of_samples(points, &values).unwrap();
        assert!((8.5..9.5).contains(&norm), "{norm}");
        let few = of_samples(points.slice(0, 6), &values[..6]).unwrap_err().to_string();
        assert!(few.contains("takes 6 different samples with finite values, and there are 5"), "{few}");
    }

    #[test]
    fn copies_of_samples_change_nothing() {
        let flat = cloud(40, 2);
        let five: Vec<f64> = flat.chunks(2).flat_map(|x| x.repeat(5)).collect();
        let norm = |flat: &[f64]| {
            let values: Vec<f64> = flat.chunks(2).map(|x| 3.0 * x[0] * x[0] - x[1]).collect();
            of_samples(Rows::new(2, flat), &values).unwrap()
        };
        assert!((norm(&flat) - 6.0).abs() < 1e-8 && (norm(&five) - 6.0).abs() < 1e-8);
    }

    #[test]
    fn samples_on_a_line_determine_nothing_and_hundreds_of_variables_are_too_many() {
        let line: Vec<f64> = cloud(100, 1).iter().flat_map(|t| [*t, *t]).collect();
        let values: Vec<f64> = line.chunks(2).map(|x| x[0] * x[0]).collect();
        let why = of_samples(Rows::new(2, &line), &values).unwrap_err().to_string();
        assert!(why.contains("the samples determine no quadratic"), "{why}");
        let why = of_samples(Rows::new(200, &[0.0; 400]), &[1.0, 2.0]).unwrap_err().to_string();
        assert!(why.contains("200 variables are too many"), "{why}");
    }
}
