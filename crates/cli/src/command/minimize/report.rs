//! The result of a run, for programs and for people.

use super::{Minimize, Objective};
use crate::exec::{Exec, Kinds, LastFailure, indented};
use crate::output::{aligned, grouped, number, numbers, point, short, span};
use serde::Serialize;
use serde_json::{Map, Value, json};
use swarmgrad::registry;
use swarmgrad::{Found, Kind, Outcome, Reason, Space};

/// Points of several that are printed.
const SHOWN: usize = 10;

fn kind(kind: Kind, maximize: bool) -> &'static str {
    match kind {
        Kind::Minima if maximize => "maxima",
        Kind::Minima => "minima",
        Kind::Samples => "samples",
        Kind::Runs => "runs",
    }
}

/// One of several points as people read it.
fn place(found: &Found, kind: Kind) -> String {
    let gathered = match found.particles {
        _ if kind != Kind::Minima => String::new(),
        1 => "   1 particle".into(),
        many => format!("   {} particles", grouped(many as u64)),
    };
    format!("{} at {}{gathered}", short(found.value), point(&found.x))
}

/// The result as programs read it.
#[derive(Serialize)]
pub(super) struct Report {
    x: Value,
    fun: Value,
    nfev: u64,
    ngev: u64,
    cost: u64,
    nit: u64,
    success: bool,
    pub(super) status: i32,
    message: String,
    /// How the method came to its answer, where it says so.
    account: Option<String>,
    seed: u64,
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<u64>,
    params: Map<String, Value>,
    problem: String,
    dim: usize,
    maximize: bool,
    budget: Option<u64>,
    minimum: Option<Value>,
    failures: u64,
    failure_kinds: Kinds,
    last_failure: Option<LastFailure>,
    restarts: u64,
    seconds: f64,
    answer: Value,
    /// Of a method whose aim is more than one point, and of several runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    several: Option<Value>,
    /// Of a noisy problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    noise: Option<Value>,
    version: &'static str,
    #[serde(skip)]
    pub(super) finite: bool,
    #[serde(skip)]
    outcome: Outcome,
    #[serde(skip)]
    at_bounds: Vec<usize>,
}

impl Report {
    pub(super) fn new(
        settings: &Minimize,
        mut outcome: Outcome,
        space: &Space,
        entry: &registry::Entry,
        params: Map<String, Value>,
        budget: Option<u64>,
        objective: &Objective,
    ) -> Self {
        let exec = objective.exec();
        // Evaluations that the end of the run cut off were none.
        let abandoned = exec.map_or(0, Exec::abandoned);
        outcome.nfev = outcome.nfev.saturating_sub(abandoned);
        outcome.cost = outcome.cost.saturating_sub(abandoned);
        outcome.failures = outcome.failures.saturating_sub(abandoned);
        let finite = outcome.fun.is_finite();
        if settings.maximize {
            outcome.fun = 0.0 - outcome.fun;
            if let Some(noise) = &mut outcome.noise {
                (noise.mean, noise.low, noise.high) = (0.0 - noise.mean, 0.0 - noise.high, 0.0 - noise.low);
            }
            let several = outcome.solutions.iter_mut().flat_map(|several| &mut several.points);
            several.for_each(|found| found.value = 0.0 - found.value);
        }
        // Test problems fail in one way only.
        let kinds = exec.map_or(Kinds { not_finite: outcome.failures, ..Kinds::default() }, Exec::kinds);
        let touches = |j: &usize| outcome.x[*j] == space.lower()[*j] || outcome.x[*j] == space.upper()[*j];
        let at_bounds = (0..outcome.x.len()).filter(touches).collect();
        let status = match &outcome.reason {
            Reason::Evaluations => 1,
            Reason::Iterations => 2,
            Reason::Target => 3,
            Reason::Stagnation => 4,
            Reason::Time => 5,
            Reason::Interrupted => 6,
            _ => 0,
        };
        Report {
            x: numbers(&outcome.x),
            fun: number(outcome.fun),
            nfev: outcome.nfev,
            ngev: outcome.ngev,
            cost: outcome.cost,
            nit: outcome.nit,
            success: finite && outcome.reason.is_success(),
            status,
            message: outcome.reason.to_string(),
            account: outcome.explanation.clone(),
            seed: settings.seed,
            method: entry.name.into(),
            runs: settings.runs,
            params,
            problem: settings.problem.clone().or(settings.exec.clone()).unwrap_or_default(),
            dim: space.dim(),
            maximize: settings.maximize,
            budget,
            minimum: objective.minimum().map(number),
            failures: outcome.failures,
            failure_kinds: kinds,
            last_failure: exec.and_then(Exec::last_failure),
            restarts: exec.map_or(0, Exec::restarts),
            seconds: outcome.seconds,
            answer: numbers(&outcome.answer),
            several: outcome.solutions.as_ref().map(|several| {
                let found = |f: &Found| json!({ "x": numbers(&f.x), "fun": number(f.value), "particles": f.particles });
                json!({ "kind": kind(several.kind, settings.maximize), "points": several.points.iter().map(found).collect::<Vec<_>>() })
            }),
            noise: outcome.noise.map(|noise| {
                json!({
                    "mean": number(noise.mean), "low": number(noise.low), "high": number(noise.high),
                    "evaluations": noise.evaluations, "points": noise.points,
                })
            }),
            version: env!("CARGO_PKG_VERSION"),
            finite,
            outcome,
            at_bounds,
        }
    }

