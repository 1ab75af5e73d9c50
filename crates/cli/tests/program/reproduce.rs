//! The command `reproduce` as its users meet it.

use crate::harness::{self, Folder};
use serde_json::Value;

fn good(args: &[&str]) -> String {
    harness::good(&[&["reproduce"], args].concat()).out
}

fn bad(args: &[&str]) -> String {
    harness::wrong(&[&["reproduce"], args].concat())
}

#[test]
fn a_page_needs_nothing_else() {
    let folder = Folder::new("reproduce-page");
    let (html, markdown, plots) = (folder.path("page.html"), folder.path("page.md"), folder.path("plots"));
    let text = good(&[
        "adaswarm/table-3",
        "adaswarm/figure-1",
        "adaswarm/table-3",
        "--quick",
        "--seeds",
        "5",
        "--html",
        &html,
        "--markdown",
        &markdown,
        "--plots",
        &plots,
    ]);
    assert_eq!(text.matches("adaswarm/table-3, preset paper-text, quick").count(), 1, "{text}");
    assert!(text.contains("DOES NOT HOLD"), "{text}");
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(
        page.contains("<svg")
            && page.contains("href=\"#adaswarm-table-3\"")
            && page.contains("id=\"adaswarm-table-3\"")
    );
    for outside in ["src=\"http", "href=\"http", "@import", "<script", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(std::fs::read_to_string(&markdown).unwrap().contains("| claim | paper | ours | verdict | why |"));
    assert!(std::fs::read(format!("{plots}/figure-1-1.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn finished_units_are_not_computed_again() {
    let folder = Folder::new("reproduce-records");
    let records = folder.path("runs.jsonl");
    let args = ["adaswarm/table-1", "--seeds", "4", "--json", "--records", &records];
    let data = |text: &str| serde_json::from_str::<Value>(text).unwrap()[0]["data"].clone();
    let first = good(&args);
    let lines = || std::fs::read_to_string(&records).unwrap().lines().count();
    let all = lines();
    assert_eq!(all, 20);
    // As after a kill: half of the lines, the last one torn.
    let text = std::fs::read_to_string(&records).unwrap();
    std::fs::write(&records, &text[..text.len() / 2]).unwrap();
    assert!(lines() < all);
    assert_eq!(data(&good(&args)), data(&first));
    assert_eq!(lines(), all);
    // A changed record is found out; one without a checksum is believed, and that is said.
    let changed = std::fs::read_to_string(&records).unwrap().replace("\"runs\":4", "\"runs\":8");
    std::fs::write(&records, &changed).unwrap();
    assert!(bad(&args).contains("runs.jsonl:1: damaged"));
    let without = |line: &str| line.split_once(",\"crc\"").unwrap().0.to_owned() + "}\n";
    std::fs::write(&records, changed.lines().map(without).collect::<String>()).unwrap();
    let done = harness::good(&[&["reproduce"], &args[..]].concat());
    assert_ne!(data(&done.out), data(&first));
    assert!(done.err.contains("runs.jsonl: 20 lines have no checksum"), "{}", done.err);
    assert_eq!(lines(), all);
}

#[test]
fn the_list_and_wrong_words() {
    assert!(good(&["--list"]).contains("adaswarm/supp-12"));
    let list: Value = serde_json::from_str(&good(&["--list", "--json"])).unwrap();
    assert_eq!(list[0]["name"], "adaswarm/table-1");
    assert!(
        bad(&["adaswarm/table-11"])
            .contains("unknown experiment 'adaswarm/table-11', did you mean 'adaswarm/table-1'?")
    );
    assert!(bad(&["adaswam"]).contains("did you mean 'adaswarm'?"));
    assert!(bad(&["adaswarm/table-1", "--preset", "paper"]).contains("unknown preset 'paper'"));
    assert!(bad(&["adaswarm/table-1", "--seeds", "0"]).contains("must be at least 1"));
    assert!(bad(&["adaswarm/table-1", "--html", "/nowhere/page.html"]).contains("/nowhere/page.html"));
    // A page of an earlier run is not touched by one that finds nothing.
    let folder = Folder::new("reproduce-kept");
    let page = folder.path("page.html");
    std::fs::write(&page, "earlier").unwrap();
    assert!(bad(&["adaswarm/table-11", "--html", &page]).contains("unknown experiment"));
    assert_eq!(folder.read("page.html"), "earlier");
    assert!(bad(&[]).contains("EXPERIMENT"));
}
