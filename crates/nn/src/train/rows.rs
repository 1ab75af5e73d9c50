//! The rows of a training: read once, split, limited and prepared anew for each seed.

use super::Saved;
use crate::data::{self, Dataset, Options, Parts, Preprocessing, Preset, Split, Table, split};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use swarmgrad_core::{Error, Result, Rng};

/// Where the rows come from.
pub enum RowSource {
    /// A table, split anew for each seed.
    Table(Table),
    /// Images with a test part of their own.
    Images(SeedRows),
}

/// Which rows, and how they are prepared: what a recorded run must share with one that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Name or file.
    pub data: String,
    /// Checksum.
    pub digest: String,
    /// Which rows.
    pub preset: Preset,
    /// Preparation.
    pub options: Options,
    /// Share of the test rows.
    pub test_share: f64,
    /// Most training and most test rows.
    pub limits: [Option<usize>; 2],
    /// Checksum of the model it starts from.
    pub from: Option<String>,
}

/// The rows of one seed.
#[derive(Clone)]
pub struct SeedRows {
    /// Rows to learn from.
    pub train: Arc<Dataset>,
    /// Rows to be judged on.
    pub test: Arc<Dataset>,
    /// How they were prepared.
    pub preprocessing: Preprocessing,
}

impl From<Parts> for SeedRows {
    fn from(parts: Parts) -> Self {
        let Parts { train, test, preprocessing } = parts;
        SeedRows { train: Arc::new(train), test: Arc::new(test), preprocessing }
    }
}

impl RowSource {
    /// The rows of a seed, prepared as `origin` says, or as they were for the model they are to continue.
    ///
    /// # Errors
    /// A test share outside 0 .. 1, columns or a width that the model does not know.
    pub fn rows(&self, origin: &Origin, loaded: Option<&Saved>, seed: u64) -> Result<SeedRows> {
        let rng = Rng::new(seed);
        let ([most_train, most_test], lane, test_lane) = (origin.limits, rng.fork("limit"), rng.fork("test limit"));
        match self {
            RowSource::Images(all) => {
                let dim = all.preprocessing.dim();
                if let Some(saved) = loaded
                    && saved.shape != [dim, all.preprocessing.outputs()]
                {
                    return Err(Error::shape("a row of the model's data", saved.shape[0], dim));
                }
                Ok(SeedRows {
                    train: limited_images(&all.train, most_train, &lane)?,
                    test: limited_images(&all.test, most_test, &test_lane)?,
                    preprocessing: all.preprocessing.clone(),
                })
            }
            RowSource::Table(table) => {
                let (strata, whole) = (table.strata(), table.split(origin.test_share, &rng)?);
                let split = Split {
                    train: limited(whole.train, &strata, most_train, &lane)?,
                    test: limited(whole.test, &strata, most_test, &test_lane)?,
                };
                let fitted = || Preprocessing::fit(table, &split.train, &origin.options);
                let preprocessing = loaded.map_or_else(fitted, |saved| Ok(saved.preprocessing.clone()))?;
                let train = Arc::new(preprocessing.apply(&table.select(&split.train))?);
                let test = Arc::new(preprocessing.apply(&table.select(&split.test))?);
                Ok(SeedRows { train, test, preprocessing })
            }
        }
    }

    /// The rows of a set of the catalogue.
    pub(super) fn catalogued(entry: &data::catalog::Entry, name: &str, preset: Preset) -> Result<Self> {
        Ok(match entry.place {
            data::catalog::Place::Images => RowSource::Images(data::mnist()?.into()),
            _ => RowSource::Table(data::load(name, preset)?),
        })
    }
}

/// The rows that a limit leaves of these, each class alike.
fn limited(rows: Vec<usize>, strata: &[usize], limit: Option<usize>, rng: &Rng) -> Result<Vec<usize>> {
    match limit {
        Some(limit) if limit < rows.len() => {
            let mine: Vec<_> = rows.iter().map(|&i| strata[i]).collect();
            let share = limit as f64 / rows.len() as f64;
            Ok(split::stratified(&mine, share, rng)?.test.into_iter().map(|i| rows[i]).collect())
        }
        _ => Ok(rows),
    }
}

/// The same of images, which are not copied where nothing is left out.
fn limited_images(all: &Arc<Dataset>, limit: Option<usize>, rng: &Rng) -> Result<Arc<Dataset>> {
    let rows = limited((0..all.len()).collect(), all.labels().unwrap_or_default(), limit, rng)?;
    Ok(if rows.len() < all.len() { Arc::new(all.select(&rows)) } else { all.clone() })
}
