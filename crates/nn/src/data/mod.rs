//! Data sets: readers, the catalogue, preparation and splits.
//!
//! A [`Table`] is what was read: named columns, values may be missing. [`Preprocessing`] is fitted to its training rows and
//! turns any rows with these columns into a [`Dataset`], which is what a network takes.
//!
//! ```
//! use swarmgrad_core::Rng;
//! use swarmgrad_nn::data::{self, Preset};
//!
//! let table = data::load("heart", Preset::Full)?;             // 303 rows, six values missing
//! let split = table.split(0.25, &Rng::new(1))?;               // stratified
//! let parts = table.parts(&split, &Preset::Full.options())?;  // imputed and standardised by the training rows
//! assert_eq!((parts.train.len(), parts.test.len(), parts.train.dim()), (227, 76, 13));
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

pub mod catalog;
pub mod cifar;
pub mod csv;
mod dataset;
pub mod fetch;
pub mod idx;
pub mod images;
pub mod prepare;
pub mod split;
mod suspect;
mod table;

pub use dataset::{Dataset, Targets};
pub use prepare::{Categories, Fill, Options, Parts, Preprocessing, Preset};
pub use split::Split;
pub use table::{Column, Table, Values};

use serde::{Deserialize, Serialize};
use std::path::Path;
use swarmgrad_core::{Error, Result, Rng};

/// What is to be learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One of several classes.
    Classification,
    /// A number.
    Regression,
}

/// The rows of a catalogued set that belong to a preset, raw. Paper: the rows the AdaSwarm paper used. Full: all rows, for
/// `ilpd` all 583, and zeros that stand for a missing value are missing.
///
/// Errors if the name is unknown, if the set is not fetched, if its checksum is wrong, and for images, which are no table.
pub fn load(name: &str, preset: Preset) -> Result<Table> {
    let entry = catalog::entry(match (name, preset) {
        ("ilpd", Preset::Full) => "ilpd583",
        _ => name,
    })?;
    if entry.name != name && !entry.is_there() {
        let rule = format!(
            "has all its rows in '{}', which is not fetched yet: run `swarmgrad data fetch {}`; the complete rows are in the \
             program, under preset paper",
            entry.name, entry.name
        );
        return Err(Error::parameter("data set", name, rule));
    }
    let table = entry.take(entry.table()?, preset)?;
    Ok(Table { name: name.into(), ..table })
}

/// A catalogued set ready for training: loaded, split at random with each class alike, and prepared with what its training
/// part says. Images have their own parts, and their own preparation (pixels divided by 255).
///
/// Errors as [`load`], and unless 0 <= `test_share` < 1.
pub fn parts(name: &str, preset: Preset, options: &Options, test_share: f64, rng: &Rng) -> Result<Parts> {
    if let catalog::Place::Images(_) = catalog::entry(name)?.place {
        return images(name);
    }
    let table = load(name, preset)?;
    table.parts(&table.split(test_share, rng)?, options)
}

/// The 60,000 and 10,000 images of MNIST, 28 x 28 pixels from 0 to 1. Errors if they are not fetched.
pub fn mnist() -> Result<Parts> {
    images("mnist")
}

/// A set of images in its two parts, pixels from 0 to 1. Errors if the name is unknown or is that of a table, if a file is not in the data
/// folder, and if one does not hold what it should.
pub fn images(name: &str) -> Result<Parts> {
    let entry = catalog::entry(name)?;
    match entry.place {
        catalog::Place::Images(files) => images::load(entry, files, &fetch::folder()?),
        _ => Err(Error::parameter("data set", name, "is a table, not images: use `data::load`")),
    }
}

/// The text of a file.
fn read_text(path: &Path) -> Result<String> {
    let failed = |why: String| Error::File { path: path.display().to_string(), why };
    let bytes = std::fs::read(path).map_err(|why| failed(why.to_string()))?;
    String::from_utf8(bytes).map_err(|why| {
        let good = &why.as_bytes()[..why.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
        failed(format!("line {line} is not UTF-8 text"))
    })
}
