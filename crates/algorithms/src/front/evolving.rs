//! A population that evolves towards a front: start, breeding, ask and tell. What survives is the method's.

use super::archive::Archive;
use super::dominance::ranks;
use super::told::{Incumbent, Told};
use crate::evolution::breed::{Law, breed};
use crate::evolution::select::entrants;
use crate::method::Method;
use crate::parameters::Parameters;
use crate::saved;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{
    Aim, Algorithm, Constraint, Draws, Matrix, Real, Result, Rng, Rows, Solutions, Space, Start, View, save_state,
};

/// How good an individual is: its front, and the lower the better within it.
pub type Fitness = [f64; 2];

/// What distinguishes the methods: who survives, and who becomes a parent.
pub trait Survival: Send + Sync + Sized + Serialize + DeserializeOwned + 'static {
    /// The method's name: file, registry entry, command line, Python.
    const NAME: &'static str;
    /// Its parameters.
    type Params: Parameters;

    /// The method with checked parameters.
    fn new(params: Self::Params) -> Self;

    /// The parameters.
    fn params(&self) -> &Self::Params;

    /// Size of the population.
    fn particles(&self) -> usize;

    /// Offspring in a round, at most as many as the population is large.
    fn offspring(&self) -> usize;

    /// Points that the archive holds at most.
    fn archive(&self) -> usize;

    /// How offspring differ from their parents.
    fn law(&self) -> Law;

    /// The `keep` points that survive, in any order, and the fitness of all.
    fn survivors(&self, f: Rows<'_, f64>, violation: &[f64], keep: usize) -> (Vec<usize>, Vec<Fitness>);

    /// A parent: the better of two unless the method says otherwise.
    fn parent(&self, fitness: &[Fitness], draws: &mut Draws<'_>) -> usize {
        better_of_two(fitness, draws)
    }
}

/// The points front by front, and a fitness that knows the fronts only.
pub(super) fn by_front(f: Rows<'_, f64>, violation: &[f64]) -> (Vec<usize>, Vec<Fitness>) {
    let ranks = ranks(f, violation);
    let mut order: Vec<usize> = (0..f.len()).collect();
    order.sort_by_key(|&i| ranks[i]);
    (order, ranks.into_iter().map(|rank| [rank as f64, 0.0]).collect())
}

/// The better of two different individuals, the first of equals.
pub(super) fn better_of_two(fitness: &[Fitness], draws: &mut Draws<'_>) -> usize {
    let [a, b] = entrants(fitness.len(), |n| draws.below(n));
    if fitness[b] < fitness[a] { b } else { a }
}

/// A population with the survival of a method: y is the population, x the offspring. An offspring that survives takes the place of an
/// individual that does not, both in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Evolving<F: Real, S: Survival> {
    space: Space<F>,
    start: Start,
    survival: S,
    x: Matrix<F>,
    y: Matrix<F>,
    fx: Vec<F>,
    fy: Vec<F>,
    f: Matrix<f64>,
    violation: Vec<f64>,
    fitness: Vec<Fitness>,
    told: Told,
    archive: Archive<F>,
    best: Incumbent<F>,
    /// Offspring of the present generation, which has as many as the population.
    bred: usize,
    iterations: u64,
    lent: bool,
}

impl<F: Real, S: Survival> Method<F> for Evolving<F, S> {
    const NAME: &'static str = S::NAME;
    type Params = S::Params;

    fn new(space: &Space<F>, start: Start, _budget: Option<u64>, params: S::Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let survival = S::new(params);
        Ok(Evolving {
            space: space.clone(),
            start,
            archive: Archive::new(survival.archive()),
            survival,
            x: Matrix::empty(space.dim()),
            y: Matrix::empty(space.dim()),
            fx: Vec::new(),
            fy: Vec::new(),
            f: Matrix::empty(1),
            violation: Vec::new(),
            fitness: Vec::new(),
            told: Told::default(),
            best: Incumbent::default(),
            bred: 0,
            iterations: 0,
            lent: false,
        })
    }

    fn verify(&self) -> Result<()> {
        let (dim, n) = (self.space.dim(), self.fy.len());
        self.start.check(&self.space)?;
        saved::parameters(self.survival.params())?;
        saved::holds("phase", !self.lent, "must be that between two rounds")?;
        saved::count("iterations", self.iterations)?;
        self.told.verify()?;
        saved::holds("population", n == 0 || n == self.survival.particles(), "must have the size that is asked for")?;
        saved::holds("offspring", self.bred < n.max(1), "must be fewer than the population")?;
        saved::shape("x", &self.x, self.fx.len(), dim)?;
        saved::shape("y", &self.y, n, dim)?;
        saved::shape("objectives", &self.f, n, self.told.objectives())?;
        saved::length("violations", &self.violation, n)?;
        saved::length("fitness", &self.fitness, n)?;
        saved::length("best", &self.best.x, if n == 0 { 0 } else { dim })?;
        let numbers = !self.f.data().iter().chain(&self.violation).any(|t| t.is_nan());
        saved::holds("objectives", numbers, "must be numbers")?;
        self.archive.verify(dim, self.told.objectives())
    }
}

