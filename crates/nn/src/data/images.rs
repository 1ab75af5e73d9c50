//! Sets of images: which files they lie in, where these are looked for, and how they become rows.

use super::catalog::{Entry, MNIST};
use super::{Dataset, Parts, Preprocessing, Targets, cifar, fetch, idx};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use swarmgrad_core::{Error, Matrix, Result};

/// The files of a set of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFiles {
    /// The four IDX files of [`MNIST`], which can be fetched.
    Mnist,
    /// Four IDX files of the same names.
    Idx(Published),
    /// CIFAR's binary files: those to learn from, the one to be judged on, and how many values each label byte of a record may have.
    Cifar(Published, &'static [&'static str], &'static str, &'static [usize]),
}

/// Files that the user brings, as they are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// What its authors publish.
    pub archive: &'static str,
    /// Folders of the data folder in which the files are looked for: the name of the set, and what the archive unpacks to.
    pub folders: &'static [&'static str],
}

impl ImageFiles {
    /// Names of the files, those to learn from first; of MNIST's kind without `.gz`.
    fn names(self) -> Vec<&'static str> {
        match self {
            ImageFiles::Mnist | ImageFiles::Idx(_) => MNIST.iter().map(|(name, _)| *name).collect(),
            ImageFiles::Cifar(_, train, test, _) => train.iter().copied().chain([test]).collect(),
        }
    }

    /// The files in a data folder: the path of each, or its name where it is not there.
    fn places(self, root: &Path) -> Vec<std::result::Result<PathBuf, &'static str>> {
        let place = |name: &'static str| {
            let found = match self {
                ImageFiles::Mnist => fetch::find_packed_in(root, name),
                ImageFiles::Idx(Published { folders, .. }) | ImageFiles::Cifar(Published { folders, .. }, ..) => {
                    let paths = |folder: &&str| [format!("{name}.gz"), name.into()].map(|n| root.join(folder).join(n));
                    folders.iter().flat_map(paths).find(|path| path.is_file())
                }
            };
            found.ok_or(name)
        };
        self.names().into_iter().map(place).collect()
    }

    /// Whether all are in the data folder.
    pub(super) fn are_there(self) -> bool {
        fetch::folder().is_ok_and(|root| self.places(&root).iter().all(std::result::Result::is_ok))
    }

    /// What the user is to bring, where the files cannot be fetched.
    pub(super) fn published(self) -> Option<Published> {
        match self {
            ImageFiles::Mnist => None,
            ImageFiles::Idx(published) | ImageFiles::Cifar(published, ..) => Some(published),
        }
    }
}

/// The paths of a set's files, all of them.
fn paths(entry: &Entry, files: ImageFiles, root: &Path) -> Result<Vec<PathBuf>> {
    files.places(root).into_iter().map(|place| place.map_err(|name| entry.lacks(name))).collect()
}

/// The parts of a set of images whose files lie in the data folder `root`.
///
/// # Errors
/// A file that is not there, or does not hold what it should.
pub fn load(entry: &Entry, files: ImageFiles, root: &Path) -> Result<Parts> {
    let paths = paths(entry, files, root)?;
    let (train, test) = match files {
        ImageFiles::Mnist => {
            (idx::images(&paths[0], &paths[1], entry.name)?, idx::images(&paths[2], &paths[3], entry.name)?)
        }
        ImageFiles::Idx(_) => {
            let part = |images: &Path, labels: &Path| {
                with_names(entry, idx::images(images, labels, entry.name)?, &labels.display().to_string())
            };
            (part(&paths[0], &paths[1])?, part(&paths[2], &paths[3])?)
        }
        ImageFiles::Cifar(_, _, _, classes) => {
            let part = |paths: &[PathBuf]| -> Result<Dataset> {
                let (mut labels, mut pixels) = (Vec::new(), Vec::new());
                for path in paths {
                    let read = cifar::read(path, classes)?;
                    labels.extend(read.labels);
                    pixels.extend(read.pixels.into_iter().map(|pixel| f32::from(pixel) / 255.0));
                }
                Ok(Dataset {
                    name: entry.name.into(),
                    features: Matrix::from_vec(cifar::PIXELS, pixels)?,
                    feature_names: Preprocessing::of_images(cifar::PIXELS, Vec::new()).feature_names(),
                    targets: Targets::Classes { labels, names: names(entry) },
                })
            };
            let (test, train) = paths.split_last().ok_or_else(|| entry.lacks("its files"))?;
            (part(train)?, part(std::slice::from_ref(test))?)
        }
    };
    if test.dim() != train.dim() {
        return Err(Error::shape(format!("{}: pixels of a test image", entry.name), test.dim(), train.dim()));
    }
    let preprocessing = Preprocessing::of_images(train.dim(), train.classes().to_vec());
    Ok(Parts { train, test, preprocessing })
}

/// The sha256 of all files of a set, one after the other, in hexadecimal; empty for MNIST, whose files are pinned.
///
/// # Errors
/// A file that is not there or cannot be read.
pub fn digest(entry: &Entry, files: ImageFiles, root: &Path) -> Result<String> {
    let mut sha256 = Sha256::new();
    if files != ImageFiles::Mnist {
        for path in paths(entry, files, root)? {
            let failed = |why: std::io::Error| Error::File { path: path.display().to_string(), why: why.to_string() };
            sha256.update(std::fs::read(&path).map_err(failed)?);
        }
        return Ok(super::catalog::hexadecimal(&sha256.finalize()));
    }
    Ok(String::new())
}

fn names(entry: &Entry) -> Vec<String> {
    entry.classes.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// The same images with the names of the catalogue's classes.
fn with_names(entry: &Entry, mut rows: Dataset, file: &str) -> Result<Dataset> {
    if let Targets::Classes { labels, names: classes } = &mut rows.targets {
        if let Some((i, label)) = labels.iter().enumerate().find(|(_, label)| **label >= entry.classes.len()) {
            let rule = format!("must be from 0 to {}", entry.classes.len() - 1);
            return Err(Error::parameter(format!("{file}: label of record {}", i + 1), label, rule));
        }
        *classes = names(entry);
    }
    Ok(rows)
}
