//! Data sets that are not part of the program: where they are kept, and how they get there.
//!
//! Nothing is kept that was not compared with its pinned sha256: a file is written beside its place and renamed, so that it
//! is there whole or not at all.

use super::catalog::{self, ENTRIES, Entry, MNIST, Place};
use super::csv::{Separator, records};
use super::idx::unpacked;
use super::images::ImageFiles;
use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use sha2::{Digest, Sha256};
use std::env::var_os;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use swarmgrad_core::{Error, Halt, Result};

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
    let rule = "must name the folder for data: there is no home folder either";
    platform.map(|folder| folder.join("swarmgrad")).ok_or_else(|| Error::parameter("SWARMGRAD_DATA", "''", rule))
}

/// The file of this name in the data folder or one of its subfolders.
pub fn find(file: &str) -> Option<PathBuf> {
    find_in(&folder().ok()?, file, 1)
}

/// The file of MNIST of this name, or with `.gz` behind it, in the data folder or one of its subfolders, that called `mnist` first. The
/// folders of sets whose files have the same names are passed by.
pub fn find_packed(file: &str) -> Option<PathBuf> {
    find_packed_in(&folder().ok()?, file)
}

/// [`find_packed`] in another data folder.
pub(super) fn find_packed_in(root: &Path, file: &str) -> Option<PathBuf> {
    let others = |folder: &Path| {
        let called =
            |folders: &[&str]| folder.file_name().is_some_and(|name| folders.iter().any(|known| name == *known));
        ENTRIES
            .iter()
            .any(|entry| matches!(entry.place, Place::Images(ImageFiles::Idx(published)) if called(published.folders)))
    };
    let mut folders = vec![root.join("mnist"), root.to_owned()];
    let mut below: Vec<_> =
        root.read_dir().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    below.sort();
    folders.extend(below.into_iter().filter(|path| path.is_dir() && !others(path)));
    let names = [format!("{file}.gz"), file.to_owned()];
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()))
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

