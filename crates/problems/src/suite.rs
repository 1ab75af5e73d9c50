//! The table of all test functions, and how a row of it becomes a test function ready for use.

use crate::bbob::{biobj, constrained as bbob_constrained, mixint};
use crate::constrained::CONSTRAINED;
use crate::entry::{Entry, TestProblem};
use crate::multi::{self, MULTI};
use crate::nist::{self, FITS};
use crate::shape::{Formula, Shape};
use crate::{ackley::*, adaswarm::*, crease::*, griewank::*, levy::*, michalewicz::*, polynomial::*, rastrigin::*};
use crate::{bbob, cec2017, constrained, design};
use crate::{rosenbrock::*, schwefel::*, sphere::*, styblinski_tang::*, wave::*, zakharov::*};
use std::marker::PhantomData;
use swarmgrad_core::{Aim, ByScalar, Differentiable, Error, Problem, Real, Result, Rows, Space};

impl Entry {
    /// The default space of `dim` coordinates. Errors if the function cannot have so many.
    pub fn space<F: Real>(&self, dim: usize) -> Result<Space<F>> {
        self.check(dim)?;
        if mixint::number(self).is_some() {
            return mixint::space(dim);
        }
        let pairs = (0..dim).map(|j| self.domain[j.min(self.domain.len() - 1)]);
        let (lower, upper) = pairs.map(|(lo, hi)| (F::of(lo), F::of(hi))).unzip();
        Space::new(lower, upper)
    }

    /// The test function in `dim` coordinates, on `bounds` or else on its default domain.
    ///
    /// Errors if the function cannot have so many coordinates or the bounds have another number of them. The minimum
    /// is known only where it is certain: a minimiser must lie inside, and bounds that go beyond the default domain
    /// are possible only if the minimum holds [`everywhere`](Entry::everywhere).
    ///
    /// ```
    /// use swarmgrad_core::{Problem, Space};
    /// let rosenbrock = swarmgrad_problems::entry("rosenbrock")?;
    /// let problem = rosenbrock.build::<f64>(2, None)?;
    /// assert!((problem.value(&[-1.2, 1.0]) - 24.2).abs() < 1e-12);
    /// assert_eq!(problem.minimum(), Some(0.0));
    /// assert_eq!(problem.minimizers(), [[1.0, 1.0]]);
    ///
    /// let away = rosenbrock.build(2, Some(Space::cube(2, 2.0, 3.0)?))?;
    /// assert_eq!(away.minimum(), None);
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    pub fn build<F: Real>(&self, dim: usize, bounds: Option<Space<F>>) -> Result<Box<dyn TestProblem<F>>> {
        F::choose::<Build>(single, double)(*self, dim, bounds)
    }
}

/// Functions that build a test function.
struct Build;

impl ByScalar for Build {
    type Of<F: Real> = fn(Entry, usize, Option<Space<F>>) -> Result<Box<dyn TestProblem<F>>>;
}

/// Not generic, so that the formulas are compiled here and not once more in each crate that asks for one.
#[inline(never)]
fn double(entry: Entry, dim: usize, bounds: Option<Space<f64>>) -> Result<Box<dyn TestProblem<f64>>> {
    build(entry, dim, bounds)
}

/// With the feature `single`, for the formulas of 32 bits take as long to compile as those of 64 and few ask for them.
#[inline(never)]
fn single(entry: Entry, dim: usize, bounds: Option<Space<f32>>) -> Result<Box<dyn TestProblem<f32>>> {
    #[cfg(feature = "single")]
    return build(entry, dim, bounds);
    #[cfg(not(feature = "single"))]
    return Err(no_single(entry.name, (dim, bounds)));
}

#[cfg(not(feature = "single"))]
fn no_single<T>(name: &str, _: T) -> Error {
    Error::parameter(name, "f32", "is built with the cargo feature `single` of swarmgrad")
}