    /// The result as people read it.
    pub(super) fn text(&self, settings: &Minimize, objective: &Objective) -> String {
        let outcome = &self.outcome;
        let what = match &settings.problem {
            Some(name) => name.clone(),
            None => format!("'{}'", self.problem),
        };
        let variables = if self.dim == 1 { "1 variable".into() } else { format!("{} variables", self.dim) };
        let does = if self.maximize { "maximises" } else { "minimises" };
        let mut lines: Vec<(&str, String)> = Vec::new();
        let gap =
            objective.minimum().filter(|_| !self.maximize && self.finite).map(|least| (least, outcome.fun - least));
        lines.push((
            "best value",
            match gap {
                _ if !self.finite => "none: no evaluation gave a finite number".into(),
                None => short(outcome.fun),
                Some((0.0, _)) => format!("{}   (the known minimum is 0)", short(outcome.fun)),
                Some((least, gap)) => {
                    format!("{}   (the known minimum is {}, {} below)", short(outcome.fun), short(least), short(gap))
                }
            },
        ));
        if let Some(noise) = &outcome.noise {
            let (low, high, n, points) = (short(noise.low), short(noise.high), noise.evaluations, noise.points);
            let how = format!("{low} .. {high}   (mean of {n} evaluations, the best of {points} points)");
            lines.push(("95 % interval", how));
        }
        if self.finite {
            lines.push(("at x", point(&outcome.x)));
        }
        if self.finite && outcome.answer != outcome.x {
            lines.push(("answer", point(&outcome.answer)));
        }
        if let Some(several) = &outcome.solutions {
            let points = &several.points;
            let how = match several.kind {
                Kind::Minima => "the best points that particles have gathered about",
                Kind::Samples => "--json shows all",
                Kind::Runs => "the best point of each up to its last whole round",
            };
            let single = if outcome.noise.is_some() { "; values of single evaluations" } else { "" };
            let shown = if several.kind == Kind::Samples { 0 } else { points.len().min(SHOWN) };
            let mut text = format!("{}   ({how}{single})", points.len());
            points[..shown].iter().for_each(|found| text += &format!("\n{}", place(found, several.kind)));
            if (1..points.len()).contains(&shown) {
                text += &format!("\nand {} more, see --json", points.len() - shown);
            }
            lines.push((kind(several.kind, self.maximize), text));
        }
        let rate = outcome.nfev as f64 / outcome.seconds.max(1e-9);
        let pace = if rate >= 10.0 { grouped(rate as u64) } else { short(rate) };
        lines.push(("evaluations", grouped(outcome.nfev)));
        if outcome.ngev > 0 {
            let what = format!("{}   (cost with evaluations: {})", grouped(outcome.ngev), grouped(outcome.cost));
            lines.push(("gradients", what));
        }
        lines.push(("iterations", grouped(outcome.nit)));
        if outcome.failures > 0 {
            let kinds = self.failure_kinds.list().into_iter().filter(|(_, count)| *count > 0);
            let kinds: Vec<_> = kinds.map(|(kind, n)| format!("{} {}", grouped(n), kind.replace('_', " "))).collect();
            lines.push(("failures", format!("{}   ({})", grouped(outcome.failures), kinds.join(", "))));
        }
        lines.push(("ended", outcome.reason.to_string()));
        if let Some(account) = &outcome.explanation {
            lines.push(("account", account.clone()));
        }
        lines.push(("time", format!("{}   ({} evaluations a second)", span(outcome.seconds), pace)));
        lines.push(("seed", self.seed.to_string()));
        let lines: Vec<_> = lines.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        let of = self.runs.map_or(String::new(), |runs| format!(" in {runs} runs"));
        let mut text = format!("{} {does} {what}, {variables}{of}\n\n{}", self.method, aligned(&lines, 2));
        if let Some(last) = &self.last_failure {
            text += &format!("\n  The last failure ({}): {}\n", last.kind.replace('_', " "), last.detail);
            if !last.stderr.is_empty() {
                text += &format!("  The program's last words on standard error:\n{}\n", indented(&last.stderr));
            }
        }
        let hints = self.hints(settings, gap.map(|(_, gap)| gap));
        if !hints.is_empty() {
            text += &format!("\n{}", aligned(&hints, 2));
        }
        text
    }

    fn hints(&self, settings: &Minimize, gap: Option<f64>) -> Vec<(String, String)> {
        let mut hints = Vec::new();
        let mut hint = |what: String, how: String| hints.push((what, how));
        if let Some(path) = settings.checkpoint.as_ref().filter(|_| self.status == 6) {
            hint("go on:".into(), format!("swarmgrad resume {}", path.display()));
        }
        if self.finite && settings.exec.is_some() && !self.at_bounds.is_empty() {
            let which: Vec<_> = self.at_bounds.iter().take(5).map(usize::to_string).collect();
            let more = if self.at_bounds.len() > 5 { ", ..." } else { "" };
            let which =
                format!("x[{}{more}] lies on a bound: widen --bounds if the problem allows it", which.join(", "));
            hint("look:".into(), which);
        }
        if let (Some(workers), Some(1)) = (settings.workers, self.params.get("workers").and_then(Value::as_u64))
            && workers > 1
        {
            let how = format!(
                "--set workers={workers} lets {} ask for as many points at a time; the run is another one then",
                self.method
            );
            hint("in parallel:".into(), how);
        }
        if let (1, Some(budget), true) = (self.status, self.budget, gap.is_none_or(|gap| gap > 1e-6)) {
            hint("longer:".into(), format!("--evaluations {}", budget.saturating_mul(10)));
        }
        if gap.is_some_and(|gap| gap > 1e-6)
            && self.status != 6
            && let Some(problem) = &settings.problem
        {
            let methods = "auto,bipop_cma_es,lshade,clpso";
            let compare = format!("swarmgrad compare --methods {methods} --problems {problem} --dim {}", self.dim);
            hint("other methods:".into(), compare);
        }
        hints
    }
}
