//! What [`crate::meta`] needs of a method.

use super::frame::{Base, Differentiable, Steered};
use crate::learn::Learnable;
use swarmgrad_algorithms::method::{Entry, Method};
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_core::{Error, Result, Space};

type Build = fn(&Entry, &Space<f64>, Option<u64>, &Settings) -> Result<Box<dyn Steered>>;

/// A method with its learnable numbers.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) learnables: &'static [Learnable],
    entry: Entry,
    build: Build,
}

impl Subject {
    /// The subject of a row of the table.
    pub(crate) const fn of<B: Base<f64>>(entry: Entry) -> Self {
        Subject { name: B::LABEL, learnables: B::THETA, entry, build: build::<B> }
    }

    /// Builds the method as [`Entry::build`] does.
    pub(crate) fn build(
        &self,
        space: &Space<f64>,
        budget: Option<u64>,
        settings: &Settings,
    ) -> Result<Box<dyn Steered>> {
        (self.build)(&self.entry, space, budget, settings)
    }
}

fn build<B: Base<f64>>(
    entry: &Entry,
    space: &Space<f64>,
    budget: Option<u64>,
    settings: &Settings,
) -> Result<Box<dyn Steered>> {
    let (start, settings) = entry.resolve(settings)?;
    let params = serde_json::from_value(settings.into())
        .map_err(|why| Error::parameter("settings", B::LABEL, why.to_string()))?;
    Ok(Box::new(Differentiable::<f64, B>::new(space, start, budget, params)?))
}
