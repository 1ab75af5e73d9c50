//! Random numbers that do not depend on threads: the key of a draw is (seed, stream, iteration, row).

use crate::Real;
use crate::simd::{GOLDEN, Key, mix};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
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

    /// Uniforms in [0, 1): the rectangle `rows` by `cols` of the matrix of draws, row-major into `out`. `cols.start`
    /// must be even. Any split into rectangles gives the same numbers.
    #[inline]
    pub fn fill_uniform<F: Real>(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [F]) {
        if !out.is_empty() && !self.replayed_rows(&rows, &cols, out) {
            F::fill_uniform(self.base(), rows.clone(), cols.clone(), out);
            self.record_rows(rows, cols, out);
        }
    }

    /// Standard normals: the rectangle `rows` by `cols` of the matrix of draws, row-major into `out`. `cols.start` and
    /// `rows.start` must be even: Box and Muller's pairs are the rows 2k and 2k + 1.
    #[inline]
    pub fn fill_normal<F: Real>(&self, rows: Range<usize>, cols: Range<usize>, out: &mut [F]) {
        if !out.is_empty() && !self.replayed_rows(&rows, &cols, out) {
            F::fill_normal(self.base(), rows.clone(), cols.clone(), out);
            self.record_rows(rows, cols, out);
        }
    }

    /// The keys of the rows `row` and `row + 1`, for kernels that draw as they go; none while draws are scripted or
    /// recorded. Such a kernel gives the bits of [`Rng::fill_uniform`] and [`Rng::fill_normal`].
    #[inline]
    pub fn keys(&self, row: usize) -> Option<[Key; 2]> {
        let base = self.base();
        self.tape.is_none().then(|| [Key::new(base, row as u64), Key::new(base, row as u64 + 1)])
    }

    #[inline]
    fn replayed_rows<F: Real>(&self, rows: &Range<usize>, cols: &Range<usize>, out: &mut [F]) -> bool {
        self.tape.is_some()
            && out.chunks_mut(cols.len()).zip(rows.clone()).all(|(row, i)| self.replayed(i as u64, cols.start, row))
    }

    #[inline]
    fn record_rows<F: Real>(&self, rows: Range<usize>, cols: Range<usize>, out: &[F]) {
        if self.tape.is_some() {
            out.chunks(cols.len()).zip(rows).for_each(|(row, i)| self.record(i as u64, cols.start, row));
        }
    }

    /// Copies the scripted draws, if there is a script.
    fn replayed<F: Real>(&self, row: u64, col: usize, out: &mut [F]) -> bool {
        let Some(Role::Scripted(tape)) = &self.tape else { return false };
        let values =
            tape.draws.get(&(self.stream, self.iteration, row)).and_then(|values| values.get(col..col + out.len()));
        let values =
            values.unwrap_or_else(|| panic!("the script lacks draws of row {row} at iteration {}", self.iteration));
        out.iter_mut().zip(values).for_each(|(o, &v)| *o = F::of(v));
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
            F::fill_uniform_row(self.key, self.word, out);
            self.word += out.len().div_ceil(F::PER_WORD);
            self.record(out);
        }
    }

    /// Standard normals.
    pub fn fill_normal<F: Real>(&mut self, out: &mut [F]) {
        if !self.replay(out) {
            // The angles' words are a row of their own.
            F::fill_normal_halves([self.key, Key::new(self.key.state, 0)], self.word, out);
            self.word += out.len().div_ceil(2 * F::PER_WORD);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_splitmix64() {
        // The published SplitMix64 (state 1234567, golden-ratio increment), as in the xoshiro authors' splitmix64.c.
        let key = Key { state: 1_234_567, gamma: GOLDEN };
        let words: Vec<u64> = (0..5).map(|i| key.word(i)).collect();
        let reference =
            [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        assert_eq!(words, reference);
    }

    /// Kolmogorov-Smirnov distance of `sample` to the distribution function `cdf`.
    fn distance(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
        sample.sort_by(f64::total_cmp);
        let n = sample.len() as f64;
        let gaps = sample
            .iter()
            .enumerate()
            .map(|(i, &t)| (cdf(t) - i as f64 / n).abs().max(((i + 1) as f64 / n - cdf(t)).abs()));
        gaps.fold(0.0, f64::max)
    }

    /// The normal distribution function by its Taylor series around 0; 1e-12 for |t| < 6.
    fn phi(t: f64) -> f64 {
        if t.abs() > 6.0 {
            return if t > 0.0 { 1.0 } else { 0.0 };
        }
        let (mut term, mut sum, mut k) = (t, t, 1.0);
        while term.abs() > 1e-17 {
            term *= t * t / (2.0 * k + 1.0);
            sum += term;
            k += 1.0;
        }
        0.5 + sum * (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt()
    }

    fn check_laws<F: Real>(name: &str) {
        let (rows, cols) = (500, 400);
        let mut out = vec![F::zero(); rows * cols];
        let limit = 1.95 / ((rows * cols) as f64).sqrt(); // Kolmogorov's bound at 0.1 %
        let rng = Rng::new(11).fork(name);
        rng.fill_uniform(0..rows, 0..cols, &mut out);
        assert!(out.iter().all(|&u| u >= F::zero() && u < F::one()));
        assert!(distance(out.iter().map(|u| u.f64()).collect(), |t| t) < limit, "{name} uniform");
        rng.fork("n").fill_normal(0..rows, 0..cols, &mut out);
        let normals: Vec<f64> = out.iter().map(|z| z.f64()).collect();
        assert!(distance(normals.clone(), phi) < limit, "{name} normal");
        // Rows 2k and 2k + 1 come from one pair of words: they must be uncorrelated, also in their squares.
        for power in [1, 2] {
            let centre = if power == 2 { 1.0 } else { 0.0 };
            let products: Vec<f64> = normals
                .chunks(2 * cols)
                .flat_map(|pair| {
                    (0..cols).map(move |j| (pair[j].powi(power) - centre) * (pair[cols + j].powi(power) - centre))
                })
                .collect();
            let n = products.len() as f64;
            let mean = products.iter().sum::<f64>() / n;
            let deviation = (products.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / n).sqrt();
            assert!(mean.abs() < 4.0 * deviation / n.sqrt(), "{name}: correlation {mean} of power {power}");
        }
        let halves = {
            let mut z = vec![F::zero(); 99_999];
            rng.row(3).fill_normal(&mut z);
            z.iter().map(|z| z.f64()).collect()
        };
        assert!(distance(halves, phi) < 1.95 / 99_999f64.sqrt(), "{name} normals of a row");
    }

    #[test]
    fn draws_follow_their_laws() {
        check_laws::<f64>("f64");
        check_laws::<f32>("f32");
    }

    #[test]
    fn any_split_gives_the_same_bits() {
        let rng = Rng::new(5).at(9).fork("split");
        for (rows, cols) in [(1, 1), (3, 5), (6, 20), (7, 33), (10, 64)] {
            let (mut whole, mut whole_normal) = (vec![0.0; rows * cols], vec![0.0; rows * cols]);
            rng.fill_uniform(0..rows, 0..cols, &mut whole);
            rng.fill_normal(0..rows, 0..cols, &mut whole_normal);
            for row in (0..rows).step_by(2) {
                let end = (row + 2).min(rows);
                for (from, to) in [(0, cols / 4 * 2), (cols / 4 * 2, cols)] {
                    let mut part = vec![0.0; (end - row) * (to - from)];
                    rng.fill_uniform(row..end, from..to, &mut part);
                    let expected = |m: &[f64]| {
                        (row..end).flat_map(|i| m[i * cols + from..i * cols + to].to_vec()).collect::<Vec<_>>()
                    };
                    assert_eq!(part, expected(&whole));
                    rng.fill_normal(row..end, from..to, &mut part);
                    assert_eq!(part, expected(&whole_normal));
                }
            }
        }
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let first = |rng: Rng, row| rng.row(row).uniform();
        let rng = Rng::new(1);
        let draws = [
            first(rng.clone(), 0),
            first(rng.clone(), 1),
            first(rng.at(1), 0),
            first(rng.fork("a"), 0),
            first(rng.fork("b"), 0),
            first(rng.fork("a").fork("b"), 0),
            first(rng.fork("b").fork("a"), 0),
            first(Rng::new(2), 0),
        ];
        let distinct: std::collections::BTreeSet<u64> = draws.iter().map(|u| u.to_bits()).collect();
        assert_eq!(distinct.len(), draws.len());
    }

    #[test]
    fn a_recorded_tape_replays() {
        let tape = Arc::new(Mutex::new(Tape::default()));
        let rng = Rng::new(3).at(2).recording(tape.clone());
        let mut drawn = vec![0.0; 15];
        rng.fork("xi").fill_normal(0..3, 0..5, &mut drawn);
        let single = rng.fork("a").fork("b").row(4).uniform();
        let mut script = Tape::default();
        for (stream, iteration, row, values) in tape.lock().unwrap().take() {
            script.set(&stream, iteration, row, values);
        }
        let replay = Rng::scripted(script).at(2);
        let mut again = vec![0.0; 15];
        replay.fork("xi").fill_normal(0..3, 0..5, &mut again);
        assert_eq!(again, drawn);
        assert_eq!(replay.fork("a").fork("b").row(4).uniform(), single);
    }
}
