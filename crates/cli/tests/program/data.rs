//! `data` as its users meet it.

use crate::harness::{Folder, finish, good, program, wrong};
use serde_json::Value;
use std::path::Path;

#[test]
fn sets_are_listed_and_shown() {
    let list = good(&["data", "list", "--json"]).json();
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
    for name in ["iris", "mushroom", "titanic", "ilpd", "mnist"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    let table = good(&["data", "list"]).out;
    assert!(names.iter().all(|name| table.contains(name)), "{table}");
    let heart = good(&["data", "show", "heart", "--json"]).json();
    assert_eq!(heart["rows"], 303);
    // The paper used the rows without a missing value.
    assert_eq!(good(&["data", "show", "heart", "--preset", "paper", "--json"]).json()["rows"], 297);
    let text = good(&["data", "show", "heart", "--head", "2"]).out;
    assert!(text.contains("297") || text.contains("303"), "{text}");
    assert!(wrong(&["data", "show", "hart"]).contains("did you mean 'heart'?"));
}

#[test]
fn what_is_fetched_from_a_folder_is_compared_with_its_checksum() {
    let (folder, home) = (Folder::new("data-from"), Folder::new("data-home"));
    let fetch = |name: &str| {
        let mut command = program(&["data", "fetch", name, "--from", folder.0.to_str().unwrap()]);
        finish(command.env("SWARMGRAD_DATA", &home.0).spawn().unwrap())
    };
    let kept = || std::fs::read_dir(&home.0).unwrap().count();
    // Nothing there, something else there, and a table whose numbers are others.
    assert_eq!(fetch("seeds").code, Some(2));
    folder.write("seeds.csv", "garbage\n");
    assert!(fetch("seeds").err.contains("line 1"));
    let row = "1,2,3,4,5,6,7,Kama\n";
    let table = format!("area,perimeter,compactness,length,width,asymmetry,groove,variety\n{}", row.repeat(210));
    folder.write("seeds.csv", &table);
    assert_eq!(fetch("seeds").code, Some(2));
    assert_eq!(kept(), 0);
    // The real one, where it is.
    let Some(real) = std::env::var_os("SWARMGRAD_DATA") else {
        eprintln!("skipped: SWARMGRAD_DATA is not set");
        return;
    };
    let mut command = program(&["data", "fetch", "seeds", "--from", Path::new(&real).to_str().unwrap()]);
    let done = finish(command.env("SWARMGRAD_DATA", &home.0).spawn().unwrap());
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(kept(), 1);
    let mut command = program(&["data", "show", "seeds", "--json"]);
    let shown: Value = finish(command.env("SWARMGRAD_DATA", &home.0).spawn().unwrap()).json();
    assert_eq!(shown["rows"], 210);
}
