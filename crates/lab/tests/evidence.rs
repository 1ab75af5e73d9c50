//! What the pages of tables print is what the program prints: ten rows of them, others in every version, are computed anew.

use std::collections::BTreeMap;
use std::path::Path;
use swarmgrad::Rng;
use swarmgrad_lab::paper::{self, Session, Settings};

/// Rows that are computed anew.
const ROWS: usize = 10;
/// The sections of the pages that take seconds; what the others print takes minutes to hours.
const SECTIONS: [(&str, &str); 8] = [
    ("adaswarm-tables.md", "adaswarm/table-1"),
    ("adaswarm-tables.md", "adaswarm/table-2"),
    ("adaswarm-tables.md", "adaswarm/table-3"),
    ("adaswarm-tables.md", "adaswarm/figure-1"),
    ("adaswarm-tables.md", "adaswarm/stability"),
    ("adaswarm-tables.md", "adaswarm/supp-12"),
    ("adaswarm-tables.md", "adaswarm/supp-14"),
    ("mean-field-tables.md", "mean-field-pso/theorem-2.5"),
];

/// The rows of all tables of a section, without their headers.
fn rows(page: &str, experiment: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let head = format!("`{experiment}, preset ");
    let begin = text.lines().position(|line| line.starts_with(&head));
    let begin = begin.unwrap_or_else(|| panic!("{page} has no section {experiment}"));
    let section: Vec<&str> = text.lines().skip(begin + 1).take_while(|line| !line.starts_with("## ")).collect();
    let is_row = |i: &usize| {
        let rule = |i: usize| section.get(i).is_some_and(|line| line.starts_with("| ---"));
        section[*i].starts_with("| ") && !rule(*i) && !rule(*i + 1)
    };
    (0..section.len()).filter(is_row).map(|i| section[i].to_owned()).collect()
}

#[test]
fn ten_rows_of_the_pages_are_printed_anew() {
    let all: Vec<(&str, String)> = SECTIONS
        .iter()
        .flat_map(|(page, experiment)| rows(page, experiment).into_iter().map(|row| (*experiment, row)))
        .collect();
    assert!(all.len() > 120, "{} rows", all.len());
    let version = env!("CARGO_PKG_VERSION").bytes().fold(0, |seed, byte| 31 * seed + u64::from(byte));
    let mut order: Vec<usize> = (0..all.len()).collect();
    Rng::new(version).row(0).shuffle(&mut order);
    let mut drawn: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for &i in &order[..ROWS] {
        drawn.entry(all[i].0).or_default().push(&all[i].1);
    }
    for (experiment, rows) in drawn {
        let findings = Session::new(Settings::default()).unwrap().run(paper::entry(experiment).unwrap()).unwrap();
        let printed = findings.markdown(None);
        for row in rows {
            println!("{experiment}: {row}");
            assert!(printed.lines().any(|line| line == row), "{experiment} does not print\n{row}\nbut\n{printed}");
        }
    }
}
