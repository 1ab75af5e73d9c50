//! Data sets that are not part of the program: where they are kept, and how they get there.

use std::env::var_os;
use std::path::{Path, PathBuf};
use swarmgrad_core::{Error, Result};

/// The data folder: `$SWARMGRAD_DATA`, or `swarmgrad` in the platform's folder for data (`$XDG_DATA_HOME`,
/// `~/.local/share`; `~/Library/Application Support` on macOS; `%APPDATA%` on Windows). Errors if none of these is set.
pub fn folder() -> Result<PathBuf> {
    let set = |name| var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("SWARMGRAD_DATA") {
        return Ok(folder);
    }
    let home = || set("HOME");
    let platform = if cfg!(windows) {
        set("APPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        set("XDG_DATA_HOME").or_else(|| home().map(|home| home.join(".local/share")))
    };
    let none =
        || Error::parameter("SWARMGRAD_DATA", "''", "must name the folder for data: there is no home folder either");
    platform.map(|folder| folder.join("swarmgrad")).ok_or_else(none)
}

/// The file of this name in the data folder or one of its subfolders.
pub fn find(file: &str) -> Option<PathBuf> {
    find_in(&folder().ok()?, file, 1)
}

/// The file of this name, or with `.gz` behind it, in the data folder or one of its subfolders.
pub fn find_packed(file: &str) -> Option<PathBuf> {
    find(&format!("{file}.gz")).or_else(|| find(file))
}

/// The file of this name in `folder` or below it, at most `depth` levels down, folders in the order of their names.
fn find_in(folder: &Path, file: &str, depth: usize) -> Option<PathBuf> {
    let here = folder.join(file);
    if here.is_file() {
        return Some(here);
    }
    let below = depth.checked_sub(1)?;
    let entries = folder.read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.iter().find_map(|folder| find_in(folder, file, below))
}
