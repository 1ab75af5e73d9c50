//! State: how everything that is kept in a file of our own is written and read: checkpoints, models, caches.
//!
//! ```text
//! 8 bytes   89 's' 'w' 'g' 'r' 'a' 'd' 0a      what never changes, whatever the version
//! 1 byte    length of the kind
//! ...       the kind: "checkpoint", "model", ...
//! 4 bytes   version of the form of this kind   (numbers begin with the lowest byte)
//! 8 bytes   length of the body
//! 4 bytes   CRC-32 of all the above and the body
//! ...       the body
//! ```

use crate::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const MAGIC: &[u8; 8] = b"\x89swgrad\n";
/// What files of earlier forms began with.
const EARLIER: [&[u8]; 2] = [b"swgrad\0", b"swmodel"];

/// Writes a file of this kind, whole or not at all; see [`write_whole`].
///
/// # Errors
/// A path that cannot be written.
pub fn write(path: &Path, kind: &str, version: u32, body: &[u8]) -> Result<()> {
    let length = u8::try_from(kind.len()).map_err(|_| Error::parameter("kind", kind, "must be a short text"))?;
    let mut bytes = Vec::with_capacity(MAGIC.len() + kind.len() + 17 + body.len());
    bytes.extend(MAGIC);
    bytes.push(length);
    bytes.extend(kind.as_bytes());
    bytes.extend(version.to_le_bytes());
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend(checksum(&bytes, body).to_le_bytes());
    bytes.extend(body);
    write_whole(path, &bytes)
}

/// Reads the body of a file of this kind and version.
///
/// # Errors
/// A file that cannot be read, is of another kind or version, or has been cut short or changed: the message says which.
pub fn read(path: &Path, kind: &str, version: u32) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|why| failed(path, &why))?;
    let mut head = Head { file, path, bytes: Vec::new() };
    let wrong = |what: String| Error::Saved(format!("{} {what}", path.display()));
    let cut = || wrong("is cut short: what wrote it was killed, or the disk was full".into());
    if head.next(MAGIC.len())?.is_none_or(|magic| magic != MAGIC) {
        if EARLIER.iter().any(|magic| head.bytes.starts_with(magic)) {
            return Err(wrong(older(kind)));
        }
        return Err(match MAGIC.starts_with(&head.bytes) {
            true if head.bytes.is_empty() => wrong(format!("is empty, not a {kind}")),
            true => cut(),
            false => wrong(format!("is not a {kind} of swarmgrad, or its beginning is damaged")),
        });
    }
    let length = head.next(1)?.ok_or_else(cut)?[0];
    let found_kind = head.next(usize::from(length))?.ok_or_else(cut)?.to_vec();
    let numbers = head.next(16)?.ok_or_else(cut)?;
    let (mut four, mut eight, mut check) = ([0; 4], [0; 8], [0; 4]);
    four.copy_from_slice(&numbers[..4]);
    eight.copy_from_slice(&numbers[4..12]);
    check.copy_from_slice(&numbers[12..]);
    let (found_version, length) = (u32::from_le_bytes(four), u64::from_le_bytes(eight));
    let checked = head.bytes.len() - check.len();
    let mut body = Vec::new();
    // One more than there should be, so that it is seen.
    let most = length.saturating_add(1);
    (&head.file).take(most).read_to_end(&mut body).map_err(|why| failed(path, &why))?;
    if (body.len() as u64) < length {
        return Err(cut());
    }
    if body.len() as u64 > length || checksum(&head.bytes[..checked], &body) != u32::from_le_bytes(check) {
        return Err(wrong("is damaged: its checksum is not that of what it holds".into()));
    }
    if found_kind != kind.as_bytes() {
        return Err(wrong(format!("is a {}, not a {kind}", String::from_utf8_lossy(&found_kind))));
    }
    match found_version {
        found if found < version => Err(wrong(older(kind))),
        found if found > version => Err(wrong(format!(
            "is a {kind} of a newer version of swarmgrad (form {found}; this one reads form {version}): use that version"
        ))),
        _ => Ok(body),
    }
}

fn older(kind: &str) -> String {
    format!("is a {kind} of an earlier version of swarmgrad: use that version, or make the {kind} anew with this one")
}

