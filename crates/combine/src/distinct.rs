//! A method on a space with whole variables, choices or flags: points that mean the same are evaluated once.
//!
//! A method moves in a box, where many points mean the same. The first of them is evaluated; for the others the method is told the
//! value at once, and the run neither asks for them nor counts them. Values that are not finite are not kept: such a point may be
//! tried again. Where a method asks for nothing new in a thousand rounds in a row, or every point has been evaluated, it ends.
//!
//! Points go out as the middle of all that mean the same, so a method may converge between them without being noticed outside.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Aim, Algorithm, Constraint, Error, Matrix, Real, Reason, Result, Rng, Space, View, save_state};

/// Rounds without a new point after which the method ends.
const IDLE: u64 = 1000;
/// Most points that are remembered.
const MOST: usize = 1 << 20;

/// A method whose points are asked for once each.
pub struct Distinct<F: Real = f64> {
    method: Box<dyn Algorithm<F>>,
    space: Space<F>,
    /// What each point is worth, by the bits of its middle.
    known: BTreeMap<Vec<u64>, Outcome<F>>,
    /// The points that the method has asked for.
    asked: Matrix<F>,
    /// What becomes of each of them.
    source: Vec<Source<F>>,
    gradient_rows: Vec<usize>,
    /// Values of the constraints of the points handed out, and what their values are made of, where the method takes them.
    constraints: Option<Matrix<F>>,
    parts: Option<Matrix<F>>,
    /// The same of all that the method has asked for.
    all: Matrix<F>,
    /// Whether the run has gradients for the method.
    gradients: bool,
    /// Rounds in a row that had nothing new.
    idle: u64,
    /// Points that were known, of all that were asked for.
    repeated: [u64; 2],
}

/// What a point is worth: its value, those of the constraints, and what it is made of.
type Outcome<F> = (F, Vec<F>, Vec<F>);

#[derive(Debug, Clone, PartialEq)]
enum Source<F> {
    /// The row that was handed out.
    Row(usize),
    Known(Outcome<F>),
}

/// Its state in a file.
#[derive(Serialize, Deserialize)]
struct Saved {
    known: Vec<(Vec<u64>, Outcome<f64>)>,
    idle: u64,
    repeated: [u64; 2],
    state: Vec<u8>,
}

fn bits<F: Real>(x: &[F]) -> Vec<u64> {
    x.iter().map(|t| t.f64().to_bits()).collect()
}

impl<F: Real> Distinct<F> {
    /// The method on its space.
    pub fn new(method: Box<dyn Algorithm<F>>, space: Space<F>) -> Self {
        let (asked, source, gradient_rows) = (Matrix::default(), Vec::new(), Vec::new());
        let (known, gradients, idle, repeated) = (BTreeMap::new(), false, 0, [0; 2]);
        let (constraints, parts, all) = (None, None, Matrix::default());
        Distinct {
            method,
            space,
            known,
            asked,
            source,
            gradient_rows,
            constraints,
            parts,
            all,
            gradients,
            idle,
            repeated,
        }
    }

    /// The method, with a memory where the space has points that mean the same.
    pub fn over(method: Box<dyn Algorithm<F>>, space: &Space<F>) -> Box<dyn Algorithm<F>> {
        if Distinct::is_for(space) { Box::new(Distinct::new(method, space.clone())) } else { method }
    }

    /// Whether a space has points that mean the same.
    pub fn is_for(space: &Space<F>) -> bool {
        (0..space.dim()).any(|j| !space.is_continuous(j))
    }