fn build<F: Real>(entry: Entry, dim: usize, bounds: Option<Space<F>>) -> Result<Box<dyn TestProblem<F>>> {
    entry.check(dim)?;
    let domain = entry.space(dim)?;
    let space = bounds.unwrap_or_else(|| domain.clone());
    if space.dim() != dim {
        return Err(Error::shape("bounds", space.dim(), dim));
    }
    let certain = entry.everywhere || (domain.contains(space.lower()) && domain.contains(space.upper()));
    if let Some(number) = bbob::number(&entry) {
        Ok(bbob::pose(entry, number, space))
    } else if let Some(number) = mixint::number(&entry) {
        Ok(mixint::pose(entry, number, space))
    } else if let Some(number) = bbob_constrained::number(&entry) {
        Ok(bbob_constrained::pose(entry, number, space))
    } else if let Some(number) = cec2017::number(&entry) {
        cec2017::pose(entry, number, space)
    } else if let Some(design) = design::design_of(&entry) {
        Ok(design::pose(design, space, certain))
    } else if let Some(row) = constrained::row_of(&entry) {
        Ok(constrained::pose(row, space))
    } else if let Some(row) = multi::row_of(&entry) {
        Ok(multi::pose(row, space))
    } else if let Some(number) = biobj::number(&entry) {
        Ok(biobj::pose(entry, number, space))
    } else if let Some(row) = nist::row_of(&entry) {
        Ok(nist::pose(row, space))
    } else {
        pose(entry, space, certain)
    }
}

/// The formula `T` on a space.
struct Posed<T, F: Real> {
    entry: Entry,
    space: Space<F>,
    weights: Vec<F>,
    minimum: Option<F>,
    minimizers: Vec<Vec<F>>,
    formula: PhantomData<T>,
}

impl<T: Formula, F: Real> Posed<T, F> {
    fn new(entry: Entry, space: Space<F>, certain: bool) -> Self {
        let dim = space.dim();
        let points = if certain { T::minimizers(dim) } else { Vec::new() };
        let points = points.into_iter().map(|x| x.into_iter().map(F::of).collect::<Vec<F>>());
        let minimizers: Vec<_> = points.filter(|x| space.contains(x)).collect();
        let minimum = (!minimizers.is_empty()).then(|| F::of(T::minimum(dim)));
        Posed { entry, weights: T::Shape::weights(dim), space, minimum, minimizers, formula: PhantomData }
    }
}

impl<T: Formula, F: Real> Problem<F> for Posed<T, F> {
    fn space(&self) -> &Space<F> {
        &self.space
    }

    fn value(&self, x: &[F]) -> F {
        assert_eq!(x.len(), self.space.dim(), "a point must have dim entries");
        T::Shape::value(&self.weights, x)
    }

    fn values(&self, xs: Rows<'_, F>, out: &mut [F]) {
        assert_eq!((xs.dim(), xs.len()), (self.space.dim(), out.len()), "points of dim entries and a value for each");
        T::Shape::values(&self.weights, xs, out);
    }
}

impl<T: Formula, F: Real> Differentiable<F> for Posed<T, F> {
    fn gradient(&self, x: &[F], out: &mut [F]) {
        assert_eq!((x.len(), out.len()), (self.space.dim(), self.space.dim()), "point and gradient have dim entries");
        T::gradient(x, out);
    }
}

impl<T: Formula, F: Real> TestProblem<F> for Posed<T, F> {
    fn entry(&self) -> &Entry {
        &self.entry
    }

    fn minimum(&self) -> Option<F> {
        self.minimum
    }

    fn minimizers(&self) -> &[Vec<F>] {
        &self.minimizers
    }

    fn differentiable(&self) -> Option<&dyn Differentiable<F>> {
        self.entry.differentiable.then_some(self)
    }
}

/// All test problems: those of one value, then those with constraints, then fits, then those of several objectives.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    PROBLEMS.iter().chain(CONSTRAINED).chain(FITS).chain(MULTI)
}

/// What the values of the test problem of that name are made of.
pub fn aim(name: &str) -> Aim {
    let names = |entry: Entry| multi::objectives(&entry);
    match entry(name).ok().and_then(names) {
        Some(names) => Aim::Objectives(names),
        None if FITS.iter().any(|entry| entry.name == name) => Aim::Residuals,
        None => Aim::Value,
    }
}

