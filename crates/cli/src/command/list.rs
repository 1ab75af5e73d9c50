//! `list`: the methods, the problems, and everything about one of them.

mod training;

use crate::DONE;
use crate::output::{self, aligned, number, short};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;
use swarmgrad::Error;
use swarmgrad::algorithms::gradient::SOURCES;
use swarmgrad::problems::{self, Dims};
use swarmgrad::registry;
use swarmgrad_lab::table::{Rules, Table};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad list methods
  swarmgrad list problems
  swarmgrad list pso_sde          parameters with symbol, default and range, presets, paper
  swarmgrad list rastrigin        formula, domain, minimum, source
  swarmgrad list training         what trains networks without gradients (train --method), with parameters
  swarmgrad list losses           also gradients, optimizers, data
  swarmgrad list methods --json";

/// What to list.
#[derive(Args, Debug)]
pub struct List {
    /// `methods`, `problems`, the name of one of them, `gradients`, `training` for those of train --method, `losses`, `optimizers` or
    /// `data`
    #[arg(default_value = "methods")]
    what: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let (text, value) = match &*self.what {
            "methods" | "method" => (methods(), registry::entries().map(method_json).collect()),
            "problems" | "problem" => (all_problems(), problems::all().map(problem_json).collect()),
            "gradients" => table("gradient", &gradients(), "swarmgrad minimize levy -m diff_pso --gradient proximal"),
            name @ ("training" | "losses" | "optimizers" | "data") => networks(name),
            name => match (registry::entry(name), problems::entry(name)) {
                (Ok(entry), _) => (method(entry), method_json(entry)),
                (_, Ok(entry)) => (problem(&entry), problem_json(&entry)),
                _ => {
                    let problems = problems::all().map(|e| e.name);
                    let known = registry::entries().map(|e| e.name).chain(problems);
                    return Err(Error::unknown(
                        "method or problem",
                        name,
                        known.chain(["methods", "problems", "gradients", "training", "losses", "optimizers", "data"]),
                    )
                    .into());
                }
            },
        };
        if self.json {
            output::print_json(&value)?
        } else {
            output::print(&text)?
        }
        Ok(ExitCode::from(DONE))
    }
}

/// What there is to train networks with.
fn networks(what: &str) -> (String, Value) {
    match what {
        "losses" => table("loss", &training::losses(), "swarmgrad train iris --loss mae"),
        "optimizers" => table("optimizer", &training::optimizers(), "swarmgrad train iris --optimizer adam,adaswarm"),
        "data" => table("data", &training::data(), "swarmgrad train iris"),
        _ => (training::text(), training::json()),
    }
}

/// Names and what they are, as text and as JSON.
fn table(what: &str, rows: &[(&str, &str)], example: &str) -> (String, Value) {
    let mut table = Table::new([what, "what it is"]);
    for (name, about) in rows {
        table.row([*name, *about]);
    }
    let json = rows.iter().map(|(name, about)| json!({ "name": name, "summary": about })).collect();
    (format!("{}\nTry: {example}\n", table.text(Rules::Unicode)), json)
}

/// Where a method that uses gradients may have them from.
fn gradients() -> Vec<(&'static str, &'static str)> {
    let own = [("formula", "the test problem's own derivative"), ("none", "no gradient")];
    own.into_iter().chain(SOURCES.iter().map(|source| (source.name, source.summary))).collect()
}

fn methods() -> String {
    let mut table = Table::new(["method", "what it is", "paper"]);
    for entry in registry::entries() {
        table.row([entry.name, entry.summary, entry.paper]);
    }
    let more = "swarmgrad list NAME shows a method's parameters.";
    format!("{}\n{more}\n", table.text(Rules::Unicode))
}

fn all_problems() -> String {
    let mut table = Table::new(["problem", "variables", "what it is good for"]);
    for entry in problems::all() {
        table.row([entry.name, &dims(entry.dims), entry.about]);
    }
    let more = "swarmgrad list NAME shows a problem's formula, domain and minimum.";
    format!("{}\n{more}\n", table.text(Rules::Unicode))
}

fn dims(dims: Dims) -> String {
    match dims {
        Dims::Any { min: 1 } => "any".into(),
        Dims::Any { min } => format!("{min} or more"),
        Dims::Exactly(only) => only.to_string(),
        Dims::Among(all) => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// A parameter's value as people read it.
fn worded(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), short),
        Value::Null => "none".into(),
        other => other.to_string(),
    }
}

