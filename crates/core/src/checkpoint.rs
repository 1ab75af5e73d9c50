//! Checkpoint: a run between two rounds, saved so that continuing it gives the same bits.

use crate::tally::Tally;
use crate::{Algorithm, Error, Instant, Real, Result, Rng, state};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Everything a run needs to continue: the method's name and state, the generator, the counts and the best point.
/// `about` is the caller's own (the program keeps the whole command there).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Checkpoint<F: Real = f64> {
    /// The method's name in the registry.
    pub method: String,
    /// The method's state, as [`crate::Algorithm::save`] wrote it.
    pub algorithm: Vec<u8>,
    /// Whatever the caller needs to set up the problem and the watchers again.
    pub about: String,
    pub(crate) rng: Rng,
    pub(crate) tally: Tally<F>,
}

/// What a checkpoint's file says of itself.
const KIND: &str = "checkpoint";
/// The version of its form.
const VERSION: u32 = 13;

impl<F: Real> Checkpoint<F> {
    pub(crate) fn take(
        method: &str,
        about: &str,
        algorithm: &dyn Algorithm<F>,
        rng: &Rng,
        tally: &Tally<F>,
        begin: Instant,
    ) -> Result<Self> {
        let mut state = Vec::new();
        algorithm.save(&mut state)?;
        let mut tally = tally.clone();
        tally.elapsed += begin.elapsed();
        Ok(Checkpoint { method: method.into(), algorithm: state, about: about.into(), rng: rng.clone(), tally })
    }

    /// Points of the rounds up to it, evaluated or given up: the number of the next one.
    pub fn points(&self) -> u64 {
        self.tally.handed
    }

    /// Writes the file, whole or not at all; see [`state`].
    ///
    /// # Errors
    /// A path that cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let body = postcard::to_allocvec(self).map_err(|why| Error::Saved(why.to_string()))?;
        state::write(path, KIND, VERSION, &body)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// A file that cannot be read, is no checkpoint or one of another version, or has been cut short or changed.
    pub fn read(path: &Path) -> Result<Self> {
        let body = state::read(path, KIND, VERSION)?;
        postcard::from_bytes(&body).map_err(|why| Error::Saved(format!("{}: {why}", path.display())))
    }

    /// Whether the counts and points that it holds, and the method that was loaded from it, can be gone on with in so many
    /// variables. The checksum of a file says that it is what was written, not who wrote it.
    ///
    /// # Errors
    /// What does not fit, with the rule.
    pub fn verify(&self, dim: usize, method: &dyn Algorithm<F>) -> Result<()> {
        let iterations = [("iteration of the generator", self.rng.iteration())];
        if let Some((name, count)) = self.tally.counts().chain(iterations).find(|(_, count)| *count > MOST) {
            return Err(Error::parameter(name, count, format!("must be at most {MOST}")));
        }
        if let Some(own) = method.dim().filter(|own| *own != dim) {
            return Err(Error::shape("variables of the method", own, dim));
        }
        match self.tally.points().find(|x| x.len() != dim) {
            Some(x) => Err(Error::shape("a saved point", x.len(), dim)),
            None => Ok(()),
        }
    }
}

/// No run counts further: what is added to a count up to here does not overflow.
const MOST: u64 = 1 << 53;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::Folder;
    use crate::{Evaluation, Matrix, Session, View};

    /// Two points a round.
    struct Pair(u64);

    impl Algorithm for Pair {
        fn ask(&mut self, rng: &Rng, xs: &mut Matrix) {
            xs.resize(2, 2);
            xs.iter_mut().enumerate().for_each(|(i, x)| x.fill(rng.row(i).uniform()));
        }

        fn tell(&mut self, _xs: &mut Matrix, _values: &[f64]) {
            self.0 += 1;
        }

        fn answer(&self) -> Vec<f64> {
            Vec::new()
        }

        fn iterations(&self) -> u64 {
            self.0
        }

        fn view(&self) -> View<'_> {
            View::default()
        }

        fn save(&self, out: &mut Vec<u8>) -> Result<()> {
            out.extend(self.0.to_le_bytes());
            Ok(())
        }
    }

    #[test]
    fn a_file_with_one_changed_bit_or_a_missing_end_is_refused() {
        let folder = Folder::new("checkpoint");
        let path = folder.path("run.checkpoint");
        let mut session = Session::new(Box::new(Pair(0)), 7);
        for (id, x) in session.ask(2).points() {
            session.tell(id, Evaluation::of(x[0])).unwrap();
        }
        session.checkpoint("pair", "a test").unwrap().write(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let read = Checkpoint::<f64>::read(&path).unwrap();
        assert_eq!((&*read.method, &*read.about, read.tally.evaluations), ("pair", "a test", 2));
        for bit in 0..8 * whole.len() {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, changed).unwrap();
            let refused = Checkpoint::<f64>::read(&path);
            assert!(matches!(refused, Err(Error::Saved(_))), "bit {bit}: {refused:?}");
        }
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let refused = Checkpoint::<f64>::read(&path);
            assert!(matches!(refused, Err(Error::Saved(_))), "{length} bytes: {refused:?}");
        }
    }
}