/// Where a data set is fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// Its public source.
    Web,
    /// This address instead: of the file, or for MNIST of the folder of its files.
    Address(&'a str),
    /// A folder where its files lie already, or its subfolders, three levels deep: UCI's own files or archives, or the
    /// prepared table.
    Folder(&'a Path),
}

/// Most levels below the folder that are searched.
const DEPTH: usize = 3;

/// What a prepared column is made of.
#[derive(Clone, Copy)]
enum Form {
    /// A number in its shortest form.
    Number,
    /// A number that always has a point.
    Decimal,
    /// Text as it is.
    Word,
    /// A class by its code.
    Class(&'static [(&'static str, &'static str)]),
}

/// How a raw file becomes the prepared table.
struct Recipe {
    name: &'static str,
    /// Names of the raw file and of its archive.
    files: &'static [&'static str],
    separator: Separator,
    header: bool,
    /// Prepared name, name in the raw header (unused without one, where the order is the same), form.
    columns: &'static [(&'static str, &'static str, Form)],
}

use Form::{Class, Decimal, Number, Word};

static RECIPES: [Recipe; 4] = [
    Recipe {
        name: "seeds",
        files: &["seeds_dataset.txt", "seeds.zip"],
        separator: Separator::Whitespace,
        header: false,
        columns: &[
            ("area", "", Number),
            ("perimeter", "", Number),
            ("compactness", "", Number),
            ("kernel_length", "", Number),
            ("kernel_width", "", Number),
            ("asymmetry", "", Number),
            ("groove_length", "", Number),
            ("class", "", Class(&[("1", "Kama"), ("2", "Rosa"), ("3", "Canadian")])),
        ],
    },
    Recipe {
        name: "banknote",
        files: &["data_banknote_authentication.txt", "banknote+authentication.zip", "banknote_authentication.zip"],
        separator: Separator::Char(','),
        header: false,
        columns: &[
            ("variance", "", Number),
            ("skewness", "", Number),
            ("curtosis", "", Number),
            ("entropy", "", Number),
            ("class", "", Class(&[("0", "0"), ("1", "1")])),
        ],
    },
    Recipe {
        name: "ilpd583",
        files: &[
            "Indian Liver Patient Dataset (ILPD).csv",
            "ilpd+indian+liver+patient+dataset.zip",
            "ilpd_indian_liver_patient_dataset.zip",
        ],
        separator: Separator::Char(','),
        header: false,
        columns: &[
            ("age", "", Number),
            ("gender", "", Word),
            ("total_bilirubin", "", Number),
            ("direct_bilirubin", "", Number),
            ("alkaline_phosphatase", "", Number),
            ("alanine_aminotransferase", "", Number),
            ("aspartate_aminotransferase", "", Number),
            ("total_proteins", "", Number),
            ("albumin", "", Number),
            ("albumin_globulin_ratio", "", Number),
            ("class", "", Class(&[("1", "patient"), ("2", "healthy")])),
        ],
    },
    Recipe {
        name: "titanic",
        files: &["titanic.csv"],
        separator: Separator::Char(','),
        header: true,
        columns: &[
            ("pclass", "pclass", Number),
            ("sex", "sex", Word),
            ("age", "age", Number),
            ("sibsp", "sibsp", Number),
            ("parch", "parch", Number),
            ("fare", "fare", Decimal),
            ("embarked", "embarked", Word),
            ("class", "survived", Class(&[("0", "died"), ("1", "survived")])),
        ],
    },
];

/// Brings a data set into the folder `to` and returns the files, which are those of the pinned checksums.
///
/// Errors if the set is part of the program, if its checksums are not pinned, if nothing under the folder of the source is called as its files are, if what
/// was found or downloaded is not what it should be, and, for a download, if the crate was built without the feature
/// `download`. After an error nothing is left in `to` that was not there before.
pub fn fetch(name: &str, source: Source<'_>, to: &Path) -> Result<Vec<PathBuf>> {
    fetch_unless(name, source, to, &Halt::default())
}

/// The same, unless it is halted: then nothing of the file that was under way is left.
///
/// Errors as [`fetch()`], and when it was halted.
pub fn fetch_unless(name: &str, source: Source<'_>, to: &Path, halt: &Halt) -> Result<Vec<PathBuf>> {
    let entry = catalog::entry(name)?;
    match entry.place {
        Place::Embedded(_) => {
            Err(Error::parameter("data set", name, "is part of the program: nothing is to be fetched"))
        }
        Place::Fetch => Ok(vec![fetch_table(entry, source, to, halt)?]),
        Place::Images(files) => match files.published() {
            None => MNIST.iter().map(|images| fetch_images(entry, *images, source, to, halt)).collect(),
            Some(published) => {
                let rule =
                    format!("is not fetched, for its checksums are not pinned: {}", entry.how_to_bring(published));
                Err(Error::parameter("data set", name, rule))
            }
        },
    }
}

/// The names of the data sets that can be fetched.
pub fn fetchable() -> impl Iterator<Item = &'static str> {
    let can = |entry: &&Entry| matches!(entry.place, Place::Fetch | Place::Images(ImageFiles::Mnist));
    ENTRIES.iter().filter(can).map(|entry| entry.name)
}

fn fetch_table(entry: &Entry, source: Source<'_>, to: &Path, halt: &Halt) -> Result<PathBuf> {
    let recipe = RECIPES.iter().find(|recipe| recipe.name == entry.name).ok_or_else(|| entry.not_fetched())?;
    let text = match source {
        Source::Folder(folder) => {
            let names = [entry.file].into_iter().chain(recipe.files.iter().copied());
            let found: Vec<_> = names.clone().filter_map(|name| find_in(folder, name, DEPTH)).collect();
            if found.is_empty() {
                let wanted = names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
                return Err(not_found(entry, folder, &wanted));
            }
            let mut tried = found.iter().map(|path| prepare(entry, recipe, read(path)?, path));
            // The first that is right; if none is, what was wrong with the first.
            let first = tried.next().unwrap_or_else(|| Err(entry.not_fetched()));
            first.or_else(|why| tried.find_map(Result::ok).ok_or(why))?
        }
        Source::Web => prepare(entry, recipe, download(entry, entry.url)?, Path::new(entry.url))?,
        Source::Address(address) => prepare(entry, recipe, download(entry, address)?, Path::new(address))?,
    };
    let path = to.join(entry.file);
    store_unless(&path, &mut text.as_bytes(), entry.sha256, halt)?;
    Ok(path)
}

