//! The pages of docs/guide: every block of commands runs, page by page, in a folder with the files that the page shows.

use crate::harness::Folder;
use std::path::Path;
use std::process::{Command, Stdio};

/// The blocks of a page: what stands behind the fence, and what is inside.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((info.trim().to_owned(), inside.join("\n") + "\n"));
        }
    }
    blocks
}

#[test]
fn every_block_of_the_guide_runs() {
    if cfg!(windows) || !Command::new("python3").arg("--version").output().is_ok_and(|out| out.status.success()) {
        return eprintln!("skipped: the guide's commands need a Unix shell and python3");
    }
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide");
    let program = Path::new(env!("CARGO_BIN_EXE_swarmgrad")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let (mut ran, mut failed) = (0, Vec::new());
    let mut pages: Vec<_> = std::fs::read_dir(&guide).unwrap().map(|page| page.unwrap().path()).collect();
    pages.sort();
    for page in pages.iter().filter(|page| page.extension().is_some_and(|end| end == "md")) {
        let name = page.file_stem().unwrap().to_string_lossy();
        let folder = Folder::new(&format!("guide-{name}"));
        let text = std::fs::read_to_string(page).unwrap();
        for (info, inside) in blocks(&text) {
            if let Some((_, file)) = info.split_once(' ') {
                folder.write(file, &inside);
            }
            if info != "sh" {
                continue;
            }
            let output = Command::new("sh")
                .args(["-e", "-c", &inside])
                .current_dir(&folder.0)
                .env("PATH", &path)
                .env("XDG_CACHE_HOME", folder.path("cache"))
                .stdin(Stdio::null())
                .output()
                .unwrap();
            ran += 1;
            if !output.status.success() {
                failed.push(format!("{name}: {inside}{}", String::from_utf8_lossy(&output.stderr)));
            }
        }
        // Links to other pages lead somewhere.
        for (at, _) in text.match_indices("](") {
            let link = text[at + 2..].split(')').next().unwrap();
            let file = link.split('#').next().unwrap();
            if !file.is_empty() && !link.starts_with("http") && !guide.join(file).exists() {
                failed.push(format!("{name}: no page {link}"));
            }
        }
    }
    assert!(failed.is_empty(), "{} blocks or links fail:\n{}", failed.len(), failed.join("\n"));
    assert!(ran > 20, "only {ran} blocks");
}
