//! What the number of particles and of those in a batch is worth: "increasing the number of particles allows for a lower minimal
//! noise level" (Section 5.2) and mini-batches of particles "improve the capability of finding good optima" (Section 5.1).

use super::{normal, rastrigin, swarm};
use crate::error::{Error, Result};
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::plot::{Axis, Chart, Line};
use crate::stats::{fisher_exact, holm, wilson};
use crate::table::{Table, fixed};
use serde::Serialize;
use serde_json::json;
use swarmgrad::{Evaluations, Run};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "mean-field-pso/swarm-size",
    summary: "more particles lower the minimal noise level; mini-batches of particles at equal evaluations",
    preset: Preset::PaperText,
    run,
};

const DIM: usize = 20;

/// Runs of a setting.
#[derive(Debug, Clone, Copy, Serialize)]
struct Unit {
    particles: usize,
    /// Particles in a batch; all where none is given.
    batch: Option<usize>,
    full: bool,
    sigma2: f64,
    steps: u64,
    runs: u64,
}

/// Successes: E of the answer below 0.8.
fn successes(unit: &Unit, session: &Session<'_>) -> Result<u64> {
    let problem = rastrigin(DIM)?;
    let mut count = 0;
    for seed in 0..unit.runs {
        if session.halt().requested() {
            return Err(Error::Interrupted);
        }
        let mut json = json!({ "particles": unit.particles, "inertia": 1e-3, "dt": 0.01, "sigma2": unit.sigma2, "alpha": 100.0,
            "memory": "none", "start": normal(2.0, 4.0) });
        if let Some(batch) = unit.batch {
            json["batch"] = json!(batch);
            json["update"] = json!(if unit.full { "full" } else { "partial" });
        }
        let mut method = swarm("pso_sde", DIM, json)?;
        let budget = unit.particles as u64 * unit.steps;
        Run::new(&*problem, &mut *method, seed).watch(&mut Evaluations(budget)).minimize();
        count += u64::from(problem.value(&method.answer()) < 0.8);
    }
    Ok(count)
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let quick = session.quick();
    let sizes: &[usize] = if quick { &[50, 100] } else { &[25, 50, 100, 200, 400] };
    let sigmas: &[f64] = if quick { &[3.0, 7.0] } else { &[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0] };
    let runs = session.seeds(50, 4);
    let steps = if quick { 1_000 } else { 2_000 };
    let one = Unit { particles: 100, batch: None, full: false, sigma2: 5.0, steps, runs };
    let levels: Vec<Unit> = sizes
        .iter()
        .flat_map(|&particles| sigmas.iter().map(move |&sigma2| Unit { particles, sigma2, ..one }))
        .collect();
    let counts = session.units("level", &levels, |unit| successes(unit, session))?;

    let mut findings = Findings::new("Number of particles, and of those in a batch");
    findings.protocol(format!(
        "Rastrigin (paper's) in {DIM} dimensions, m = 1e-3, alpha = 100, dt = 0.01, no memory, X0 ~ N(2, 4^2), {steps} steps or as many \
         evaluations, {runs} runs a cell; success: E of the consensus below 0.8."
    ));
    let mut table = Table::new(std::iter::once("N".to_owned()).chain(sigmas.iter().map(|s| format!("sigma2 = {s}"))));
    let mut chart = Chart::new("Successes over the noise", Axis::linear("sigma2"), Axis::linear("share of runs"));
    let mut least = Vec::new();
    for (&n, counts) in sizes.iter().zip(counts.chunks(sigmas.len())) {
        table.row(std::iter::once(n.to_string()).chain(counts.iter().map(|c| format!("{c}/{runs}"))));
        let share = |c: &u64| *c as f64 / runs as f64;
        chart
            .line(Line::new(format!("N = {n}"), sigmas.iter().copied().zip(counts.iter().map(share)).collect()).dots());
        // Where the share crosses one half, between the two diffusions by a straight line.
        let crossing = (1..counts.len()).find(|&k| share(&counts[k - 1]) < 0.5 && share(&counts[k]) >= 0.5);
        least.push(crossing.map(|k| {
            let (a, b) = (share(&counts[k - 1]), share(&counts[k]));
            sigmas[k - 1] + (0.5 - a) / (b - a) * (sigmas[k] - sigmas[k - 1])
        }));
    }
    findings.table(table, "Successes.");
    findings.picture("minimal-noise", chart.svg(), "The more particles, the less noise is needed.");
    let known: Vec<f64> = least.iter().copied().flatten().collect();
    let falls = known.len() >= 2 && known.windows(2).all(|w| w[1] < w[0]);
    findings.claim(
        "More particles allow a lower minimal noise level",
        "",
        sizes
            .iter()
            .zip(&least)
            .map(|(n, s)| format!("{} at N = {n}", s.map_or("none".into(), |s| fixed(s, 2))))
            .collect::<Vec<_>>()
            .join(", "),
        if quick { Verdict::Open } else { Verdict::of(falls) },
        "The diffusion sigma2 at which half of the runs succeed; \"none\" where no diffusion on the grid does.",
    );

    // Batches: the same evaluations. A full update moves all particles once for each batch of the evaluations.
    let ways = [
        ("all particles", None, false),
        ("batches of 10, partial update", Some(10), false),
        ("batches of 10, full update", Some(10), true),
        ("batches of 50, partial update", Some(50), false),
    ];
    let noises: &[f64] = if quick { &[5.0] } else { &[3.0, 5.0, 7.0] };
    let batches: Vec<Unit> = noises
        .iter()
        .flat_map(|&sigma2| ways.iter().map(move |&(_, batch, full)| Unit { batch, full, sigma2, ..one }))
        .collect();
    let counts = session.units("batch", &batches, |unit| successes(unit, session))?;
    let mut table = Table::new(
        std::iter::once("N = 100".to_owned())
            .chain(noises.iter().flat_map(|s| [format!("sigma2 = {s}"), "95 %".into()])),
    );
    for (k, (name, ..)) in ways.iter().enumerate() {
        let cells = (0..noises.len()).flat_map(|j| {
            let c = counts[j * ways.len() + k];
            let range = wilson(c, runs, 0.95).map(|i| format!("{} to {}", fixed(i.low, 2), fixed(i.high, 2)));
            [format!("{c}/{runs}"), range.unwrap_or_default()]
        });
        table.row(std::iter::once((*name).to_owned()).chain(cells));
    }
    findings.table(table, "Mini-batches of particles at equal evaluations.");
    let mut ps = Vec::new();
    let (mut better, mut worse) = (0, 0);
    for j in 0..noises.len() {
        let plain = counts[j * ways.len()];
        for k in 1..ways.len() {
            let own = counts[j * ways.len() + k];
            ps.push((fisher_exact(own, runs, plain, runs)?, own > plain));
        }
    }
    for (adjusted, (_, up)) in holm(&ps.iter().map(|p| p.0).collect::<Vec<_>>(), 0.05)?.iter().zip(&ps) {
        if adjusted.rejected {
            if *up { better += 1 } else { worse += 1 }
        }
    }
    findings.claim(
        "Mini-batches of particles improve the capability of finding good optima",
        "",
        format!("better in {better}, worse in {worse} of {} comparisons", ps.len()),
        match (better, worse) {
            _ if quick => Verdict::Open,
            (0, _) => Verdict::Fails,
            (_, 0) if better == ps.len() => Verdict::Holds,
            _ => Verdict::Partly,
        },
        "Fisher's exact test against all particles at the same diffusion and as many evaluations, Holm's correction at 5 %.",
    );
    findings.data("levels", least.iter().map(|s| json!(s)).collect::<Vec<_>>()).data("batches", counts);
    Ok(findings)
}
