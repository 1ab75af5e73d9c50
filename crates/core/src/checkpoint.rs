//! Checkpoint: a run between two rounds, saved so that continuing it gives the same bits.

use crate::run::Tally;
use crate::{Algorithm, Error, Real, Result, Rng, Run, Session};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

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
    rng: Rng,
    tally: Tally<F>,
}

/// First bytes of a checkpoint file: what it is, and the version of its form.
const HEADER: &[u8; 8] = b"swgrad\x00\x04";

impl<F: Real> Session<'_, F> {
    /// The session as it stands between two rounds.
    ///
    /// # Errors
    /// A state of the method that cannot be encoded.
    pub fn checkpoint(&self, method: &str, about: &str) -> Result<Checkpoint<F>> {
        Checkpoint::take(method, about, &*self.algorithm, &self.rng, &self.tally, self.begin)
    }

    /// Takes up the counts, the best point and the generator of a checkpoint. The algorithm of this session must be the one
    /// loaded from it.
    pub fn resume(mut self, checkpoint: Checkpoint<F>) -> Self {
        self.rng = checkpoint.rng;
        self.tally = checkpoint.tally;
        self
    }
}

impl<F: Real> Run<'_, F> {
    /// [`Session::checkpoint`] of this run.
    ///
    /// # Errors
    /// A state of the method that cannot be encoded.
    pub fn checkpoint(&self, method: &str, about: &str) -> Result<Checkpoint<F>> {
        self.session.checkpoint(method, about)
    }

    /// [`Session::resume`] of this run.
    pub fn resume(mut self, checkpoint: Checkpoint<F>) -> Self {
        self.session = self.session.resume(checkpoint);
        self
    }
}

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

    /// Writes the file, whole or not at all; see [`write_whole`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut bytes = HEADER.to_vec();
        bytes.extend(postcard::to_allocvec(self).map_err(|why| Error::Saved(why.to_string()))?);
        write_whole(path, &bytes)
    }

    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path)
            .map_err(|why| Error::File { path: path.display().to_string(), why: why.to_string() })?;
        let body = bytes
            .strip_prefix(HEADER)
            .ok_or_else(|| Error::Saved(format!("{} is not a checkpoint of this version", path.display())))?;
        postcard::from_bytes(body).map_err(|why| Error::Saved(format!("{}: {why}", path.display())))
    }
}

/// Writes a file beside its place first and then renames it, so that a kill leaves the old one or the new one, whole. A link stays
/// one: what it leads to is written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |why: std::io::Error| Error::File { path: path.display().to_string(), why: why.to_string() };
    let mut place = path.to_owned();
    // As many links as systems follow.
    for _ in 0..40 {
        let Ok(next) = std::fs::read_link(&place) else { break };
        place = place.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    let mut beside = place.clone().into_os_string();
    beside.push(".new");
    std::fs::write(&beside, bytes).map_err(failed)?;
    std::fs::rename(&beside, &place).map_err(failed)
}
