//! A run that is shown: a session that is moved on round by round, and what a page draws of it.

use crate::Setting;
use crate::ground::Ground;
use serde_json::{Value, json};
use swarmgrad::registry;
use swarmgrad::study::Study;
use swarmgrad::{Evaluation, Limits, Matrix, Problem, Result, Rows, Session, diff, settings};

/// A run and its problem.
pub(crate) struct Live {
    ground: Ground,
    session: Session<'static>,
    /// Points of the last round.
    asked: Matrix,
    /// Evaluations and best value at every improvement that has not been shown.
    improvements: Vec<(u64, f64)>,
    best: f64,
    /// Of all points and values in their order.
    checksum: u64,
}

impl Live {
    /// # Errors
    /// Those of the problem, the method and its parameters.
    pub(crate) fn new(setting: &Setting) -> Result<Self> {
        let ground = Ground::new(&setting.on)?;
        let limits = Limits::evaluations(setting.budget);
        limits.check()?;
        let (entry, mut settings) = registry::parse_with(&setting.method, &settings::pairs(&setting.set)?)?;
        if let Some(x0) = setting.x0 {
            settings.insert("start".into(), json!({ "points": [x0] }));
        }
        let (space, constraints, aim) = (ground.space(), Problem::constraints(&ground), ground.aim());
        let method = registry::build(entry, space, Some(setting.budget), &settings, constraints, aim)?;
        let session = Session::new(method, setting.seed).limits(limits);
        let mut session = session.noisy(ground.noisy()).constraints(constraints).aim(aim);
        // As in a study: methods that are made for gradients get them where the problem has a formula for them.
        let takes = diff::registry::ENTRIES.iter().any(|known| known.name == entry.name);
        if takes && ground.differentiable().is_some() && !ground.noisy() {
            session.expect_gradients(Study::default().gradient_cost);
        }
        let (asked, improvements) = (Matrix::empty(2), Vec::new());
        Ok(Live { ground, session, asked, improvements, best: f64::INFINITY, checksum: 0xcbf2_9ce4_8422_2325 })
    }

    /// Moves on by so many rounds, unless it ends before.
    ///
    /// # Errors
    /// None, as long as the session takes the values of the points that it has asked for.
    pub(crate) fn step(&mut self, rounds: u64) -> Result<()> {
        for _ in 0..rounds {
            let batch = self.session.ask(usize::MAX);
            if batch.is_empty() {
                break;
            }
            self.asked.copy_from(batch.rows());
            for (row, (id, x)) in batch.points().enumerate() {
                let mut evaluation = self.ground.evaluate(x);
                if batch.gradient_rows().binary_search(&row).is_ok()
                    && let Some(differentiable) = self.ground.differentiable()
                {
                    let mut gradient = vec![f64::NAN; x.len()];
                    differentiable.gradient(x, &mut gradient);
                    evaluation = Evaluation { gradient, gradients: 1, ..evaluation };
                }
                x.iter().chain([&evaluation.value]).for_each(|&t| note(&mut self.checksum, t));
                self.session.tell(id, evaluation)?;
                if let Some(best) = self.session.best()
                    && best.value < self.best
                    && best.violation == 0.0
                {
                    self.best = best.value;
                    self.improvements.push((self.session.evaluations(), best.value));
                }
            }
        }
        Ok(())
    }

    /// The end of a run, and the checksum of its way there.
    pub(crate) fn end(&self) -> Value {
        let best = self.session.best();
        json!({
            "evaluations": self.session.evaluations(),
            "rounds": self.session.rounds(),
            "value": best.map(|best| best.value),
            "bits": best.map(|best| format!("{:016x}", best.value.to_bits())),
            "x": best.map(|best| &best.x),
            "checksum": format!("{:016x}", self.checksum),
            "ended": self.session.ended().map(|reason| reason.to_string()),
        })
    }

    /// What there is to draw now; improvements since the last frame only.
    pub(crate) fn frame(&mut self) -> Value {
        let algorithm = self.session.algorithm();
        let begun = self.session.rounds() > 0;
        let view = algorithm.view();
        let rows = |rows: Rows<'_>| rows.iter().map(<[f64]>::to_vec).collect::<Vec<_>>();
        let plane = |name: &str| view.matrix(name).filter(|m| begun && m.dim() == 2).map(rows);
        let points = plane("x").filter(|x| !x.is_empty()).unwrap_or_else(|| rows(self.asked.rows()));
        let same = |name: &str| plane(name).filter(|m| m.len() == points.len());
        let vector = |name: &str| view.vector(name).filter(|v| begun && v.len() == 2);
        // What it would answer, where that is not simply the best point.
        let best = self.session.best();
        let answer = begun.then(|| algorithm.answer()).filter(|answer| answer.len() == 2);
        let apart = |x: &Vec<f64>| best.is_none_or(|best| best.x != *x);
        let centre = vector("mean").map(<[f64]>::to_vec).or(answer).filter(apart);
        let ended = self.session.ended().map(|reason| reason.to_string());
        let explanation = ended.as_ref().and_then(|_| algorithm.explanation());
        json!({
            "x": points,
            "v": same("v"),
            "y": same("y"),
            "asked": rows(self.asked.rows()),
            "centre": centre,
            "mean": vector("mean").is_some(),
            "numbers": view.numbers,
            "best": best.map(|best| json!({ "x": best.x, "value": best.value, "violation": best.violation })),
            "improvements": std::mem::take(&mut self.improvements),
            "evaluations": self.session.evaluations(),
            "rounds": self.session.rounds(),
            "iterations": algorithm.iterations(),
            "failures": self.session.failures().total(),
            "explanation": explanation,
            "ended": ended,
        })
    }
}

/// Takes a number into a checksum (FNV-1a).
fn note(checksum: &mut u64, t: f64) {
    // NaN has many forms, and which one comes out is the processor's affair.
    let bits = if t.is_nan() { f64::NAN.to_bits() } else { t.to_bits() };
    *checksum = bits.to_le_bytes().iter().fold(*checksum, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
}
