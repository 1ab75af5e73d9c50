//! Functions that are computed in double precision, a point at a time, as test problems of any precision: the suites and designs.

use crate::entry::{Entry, TestProblem};
use std::cell::RefCell;
use swarmgrad_core::{Aim, Constraint, Differentiable, Evaluation, Problem, Real, Rows, Space};

/// A function of a point in double precision.
pub(crate) trait Function: Send + Sync + 'static {
    /// Memory that is kept from call to call.
    type Scratch;

    /// Calls `then` with this thread's memory.
    fn with_scratch(then: impl FnOnce(&mut Self::Scratch));

    /// The value at `x`.
    fn value(&self, x: &[f64], scratch: &mut Self::Scratch) -> f64;

    /// Its constraints.
    fn constraints(&self) -> Vec<Constraint> {
        Vec::new()
    }

    /// What the value is made of.
    fn aim(&self) -> Aim {
        Aim::Value
    }

    /// Appends what the value at `x` is made of, the value itself where it is a number, and the values of the constraints.
    fn explain(&self, x: &[f64], parts: &mut Vec<f64>, _constraints: &mut Vec<f64>, scratch: &mut Self::Scratch) {
        parts.push(self.value(x, scratch));
    }

    /// A point to start from, within all constraints.
    fn start(&self) -> Option<Vec<f64>> {
        None
    }

    /// The derivatives at `x`, for functions whose entries say that they have some.
    fn gradient(&self, _x: &[f64], _out: &mut [f64], _scratch: &mut Self::Scratch) {}
}

/// What so many objectives are called.
pub(crate) fn names(objectives: usize) -> Vec<String> {
    (1..=objectives).map(|k| format!("f{k}")).collect()
}

/// The first of the objectives, which is the value; NaN where one of them is not finite.
pub(crate) fn value_of(objectives: &[f64]) -> f64 {
    if objectives.iter().all(|f| f.is_finite()) { objectives[0] } else { f64::NAN }
}

/// The function on a space, its minimum known where `optimum` is given and lies inside.
pub(crate) fn pose<F: Real, G: Function>(
    entry: Entry,
    function: G,
    space: Space<F>,
    optimum: Option<&[f64]>,
    minimum: f64,
) -> Box<dyn TestProblem<F>> {
    let optimum = optimum.map(|x| x.iter().map(|&t| F::of(t)).collect::<Vec<_>>());
    let minimizers: Vec<_> = optimum.into_iter().filter(|x| space.contains(x)).collect();
    let minimum = (!minimizers.is_empty()).then(|| F::of(minimum));
    let (constraints, aim) = (function.constraints(), function.aim());
    let start = function.start().map(|x| x.into_iter().map(F::of).collect()).filter(|x: &Vec<F>| space.contains(x));
    Box::new(Posed { entry, function, space, constraints, aim, minimum, minimizers, start })
}

struct Posed<F: Real, G> {
    entry: Entry,
    function: G,
    space: Space<F>,
    constraints: Vec<Constraint>,
    aim: Aim,
    minimum: Option<F>,
    minimizers: Vec<Vec<F>>,
    start: Option<Vec<F>>,
}

thread_local! {
    /// A point in double precision.
    static POINT: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

impl<F: Real, G: Function> Problem<F> for Posed<F, G> {
    fn space(&self) -> &Space<F> {
        &self.space
    }

    fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    fn aim(&self) -> &Aim {
        &self.aim
    }

    fn evaluate(&self, x: &[F]) -> Evaluation<F> {
        if self.constraints.is_empty() && self.aim == Aim::Value {
            return Evaluation::of(self.value(x));
        }
        assert_eq!(x.len(), self.space.dim(), "a point must have dim entries");
        let point: Vec<f64> = x.iter().map(|t| t.f64()).collect();
        let (mut parts, mut constraints) = (Vec::new(), Vec::new());
        G::with_scratch(|scratch| self.function.explain(&point, &mut parts, &mut constraints, scratch));
        let narrow = |numbers: Vec<f64>| numbers.into_iter().map(F::of).collect::<Vec<F>>();
        let evaluation = match self.aim {
            Aim::Value => Evaluation::of(parts.first().map_or_else(F::nan, |&value| F::of(value))),
            _ => self.aim.evaluation(narrow(parts)),
        };
        Evaluation { constraints: narrow(constraints), ..evaluation }
    }

    fn value(&self, x: &[F]) -> F {
        let mut value = [F::zero()];
        self.values(Rows::new(self.space.dim(), x), &mut value);
        value[0]
    }

    fn values(&self, xs: Rows<'_, F>, out: &mut [F]) {
        assert_eq!((xs.dim(), xs.len()), (self.space.dim(), out.len()), "points of dim entries and a value for each");
        POINT.with_borrow_mut(|point| {
            G::with_scratch(|scratch| {
                for (x, o) in xs.iter().zip(out) {
                    point.clear();
                    point.extend(x.iter().map(|t| t.f64()));
                    *o = F::of(self.function.value(point, scratch));
                }
            });
        });
    }
}

impl<F: Real, G: Function> TestProblem<F> for Posed<F, G> {
    fn entry(&self) -> &Entry {
        &self.entry
    }

    fn minimum(&self) -> Option<F> {
        self.minimum
    }

    fn minimizers(&self) -> &[Vec<F>] {
        &self.minimizers
    }

    fn start(&self) -> Option<&[F]> {
        self.start.as_deref()
    }

    fn differentiable(&self) -> Option<&dyn Differentiable<F>> {
        self.entry.differentiable.then_some(self)
    }
}

impl<F: Real, G: Function> Differentiable<F> for Posed<F, G> {
    fn gradient(&self, x: &[F], out: &mut [F]) {
        G::with_scratch(|scratch| {
            let point: Vec<f64> = x.iter().map(|t| t.f64()).collect();
            let mut slopes = vec![0.0; x.len()];
            self.function.gradient(&point, &mut slopes, scratch);
            out.iter_mut().zip(&slopes).for_each(|(o, g)| *o = F::of(*g));
        });
    }
}
