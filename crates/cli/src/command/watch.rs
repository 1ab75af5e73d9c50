//! `watch`: a local page that follows the journals of a folder.

use crate::serve::{Answer, encoded, serve};
use crate::{DONE, interrupt, output};
use anyhow::Context;
use clap::Args;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use swarmgrad::Error;
use swarmgrad::study::space::is_record;
use swarmgrad_lab::recorded::Recorded;
use swarmgrad_lab::recorded::page::{Listed, index, page_under};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad watch                              (http://127.0.0.1:7917/)
  swarmgrad watch runs --port 8000
  swarmgrad watch runs --address 0.0.0.0       (for other machines too: the
                                               address printed has a token)

The page lists the files of `minimize --record` in the folder, running and finished, and shows each as `swarmgrad plot` draws it. Pages \
of runs that are not finished are loaded again every few seconds. Only this machine is answered unless --address says otherwise. \
Ctrl-C ends it.";

/// Seconds after which a page that may change is loaded again, at least.
const OFTEN: u64 = 5;
/// Journals that are listed at most: the last written.
const MOST: usize = 200;
/// Pages that are kept.
const KEPT: usize = 8;

/// What to watch.
#[derive(Args, Debug)]
pub struct Watch {
    /// The folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// The port; 0 for any that is free
    #[arg(long, value_name = "PORT", default_value_t = 7917)]
    port: u16,

    /// The address to listen at; another than this machine's own needs a token, which is made and printed
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
}

impl Watch {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        // What is not there is said before anything listens.
        let seen = Journals { folder: self.folder.clone(), ..Journals::default() };
        seen.files().map_err(|why| output::file_error(&self.folder, &why))?;
        let address = SocketAddr::new(self.address, self.port);
        let listener = TcpListener::bind(address).map_err(|why| {
            let rule = format!("cannot be listened at ({why}); --port says another, 0 any that is free");
            Error::parameter("--port", self.port, rule)
        })?;
        let token = (!self.address.is_loopback()).then(token);
        let place = listener.local_addr().context("the address that was bound")?;
        let path = token.as_ref().map_or(String::new(), |token| format!("{token}/"));
        output::print(&format!("Watching {}: http://{place}/{path}   (ctrl-C ends it)\n", self.folder.display()))?;
        serve(&listener, token.as_deref(), &interrupt::flag(), &|path| seen.answer(path))?;
        Ok(ExitCode::from(DONE))
    }
}

/// 128 bits that nobody guesses: keyed hashes whose keys are drawn by the system.
fn token() -> String {
    (0..2).map(|k| format!("{:016x}", RandomState::new().hash_one(k))).collect()
}

/// A file as it was read: it is read again when it has changed.
#[derive(Clone, Copy, PartialEq)]
struct Version {
    bytes: u64,
    written: SystemTime,
}

/// A page: its journal, what that was like when the page was made, the page, and seconds after which it is loaded again.
type Page = (String, Version, String, Option<u64>);

/// The journals of a folder, as far as they have been read.
#[derive(Default)]
struct Journals {
    folder: PathBuf,
    lines: Mutex<HashMap<String, (Version, Listed)>>,
    /// The last pages.
    pages: Mutex<Vec<Page>>,
}

impl Journals {
    /// The journals in the folder, the last written first. What is a link is none of them.
    fn files(&self) -> std::io::Result<Vec<(String, Version)>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let Ok(entry) = entry else { continue };
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(data) = entry.metadata() else { continue };
            if data.is_file() && is_record(&entry.path()) {
                let written = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                files.push((name, Version { bytes: data.len(), written }));
            }
        }
        files.sort_by(|a, b| b.1.written.cmp(&a.1.written).then_with(|| a.0.cmp(&b.0)));
        files.truncate(MOST);
        Ok(files)
    }

    /// The page of a path: the list, or a journal that is in it. No file is opened by a name that comes from outside.
    fn answer(&self, path: &str) -> Answer {
        let Ok(files) = self.files() else { return Answer::missing() };
        if path.is_empty() {
            let lines: Vec<Listed> = files.iter().map(|(name, version)| self.line(name, *version)).collect();
            return Answer::page(index(&self.folder.display().to_string(), &lines).html(), Some(OFTEN));
        }
        let asked = path.strip_prefix("run/");
        match files.iter().find(|(name, _)| Some(name.as_str()) == asked) {
            Some((name, version)) => self.page(name, *version),
            None => Answer::missing(),
        }
    }

    fn line(&self, name: &str, version: Version) -> Listed {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let ago = SystemTime::now().duration_since(version.written).unwrap_or(Duration::ZERO);
        let known = lines.get(name).filter(|(known, _)| *known == version).map(|(_, line)| line.clone());
        let line = known.unwrap_or_else(|| {
            let read = Recorded::read(&self.path(name));
            let link = format!("run/{}", encoded(name));
            let line = Listed::of(name, link, read.as_ref().map_err(ToString::to_string));
            lines.insert(name.to_owned(), (version, line.clone()));
            line
        });
        Listed { ago: ago.as_secs_f64(), ..line }
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.folder).join(name)
    }

    fn page(&self, name: &str, version: Version) -> Answer {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, html, refresh)) = pages.iter().find(|page| page.0 == name && page.1 == version) {
            return Answer::page(html.clone(), *refresh);
        }
        let begin = Instant::now();
        let (html, refresh) = match Recorded::read(&self.path(name)) {
            Ok(run) => {
                let finished = !run.results.is_empty();
                let html = page_under(&[run], Some("../")).html();
                // What takes long to draw is drawn less often.
                let seconds = OFTEN.max(4 * begin.elapsed().as_secs());
                (html, (!finished).then_some(seconds))
            }
            Err(why) => {
                let mut page = swarmgrad_lab::Report::new(name);
                page.link("all runs", "../").paragraph(&why.to_string());
                (page.html(), Some(OFTEN))
            }
        };
        pages.retain(|page| page.0 != name);
        pages.insert(0, (name.to_owned(), version, html.clone(), refresh));
        pages.truncate(KEPT);
        Answer::page(html, refresh)
    }
}
