//! Random numbers that do not depend on threads: the key of a draw is (seed, stream, iteration, row).

use crate::Real;
use crate::simd::{GOLDEN, Key, mix};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A source of keyed draws. It has no state that drawing changes: the same (seed, stream, iteration, row) gives the
/// same numbers in any order and on any number of threads.
///
/// ```
/// use swarmgrad_core::Rng;
/// let rng = Rng::new(7).at(3);                 // seed 7, iteration 3
/// let (mut a, mut b) = ([0.0; 4], [0.0; 4]);
/// rng.fork("r1").row(5).fill_uniform(&mut a);
/// rng.fork("r1").row(5).fill_uniform(&mut b);
/// assert_eq!(a, b);
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rng {
    seed: u64,
    stream: u64,
    iteration: u64,
    #[serde(skip)]
    tape: Option<Role>,
}

/// What a [`Tape`] does for an [`Rng`].
#[derive(Debug, Clone)]
enum Role {
    Scripted(Arc<Tape>),
    Recording(Arc<Mutex<Tape>>),
}

impl Rng {
    /// The generator of a run. Equal seeds give equal runs.
    pub fn new(seed: u64) -> Self {
        Rng { seed, stream: 0, iteration: 0, tape: None }
    }

    /// Replays the draws of a tape instead of drawing; see [`Tape::set`]. For tests and for checking a trace.
    pub fn scripted(tape: Tape) -> Self {
        Rng { tape: Some(Role::Scripted(Arc::new(tape))), ..Rng::new(0) }
    }

    /// Draws as usual and writes every draw to the tape as well. Draw on one thread while recording in order.
    pub fn recording(self, tape: Arc<Mutex<Tape>>) -> Self {
        Rng { tape: Some(Role::Recording(tape)), ..self }
    }

    /// The seed it was made with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The iteration whose numbers it draws.
    pub fn iteration(&self) -> u64 {
        self.iteration
    }

    /// The same stream at another iteration.
    pub fn at(&self, iteration: u64) -> Self {
        Rng { iteration, ..self.clone() }
    }

    /// Moves to the numbers of `iteration`.
    pub fn set_iteration(&mut self, iteration: u64) {
        self.iteration = iteration;
    }

    /// A stream of its own for the draws called `label` (a lane, an island, or one of several draws of a step).
    pub fn fork(&self, label: &str) -> Self {
        let stream = substream(self.stream, label);
        if let Some(Role::Recording(tape)) = &self.tape {
            lock(tape).name(self.stream, stream, label);
        }
        Rng { stream, ..self.clone() }
    }

    fn base(&self) -> u64 {
        mix(mix(mix(self.seed.wrapping_add(GOLDEN)) ^ self.stream).wrapping_add(self.iteration.wrapping_mul(GOLDEN)))
    }

    /// The draws of one row, one after the other.
    pub fn row(&self, row: usize) -> Draws<'_> {
        Draws { rng: self, key: Key::new(self.base(), row as u64), row: row as u64, word: 0, drawn: 0 }
    }

    /// Uniforms in [0, 1) of the row, its elements `col..col + out.len()`; `col` must be even.
    #[inline]
    pub fn fill_uniform<F: Real>(&self, row: usize, col: usize, out: &mut [F]) {
        if !self.replayed(row as u64, col, out) {
            F::fill_uniform(Key::new(self.base(), row as u64), col, out);
            self.record(row as u64, col, out);
        }
    }

    /// Standard normals of the rows `row` (even) and `row + 1`, elements `col..` of both; `col` must be even. Normals
    /// come in pairs from two rows of words, so any split of the rows into pairs among threads gives the same bits.
    #[inline]
    pub fn fill_normal_pair<F: Real>(&self, row: usize, col: usize, a: &mut [F], b: &mut [F]) {
        debug_assert!(row.is_multiple_of(2), "pairs of rows begin at even rows");
        let (first, second) = (row as u64, row as u64 + 1);
        if !(self.replayed(first, col, a) && self.replayed(second, col, b)) {
            let base = self.base();
            F::fill_normal_pair([Key::new(base, first), Key::new(base, second)], col, a, b);
            self.record(first, col, a);
            self.record(second, col, b);
        }
    }

    /// Copies the scripted draws, if there is a script; a row beyond the script (the unused half of a pair) is left.
    fn replayed<F: Real>(&self, row: u64, col: usize, out: &mut [F]) -> bool {
        let Some(Role::Scripted(tape)) = &self.tape else { return false };
        match tape.draws.get(&(self.stream, self.iteration, row)) {
            Some(values) => {
                let there = values.get(col..col + out.len());
                let there =
                    there.unwrap_or_else(|| panic!("the script ends within row {row} of iteration {}", self.iteration));
                out.iter_mut().zip(there).for_each(|(o, &v)| *o = F::of(v));
            }
            None => {
                assert!(row % 2 == 1, "the script holds no row {row} of this stream at iteration {}", self.iteration)
            }
        }
        true
    }

    fn record<F: Real>(&self, row: u64, col: usize, drawn: &[F]) {
        if let Some(Role::Recording(tape)) = &self.tape {
            let mut tape = lock(tape);
            let values = tape.draws.entry((self.stream, self.iteration, row)).or_default();
            values.resize(values.len().max(col + drawn.len()), f64::NAN);
            values[col..col + drawn.len()].iter_mut().zip(drawn).for_each(|(v, d)| *v = d.f64());
        }
    }
}