fn method(entry: &registry::Entry) -> String {
    let mut table = Table::new(["parameter", "symbol", "default", "range", "what it is"]);
    for p in entry.parameters() {
        table.row([p.name, p.symbol, &worded(&p.default), &p.range, p.about]);
    }
    let mut text =
        format!("{}: {}\nPaper: {}\n\n{}", entry.name, entry.summary, entry.paper, table.text(Rules::Unicode));
    text += "\nEach is set with --set NAME=VALUE. The first points are chosen with --start or --x0.\n";
    if !entry.presets.is_empty() {
        let presets =
            entry.presets.iter().map(|(name, what, json)| (format!("--set preset={name}"), format!("{what}\n{json}")));
        text += &format!("\nPresets, over which further --set win:\n{}", aligned(&presets.collect::<Vec<_>>(), 2));
    }
    text += &format!("\nTry: swarmgrad minimize rastrigin --dim 10 --method {}\n", entry.name);
    text
}

fn method_json(entry: &registry::Entry) -> Value {
    let presets = entry.presets.iter().map(|(name, about, text)| {
        json!({"name": name, "about": about, "params": serde_json::from_str::<Value>(text).unwrap_or_default()})
    });
    json!({
        "name": entry.name, "summary": entry.summary, "paper": entry.paper, "parameters": entry.parameters(),
        "presets": presets.collect::<Value>(),
    })
}

fn problem(entry: &problems::Entry) -> String {
    let pairs: Vec<_> = entry.domain.iter().map(|(lo, hi)| format!("{}:{}", short(*lo), short(*hi))).collect();
    let every = if !matches!(entry.dims, Dims::Exactly(_)) && pairs.len() == 1 { " for every variable" } else { "" };
    let dim = if entry.dims.allows(2) { 2 } else { entry.dims.least() };
    let space = entry.space::<f64>(dim);
    let variables: Vec<String> = space.iter().flat_map(|space| space.variables()).map(ToString::to_string).collect();
    let domain = if variables.is_empty() { format!("{}{every}", pairs.join(", ")) } else { variables.join(", ") };
    let mut lines = vec![
        ("about", entry.about.to_owned()),
        ("formula", entry.formula.to_owned()),
        ("variables", dims(entry.dims)),
        ("domain", domain),
    ];
    if let Ok(built) = entry.build::<f64>(dim, None) {
        if let Some(minimum) = built.minimum() {
            lines.push(("minimum", format!("{} in {dim} variable{}", short(minimum), if dim == 1 { "" } else { "s" })));
        }
        let points =
            built.minimizers().iter().take(6).map(|x| x.iter().map(|&t| short(t)).collect::<Vec<_>>().join("  "));
        lines.push(("at x", points.collect::<Vec<_>>().join("\n")));
    }
    if entry.instance.is_some() {
        lines.push(("instances", format!("any number from 1 on, written behind the name: {}/i3", entry.name)));
    }
    lines.push(("gradient", if entry.differentiable { "analytic" } else { "none" }.into()));
    lines.push(("source", entry.source.to_owned()));
    let lines: Vec<_> = lines.into_iter().map(|(name, what)| (name.to_owned(), what)).collect();
    format!("{entry} ({})\n\n{}\nTry: swarmgrad minimize {entry}\n", entry.title, aligned(&lines, 2))
}

fn problem_json(entry: &problems::Entry) -> Value {
    let (least, most) = match entry.dims {
        Dims::Any { min } => (min, None),
        Dims::Exactly(only) => (only, Some(only)),
        Dims::Among(all) => (entry.dims.least(), all.last().copied()),
    };
    let dim = if entry.dims.allows(2) { 2 } else { least };
    let built = entry.build::<f64>(dim, None).ok();
    json!({
        "name": entry.to_string(), "title": entry.title, "about": entry.about, "formula": entry.formula, "source": entry.source,
        "min_dim": least, "max_dim": most, "differentiable": entry.differentiable,
        "domain": entry.domain.iter().map(|(lo, hi)| json!([number(*lo), number(*hi)])).collect::<Value>(),
        "example": {
            "dim": dim, "minimum": built.as_ref().and_then(|p| p.minimum()).map(number),
            "minimizers": built.as_ref().map(|p| p.minimizers().iter().map(|x| output::numbers(x)).collect::<Value>()),
        },
    })
}
