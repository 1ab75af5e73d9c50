//! A source of gradients by name: what a table knows of it.

use crate::parameters::{Parameter, Parameters, Settings};
use serde_json::Value;
use swarmgrad_core::{Error, GradientSource, Problem, Result};

/// Builds a source from its settings.
type Build = for<'a> fn(&'a dyn Problem, &Settings) -> Result<Box<dyn GradientSource + 'a>>;

/// A source of gradients of any problem, by name.
#[derive(Debug)]
pub struct Source {
    /// Its name, the same everywhere.
    pub name: &'static str,
    /// One line: what it is.
    pub summary: &'static str,
    pub(super) table: fn() -> Vec<Parameter>,
    pub(super) build: Build,
}

impl Source {
    /// The source's parameters with symbol, default and range.
    pub fn parameters(&self) -> Vec<Parameter> {
        (self.table)()
    }

    /// The source for a problem; what the settings do not name has its default.
    ///
    /// ```
    /// use swarmgrad_algorithms::gradient;
    /// use swarmgrad_core::{Function, Rng, Space};
    /// let bowl = Function::new(Space::cube(2, -5.0, 5.0)?, |x: &[f64]| x[0] * x[0] + x[1] * x[1]);
    /// let settings = serde_json::from_str(r#"{ "sides": "forward" }"#).unwrap();
    /// let mut source = gradient::source("differences")?.build(&bowl, &settings)?;
    /// let mut out = [0.0; 2];
    /// assert_eq!(source.gradient(&[1.0, 2.0], &mut out, &Rng::new(1)).evaluations, 3);
    /// # Ok::<(), swarmgrad_core::Error>(())
    /// ```
    pub fn build<'a>(&self, problem: &'a dyn Problem, settings: &Settings) -> Result<Box<dyn GradientSource + 'a>> {
        (self.build)(problem, settings)
    }
}

/// The parameters that `base` and the settings over it make.
pub(super) fn read<P: Parameters>(name: &str, base: P, settings: &Settings) -> Result<P> {
    let table = P::table();
    let mut all = serde_json::to_value(base).unwrap_or_default();
    for (key, value) in settings {
        let Some(parameter) = table.iter().find(|p| p.name == key) else {
            return Err(Error::unknown(&format!("parameter of {name}"), key, table.iter().map(|p| p.name)));
        };
        let whole = value.as_f64().filter(|t| parameter.whole && t.fract() == 0.0 && (0.0..1e15).contains(t));
        all[key] = whole.map_or_else(|| value.clone(), |number| Value::from(number as u64));
        // One parameter at a time, so that the error names it.
        serde_json::from_value::<P>(all.clone())
            .map_err(|why| Error::parameter(key, value, format!("must be {} ({why})", parameter.range)))?;
    }
    serde_json::from_value(all).map_err(|why| Error::parameter("settings", name, why.to_string()))
}
