//! What an attack has tried, and what has not survived it.

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
}

impl Tally {
    pub fn new(class: &'static str) -> Self {
        Tally { class, cases: 0, survived: 0, faults: Vec::new() }
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

    /// Fails the test whose attack this is, unless there were cases and all have survived.
    #[track_caller]
    pub fn hold(&self) {
        assert!(self.cases > 0, "{}: nothing was tried", self.class);
        let lost = self.cases - self.survived;
        assert!(lost == 0, "{}: {lost} of {} cases\n{}", self.class, self.cases, self.faults.join("\n"));
    }
}
