//! Steps along whole variables, choices and flags, between descents along the continuous ones.
//!
//! Differences along a coordinate that is flat between two whole numbers say nothing. So a descent moves in the continuous
//! coordinates alone, while the others stay, and from where it ends
//!
//! ```text
//! around   every neighbour is evaluated: each whole variable one up and one down, each choice and flag at its other words.
//!          The best one that improves is taken, along a whole variable with steps that double as long as they improve
//! descend  again, where that changed something
//! deep     else descents begin from the neighbours, best first: two basins are compared by their floors, not where one
//!          happens to stand. One that ends lower is taken, and the search goes on around it
//! ```
//!
//! It ends at a point that no neighbour's descent improves. Compare Audet and Dennis, "Pattern search algorithms for mixed variable
//! programming" (SIAM Journal on Optimization 11, 2001), whose extended poll the deep descents are.

use crate::saved;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Matrix, Part, Real, Result, Space};

/// A gain is larger than this share of the value.
const GAIN: f64 = 1e-12;

/// What is done at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Stage {
    /// A descent from the base is due.
    Begin,
    /// A descent from the base; then around it.
    Descend,
    /// All neighbours are asked for.
    Around,
    /// The same variable, this far on.
    Along { at: usize, by: f64 },
    /// A descent from the next neighbour is due.
    Choose,
    /// A descent from a neighbour.
    Deep,
    /// No neighbour is better.
    Over,
}

/// The part of a mixed search that is not a descent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Neighbours {
    parts: Vec<Part>,
    /// The best point so far, in the middle of all that mean the same, and its value.
    base: Vec<f64>,
    value: f64,
    /// Whether the base has changed since the last descent from it.
    moved: bool,
    stage: Stage,
    /// What was asked around the base: the change of a point, and its value; the best last.
    around: Vec<(Change, f64)>,
    /// The neighbour that a descent has begun from.
    deep: Vec<f64>,
    rounds: u64,
}

/// A change of one variable.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Change {
    Step { at: usize, by: f64 },
    Word { from: usize, to: usize, chosen: usize },
}

impl Neighbours {
    /// For a space that has a variable which is not continuous.
    pub(super) fn of<F: Real>(space: &Space<F>) -> Option<Self> {
        let parts: Vec<Part> = space.parts().filter(|part| !matches!(part, Part::Continuous(_))).collect();
        let (base, around, deep) = (Vec::new(), Vec::new(), Vec::new());
        let empty = Neighbours {
            parts,
            base,
            value: f64::INFINITY,
            moved: false,
            stage: Stage::Begin,
            around,
            deep,
            rounds: 0,
        };
        (!empty.parts.is_empty()).then_some(empty)
    }

    /// Whether a state that was read back fits together in this space.
    pub(super) fn verify<F: Real>(&self, space: &Space<F>, continuous: &[usize], launched: bool) -> Result<()> {
        let dim = space.dim();
        let parts = space.parts().filter(|part| !matches!(part, Part::Continuous(_)));
        saved::holds("parts", parts.eq(self.parts.iter().copied()), "must be those of the space")?;
        saved::count("rounds", self.rounds)?;
        if !launched {
            return Ok(());
        }
        saved::length("base", &self.base, dim)?;
        saved::length("deep", &self.deep, if self.stage == Stage::Deep || !self.deep.is_empty() { dim } else { 0 })?;
        let walks = matches!(self.stage, Stage::Begin | Stage::Descend | Stage::Choose | Stage::Deep);
        saved::holds("stage", !(walks && continuous.is_empty()), "must not be a descent along nothing")?;
        let along = matches!(self.stage, Stage::Along { at, .. } if at >= dim);
        let fits = |change: &Change| match *change {
            Change::Step { at, .. } => at < dim,
            Change::Word { from, to, chosen } => to <= dim && (from..to).contains(&chosen),
        };
        let changes = self.around.iter().all(|(change, _)| fits(change));
        saved::holds("changes", changes && !along, "must be of variables that are there")
    }

    /// Begins anew at a point, which is centred, with its value.
    pub(super) fn launch(&mut self, x: &[f64], value: f64, continuous: &[usize]) {
        self.base.clear();
        self.base.extend_from_slice(x);
        (self.value, self.moved, self.rounds) = (value, false, 0);
        self.stage = if continuous.is_empty() { Stage::Around } else { Stage::Begin };
    }

    /// The value where it stands.
    pub(super) fn value(&self) -> f64 {
        self.value
    }

    /// The point whose continuous coordinates the descent moves.
    pub(super) fn frame(&self) -> &[f64] {
        if self.stage == Stage::Deep { &self.deep } else { &self.base }
    }

