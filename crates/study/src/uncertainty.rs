//! Uncertainty of the variables from points that a run has evaluated: a quadratic is fitted to values around the best point, and the
//! inverse of its Hessian H says how far each variable may be off. An estimate: how good it is depends on where the method has looked.
//!
//! ```text
//! (1)  f(x) - f(x*) ~ a + g^T (x - x*) + (x - x*)^T H (x - x*) / 2     least squares, over points with f(x) - f(x*) <= L
//! (2)  covariance = H^-1            the value is a -log likelihood
//! (3)  covariance = 2 s^2 H^-1      the value is a sum of squares of n residuals; s^2 = f(x*) / (n - p), p free variables
//! ```
//!
//! L is chosen among powers of 4 so that the quadratic misses the values by the least share of their spread: far from x* no quadratic
//! fits, and near it differences drown in rounding.

use crate::study::Plan;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use swarmgrad_algorithms::linear::{Triangle, cholesky, cholesky_solve};
use swarmgrad_core::{
    Aim, Error, Matrix, Outcome, Outside, Progress, Reason, Result, Space, Told, Variable, VariableKind, Watch,
    math::exp,
};

/// Numbers of points that are kept: with more of them every second is let go.
const MOST: usize = 1 << 22;
/// More variables than these have more coefficients than a fit is worth.
const VARIABLES: usize = 40;
/// Points of a fit over its coefficients, at most, and the least number beyond them.
const POINTS: usize = 4;
const BEYOND: usize = 4;
/// A fit that misses the values by a larger share of their spread is none.
const MISSES: f64 = 0.2;
/// A direction whose length in a fit is a smaller share of the longest is not known.
const RANK: f64 = 1e-7;

/// What the value is, which says what a rise of it means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning {
    /// A -log likelihood.
    Likelihood,
    /// A sum of squares of so many residuals of one unknown size; none for as many as the problem has.
    Squares(Option<usize>),
}

impl Meaning {
    /// Reads `likelihood`, `squares` or `squares:N`.
    ///
    /// # Errors
    /// Another text.
    pub fn parse(text: &str) -> Result<Self> {
        let squares = |text: &str| text.strip_prefix("squares:")?.trim().parse().ok().filter(|n| *n > 0);
        match (text, squares(text)) {
            ("likelihood", _) => Ok(Meaning::Likelihood),
            ("squares", _) => Ok(Meaning::Squares(None)),
            (_, Some(residuals)) => Ok(Meaning::Squares(Some(residuals))),
            _ => {
                let rule = "must be likelihood (the value is a -log likelihood) or squares:N (a sum of squares of N residuals)";
                Err(Error::parameter("--uncertainty", format!("'{text}'"), rule))
            }
        }
    }
}

impl Meaning {
    /// The assumption that a standard error rests on.
    pub fn text(self, maximize: bool) -> String {
        match self {
            Meaning::Likelihood => format!("the value is a {}log likelihood", if maximize { "" } else { "-" }),
            Meaning::Squares(None) => "the value is a sum of squares of residuals of equal size".into(),
            Meaning::Squares(Some(n)) => format!("the value is a sum of squares of {n} residuals of equal size"),
        }
    }
}

/// How far the variables may be off.
#[derive(Debug, Clone, PartialEq)]
pub struct Uncertainty {
    /// The assumption.
    pub meaning: Meaning,
    /// A standard error for each variable, in its own unit; none for one on a bound, and one that is no number.
    pub errors: Vec<Option<f64>>,
    /// Points that the quadratic was fitted to.
    pub points: usize,
    /// What it misses their values by, as a share of their spread.
    pub misses: f64,
}

/// Points of a run with their values, as they are minimised; few enough to be kept.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    points: Matrix<f64>,
    values: Vec<f64>,
    /// One of so many points is kept, and how many have come since the last.
    every: usize,
    since: usize,
}

