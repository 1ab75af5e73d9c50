//! No circles between files: a file may use only files that do not use it, directly or through others. Read from the `use` lines of
//! the crates without a tensor library.
//!
//! A file is its module. `mod` lines are no use, and neither is `pub use`, which only says where a name stands: who uses the name
//! uses the file that it stands in. A path written out in the code without a `use` is not seen. Tests may look anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const CRATES: [&str; 6] = ["core", "problems", "algorithms", "diff", "combine", "study"];

type Name = Vec<String>;

#[derive(Default)]
struct File {
    /// Paths from the root of the crate.
    uses: Vec<Name>,
    /// Names that stand elsewhere.
    exports: BTreeMap<String, Name>,
}

/// The files of a folder and those below it.
fn read(folder: &Path, here: &Name, files: &mut BTreeMap<Name, File>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let below = || here.iter().cloned().chain([stem.clone()]).collect::<Name>();
        if path.is_dir() {
            read(&path, &below(), files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = if stem == "mod" || stem == "lib" { here.clone() } else { below() };
            files.insert(name.clone(), parse(&std::fs::read_to_string(&path).unwrap(), &name));
        }
    }
}

fn parse(text: &str, name: &Name) -> File {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .fold(String::new(), |all, line| all + line + "\n");
    let statements: Vec<&str> = code.split([';', '}', '{']).map(str::trim).collect();
    let children: BTreeSet<&str> = statements.iter().filter_map(|s| after(s, "mod ")).map(|(_, child)| child).collect();
    let mut file = File::default();
    // Of a `use` all up to its semicolon counts, braces too.
    let mut rest = &code[..];
    while let Some(at) = rest.find("use ") {
        let begins = rest[..at].rsplit('\n').next().unwrap_or_default();
        let visible = begins.trim_start().starts_with("pub");
        let fresh = begins.trim().is_empty() || visible && begins.trim_end().split(' ').count() == 1;
        let end = at + rest[at..].find(';').unwrap_or(4);
        let tree = &rest[at + 4..end];
        rest = &rest[end..];
        if !fresh {
            continue;
        }
        for path in expand(tree) {
            let path = match path[0].as_str() {
                "crate" => path[1..].to_vec(),
                "self" => [name, &path[1..]].concat(),
                "super" => {
                    let up = path.iter().take_while(|part| *part == "super").count();
                    [&name[..name.len() - up], &path[up..]].concat()
                }
                first if children.contains(first) => [name, &path[..]].concat(),
                _ => continue,
            };
            match path.last() {
                Some(last) if visible => drop(file.exports.insert(last.clone(), path)),
                _ => file.uses.push(path),
            }
        }
    }
    file
}

/// What a statement says behind a keyword, with what stands before it.
fn after<'a>(statement: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let line = statement.lines().last()?.trim();
    let at = line.find(keyword)?;
    (at == 0 || line.starts_with("pub")).then(|| (&line[..at], line[at + keyword.len()..].trim()))
}

/// The paths of a tree of uses: `a::{b, c::d}` gives `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<Name> {
    let Some((head, body)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let body = &body[..body.rfind('}').unwrap_or(body.len())];
    let head: Name = head.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, c) in body.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            parts.push(&body[from..at]);
            from = at + 1;
        }
    }
    parts.push(&body[from..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(expand).map(|path| [&head[..], &path[..]].concat()).collect()
}

/// The file that a path leads to.
fn file_of(path: &[String], files: &BTreeMap<Name, File>, hops: usize) -> Name {
    let known = (0..=path.len()).rev().find(|&k| files.contains_key(&path[..k])).unwrap_or(0);
    let there = path.get(known).and_then(|name| files[&path[..known]].exports.get(name));
    match there {
        Some(there) if hops > 0 => file_of(&[&there[..], &path[known + 1..]].concat(), files, hops - 1),
        _ => path[..known].to_vec(),
    }
}

/// Sets of more than one node of which each reaches each other one.
fn circles<N: Ord + Clone>(edges: &BTreeMap<N, BTreeSet<N>>) -> Vec<Vec<N>> {
    let reached = |from: &N| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(node) = open.pop() {
            open.extend(edges.get(node).into_iter().flatten().filter(|next| seen.insert((*next).clone())));
        }
        seen
    };
    let reach: BTreeMap<&N, BTreeSet<N>> = edges.keys().map(|node| (node, reached(node))).collect();
    let circle = |node: &N| -> Vec<N> {
        reach[node].iter().filter(|other| reach.get(other).is_some_and(|back| back.contains(node))).cloned().collect()
    };
    let all: BTreeSet<Vec<N>> = edges.keys().map(circle).filter(|circle| circle.len() > 1).collect();
    all.into_iter().collect()
}

/// The files of a crate with those that each uses.
fn edges(source: &Path) -> BTreeMap<Name, BTreeSet<Name>> {
    let mut files = BTreeMap::new();
    read(source, &Vec::new(), &mut files);
    let used = |(name, file): (&Name, &File)| {
        let used = file.uses.iter().map(|path| file_of(path, &files, 5)).filter(|used| used != name);
        (name.clone(), used.collect())
    };
    files.iter().map(used).collect()
}

#[test]
fn files_do_not_use_each_other_in_circles() {
    let mut found: Vec<Vec<String>> = Vec::new();
    let (mut files, mut uses) = (0, 0);
    for name in CRATES {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates").join(name).join("src");
        let edges = edges(&source);
        files += edges.len();
        uses += edges.values().map(BTreeSet::len).sum::<usize>();
        let named = |circle: Vec<Name>| circle.iter().map(|file| format!("{name}::{}", file.join("::"))).collect();
        found.extend(circles(&edges).into_iter().map(named));
    }
    assert!(files > 140 && uses > 400, "only {files} files with {uses} uses seen");
    assert!(found.is_empty(), "circles between files: {found:#?}");
}

#[test]
fn uses_are_read_as_they_are_meant() {
    let folder = std::env::temp_dir().join(format!("swarmgrad-circles-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("room")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("lib.rs", "pub mod room;\nmod table;\nmod type_;\npub use table::find;\n");
    write("room/mod.rs", "mod first;\nmod second;\npub use second::{Deep, Other as Renamed};\n");
    write("room/first.rs", "use super::Deep;\nuse crate::{find, type_::{A, B}};\nuse std::fmt;\n");
    write(
        "room/second.rs",
        "// use crate::table::find;\nuse crate::type_::A as Short;\n\n#[cfg(test)]\nmod tests {\n use crate::table::find;\n}\n",
    );
    write("table.rs", "use crate::room::{Deep};\n");
    write("type_.rs", "");
    let name = |text: &str| text.split("::").map(str::to_owned).collect::<Name>();
    let before = edges(&folder);
    let of = |file: &str| before[&name(file)].iter().map(|used| used.join("::")).collect::<Vec<_>>();
    assert_eq!(of("room::first"), ["room::second", "table", "type_"]);
    assert_eq!(of("room::second"), ["type_"]);
    assert_eq!(of("table"), ["room::second"]);
    assert!(of("room").is_empty() && before[&Name::new()].is_empty() && circles(&before).is_empty());
    write("type_.rs", "use crate::find;\n");
    let circle = [name("room::second"), name("table"), name("type_")];
    assert_eq!(circles(&edges(&folder)), [circle]);
    std::fs::remove_dir_all(&folder).unwrap();
}
