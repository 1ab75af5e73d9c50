//! The tables and figures of the papers, computed again: what the paper says, what we find, and whether the claim holds.
//!
//! An [`Experiment`] is a line of [`EXPERIMENTS`]. It is run in a [`Session`], which carries the [`Settings`], spreads the
//! units of work (a function, an optimiser, a data set, and a seed) over threads, records each finished unit as one JSON
//! line, and takes from the records what an earlier, broken-off run has finished. Its [`Findings`] are rendered as text,
//! Markdown, a section of an HTML page, or JSON.
//!
//! ```
//! use swarmgrad_lab::paper::{self, Session, Settings};
//!
//! let experiment = paper::entry("adaswarm/stability")?;
//! let findings = Session::new(Settings { quick: true, ..Settings::default() })?.run(experiment)?;
//! assert!(findings.text(100).contains("4 / (1 + beta)"));
//! # Ok::<(), swarmgrad_lab::Error>(())
//! ```
//!
//! An experiment is a function from a session to its findings. All slow work goes through [`Session::units`]:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use swarmgrad_lab::paper::{Findings, Session};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Unit { data: String, optimizer: String, seed: u64 }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Trained { accuracy: f64 }
//!
//! fn run(session: &Session<'_>) -> swarmgrad_lab::Result<Findings> {
//!     let unit = |seed| Unit { data: "iris".into(), optimizer: "adam".into(), seed };
//!     let units: Vec<_> = (0..session.seeds(10, 2)).map(unit).collect();
//!     let trained = session.units("train", &units, |unit| Ok(Trained { accuracy: 0.9 + 1e-3 * unit.seed as f64 }))?;
//!     let mut findings = Findings::new("Accuracy on iris");
//!     findings.note(format!("{} runs", trained.len()));
//!     Ok(findings)
//! }
//! ```

pub mod adaswarm;
pub mod evograd;
mod findings;
pub mod mean_field_pso;
mod printed;
mod session;

pub use findings::{Claim, Findings, Picture, Tabled, Verdict, page};
pub use printed::Printed;
pub use session::{Part, Preset, Session, Settings, Step};

use crate::error::Result;
use swarmgrad::Error;

/// A table or a figure of a paper.
#[derive(Debug)]
pub struct Experiment {
    /// `paper/table or figure`, as users write it.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The preset it has when the user chooses none.
    pub preset: Preset,
    /// What does it.
    pub run: fn(&Session<'_>) -> Result<Findings>,
}

/// A paper whose tables and figures are here.
#[derive(Debug)]
pub struct Paper {
    /// The first half of its experiments' names.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Authors, year and where it was published.
    pub source: &'static str,
}

/// All papers.
pub static PAPERS: &[Paper] = &[
    Paper {
        name: "adaswarm",
        title: "AdaSwarm: Augmenting Gradient-Based Optimizers in Deep Learning With Swarm Intelligence",
        source: "Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha, IEEE TETCI 2021, arXiv 2006.09875, and its supplement",
    },
    Paper {
        name: "mean-field-pso",
        title: "On the Global Convergence of Particle Swarm Optimization Methods",
        source: "Huang, Qiu, Riedl, Applied Mathematics & Optimization 2023",
    },
    Paper {
        name: "evograd",
        title: "EvoGrad: Metaheuristics in a Differentiable Wonderland",
        source: "Citterio, Tangherloni, arXiv 2506.06320, 2025; CEC 2026",
    },
];

/// All experiments, in the order of their papers; those with networks only with the feature `nn`.
pub static EXPERIMENTS: &[Experiment] = &[
    adaswarm::table_1::EXPERIMENT,
    adaswarm::table_2::EXPERIMENT,
    adaswarm::table_3::EXPERIMENT,
    adaswarm::figure_1::EXPERIMENT,
    adaswarm::stability::EXPERIMENT,
    adaswarm::supp_12::EXPERIMENT,
    adaswarm::supp_14::EXPERIMENT,
    #[cfg(feature = "nn")]
    adaswarm::figure_2::EXPERIMENT,
    #[cfg(feature = "nn")]
    adaswarm::table_4::EXPERIMENT,
    #[cfg(feature = "nn")]
    adaswarm::table_5::EXPERIMENT,
    #[cfg(feature = "nn")]
    adaswarm::supp_5::EXPERIMENT,
    #[cfg(feature = "nn")]
    adaswarm::convergence::EXPERIMENT,
    #[cfg(feature = "nn")]
    adaswarm::where_it_helps::EXPERIMENT,
    #[cfg(feature = "nn")]
    adaswarm::black_box::EXPERIMENT,
    #[cfg(feature = "nn")]
    adaswarm::image::CNN,
    #[cfg(feature = "nn")]
    adaswarm::image::RESNET,
    mean_field_pso::figure_1::EXPERIMENT,
    mean_field_pso::figure_2::EXPERIMENT,
    #[cfg(feature = "nn")]
    mean_field_pso::figure_4::EXPERIMENT,
    mean_field_pso::theorem_2_5::EXPERIMENT,
    mean_field_pso::theorem_4_1::EXPERIMENT,
    mean_field_pso::zero_inertia::EXPERIMENT,
    evograd::functions::EXPERIMENT,
    evograd::regressors::EXPERIMENT,
    evograd::without_gradient::EXPERIMENT,
    evograd::ablation::EXPERIMENT,
    evograd::meta::EXPERIMENT,
];

/// The experiment of that name. An unknown name's error suggests the nearest.
pub fn entry(name: &str) -> swarmgrad::Result<&'static Experiment> {
    let known = EXPERIMENTS.iter().find(|experiment| experiment.name == name);
    known.ok_or_else(|| Error::unknown("experiment", name, names()))
}

/// The experiments that a name stands for: one of them, or all of a paper's.
pub fn select(name: &str) -> swarmgrad::Result<Vec<&'static Experiment>> {
    if PAPERS.iter().any(|paper| paper.name == name) {
        return Ok(EXPERIMENTS.iter().filter(|experiment| experiment.paper().name == name).collect());
    }
    entry(name).map(|experiment| vec![experiment])
}

/// What [`select`] knows.
fn names() -> impl Iterator<Item = &'static str> {
    EXPERIMENTS.iter().map(|experiment| experiment.name).chain(PAPERS.iter().map(|paper| paper.name))
}

impl Experiment {
    /// The paper it belongs to.
    pub fn paper(&self) -> &'static Paper {
        let paper = self.name.split('/').next().unwrap_or(self.name);
        PAPERS.iter().find(|known| known.name == paper).expect("an experiment is called paper/table")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paper_slash_table_and_unique() {
        for (i, experiment) in EXPERIMENTS.iter().enumerate() {
            assert!(experiment.name.starts_with(&format!("{}/", experiment.paper().name)), "{}", experiment.name);
            assert!(EXPERIMENTS[..i].iter().all(|other| other.name != experiment.name), "{} twice", experiment.name);
        }
        let all: usize = PAPERS.iter().map(|paper| select(paper.name).unwrap().len()).sum();
        assert_eq!(all, EXPERIMENTS.len());
        assert_eq!(entry("mean-field-pso/figure-2").unwrap().paper().name, "mean-field-pso");
        assert!(select("adaswarm/table-11").unwrap_err().to_string().contains("did you mean 'adaswarm/table-1'?"));
    }
}
