//! The small programs of `examples/`, each run as it is: what it finds is asserted at its end.

use std::path::Path;
use std::process::Command;

/// Those that measure rather than show: minutes, or a test of their own.
const MEASURE: [&str; 3] = ["quorum", "rastrigin_phase", "workers"];

#[test]
fn every_example_finds_what_it_says() {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("examples");
    let names = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (path.extension()? == "rs" && !MEASURE.contains(&&*name)).then_some(name)
    });
    let mut ran = 0;
    for name in names {
        let program = built.join(&name).with_extension(std::env::consts::EXE_EXTENSION);
        let output = Command::new(&program)
            .output()
            .unwrap_or_else(|why| panic!("{}: {why}; `cargo test --workspace` builds it", program.display()));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !output.stdout.is_empty(), "{name}: {text}");
        ran += 1;
    }
    assert!(ran >= 10, "{ran} examples");
}
