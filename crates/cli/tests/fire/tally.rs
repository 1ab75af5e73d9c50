//! What an attack has tried, and what has not survived it.

use std::collections::BTreeMap;
use std::fmt::Display;

/// Faults that are kept with their words; more are only counted.
const SHOWN: usize = 20;

/// The cases of a class of faults.
#[derive(Debug)]
pub struct Tally {
    /// The class, as the table of `docs/reliability.md` calls it.
    pub class: &'static str,
    /// Cases tried.
    pub cases: u64,
    /// Those that ended as they must.
    pub survived: u64,
    /// What the others did.
    pub faults: Vec<String>,
    /// Of what else there was how much: refusals, kills that found the program at work, what could not be tried here.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn new(class: &'static str) -> Self {
        Tally { class, cases: 0, survived: 0, faults: Vec::new(), counts: BTreeMap::new() }
    }

    /// Counts a case.
    pub fn case(&mut self, outcome: Result<(), impl Display>) {
        self.cases += 1;
        match outcome {
            Ok(()) => self.survived += 1,
            Err(why) if self.faults.len() < SHOWN => self.faults.push(why.to_string()),
            Err(_) => {}
        }
    }

    /// Counts what is no case of its own.
    pub fn count(&mut self, what: &'static str, n: u64) {
        *self.counts.entry(what).or_default() += n;
    }

    /// Says what cannot be tried here; it is no case.
    pub fn skip(&mut self, why: &str) {
        eprintln!("skipped: {why}");
        self.count("skipped", 1);
    }

    /// All counts in words.
    pub fn counted(&self) -> String {
        self.counts.iter().map(|(what, n)| format!("{n} {what}")).collect::<Vec<_>>().join(", ")
    }

    /// Fails the test whose attack this is, unless all cases have survived; where nothing was skipped there must have been some.
    #[track_caller]
    pub fn hold(&self) {
        assert!(self.cases > 0 || self.counts.contains_key("skipped"), "{}: nothing was tried", self.class);
        let lost = self.cases - self.survived;
        assert!(lost == 0, "{}: {lost} of {} cases\n{}", self.class, self.cases, self.faults.join("\n"));
    }
}
