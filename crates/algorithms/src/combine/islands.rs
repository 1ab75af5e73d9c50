//! Islands: several copies of a method that search apart and send their best points round a ring.
//!
//! Papers: Tanese, "Distributed genetic algorithms" (ICGA 1989); Whitley, Rana and Heckendorn, "The island model genetic
//! algorithm: on separability, population size and convergence" (J. Computing and Information Technology 1999). The points of
//! all islands are asked in one round. Every `interval` rounds the best point that island i has found takes the place of the
//! worst point of island i + 1 between `ask` and `tell`, so that any method can be on an island.
//!
//! Differs from the papers: the method may be any of the registry.

use super::member::Member;
use crate::parameters::{Parameters, parameters};
use crate::registry::Method;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Algorithm, Matrix, Real, Reason, Result, Rng, Space, Start, View, best_index, better};

parameters! {
    /// Parameters of [`Islands`].
    pub struct Params {
        /// The method on every island.
        method "": String = "de".to_owned(), Name;
        /// Number of islands.
        islands "": usize = 4, Within(1.0, 10_000.0);
        /// Rounds between two migrations.
        interval "": usize = 20, AtLeast(1.0);
    }
}

/// An island.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
struct Island<F: Real> {
    method: Member<F>,
    /// Its stream of draws.
    label: String,
    x: Matrix<F>,
    best: Vec<F>,
    value: F,
}

/// Copies of a method on a ring.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Islands<F: Real> {
    params: Params,
    islands: Vec<Island<F>>,
    x: Matrix<F>,
    rounds: u64,
    #[serde(skip)]
    values: Vec<F>,
}

impl<F: Real> Method<F> for Islands<F> {
    const NAME: &'static str = "islands";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let share = budget.map(|budget| (budget / params.islands as u64).max(1));
        let island = |i: usize| {
            // Points given for the start are evaluated once.
            let start = match &start {
                Start::Points(_) if i > 0 => Start::Uniform,
                law => law.clone(),
            };
            Ok(Island {
                method: Member::new(&params.method, space, start, share)?,
                label: format!("island{i}"),
                x: Matrix::empty(space.dim()),
                best: Vec::new(),
                value: F::infinity(),
            })
        };
        let islands = (0..params.islands).map(island).collect::<Result<_>>()?;
        Ok(Islands { params, islands, x: Matrix::empty(space.dim()), rounds: 0, values: Vec::new() })
    }
}

impl<F: Real> Islands<F> {
    fn best(&self) -> &Island<F> {
        let best = self.islands.iter().reduce(|a, b| if better(b.value, a.value) { b } else { a });
        best.unwrap_or_else(|| unreachable!("there is at least one island"))
    }
}

impl<F: Real> Algorithm<F> for Islands<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        xs.resize(0, self.x.dim());
        for island in &mut self.islands {
            island.x.clear();
            if island.method.why().is_none() {
                island.method.ask(&rng.fork(&island.label), &mut island.x);
            }
            island.x.iter().for_each(|x| xs.push(x));
        }
        self.x.copy_from(xs.rows());
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        self.rounds += 1;
        self.x.copy_from(xs.rows());
        let migrate = self.rounds.is_multiple_of(self.params.interval as u64) && self.islands.len() > 1;
        let mut from = 0;
        for i in 0..self.islands.len() {
            let rows = self.islands[i].x.len();
            if rows == 0 {
                continue;
            }
            self.values.clear();
            self.values.extend(values[from..from + rows].iter().map(|v| if v.is_nan() { F::infinity() } else { *v }));
            let (before, after) = self.islands.split_at_mut(i);
            let (island, after) = after.split_first_mut().unwrap_or_else(|| unreachable!("i is within"));
            island.x.copy_from(xs.rows().slice(from, from + rows));
            from += rows;
            if let Some(k) = best_index(&self.values)
                && (better(self.values[k], island.value) || island.best.is_empty())
            {
                island.value = self.values[k];
                island.best.clear();
                island.best.extend_from_slice(island.x.row(k));
            }
            let neighbour = before.last().or(after.last());
            if let Some(guest) = neighbour.filter(|guest| migrate && better(guest.value, island.value)) {
                let worst = (0..rows).reduce(|a, b| if better(self.values[a], self.values[b]) { b } else { a }).unwrap_or(0);
                island.x.row_mut(worst).copy_from_slice(&guest.best);
                self.values[worst] = guest.value;
            }
            island.method.tell(&mut island.x, &self.values);
        }
    }

    fn answer(&self) -> Vec<F> {
        self.best().best.clone()
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn why(&self) -> Option<Reason> {
        let all = self.islands.iter().all(|island| island.method.why().is_some());
        self.islands[0].method.why().filter(|_| all)
    }

    fn view(&self) -> View<'_, F> {
        let best = self.best();
        View { matrices: vec![("x", self.x.rows())], vectors: vec![("g", &best.best)], numbers: Vec::new() }
    }

    fn save(&self, out: &mut Vec<u8>) {
        // Nothing in the state can fail to serialise: plain numbers, vectors and enums.
        out.extend(postcard::to_allocvec(self).unwrap_or_default());
    }
}
