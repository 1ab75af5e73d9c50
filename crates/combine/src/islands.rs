//! Islands: several copies of a method that search apart and send their best points round a ring.
//!
//! Papers: Tanese, "Distributed genetic algorithms" (ICGA 1989); Whitley, Rana and Heckendorn, "The island model genetic
//! algorithm: on separability, population size and convergence" (J. Computing and Information Technology 1999). The points of
//! all islands are asked in one round. Every `interval` rounds the best point that island i has found takes the place of the
//! worst point of island i + 1 between `ask` and `tell`, if it is better than the best point found there.
//!
//! Differs from the papers: the method may be any of the registry whose points are a population.

use crate::named::{Lookup, NamedMethod};
use serde::{Deserialize, Serialize};
use swarmgrad_algorithms::method::Method;
use swarmgrad_algorithms::parameters;
use swarmgrad_algorithms::parameters::Parameters;
use swarmgrad_algorithms::restart::BestPoint;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{
    Algorithm, Kind, Knowledge, Matrix, Real, Reason, Result, Rng, Solutions, Space, Start, View, better, save_state,
};

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
    method: NamedMethod<F, L>,
    /// Its stream of draws.
    label: String,
    /// Its points of the round, and their values.
    x: Matrix<F>,
    values: Vec<F>,
    best: BestPoint<F>,
    /// What it has been told so far.
    evaluations: u64,
    gradients: u64,
}

/// Copies of a method on a ring.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Islands<F: Real, L: Lookup> {
    params: Params,
    islands: Vec<Island<F, L>>,
    x: Matrix<F>,
    /// Rows of the round whose gradients are wanted, and the gradients of one island.
    #[serde(skip)]
    gradient_rows: Vec<usize>,
    #[serde(skip)]
    slopes: Matrix<F>,
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
                method: NamedMethod::new(
                    "method",
                    &params.method,
                    space,
                    if elsewhere { &Start::Uniform } else { &start },
                    share,
                )?,
                label: format!("island{i}"),
                x: Matrix::empty(space.dim()),
                values: Vec::new(),
                best: BestPoint::default(),
                evaluations: 0,
                gradients: 0,
            })
        };
        let islands = (0..params.islands).map(island).collect::<Result<_>>()?;
        let (x, slopes) = (Matrix::empty(space.dim()), Matrix::empty(space.dim()));
        Ok(Islands { params, islands, x, gradient_rows: Vec::new(), slopes, rounds: 0, migrants: 0 })
    }

    fn verify(&self) -> Result<()> {
        let dim = self.x.dim();
        saved::parameters(&self.params)?;
        saved::length("islands", &self.islands, self.params.islands)?;
        saved::count("rounds", self.rounds)?;
        saved::count("migrants", self.migrants)?;
        self.islands.iter().try_for_each(|island| {
            saved::fits("an island", &island.method, dim)?;
            saved::count("evaluations", island.evaluations)?;
            saved::count("gradients", island.gradients)?;
            island.best.verify(dim)
        })
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
        self.gradient_rows.clear();
        for island in &mut self.islands {
            island.x.clear();
            if island.method.stop_reason().is_none() {
                island.method.ask(&rng.fork(&island.label), &mut island.x);
            }
            if !island.x.is_empty() {
                self.gradient_rows.extend(island.method.gradient_rows().iter().map(|row| xs.len() + row));
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
            island.evaluations += island.values.len() as u64;
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

    fn dim(&self) -> Option<usize> {
        Some(self.x.dim())
    }

    fn memory(&self) -> f64 {
        self.islands.iter().map(|island| island.method.memory()).sum()
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn stop_reason(&self) -> Option<Reason> {
        let all = self.islands.iter().all(|island| island.method.stop_reason().is_some());
        self.islands[self.leader()].method.stop_reason().filter(|_| all)
    }

    /// Those of all islands; a minimum that two islands have found is among them twice.
    fn solutions(&self) -> Option<Solutions<F>> {
        let mut all: Vec<Solutions<F>> = self.islands.iter().filter_map(|island| island.method.solutions()).collect();
        let kind = all.first()?.kind;
        let points = all.iter_mut().flat_map(|found| std::mem::take(&mut found.points)).collect();
        Some(if kind == Kind::Minima { Solutions::minima(points) } else { Solutions { kind, points } })
    }

    /// That of the leading island.
    fn knowledge(&self) -> Option<Knowledge> {
        self.islands[self.leader()].method.knowledge()
    }

    fn explanation(&self) -> Option<String> {
        let (leader, count) = (self.leader(), self.islands.len());
        let found = format!("found on island {} of {count}; {} points have migrated", leader + 1, self.migrants);
        let how = self.islands[leader].method.explanation();
        Some(how.map_or(found.clone(), |how| format!("{found}; there: {how}")))
    }

    fn expect_gradients(&mut self) -> bool {
        // All of them are of one method: they agree.
        let mut uses = false;
        for island in &mut self.islands {
            uses |= island.method.expect_gradients();
        }
        uses
    }

    fn gradient_rows(&self) -> &[usize] {
        &self.gradient_rows
    }

    fn tell_gradients(&mut self, gradients: &Matrix<F>) {
        let mut from = 0;
        for island in self.islands.iter_mut().filter(|island| !island.x.is_empty()) {
            let to = from + island.method.gradient_rows().len();
            if to > from {
                self.slopes.copy_from(gradients.rows().slice(from, to));
                island.method.tell_gradients(&self.slopes);
                island.gradients += (to - from) as u64;
            }
            from = to;
        }
    }

    /// An island hears of its own evaluations, and of its gradients at the price that all of them had.
    fn set_spent(&mut self, cost: u64) {
        let counts = self.islands.iter().map(|island| [island.evaluations, island.gradients].map(u128::from));
        let [evaluations, gradients] = counts.fold([0, 0], |[e, g], island| [e + island[0], g + island[1]]);
        let surplus = u128::from(cost).saturating_sub(evaluations);
        for island in &mut self.islands {
            let share = surplus * u128::from(island.gradients) / gradients.max(1);
            island.method.set_spent(island.evaluations + share as u64);
        }
    }

    fn view(&self) -> View<'_, F> {
        let best = &self.islands[self.leader()].best;
        let numbers = vec![("migrants", self.migrants as f64)];
        View { matrices: vec![("x", self.x.rows())], vectors: vec![("g", &best.x)], numbers }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state(<Self as Method<F>>::NAME, self, out)
    }
}
