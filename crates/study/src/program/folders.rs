//! Folders for what programs write on their way, removed in the end.

use super::process::leave_to_guard;
use std::fs::{create_dir, remove_dir_all};
use std::io::{ErrorKind, Result};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A folder for each worker, made when it is asked for.
#[derive(Debug, Default)]
pub(super) struct Folders {
    root: Option<PathBuf>,
    folders: Vec<Option<PathBuf>>,
}

impl Folders {
    /// The folder of a worker.
    ///
    /// # Errors
    /// What the system says where it cannot be made.
    pub(super) fn folder(&mut self, worker: usize) -> Result<PathBuf> {
        if self.folders.len() <= worker {
            self.folders.resize(worker + 1, None);
        }
        if let Some(folder) = &self.folders[worker] {
            return Ok(folder.clone());
        }
        let root = match &self.root {
            Some(root) => root.clone(),
            None => self.root.insert(new_folder()?).clone(),
        };
        let folder = root.join(worker.to_string());
        create_dir(&folder)?;
        Ok(self.folders[worker].insert(folder).clone())
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        if let Some(root) = &self.root {
            let _ = remove_dir_all(root);
        }
    }
}

/// A new folder among the system's temporary files; one that is there already belongs to somebody else.
fn new_folder() -> Result<PathBuf> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Relaxed);
        let path = std::env::temp_dir().join(format!("swarmgrad-{}-{number}", std::process::id()));
        match create_dir(&path) {
            Err(why) if why.kind() == ErrorKind::AlreadyExists => {}
            made => {
                made?;
                leave_to_guard(&path);
                return Ok(path);
            }
        }
    }
}
