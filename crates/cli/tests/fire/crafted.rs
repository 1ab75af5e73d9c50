//! Crafted checkpoints and models: states of every method with a few places changed, and a checksum that is right. Those that load go on.

use crate::door::{program, run_within};
use crate::guard::guarded;
use crate::scratch::Folder;
use crate::states::{LARGEST, mutate};
use crate::tally::Tally;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use swarmgrad::combine::distinct::Distinct;
use swarmgrad::combine::ensemble::Ensemble;
use swarmgrad::registry::{self, Entry, Settings, entries};
use swarmgrad::{
    Aim, Algorithm, Checkpoint, Constraint, Draws, Evaluation, Failure, Limits, Matrix, Result, Rng, Session, Space,
    Variable,
};
use swarmgrad_nn::train::Saved;

/// Evaluations that methods plan by, and of which a state is taken somewhere on the way.
const BUDGET: u64 = 2_000;
/// Rounds before a state is taken.
const ROUNDS: [usize; 6] = [0, 1, 3, 9, 30, 100];
/// Rounds that a state which loads goes on for.
const MORE: usize = 6;
/// Mutants of one state.
const MUTANTS: usize = 25;

/// What a problem has that a method may keep in its state.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ground {
    /// Rosenbrock's function in four variables.
    Plain,
    /// With points that fail, and errors in the values.
    Rough,
    /// With gradients.
    Sloped,
    /// With a constraint of either kind.
    Constrained,
    /// Whole numbers, a choice, a flag, a logarithm.
    Mixed,
    /// The same with a constraint.
    MixedConstrained,
    /// Sums of squares of residuals.
    Residuals,
    /// Two objectives.
    Objectives,
    /// The same with a constraint.
    ObjectivesConstrained,
    /// Three runs in one.
    Runs,
    /// One variable.
    Line,
}

impl Ground {
    const ALL: [Ground; 11] = [
        Ground::Plain,
        Ground::Rough,
        Ground::Sloped,
        Ground::Constrained,
        Ground::Mixed,
        Ground::MixedConstrained,
        Ground::Residuals,
        Ground::Objectives,
        Ground::ObjectivesConstrained,
        Ground::Runs,
        Ground::Line,
    ];

    fn space(self) -> Space {
        match self {
            Ground::Mixed | Ground::MixedConstrained => {
                let texts = ["a=-2:2", "n=int:-3:4", "w=choice:u,v,w", "b=flag", "r=log:0.01:10"];
                Space::of(texts.iter().map(|text| Variable::parse(text).unwrap()).collect()).unwrap()
            }
            Ground::Line => Space::cube(1, -5.0, 5.0).unwrap(),
            _ => Space::cube(4, -5.0, 5.0).unwrap(),
        }
    }

    fn constraints(self) -> Vec<Constraint> {
        match self {
            Ground::Constrained => vec![Constraint::at_most("sum"), Constraint::equal("product")],
            Ground::MixedConstrained | Ground::ObjectivesConstrained => vec![Constraint::at_most("sum")],
            _ => Vec::new(),
        }
    }

    fn aim(self) -> Aim {
        match self {
            Ground::Residuals => Aim::Residuals,
            Ground::Objectives | Ground::ObjectivesConstrained => Aim::Objectives(vec!["cost".into(), "mass".into()]),
            _ => Aim::Value,
        }
    }

    fn evaluation(self, x: &[f64]) -> Evaluation {
        let sum: f64 = x.iter().map(|t| (t - 1.0).powi(2)).sum();
        let residuals = || x.windows(2).flat_map(|p| [10.0 * (p[1] - p[0] * p[0]), 1.0 - p[0]]).chain([0.1]).collect();
        let rosenbrock: f64 = x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum();
        let mut evaluation = match self {
            Ground::Rough if x[0] > 0.5 && x[1] > 0.0 => Evaluation::failed(Failure::Rejected("outside".into())),
            Ground::Rough => Evaluation::of(rosenbrock + 1e-3 * (x.iter().sum::<f64>() * 1e9).fract()),
            Ground::Residuals => self.aim().evaluation(residuals()),
            Ground::Objectives | Ground::ObjectivesConstrained => self.aim().evaluation(vec![rosenbrock, sum]),
            Ground::Line => Evaluation::of(sum),
            _ => Evaluation::of(rosenbrock),
        };
        if evaluation.failure.is_none() {
            let values = [x.iter().sum::<f64>() - 1.0, x[0] * x[x.len() - 1] - 0.5];
            evaluation.constraints = values[..self.constraints().len()].to_vec();
        }
        evaluation
    }

    /// The gradient of Rosenbrock's function.
    fn gradient(x: &[f64]) -> Vec<f64> {
        let mut gradient = vec![0.0; x.len()];
        for j in 0..x.len() - 1 {
            let gap = x[j + 1] - x[j] * x[j];
            gradient[j] += -400.0 * x[j] * gap - 2.0 * (1.0 - x[j]);
            gradient[j + 1] += 200.0 * gap;
        }
        gradient
    }

