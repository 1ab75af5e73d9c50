//! The layers of the house: a crate may depend only on crates of lower layers. Read from `cargo metadata`.

use std::process::Command;

const LAYERS: &[(&str, u32)] = &[
    ("swarmgrad-core", 0),
    ("swarmgrad-problems", 1),
    ("swarmgrad-algorithms", 1),
    ("swarmgrad-diff", 2),
    ("swarmgrad-dense", 2),
    ("swarmgrad-combine", 3),
    ("swarmgrad-study", 4),
    ("swarmgrad-nn", 4),
    ("swarmgrad", 5),
    ("swarmgrad-lab", 6),
    ("swarmgrad-python", 7),
    ("swarmgrad-playground", 6),
    ("swarmgrad-cli", 7),
];

fn layer(name: &str) -> Option<u32> {
    LAYERS.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, layer)| *layer)
}

#[test]
fn dependencies_point_strictly_down() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut edges = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let here = layer(name).unwrap_or_else(|| panic!("{name} has no layer"));
        // Only normal dependencies: tests may look anywhere.
        for dependency in package["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"].is_null()) {
            let dependency = dependency["name"].as_str().unwrap();
            if let Some(there) = layer(dependency) {
                assert!(there < here, "{name} (layer {here}) must not depend on {dependency} (layer {there})");
                edges += 1;
            }
            let tensor = ["burn", "candle", "tch", "ndarray", "nalgebra"].iter().any(|t| dependency.starts_with(t));
            assert!(!tensor || name == "swarmgrad-nn", "{name} must not depend on the tensor library {dependency}");
        }
    }
    assert!(edges >= 6, "only {edges} edges seen");
}

/// The packages that cargo compiles, tests aside.
fn compiled(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--prefix", "none", "--edges"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_tensor_library_is_compiled_for_those_who_ask_and_for_tests() {
    let burn = |tree: &str| tree.lines().any(|line| line.starts_with("burn "));
    let program = ["normal,build", "--package", "swarmgrad-cli"];
    let lean = compiled(&program);
    assert!(lean.contains("swarmgrad-nn ") && !burn(&lean), "{lean}");
    assert!(burn(&compiled(&[&program[..], &["--features", "burn"]].concat())));
    // Nor do those who download data sets, nor those who use the library.
    assert!(!burn(&compiled(&[&program[..], &["--features", "download"]].concat())));
    let library = compiled(&["normal,build", "--package", "swarmgrad"]);
    assert!(library.contains("swarmgrad-study ") && !library.contains("swarmgrad-nn "), "{library}");
    let tests = compiled(&["normal,dev,features", "--workspace", "--invert", "swarmgrad-cli"]);
    assert!(tests.contains("swarmgrad-cli feature \"burn\""), "{tests}");
}

/// The files that hold unsafe code, and why. `docs/reliability.md` names them too.
const UNSAFE: &[(&str, &str)] = &[
    ("playground/src/exports.rs", "names by which a page finds functions"),
    ("crates/cli/tests/fire/guard.rs", "an allocator that looks at sizes"),
    ("crates/dense/tests/no_allocation.rs", "an allocator that counts"),
    ("tests/allocation.rs", "an allocator that counts"),
    ("tests/elements.rs", "an allocator that counts"),
    ("tests/memory.rs", "an allocator that counts"),
];

#[test]
fn unsafe_code_is_where_it_is_listed() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut found, mut unforbidden) = (vec![root.to_owned()], Vec::new(), Vec::new());
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let place = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                let root_file = place.ends_with("src/lib.rs") || place.ends_with("src/main.rs");
                if root_file && !text.contains("forbid(unsafe_code)") {
                    unforbidden.push(place.clone());
                }
                let marks = [
                    concat!("unsafe", " fn"),
                    concat!("unsafe", " impl"),
                    concat!("unsafe", " {"),
                    concat!("#[", "unsafe("),
                ];
                if marks.iter().any(|mark| text.contains(mark)) {
                    found.push(place);
                }
            }
        }
    }
    found.sort();
    let mut listed: Vec<&str> = UNSAFE.iter().map(|(file, _)| *file).collect();
    listed.sort_unstable();
    assert_eq!(found, listed);
    // What PyO3 writes for it is unsafe.
    assert_eq!(unforbidden, ["crates/python/src/lib.rs"]);
    let told = std::fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    listed.iter().for_each(|file| assert!(told.contains(file), "docs/reliability.md does not name {file}"));
}
