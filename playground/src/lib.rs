//! The playground: any method on any problem of two variables, step by step, for a page that shows it.
//!
//! [`Playground::answer`] takes a request as JSON and answers in JSON; the page sends the requests of [`Request`] through the few
//! functions of `exports`, which exist in WebAssembly only. Here it is ordinary Rust, and answers with the same bits.

#![cfg_attr(not(target_family = "wasm"), forbid(unsafe_code))]

mod control;
#[cfg(target_family = "wasm")]
mod exports;
mod ground;
mod live;

use ground::Ground;
use live::Live;
use serde::Deserialize;
use serde_json::{Value, json};
use swarmgrad::{Error, Result, diff, problems, registry};

/// Samples a side of a landscape at most.
const FINEST: usize = 400;

/// What a page may ask for, `{"do": "step", "rounds": 1}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The methods with their parameters, and the problems.
    List,
    /// Values of a problem on a grid, row by row from low to high x1.
    Landscape {
        /// The problem.
        on: Objective,
        /// Samples a side, 2 to 400.
        side: usize,
    },
    /// Begins a run; one that was begun before is given up.
    Begin(Setting),
    /// Moves the run on by so many rounds at most.
    Step {
        /// Rounds of ask and tell.
        rounds: u64,
    },
    /// A whole run that is not shown: its end, and a checksum of all points and values.
    Run(Setting),
}

/// What is minimised.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// Name of a test problem; or else a formula.
    #[serde(default)]
    pub problem: String,
    /// A formula in x0 and x1.
    #[serde(default)]
    pub formula: String,
    /// Lower and upper bound of both variables; those of the problem where none are given.
    #[serde(default)]
    pub bounds: Option<[[f64; 2]; 2]>,
}

/// A run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What is minimised.
    pub on: Objective,
    /// The method's name.
    pub method: String,
    /// Its parameters as people type them, `particles=20` each.
    #[serde(default)]
    pub set: Vec<String>,
    /// A point to begin with.
    #[serde(default)]
    pub x0: Option<[f64; 2]>,
    /// Seed of all random numbers.
    #[serde(default)]
    pub seed: u64,
    /// Evaluations at most.
    pub budget: u64,
}

/// A page's run, if one has been begun.
#[derive(Default)]
pub struct Playground {
    live: Option<Live>,
}

impl Playground {
    /// Answers a request. What went wrong is `{"error": "..."}`, in the words of the library.
    ///
    /// ```
    /// let mut playground = swarmgrad_playground::Playground::default();
    /// let setting = r#"{"do": "run", "on": {"formula": "x0^2 + x1^2"}, "method": "cma_es", "budget": 500}"#;
    /// assert!(playground.answer(setting).contains("\"evaluations\":"));
    /// assert!(playground.answer(r#"{"do": "step", "rounds": 1}"#).contains("\"error\":"));
    /// ```
    pub fn answer(&mut self, request: &str) -> String {
        let unread = |why: serde_json::Error| Error::parameter("request", format!("'{request}'"), why.to_string());
        let answer = serde_json::from_str(request).map_err(unread).and_then(|request| self.find(request));
        answer.unwrap_or_else(|why| json!({ "error": why.to_string() })).to_string()
    }

    fn find(&mut self, request: Request) -> Result<Value> {
        match request {
            Request::List => Ok(list()),
            Request::Landscape { on, side } => {
                if !(2..=FINEST).contains(&side) {
                    return Err(Error::parameter("side", side, format!("must be from 2 to {FINEST}")));
                }
                Ok(Ground::new(&on)?.landscape(side))
            }
            Request::Begin(setting) => {
                self.live = None;
                let live = self.live.insert(Live::new(&setting)?);
                Ok(live.frame())
            }
            Request::Step { rounds } => {
                let rule = || Error::Missing { name: "run".into(), rule: "none has been begun".into() };
                let live = self.live.as_mut().ok_or_else(rule)?;
                live.step(rounds)?;
                Ok(live.frame())
            }
            Request::Run(setting) => {
                let mut live = Live::new(&setting)?;
                live.step(u64::MAX)?;
                Ok(live.end())
            }
        }
    }
}

/// The methods with their parameters, and the problems that can have two variables and one value.
fn list() -> Value {
    let method = |entry: &'static registry::Entry| -> Value {
        let gradients = diff::registry::ENTRIES.iter().any(|known| known.name == entry.name);
        let parameters: Vec<Value> = entry.parameters().iter().map(control::of).collect();
        let preset = |(name, about, settings): &(&str, &str, &str)| {
            let settings: Value = serde_json::from_str(settings).unwrap_or_default();
            json!({ "name": name, "about": about, "settings": settings })
        };
        json!({
            "name": entry.name,
            "summary": entry.summary,
            "paper": entry.paper,
            "gradients": gradients,
            "presets": entry.presets.iter().map(preset).collect::<Vec<_>>(),
            "parameters": parameters,
        })
    };
    let problem = |entry: &problems::Entry| -> Option<Value> {
        let on = Objective { problem: entry.name.into(), formula: String::new(), bounds: None };
        let ground = Ground::new(&on).ok()?;
        Some(json!({
            "name": entry.name,
            "title": entry.title,
            "formula": entry.formula,
            "source": entry.source,
            "about": entry.about,
            "bounds": ground.bounds(),
            "minimum": ground.minimum(),
            "minimizers": ground.minimizers(),
            "constraints": ground.constraints(),
        }))
    };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "methods": registry::entries().map(method).collect::<Vec<_>>(),
        "default": registry::DEFAULT,
        "problems": problems::all().filter_map(problem).collect::<Vec<_>>(),
    })
}
