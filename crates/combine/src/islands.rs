//! Islands: several copies of a method that search apart and send their best points round a ring.
//!
//! Papers: Tanese, "Distributed genetic algorithms" (ICGA 1989); Whitley, Rana and Heckendorn, "The island model genetic
//! algorithm: on separability, population size and convergence" (J. Computing and Information Technology 1999). The points of
//! all islands are asked in one round. Every `interval` rounds the best point that island i has found takes the place of the
//! worst point of island i + 1 between `ask` and `tell`, if it is better than the best point found there.
//!
//! Differs from the papers: the method may be any of the registry whose points are a population.

use crate::named::{Lookup, Member};
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::method::Method;
use swarmgrad_algorithms::parameters;
use swarmgrad_algorithms::parameters::Parameters;
use swarmgrad_algorithms::restart::Record;
use swarmgrad_core::{Algorithm, Matrix, Real, Reason, Result, Rng, Space, Start, View, better};

parameters! {
    /// Parameters of [`Islands`].
    pub struct Params {
        /// The method on every island.
        method "": String = "de".to_owned(), Method;
        /// Number of islands.
        islands "": usize = 4, Within(1.0, 10_000.0);
        /// Rounds between two migrations.
        interval "": usize = 20, AtLeast(1.0);
    }
}

/// An island.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
struct Island<F: Real, L: Lookup> {
    method: Member<F, L>,
    /// Its stream of draws.
    label: String,
    /// Its points of the round, and their values.
    x: Matrix<F>,
    values: Vec<F>,
    best: Record<F>,
}

/// Copies of a method on a ring.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Islands<F: Real, L: Lookup> {
    params: Params,
    islands: Vec<Island<F, L>>,
    x: Matrix<F>,
    rounds: u64,
    /// Points that have moved to another island.
    migrants: u64,
}

impl<F: Real, L: Lookup> Method<F> for Islands<F, L> {
    const NAME: &'static str = "islands";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Params) -> Result<Self> {
        params.check()?;
        start.check(space)?;
        let share = budget.map(|budget| (budget / params.islands as u64).max(1));
        let island = |i: usize| {
            // Points given for the start are evaluated once.
            let elsewhere = matches!(start, Start::Points(_)) && i > 0;
            Ok(Island {
                method: Member::new(&params.method, space, if elsewhere { &Start::Uniform } else { &start }, share)?,
                label: format!("island{i}"),
                x: Matrix::empty(space.dim()),
                values: Vec::new(),
                best: Record::default(),
            })
        };
        let islands = (0..params.islands).map(island).collect::<Result<_>>()?;
        Ok(Islands { params, islands, x: Matrix::empty(space.dim()), rounds: 0, migrants: 0 })
    }
}

impl<F: Real, L: Lookup> Islands<F, L> {
    /// The best point of each island comes to the next one, all at the same time.
    fn migrate(&mut self) {
        let count = self.islands.len();
        for i in (0..count).filter(|_| count > 1) {
            let (from, to) = ((i + count - 1) % count, i);
            let [guest, host] =
                self.islands.get_disjoint_mut([from, to]).unwrap_or_else(|_| unreachable!("two islands"));
            if host.values.is_empty() || !better(guest.best.value, host.best.value) {
                continue;
            }
            let worse = |a, b| if better(host.values[a], host.values[b]) { b } else { a };
            let worst = (0..host.values.len()).reduce(worse).unwrap_or(0);
            host.x.row_mut(worst).copy_from_slice(&guest.best.x);
            host.values[worst] = guest.best.value;
            self.migrants += 1;
        }
    }

    fn leader(&self) -> usize {
        (1..self.islands.len())
            .fold(0, |best, i| if better(self.islands[i].best.value, self.islands[best].best.value) { i } else { best })
    }
}

impl<F: Real, L: Lookup> Algorithm<F> for Islands<F, L> {
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
        let mut from = 0;
        for island in &mut self.islands {
            let to = from + island.x.len();
            island.values.clear();
            island.values.extend(values[from..to].iter().map(|v| if v.is_nan() { F::infinity() } else { *v }));
            if to > from {
                island.x.copy_from(xs.rows().slice(from, to));
                island.best.keep(island.x.rows(), &island.values);
            }
            from = to;
        }
        if self.rounds.is_multiple_of(self.params.interval as u64) {
            self.migrate();
        }
        for island in self.islands.iter_mut().filter(|island| !island.values.is_empty()) {
            island.method.tell(&mut island.x, &island.values);
        }
    }

    fn answer(&self) -> Vec<F> {
        self.islands[self.leader()].best.x.clone()
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn why(&self) -> Option<Reason> {
        let all = self.islands.iter().all(|island| island.method.why().is_some());
        self.islands[self.leader()].method.why().filter(|_| all)
    }

    fn account(&self) -> Option<String> {
        let (leader, count) = (self.leader(), self.islands.len());
        Some(format!("found on island {} of {count}; {} points have migrated", leader + 1, self.migrants))
    }

    fn view(&self) -> View<'_, F> {
        let best = &self.islands[self.leader()].best;
        let numbers = vec![("migrants", self.migrants as f64)];
        View { matrices: vec![("x", self.x.rows())], vectors: vec![("g", &best.x)], numbers }
    }

    fn save(&self, out: &mut Vec<u8>) {
        // Nothing in the state can fail to serialise: plain numbers, vectors and enums.
        out.extend(postcard::to_allocvec(self).unwrap_or_default());
    }
}
