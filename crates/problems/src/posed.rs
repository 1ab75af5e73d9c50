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

    /// The value at `x` and those of the constraints.
    fn constrained<'a>(&self, x: &[f64], scratch: &'a mut Self::Scratch) -> (f64, &'a [f64]) {
        (self.value(x, scratch), &[])
    }

    /// What the value is made of.
    fn aim(&self) -> Aim {
        Aim::Value
    }

    /// Appends the parts that the value at `x` is made of.
    fn parts(&self, _x: &[f64], _out: &mut Vec<f64>) {}

    /// The derivatives at `x`, for functions whose entries say that they have some.
    fn gradient(&self, _x: &[f64], _out: &mut [f64], _scratch: &mut Self::Scratch) {}
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
    Box::new(Posed { entry, function, space, constraints, aim, minimum, minimizers })
}

struct Posed<F: Real, G> {
    entry: Entry,
    function: G,
    space: Space<F>,
    constraints: Vec<Constraint>,
    aim: Aim,
    minimum: Option<F>,
    minimizers: Vec<Vec<F>>,
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
        let point: Vec<f64> = x.iter().map(|t| t.f64()).collect();
        if self.aim != Aim::Value {
            let mut parts = Vec::new();
            self.function.parts(&point, &mut parts);
            return self.aim.evaluation(parts.into_iter().map(F::of).collect());
        }
        let mut evaluation = Evaluation::of(F::nan());
        G::with_scratch(|scratch| {
            let (value, constraints) = self.function.constrained(&point, scratch);
            let constraints = constraints.iter().map(|&c| F::of(c)).collect();
            evaluation = Evaluation { constraints, ..Evaluation::of(F::of(value)) };
        });
        evaluation
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
