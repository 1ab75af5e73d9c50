//! Local search: one point that walks downhill, without derivatives from the user.
//!
//! A method is a [`LocalSearch`]: it starts from a point and its value, asks for points, is told values, and ends by itself.
//! [`LocalMethod`] makes an [`Algorithm`] of it: the start, the precision of the scalar, ask and tell. Combinators drive it
//! themselves and start it anew.
//!
//! Where some variables are whole numbers, choices or flags, every search is a mixed one: it walks along the continuous coordinates,
//! and in between steps are tried along the others (`neighbours`).

pub mod coordinate_search;
pub mod least_squares;
mod neighbours;
pub mod nelder_mead;
mod noise;
pub mod profile;
mod quadratic;
pub mod quasi_newton;
pub mod sqp;
pub mod trust_region;

use crate::method::Method;
use crate::parameters::Parameters;
use crate::saved;
use neighbours::Neighbours;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{
    Aim, Algorithm, Constraint, Matrix, Real, Reason, Result, Rng, Space, Start, View, better_constrained, memory,
    save_state, violation,
};

/// The box a search lives in, and how finely values are known there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terrain {
    /// Lower bounds, possibly infinite.
    pub lower: Vec<f64>,
    /// Upper bounds, possibly infinite.
    pub upper: Vec<f64>,
    /// Relative rounding error of a value: the machine epsilon of the run's scalar.
    pub epsilon: f64,
}

impl Terrain {
    /// The box of a space.
    pub fn new<F: Real>(space: &Space<F>) -> Self {
        let wide = |bounds: &[F]| bounds.iter().map(|b| b.f64()).collect();
        Terrain { lower: wide(space.lower()), upper: wide(space.upper()), epsilon: F::epsilon().f64() }
    }

    /// The box of these coordinates alone.
    fn along(&self, coordinates: &[usize]) -> Self {
        let of = |bounds: &[f64]| coordinates.iter().map(|&j| bounds[j]).collect();
        Terrain { lower: of(&self.lower), upper: of(&self.upper), epsilon: self.epsilon }
    }

    /// Number of variables.
    pub fn dim(&self) -> usize {
        self.lower.len()
    }

    /// `t` brought between the bounds of variable `j`; NaN stays NaN.
    pub fn clamp(&self, j: usize, t: f64) -> f64 {
        let t = if t < self.lower[j] { self.lower[j] } else { t };
        if t > self.upper[j] { self.upper[j] } else { t }
    }

    /// The natural length of variable `j` near `t`: the width of its bounds, else the size of `t`, at least 1.
    pub fn length(&self, j: usize, t: f64) -> f64 {
        let width = self.upper[j] - self.lower[j];
        if width.is_finite() { width } else { t.abs().max(1.0) }
    }
}

/// A local search: one point walks downhill. Its state is in `f64` whatever the run's scalar.
pub trait LocalSearch: Send + Sized + Serialize + DeserializeOwned + 'static {
    /// The method's name: file, registry entry, command line, Python.
    const NAME: &'static str;
    /// Whether gradients are of use to it.
    const GRADIENTS: bool = false;
    /// Its parameters.
    type Params: Parameters;

    /// The method with checked parameters.
    fn new(params: Self::Params, terrain: Terrain) -> Result<Self>;

    /// Numbers that it takes in `dim` dimensions.
    fn numbers(params: &Self::Params, dim: usize) -> f64;

    /// Starts anew at `x` with its value, which is finite, and its gradient if that is known; whatever was learned before
    /// is forgotten.
    fn launch(&mut self, x: &[f64], value: f64, gradient: Option<&[f64]>);

    /// Writes the points to evaluate next, inside the box; leaves `xs` empty when the search has ended.
    fn ask(&mut self, xs: &mut Matrix<f64>);

    /// Takes back the points of the last `ask` as they were evaluated, and their values; a failure is +inf.
    fn tell(&mut self, xs: &Matrix<f64>, values: &[f64]);

    /// Whether the gradient of the one point asked would be of use.
    fn wants_gradient(&self) -> bool {
        false
    }

    /// Takes the gradient of the point asked, before `tell`.
    fn tell_gradient(&mut self, _gradient: &[f64]) {}

    /// Says which constraints the problem has; returns whether the search takes their values.
    fn expect_constraints(&mut self, _constraints: &[Constraint]) -> bool {
        false
    }

    /// Takes the values of the constraints at the start, before `launch`, and at the points of the last `ask`, before `tell`: one
    /// row a point.
    fn tell_constraints(&mut self, _values: &Matrix<f64>) {}

    /// Says that values are sums of squared residuals; returns whether the search takes these.
    fn expect_residuals(&mut self) -> bool {
        false
    }

    /// Takes the residuals at the start, before `launch`, and at the points of the last `ask`, before `tell`: one row a point.
    fn tell_residuals(&mut self, _residuals: &Matrix<f64>) {}

    /// An estimate of the covariance of the variables where it stands, row by row, if it has ended there.
    fn covariance(&self) -> Option<Matrix<f64>> {
        None
    }

    /// Estimates of the multipliers of the constraints where it stands, in their own units; none where there are none.
    fn multipliers(&self) -> Option<Vec<f64>> {
        None
    }

    /// Where the search stands, and the value there.
    fn place(&self) -> (&[f64], f64);

    /// Steps taken since the start.
    fn steps(&self) -> u64;

    /// Why it ended, if it has.
    fn stop_reason(&self) -> Option<&Reason>;

    /// Whether a state that was read back fits together on this terrain; `launched` if it has set out from somewhere.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    fn verify(&self, terrain: &Terrain, launched: bool) -> Result<()>;

    /// Adds to the view what the place alone does not show.
    fn show<'a, F: Real>(&'a self, _view: &mut View<'a, F>) {}
}

