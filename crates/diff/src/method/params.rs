//! Parameters of the differentiable methods: the plain method's and what gradients are used for, as one table.

use super::selection::Added;
use crate::learn::Loss;
use crate::schedule::Schedule;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use swarmgrad_algorithms::parameters::{Parameter, Parameters};
use swarmgrad_algorithms::{choice, parameters};
use swarmgrad_core::Result;

choice! {
    /// What gradients are used for.
    pub enum Mode {
        /// Nothing: the plain method.
        Classical = "classical",
        /// Learning the method's numbers.
        Adaptive = "adaptive",
        /// Moving the points.
        Diff = "diff",
        /// Both.
        Full = "full",
        /// Steps of the best few.
        Hybrid = "hybrid",
    }
}

choice! {
    /// Where the slopes of the best come from.
    pub enum Slopes {
        /// The run's source of gradients, at its price.
        Source = "source",
        /// A fit of the population's points and values, which costs nothing.
        Population = "population",
    }
}

parameters! {
    /// What a differentiable method has beside the plain one's parameters.
    pub struct Params {
        /// What gradients are used for; null for hybrid where there are gradients, else classical.
        mode "": Option<Mode> = None, Choice(Mode::WORDS);
        /// Share of the population that takes gradient steps (hybrid).
        elite "q": f64 = 0.1, Within(0.0, 1.0);
        /// Where slopes come from: the run's source, or at no cost a fit of the population's own points and values (hybrid).
        slopes "": Slopes = Slopes::Source, Choice(Slopes::WORDS);
        /// Pairs that a point remembers for secant steps (hybrid); 0 for none.
        pairs "m": usize = 8, Within(0.0, 1000.0);
        /// Probability of a secant step where there are pairs (hybrid).
        secant "p_s": f64 = 0.6, Within(0.0, 1.0);
        /// Probability that another step is down the gradient itself, not shaped by the population (hybrid).
        raw "p_r": f64 = 0.5, Within(0.0, 1.0);
        /// First length of gradient steps, in radii of the population; 0 for none (diff, full).
        step "Delta(0)": f64 = 0.5, AtLeast(0.0);
        /// Learning rate of the method's numbers; 0 for none (adaptive, full).
        learning_rate "": f64 = 0.01, AtLeast(0.0);
        /// The number that is differentiated (adaptive, diff, full).
        loss "Phi": Loss = Loss::Softmin, Choice(Loss::WORDS);
        /// Temperature of softmin, in standard deviations of the values.
        loss_temperature "tau_L": f64 = 0.2, Above(0.0);
        /// Temperature of straight-through decisions in derivatives.
        temperature "tau": f64 = 0.5, Above(0.0);
    }
}

/// The parameters of a plain method and those of its differentiable version, as one table.
#[derive(Debug, Clone, Default)]
pub struct Both<P, A> {
    /// The plain method's.
    pub plain: P,
    /// What its differentiable version adds.
    pub added: A,
    /// What gradients are used for.
    pub own: Params,
    /// The plain method's numbers over the course of the run.
    pub schedule: Option<Schedule>,
}

/// The name of [`Both::schedule`] among the parameters.
const SCHEDULE: &str = "schedule";

fn schedule_parameter() -> Parameter {
    Parameter {
        name: SCHEDULE,
        symbol: "",
        default: Value::Null,
        range: "null, or a schedule: a file of `learn` or its JSON".into(),
        whole: false,
        about: "The method's numbers by the share of the budget that is spent (classical, diff, hybrid); null for constant ones.",
    }
}

impl<P: Parameters, A: Added> Parameters for Both<P, A> {
    fn table() -> Vec<Parameter> {
        P::table().into_iter().chain(A::table()).chain(Params::table()).chain([schedule_parameter()]).collect()
    }

    fn check(&self) -> Result<()> {
        self.plain.check()?;
        self.added.check()?;
        self.own.check()?;
        self.schedule.as_ref().map_or(Ok(()), Schedule::check)
    }
}

impl<P: Serialize, A: Serialize> Serialize for Both<P, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let (plain, added) = (serde_json::to_value(&self.plain), serde_json::to_value(&self.added));
        let mut all = Map::new();
        for part in [plain, added, serde_json::to_value(&self.own)] {
            if let Value::Object(map) = part.map_err(serde::ser::Error::custom)? {
                all.extend(map);
            }
        }
        let schedule = serde_json::to_value(&self.schedule).map_err(serde::ser::Error::custom)?;
        all.insert(SCHEDULE.into(), schedule);
        all.serialize(serializer)
    }
}

impl<'de, P: DeserializeOwned, A: Added> Deserialize<'de> for Both<P, A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let [own, added] = [Params::table(), A::table()].map(|table| table.iter().map(|p| p.name).collect::<Vec<_>>());
        let mut all: Map<String, Value> = Map::deserialize(deserializer)?;
        let schedule = match all.remove(SCHEDULE) {
            Some(Value::String(path)) => Some(Schedule::load(path).map_err(D::Error::custom)?),
            Some(json) => serde_json::from_value(json).map_err(D::Error::custom)?,
            None => None,
        };
        let mut take = |names: &[&str]| {
            let of_them = |name: &&str| all.remove(*name).map(|value| ((*name).to_owned(), value));
            Value::Object(names.iter().filter_map(of_them).collect())
        };
        let own = serde_json::from_value(take(&own)).map_err(D::Error::custom)?;
        let added = serde_json::from_value(take(&added)).map_err(D::Error::custom)?;
        let plain = serde_json::from_value(Value::Object(all)).map_err(D::Error::custom)?;
        Ok(Both { plain, added, own, schedule })
    }
}
