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
    /// Share of the rows to learn from that choose the epoch instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<f64>,
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
    /// Rows that choose the epoch whose network is kept; none unless a share of the training rows is set apart for it.
    pub validation: Arc<Dataset>,
    /// Rows to be judged on.
    pub test: Arc<Dataset>,
    /// How they were prepared.
    pub preprocessing: Preprocessing,
}

impl From<Parts> for SeedRows {
    fn from(parts: Parts) -> Self {
        let Parts { train, test, preprocessing } = parts;
        let validation = Arc::new(train.select(&[]));
        SeedRows { train: Arc::new(train), validation, test: Arc::new(test), preprocessing }
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
                let mut train = limited_images(&all.train, most_train, &lane)?;
                let mut validation = all.validation.clone();
                if let Some(share) = origin.validation {
                    let parts = set_apart(
                        &(0..train.len()).collect::<Vec<_>>(),
                        train.labels().unwrap_or_default(),
                        share,
                        &rng,
                    )?;
                    (validation, train) = (Arc::new(train.select(&parts.test)), Arc::new(train.select(&parts.train)));
                }
                Ok(SeedRows {
                    train,
                    validation,
                    test: limited_images(&all.test, most_test, &test_lane)?,
                    preprocessing: all.preprocessing.clone(),
                })
            }
            RowSource::Table(table) => {
                let (strata, whole) = (table.strata(), table.split(origin.test_share, &rng)?);
                let train = limited(whole.train, &strata, most_train, &lane)?;
                let test = limited(whole.test, &strata, most_test, &test_lane)?;
                let learnt = match origin.validation {
                    Some(share) => set_apart(&train, &strata, share, &rng)?,
                    None => Split { train, test: Vec::new() },
                };
                let fitted = || Preprocessing::fit(table, &learnt.train, &origin.options);
                let preprocessing = loaded.map_or_else(fitted, |saved| Ok(saved.preprocessing.clone()))?;
                let part = |rows: &[usize]| Ok::<_, Error>(Arc::new(preprocessing.apply(&table.select(rows))?));
                let [train, validation, test] = [part(&learnt.train)?, part(&learnt.test)?, part(&test)?];
                Ok(SeedRows { train, validation, test, preprocessing })
            }
        }
    }

    /// The rows of a set of the catalogue.
    pub(super) fn catalogued(entry: &data::catalog::Entry, name: &str, preset: Preset) -> Result<Self> {
        Ok(match entry.place {
            data::catalog::Place::Images(_) => RowSource::Images(data::images(name)?.into()),
            _ => RowSource::Table(data::load(name, preset)?),
        })
    }
}

/// Sets a share of these rows apart for validation, each class alike: the test part of what is returned.
fn set_apart(rows: &[usize], strata: &[usize], share: f64, rng: &Rng) -> Result<Split> {
    let mine: Vec<_> = rows.iter().map(|&i| strata.get(i).copied().unwrap_or(0)).collect();
    let split = split::stratified(&mine, share, &rng.fork("validation"))?;
    if split.test.is_empty() {
        let rule = format!("must set at least one of the {} training rows apart", rows.len());
        return Err(Error::parameter("validation", share, rule));
    }
    let named = |places: Vec<usize>| places.into_iter().map(|place| rows[place]).collect();
    Ok(Split { train: named(split.train), test: named(split.test) })
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