/// The first bytes of a file, kept as they are read.
struct Head<'a> {
    file: File,
    path: &'a Path,
    bytes: Vec<u8>,
}

impl Head<'_> {
    /// The next bytes; none if there are not so many.
    fn next(&mut self, bytes: usize) -> Result<Option<&[u8]>> {
        let from = self.bytes.len();
        (&self.file).take(bytes as u64).read_to_end(&mut self.bytes).map_err(|why| failed(self.path, &why))?;
        Ok(Some(&self.bytes[from..]).filter(|read| read.len() == bytes))
    }
}

fn checksum(head: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(body);
    hasher.finalize()
}

fn failed(path: &Path, why: &io::Error) -> Error {
    Error::File { path: path.display().to_string(), why: why.to_string() }
}

/// Writes a file beside its place first and then renames it, so that a kill leaves the old one or the new one, whole, and keeps
/// the old one's permissions. A link stays one: what it leads to is replaced. What is no file (`/dev/stdout`, a pipe) is written
/// as it is.
///
/// # Errors
/// A path that cannot be written. Nothing is left behind then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = match place(path)? {
        Place::File(place) => replace(&place, bytes),
        Place::Device => open_device(path).and_then(|mut file| file.write_all(bytes)),
    };
    written.map_err(|why| failed(path, &why))
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// To a file here, or to nothing yet; this is no link.
    File(PathBuf),
    /// To what can be written but not replaced: a device, a pipe, a file that the process was given open.
    Device,
}

/// Follows the links of a path.
///
/// # Errors
/// Links that go round in a circle.
pub fn place(path: &Path) -> Result<Place> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Ok(Place::Device);
    }
    let mut place = path.to_owned();
    // As many links as systems follow.
    for _ in 0..40 {
        let Ok(next) = fs::read_link(&place) else { return Ok(Place::File(place)) };
        if place.starts_with("/proc") {
            return Ok(Place::Device);
        }
        place = place.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    Err(Error::File { path: path.display().to_string(), why: "its links lead round in a circle".into() })
}

/// How long a pipe waits for somebody to read it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens what is no file, to be written.
///
/// # Errors
/// What the system says; a named pipe that nobody has opened for reading after five seconds.
pub fn open_device(path: &Path) -> io::Result<File> {
    open_within(path, PATIENCE)
}

fn open_within(path: &Path, patience: Duration) -> io::Result<File> {
    if !is_pipe(path) {
        return OpenOptions::new().append(true).open(path);
    }
    // The system would wait for ever.
    let (opened, result) = mpsc::channel();
    let pipe = path.to_owned();
    thread::spawn(move || opened.send(OpenOptions::new().append(true).open(pipe)));
    let unread = |_| io::Error::new(io::ErrorKind::TimedOut, "nobody reads this pipe");
    result.recv_timeout(patience).map_err(unread)?
}

/// Whether a path leads to a named pipe.
#[cfg(unix)]
pub fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
}

/// Whether a path leads to a named pipe: there are none.
#[cfg(not(unix))]
pub fn is_pipe(_path: &Path) -> bool {
    false
}

fn replace(place: &Path, bytes: &[u8]) -> io::Result<()> {
    loop {
        let (file, beside) = create_beside(place)?;
        // Held until the file has its place, so that nobody takes it for a left one; see `sweep`.
        drop(file.try_lock());
        let written = fill(&file, place, bytes).and_then(|()| fs::rename(&beside, place));
        match written {
            Ok(()) => break,
            // Swept away before it was locked.
            Err(why) if why.kind() == io::ErrorKind::NotFound && folder_of(place).is_dir() => {}
            Err(why) => {
                // What was being made is of no use to anyone.
                drop(fs::remove_file(&beside));
                return Err(why);
            }
        }
    }
    sync_folder(place);
    sweep(place);
    Ok(())
}

/// Removes a file that [`write_whole`] has written, and what killed writers of it have left.
///
/// # Errors
/// A file that cannot be removed. One that is not there is none.
pub fn remove(path: &Path) -> Result<()> {
    sweep(path);
    match fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(failed(path, &why)),
        _ => Ok(()),
    }
}