/// Numbers in a round of points that could wait for the next one.
const ROUND: usize = 1 << 23;

/// Points of a round in `dim` dimensions where so many could be asked at once: as many as memory bears, two at least.
fn round(points: usize, dim: usize) -> usize {
    points.min((ROUND / dim).max(2))
}

/// Fruitless points before the search for a start with a finite value is given up.
const STARTS: u64 = 1_000;
/// As near as that, in widths of the variables, a point is where a search stands.
const NEAR: f64 = 1e-4;

/// A local search as an [`Algorithm`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct LocalMethod<F: Real, W: LocalSearch> {
    space: Space<F>,
    start: Start,
    /// Bytes that it takes; 0 where it has been read back and has taken them.
    #[serde(skip)]
    memory: f64,
    search: W,
    /// The coordinates that the search walks along: all, but for those in which the neighbours are.
    continuous: Vec<usize>,
    neighbours: Option<Neighbours>,
    narrow: Matrix<f64>,
    /// The last points asked, and the same in `f64` with their values.
    x: Matrix<F>,
    wide: Matrix<f64>,
    values: Vec<f64>,
    best: Vec<F>,
    best_value: f64,
    /// Points drawn as a start; the search begins at the first with a finite value.
    starts: u64,
    launched: bool,
    lent: bool,
    /// The gradient of the point asked, if the caller has told it.
    gradient: Vec<f64>,
    /// The constraints of the problem, what they are at the points asked, and how far the best point violates them.
    constraints: Vec<Constraint>,
    told: Matrix<f64>,
    best_violation: f64,
    /// Residuals at the points asked, where the search takes them.
    residuals: Option<Matrix<f64>>,
}

impl<F: Real, W: LocalSearch> Method<F> for LocalMethod<F, W> {
    const NAME: &'static str = W::NAME;
    type Params = W::Params;

    fn new(space: &Space<F>, start: Start, _budget: Option<u64>, params: W::Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let memory = 8.0 * W::numbers(&params, space.dim());
        memory::check(W::NAME, space.dim(), memory)?;
        let continuous: Vec<usize> = (0..space.dim()).filter(|&j| space.is_continuous(j)).collect();
        let terrain = Terrain::new(space);
        Ok(LocalMethod {
            memory,
            search: W::new(params, walked(&terrain, &continuous))?,
            narrow: Matrix::empty(continuous.len()),
            continuous,
            neighbours: Neighbours::of(space),
            space: space.clone(),
            start,
            x: Matrix::empty(space.dim()),
            wide: Matrix::empty(space.dim()),
            values: Vec::new(),
            best: Vec::new(),
            best_value: f64::INFINITY,
            starts: 0,
            launched: false,
            lent: false,
            gradient: Vec::with_capacity(space.dim()),
            constraints: Vec::new(),
            told: Matrix::default(),
            best_violation: f64::INFINITY,
            residuals: None,
        })
    }

