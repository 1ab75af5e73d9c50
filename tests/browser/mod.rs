//! A browser without a window, for pages that are tested as people see them; Chromium or one of its kind.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Programs that are asked for.
const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser of this machine.
pub struct Browser(&'static str);

/// A page as the browser has it.
pub struct Page {
    /// The document when all was loaded and all scripts had run.
    pub document: String,
    /// What the browser said of it: errors of scripts, what the page's policy forbids.
    pub console: String,
    /// How it looks, as PNG.
    pub picture: Vec<u8>,
}

impl Browser {
    /// The browser; where there is none, that is said, for the test to be skipped.
    pub fn find() -> Option<Self> {
        let there = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success());
        let found = NAMES.into_iter().find(there).map(Browser);
        if found.is_none() {
            eprintln!("skipped: there is no browser ({})", NAMES.join(", "));
        }
        found
    }

    /// Opens an address and looks at it after so many milliseconds of the page's own clock, which runs ahead where nothing is awaited; `name`
    /// tells it from others that are open at the same time.
    pub fn open(&self, address: &str, name: &str, after: u32) -> Page {
        let profile = std::env::temp_dir().join(format!("swarmgrad-browser-{}-{name}", std::process::id()));
        let file = |name: &str| profile.join(name);
        fs::create_dir_all(&profile).unwrap();
        let mut child = Command::new(self.0)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--dump-dom", "--enable-logging=stderr", "--log-level=0"])
            .args([&format!("--virtual-time-budget={after}"), "--window-size=1200,900"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--screenshot={}", file("page.png").display()))
            .arg(address)
            .stdout(fs::File::create(file("page.html")).unwrap())
            .stderr(fs::File::create(file("console")).unwrap())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if begin.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("the browser took more than {PATIENCE:?}");
            }
            thread::sleep(Duration::from_millis(20));
        }
        let lines = fs::read_to_string(file("console")).unwrap();
        let page = Page {
            document: fs::read_to_string(file("page.html")).unwrap(),
            console: lines.lines().filter(|line| line.contains("CONSOLE")).map(|line| format!("{line}\n")).collect(),
            picture: fs::read(file("page.png")).unwrap_or_default(),
        };
        let _ = fs::remove_dir_all(&profile);
        page
    }
}
