//! All papers and experiments by name.

use super::experiment::{Experiment, Paper};
use super::{adaswarm, evograd, mean_field_pso};
use swarmgrad::Error;

/// All papers.
pub static PAPERS: &[Paper] = &[
    Paper {
        name: "adaswarm",
        title: "AdaSwarm: Augmenting Gradient-Based Optimizers in Deep Learning With Swarm Intelligence",
        source: "Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha, IEEE TETCI 2021, arXiv 2006.09875, and its supplement",
        tables: true,
    },
    Paper {
        name: "mean-field-pso",
        title: "On the Global Convergence of Particle Swarm Optimization Methods",
        source: "Huang, Qiu, Riedl, Applied Mathematics & Optimization 2023",
        tables: true,
    },
    Paper {
        name: "evograd",
        title: "EvoGrad: Metaheuristics in a Differentiable Wonderland",
        source: "Citterio, Tangherloni, arXiv 2506.06320, 2025; CEC 2026",
        tables: false,
    },
];

/// All experiments, in the order of their papers; those with networks only with the feature `networks`, those on the tensor library
/// only with `burn`.
pub static EXPERIMENTS: &[Experiment] = &[
    adaswarm::table_1::EXPERIMENT,
    adaswarm::table_2::EXPERIMENT,
    adaswarm::table_3::EXPERIMENT,
    adaswarm::figure_1::EXPERIMENT,
    adaswarm::stability::EXPERIMENT,
    adaswarm::supp_12::EXPERIMENT,
    adaswarm::supp_14::EXPERIMENT,
    adaswarm::gradient_range::EXPERIMENT,
    #[cfg(feature = "networks")]
    adaswarm::figure_2::EXPERIMENT,
    #[cfg(feature = "networks")]
    adaswarm::table_4::EXPERIMENT,
    #[cfg(feature = "networks")]
    adaswarm::table_5::EXPERIMENT,
    #[cfg(feature = "networks")]
    adaswarm::supp_5::EXPERIMENT,
    #[cfg(feature = "networks")]
    adaswarm::convergence::EXPERIMENT,
    #[cfg(feature = "networks")]
    adaswarm::where_it_helps::EXPERIMENT,
    #[cfg(feature = "networks")]
    adaswarm::asked_loss::EXPERIMENT,
    #[cfg(feature = "burn")]
    adaswarm::black_box::EXPERIMENT,
    #[cfg(feature = "burn")]
    adaswarm::image::CNN,
    #[cfg(feature = "burn")]
    adaswarm::image::RESNET,
    mean_field_pso::figure_1::EXPERIMENT,
    mean_field_pso::figure_2::EXPERIMENT,
    #[cfg(feature = "networks")]
    mean_field_pso::figure_4::EXPERIMENT,
    mean_field_pso::limit::EXPERIMENT,
    mean_field_pso::moments::EXPERIMENT,
    mean_field_pso::swarm_size::EXPERIMENT,
    mean_field_pso::theorem_2_5::EXPERIMENT,
    mean_field_pso::theorem_4_1::EXPERIMENT,
    mean_field_pso::zero_inertia::EXPERIMENT,
    evograd::functions::EXPERIMENT,
    evograd::regressors::EXPERIMENT,
    evograd::without_gradient::EXPERIMENT,
    evograd::ablation::EXPERIMENT,
    evograd::meta::EXPERIMENT,
    evograd::selection::EXPERIMENT,
    evograd::cec_2017::EXPERIMENT,
];

/// The names of those with networks.
static NETWORKS: &[&str] = &[
    "adaswarm/figure-2",
    "adaswarm/table-4",
    "adaswarm/table-5",
    "adaswarm/supp-5",
    "adaswarm/convergence",
    "adaswarm/where-it-helps",
    "adaswarm/asked-loss",
    "mean-field-pso/figure-4",
];
/// The names of those on the tensor library.
static TENSOR: &[&str] = &["adaswarm/black-box", "adaswarm/cnn-mnist", "adaswarm/resnet18"];

/// What an error says of an experiment with networks in a build without the feature `networks`.
#[cfg(not(feature = "networks"))]
const LEFT_OUT: &str = "is about networks, which this build leaves out: `swarmgrad reproduce` of the program has it";
#[cfg(feature = "networks")]
use swarmgrad_nn::NEEDS_BURN as LEFT_OUT;

/// The names of the experiments that this build lacks: those with networks without the feature `networks`, those on the tensor
/// library without `burn`.
pub fn missing() -> impl Iterator<Item = &'static str> {
    let known = |name: &str| EXPERIMENTS.iter().any(|experiment| experiment.name == name);
    NETWORKS.iter().chain(TENSOR).copied().filter(move |name| !known(name))
}

/// The experiment of that name. An unknown name's error suggests the nearest, a missing one's says how to get it.
pub fn entry(name: &str) -> swarmgrad::Result<&'static Experiment> {
    if missing().any(|missing| missing == name) {
        return Err(Error::parameter("experiment", name, LEFT_OUT));
    }
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
    fn those_that_a_build_may_lack_are_named() {
        let lines: Vec<&str> = include_str!("registry.rs").lines().map(str::trim).collect();
        for (feature, on, names) in
            [("networks", cfg!(feature = "networks"), NETWORKS), ("burn", cfg!(feature = "burn"), TENSOR)]
        {
            let mark = format!("#[cfg(feature = \"{feature}\")]");
            let marked =
                lines.windows(2).filter(|pair| pair[0] == mark && pair[1].contains("::") && pair[1].ends_with(','));
            assert_eq!(names.len(), marked.count(), "{feature}");
            assert!(names.iter().all(|name| EXPERIMENTS.iter().any(|e| e.name == *name) == on), "{feature}");
            assert!(names.iter().all(|name| missing().any(|missing| missing == *name) != on), "{feature}");
        }
    }

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
