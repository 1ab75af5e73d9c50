//! The table of all test functions, and a test function ready for use.

use crate::bbob;
use crate::shape::{Formula, Shape};
use crate::{ackley::*, adaswarm::*, crease::*, griewank::*, levy::*, michalewicz::*, polynomial::*, rastrigin::*};
use crate::{rosenbrock::*, schwefel::*, sphere::*, styblinski_tang::*, wave::*, zakharov::*};
use std::fmt;
use std::marker::PhantomData;
use swarmgrad_core::{Differentiable, Error, Problem, Real, Result, Rows, Space};

/// How many coordinates a test function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dims {
    /// Any number from `min` on.
    Any {
        /// The smallest number.
        min: usize,
    },
    /// That number and no other.
    Exactly(usize),
}

impl Dims {
    /// Whether `dim` coordinates will do.
    pub fn allows(self, dim: usize) -> bool {
        match self {
            Dims::Any { min } => dim >= min,
            Dims::Exactly(only) => dim == only,
        }
    }

    /// The smallest number of coordinates.
    pub fn least(self) -> usize {
        match self {
            Dims::Any { min } => min,
            Dims::Exactly(only) => only,
        }
    }
}

/// One row of the table: what a test function is, without a choice of dimension, bounds or precision.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The name users write.
    pub name: &'static str,
    /// The name as the literature writes it.
    pub title: &'static str,
    /// The formula in plain text; sums and products run over the coordinates, counted from one.
    pub formula: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What it is good for, in one line.
    pub about: &'static str,
    /// How many coordinates it takes.
    pub dims: Dims,
    /// The default bounds: a pair for each coordinate, the last pair for all that follow.
    pub domain: &'static [(f64, f64)],
    /// Whether the minimum holds on all of R^d, not just on the default domain.
    pub everywhere: bool,
    /// Whether there is an analytic gradient (almost everywhere; at an isolated kink it is a subgradient or zero).
    pub differentiable: bool,
    /// Which instance it is, for a function that has many; written behind the name as `/i3`.
    pub instance: Option<u64>,
}

/// The name, with the instance behind it unless that is the first: [`entry`] reads it back.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.instance {
            None | Some(1) => f.write_str(self.name),
            Some(instance) => write!(f, "{}/i{instance}", self.name),
        }
    }
}

impl Entry {
    /// The default bounds for `dim` coordinates. Errors if the function cannot have so many.
    pub fn space<F: Real>(&self, dim: usize) -> Result<Space<F>> {
        self.check(dim)?;
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
        self.check(dim)?;
        let domain = self.space(dim)?;
        let space = bounds.unwrap_or_else(|| domain.clone());
        if space.dim() != dim {
            return Err(Error::shape("bounds", space.dim(), dim));
        }
        let certain = self.everywhere || (domain.contains(space.lower()) && domain.contains(space.upper()));
        match bbob::number(self) {
            Some(number) => Ok(bbob::pose(*self, number, space)),
            None => pose(*self, space, certain),
        }
    }

    fn check(&self, dim: usize) -> Result<()> {
        let rule = match self.dims {
            _ if self.dims.allows(dim) => return Ok(()),
            Dims::Any { min } => format!("{self} needs at least {min}"),
            Dims::Exactly(only) => format!("{self} needs exactly {only}"),
        };
        Err(Error::parameter("dim", dim, rule))
    }
}

/// A test function ready for use: a [`Problem`] that knows what it is and, where that is known, its answer.
pub trait TestProblem<F: Real = f64>: Problem<F> {
    /// Its row in the table.
    fn entry(&self) -> &Entry;

    /// The smallest value on the space, if it is known.
    fn minimum(&self) -> Option<F>;

    /// The points inside the space that attain it; none if the minimum is not known.
    fn minimizers(&self) -> &[Vec<F>];

    /// The same problem with its analytic gradient, if it has one.
    fn differentiable(&self) -> Option<&dyn Differentiable<F>>;
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
    let find = |name: &str| PROBLEMS.iter().find(|entry| entry.name == name);
    if let Some(entry) = find(name) {
        return Ok(*entry);
    }
    if let Some((family, instance)) = name.rsplit_once("/i")
        && let Some(number) = find(family).and_then(bbob::number)
    {
        let rule = "must be a number behind the name, as in bbob/f8/i3";
        let instance = instance.parse().map_err(|_| Error::parameter("instance", instance, rule))?;
        return bbob::bbob(number, instance);
    }
    Err(Error::unknown("problem", name, PROBLEMS.iter().map(|entry| entry.name)))
}

/// The one list: it makes the table, and from a name the problem. The suite BBOB follows behind.
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

/// All test functions: the classics, then the suite BBOB with its first instance.
pub static PROBLEMS: &[Entry] = &{
    let mut all = [CLASSICS[0]; CLASSICS.len() + bbob::ROWS.len()];
    let mut i = 0;
    while i < all.len() {
        all[i] = if i < CLASSICS.len() { CLASSICS[i] } else { bbob::ROWS[i - CLASSICS.len()] };
        i += 1;
    }
    all
};
