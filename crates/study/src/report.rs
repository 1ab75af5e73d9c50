//! Report: what came of a study, as data that people and programs read.

use crate::number::{number, point};
use crate::study::Plan;
use crate::uncertainty::Uncertainty;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use swarmgrad_algorithms::front;
use swarmgrad_core::{
    Aim, Constraint, Failure, Found, Kind, Matrix, Outcome, Reason, Solutions, Typed, Variable, VariableKind,
};
use swarmgrad_problems as problems;

/// The last failure of an evaluation, for the user's eyes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LastFailure {
    /// The kind of failure.
    pub kind: &'static str,
    /// What happened.
    pub detail: String,
    /// The last lines that the program wrote to its standard error.
    pub stderr: String,
}

impl LastFailure {
    /// What a failure says: its first line, and after it what the program wrote to its standard error.
    pub fn of(failure: &Failure) -> Self {
        let text = failure.text();
        let (detail, stderr) = text.split_once('\n').unwrap_or((text, ""));
        let detail = if detail.is_empty() { failure.kind().replace('_', " ") } else { detail.into() };
        LastFailure { kind: failure.kind(), detail, stderr: stderr.into() }
    }
}

/// How a run ended for the one who started it; the numbers are the exit codes of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Done = 0,
    /// No evaluation gave a finite value, or none at a feasible point.
    NoValue = 1,
    /// Done, but not everything could be kept: a disk was full.
    NotKept = 3,
    /// The objective failed for good, or in more than half of its evaluations.
    Failed = 4,
    /// Interrupted.
    Interrupted = 130,
}

/// What a front is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Front {
    /// The names of the objectives.
    pub objectives: Vec<String>,
    /// The volume that the front dominates, up to the reference point; 0 where no point is feasible.
    pub hypervolume: f64,
    /// That of the test problem; else the worst values on the front that was found, and a tenth of its extent beyond them.
    pub reference_point: Vec<f64>,
}

/// Share of a front's extent by which the reference point lies beyond it, where the problem does not say one.
const BEYOND: f64 = 0.1;

/// What came of a study.
#[derive(Debug, Clone)]
pub struct Report {
    /// The study with what was added to it.
    pub plan: Plan,
    /// The result; values have the sign of the problem.
    pub outcome: Outcome,
    /// The least value that the problem has, where that is known.
    pub minimum: Option<f64>,
    /// The last failure.
    pub last_failure: Option<LastFailure>,
    /// How often a program was started again.
    pub restarts: u64,
    /// Evaluations that were taken from the record.
    pub repeated: u64,
    /// Evaluations of earlier parts of the run, which this one continued.
    pub earlier: u64,
    /// The file by which the run can be continued.
    pub kept: Option<PathBuf>,
    /// Evaluations up to the last gain worth a thousandth of all gains, where the run was seen.
    pub gained: Option<u64>,
    /// How far the variables may be off, where that was asked for and the method does not say so itself; or why it cannot be said.
    pub uncertainty: Option<std::result::Result<Uncertainty, String>>,
    /// What could not be kept, and why.
    pub trouble: Vec<String>,
}

impl Report {
    /// How the run ended.
    pub fn verdict(&self) -> Verdict {
        let outcome = &self.outcome;
        match outcome.reason {
            Reason::Interrupted => Verdict::Interrupted,
            Reason::Failures(_) => Verdict::Failed,
            _ if !outcome.fun.is_finite() || !outcome.is_feasible() => Verdict::NoValue,
            _ if outcome.failures * 2 > outcome.nfev && self.plan.study.program.is_some() => Verdict::Failed,
            _ if !self.trouble.is_empty() => Verdict::NotKept,
            _ => Verdict::Done,
        }
    }

    /// The number by which programs know why the run ended: 0 the method ended by itself, 1 evaluations spent, 2 iterations reached,
    /// 3 target reached, 4 stagnation, 5 time over, 6 interrupted, 7 the objective failed.
    pub fn status(&self) -> i32 {
        match &self.outcome.reason {
            Reason::Evaluations => 1,
            Reason::Iterations => 2,
            Reason::Target => 3,
            Reason::Stagnation => 4,
            Reason::Time => 5,
            Reason::Interrupted => 6,
            Reason::Failures(_) => 7,
            _ => 0,
        }
    }

    /// Whether a finite value was found and nothing cut the run short.
    pub fn success(&self) -> bool {
        self.outcome.success() && self.verdict() != Verdict::Failed
    }

