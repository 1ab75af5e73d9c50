//! CIFAR's binary files: records of one label byte (CIFAR-100: a coarse one, then the fine one) and 3072 bytes of a 32 x 32 image, 1024 of
//! red, then green, then blue, row by row (Krizhevsky 2009).
//!
//! ```
//! use swarmgrad_nn::data::cifar;
//!
//! let mut record = vec![7]; // the label
//! record.extend([255; cifar::PIXELS]);
//! let read = cifar::parse(&record, "data_batch_1.bin", &[10])?;
//! assert_eq!((read.labels, read.pixels.len()), (vec![7], 3072));
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

use std::path::Path;
use swarmgrad_core::{Error, Result};

/// Bytes of an image.
pub const PIXELS: usize = 3 * 32 * 32;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cifar {
    /// The last label of each record: CIFAR-100's fine one.
    pub labels: Vec<usize>,
    /// The images, one after the other.
    pub pixels: Vec<u8>,
}

/// Reads a file; see [`parse`].
///
/// # Errors
/// Those of [`parse`], and a file that cannot be read.
pub fn read(path: &Path, classes: &[usize]) -> Result<Cifar> {
    let failed = |why: std::io::Error| Error::File { path: path.display().to_string(), why: why.to_string() };
    parse(&std::fs::read(path).map_err(failed)?, &path.display().to_string(), classes)
}

/// Reads the bytes of a file; `name` stands for it in errors, `classes` says how many values each label byte of a record may have.
///
/// # Errors
/// No record, a part of one, and a label that is not below its number of classes.
pub fn parse(bytes: &[u8], name: &str, classes: &[usize]) -> Result<Cifar> {
    let record = classes.len() + PIXELS;
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        let labels = if classes.len() == 1 { "a label".into() } else { format!("{} labels", classes.len()) };
        let rule = format!("must be a multiple of {record}, at least one record: {labels} and {PIXELS} pixels");
        return Err(Error::parameter(format!("{name}: length"), format!("{} bytes", bytes.len()), rule));
    }
    let mut read = Cifar { labels: Vec::new(), pixels: Vec::with_capacity(bytes.len()) };
    for (i, record) in bytes.chunks_exact(record).enumerate() {
        let (labels, pixels) = record.split_at(classes.len());
        if let Some((label, most)) = labels.iter().zip(classes).find(|(label, most)| usize::from(**label) >= **most) {
            let rule = format!("must be from 0 to {}", most - 1);
            return Err(Error::parameter(format!("{name}: label of record {}", i + 1), label, rule));
        }
        read.labels.extend(labels.last().map(|&label| usize::from(label)));
        read.pixels.extend_from_slice(pixels);
    }
    Ok(read)
}