    pub(super) fn is_descending(&self) -> bool {
        matches!(self.stage, Stage::Descend | Stage::Deep)
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Rounds so far.
    pub(super) fn rounds(&self) -> u64 {
        self.rounds
    }

    fn is_gain(&self, value: f64) -> bool {
        value < self.value - GAIN * self.value.abs()
    }

    /// A descent has ended at these continuous coordinates, with this value.
    pub(super) fn end(&mut self, continuous: &[usize], place: &[f64], value: f64) {
        let better = if self.stage == Stage::Deep { self.is_gain(value) } else { value <= self.value };
        if self.stage == Stage::Deep {
            self.stage = if better { Stage::Around } else { Stage::Choose };
            if better {
                self.base.copy_from_slice(&self.deep);
            }
        } else {
            self.stage = Stage::Around;
        }
        if better {
            continuous.iter().zip(place).for_each(|(&j, &t)| self.base[j] = t);
            self.value = value;
        }
        self.moved = false;
    }

    /// Begins the descent that is due; the value of the point that it begins at, which is the [frame](Self::frame).
    pub(super) fn begin(&mut self) -> Option<f64> {
        match self.stage {
            Stage::Begin => {
                self.stage = Stage::Descend;
                Some(self.value)
            }
            Stage::Choose => {
                let next = self.around.pop().filter(|(_, value)| value.is_finite());
                self.stage = if next.is_some() { Stage::Deep } else { Stage::Over };
                let (change, value) = next?;
                self.deep = changed(&self.base, change);
                Some(value)
            }
            _ => None,
        }
    }

    /// Writes the points whose values are wanted, where it does not descend.
    pub(super) fn ask(&mut self, xs: &mut Matrix<f64>) {
        self.rounds += 1;
        xs.resize(0, self.base.len());
        match self.stage {
            Stage::Around => {
                self.list();
                self.around.iter().for_each(|(change, _)| xs.push(&changed(&self.base, *change)));
            }
            Stage::Along { at, by } => xs.push(&changed(&self.base, Change::Step { at, by })),
            _ => {}
        }
    }

    /// Counts a round of a descent.
    pub(super) fn count(&mut self) {
        self.rounds += 1;
    }

    /// Takes the values of the points asked.
    pub(super) fn tell(&mut self, continuous: &[usize], values: &[f64]) {
        if let Stage::Along { at, by } = self.stage {
            self.stage = Stage::Around;
            if self.is_gain(values[0]) {
                self.take(Change::Step { at, by }, values[0]);
            }
            return;
        }
        self.around.iter_mut().zip(values).for_each(|((_, known), value)| *known = *value);
        // Worst first; the order of equals is that of the variables, backwards, so that the first is the last.
        self.around.reverse();
        self.around.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        match self.around.last() {
            Some(&(change, value)) if self.is_gain(value) => self.take(change, value),
            _ if continuous.is_empty() => self.stage = Stage::Over,
            _ if self.moved => self.stage = Stage::Begin,
            _ => self.stage = Stage::Choose,
        }
    }

    /// Moves the base, and looks further in the same direction.
    fn take(&mut self, change: Change, value: f64) {
        self.base = changed(&self.base, change);
        (self.value, self.moved, self.stage) = (value, true, Stage::Around);
        if let Change::Step { at, by } = change
            && let Some(by) = self.room(at, 2.0 * by)
        {
            self.stage = Stage::Along { at, by };
        }
    }

    /// A step of this length, or as much of it as there is room for; none where there is no room.
    fn room(&self, at: usize, by: f64) -> Option<f64> {
        let count = self.parts.iter().find_map(|part| match part {
            Part::Steps { at: j, count } if *j == at => Some(*count as f64),
            _ => None,
        })?;
        let there = (self.base[at] + by).clamp(0.0, count - 1.0);
        Some(there - self.base[at]).filter(|by| *by != 0.0)
    }

    /// All changes of one variable to the next value.
    fn list(&mut self) {
        self.around.clear();
        for k in 0..self.parts.len() {
            match self.parts[k] {
                Part::Steps { at, .. } => {
                    for by in [1.0, -1.0] {
                        if self.room(at, by).is_some() {
                            self.around.push((Change::Step { at, by }, f64::INFINITY));
                        }
                    }
                }
                Part::Choice { from, to } => {
                    for chosen in (from..to).filter(|&j| self.base[j] == 0.0) {
                        self.around.push((Change::Word { from, to, chosen }, f64::INFINITY));
                    }
                }
                Part::Continuous(_) => {}
            }
        }
    }
}

fn changed(x: &[f64], change: Change) -> Vec<f64> {
    let mut x = x.to_vec();
    match change {
        Change::Step { at, by } => x[at] += by,
        Change::Word { from, to, chosen } => {
            x[from..to].fill(0.0);
            x[chosen] = 1.0;
        }
    }
    x
}