    fn build(self, entry: &'static Entry, settings: &Settings) -> Result<Box<dyn Algorithm>> {
        let space = self.space();
        if self == Ground::Runs {
            return Ok(Box::new(Ensemble::new(entry, 3, &space, Some(BUDGET), settings)?));
        }
        let method = registry::build(entry, &space, Some(BUDGET), settings, &self.constraints(), &self.aim())?;
        Ok(Distinct::over(method, &space))
    }

    fn load(self, entry: &'static Entry, bytes: &[u8], settings: &Settings) -> Result<Box<dyn Algorithm>> {
        let method = |bytes: &[u8]| registry::load(entry, bytes, settings, &self.constraints(), &self.aim());
        match self {
            Ground::Runs => Ok(Box::new(Ensemble::load(entry, bytes)?)),
            Ground::Mixed | Ground::MixedConstrained => Ok(Box::new(Distinct::load(self.space(), bytes, method)?)),
            _ => method(bytes),
        }
    }

    fn session(self, method: Box<dyn Algorithm>, evaluations: u64) -> Session<'static> {
        let session = Session::new(method, 3).limits(Limits::evaluations(evaluations));
        let mut session = session.constraints(&self.constraints()).aim(&self.aim());
        if self == Ground::Sloped {
            session.expect_gradients(2.0);
        }
        session
    }

    /// So many rounds of a session, as far as it goes.
    fn drive(self, session: &mut Session<'_>, rounds: usize) -> Result<(), String> {
        let dim = self.space().dim();
        for _ in 0..rounds {
            let batch = session.ask(usize::MAX);
            if batch.is_empty() {
                break;
            }
            for (i, (id, x)) in batch.points().enumerate() {
                if x.len() != dim {
                    return Err(format!("asks for a point of {} variables", x.len()));
                }
                let mut evaluation = self.evaluation(x);
                if batch.gradient_rows().contains(&i) {
                    evaluation.gradient = Ground::gradient(x);
                    evaluation.gradients = 1;
                }
                session.tell(id, evaluation).map_err(|why| why.to_string())?;
            }
        }
        Ok(())
    }
}

/// Settings with at most two of the method's choices, or small sizes, taken from the words that state their ranges.
fn settings(entry: &Entry, draw: &mut Draws<'_>) -> Settings {
    let mut settings = Settings::new();
    let parameters = entry.parameters();
    for _ in 0..draw.below(3).min(parameters.len()) {
        let parameter = &parameters[draw.below(parameters.len())];
        let values: Vec<Value> = if parameter.range.starts_with("a method") {
            ["pso:particles=5", "cma_es", "quasi_newton", "auto", "lshade", "trust_region"]
                .map(|name| json!(name))
                .into()
        } else if parameter.range == "true | false" {
            vec![json!(true), json!(false)]
        } else if parameter.range.starts_with("a whole number") {
            vec![json!(2), json!(3), json!(8)]
        } else if parameter.range.contains(" | ") {
            parameter.range.split(" | ").map(|word| json!(word)).collect()
        } else {
            vec![json!(0.25), json!(1.5)]
        };
        settings.insert(parameter.name.into(), values[draw.below(values.len())].clone());
    }
    settings
}

/// A ground, settings, and bytes of checkpoints of the method there; why one of them does not load as it is.
struct Scene {
    ground: Ground,
    settings: Settings,
    bodies: Vec<Vec<u8>>,
    refused: Option<String>,
}

impl Scene {
    /// A scene of the draws; on plain ground with usual settings where the method does not take what was drawn.
    fn new(entry: &'static Entry, draw: &mut Draws<'_>) -> Self {
        let (ground, settings) = (Ground::ALL[draw.below(Ground::ALL.len())], settings(entry, draw));
        let tries = [(ground, settings), (ground, Settings::new()), (Ground::Plain, Settings::new())];
        for (ground, settings) in tries.into_iter().chain([(Ground::Objectives, Settings::new())]) {
            let Ok(method) = ground.build(entry, &settings) else { continue };
            let mut session = ground.session(method, BUDGET);
            let (mut bodies, mut before, mut refused) = (Vec::new(), 0, None);
            for rounds in ROUNDS {
                ground.drive(&mut session, rounds - before).unwrap();
                before = rounds;
                // The round that was broken off by the end is no state to go on from.
                if session.ended().is_some() {
                    break;
                }
                let checkpoint = session.checkpoint(entry.name, "").unwrap();
                if let Err(why) = ground.load(entry, &checkpoint.algorithm, &settings) {
                    refused = Some(format!("its own state after {rounds} rounds does not load: {why}"));
                }
                bodies.push(postcard::to_allocvec(&checkpoint).unwrap());
            }
            return Scene { ground, settings, bodies, refused };
        }
        panic!("{} is built nowhere", entry.name);
    }

