//! What the points of a journal mean: the variables with their names, scales and words, and the constraints.

use crate::plot::{Axis, Scale};
use crate::table::significant;
use swarmgrad::study::Study;
use swarmgrad::study::constraint::Constraints;
use swarmgrad::{Constraint, Space, Typed, VariableKind, problems, violation};

/// Test problems of more variables are not built to ask for their constraints: a journal is a file like any other.
const MOST_VARIABLES: usize = 200;
/// A whole variable of no more values is drawn as words are.
const FEW: u64 = 12;

/// A variable as pictures and tables show it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// How its values are spread.
    pub scale: Scale,
    /// Its words, in place of which values are numbers from 0 on; none of a number.
    pub words: Vec<String>,
    /// Its ends, where both are known and finite.
    pub ends: Option<(f64, f64)>,
    /// Whether it never changes.
    pub fixed: bool,
}

impl Shown {
    fn of(name: &str, kind: &VariableKind) -> Self {
        let shown = Shown { name: name.into(), ..Shown::default() };
        let finite = |low: f64, high: f64| (low.is_finite() && high.is_finite() && low < high).then_some((low, high));
        match kind {
            VariableKind::Real { lower, upper } | VariableKind::Sorted { lower, upper, .. } => {
                Shown { ends: finite(*lower, *upper), ..shown }
            }
            VariableKind::Simplex { .. } => Shown { ends: Some((0.0, 1.0)), ..shown },
            VariableKind::Log { lower, upper } => Shown { scale: Scale::Log, ends: finite(*lower, *upper), ..shown },
            VariableKind::Whole { lower, upper, step } => {
                let few = upper.abs_diff(*lower) / step < FEW;
                let values = (*lower..=*upper).step_by(*step as usize);
                let words = if few { values.map(|k| k.to_string()).collect() } else { Vec::new() };
                Shown { words, ends: finite(*lower as f64, *upper as f64), ..shown }
            }
            VariableKind::Choice { of, .. } => Shown { words: of.clone(), ..shown },
            VariableKind::Flag => Shown { words: vec!["false".into(), "true".into()], ..shown },
            VariableKind::Fixed(value) => Shown { words: vec![value.to_string()], fixed: true, ..shown },
        }
    }

    /// The place of a value on the axis.
    fn place(&self, value: &Typed) -> f64 {
        let word = |word: &str| self.words.iter().position(|known| known == word).map_or(f64::NAN, |k| k as f64);
        match value {
            Typed::Number(t) if self.words.is_empty() => *t,
            Typed::Whole(k) if self.words.is_empty() => *k as f64,
            other => word(&other.to_string()),
        }
    }

    /// A value as people read it.
    pub fn text(&self, value: f64) -> String {
        match self.words.get(value as usize) {
            Some(word) if !value.is_nan() => word.clone(),
            _ => significant(value, 6),
        }
    }

    /// The axis on which its values lie.
    pub fn axis(&self) -> Axis {
        match self.words.is_empty() {
            true => Axis { label: self.name.clone(), scale: self.scale, range: self.ends, ..Axis::default() },
            false => Axis::of_words(self.name.clone(), self.words.clone()),
        }
    }
}

/// The variables of a run, and what tells feasible points.
#[derive(Debug, Clone, Default)]
pub struct Meaning {
    /// The variables.
    pub variables: Vec<Shown>,
    /// The constraints, where there are any.
    pub constraints: Vec<Constraint>,
    space: Option<Space>,
    dim: usize,
}

impl Meaning {
    /// What points of `dim` coordinates with so many values of constraints mean in this study, as far as it can be read.
    pub fn of(study: Option<&Study>, names: &[String], dim: usize, constraints: usize) -> Self {
        let study = study.filter(|study| study.dim.is_none_or(|given| given <= dim.saturating_add(MOST_VARIABLES)));
        let space: Option<Space> = study.and_then(|study| study.space().ok()).filter(|space| space.dim() == dim);
        let typed = space.as_ref().filter(|space| !space.variables().is_empty());
        let variables = match typed {
            Some(space) => space.variables().iter().map(|v| Shown::of(v.name(), v.kind())).collect(),
            None => {
                let kind = |j: usize| {
                    let ends = space.as_ref().map(|space| (space.lower()[j], space.upper()[j]));
                    let (lower, upper) = ends.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                    VariableKind::Real { lower, upper }
                };
                let name = |j: usize| names.get(j).filter(|_| names.len() == dim).cloned();
                (0..dim).map(|j| Shown::of(&name(j).unwrap_or_else(|| format!("x{j}")), &kind(j))).collect()
            }
        };
        let known = study.filter(|_| constraints > 0).and_then(|study| limits(study, names, space.as_ref()?));
        let unnamed = || (0..constraints).map(|k| Constraint::at_most(format!("c{k}"))).collect();
        // A program may answer with values that no constraint uses.
        let list = known.filter(|list| list.is_empty() || list.len() == constraints).unwrap_or_else(unnamed);
        Meaning { variables, constraints: list, space: typed.cloned(), dim }
    }

    /// The places of a point on the axes.
    ///
    /// # Errors
    /// A point of another number of coordinates than the first.
    pub fn places(&self, x: &[f64]) -> Result<Vec<f64>, String> {
        if x.len() != self.dim {
            return Err(format!("a point of {} coordinates, and those before it have {}", x.len(), self.dim));
        }
        Ok(match &self.space {
            None => x.to_vec(),
            Some(space) => self.variables.iter().zip(space.decode(x)).map(|(v, value)| v.place(&value)).collect(),
        })
    }

    /// How much a point violates the constraints.
    pub fn violation(&self, values: &[f64]) -> f64 {
        if self.constraints.is_empty() { 0.0 } else { violation(&self.constraints, values) }
    }
}

fn limits(study: &Study, names: &[String], space: &Space) -> Option<Vec<Constraint>> {
    let own = match &study.problem {
        Some(name) if space.dim() <= MOST_VARIABLES => {
            problems::entry(name).ok()?.build::<f64>(space.dim(), None).ok()?.constraints().to_vec()
        }
        _ => Vec::new(),
    };
    let (program, tolerance) = (study.program.is_some(), study.constraint_tolerance);
    let all = Constraints::new(&own, &study.constraints, names, space, program, tolerance).ok()?;
    Some(all.list().to_vec())
}
