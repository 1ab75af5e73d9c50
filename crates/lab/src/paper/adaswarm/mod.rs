//! AdaSwarm (Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha 2021): its tables and figures. The CSV files beside
//! these modules hold the paper's printed figures.

#[cfg(feature = "networks")]
pub mod asked_loss;
#[cfg(feature = "burn")]
pub mod black_box;
pub mod collapse;
#[cfg(feature = "networks")]
pub mod convergence;
pub mod descent;
pub mod figure_1;
#[cfg(feature = "networks")]
pub mod figure_2;
pub mod gradient_range;
#[cfg(feature = "burn")]
pub mod image;
#[cfg(feature = "networks")]
mod logistic;
#[cfg(feature = "networks")]
pub mod network;
pub mod stability;
pub mod supp_12;
pub mod supp_14;
#[cfg(feature = "networks")]
pub mod supp_5;
pub mod table_1;
pub mod table_2;
pub mod table_3;
#[cfg(feature = "networks")]
pub mod table_4;
#[cfg(feature = "networks")]
pub mod table_5;
#[cfg(feature = "networks")]
pub mod where_it_helps;

use crate::paper::Preset;
use serde::Serialize;
use serde_json::json;
use swarmgrad::registry::Settings;

/// The numbers of EMPSO.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Numbers {
    /// Pull towards the particle's own best position.
    pub c1: f64,
    /// Pull towards the swarm's best position.
    pub c2: f64,
    /// Share of the old momentum in the new one.
    pub beta: f64,
    /// Whether a particle draws one number a pull, as the published programs do, or one a coordinate.
    pub one_draw: bool,
}

impl Numbers {
    /// Those of a preset: the captions of tables I to III, the published program for tables, or our defaults.
    pub fn of(preset: Preset) -> Self {
        match preset {
            Preset::PaperText => Numbers { c1: 0.8, c2: 0.9, beta: 0.9, one_draw: false },
            Preset::PaperCode => Numbers { c1: 0.9, c2: 0.8, beta: 0.1, one_draw: true },
            Preset::Sound => Numbers { c1: 1.2, c2: 1.2, beta: 0.2, one_draw: false },
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        format!("c1 = {}, c2 = {}, beta = {}", self.c1, self.c2, self.beta)
    }

    /// As the parameters of `empso`, or of `pso` with the inertia 0.1 that the paper's theorem sets to its learning rate.
    pub fn settings(&self, method: &str, particles: usize) -> Settings {
        let draws = if self.one_draw { "per_particle" } else { "per_coordinate" };
        let mut settings = json!({"particles": particles, "c1": self.c1, "c2": self.c2, "draws": draws});
        settings[if method == "pso" { "inertia" } else { "beta" }] =
            json!(if method == "pso" { 0.1 } else { self.beta });
        settings.as_object().cloned().unwrap_or_default()
    }
}