/// Removes what writers of this file that were killed have left beside it: a living one holds a lock on it.
fn sweep(place: &Path) {
    let Some(name) = place.file_name() else { return };
    for entry in fs::read_dir(folder_of(place)).into_iter().flatten().flatten() {
        let found = entry.file_name();
        let rest = found.as_encoded_bytes().strip_prefix(name.as_encoded_bytes());
        let number = rest.and_then(|rest| rest.strip_prefix(b".")?.strip_suffix(b".new"));
        let is_ours = |middle: &[u8]| {
            let mut parts = middle.split(|byte| *byte == b'-');
            let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
            parts.clone().count() == 2 && parts.all(is_number)
        };
        if number.is_some_and(is_ours)
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(file) = OpenOptions::new().append(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            // Where it cannot be removed it does no harm.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// A new file in the same folder, under a name that nothing else has.
fn create_beside(place: &Path) -> io::Result<(File, PathBuf)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let mut beside = place.as_os_str().to_owned();
        beside.push(format!(".{}-{}.new", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((file, beside.into())),
            // Left by a process of the same number that was killed.
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(why),
        }
    }
}

fn fill(mut file: &File, place: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Ok(old) = fs::metadata(place) {
        // Some file systems know no permissions.
        drop(file.set_permissions(old.permissions()));
    }
    file.write_all(bytes)?;
    sync(file)
}

/// Puts a file on the disk, where there is one.
///
/// # Errors
/// What the system says, unless it only says that this cannot be asked of it.
pub fn sync(file: &File) -> io::Result<()> {
    match file.sync_data() {
        Err(why) if matches!(why.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        said => said,
    }
}

/// Puts the name of a file on the disk too, where the system can.
pub fn sync_folder(file: &Path) {
    if let Ok(folder) = File::open(folder_of(file)) {
        // The file itself is safe; only a crash of the whole machine could still lose its name.
        drop(folder.sync_all());
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a file can be written, before the work rather than after it. What is there stays as it is, and nothing new is left.
///
/// # Errors
/// A folder that is missing, a file that may not be written.
pub fn check_writable(path: &Path) -> Result<()> {
    let error = |why: String| Err(Error::File { path: path.display().to_string(), why });
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => return error(format!("there is no folder {}", folder.display())),
        _ if path.is_dir() => return error("is a folder".into()),
        _ => {}
    }
    let failed = |why: io::Error| Error::File { path: path.display().to_string(), why: why.to_string() };
    let place = match place(path)? {
        // Who reads a pipe would take the look for all that comes.
        Place::Device if is_pipe(path) => return Ok(()),
        Place::Device => path.to_owned(),
        Place::File(place) => place,
    };
    if place.exists() {
        return OpenOptions::new().append(true).open(place).map(drop).map_err(failed);
    }
    // Not the file itself: by the time that it were removed it might be another process's.
    let (_, beside) = create_beside(&place).map_err(failed)?;
    let removed = match fs::remove_file(beside) {
        // By another process that took it for a left one.
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(failed),
    };
    // Of those that were killed at this very place.
    sweep(&place);
    removed
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A folder of a test's own.
    pub(crate) struct Folder(PathBuf);

    impl Folder {
        pub(crate) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("swarmgrad-{name}-{}", std::process::id()));
            drop(fs::remove_dir_all(&path));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        pub(crate) fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        fn names(&self) -> Vec<String> {
            let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn what_is_read_is_what_was_written_and_errors_say_what_the_file_is() {
        let folder = Folder::new("state");
        let path = folder.path("a");
        for body in [&b""[..], b"x", &[7; 70_000]] {
            write(&path, "model", 3, body).unwrap();
            assert_eq!(read(&path, "model", 3).unwrap(), body);
        }
        let said = |kind: &str, version| read(&path, kind, version).unwrap_err().to_string();
        assert!(said("checkpoint", 3).ends_with("a is a model, not a checkpoint"), "{}", said("checkpoint", 3));
        assert!(said("model", 4).contains("of an earlier version"), "{}", said("model", 4));
        assert!(said("model", 2).contains("of a newer version"), "{}", said("model", 2));
        let whole = fs::read(&path).unwrap();
        for (bytes, words) in [
            (&whole[..60_000], "is cut short"),
            (&whole[..20], "is cut short"),
            (&whole[..5], "is cut short"),
            (&[], "is empty"),
            (b"{\"x\": 1}", "is not a model"),
            (b"swmodel\x01and so on", "of an earlier version"),
            (&[&whole[..], b"1"].concat(), "is damaged"),
        ] {
            fs::write(&path, bytes).unwrap();
            assert!(said("model", 3).contains(words), "{words}: {}", said("model", 3));
        }
    }

    #[test]
    #[cfg(unix)]
    fn links_devices_and_permissions_stay_and_nothing_is_left() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        let folder = Folder::new("whole");
        let (path, link, victim) = (folder.path("a"), folder.path("link"), folder.path("victim"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink("a", &link).unwrap();
        fs::write(&victim, "victim").unwrap();
        symlink(&victim, folder.path("a.new")).unwrap();
        write_whole(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!((fs::read(&path).unwrap(), fs::read(&victim).unwrap()), (b"new".to_vec(), b"victim".to_vec()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        symlink("later", folder.path("ahead")).unwrap();
        write_whole(&folder.path("ahead"), b"there").unwrap();
        assert_eq!(fs::read(folder.path("later")).unwrap(), b"there");
        // What is no file, also behind a link, is written and not replaced. A device of the machine's is not put at risk here.
        let made = std::process::Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap();
        assert!(made.success());
        symlink("pipe", folder.path("to pipe")).unwrap();
        let pipe = folder.path("pipe");
        let reader = std::thread::spawn(move || fs::read(pipe).unwrap());
        write_whole(&folder.path("to pipe"), b"through").unwrap();
        assert!(fs::metadata(folder.path("pipe")).unwrap().file_type().is_fifo());
        assert_eq!(reader.join().unwrap(), b"through");
        // Nobody reads: that is said, and a look waits for nobody.
        let why = open_within(&folder.path("to pipe"), Duration::from_millis(50)).unwrap_err().to_string();
        assert_eq!(why, "nobody reads this pipe");
        check_writable(&folder.path("to pipe")).unwrap();
        // Failures: a folder in the place, a folder that is missing, a circle.
        fs::create_dir(folder.path("folder")).unwrap();
        symlink("circle", folder.path("circle")).unwrap();
        for name in ["folder", "missing/file", "circle"] {
            assert!(write_whole(&folder.path(name), b"no").is_err(), "{name}");
        }
        assert_eq!(
            folder.names(),
            ["a", "a.new", "ahead", "circle", "folder", "later", "link", "pipe", "to pipe", "victim"]
        );
    }

    #[test]
    fn what_killed_writers_left_goes_and_what_others_write_or_own_stays() {
        let folder = Folder::new("left");
        let path = folder.path("a");
        let left = ["a.12-3.new", "a.new", "a.b-1.new", "a.1-2-3.new", "a.12-.new", "ab.12-3.new", "a.99-1.new"];
        for name in left {
            fs::write(folder.path(name), "half").unwrap();
        }
        let written = File::open(folder.path("a.99-1.new")).unwrap();
        written.try_lock().unwrap();
        write_whole(&path, b"whole").unwrap();
        let all = ["a", "a.1-2-3.new", "a.12-.new", "a.99-1.new", "a.b-1.new", "a.new", "ab.12-3.new"];
        assert_eq!(folder.names(), all);
        drop(written);
        remove(&path).unwrap();
        assert_eq!(folder.names(), ["a.1-2-3.new", "a.12-.new", "a.b-1.new", "a.new", "ab.12-3.new"]);
        // Nothing there is no error, and many writers of one file each find it written.
        remove(&path).unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4_u8 {
                let path = &path;
                scope.spawn(move || (0..100).for_each(|_| write_whole(path, &[writer; 1000]).unwrap()));
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() == 1000 && bytes.iter().all(|byte| *byte == bytes[0]), "{bytes:?}");
        assert_eq!(folder.names().iter().filter(|name| name.ends_with(".new")).count(), 5);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_was_given_open_is_not_replaced() {
        use std::os::fd::AsRawFd;
        let folder = Folder::new("open");
        let mut file = File::create(folder.path("out")).unwrap();
        file.write_all(b"first ").unwrap();
        // As `--output /dev/stdout > out` has it.
        write_whole(Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd())), b"second").unwrap();
        assert_eq!(fs::read(folder.path("out")).unwrap(), b"first second");
        assert_eq!(folder.names(), ["out"]);
    }
}
