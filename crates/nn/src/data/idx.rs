//! IDX files, the format of MNIST: bytes in an array of any shape, plain or packed with gzip.
//!
//! ```
//! use swarmgrad_nn::data::idx;
//!
//! let bytes = [0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 255];    // magic: unsigned bytes in one dimension; its length 3; the bytes
//! let labels = idx::parse(&bytes, "labels")?;
//! assert_eq!((labels.dims, labels.data), (vec![3], vec![7, 0, 255]));
//! # Ok::<(), swarmgrad_core::Error>(())
//! ```

use super::{Dataset, Preprocessing, Targets};
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::path::Path;
use swarmgrad_core::{Error, Matrix, Result};

/// An array of unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// Its shape, the first dimension counting items.
    pub dims: Vec<usize>,
    /// Its entries, the last dimension fastest.
    pub data: Vec<u8>,
}

/// Reads a file, packed with gzip or not: its first bytes tell. Errors as [`parse`], and if the file cannot be read or
/// unpacked.
pub fn read(path: &Path) -> Result<Idx> {
    let failed = |why: String| Error::File { path: path.display().to_string(), why };
    let bytes = std::fs::read(path).map_err(|why| failed(why.to_string()))?;
    let bytes = unpacked(bytes).map_err(|why| failed(format!("cut short or damaged gzip ({why})")))?;
    parse(&bytes, &path.display().to_string())
}

/// The bytes, decompressed if they are gzip.
pub(super) fn unpacked(bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    MultiGzDecoder::new(&*bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Reads the bytes of an IDX file; `name` stands for it in errors. Errors on another magic number than that of unsigned
/// bytes, and on fewer or more bytes than the header says.
pub fn parse(bytes: &[u8], name: &str) -> Result<Idx> {
    let magic = bytes.first_chunk::<4>().map(|magic| u32::from_be_bytes(*magic));
    let dims = match magic {
        Some(magic @ 0x801..=0x8ff) => (magic & 0xff) as usize,
        Some(magic) => {
            let rule = "must be 0x00000801 to 0x000008ff: an IDX file of unsigned bytes";
            return Err(Error::parameter(format!("{name}: magic number"), format!("{magic:#010x}"), rule));
        }
        None => return Err(truncated(name, bytes.len(), "at least 4")),
    };
    let header = 4 + 4 * dims;
    let Some(sizes) = bytes.get(4..header) else {
        return Err(truncated(name, bytes.len(), &format!("at least {header}")));
    };
    let dims: Vec<_> = sizes.chunks_exact(4).map(|size| size.iter().fold(0, |n, &b| n << 8 | usize::from(b))).collect();
    let expected = dims.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let shape = dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
    let data = &bytes[header..];
    match expected {
        Some(expected) if data.len() == expected => Ok(Idx { dims, data: data.to_vec() }),
        expected => {
            let expected = expected.map_or("more".into(), |entries| (header + entries).to_string());
            Err(truncated(name, bytes.len(), &format!("{expected} for {shape} entries")))
        }
    }
}

fn truncated(name: &str, found: usize, expected: &str) -> Error {
    Error::parameter(format!("{name}: length"), format!("{found} bytes"), format!("must be {expected}"))
}

/// Images and their labels as one data set: pixels divided by 255, one image a row; label k is class k.
///
/// Errors as [`read`], if the labels have not one dimension or the images less than two, and if their counts differ.
pub fn images(images: &Path, labels: &Path, name: &str) -> Result<Dataset> {
    join(read(images)?, read(labels)?, name)
}

/// Images and their labels, read already; errors as [`images`].
pub fn join(images: Idx, labels: Idx, name: &str) -> Result<Dataset> {
    if labels.dims.len() != 1 {
        return Err(Error::shape(format!("{name}: dimensions of the labels"), labels.dims.len(), 1));
    }
    if images.dims.len() < 2 {
        return Err(Error::parameter(
            format!("{name}: dimensions of the images"),
            images.dims.len(),
            "must be at least 2",
        ));
    }
    if labels.dims[0] != images.dims[0] {
        return Err(Error::shape(format!("{name}: labels"), labels.dims[0], images.dims[0]));
    }
    let dim: usize = images.dims[1..].iter().product();
    if images.data.is_empty() {
        return Err(Error::parameter(format!("{name}: images"), 0, "must be at least 1"));
    }
    let pixels = images.data.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    let classes = labels.data.iter().max().map_or(0, |&most| usize::from(most) + 1);
    let names: Vec<_> = (0..classes).map(|class| class.to_string()).collect();
    Ok(Dataset {
        name: name.into(),
        features: Matrix::from_vec(dim, pixels)?,
        feature_names: Preprocessing::of_images(dim, Vec::new()).feature_names(),
        targets: Targets::Classes { labels: labels.data.into_iter().map(usize::from).collect(), names },
    })
}
