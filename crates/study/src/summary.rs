//! Summary: what a report comes to, in words that a person acts on.

use crate::number::number;
use crate::report::Report;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use swarmgrad_core::{Progress, Reason, Variable, VariableKind, Watch};

/// A gain worth the name, as a share of all that was gained.
const GAIN: f64 = 1e-3;
/// A gap to the known minimum that is none.
const REACHED: f64 = 1e-6;
/// A relative error of values that matters.
const ERROR: f64 = 1e-9;
/// Share of failures that is worth a word.
const FAILURES: f64 = 0.1;
/// Bounds further apart than this, and a best value nearer to the lower one than this share of the way: a logarithm is the better scale.
const DECADES: f64 = 1e3;
const LOW: f64 = 0.02;

/// What a report comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Why the run ended.
    pub ended: String,
    /// What was learned of the problem.
    pub learned: Option<String>,
    /// How sure it is that nothing better is to be had.
    pub sure: Option<String>,
    /// What to do next: a word, and what.
    pub next: Vec<(&'static str, String)>,
}

impl Summary {
    /// As programs read it.
    pub(crate) fn json(&self) -> Value {
        let next: Vec<String> = self.next.iter().map(|(word, what)| format!("{word}: {what}")).collect();
        json!({ "ended": self.ended, "learned": self.learned, "sure": self.sure, "next": next })
    }
}

/// Notes the evaluations up to the last gain worth the name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gains(Arc<Mutex<Gained>>);

/// What has been gained, as checkpoints keep it.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Gained {
    /// The first value, and the best one when it last gained; none before.
    first: Option<f64>,
    last: Option<f64>,
    /// Evaluations up to then.
    pub(crate) at: u64,
}

impl Gains {
    /// Goes on from what was gained before.
    pub(crate) fn from(earlier: Gained) -> Self {
        Gains(Arc::new(Mutex::new(earlier)))
    }

