//! Figures 3 and 4: networks trained on MNIST by Algorithm 1, without a gradient; memory, drift to it, inertia, the kick.

use crate::error::{Error, Result};
use crate::paper::{Experiment, Findings, Part, Preset, Session, Verdict};
use crate::plot::{Axis, Chart, Line};
use crate::stats::mean;
use crate::table::{Table, fixed};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::ops::ControlFlow;
use std::sync::Arc;
use swarmgrad::algorithms::particle::batched::{LocalBest, Params};
use swarmgrad::algorithms::particle::pso_sde::Memory;
use swarmgrad_nn::data::{self, Dataset};
use swarmgrad_nn::model::{Architecture, Image, Output};
use swarmgrad_nn::train::{Moves, Swarm, SwarmTrainer, Training};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "mean-field-pso/figure-4",
    summary: "MNIST without a gradient: shallow net and CNN, memory settings, inertia, the kick; --full: 100 epochs",
    preset: Preset::PaperCode,
    run,
};

const IMAGE: Image = Image { channels: 1, height: 28, width: 28 };

/// A setting of the swarm; the rest is the paper's: N = 100, dt = 0.1, alpha_0 = 50, sigma2_0 = sqrt(0.4), lambda2 = 1, n_E = 60.
struct Way {
    name: &'static str,
    swarm: fn(Params) -> Params,
}

const WAYS: [Way; 8] = [
    Way { name: "memory, m = .4", swarm: |p| Params { inertia: 0.4, ..p } },
    Way { name: "memory, m = .4, stale values", swarm: |p| Params { inertia: 0.4, local_best: LocalBest::Stale, ..p } },
    Way { name: "no memory, m = .4", swarm: |p| Params { inertia: 0.4, memory: Memory::None, ..p } },
    Way { name: "memory, m = .2", swarm: |p| Params { inertia: 0.2, ..p } },
    Way { name: "no memory, m = .2", swarm: |p| Params { inertia: 0.2, memory: Memory::None, ..p } },
    Way { name: "memory, lambda1 = .4, m = .2", swarm: |p| Params { inertia: 0.2, lambda1: 0.4, ..p } },
    Way { name: "memory, m = .1", swarm: |p| Params { inertia: 0.1, ..p } },
    Way { name: "memory, m = .4, no kick", swarm: |p| Params { inertia: 0.4, kick: 0.0, ..p } },
];

/// The paper's figures for its two nets, read off its curves: per cent.
const NETS: [(&str, &str); 2] = [("shallow", "above 89"), ("lenet1", "almost 97")];

