//! The suites: which functions and instances there are, and which precisions a run is judged by.

use super::score::targets;
use crate::error::{Error, Result};
use swarmgrad::problems::{self, CONSTRAINED, Entry, TestProblem};

/// A collection of test problems that methods are compared on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Suite {
    /// COCO's noiseless functions.
    #[default]
    Bbob,
    /// The same with whole variables.
    BbobMixint,
    /// Some of them under constraints.
    BbobConstrained,
    /// Shifted, rotated, hybrid and composed functions of the competition of 2017.
    Cec2017,
    /// Functions with constraints, of the competition of 2006.
    Cec2006,
    /// Machine parts with constraints.
    Designs,
}

/// A function of a suite, and which instance of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The suite.
    pub suite: Suite,
    /// The function's number in it, from 1 on.
    pub function: usize,
    /// The instance; of a function without instances the seed, which does its duty in intervals.
    pub instance: u64,
}

/// Functions of a kind: a name, the first and the last number.
pub type Group = (&'static str, usize, usize);

const OF_BBOB: &[Group] = &[
    ("separable", 1, 5),
    ("moderate", 6, 9),
    ("ill-conditioned", 10, 14),
    ("multi-modal", 15, 19),
    ("weakly structured", 20, 24),
];
const OF_BBOB_CONSTRAINED: &[Group] = &[
    ("sphere", 1, 6),
    ("separable ellipsoid", 7, 12),
    ("linear slope", 13, 18),
    ("ellipsoid", 19, 24),
    ("discus", 25, 30),
    ("bent cigar", 31, 36),
    ("different powers", 37, 42),
    ("Rastrigin", 43, 48),
    ("rotated Rastrigin", 49, 54),
];
const OF_CEC2017: &[Group] = &[("unimodal", 1, 3), ("multi-modal", 4, 10), ("hybrid", 11, 20), ("composed", 21, 30)];

/// A run of the competition of 2006 or on a design is over when its best feasible point is so near to the best one known, as a share of
/// that value.
const NEAR: f64 = 1e-4;

/// How many of the precisions 10^2, 10^1.8, .. the constrained functions of BBOB are judged by: down to 10^-6, as COCO's tables do.
const CONSTRAINED_COUNT: usize = 41;

impl Suite {
    /// All suites.
    pub const ALL: [Suite; 6] =
        [Suite::Bbob, Suite::BbobMixint, Suite::BbobConstrained, Suite::Cec2017, Suite::Cec2006, Suite::Designs];

    /// Its name, with which the names of its problems begin.
    pub fn name(self) -> &'static str {
        match self {
            Suite::Bbob => "bbob",
            Suite::BbobMixint => "bbob_mixint",
            Suite::BbobConstrained => "bbob_constrained",
            Suite::Cec2017 => "cec2017",
            Suite::Cec2006 => "cec2006",
            Suite::Designs => "designs",
        }
    }

    /// Its name as the literature writes it.
    pub fn title(self) -> &'static str {
        match self {
            Suite::Bbob => "BBOB",
            Suite::BbobMixint => "BBOB with whole variables",
            Suite::BbobConstrained => "BBOB under constraints",
            Suite::Cec2017 => "CEC 2017",
            Suite::Cec2006 => "CEC 2006",
            Suite::Designs => "Designs",
        }
    }

    /// The suite of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest one.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Suite::ALL.into_iter().find(|suite| suite.name() == name);
        Ok(found.ok_or_else(|| swarmgrad::Error::unknown("suite", name, Suite::ALL.map(Suite::name)))?)
    }

    /// Whether its problems have constraints.
    pub fn is_constrained(self) -> bool {
        matches!(self, Suite::BbobConstrained) || self.is_fixed()
    }

    /// Whether each of its problems has a number of variables of its own and no instances; those are seeds then, and a run is solved or not.
    pub fn is_fixed(self) -> bool {
        matches!(self, Suite::Cec2006 | Suite::Designs)
    }

    /// Its problems without instances, in order.
    fn fixed(self) -> impl Iterator<Item = &'static Entry> {
        CONSTRAINED.iter().filter(move |entry| entry.name.split('/').next() == Some(self.name()))
    }

    /// Numbers of its functions.
    pub fn functions(self) -> Vec<usize> {
        match self {
            Suite::Bbob | Suite::BbobMixint => (1..=24).collect(),
            Suite::BbobConstrained => (1..=54).collect(),
            Suite::Cec2017 => (1..=30).filter(|&function| function != 2).collect(),
            Suite::Cec2006 | Suite::Designs => (1..=self.fixed().count()).collect(),
        }
    }

    /// Numbers of variables where nobody says any; none where every problem has its own.
    pub fn dims(self) -> Vec<usize> {
        match self {
            Suite::Bbob => vec![5, 10, 20],
            Suite::BbobMixint => vec![5, 10],
            Suite::BbobConstrained => vec![2, 5, 10],
            Suite::Cec2017 => vec![10],
            Suite::Cec2006 | Suite::Designs => Vec::new(),
        }
    }

    /// Its groups of functions; none where they have no kinds.
    pub fn groups(self) -> &'static [Group] {
        match self {
            Suite::Bbob | Suite::BbobMixint => OF_BBOB,
            Suite::BbobConstrained => OF_BBOB_CONSTRAINED,
            Suite::Cec2017 => OF_CEC2017,
            Suite::Cec2006 | Suite::Designs => &[],
        }
    }

    /// A function of it.
    ///
    /// # Errors
    /// A number of a function or an instance that there is not.
    pub fn entry(self, function: usize, instance: u64) -> Result<Entry> {
        Ok(match self {
            Suite::Bbob => problems::bbob(function, instance)?,
            Suite::BbobMixint => problems::bbob_mixint(function, instance)?,
            Suite::BbobConstrained => problems::bbob_constrained(function, instance)?,
            Suite::Cec2017 => problems::cec2017(function, instance)?,
            Suite::Cec2006 | Suite::Designs => {
                let entry = function.checked_sub(1).and_then(|at| self.fixed().nth(at));
                let rule = || format!("must be within 1 to {} of {}", self.fixed().count(), self.name());
                *entry.ok_or_else(|| Error::value("function", function, rule()))?
            }
        })
    }

    /// What a function is called in tables.
    pub fn label(self, function: usize) -> String {
        match self.entry(function, 1) {
            Ok(entry) => entry.name.rsplit('/').next().unwrap_or(entry.name).into(),
            Err(_) => format!("f{function}"),
        }
    }

    /// The problem's name as in the registry of problems, with the instance in any case where there are any.
    pub(super) fn problem(self, function: usize, instance: u64) -> Result<String> {
        let name = self.entry(function, instance)?.name;
        Ok(if self.is_fixed() { name.into() } else { format!("{name}/i{instance}") })
    }

    /// The precisions that a run is judged by, at a problem whose best value is this one.
    pub(super) fn targets(self, optimum: f64) -> Vec<f64> {
        match self {
            Suite::Bbob | Suite::BbobMixint | Suite::Cec2017 => targets().to_vec(),
            Suite::BbobConstrained => targets()[..CONSTRAINED_COUNT].to_vec(),
            Suite::Cec2006 | Suite::Designs => vec![NEAR * optimum.abs()],
        }
    }

    /// The last of them; a run that reaches it is over.
    pub(super) fn last(self, optimum: f64) -> f64 {
        self.targets(optimum).last().copied().unwrap_or(0.0)
    }
}