    fn verify(&self) -> Result<()> {
        let (space, dim) = (&self.space, self.space.dim());
        self.start.check(space)?;
        saved::holds("phase", !self.lent && self.gradient.is_empty(), "must be that between two rounds")?;
        saved::count("starts", self.starts)?;
        let continuous = (0..dim).filter(|&j| space.is_continuous(j)).eq(self.continuous.iter().copied());
        saved::holds("continuous", continuous, "must be the variables that are")?;
        saved::shape("x", &self.x, self.x.len(), dim)?;
        saved::length("best", &self.best, if self.launched || !self.best.is_empty() { dim } else { 0 })?;
        match &self.neighbours {
            Some(neighbours) => neighbours.verify(space, &self.continuous, self.launched)?,
            None => saved::holds("neighbours", self.continuous.len() == dim, "must be there")?,
        }
        // Where nothing is continuous it has not set out.
        let launched = self.launched && !self.continuous.is_empty();
        self.search.verify(&walked(&Terrain::new(space), &self.continuous), launched)
    }
}

/// The terrain of the continuous variables; where there are none nobody walks.
fn walked(terrain: &Terrain, continuous: &[usize]) -> Terrain {
    terrain.along(if continuous.is_empty() { &[0] } else { continuous })
}

impl<F: Real, W: LocalSearch> LocalMethod<F, W> {
    /// The multipliers of the constraints at a point, where the search stands within 1e-4 of the widths of it.
    pub fn multipliers_at(&self, x: &[F]) -> Option<Vec<f64>> {
        let stands = self.search.place().0;
        let near = |(&j, t): (&usize, &f64)| {
            let width = self.space.width(j).f64();
            let unit = if width.is_finite() { width } else { 1.0 + t.abs() };
            x.get(j).is_some_and(|x| (x.f64() - t).abs() <= NEAR * unit)
        };
        let here = stands.len() == self.continuous.len() && self.continuous.iter().zip(stands).all(near);
        self.search.multipliers().filter(|_| here)
    }

    /// The search.
    pub fn search(&self) -> &W {
        &self.search
    }

    /// The search, to tell it what it cannot know.
    pub fn search_mut(&mut self) -> &mut W {
        &mut self.search
    }

    /// Begins anew at a point whose value is known and finite; between rounds.
    pub fn launch(&mut self, x: &[F], value: F) {
        assert!(!self.lent, "launch was called between ask and tell");
        self.wide.resize(1, self.space.dim());
        self.wide.data_mut().iter_mut().zip(x).for_each(|(w, t)| *w = t.f64());
        self.set_out(value.f64());
        (self.best_value, self.starts, self.launched) = (value.f64(), 0, true);
        self.best_violation = 0.0;
        self.best.clear();
        self.best.extend_from_slice(x);
    }

    /// The same with the values of the constraints there.
    pub fn launch_constrained(&mut self, x: &[F], value: F, constraints: &[F]) {
        self.told.resize(1, constraints.len());
        self.told.data_mut().iter_mut().zip(constraints).for_each(|(w, c)| *w = c.f64());
        self.search.tell_constraints(&self.told);
        self.launch(x, value);
        self.best_violation = violation(&self.constraints, constraints).f64();
    }

    /// Begins anew from a start that has been checked; between rounds.
    pub fn begin(&mut self, start: Start) {
        assert!(!self.lent, "begin was called between ask and tell");
        (self.start, self.starts, self.launched) = (start, 0, false);
        (self.best_value, self.best_violation) = (f64::INFINITY, f64::INFINITY);
        self.best.clear();
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.starts >= STARTS || self.launched && self.reason().is_some()
    }

    /// The value where it stands.
    pub fn value(&self) -> f64 {
        self.neighbours.as_ref().map_or(self.search.place().1, Neighbours::value)
    }

    /// Whether some variables are no business of the search.
    pub fn is_mixed(&self) -> bool {
        self.neighbours.is_some()
    }

    fn reason(&self) -> Option<Reason> {
        match &self.neighbours {
            None => self.search.stop_reason().cloned(),
            Some(neighbours) => neighbours.is_over().then(|| {
                Reason::Method("no other value of a whole variable, choice or flag leads to a better point".into())
            }),
        }
    }