fn fetch_images(
    entry: &Entry,
    (file, sha256): (&str, &str),
    source: Source<'_>,
    to: &Path,
    halt: &Halt,
) -> Result<PathBuf> {
    let to = to.join(entry.name);
    let packed = format!("{file}.gz");
    match source {
        Source::Folder(folder) => {
            // Some programs unpack them to a name with a point.
            let names = [packed, file.to_owned(), file.replacen("-idx", ".idx", 1)];
            let found = names.iter().find_map(|name| find_in(folder, name, DEPTH));
            let from = found.ok_or_else(|| not_found(entry, folder, &format!("'{file}.gz', '{file}'")))?;
            let path = to.join(if from.extension().is_some_and(|end| end == "gz") { &names[0] } else { file });
            let mut reader = File::open(&from).map_err(|why| failed(&from, why))?;
            store_unless(&path, &mut reader, sha256, halt)?;
            Ok(path)
        }
        Source::Web | Source::Address(_) => {
            let base = if let Source::Address(address) = source { address } else { entry.url };
            let bytes = download(entry, &format!("{}/{packed}", base.trim_end_matches('/')))?;
            let path = to.join(packed);
            store_unless(&path, &mut &*bytes, sha256, halt)?;
            Ok(path)
        }
    }
}

fn not_found(entry: &Entry, folder: &Path, wanted: &str) -> Error {
    let why = format!("holds none of {wanted}, the files of {}; they come from {}", entry.name, entry.url);
    Error::File { path: folder.display().to_string(), why }
}

/// Writes what `from` holds to `path`, if its sha256, or for a path that ends in `.gz` that of the decompressed bytes, is
/// the one given. It is written beside and renamed: whatever fails, `path` is as it was, and nothing is left beside it.
///
/// Errors if `from` fails, the checksum is another, or the folder cannot be written; missing folders are made.
///
/// ```
/// use swarmgrad_nn::data::{catalog, fetch};
///
/// let path = std::env::temp_dir().join("swarmgrad-store/a.txt");
/// assert!(fetch::store(&path, &mut &b"swarm"[..], "1234").unwrap_err().to_string().contains("must be 1234"));
/// assert!(!path.exists());
/// fetch::store(&path, &mut &b"swarm"[..], &catalog::sha256(b"swarm"))?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"swarm");
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub fn store(path: &Path, from: &mut dyn Read, sha256: &str) -> Result<()> {
    store_unless(path, from, sha256, &Halt::default())
}

/// A reader that fails once it is halted.
struct Halting<'a>(&'a mut dyn Read, &'a Halt);

impl Read for Halting<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.1.requested() { Err(io::Error::other("interrupted")) } else { self.0.read(out) }
    }
}

fn store_unless(path: &Path, from: &mut dyn Read, sha256: &str, halt: &Halt) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|why| failed(folder, why))?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = Part(path.with_file_name(name));
    let mut write = || {
        let mut file = File::create(&part.0)?;
        io::copy(&mut Halting(from, halt), &mut file)?;
        file.sync_all()
    };
    write().map_err(|why| failed(path, format!("nothing was kept: {why}")))?;
    let digest = digest(&part.0, path.extension().is_some_and(|end| end == "gz"), halt)
        .map_err(|why| failed(path, format!("nothing was kept: {why}")))?;
    if digest != sha256 {
        return Err(catalog::wrong_checksum(path, &digest, sha256));
    }
    std::fs::rename(&part.0, path).map_err(|why| failed(path, why))
}