impl Place {
    /// The place of a problem in its suite; `seed` counts where there are no instances.
    ///
    /// # Errors
    /// A name that belongs to no suite.
    pub(super) fn of(problem: &str, seed: u64) -> Result<Self> {
        let wrong = || Error::value("problem", problem, "must be one of a suite, as bbob/f8/i3 or cec2006/g06");
        let (name, rest) = problem.split_once('/').ok_or_else(wrong)?;
        let suite = Suite::ALL.into_iter().find(|suite| suite.name() == name).ok_or_else(wrong)?;
        if suite.is_fixed() {
            let at = suite.fixed().position(|entry| entry.name == problem).ok_or_else(wrong)?;
            return Ok(Place { suite, function: at + 1, instance: seed });
        }
        let numbers = rest.strip_prefix('f').and_then(|rest| rest.split_once("/i"));
        let numbers = numbers.and_then(|(f, i)| Some((f.parse().ok()?, i.parse().ok()?)));
        let (function, instance) = numbers.ok_or_else(wrong)?;
        suite.entry(function, instance)?;
        Ok(Place { suite, function, instance })
    }

    /// The seed of its run in a bench with that one: where there are no instances, their numbers are seeds.
    pub(super) fn seed(&self, seed: u64) -> u64 {
        if self.suite.is_fixed() { seed.wrapping_add(self.instance) } else { seed }
    }

    /// The best value that there is, with so many variables.
    ///
    /// # Errors
    /// A number of variables that the problem cannot have.
    pub(super) fn optimum(&self, dim: usize) -> Result<f64> {
        minimum(&*self.suite.entry(self.function, self.instance)?.build::<f64>(dim, None)?)
    }
}

/// The best value of a problem of a suite.
pub(super) fn minimum(problem: &dyn TestProblem) -> Result<f64> {
    problem.minimum().ok_or_else(|| Error::value("problem", problem.entry().name, "its minimum is not known"))
}