    /// Begins at the point in `wide`, whose gradient may be in `gradient`.
    fn set_out(&mut self, value: f64) {
        match &mut self.neighbours {
            None => {
                let gradient = (!self.gradient.is_empty()).then_some(&self.gradient[..]);
                self.search.launch(self.wide.row(0), value, gradient);
            }
            Some(neighbours) => {
                let mut middle: Vec<F> = self.wide.row(0).iter().map(|&t| F::of(t)).collect();
                self.space.centre(&mut middle);
                let middle: Vec<f64> = middle.iter().map(|t| t.f64()).collect();
                neighbours.launch(&middle, value, &self.continuous);
                self.go_on();
            }
        }
    }

    /// Ends a descent that has ended, and begins the next, until one is on its way or values are wanted.
    fn go_on(&mut self) {
        let Some(neighbours) = &mut self.neighbours else { return };
        loop {
            if neighbours.is_descending() {
                if self.search.stop_reason().is_none() {
                    return;
                }
                let (place, value) = self.search.place();
                neighbours.end(&self.continuous, place, value);
            }
            let Some(value) = neighbours.begin() else { return };
            gather(neighbours.frame(), &self.continuous, &mut self.narrow);
            self.search.launch(self.narrow.row(0), value, None);
        }
    }

    /// Writes what the search, or a step between two searches, wants to know to `wide`.
    fn want(&mut self) {
        let Some(neighbours) = &mut self.neighbours else {
            self.wide.resize(0, self.space.dim());
            return self.search.ask(&mut self.wide);
        };
        if !neighbours.is_descending() {
            return neighbours.ask(&mut self.wide);
        }
        neighbours.count();
        self.narrow.resize(0, self.continuous.len());
        self.search.ask(&mut self.narrow);
        if self.narrow.is_empty() && self.search.stop_reason().is_some() {
            self.go_on();
            return self.want();
        }
        self.wide.resize(self.narrow.len(), self.space.dim());
        for (wide, narrow) in self.wide.iter_mut().zip(self.narrow.iter()) {
            wide.copy_from_slice(neighbours.frame());
            self.continuous.iter().zip(narrow).for_each(|(&j, &t)| wide[j] = t);
        }
    }

    /// Passes on the values of the points in `wide`.
    fn pass_on(&mut self) {
        let (search, gradient) = (&mut self.search, &self.gradient);
        match &mut self.neighbours {
            None => {
                if !gradient.is_empty() {
                    search.tell_gradient(gradient);
                }
                search.tell(&self.wide, &self.values);
            }
            Some(neighbours) if neighbours.is_descending() => {
                if !gradient.is_empty() {
                    let gradient: Vec<f64> = self.continuous.iter().map(|&j| gradient[j]).collect();
                    search.tell_gradient(&gradient);
                }
                self.narrow.resize(0, self.continuous.len());
                for wide in self.wide.iter() {
                    let narrow: Vec<f64> = self.continuous.iter().map(|&j| wide[j]).collect();
                    self.narrow.push(&narrow);
                }
                search.tell(&self.narrow, &self.values);
            }
            Some(neighbours) => neighbours.tell(&self.continuous, &self.values),
        }
        self.go_on();
    }

    /// Whether a search is on its way and could use a gradient.
    fn wants_gradient(&self) -> bool {
        self.neighbours.as_ref().is_none_or(Neighbours::is_descending) && self.search.wants_gradient()
    }
}

/// The same numbers in double precision.
fn widen<F: Real>(narrow: &Matrix<F>, wide: &mut Matrix<f64>) {
    wide.resize(narrow.len(), narrow.dim());
    wide.data_mut().iter_mut().zip(narrow.data()).for_each(|(w, t)| *w = t.f64());
}

/// The one row of these coordinates of a point.
fn gather(x: &[f64], coordinates: &[usize], row: &mut Matrix<f64>) {
    row.resize(1, coordinates.len());
    row.row_mut(0).iter_mut().zip(coordinates).for_each(|(t, &j)| *t = x[j]);
}