    /// Hands out what is new of the points asked for.
    fn choose(&mut self, xs: &mut Matrix<F>) {
        xs.resize(0, self.asked.dim());
        self.source.clear();
        self.gradient_rows.clear();
        let mut fresh: BTreeMap<Vec<u64>, usize> = BTreeMap::new();
        let mut centre = vec![F::zero(); self.asked.dim()];
        let wanted = if self.gradients { self.method.gradient_rows() } else { &[] };
        for (i, x) in self.asked.iter().enumerate() {
            centre.copy_from_slice(x);
            self.space.centre(&mut centre);
            let key = bits(&centre);
            self.repeated[1] += 1;
            if wanted.binary_search(&i).is_ok() {
                // A gradient is no value: it is asked for again.
                self.gradient_rows.push(xs.len());
            } else if let Some(outcome) = self.known.get(&key) {
                self.repeated[0] += 1;
                self.source.push(Source::Known(outcome.clone()));
                continue;
            } else if let Some(&row) = fresh.get(&key) {
                self.repeated[0] += 1;
                self.source.push(Source::Row(row));
                continue;
            }
            self.source.push(Source::Row(xs.len()));
            fresh.insert(key, xs.len());
            xs.push(&centre);
        }
    }

    fn tell_method(&mut self, values: &[F]) {
        let value = |source: &Source<F>| match source {
            Source::Row(row) => values[*row],
            Source::Known((value, ..)) => *value,
        };
        let values: Vec<F> = self.source.iter().map(value).collect();
        if let Some(constraints) = &self.constraints {
            gather(&self.source, constraints, |(_, constraints, _)| constraints, &mut self.all);
            self.method.tell_constraints(&self.all);
        }
        if let Some(parts) = &self.parts {
            gather(&self.source, parts, |(.., parts)| parts, &mut self.all);
            self.method.tell_parts(&self.all);
        }
        self.method.tell(&mut self.asked, &values);
    }

    fn is_exhausted(&self) -> bool {
        self.space.count().is_some_and(|count| self.known.len() as u64 >= count)
    }
}

/// A row a point asked for: that handed out, or what is known of it.
fn gather<F: Real>(
    source: &[Source<F>],
    rows: &Matrix<F>,
    known: impl Fn(&Outcome<F>) -> &Vec<F>,
    all: &mut Matrix<F>,
) {
    let kept = source.iter().find_map(|source| match source {
        Source::Known(outcome) => Some(known(outcome).len()),
        Source::Row(_) => None,
    });
    all.resize(0, if rows.is_empty() { kept.unwrap_or(rows.dim()) } else { rows.dim() });
    let mut padded = vec![F::nan(); all.dim()];
    for source in source {
        match source {
            Source::Row(row) => all.push(rows.row(*row)),
            Source::Known(outcome) if known(outcome).len() == all.dim() => all.push(known(outcome)),
            // Of another number of constraints or parts: nothing is known of these.
            Source::Known(_) => {
                padded.fill(F::nan());
                all.push(&padded);
            }
        }
    }
}

/// The row of a matrix, none where it has no such row.
fn row<F: Real>(rows: Option<&Matrix<F>>, i: usize) -> Vec<F> {
    rows.filter(|rows| i < rows.len()).map(|rows| rows.row(i).to_vec()).unwrap_or_default()
}

impl Distinct<f64> {
    /// Reads back what [`Algorithm::save`] wrote; `load` reads the method.
    ///
    /// # Errors
    /// Bytes that are no such state.
    pub fn load(space: Space, bytes: &[u8], load: impl FnOnce(&[u8]) -> Result<Box<dyn Algorithm>>) -> Result<Self> {
        let wrong = |why: postcard::Error| Error::Saved(format!("a method with a memory: {why}"));
        let Saved { known, idle, repeated, state } = postcard::from_bytes(bytes).map_err(wrong)?;
        if known.iter().any(|(key, ..)| key.len() != space.dim()) {
            return Err(Error::Saved("a method with a memory of points of another space".into()));
        }
        [idle, repeated[0], repeated[1]].into_iter().try_for_each(|count| saved::count("repeated", count))?;
        let (known, method) = (known.into_iter().collect(), load(&state)?);
        saved::fits("method", &*method, space.dim())?;
        Ok(Distinct { known, idle, repeated, ..Distinct::new(method, space) })
    }
}