    /// Variables whose best value lies on a bound that could be another one.
    pub fn at_bounds(&self) -> Vec<usize> {
        let (x, space) = (&self.outcome.x, &self.plan.space);
        if !space.variables().is_empty() {
            let values = space.decode(x);
            let number = |value: &Typed| match value {
                Typed::Number(t) => *t,
                Typed::Whole(k) => *k as f64,
                Typed::Word(_) | Typed::Flag(_) => f64::NAN,
            };
            let ends = |variable: &Variable| match variable.kind() {
                VariableKind::Real { lower, upper } | VariableKind::Log { lower, upper } => [*lower, *upper],
                VariableKind::Whole { lower, upper, .. } => [*lower as f64, *upper as f64],
                _ => [f64::NAN; 2],
            };
            let on = |(value, variable): (&Typed, &Variable)| ends(variable).contains(&number(value));
            let places = values.iter().zip(space.variables()).enumerate().filter(|(_, pair)| on(*pair));
            return places.map(|(j, _)| j).collect();
        }
        (0..x.len()).filter(|&j| x[j] == space.lower()[j] || x[j] == space.upper()[j]).collect()
    }

    /// The values of the constraints at the best point by name; none where there are none.
    pub fn constraints(&self) -> Vec<(&Constraint, f64)> {
        self.plan.constraints.list().iter().zip(self.outcome.constraints.iter().copied()).collect()
    }

    /// The largest of the violations beyond the tolerances, 0 where the best point is feasible.
    pub fn largest_violation(&self) -> f64 {
        self.constraints().iter().map(|(constraint, c)| constraint.violation(*c)).fold(0.0, f64::max)
    }

    /// Estimates of the multipliers by the names of the constraints: by how much the best value improves where one may be missed by one
    /// more. None where the method has none, or the best point is not feasible.
    pub fn multipliers(&self) -> Option<Vec<(&str, f64)>> {
        let list = self.plan.constraints.list();
        let found = self.outcome.multipliers.as_ref().filter(|found| found.len() == list.len())?;
        let named = || list.iter().map(Constraint::name).zip(found.iter().copied()).collect();
        (self.outcome.is_feasible() && found.iter().all(|l| l.is_finite())).then(named)
    }

    /// The names of the constraints at whose border the best point lies, or that it violates.
    pub fn active(&self) -> Vec<&str> {
        let active = |(constraint, c): &(&Constraint, f64)| constraint.is_active(*c);
        self.constraints().iter().filter(|pair| active(pair)).map(|(constraint, _)| constraint.name()).collect()
    }

    /// Standard errors of the variables at the best point of a fit, where it has ended.
    pub fn standard_errors(&self) -> Option<Vec<f64>> {
        let covariance = self.outcome.covariance.as_ref()?;
        Some((0..covariance.dim()).map(|j| covariance.row(j)[j].sqrt()).collect())
    }

    /// Correlations of the variables, a row a variable; 0 where one of them has no error.
    pub fn correlation(&self) -> Option<Vec<Vec<f64>>> {
        let covariance = self.outcome.covariance.as_ref()?;
        let errors = self.standard_errors()?;
        let entry = |i: usize, j: usize| match errors[i] * errors[j] {
            product if product > 0.0 => covariance.row(i)[j] / product,
            _ => 0.0,
        };
        Some((0..errors.len()).map(|i| (0..errors.len()).map(|j| entry(i, j)).collect()).collect())
    }

    fn solutions(&self, solutions: &Solutions) -> Value {
        let space = &self.plan.space;
        if let Some(front) = self.front() {
            let found = |f: &Found| json!({ "x": point(space, &f.x), "f": numbers(&f.parts) });
            return json!({
                "kind": self.kind(solutions.kind),
                "objectives": front.objectives,
                "hypervolume": number(front.hypervolume),
                "reference_point": numbers(&front.reference_point),
                "points": solutions.points.iter().map(found).collect::<Vec<_>>(),
            });
        }
        let found = |f: &Found| json!({ "x": point(space, &f.x), "fun": number(f.value), "particles": f.particles });
        let points: Vec<_> = solutions.points.iter().map(found).collect();
        json!({ "kind": self.kind(solutions.kind), "points": points })
    }

    /// What a list of points is called.
    pub fn kind(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Minima if self.plan.study.maximize => "maxima",
            Kind::Minima => "minima",
            Kind::Samples => "samples",
            Kind::Runs => "runs",
            Kind::Front => "front",
        }
    }

    /// What the front that was found is worth, where there are several objectives.
    pub fn front(&self) -> Option<Front> {
        let Aim::Objectives(names) = &self.plan.aim else { return None };
        let sign = if self.plan.study.maximize { -1.0 } else { 1.0 };
        let points = &self.outcome.solutions.as_ref()?.points;
        let mut f = Matrix::empty(names.len());
        points.iter().for_each(|found| f.push(&found.parts.iter().map(|part| sign * part).collect::<Vec<_>>()));
        let known = self.plan.study.problem.as_ref().and_then(|name| problems::entry(name).ok());
        let known = known.and_then(|entry| problems::reference_point(&entry, self.plan.space.dim()));
        let ends = |k: usize| {
            let values = f.iter().map(|row| row[k]);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), t| (low.min(t), high.max(t)))
        };
        let beyond = |k| {
            let (low, high) = ends(k);
            high + BEYOND * (high - low)
        };
        let reference = known.unwrap_or_else(|| (0..names.len()).map(beyond).collect());
        let hypervolume = if self.outcome.is_feasible() { front::hypervolume(f.rows(), &reference) } else { 0.0 };
        let reference_point = reference.into_iter().map(|t| sign * t).collect();
        Some(Front { objectives: names.clone(), hypervolume, reference_point })
    }
}