impl<F: Real, W: LocalSearch> Algorithm<F> for LocalMethod<F, W> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        assert!(!self.lent, "ask was called twice without tell");
        xs.clear();
        if self.is_over() {
            return;
        }
        if self.launched {
            self.want();
            self.x.resize(self.wide.len(), self.space.dim());
            for (x, wide) in self.x.iter_mut().zip(self.wide.iter()) {
                // Rounding to a narrower scalar may step over a bound.
                let bounds = self.space.lower().iter().zip(self.space.upper());
                for ((t, &w), (&lo, &hi)) in x.iter_mut().zip(wide).zip(bounds) {
                    *t = F::of(w).max(lo).min(hi);
                }
            }
        } else {
            self.start.fill(&self.space, rng, 1, &mut self.x);
        }
        self.lent = !self.x.is_empty();
        std::mem::swap(&mut self.x, xs);
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        assert!(self.lent, "tell was called without ask");
        assert_eq!(values.len(), xs.len(), "tell needs one value for each point asked");
        self.lent = false;
        std::mem::swap(&mut self.x, xs);
        self.values.clear();
        self.values.extend(values.iter().map(|v| if v.is_nan() { f64::INFINITY } else { v.f64() }));
        for (i, (x, &value)) in self.x.iter().zip(&self.values).enumerate() {
            let violation = match self.constraints.is_empty() {
                true => 0.0,
                false if i < self.told.len() => violation(&self.constraints, self.told.row(i)),
                false => f64::INFINITY,
            };
            if better_constrained((violation, value), (self.best_violation, self.best_value)) || self.best.is_empty() {
                (self.best_violation, self.best_value) = (violation, value);
                self.best.clear();
                self.best.extend_from_slice(x);
            }
        }
        widen(&self.x, &mut self.wide);
        if !self.constraints.is_empty() {
            self.search.tell_constraints(&self.told);
        }
        if let Some(residuals) = &self.residuals {
            self.search.tell_residuals(residuals);
        }
        if self.launched {
            self.pass_on();
        } else if self.values[0].is_finite() {
            self.set_out(self.values[0]);
            self.launched = true;
        } else {
            self.start = Start::Uniform;
            self.starts += 1;
        }
        self.gradient.clear();
    }

    fn expect_gradients(&mut self) -> bool {
        W::GRADIENTS
    }

    fn gradient_rows(&self) -> &[usize] {
        let wanted = W::GRADIENTS && self.lent && (!self.launched || self.wants_gradient());
        if wanted { &[0] } else { &[] }
    }

    fn tell_gradients(&mut self, gradients: &Matrix<F>) {
        self.gradient.clear();
        // One that is not finite says nothing.
        if gradients.row(0).iter().all(|g| g.is_finite()) {
            self.gradient.extend(gradients.row(0).iter().map(|g| g.f64()));
        }
    }

    fn expect_constraints(&mut self, constraints: &[Constraint]) -> bool {
        let taken = self.search.expect_constraints(constraints);
        if taken {
            // What was learned of another number of them is of no use.
            self.launched &= self.constraints.len() == constraints.len();
            self.constraints = constraints.to_vec();
        }
        taken
    }

    fn tell_constraints(&mut self, values: &Matrix<F>) {
        widen(values, &mut self.told);
    }

    fn expect_aim(&mut self, aim: &Aim) -> bool {
        let taken = *aim == Aim::Residuals && self.search.expect_residuals();
        if taken && self.residuals.is_none() {
            self.residuals = Some(Matrix::default());
        }
        taken
    }

    fn tell_parts(&mut self, parts: &Matrix<F>) {
        widen(parts, self.residuals.get_or_insert_default());
    }

    /// Of all variables: one that the search does not move has none.
    fn covariance(&self) -> Option<Matrix<f64>> {
        let narrow = self.search.covariance()?;
        let mut wide = Matrix::zeros(self.space.dim(), self.space.dim());
        for (k, &i) in self.continuous.iter().enumerate() {
            self.continuous.iter().zip(narrow.row(k)).for_each(|(&j, &c)| wide.row_mut(i)[j] = c);
        }
        Some(wide)
    }

    fn multipliers(&self) -> Option<Vec<f64>> {
        self.multipliers_at(&self.best)
    }

    fn answer(&self) -> Vec<F> {
        self.best.clone()
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn memory(&self) -> f64 {
        self.memory
    }

    fn iterations(&self) -> u64 {
        self.neighbours.as_ref().map_or(self.search.steps(), Neighbours::rounds)
    }

    fn stop_reason(&self) -> Option<Reason> {
        if self.starts >= STARTS {
            return Some(Reason::Method(format!("no start with a finite value in {STARTS} points")));
        }
        self.reason().filter(|_| self.launched)
    }

    fn view(&self) -> View<'_, F> {
        let mut view = View { matrices: vec![("x", self.x.rows())], ..View::default() };
        view.vectors.push(("g", &self.best));
        self.search.show(&mut view);
        view
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(W::NAME, self, out)
    }
}
