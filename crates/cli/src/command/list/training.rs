//! `list training`: what trains networks without gradients.

use super::worded;
use serde_json::{Value, json};
use swarmgrad::algorithms::parameters::{Parameter, Parameters};
use swarmgrad::algorithms::particle::batched::Params;
use swarmgrad::registry;
use swarmgrad_lab::table::{Rules, Table};
use swarmgrad_nn::train::SWARMS;

/// The parameters of a swarm that trains networks; [`SWARMS`] has its name. The batch of data is the option --batch.
fn parameters(swarm: &str) -> Vec<Parameter> {
    let usual = match swarm {
        "pso_sde" => Params::default(),
        "cbo" => Params::cbo(),
        other => return registry::entry(other).map(registry::Entry::parameters).unwrap_or_default(),
    };
    let values = serde_json::to_value(usual).unwrap_or_default();
    let table = Params::table().into_iter().filter(|p| p.name != "data_batch");
    table.map(|p| Parameter { default: values[p.name].clone(), ..p }).collect()
}

const DEVIATION: &str = "Standard deviation of the first weights.";

pub fn text() -> String {
    let mut swarms = Table::new(["method", "what it is"]);
    for (name, about) in SWARMS {
        swarms.row([name, about]);
    }
    let mut table = Table::new(["parameter", "symbol", "pso_sde", "cbo", "range", "what it is"]);
    for (p, cbo) in parameters("pso_sde").iter().zip(parameters("cbo")) {
        table.row([p.name, p.symbol, &worded(&p.default), &worded(&cbo.default), &p.range, p.about]);
    }
    table.row(["deviation", "", "1", "1", ">= 0", DEVIATION]);
    format!(
        "{}\nParameters of pso_sde and cbo, each set with --set NAME=VALUE:\n\n{}\n\
         The others have deviation too, 0.1 unless set, and what `swarmgrad list NAME` shows.\n\n\
         Try: swarmgrad train iris --method pso_sde --set inertia=0.4\n",
        swarms.text(Rules::Unicode),
        table.text(Rules::Unicode)
    )
}

pub fn json() -> Value {
    let swarm = |(name, about)| {
        let usual = if matches!(name, "pso_sde" | "cbo") { 1.0 } else { 0.1 };
        let deviation = json!({ "name": "deviation", "default": usual, "range": ">= 0", "about": DEVIATION });
        let parameters = parameters(name).into_iter().map(|p| json!(p)).chain([deviation]);
        json!({ "name": name, "summary": about, "parameters": parameters.collect::<Value>() })
    };
    SWARMS.into_iter().map(swarm).collect()
}

/// Losses by name.
pub fn losses() -> Vec<(&'static str, &'static str)> {
    swarmgrad_nn::loss::LOSSES.iter().map(|loss| (loss.name, loss.about)).collect()
}

/// Optimisers by name.
pub fn optimizers() -> Vec<(&'static str, &'static str)> {
    swarmgrad_nn::optim::OPTIMIZERS.iter().map(|optimizer| (optimizer.name, optimizer.about)).collect()
}

/// Data sets by name.
pub fn data() -> Vec<(&'static str, &'static str)> {
    swarmgrad_nn::data::catalog::ENTRIES.iter().map(|set| (set.name, set.about)).collect()
}