impl Seen {
    /// Takes a point that has a value.
    pub fn push(&mut self, x: &[f64], value: f64) {
        if self.values.is_empty() {
            (self.points, self.every) = (Matrix::empty(x.len()), 1);
        }
        self.since += 1;
        if self.since < self.every || !value.is_finite() {
            return;
        }
        self.since = 0;
        self.points.push(x);
        self.values.push(value);
        if self.values.len() * x.len() > MOST {
            let mut half = Matrix::empty(x.len());
            self.points.iter().step_by(2).for_each(|x| half.push(x));
            self.points = half;
            self.values = self.values.iter().copied().step_by(2).collect();
            self.every *= 2;
        }
    }
}

/// Takes the points of a run; its clones take the same.
#[derive(Debug, Default, Clone)]
pub struct Collector(Arc<Mutex<Seen>>);

impl Collector {
    /// What it has taken so far.
    pub fn seen(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Watch for Collector {
    fn see(&mut self, _progress: &Progress<'_>) -> ControlFlow<Reason> {
        ControlFlow::Continue(())
    }

    fn sees_evaluations(&self) -> bool {
        true
    }

    fn evaluated(&mut self, told: &Told<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(told.x, told.evaluation.cost());
    }
}

impl Plan {
    /// What the value means, as a text says it; an empty one leaves it to the problem: residuals say it themselves, other values
    /// are -log likelihoods.
    ///
    /// # Errors
    /// Those of [`Meaning::parse`].
    pub fn meaning(&self, text: &str) -> Result<Meaning> {
        match text {
            "" if self.aim == Aim::Residuals => Ok(Meaning::Squares(None)),
            "" => Ok(Meaning::Likelihood),
            text => Meaning::parse(text),
        }
    }

    /// Estimates the uncertainty of the variables at the best point from points of the run; where that cannot be, says why.
    ///
    /// # Errors
    /// A sentence for people.
    pub fn uncertainty(
        &self,
        seen: &Seen,
        outcome: &Outcome,
        meaning: Meaning,
    ) -> std::result::Result<Uncertainty, String> {
        let space = &self.space;
        let (x, value) = (&outcome.x, self.signed(outcome.fun));
        if !value.is_finite() || x.len() != space.dim() {
            return Err("there is no best point".into());
        }
        let free = continuous(space);
        let is_inside =
            |j: &usize| space.outside() == Outside::Wrap || x[*j] > space.lower()[*j] && x[*j] < space.upper()[*j];
        let free: Vec<usize> = free.into_iter().filter(is_inside).collect();
        if free.is_empty() {
            return Err("no variable is free to move: each is on a bound, or no real number".into());
        }
        if free.len() > VARIABLES {
            return Err(format!("{} variables are too many for a quadratic; {VARIABLES} at most", free.len()));
        }
        // Where a variable is no real number, only points with the value that it has at the best one.
        let same = |point: &[f64]| {
            (0..x.len()).all(|j| free.contains(&j) || point[j] == x[j])
                || !space.variables().is_empty() && {
                    let moved = |j| if free.contains(&j) { x[j] } else { point[j] };
                    space.decode(&(0..x.len()).map(moved).collect::<Vec<_>>()) == space.decode(x)
                }
        };
        let mut rows: Vec<(f64, &[f64])> = seen.points.iter().zip(&seen.values).map(|(x, &f)| (f - value, x)).collect();
        rows.retain(|(rise, point)| rise.is_finite() && same(point));
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows.dedup_by(|a, b| a.1 == b.1);
        let fit = fit(&rows, x, &free)?;
        let p = free.len();
        let meaning = match meaning {
            Meaning::Squares(None) if !outcome.parts.is_empty() => Meaning::Squares(Some(outcome.parts.len())),
            other => other,
        };
        let unit = match meaning {
            Meaning::Likelihood => 1.0,
            Meaning::Squares(None) => {
                return Err(
                    "of how many residuals the value is the sum of squares is not known; say it, as in squares:N"
                        .into(),
                );
            }
            Meaning::Squares(Some(n)) if n > p => 2.0 * value / (n - p) as f64,
            Meaning::Squares(Some(n)) => {
                return Err(format!("{n} residuals are not more than {p} free variables: their size is not known"));
            }
        };
        let mut l = fit.hessian;
        if !cholesky(&mut l, p) {
            return Err("around the best point the value does not rise in all directions: it is no minimum yet, or the values have errors".into());
        }
        let error = |k: usize| {
            let mut column = vec![0.0; p];
            column[k] = 1.0;
            cholesky_solve(&l, p, &mut column);
            (unit * column[k]).sqrt()
        };
        let mut by_coordinate = vec![None; space.dim()];
        free.iter().enumerate().for_each(|(k, &j)| by_coordinate[j] = Some(error(k)).filter(|e| e.is_finite()));
        Ok(Uncertainty {
            meaning,
            errors: by_variable(space, x, &by_coordinate),
            points: fit.points,
            misses: fit.misses,
        })
    }
}

/// Coordinates of the box that are real numbers by themselves: of shares of a whole each moves all.
fn continuous(space: &Space) -> Vec<usize> {
    let alone = |j: usize| space.variable_of(j).is_none_or(|variable| variable.group().is_none());
    (0..space.dim()).filter(|&j| space.is_continuous(j) && alone(j)).collect()
}

/// What errors of coordinates are to the variables; of a logarithm, to the first order.
fn by_variable(space: &Space, x: &[f64], errors: &[Option<f64>]) -> Vec<Option<f64>> {
    if space.variables().is_empty() {
        return errors.to_vec();
    }
    let mut coordinates = continuous(space).into_iter();
    let of = |variable: &Variable| match variable.kind() {
        VariableKind::Real { .. } => coordinates.next().and_then(|j| errors[j]),
        VariableKind::Log { .. } => coordinates.next().and_then(|j| Some(errors[j]? * exp(x[j]))),
        _ => None,
    };
    space.variables().iter().map(of).collect()
}

/// A quadratic around the best point.
struct Fit {
    /// Of the free coordinates, row by row.
    hessian: Vec<f64>,
    points: usize,
    misses: f64,
}

/// The best of the fits over all levels L; `rows` are rises over the best value with their points, ascending.
fn fit(rows: &[(f64, &[f64])], x: &[f64], free: &[usize]) -> std::result::Result<Fit, String> {
    let p = free.len();
    let coefficients = (p + 1) * (p + 2) / 2;
    let least = coefficients + BEYOND.max(coefficients / 2);
    let few = || {
        format!(
            "{} points are too few for a quadratic of {p} variables, which takes {least}: more evaluations, or a method that samples \
             around the best point such as cma_es",
            rows.len()
        )
    };
    if rows.len() < least {
        return Err(few());
    }
    let (mut best, mut unknown): (Option<Fit>, bool) = (None, false);
    let mut to = rows.len();
    while to >= least {
        let level = rows[to - 1].0;
        // Evenly over the window, the best point among them.
        let count = to.min(POINTS * coefficients);
        let chosen: Vec<_> = (0..count).map(|k| rows[k * (to - 1) / (count - 1).max(1)]).collect();
        match quadratic(&chosen, x, free) {
            Some(fit) if best.as_ref().is_none_or(|best| fit.misses < best.misses) => best = Some(fit),
            Some(_) => {}
            None => unknown = true,
        }
        let next = rows.partition_point(|row| row.0 <= level / 4.0);
        to = if next < to { next } else { to - 1 };
        if level <= 0.0 {
            break;
        }
    }
    match best {
        Some(fit) if fit.misses <= MISSES => Ok(fit),
        Some(fit) => Err(format!(
            "no quadratic fits the points around the best one: the nearest misses {:.0} % of their spread",
            100.0 * fit.misses.min(1.0)
        )),
        None if unknown => Err(
            "the points lie along few directions, from which no quadratic follows: a method that samples around the best point, such as \
             cma_es, has others"
                .into(),
        ),
        None => Err(few()),
    }
}

/// The quadratic through these; none where their directions leave it open.
fn quadratic(rows: &[(f64, &[f64])], x: &[f64], free: &[usize]) -> Option<Fit> {
    let (n, p) = (rows.len(), free.len());
    let unit = |j: usize| {
        let moved = rows.iter().map(|(_, point)| (point[j] - x[j]).powi(2)).sum::<f64>();
        (moved / n as f64).sqrt()
    };
    let units: Vec<f64> = free.iter().map(|&j| unit(j)).collect();
    if units.contains(&0.0) {
        return None;
    }
    let moved = |row: &(f64, &[f64]), k: usize| (row.1[free[k]] - x[free[k]]) / units[k];
    let pairs: Vec<(usize, usize)> = (0..p).flat_map(|a| (0..=a).map(move |b| (a, b))).collect();
    let mut columns: Vec<Vec<f64>> = vec![vec![1.0; n]];
    columns.extend((0..p).map(|k| rows.iter().map(|row| moved(row, k)).collect()));
    let product = |&(a, b): &(usize, usize)| {
        let half = if a == b { 0.5 } else { 1.0 };
        rows.iter().map(|row| half * moved(row, a) * moved(row, b)).collect()
    };
    columns.extend(pairs.iter().map(product));
    let borrowed: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    // The triangle's answer is that of A x + b.
    let below: Vec<f64> = rows.iter().map(|row| -row.0).collect();
    let triangle = Triangle::of(&borrowed, &below);
    let longest = triangle.diagonal().map(f64::abs).fold(0.0, f64::max);
    if triangle.diagonal().any(|t| t.abs() <= RANK * longest) {
        return None;
    }
    let found = triangle.solve()?;
    let mean = rows.iter().map(|row| row.0).sum::<f64>() / n as f64;
    let spread = rows.iter().map(|row| (row.0 - mean).powi(2)).sum::<f64>() / n as f64;
    let missed = |i: usize| rows[i].0 - columns.iter().zip(&found).map(|(column, c)| column[i] * c).sum::<f64>();
    let missed = (0..n).map(|i| missed(i).powi(2)).sum::<f64>() / n.saturating_sub(found.len()).max(1) as f64;
    let mut hessian = vec![0.0; p * p];
    for (&(a, b), c) in pairs.iter().zip(&found[1 + p..]) {
        let entry = c / (units[a] * units[b]);
        (hessian[a * p + b], hessian[b * p + a]) = (entry, entry);
    }
    let misses = if spread > 0.0 { (missed / spread).sqrt() } else { f64::INFINITY };
    Some(Fit { hessian, points: n, misses })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::Study;
    use swarmgrad_core::Rng;

    /// H = [[4, 1], [1, 2]] around (0.3, -0.2): its inverse has 2/7 and 4/7 on the diagonal.
    fn bowl(x: &[f64]) -> f64 {
        let (a, b) = (x[0] - 0.3, x[1] + 0.2);
        7.0 + 0.5 * (4.0 * a * a + 2.0 * a * b + 2.0 * b * b)
    }

    /// Points as a search leaves them, around (0.3, -0.2) and ever nearer.
    fn seen(count: u64, value: impl Fn(&[f64]) -> f64) -> (Seen, Vec<f64>, f64) {
        let (mut seen, mut best) = (Seen::default(), (vec![0.3, -0.2], f64::INFINITY));
        best.1 = value(&best.0);
        seen.push(&best.0, best.1);
        for k in 0..count {
            let draws = Rng::new(1).at(k);
            let size = 2.0 * 0.97f64.powf(k as f64);
            let x = vec![0.3 + size * draws.row(0).normal(), -0.2 + size * draws.row(1).normal()];
            seen.push(&x, value(&x));
            if value(&x) < best.1 {
                best = (x.clone(), value(&x));
            }
        }
        (seen, best.0, best.1)
    }

    fn estimate(
        study: &Study,
        seen: (Seen, Vec<f64>, f64),
        meaning: Meaning,
    ) -> std::result::Result<Uncertainty, String> {
        let plan = study.plan().unwrap();
        let mut outcome = plan.session().unwrap().outcome();
        (outcome.x, outcome.fun) = (seen.1, seen.2);
        plan.uncertainty(&seen.0, &outcome, meaning)
    }

    fn plane() -> Study {
        Study { problem: Some("sphere".into()), dim: Some(2), bounds: Some("-9:9".into()), ..Study::default() }
    }

    #[test]
    fn a_known_hessian_is_found() {
        let expected = [(2.0f64 / 7.0).sqrt(), (4.0f64 / 7.0).sqrt()];
        for rounded in [false, true] {
            let value = |x: &[f64]| if rounded { (bowl(x) * 1e3).round() / 1e3 } else { bowl(x) };
            let found = estimate(&plane(), seen(300, value), Meaning::Likelihood).unwrap();
            for (error, expected) in found.errors.iter().zip(expected) {
                let off = error.unwrap() / expected - 1.0;
                assert!(off.abs() < if rounded { 2e-2 } else { 1e-6 }, "{rounded} {off} {found:?}");
            }
        }
        // s^2 = 7 / (9 - 2) = 1.
        let squares = estimate(&plane(), seen(300, bowl), Meaning::Squares(Some(9))).unwrap();
        assert!((squares.errors[0].unwrap() / (expected[0] * 2f64.sqrt()) - 1.0).abs() < 1e-6, "{squares:?}");
    }

    #[test]
    fn terms_of_higher_order_are_left_behind() {
        let found = estimate(&plane(), seen(300, |x| bowl(x) + (x[0] - 0.3).powi(4)), Meaning::Likelihood).unwrap();
        assert!((found.errors[0].unwrap() / (2.0f64 / 7.0).sqrt() - 1.0).abs() < 0.02, "{found:?}");
    }

    #[test]
    fn a_variable_on_its_bound_has_no_error_and_a_logarithm_its_own() {
        let (mut points, best) = (Seen::default(), vec![-9.0, 0.0]);
        let value = |x: &[f64]| x[0] + 9.0 + 2.0 * x[1] * x[1];
        points.push(&best, 0.0);
        for k in 0..60 {
            let t = 0.1 * (k as f64 - 30.0);
            points.push(&[-9.0, t], value(&[-9.0, t]));
        }
        let found = estimate(&plane(), (points, best, 0.0), Meaning::Likelihood).unwrap();
        assert_eq!(found.errors[0], None);
        assert!((found.errors[1].unwrap() - 0.5).abs() < 1e-6, "{found:?}");

        let study =
            Study { variables: vec!["r=log:1e-3:1e3".into(), "n=int:1:3".into()], bounds: None, dim: None, ..plane() };
        let mut points = Seen::default();
        for k in 0..60 {
            let u = 0.05 * (k as f64 - 30.0);
            points.push(&[u + 2.0, 1.0], 0.5 * u * u);
            points.push(&[u + 2.0, 0.0], 9.0 * u * u);
        }
        let found = estimate(&study, (points, vec![2.0, 1.2], 0.0), Meaning::Likelihood).unwrap();
        assert_eq!(found.errors[1], None);
        assert!((found.errors[0].unwrap() / 2f64.exp() - 1.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn what_cannot_be_said_is_said_in_a_sentence() {
        let why = |seen, meaning| estimate(&plane(), seen, meaning).unwrap_err();
        assert!(
            why(seen(5, bowl), Meaning::Likelihood)
                .starts_with("6 points are too few for a quadratic of 2 variables, which takes 10")
        );
        assert!(why(seen(300, bowl), Meaning::Squares(Some(2))).starts_with("2 residuals are not more than 2"));
        let noise = |x: &[f64]| (1e6 * x[0]).sin().abs() + (1e7 * x[1]).cos().abs();
        assert!(why(seen(300, noise), Meaning::Likelihood).contains("no quadratic fits"));
        let mut line = Seen::default();
        (0..50).for_each(|k| line.push(&[0.1 * k as f64, 0.1 * k as f64], (0.1 * k as f64).powi(2)));
        assert!(why((line, vec![0.0, 0.0], 0.0), Meaning::Likelihood).contains("along few directions"));
        let saddle = |x: &[f64]| (x[0] - 0.3).powi(2) - (x[1] + 0.2).powi(2);
        let (points, ..) = seen(300, saddle);
        let value = saddle(&[0.3, -0.2]);
        assert!(why((points, vec![0.3, -0.2], value), Meaning::Likelihood).contains("does not rise in all directions"));
        assert!(Meaning::parse("squares:0").is_err() && Meaning::parse("squares:4") == Ok(Meaning::Squares(Some(4))));
    }
}
