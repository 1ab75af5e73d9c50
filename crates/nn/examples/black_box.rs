//! A black box behind a network: a catapult that must throw over a wall.
//!
//! `cargo run --release --example black_box -p swarmgrad-nn`
//!
//! The network is told a distance and answers an elevation. A motor turns the catapult, in steps of half a degree, and a
//! simulator lets the stone fly: against drag, in steps of time, into the wall or over it. Only where it lands is seen, and
//! the loss is the miss. Motor and simulator are nobody's tensors, so no gradient comes out of them:
//!
//! - the exact derivative is zero, since half a degree is a stair;
//! - a straight-through gradient takes motor and simulator for the identity: too short, so turn further up. Behind a wall only
//!   steep throws land, and those land the shorter the further up they go: its sign is wrong;
//! - differences along random directions (SPSA, evolution strategies) see what is near;
//! - a swarm looks for an elevation that lands right, for every stone of a batch, and pulls the network's answer there.
//!
//! All of them train the same network from the same start, with Adam; the last three are given equally many throws.

use swarmgrad_algorithms::gradient::elements::Search;
use swarmgrad_core::{Matrix, Result, Rng};
use swarmgrad_nn::data::{Dataset, Targets};
use swarmgrad_nn::loss::{self, Loss};
use swarmgrad_nn::model::{Activation, Architecture, Output};
use swarmgrad_nn::signal::{Signal, SwarmSignal};
use swarmgrad_nn::train::{Trainer, Training};

/// Metres a second at the start of the flight.
const SPEED: f32 = 30.0;
/// How much of the speed's square is lost, a metre.
const DRAG: f32 = 0.008;
/// Distance and height of the wall, metres.
const WALL: [f32; 2] = [20.0, 15.0];
/// The longest distance that is asked for, metres.
const FAR: f32 = 50.0;

/// The motor: an output from 0 to 1 becomes an elevation from 0 to 90 degrees, in steps of half a degree.
fn motor(output: f32) -> f32 {
    (180.0 * output.clamp(0.0, 1.0)).round() / 2.0
}

/// The simulator: where a stone lands that is thrown at this elevation, in metres.
fn landing(elevation: f32) -> f32 {
    const STEP: f32 = 0.05;
    let (sine, cosine) = elevation.to_radians().sin_cos();
    let (mut x, mut y, mut vx, mut vy) = (0.0f32, 1.0f32, SPEED * cosine, SPEED * sine);
    while y > 0.0 {
        let before = x;
        let drag = DRAG * vx.hypot(vy);
        vx -= STEP * drag * vx;
        vy -= STEP * (9.81 + drag * vy);
        x += STEP * vx;
        y += STEP * vy;
        if before < WALL[0] && x >= WALL[0] && y < WALL[1] {
            return WALL[0];
        }
    }
    x
}

/// The miss, in units of ten metres and squared; `target` is the distance wanted, in units of the longest.
fn miss(output: f32, target: f32) -> f32 {
    let miss = (landing(motor(output)) - FAR * target) / 10.0;
    miss * miss
}

/// The slope that a straight-through gradient sees: the result moves as the output does.
fn straight_through(output: f32, target: f32) -> f32 {
    2.0 * (landing(motor(output)) - FAR * target) / 10.0
}

/// Distances behind the wall, to learn from or to be judged on.
fn distances(count: usize, rng: &Rng) -> Result<Dataset> {
    let mut shares = vec![0.0f32; count];
    rng.row(0).fill_uniform(&mut shares);
    // 30 to 50 metres.
    let wanted: Vec<f32> = shares.iter().map(|share| 0.6 + 0.4 * share).collect();
    Ok(Dataset {
        name: "catapult".into(),
        features: Matrix::from_vec(1, wanted.iter().map(|t| 5.0 * t - 4.0).collect())?,
        feature_names: vec!["distance".into()],
        targets: Targets::Numbers(wanted),
    })
}

fn main() -> Result<()> {
    let (train, test) = (distances(256, &Rng::new(1))?, distances(256, &Rng::new(2))?);
    // As many throws as thirty particles at their start and in thirteen moves. The basin of a right throw is narrow, an eighth
    // of the range for a near stone, so that many particles find what long flights of few would miss.
    let (particles, iterations, pairs) = (30, 13, 210);
    let swarm = Signal::Swarm(SwarmSignal {
        search: Search { particles, iterations, ..Search::default() },
        ..SwarmSignal::default()
    });
    let zero = |_: f32, _: f32| 0.0;
    type Case = (&'static str, Box<dyn Loss>, Signal);
    let cases: Vec<Case> = vec![
        ("exact (zero)", Box::new(loss::differentiable_closure(miss, zero)), Signal::Exact),
        ("straight-through", Box::new(loss::differentiable_closure(miss, straight_through)), Signal::Exact),
        ("SPSA, width 0.05", Box::new(loss::closure(miss)), Signal::Spsa { width: 0.05, pairs }),
        ("evolution strategy, 0.05", Box::new(loss::closure(miss)), Signal::EvolutionStrategy { sigma: 0.05, pairs }),
        ("swarm", Box::new(loss::closure(miss)), swarm.fit(Output::Sigmoid)),
    ];
    println!(
        "{:<26}{:>16}{:>14}{:>16}{:>10}",
        "gradient at the output", "throws a step", "mean miss, m", "within 1 m, %", "seconds"
    );
    for (name, loss, signal) in cases {
        let architecture =
            Architecture::Mlp { hidden: vec![16], activation: Activation::Tanh, output: Output::Sigmoid };
        let training = Training {
            architecture,
            loss: name.into(),
            optimizer: "adam".into(),
            rate: Some(0.02),
            signal: Some(signal),
            epochs: 60,
            batch: 32,
            ..Training::default()
        };
        let mut trainer = Trainer::with_loss(&training, loss, &train)?;
        let (x, y) = (&train.features, train.target_rows());
        let mut last = trainer.epoch(x, &y)?;
        for _ in 1..training.epochs {
            last = trainer.epoch(x, &y)?;
        }
        let outputs = trainer.outputs(&test.features);
        let wanted = test.target_rows();
        let misses: Vec<f32> =
            outputs.data().iter().zip(wanted.data()).map(|(o, t)| (landing(motor(*o)) - FAR * t).abs()).collect();
        let mean = misses.iter().sum::<f32>() / misses.len() as f32;
        let near = 100.0 * misses.iter().filter(|miss| **miss <= 1.0).count() as f32 / misses.len() as f32;
        let throws = last.evaluations / last.steps;
        println!("{name:<26}{throws:>16}{mean:>14.2}{near:>16.1}{:>10.2}", last.seconds);
    }
    Ok(())
}
