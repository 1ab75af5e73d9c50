//! How good a trained network is, in figures that can be stored and compared.

use super::Score;
use crate::data::Preprocessing;
use crate::metric;
use crate::model::Output;
use serde::{Deserialize, Serialize};
use swarmgrad_core::{Error, Matrix, Result, number};

/// How good a network is on some rows; a figure that does not apply is absent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The mean loss.
    #[serde(with = "number")]
    pub loss: f64,
    /// Share of rows whose largest output is at the right class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Share of outputs that round to their target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_accuracy: Option<f64>,
    /// Root mean square error, in units of the target.
    #[serde(default, with = "number::option", skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// Mean absolute error, in units of the target.
    #[serde(default, with = "number::option", skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// Share of the target's variance that is explained.
    #[serde(default, with = "number::option", skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// Share of the rows whose target is at or below the answer: of a quantile's answers that quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
    /// Matthews' correlation of answers and classes.
    #[serde(default, with = "number::option", skip_serializing_if = "Option::is_none")]
    pub mcc: Option<f64>,
    /// Area under the curve of true against false positives, the mean over the classes, each against the rest.
    #[serde(default, with = "number::option", skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
}

impl Figures {
    /// What a score says of a network that ends in `output`.
    pub fn of_score(score: Score, output: Output) -> Self {
        let known = |value: f64| (!value.is_nan()).then_some(value);
        Figures {
            loss: score.loss,
            accuracy: known(score.argmax),
            // An output that is no probability has nothing to round.
            element_accuracy: known(score.element).filter(|_| output != Output::Identity),
            rmse: None,
            mae: None,
            r2: None,
            coverage: None,
            mcc: None,
            auc: None,
        }
    }

    /// The same with what takes all rows: of a regression the errors, in the units of the target; of classes the correlation and the
    /// area under the curve. `outputs` and `targets` one a row.
    pub fn of_outputs(
        score: Score,
        output: Output,
        outputs: &Matrix<f32>,
        targets: &Matrix<f32>,
        preprocessing: &Preprocessing,
    ) -> Self {
        let mut figures = Figures::of_score(score, output);
        if preprocessing.classes().is_empty() {
            let units =
                |rows: &Matrix<f32>| -> Vec<f64> { rows.data().iter().map(|&t| preprocessing.in_units(t)).collect() };
            let (answers, values) = (units(outputs), units(targets));
            figures.rmse = Some(metric::root_mean_square(&answers, &values));
            figures.mae = Some(metric::mean_absolute(&answers, &values));
            figures.r2 = Some(metric::r_squared(&answers, &values));
            figures.coverage = Some(metric::coverage(&answers, &values));
        } else {
            let labels: Vec<usize> = targets.rows().iter().map(|row| metric::argmax(row).unwrap_or(0)).collect();
            figures.mcc = Some(metric::matthews(outputs.rows(), &labels));
            figures.auc = Some(metric::area_under_curve(outputs.rows(), &labels)).filter(|area| !area.is_nan());
        }
        figures
    }
}

/// A figure by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The mean loss.
    Loss,
    /// Share of rows whose largest output is at the right class.
    Accuracy,
    /// Share of outputs that round to their target.
    ElementAccuracy,
    /// Root mean square error.
    Rmse,
    /// Mean absolute error.
    Mae,
    /// Share of the target's variance that is explained.
    R2,
    /// Share of the rows whose target is at or below the answer.
    Coverage,
    /// Matthews' correlation.
    Mcc,
    /// Area under the curve.
    Auc,
}

impl Measure {
    /// Every measure, in the order in which they are shown.
    pub const ALL: [Measure; 9] = [
        Measure::Loss,
        Measure::Accuracy,
        Measure::ElementAccuracy,
        Measure::Rmse,
        Measure::Mae,
        Measure::R2,
        Measure::Coverage,
        Measure::Mcc,
        Measure::Auc,
    ];

    /// The measure of this name.
    ///
    /// # Errors
    /// An unknown name, with the nearest that exists.
    pub fn named(name: &str) -> Result<Measure> {
        let found = Measure::ALL.into_iter().find(|measure| measure.name() == name);
        found.ok_or_else(|| Error::unknown("metric", name, Measure::ALL.map(Measure::name)))
    }

    /// Its name in files, that of the field of [`Figures`].
    pub fn name(self) -> &'static str {
        match self {
            Measure::Loss => "loss",
            Measure::Accuracy => "accuracy",
            Measure::ElementAccuracy => "element_accuracy",
            Measure::Rmse => "rmse",
            Measure::Mae => "mae",
            Measure::R2 => "r2",
            Measure::Coverage => "coverage",
            Measure::Mcc => "mcc",
            Measure::Auc => "auc",
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Measure::Loss => "loss",
            Measure::Accuracy => "accuracy",
            Measure::ElementAccuracy => "element-wise",
            Measure::Rmse => "RMSE",
            Measure::Mae => "MAE",
            Measure::R2 => "R²",
            Measure::Coverage => "coverage",
            Measure::Mcc => "MCC",
            Measure::Auc => "AUC",
        }
    }

    /// The figure, where it applies.
    pub fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Measure::Loss => Some(figures.loss),
            Measure::Accuracy => figures.accuracy,
            Measure::ElementAccuracy => figures.element_accuracy,
            Measure::Rmse => figures.rmse,
            Measure::Mae => figures.mae,
            Measure::R2 => figures.r2,
            Measure::Coverage => figures.coverage,
            Measure::Mcc => figures.mcc,
            Measure::Auc => figures.auc,
        }
    }

    /// Whether it is a share, from 0 to 1.
    pub fn is_share(self) -> bool {
        matches!(self, Measure::Accuracy | Measure::ElementAccuracy | Measure::Coverage)
    }

    /// The least and the largest value it can have.
    pub fn range(self) -> [f64; 2] {
        match self {
            Measure::Accuracy | Measure::ElementAccuracy | Measure::Coverage | Measure::Auc => [0.0, 1.0],
            Measure::Mcc => [-1.0, 1.0],
            Measure::R2 => [f64::NEG_INFINITY, 1.0],
            Measure::Loss | Measure::Rmse | Measure::Mae => [0.0, f64::INFINITY],
        }
    }
}

/// A point of a learning curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Epochs done.
    pub epoch: u64,
    /// Means over the epoch's batches, each before its step.
    pub train: Figures,
    /// On test rows, after the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Figures>,
}