fn lock(tape: &Mutex<Tape>) -> std::sync::MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The stream called `label` below `parent`: FNV-1a of the label, mixed into the parent.
fn substream(parent: u64, label: &str) -> u64 {
    let hash =
        label.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    mix(parent.rotate_left(1) ^ hash)
}

/// The draws of one row in order: a small generator for the parts of a method that are not one flat kernel.
#[derive(Debug, Clone)]
pub struct Draws<'a> {
    rng: &'a Rng,
    key: Key,
    row: u64,
    word: usize,
    drawn: usize,
}

impl Draws<'_> {
    /// A uniform number in [0, 1), 52 bits.
    pub fn uniform(&mut self) -> f64 {
        let mut out = [0.0];
        if !self.replay(&mut out) {
            out[0] = f64::from_bits(0x3ff0_0000_0000_0000 | (self.key.word(self.word as u64) >> 12)) - 1.0;
            self.word += 1;
            self.record(&out);
        }
        out[0]
    }

    /// A standard normal number. [`Draws::fill_normal`] is much faster for many.
    pub fn normal(&mut self) -> f64 {
        let mut out = [0.0];
        self.fill_normal(&mut out);
        out[0]
    }

    /// A whole number in `0..n`, from one uniform; `n` must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n - 1)
    }

    /// Uniforms in [0, 1).
    pub fn fill_uniform<F: Real>(&mut self, out: &mut [F]) {
        if !self.replay(out) {
            F::fill_uniform(self.key, self.word * F::PER_WORD, out);
            self.word += out.len().div_ceil(F::PER_WORD);
            self.record(out);
        }
    }

    /// Standard normals.
    pub fn fill_normal<F: Real>(&mut self, out: &mut [F]) {
        if !self.replay(out) {
            // Both halves of Box and Muller's pairs; the angles' words are a row of their own.
            let angles = Key::new(self.key.state, 0);
            let half = out.len().div_ceil(2);
            let (a, b) = out.split_at_mut(half);
            let mut odd = [F::zero()];
            if b.len() < half {
                let whole = b.len();
                F::fill_normal_pair([self.key, angles], self.word * F::PER_WORD, &mut a[..whole], b);
                let last = (self.word + whole.div_ceil(F::PER_WORD)) * F::PER_WORD;
                F::fill_normal_pair([self.key, angles], last, &mut a[whole..], &mut odd);
            } else {
                F::fill_normal_pair([self.key, angles], self.word * F::PER_WORD, a, b);
            }
            self.word += half.div_ceil(F::PER_WORD) + 1;
            self.record(out);
        }
    }

    /// Puts `items` into random order (Fisher-Yates), `items.len() - 1` uniforms.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    fn replay<F: Real>(&mut self, out: &mut [F]) -> bool {
        let replayed = self.rng.replayed(self.row, self.drawn, out);
        self.drawn += if replayed { out.len() } else { 0 };
        replayed
    }

    fn record<F: Real>(&mut self, drawn: &[F]) {
        self.rng.record(self.row, self.drawn, drawn);
        self.drawn += drawn.len();
    }
}

/// Draws written down by stream, iteration and row: replayed by [`Rng::scripted`], filled by [`Rng::recording`].
#[derive(Debug, Clone, Default)]
pub struct Tape {
    draws: BTreeMap<(u64, u64, u64), Vec<f64>>,
    names: BTreeMap<u64, String>,
}

impl Tape {
    /// Writes down the draws of one row. `stream` is the labels of the forks that lead there, joined by `/`.
    pub fn set(&mut self, stream: &str, iteration: u64, row: usize, values: Vec<f64>) {
        let stream = stream.split('/').filter(|label| !label.is_empty()).fold(0, substream);
        self.draws.insert((stream, iteration, row as u64), values);
    }

    /// Removes and returns what was recorded: (stream, iteration, row, values), in that order of keys.
    pub fn take(&mut self) -> Vec<(String, u64, usize, Vec<f64>)> {
        let names = &self.names;
        let name = |stream: u64| names.get(&stream).cloned().unwrap_or_default();
        std::mem::take(&mut self.draws)
            .into_iter()
            .map(|((s, i, r), values)| (name(s), i, r as usize, values))
            .collect()
    }

    fn name(&mut self, parent: u64, stream: u64, label: &str) {
        if !self.names.contains_key(&stream) {
            let path =
                self.names.get(&parent).map(|above| format!("{above}/{label}")).unwrap_or_else(|| label.to_owned());
            self.names.insert(stream, path);
        }
    }
}