impl<F: Real, S: Survival> Evolving<F, S> {
    /// The best points of all that were evaluated.
    pub fn archive(&self) -> &Archive<F> {
        &self.archive
    }

    /// The objectives of the population.
    pub fn objectives(&self) -> &Matrix<f64> {
        &self.f
    }

    /// The first population.
    fn settle(&mut self) {
        self.y = self.x.clone();
        self.fy = self.fx.clone();
        self.f = self.told.f().clone();
        self.violation = self.told.violation().to_vec();
        (_, self.fitness) = self.survival.survivors(self.f.rows(), &self.violation, self.f.len());
    }

    /// The population after its offspring were told.
    fn select(&mut self) {
        let (young, n) = (self.x.len(), self.y.len());
        // Offspring first: of equals they survive.
        let mut f = self.told.f().clone();
        self.f.iter().for_each(|row| f.push(row));
        let violation = [self.told.violation(), &self.violation].concat();
        let (kept, fitness) = self.survival.survivors(f.rows(), &violation, n);
        let mut survives = vec![false; young + n];
        kept.into_iter().for_each(|i| survives[i] = true);
        let mut new = (0..young).filter(|&i| survives[i]);
        for slot in 0..n {
            let mut from = young + slot;
            if !survives[from] {
                let Some(i) = new.next() else { continue };
                self.y.row_mut(slot).copy_from_slice(self.x.row(i));
                self.f.row_mut(slot).copy_from_slice(f.row(i));
                (self.fy[slot], self.violation[slot]) = (self.fx[i], violation[i]);
                from = i;
            }
            self.fitness[slot] = fitness[from];
        }
    }
}

impl<F: Real, S: Survival> Algorithm<F> for Evolving<F, S> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        assert!(!self.lent, "ask was called twice without tell");
        let n = self.survival.particles();
        if self.y.is_empty() {
            self.start.fill(&self.space, rng, n, &mut self.x);
        } else {
            let offspring = self.survival.offspring().min(n - self.bred);
            self.x.resize(offspring, self.space.dim());
            let parent = |draws: &mut Draws<'_>| self.survival.parent(&self.fitness, draws);
            breed(&self.survival.law(), &self.space, rng, &self.y, parent, &mut self.x);
        }
        self.lent = true;
        std::mem::swap(&mut self.x, xs);
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        assert!(self.lent, "tell was called without ask");
        assert_eq!(values.len(), xs.len(), "tell needs one value for each point asked");
        self.lent = false;
        std::mem::swap(&mut self.x, xs);
        self.fx.clear();
        self.fx.extend(values.iter().map(|&value| if value.is_nan() { F::infinity() } else { value }));
        self.told.take_values(&self.fx);
        self.best.keep(&self.x, &self.fx, self.told.violation());
        self.archive.join(&self.x, &self.told);
        if self.y.is_empty() {
            return self.settle();
        }
        self.select();
        self.bred += self.x.len();
        if self.bred >= self.y.len() {
            self.bred = 0;
            self.iterations += 1;
        }
    }

    fn expect_constraints(&mut self, constraints: &[Constraint]) -> bool {
        self.told.expect_constraints(constraints);
        true
    }

    fn tell_constraints(&mut self, values: &Matrix<F>) {
        self.told.take_constraints(values);
    }

    fn expect_aim(&mut self, aim: &Aim) -> bool {
        let before = self.told.objectives();
        let taken = self.told.expect_aim(aim);
        if self.told.objectives() != before {
            // What is known is of other objectives.
            (self.y, self.fy, self.f) = (Matrix::empty(self.space.dim()), Vec::new(), Matrix::default());
            (self.violation, self.fitness, self.bred) = (Vec::new(), Vec::new(), 0);
            (self.archive, self.best) = (Archive::new(self.survival.archive()), Incumbent::default());
        }
        taken
    }

    fn tell_parts(&mut self, parts: &Matrix<F>) {
        self.told.take_parts(parts);
    }

    fn answer(&self) -> Vec<F> {
        self.best.x.clone()
    }

    fn dim(&self) -> Option<usize> {
        Some(self.space.dim())
    }

    fn solutions(&self) -> Option<Solutions<F>> {
        self.archive.solutions()
    }

    fn memory(&self) -> f64 {
        let points = 2.0 * self.survival.particles() as f64 + self.survival.archive() as f64;
        size_of::<F>() as f64 * points * self.space.dim() as f64
    }

    fn iterations(&self) -> u64 {
        self.iterations
    }

    fn view(&self) -> View<'_, F> {
        View {
            matrices: vec![("x", self.x.rows()), ("y", self.y.rows()), ("archive", self.archive.x().rows())],
            vectors: vec![("fx", &self.fx), ("fy", &self.fy), ("g", &self.best.x)],
            numbers: Vec::new(),
        }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(S::NAME, self, out)
    }
}