    pub(crate) fn gained(&self) -> Gained {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Gains {
    fn see(&mut self, progress: &Progress<'_>) -> ControlFlow<Reason> {
        let best = progress.best;
        if best.value.is_finite() && best.violation == 0.0 {
            let mut gained = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let first = *gained.first.get_or_insert(best.value);
            if gained.last.is_none_or(|last| last - best.value > GAIN * (first - best.value)) {
                (gained.last, gained.at) = (Some(best.value), best.evaluation);
            }
        }
        ControlFlow::Continue(())
    }
}

impl Report {
    /// What it comes to.
    pub fn summary(&self) -> Summary {
        Summary { ended: self.why_ended(), learned: self.learned(), sure: self.how_sure(), next: self.next() }
    }

    /// How far the value is above the known minimum.
    pub fn gap(&self) -> Option<f64> {
        let gap = self.minimum.map(|least| self.outcome.fun - least);
        gap.filter(|gap| gap.is_finite() && !self.plan.study.maximize)
    }

    fn why_ended(&self) -> String {
        let (study, outcome) = (&self.plan.study, &self.outcome);
        let spent = outcome.cost;
        match &outcome.reason {
            Reason::Evaluations => format!("all {spent} evaluations are spent"),
            Reason::Iterations => format!("all {} iterations are done", outcome.nit),
            Reason::Target => match study.target {
                Some(target) => format!("the target {} is reached", number(target)),
                None => "the target is reached".into(),
            },
            Reason::Stagnation => "no improvement worth the name for as long as --patience allows".into(),
            Reason::Time => "its time is over".into(),
            Reason::Interrupted => "interrupted".into(),
            Reason::Failures(why) => why.clone(),
            Reason::Method(why) => format!("by itself: {why}"),
            other => other.to_string(),
        }
    }

    /// Whether the run had ended before it was continued.
    pub fn had_ended(&self) -> bool {
        self.earlier > 0 && self.earlier == self.outcome.nfev && self.outcome.reason != Reason::Interrupted
    }

    fn learned(&self) -> Option<String> {
        let known = self.outcome.knowledge?;
        let mut parts: Vec<String> = Vec::new();
        parts.extend(known.smooth.map(|smooth| if smooth { "smooth".into() } else { "rough".into() }));
        if let Some(error) = known.error {
            parts.push(format!("values have errors of about {error:.0e} of their size"));
        }
        let separable = known.separable.filter(|_| self.plan.space.dim() > 1);
        parts.extend(separable.map(|yes| match yes {
            true => "each variable can be chosen for itself (separable)".into(),
            false if known.turned => {
                "combinations of the variables can be chosen for themselves (separable along other directions)".into()
            }
            false => "variables depend on each other (not separable)".into(),
        }));
        match (known.convex, known.searches, known.basins) {
            (Some(true), ..) => parts.push("one basin".into()),
            (_, searches @ 2.., 1) => parts.push(format!("{searches} searches ended at one value")),
            (_, searches @ 2.., basins) => {
                parts.push(format!("{searches} searches ended at {basins} different values"))
            }
            _ => {}
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn how_sure(&self) -> Option<String> {
        let outcome = &self.outcome;
        if !outcome.fun.is_finite() || !outcome.is_feasible() || outcome.solutions.is_some() {
            return None;
        }
        if self.gap().is_some_and(|gap| gap <= REACHED) {
            return Some("sure: it is the known minimum".into());
        }
        let Some(known) = outcome.knowledge else {
            return Some("one run says little: other seeds tell (--seed 1, or --runs 4)".into());
        };
        let elsewhere = match known.unexplored {
            Some(share) if share < 0.995 => format!("; about {:.2} % of the box may lead elsewhere", 100.0 * share),
            _ => String::new(),
        };
        Some(match (known.convex, known.searches) {
            (Some(true), _) => {
                "nearly sure: all lines from the best point rise as those of a function with one basin do".into()
            }
            (_, 2..) if known.confirmed => format!("fairly: more than one search came to the best value{elsewhere}"),
            (_, 2..) => format!("not very: only one search came to the best value{elsewhere}"),
            _ => "not at all yet: no second search has ended".into(),
        })
    }

    fn next(&self) -> Vec<(&'static str, String)> {
        let (plan, outcome, status) = (&self.plan, &self.outcome, self.status());
        let (study, finite) = (&plan.study, outcome.fun.is_finite());
        let mut next = Vec::new();
        if let Some(path) = self.kept.as_ref().filter(|_| status >= 5) {
            next.push(("go on", format!("swarmgrad resume {}", path.display())));
        }
        let failed = outcome.failures as f64 / outcome.nfev.max(1) as f64;
        if failed > FAILURES {
            let most = outcome.failure_counts.list().into_iter().max_by_key(|(_, count)| *count);
            let most = most.map_or(String::new(), |(kind, _)| format!(", most of them {}", kind.replace('_', " ")));
            next.push(("failures", format!("{:.0} % of the evaluations have no value{most}", 100.0 * failed)));
        }
        if finite && !outcome.is_feasible() {
            next.push((
                "feasible",
                "no point keeps to all constraints yet: more --evaluations, or a larger --constraint-tolerance".into(),
            ));
        }
        let at_bounds = if finite && study.program.is_some() { self.at_bounds() } else { Vec::new() };
        if !at_bounds.is_empty() {
            let more = if at_bounds.len() > 5 { ", ..." } else { "" };
            let which: Vec<String> = at_bounds.iter().take(5).map(|&j| self.name(j)).collect();
            let (lies, what) = if at_bounds.len() == 1 { ("lies on a bound", "it") } else { ("lie on bounds", "them") };
            let what = if plan.space.variables().is_empty() { "--bounds" } else { what };
            next.push(("look", format!("{}{more} {lies}: widen {what} if the problem allows it", which.join(", "))));
        }
        if finite && study.program.is_some() {
            next.extend(self.scale().map(|text| ("scale", text)));
        }
        let error = outcome.knowledge.and_then(|known| known.error).filter(|error| *error > ERROR && !study.noisy);
        if let Some(error) = error {
            next.push((
                "errors",
                format!("values differ by {error:.0e} of their size: if a point's value is random, add --noisy"),
            ));
        }
        let missed = self.gap().is_none_or(|gap| gap > REACHED);
        let late = self.gained.is_some_and(|gained| gained * 2 > outcome.nfev);
        if let (1, Some(budget), true) = (status, plan.budget, missed) {
            let what = if late { "it was still improving" } else { "though it last improved long before the end" };
            let seen = self.gained.map_or(String::new(), |last| format!("; {what} (evaluation {last})"));
            next.push(("longer", format!("--evaluations {}{seen}", budget.saturating_mul(10))));
        }
        let unsure =
            missed && status != 6 && status != 7 && finite && !(status == 1 && late && study.program.is_some());
        let convex = outcome.knowledge.is_some_and(|known| known.convex == Some(true) || known.confirmed);
        if unsure && !convex && matches!(plan.aim, swarmgrad_core::Aim::Value) {
            next.extend(self.other_methods().map(|text| ("other methods", text)));
        }
        next
    }

    /// The command that says which method is better here.
    fn other_methods(&self) -> Option<String> {
        let study = &self.plan.study;
        let methods = if self.plan.constraints.list().is_empty() {
            "auto,bipop_cma_es,lshade,clpso"
        } else {
            "auto,lshade,cma_es"
        };
        let what = match (&study.problem, &study.program) {
            (Some(name), _) if self.gap().is_some() => format!("--problems {name} --dim {}", self.plan.variables()),
            (None, Some(program)) if program.function.is_none() && !program.command.contains('\'') => {
                let bounds = study.bounds.iter().map(|bounds| format!(" --bounds {bounds}"));
                let variables = study.variables.iter().map(|variable| format!(" --var {variable}"));
                let constraints = study.constraints.iter().map(|text| format!(" --constraint '{text}'"));
                let all: String = bounds.chain(variables).chain(constraints).collect();
                format!("--exec '{}'{all} --seeds 3", program.command)
            }
            _ => return None,
        };
        Some(format!("swarmgrad compare --methods {methods} {what}"))
    }

    /// A variable that is looked for on the wrong scale.
    fn scale(&self) -> Option<String> {
        let (space, x) = (&self.plan.space, &self.outcome.x);
        let wide = |lower: f64, upper: f64, at: f64| {
            lower > 0.0 && upper / lower >= DECADES && at > lower && at - lower < LOW * (upper - lower)
        };
        let (name, lower, upper) = match space.variables() {
            [] => {
                let found = (0..x.len()).find(|&j| wide(space.lower()[j], space.upper()[j], x[j]))?;
                (self.name(found), space.lower()[found], space.upper()[found])
            }
            variables => {
                let numbers = space.numbers(x);
                let found = |(variable, at): (&Variable, &f64)| match variable.kind() {
                    VariableKind::Real { lower, upper } if wide(*lower, *upper, *at) => {
                        Some((variable.name().to_owned(), *lower, *upper))
                    }
                    _ => None,
                };
                variables.iter().zip(&numbers).find_map(found)?
            }
        };
        let (low, high) = (number(lower), number(upper));
        Some(format!(
            "{name} is near the low end of {low}:{high}; a logarithmic scale searches there better, --var NAME=log:{low}:{high}"
        ))
    }

    /// The name of a variable.
    pub fn name(&self, j: usize) -> String {
        self.plan.names.get(j).cloned().unwrap_or_else(|| format!("x{j}"))
    }
}