#[derive(Serialize, Deserialize)]
struct Unit {
    model: String,
    way: String,
    rows: usize,
    epochs: u64,
    seed: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Trained {
    /// Accuracy of the consensus on the test images after each epoch, in per cent.
    test: Vec<f64>,
    /// Passes of one image through one network.
    passes: u64,
    /// Seconds of training.
    seconds: f64,
}

fn train(unit: &Unit, session: &Session<'_>, part: &Part<'_>) -> Result<Trained> {
    let parts = data::mnist()?;
    let rows = match unit.rows < parts.train.len() {
        true => parts.train.select(&(0..unit.rows).collect::<Vec<_>>()),
        false => parts.train,
    };
    let (test, wanted) = (&parts.test, parts.test.target_rows());
    let architecture = match unit.model.as_str() {
        "shallow" => Architecture::shallow(rows.dim(), rows.outputs(), Output::Identity),
        _ => Architecture::lenet1(IMAGE, rows.outputs(), Output::Identity),
    };
    let way = WAYS.iter().find(|way| way.name == unit.way).unwrap_or(&WAYS[0]);
    let training = Training {
        architecture,
        loss: "cross_entropy".into(),
        optimizer: "pso_sde".into(),
        swarm: Some(Swarm { moves: Moves::MeanField((way.swarm)(Params::default())), deviation: 1.0 }),
        epochs: unit.epochs,
        batch: 60,
        seed: unit.seed,
        ..Training::default()
    };
    let rows: Arc<Dataset> = Arc::new(rows);
    let all = rows.len() as f64;
    let mut trainer = SwarmTrainer::new(&training, rows)?;
    let mut curve: Vec<f64> = Vec::new();
    if let Some((kept, state)) = part.state.read::<Vec<f64>>()
        && trainer.restore(&state, &training).is_ok()
    {
        curve = kept;
    }
    while trainer.last().epoch < unit.epochs {
        let begun = trainer.last().epoch as f64;
        trainer.watched_epoch(&mut |seen| {
            part.reached((begun + seen as f64 / all) / unit.epochs as f64);
            if session.halt().requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if session.halt().requested() {
            return Err(Error::Interrupted);
        }
        curve.push(100.0 * trainer.score(&test.features, &wanted)?.argmax);
        part.state.store(&curve, || trainer.save(&training))?;
    }
    Ok(Trained { test: curve, passes: trainer.last().evaluations, seconds: trainer.last().seconds })
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let mut findings = Findings::new("Figures 3 and 4: MNIST without a gradient");
    if data::mnist().is_err() {
        findings.left_out(&["mnist"]);
        return Ok(findings);
    }
    let (rows, epochs) = match (session.full(), session.quick()) {
        (_, true) => (600, [2, 1]),
        (true, _) => (60_000, [100, 100]),
        _ => (60_000, [10, 5]),
    };
    let seeds = session.seeds(1, 1);
    let mut units = Vec::new();
    for ((model, _), epochs) in NETS.iter().zip(epochs) {
        for way in &WAYS {
            let unit = |seed| Unit { model: (*model).into(), way: way.name.into(), rows, epochs, seed };
            units.extend((0..seeds).map(unit));
        }
    }
    let trained = session.long_units("networks", &units, |unit, part| train(unit, session, part))?;
    findings.protocol(format!(
        "The first {rows} of MNIST's training images and its 10,000 test images, pixels from 0 to 1; N = 100, dt = 0.1, alpha_0 = 50 doubled and \
         sigma2_0 = sqrt(0.4) cooled every epoch, lambda2 = 1, batches of 60 images, full update, cross-entropy / 10, X0 ~ N(0, 1), \
         V0 = 0; {} epochs of the shallow net (7,850 weights), {} of the CNN (2,112), {seeds} seed(s). Accuracy is that of the consensus, batch \
         normalisation by the statistics of 10,000 training images. Memory is evaluated anew on each batch unless it says stale.",
        epochs[0], epochs[1]
    ));
    let last = |runs: &[Trained]| mean(&runs.iter().filter_map(|run| run.test.last().copied()).collect::<Vec<_>>());
    let per_net = WAYS.len() * seeds as usize;
    for (((model, paper), epochs), trained) in NETS.iter().zip(epochs).zip(trained.chunks(per_net)) {
        let shown: Vec<usize> = [1, 2, 5, 10, 25, 40, 100].into_iter().filter(|&e| e <= epochs as usize).collect();
        let headers = ["setting".to_owned()].into_iter().chain(shown.iter().map(|e| format!("epoch {e}")));
        let mut table = Table::new(headers.chain(["passes an epoch, millions".into(), "seconds an epoch".into()]));
        let mut chart = Chart::new(
            format!("{model}: test accuracy"),
            Axis::linear("epoch"),
            Axis::linear("accuracy of the consensus, per cent"),
        );
        for (way, runs) in WAYS.iter().zip(trained.chunks(seeds as usize)) {
            let at = |e: usize| mean(&runs.iter().filter_map(|run| run.test.get(e - 1).copied()).collect::<Vec<_>>());
            let each = |f: fn(&Trained) -> f64| mean(&runs.iter().map(f).collect::<Vec<_>>()) / epochs as f64;
            let mut row = vec![way.name.to_owned()];
            row.extend(shown.iter().map(|&e| fixed(at(e), 2)));
            row.extend([fixed(each(|run| run.passes as f64 / 1e6), 1), fixed(each(|run| run.seconds), 1)]);
            table.row(row);
            chart.line(Line::new(way.name, (1..=epochs as usize).map(|e| (e as f64, at(e))).collect()));
            findings
                .data(format!("{model}, {}", way.name), json!(runs.iter().map(|run| &run.test).collect::<Vec<_>>()));
        }
        findings.table(table, format!("{model}: test accuracy in per cent."));
        findings.picture(format!("mnist-{model}"), chart.svg(), "Test accuracy by epoch.");
        let of = |name: &str| {
            let k = WAYS.iter().position(|way| way.name == name).unwrap_or(0);
            last(&trained[k * seeds as usize..(k + 1) * seeds as usize])
        };
        // After a few batches nothing of this can be seen.
        let judged = |holds: bool| if epochs < 5 { Verdict::Open } else { Verdict::of(holds) };
        let early = if epochs < 5 { "After so few epochs nothing can be told." } else { "" };
        // What is printed of the end is judged at the end.
        let at_the_end = |holds: bool| if epochs < 100 { Verdict::Open } else { Verdict::of(holds) };
        let best = WAYS.iter().map(|way| of(way.name)).fold(f64::MIN, f64::max);
        let wanted = if *model == "shallow" { 89.0 } else { 96.5 };
        findings.claim(
            format!("{model}: the accuracy of the paper"),
            format!("{paper} % after 100 epochs"),
            format!("{} % after {epochs} epochs, the best setting", fixed(best, 2)),
            if epochs < 100 && best < wanted { Verdict::Open } else { Verdict::of(best >= wanted) },
            if epochs < 100 { "All 100 epochs on request: --full." } else { "" },
        );
        findings.claim(
            format!("{model}: memory helps"),
            "significantly",
            format!("{} against {} % at m = .2", fixed(of("memory, m = .2"), 2), fixed(of("no memory, m = .2"), 2)),
            at_the_end(of("memory, m = .2") > of("no memory, m = .2") + 1.0),
            "At the same number of batches; with values evaluated anew memory costs twice the passes.",
        );
        findings.claim(
            format!("{model}: the drift to the local best, lambda1 = .4, brings little"),
            "little",
            format!(
                "{} against {} % without it, m = .2",
                fixed(of("memory, lambda1 = .4, m = .2"), 2),
                fixed(of("memory, m = .2"), 2)
            ),
            at_the_end((of("memory, lambda1 = .4, m = .2") - of("memory, m = .2")).abs() < 2.0),
            if epochs < 100 { "All 100 epochs on request: --full." } else { "" },
        );
        findings.claim(
            format!("{model}: larger inertia converges faster"),
            "m = .4 before .2 before .1",
            format!(
                "{}, {}, {} %",
                fixed(of("memory, m = .4"), 2),
                fixed(of("memory, m = .2"), 2),
                fixed(of("memory, m = .1"), 2)
            ),
            judged(of("memory, m = .4") > of("memory, m = .2") && of("memory, m = .2") > of("memory, m = .1")),
            early,
        );
        findings.claim(
            format!("{model}: the text's algorithm, without the kick of the published program, trains"),
            "the text has no kick",
            format!("{} against {} % with it", fixed(of("memory, m = .4, no kick"), 2), fixed(of("memory, m = .4"), 2)),
            judged(of("memory, m = .4, no kick") > 60.0),
            "Once one particle holds all the weight the consensus stands still.",
        );
    }
    Ok(findings)
}
