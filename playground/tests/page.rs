//! The page of the playground in a browser without a window: it answers with the bits of this machine, and its controls do what they say.
//!
//! `scripts/playground.sh` builds the page, which takes minutes the first time and is not done here: without a page, with one that is
//! older than what it is made of, or without a browser, the test is skipped and says so.

#[path = "../../tests/browser/mod.rs"]
mod browser;

use browser::Browser;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use swarmgrad::registry;
use swarmgrad_playground::Playground;

/// What the module is made of.
const SOURCES: [&str; 9] = [
    "src",
    "crates/core/src",
    "crates/problems/src",
    "crates/algorithms/src",
    "crates/diff/src",
    "crates/combine/src",
    "crates/study/src",
    "playground/src",
    "playground/page",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// When something in a folder was changed last.
fn changed(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let each =
        entries.map(|path| if path.is_dir() { changed(&path) } else { path.metadata().unwrap().modified().unwrap() });
    each.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The page and a browser, if there are both.
fn page() -> Option<(PathBuf, Browser)> {
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let page = target.join("playground/index.html");
    let Ok(built) = page.metadata().and_then(|data| data.modified()) else {
        eprintln!("skipped: there is no {}; scripts/playground.sh builds it", page.display());
        return None;
    };
    if let Some(source) = SOURCES.iter().find(|source| changed(&root().join(source)) > built) {
        eprintln!(
            "skipped: {} is older than what is in {source}; scripts/playground.sh builds it anew",
            page.display()
        );
        return None;
    }
    Some((page, Browser::find()?))
}

/// What stands on the page after the test that the address asks for.
fn answers(page: &Path, browser: &Browser, test: &str) -> Vec<String> {
    let escaped: String = test
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    let name = test.len().to_string();
    let seen = browser.open(&format!("file://{}#test={escaped}", page.display()), &name, 1_000_000);
    assert!(!seen.picture.is_empty(), "{}", seen.console);
    let (_, rest) =
        seen.document.rsplit_once("<pre id=\"answers\">").unwrap_or_else(|| panic!("no answers: {}", seen.console));
    let (inside, _) = rest.split_once("</pre>").unwrap();
    let plain = inside.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
    plain.lines().map(str::to_owned).collect()
}

#[test]
fn the_page_computes_the_same_bits_as_this_machine() {
    let Some((page, browser)) = page() else { return };
    let problems = ["rastrigin", "bbob/f21", "goldstein_price"];
    let mut requests = vec![
        r#"{"do":"landscape","on":{"problem":"eggholder"},"side":20}"#.to_owned(),
        r#"{"do":"landscape","on":{"formula":"exp(sin(x0)) * pow(abs(x1), 1.3) - ln(2 + x0^2)"},"side":20}"#.to_owned(),
        r#"{"do":"begin","on":{"problem":"ackley"},"method":"cma_es","seed":3,"budget":400}"#.to_owned(),
        r#"{"do":"step","rounds":10}"#.to_owned(),
        r#"{"do":"run","on":{"problem":"ackley"},"method":"pso","set":["particles=-3"],"budget":400}"#.to_owned(),
        r#"{"do":"run","on":{"problem":"rosenbrock"},"method":"nelder_mead","x0":[-1.2,1],"budget":300}"#.to_owned(),
        r#"{"do":"run","on":{"formula":"x0^2 + abs(x1)"},"method":"diff_pso","budget":400}"#.to_owned(),
    ];
    for entry in registry::entries() {
        for on in problems {
            // Fits of processes take their time; a tenth shows as much.
            let budget = if entry.name == "gp" { 40 } else { 400 };
            requests.push(format!(
                r#"{{"do":"run","on":{{"problem":"{on}"}},"method":"{}","seed":5,"budget":{budget}}}"#,
                entry.name
            ));
        }
    }
    // What does not fit into memory is refused; how much that is, is the machine's affair.
    let large = r#"{"do":"run","on":{"problem":"ackley"},"method":"pso","set":["particles=1e9"],"budget":400}"#;
    let mut seen = answers(&page, &browser, &format!("[{},{large}]", requests.join(",")));
    let refused = seen.pop().unwrap_or_default();
    assert!(refused.starts_with(r#"{"error":"pso needs 74.5 GiB of memory for 2 variables, and "#), "{refused}");
    let mut playground = Playground::default();
    let here: Vec<String> = requests.iter().map(|request| playground.answer(request)).collect();
    let other: Vec<_> = requests.iter().zip(here.iter().zip(&seen)).filter(|(_, (here, seen))| here != seen).collect();
    assert!(other.is_empty() && here.len() == seen.len(), "{} of {} differ: {other:#?}", other.len(), here.len());
    assert!(seen[4].starts_with(r#"{"error":"particles = "#), "{}", seen[4]);
}

#[test]
fn the_controls_of_the_page_do_what_they_say() {
    let Some((page, browser)) = page() else { return };
    let seen = answers(&page, &browser, "controls");
    let line = |name: &str| {
        let found = seen.iter().find(|line| line.starts_with(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("no line '{name}' in {seen:#?}")).as_str()
    };
    for entry in registry::entries() {
        let found = line(&format!("method {}", entry.name));
        assert!(!found.contains(": 0 of ") && !found.contains("error"), "{found}");
    }
    assert!(seen.iter().filter(|line| line.starts_with("problem ")).count() > 60, "{seen:#?}");
    for found in seen.iter().filter(|line| line.starts_with("problem ")) {
        assert!(found.contains("240 of 2,000; 6; ") && !found.contains("error"), "{found}");
    }
    assert!(
        line("wrong formula")
            .ends_with("error: formula = 'abs(x0) + sqr(x1)': has no function 'sqr', did you mean 'sqrt'?")
    );
    assert_eq!(line("formula"), "formula: 80 of 2,000; 2; ");
    assert!(line("wrong bounds").contains("error: bounds = '-1:1, 3': must be LOWER:UPPER"));
    assert!(
        line("no particles").contains("error: particles = 0: must be a whole number >= "),
        "{}",
        line("no particles")
    );
    assert_eq!(line("twelve particles"), "twelve particles: 24 of 2,000; 2; ");
    assert!(line("begun at 0,0, (0, 0)").ends_with(": 40 of 2,000; 1; "), "{seen:#?}");
    assert!(line("to the end").ends_with("; budget of evaluations spent"), "{}", line("to the end"));
    assert!(line("address").contains("#method=pso&formula=abs(x0)"), "{}", line("address"));
    assert!(
        line("fallen").contains("true panicked at") && seen.iter().any(|line| line == "asked to fall"),
        "{seen:#?}"
    );
    assert!(line("risen, true").ends_with(": 80 of 2,000; 2; "), "{seen:#?}");
}