/// A file that is removed when it goes out of sight, unless it was renamed.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The sha256 of a file, or of what it decompresses to.
fn digest(path: &Path, packed: bool, halt: &Halt) -> io::Result<String> {
    let file = File::open(path)?;
    let mut reader: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut reader = Halting(&mut reader, halt);
    let (mut sha256, mut chunk) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut chunk)? {
            0 => return Ok(catalog::hexadecimal(&sha256.finalize())),
            n => sha256.update(&chunk[..n]),
        }
    }
}

fn failed(path: &Path, why: impl ToString) -> Error {
    Error::File { path: path.display().to_string(), why: why.to_string() }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|why| failed(path, why))
}

/// The prepared table from the bytes of a raw file, of an archive that holds it, or of the prepared table itself.
fn prepare(entry: &Entry, recipe: &Recipe, bytes: Vec<u8>, path: &Path) -> Result<String> {
    let bytes = unpacked(bytes).map_err(|why| failed(path, why))?;
    let bytes = if bytes.starts_with(b"PK\x03\x04") {
        let member = unzip(&bytes, recipe.files).map_err(|why| failed(path, why))?;
        member.ok_or_else(|| failed(path, format!("the archive holds no file '{}'", recipe.files[0])))?
    } else {
        bytes
    };
    let text = String::from_utf8(bytes).map_err(|_| failed(path, "is not UTF-8 text"))?;
    // A file with the header of the prepared table is one, with other contents where its checksum is another.
    let header: Vec<&str> = recipe.columns.iter().map(|(prepared, ..)| *prepared).collect();
    let prepared = text.lines().next().is_some_and(|line| line.trim_end() == header.join(","));
    let verified = entry.verify(text.as_bytes(), path);
    if prepared || verified.is_ok() {
        return verified.map(|()| text);
    }
    // Numbers as they are written there, else in the forms of the recipe.
    let name = path.display().to_string();
    let as_written = convert(recipe, &text, &name, true)?;
    if entry.verify(as_written.as_bytes(), path).is_ok() {
        return Ok(as_written);
    }
    let text = convert(recipe, &text, &name, false)?;
    entry.verify(text.as_bytes(), path).map(|()| text)
}

/// The prepared table from the text of a raw file.
fn convert(recipe: &Recipe, text: &str, name: &str, as_written: bool) -> Result<String> {
    let mut records = records(text, name, recipe.separator)?;
    let width = recipe.columns.len();
    let places: Vec<usize> = if recipe.header && !records.is_empty() {
        let header = records.remove(0).1;
        let place = |(_, wanted, _): &(&str, &str, Form)| {
            let found = header.iter().position(|column| column.eq_ignore_ascii_case(wanted));
            let known = header.iter().map(String::as_str);
            found.ok_or_else(|| Error::unknown(&format!("column of {name}"), wanted, known))
        };
        recipe.columns.iter().map(place).collect::<Result<_>>()?
    } else {
        (0..width).collect()
    };
    let mut table = recipe.columns.iter().map(|column| column.0).collect::<Vec<_>>().join(",") + "\n";
    for (line, fields) in records {
        let found = fields.len();
        if places.iter().any(|&j| j >= found) || !recipe.header && found != width {
            let rule = format!("must have {width}");
            return Err(Error::parameter(format!("{name} line {line}"), format!("{found} fields"), rule));
        }
        for (k, (&j, (column, _, form))) in places.iter().zip(recipe.columns).enumerate() {
            let field = &fields[j];
            let wrong = |rule: &str| {
                Error::parameter(format!("{name} line {line}, column '{column}'"), format!("'{field}'"), rule)
            };
            if k > 0 {
                table.push(',');
            }
            match form {
                _ if matches!(&**field, "" | "?" | "NA") => {}
                Word => table.push_str(field),
                Number | Decimal => {
                    let number: f64 = field.parse().map_err(|_| wrong("must be a number"))?;
                    table += &match form {
                        _ if as_written => field.clone(),
                        Decimal => format!("{number:?}"),
                        _ => number.to_string(),
                    };
                }
                Class(classes) => {
                    let class = classes.iter().find(|(code, _)| code == field);
                    table += class.ok_or_else(|| wrong("must be the code of a class"))?.1;
                }
            }
        }
        table.push('\n');
    }
    Ok(table)
}