    /// A checkpoint whose bytes were changed and whose checksum is right: refused when it is loaded, or a state that works.
    fn resume(&self, entry: &'static Entry, bytes: &[u8]) -> Result<(), String> {
        let Ok(checkpoint) = postcard::from_bytes::<Checkpoint>(bytes) else { return Ok(()) };
        let Ok(method) = self.ground.load(entry, &checkpoint.algorithm, &self.settings) else { return Ok(()) };
        if checkpoint.verify(self.ground.space().dim(), &*method).is_err() {
            return Ok(());
        }
        let mut session = self.ground.session(method, 2 * BUDGET).resume(checkpoint);
        self.ground.drive(&mut session, MORE)?;
        session.checkpoint(entry.name, "").map_err(|why| why.to_string())?;
        let algorithm = session.algorithm();
        drop((algorithm.view(), algorithm.explanation(), algorithm.solutions(), algorithm.covariance()));
        session.outcome();
        Ok(())
    }
}

/// Crafted checkpoints of every method.
pub fn crafted_states(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("crafted checkpoints, with a right checksum");
    let rng = Rng::new(seed).fork("crafted");
    for (row, entry) in entries().enumerate() {
        for block in 0..scale {
            let rng = rng.at(block);
            let mut draw = rng.row(row);
            let scene = Arc::new(Scene::new(entry, &mut draw));
            let fault = |why: String| format!("{} on {:?} {:?}: {why}", entry.name, scene.ground, scene.settings);
            tally.case(scene.refused.clone().map_or(Ok(()), |why| Err(fault(why))));
            for _ in 0..MUTANTS {
                let body = mutate(&scene.bodies[draw.below(scene.bodies.len())], &mut draw);
                let case = scene.clone();
                let outcome = guarded(entry.name, LARGEST, move || case.resume(entry, &body)).and_then(|done| done);
                tally.case(outcome.map_err(fault));
            }
        }
    }
    tally
}

#[test]
fn crafted_states_are_refused_or_work() {
    crafted_states(1, 1).hold();
}

/// A network's answers to a row of zeros; refused, or as many as there are outputs.
fn answer(path: &Path) -> Result<(), String> {
    let Ok(saved) = Saved::read(path) else { return Ok(()) };
    let zeros = Matrix::zeros(1, saved.shape[0]);
    match saved.predict(&zeros) {
        Ok(outputs) if outputs.dim() != saved.shape[1] => {
            Err(format!("{} outputs of {}", outputs.dim(), saved.shape[1]))
        }
        _ => Ok(()),
    }
}

/// Saved networks of two kinds, with a few places changed and a checksum that is right.
pub fn crafted_models(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("crafted models, with a right checksum");
    let folder = Arc::new(Folder::new("models"));
    let bodies: Vec<Vec<u8>> = ["mlp", "shallow"]
        .iter()
        .map(|model| {
            let path = folder.path(model);
            let arguments = ["train", "iris", "--epochs", "1", "--seeds", "1", "--model", model, "--save"];
            let done = program((*folder).as_ref(), &[&arguments[..], &[&path.display().to_string()]].concat());
            let done = run_within(60, done).unwrap();
            assert_eq!(done.code, Some(0), "{}", done.said());
            std::fs::read(path).unwrap()
        })
        .collect();
    let rng = Rng::new(seed).fork("models");
    for block in 0..scale {
        let (rng, bodies, folder) = (rng.at(block), bodies.clone(), folder.clone());
        let outcomes = guarded("models", LARGEST, move || {
            let (mut draw, path) = (rng.row(0), folder.path("mutant"));
            let mut outcomes = Vec::new();
            for _ in 0..200 {
                let whole = &bodies[draw.below(bodies.len())];
                // Eight bytes say what it is, 64 are the checksum of the rest.
                let body = mutate(&whole[72..], &mut draw);
                let sum = swarmgrad_nn::data::catalog::sha256(&body);
                std::fs::write(&path, [&whole[..8], sum.as_bytes(), &body].concat()).unwrap();
                outcomes.push(answer(&path));
            }
            outcomes
        });
        match outcomes {
            Ok(outcomes) => outcomes.into_iter().for_each(|outcome| tally.case(outcome)),
            Err(why) => tally.case(Err(format!("block {block}: {why}"))),
        }
    }
    tally
}

#[test]
fn crafted_models_are_refused_or_answer() {
    crafted_models(5, 1).hold();
}

/// What no change of a few bytes makes: a whole state of another number of variables.
#[test]
fn a_state_of_other_variables_is_refused() {
    for entry in entries() {
        let method = Ground::Plain.build(entry, &Settings::new());
        let method = method.or_else(|_| Ground::Objectives.build(entry, &Settings::new())).unwrap();
        let mut session = Ground::Plain.session(method, BUDGET);
        Ground::Plain.drive(&mut session, 1).unwrap();
        let checkpoint = session.checkpoint(entry.name, "").unwrap();
        let method = entry.load::<f64>(&checkpoint.algorithm).unwrap();
        assert!(checkpoint.verify(4, &*method).is_ok(), "{}", entry.name);
        // The best point of the run apart, which says it too.
        let fresh = Ground::Plain.session(entry.load(&checkpoint.algorithm).unwrap(), BUDGET);
        let fresh = fresh.checkpoint(entry.name, "").unwrap();
        assert!(fresh.verify(5, &*method).is_err(), "{}", entry.name);
    }
}