fn numbers(all: &[f64]) -> Vec<Value> {
    all.iter().map(|&t| number(t)).collect()
}

/// The report as programs read it.
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (study, outcome) = (&self.plan.study, &self.outcome);
        let program = study.program.as_ref().map(|program| program.function.as_ref().unwrap_or(&program.command));
        let problem = study.problem.as_ref().or(program);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("x", &point(&self.plan.space, &outcome.x))?;
        if !self.plan.names.is_empty() {
            map.serialize_entry("names", &self.plan.names)?;
        }
        map.serialize_entry("fun", &number(outcome.fun))?;
        if !self.plan.constraints.list().is_empty() {
            map.serialize_entry("feasible", &outcome.is_feasible())?;
            map.serialize_entry("violation", &number(self.largest_violation()))?;
            let values =
                self.constraints().into_iter().map(|(constraint, c)| (constraint.name().to_owned(), number(c)));
            map.serialize_entry("constraints", &values.collect::<Map<_, _>>())?;
            map.serialize_entry("active", &self.active())?;
            if let Some(multipliers) = self.multipliers() {
                let named = multipliers.into_iter().map(|(name, lambda)| (name.to_owned(), number(lambda)));
                map.serialize_entry("multipliers", &named.collect::<Map<_, _>>())?;
            }
        }
        if self.plan.aim == Aim::Residuals {
            map.serialize_entry("residuals", &numbers(&outcome.parts))?;
            let covariance = outcome.covariance.as_ref();
            map.serialize_entry("covariance", &covariance.map(|c| c.iter().map(numbers).collect::<Vec<_>>()))?;
            map.serialize_entry("standard_errors", &self.standard_errors().map(|errors| numbers(&errors)))?;
            let rows = self.correlation().map(|rows| rows.iter().map(|row| numbers(row)).collect::<Vec<_>>());
            map.serialize_entry("correlation", &rows)?;
        }
        map.serialize_entry("nfev", &outcome.nfev)?;
        map.serialize_entry("ngev", &outcome.ngev)?;
        map.serialize_entry("cost", &outcome.cost)?;
        map.serialize_entry("nit", &outcome.nit)?;
        map.serialize_entry("success", &self.success())?;
        map.serialize_entry("status", &self.status())?;
        map.serialize_entry("message", &outcome.reason.to_string())?;
        map.serialize_entry("summary", &self.summary().json())?;
        map.serialize_entry("account", &outcome.explanation)?;
        match &self.uncertainty {
            None => {}
            Some(Err(why)) => map.serialize_entry("uncertainty", &json!({ "error": why }))?,
            Some(Ok(found)) => {
                let Uncertainty { meaning, errors, points, misses } = found;
                let errors: Vec<Value> = errors.iter().map(|error| error.map_or(Value::Null, number)).collect();
                let assumes = meaning.text(study.maximize);
                let uncertainty = json!({ "standard_errors": errors, "assumes": assumes, "points": points, "misses": number(*misses) });
                map.serialize_entry("uncertainty", &uncertainty)?;
            }
        }
        map.serialize_entry("seed", &study.seed)?;
        map.serialize_entry("method", self.plan.entry.name)?;
        if let Some(runs) = study.runs {
            map.serialize_entry("runs", &runs)?;
        }
        map.serialize_entry("params", &self.plan.parameters())?;
        map.serialize_entry("problem", &problem)?;
        map.serialize_entry("dim", &self.plan.variables())?;
        map.serialize_entry("maximize", &study.maximize)?;
        map.serialize_entry("budget", &self.plan.budget)?;
        map.serialize_entry("minimum", &self.minimum.map(number))?;
        map.serialize_entry("failures", &outcome.failures)?;
        map.serialize_entry("failure_kinds", &outcome.failure_counts)?;
        map.serialize_entry("last_failure", &self.last_failure)?;
        map.serialize_entry("restarts", &self.restarts)?;
        map.serialize_entry("repeated", &self.repeated)?;
        map.serialize_entry("trouble", &self.trouble)?;
        map.serialize_entry("seconds", &outcome.seconds)?;
        map.serialize_entry("answer", &point(&self.plan.space, &outcome.answer))?;
        if let Some(solutions) = &outcome.solutions {
            map.serialize_entry("several", &self.solutions(solutions))?;
        }
        if let Some(noise) = &outcome.noise {
            let (mean, low, high) = (number(noise.mean), number(noise.low), number(noise.high));
            let (evaluations, points) = (noise.evaluations, noise.points);
            let noise = json!({ "mean": mean, "low": low, "high": high, "evaluations": evaluations, "points": points });
            map.serialize_entry("noise", &noise)?;
        }
        map.serialize_entry("version", env!("CARGO_PKG_VERSION"))?;
        map.end()
    }
}