/// Largest file taken out of an archive or off the web, in bytes.
const MOST_BYTES: u64 = 1 << 26;

/// The member of a zip archive that is called as one of `names`, in any folder of it; stored or deflated.
fn unzip(bytes: &[u8], names: &[&str]) -> io::Result<Option<Vec<u8>>> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the archive is cut short or damaged");
    let number = |from: usize, width: usize| {
        let part = bytes.get(from..from + width)?;
        Some(part.iter().rev().fold(0, |n, &byte| n << 8 | usize::from(byte)))
    };
    // The end record, which a comment may follow, knows where the directory is.
    let end = bytes.windows(4).rposition(|four| four == b"PK\x05\x06").ok_or_else(damaged)?;
    let members = number(end + 10, 2).ok_or_else(damaged)?;
    let mut at = number(end + 16, 4).ok_or_else(damaged)?;
    for _ in 0..members {
        if bytes.get(at..at + 4) != Some(b"PK\x01\x02") {
            return Err(damaged());
        }
        let field = |offset, width| number(at + offset, width).ok_or_else(damaged);
        let (method, crc, packed) = (field(10, 2)?, field(16, 4)?, field(20, 4)?);
        let (name, extra, comment, local) = (field(28, 2)?, field(30, 2)?, field(32, 2)?, field(42, 4)?);
        let path = bytes.get(at + 46..at + 46 + name).ok_or_else(damaged)?;
        let file = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        if names.iter().any(|wanted| file.eq_ignore_ascii_case(wanted.as_bytes())) {
            let lengths = number(local + 26, 2).zip(number(local + 28, 2));
            let from = lengths.map(|(name, extra)| local + 30 + name + extra).ok_or_else(damaged)?;
            let data = bytes.get(from..from + packed).ok_or_else(damaged)?;
            let mut member = Vec::new();
            match method {
                0 => member.extend_from_slice(data),
                8 => drop(DeflateDecoder::new(data).take(MOST_BYTES).read_to_end(&mut member)?),
                _ => return Err(io::Error::other("the archive is packed in an unknown way")),
            }
            let mut sum = Crc::new();
            sum.update(&member);
            return if sum.sum() as usize == crc { Ok(Some(member)) } else { Err(damaged()) };
        }
        at += 46 + name + extra + comment;
    }
    Ok(None)
}

/// What is at the address, whole: a body shorter than announced is an error.
#[cfg(feature = "download")]
fn download(entry: &Entry, address: &str) -> Result<Vec<u8>> {
    use std::time::Duration;
    let remedy = |why: ureq::Error| {
        let name = entry.name;
        failed(
            Path::new(address),
            format!("{why}; or get the file yourself and run `swarmgrad data fetch {name} --from DIR`"),
        )
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_global(Some(Duration::from_secs(1800)))
        .build()
        .into();
    let mut response = agent.get(address).call().map_err(remedy)?;
    response.body_mut().with_config().limit(MOST_BYTES).read_to_vec().map_err(remedy)
}

/// Says what to do instead.
#[cfg(not(feature = "download"))]
fn download(entry: &Entry, address: &str) -> Result<Vec<u8>> {
    let name = entry.name;
    let why = format!(
        "this build does not download. Either get that yourself, then run `swarmgrad data fetch {name} --from DIR` with \
         the folder it lies in, or build the program with `--features download`"
    );
    Err(failed(Path::new(address), why))
}
