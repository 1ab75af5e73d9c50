//! The tests of the Python package: pytest over the extension that cargo has just built, in an environment of its own under
//! `target`. Without python3, or where pip finds no packages, they are skipped and say so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use swarmgrad::registry;
use swarmgrad::study::{Execution, Study};

/// What the tests import beside the package.
const PACKAGES: [&str; 2] = ["numpy", "pytest"];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else if path
            .extension()
            .is_some_and(|end| ["py", "pyi", "typed", "md", "ipynb"].iter().any(|known| end == *known))
        {
            fs::copy(path, to).unwrap();
        }
    }
}

/// The extension beside this test's own program.
fn extension() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let name = format!("{}swarmgrad_python{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    folder.join(name)
}

/// A Python with the packages, None where there is none to be had.
fn python(folder: &Path) -> Option<PathBuf> {
    let venv = folder.join("venv");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let imports = format!("import {}", PACKAGES.join(", "));
    let ready = |python: &Path| {
        Command::new(python).args(["-c", &imports]).output().is_ok_and(|output| output.status.success())
    };
    if ready(&python) {
        return Some(python);
    }
    let base = if cfg!(windows) { "python" } else { "python3" };
    if !Command::new(base).arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no {base}");
        return None;
    }
    let _ = fs::remove_dir_all(&venv);
    let made = Command::new(base).args(["-m", "venv"]).arg(&venv).output().unwrap();
    if !made.status.success() {
        eprintln!("skipped: {base} -m venv: {}", String::from_utf8_lossy(&made.stderr));
        return None;
    }
    let options =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"];
    let installed = Command::new(&python).args(options).args(PACKAGES).output().unwrap();
    if !ready(&python) {
        eprintln!("skipped: pip could not install {PACKAGES:?}: {}", String::from_utf8_lossy(&installed.stderr));
        return None;
    }
    Some(python)
}

/// Writes what Rust finds with every method, for Python to find the same.
fn write_reference(path: &Path) {
    let mut all = serde_json::Map::new();
    for entry in registry::entries() {
        let study = Study {
            problem: Some("rosenbrock".into()),
            dim: Some(3),
            method: entry.name.into(),
            evaluations: Some(300),
            seed: 7,
            ..Study::default()
        };
        let report = study.run(Execution::default()).unwrap();
        all.insert(entry.name.into(), serde_json::to_value(&report).unwrap());
    }
    fs::write(path, serde_json::to_string(&all).unwrap()).unwrap();
}

#[test]
fn the_package_passes_its_tests() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    fs::create_dir_all(&folder).unwrap();
    let Some(python) = python(&folder) else { return };
    let (here, site) = (Path::new(env!("CARGO_MANIFEST_DIR")), folder.join("site"));
    let _ = fs::remove_dir_all(&site);
    copy(&here.join("swarmgrad"), &site.join("swarmgrad"));
    copy(&here.join("tests"), &site.join("tests"));
    copy(&here.join("../../docs/notebooks"), &site.join("notebooks"));
    for page in ["README.md", "../../docs/python.md", "../../docs/guide/many-machines.md"] {
        let page = here.join(page);
        fs::copy(&page, site.join(page.file_name().unwrap())).unwrap();
    }
    let suffix = if cfg!(windows) { "pyd" } else { "abi3.so" };
    fs::copy(extension(), site.join(format!("swarmgrad/_native.{suffix}"))).unwrap();
    write_reference(&site.join("reference.json"));
    let program = extension().with_file_name(format!("../swarmgrad{}", std::env::consts::EXE_SUFFIX));
    let output = Command::new(python)
        .args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests"])
        .current_dir(&site)
        .env("PYTHONPATH", &site)
        .env("SWARMGRAD_REFERENCE", site.join("reference.json"))
        .env("SWARMGRAD_PROGRAM", program)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{out}{err}");
    assert!(output.status.success(), "pytest failed:\n{out}\n{err}");
}