/// The row of the table with that name; `NAME/i7` is instance 7 of a function that has instances. An unknown name's
/// error suggests the nearest.
///
/// ```
/// let error = swarmgrad_problems::entry("rastrign").unwrap_err();
/// assert_eq!(error.to_string(), "unknown problem 'rastrign', did you mean 'rastrigin'?");
/// assert_eq!(swarmgrad_problems::entry("bbob/f8/i7")?.instance, Some(7));
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn entry(name: &str) -> Result<Entry> {
    let find = |name: &str| all().find(|entry| entry.name == name);
    if let Some(entry) = find(name) {
        return Ok(*entry);
    }
    if let Some((family, instance)) = name.rsplit_once("/i")
        && let Some(row) = find(family).filter(|row| row.instance.is_some())
    {
        let rule = format!("must be a number behind the name, as in {}/i3", row.name);
        let instance = instance.parse().map_err(|_| Error::parameter("instance", instance, rule))?;
        return if let Some(number) = bbob::number(row) {
            bbob::bbob(number, instance)
        } else if let Some(number) = mixint::number(row) {
            bbob::bbob_mixint(number, instance)
        } else if let Some(number) = bbob_constrained::number(row) {
            bbob::bbob_constrained(number, instance)
        } else if let Some(number) = cec2017::number(row) {
            cec2017::cec2017(number, instance)
        } else {
            // A pair of functions of BBOB; the second has the instance 2k + 2.
            bbob::bbob(1, instance.saturating_mul(2).saturating_add(2))
                .map(|_| Entry { instance: Some(instance), ..*row })
        };
    }
    Err(Error::unknown("problem", name, all().map(|entry| entry.name)))
}

/// The one list: it makes the table, and from a name the problem. The designs and the suites BBOB and CEC 2017 follow behind.
macro_rules! suite {
    ($($T:ident),* $(,)?) => {
        const CLASSICS: &[Entry] = &[$($T::ENTRY),*];

        fn pose<F: Real>(entry: Entry, space: Space<F>, certain: bool) -> Result<Box<dyn TestProblem<F>>> {
            $(if entry.name == $T::ENTRY.name {
                return Ok(Box::new(Posed::<$T, F>::new(entry, space, certain)));
            })*
            Err(Error::unknown("problem", entry.name, []))
        }
    };
}

suite! {
    Sphere, Ellipsoid, Rosenbrock, DixonPrice, Rastrigin, Rastrigin25, Ackley, Griewank, Schwefel, Levy, StyblinskiTang,
    Zakharov, Michalewicz,
    Beale, Booth, Matyas, Himmelblau, GoldsteinPrice, ThreeHumpCamel, SixHumpCamel,
    Levy13, Easom, Branin, McCormick, Schaffer2, Schaffer4, DropWave,
    Bukin6, CrossInTray, Eggholder, HolderTable,
    Adaswarm1, Adaswarm2, Adaswarm3, Adaswarm4, Adaswarm5, Adaswarm6, Adaswarm7, Adaswarm8,
}

/// All test functions without constraints: the classics, the designs, then the suites BBOB, CEC 2017 and BBOB with whole numbers with their
/// first instance.
pub static PROBLEMS: &[Entry] = &{
    const PARTS: [&[Entry]; 5] = [CLASSICS, &design::ROWS, &bbob::ROWS, &cec2017::ROWS, &mixint::ROWS];
    let mut all = [CLASSICS[0]; PARTS[0].len() + PARTS[1].len() + PARTS[2].len() + PARTS[3].len() + PARTS[4].len()];
    let (mut part, mut i, mut at) = (0, 0, 0);
    while part < PARTS.len() {
        while i < PARTS[part].len() {
            all[at] = PARTS[part][i];
            (i, at) = (i + 1, at + 1);
        }
        (part, i) = (part + 1, 0);
    }
    all
};