impl<F: Real> Algorithm<F> for Distinct<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        self.method.ask(rng, &mut self.asked);
        self.choose(xs);
        while xs.is_empty() && !self.asked.is_empty() && self.stop_reason().is_none() {
            self.idle += 1;
            self.tell_method(&[]);
            if self.stop_reason().is_none() {
                // Draws of their own: the run still is in the same round.
                self.method.ask(&rng.fork(&format!("again{}", self.idle)), &mut self.asked);
                self.choose(xs);
            }
        }
        if !xs.is_empty() {
            self.idle = 0;
        }
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        for (i, (x, &value)) in xs.iter().zip(values).enumerate().filter(|(_, (_, value))| value.is_finite()) {
            if self.known.len() < MOST {
                let outcome = (value, row(self.constraints.as_ref(), i), row(self.parts.as_ref(), i));
                self.known.insert(bits(x), outcome);
            }
        }
        self.tell_method(values);
    }

    fn answer(&self) -> Vec<F> {
        self.method.answer()
    }

    fn iterations(&self) -> u64 {
        self.method.iterations()
    }

    fn view(&self) -> View<'_, F> {
        self.method.view()
    }

    fn inner(&self) -> Option<&dyn Algorithm<F>> {
        Some(&*self.method)
    }

    fn inner_mut(&mut self) -> Option<&mut dyn Algorithm<F>> {
        Some(&mut *self.method)
    }

    fn expect_gradients(&mut self) -> bool {
        self.gradients = self.method.expect_gradients();
        self.gradients
    }

    fn gradient_rows(&self) -> &[usize] {
        &self.gradient_rows
    }

    fn expect_constraints(&mut self, constraints: &[Constraint]) -> bool {
        let taken = self.method.expect_constraints(constraints);
        self.constraints = taken.then(|| Matrix::empty(constraints.len()));
        taken
    }

    fn tell_constraints(&mut self, values: &Matrix<F>) {
        self.constraints = Some(values.clone());
    }

    fn expect_aim(&mut self, aim: &Aim) -> bool {
        let taken = self.method.expect_aim(aim);
        self.parts = taken.then(|| Matrix::empty(aim.parts().unwrap_or_default()));
        taken
    }

    fn tell_parts(&mut self, parts: &Matrix<F>) {
        self.parts = Some(parts.clone());
    }

    fn memory(&self) -> f64 {
        let points = self.space.count().unwrap_or(u64::MAX).min(MOST as u64) as f64;
        // A key on the heap with its place in the tree, filled as the run goes: what a run of a hundred thousand takes.
        self.method.memory() + points.min(1e5) * (8.0 * self.space.dim() as f64 + 64.0)
    }

    fn stop_reason(&self) -> Option<Reason> {
        if self.is_exhausted() {
            return Some(Reason::Method(format!("all {} points have been evaluated", self.known.len())));
        }
        let still = || Reason::Method(format!("{IDLE} rounds in a row asked for points that are known"));
        (self.idle >= IDLE).then(still).or_else(|| self.method.stop_reason())
    }

    fn explanation(&self) -> Option<String> {
        let [known, all] = self.repeated;
        let own = (known > 0).then(|| format!("{known} of {all} points asked for were known and cost nothing"));
        match (self.method.explanation(), own) {
            (Some(theirs), Some(own)) => Some(format!("{theirs}; {own}")),
            (theirs, own) => theirs.or(own),
        }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        let mut state = Vec::new();
        self.method.save(&mut state)?;
        let wide = |numbers: &[F]| numbers.iter().map(|t| t.f64()).collect();
        let known = self.known.iter();
        let known = known.map(|(key, (value, c, parts))| (key.clone(), (value.f64(), wide(c), wide(parts)))).collect();
        let saved = Saved { known, idle: self.idle, repeated: self.repeated, state };
        save_state("a method with a memory", &saved, out)
    }
}
