//! The moment bounds (2.5) and (3.1): the fourth moments of the swarm without and with memory stay bounded on [0, T], by a number that
//! does not depend on the number of particles.

use super::{normal, rastrigin, round, swarm};
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::table::{Table, fixed, significant};
use serde::Serialize;
use serde_json::json;
use swarmgrad::{Matrix, Rng};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "mean-field-pso/moments",
    summary: "fourth moments of the swarm with and without memory over N, T and d: the bounds (2.5) and (3.1)",
    preset: Preset::PaperText,
    run,
};

const DT: f64 = 0.01;

/// A swarm.
#[derive(Debug, Clone, Copy, Serialize)]
struct Unit {
    memory: bool,
    dim: usize,
    particles: usize,
    sigma: f64,
    horizon: f64,
    seed: u64,
}

/// The largest mean of |X|^4 + |Y|^4 + |V|^4 over the steps up to T.
fn largest(unit: &Unit) -> Result<f64> {
    let memory = if unit.memory { "sharp" } else { "none" };
    let json = json!({ "particles": unit.particles, "inertia": 0.1, "sigma2": unit.sigma, "alpha": 10.0, "dt": DT, "memory": memory,
        "start": normal(1.0, 1.0) });
    let problem = rastrigin(unit.dim)?;
    let (mut method, rng, mut xs) = (swarm("pso_sde", unit.dim, json)?, Rng::new(unit.seed), Matrix::default());
    let mut most = 0.0f64;
    for k in 0..=(unit.horizon / DT).round() as u64 {
        round(&mut *method, &rng, k, &mut xs, |x| problem.value(x));
        let view = method.view();
        let fourth = |name: &str| {
            let square = |p: &[f64]| p.iter().map(|t| t * t).sum::<f64>();
            view.matrix(name).map_or(0.0, |m| m.iter().map(|p| square(p).powi(2)).sum::<f64>() / m.len() as f64)
        };
        most = most.max(fourth("x") + fourth("y") + fourth("v"));
    }
    Ok(most)
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let quick = session.quick();
    let sizes: &[usize] = if quick { &[100, 1_000] } else { &[100, 1_000, 10_000, 100_000] };
    let seeds = session.seeds(10, 2);
    let base = Unit { memory: false, dim: 2, particles: 10_000, sigma: 0.4, horizon: 1.0, seed: 0 };
    let base = if quick { Unit { particles: 1_000, ..base } } else { base };
    let mut cases = Vec::new();
    for memory in [false, true] {
        cases.extend(sizes.iter().map(|&particles| Unit { memory, particles, ..base }));
        cases.extend([2.0, 4.0].map(|horizon| Unit { memory, horizon, ..base }));
        cases.extend([1, 4, 8].map(|dim| Unit { memory, dim, ..base }));
        cases.push(Unit { memory, sigma: 2.0, horizon: 4.0, ..base });
    }
    let units: Vec<Unit> = cases.iter().flat_map(|unit| (0..seeds).map(move |seed| Unit { seed, ..*unit })).collect();
    let seen = session.units("largest", &units, largest)?;
    let mut findings = Findings::new("Moment bounds (2.5) and (3.1)");
    findings.protocol(format!(
        "Rastrigin (paper's), m = 0.1, alpha = 10, dt = {DT}, X0 ~ N(1, 1), V0 = 0; the largest mean over the swarm of |X|^4 + |V|^4 \
         (with memory + |Y|^4) over [0, T]; {seeds} seeds, their median with the range."
    ));
    let mut table = Table::new(["memory", "d", "N", "sigma", "T", "median", "least", "largest"]);
    let mut medians = Vec::new();
    for (unit, seen) in cases.iter().zip(seen.chunks(seeds as usize)) {
        let mut sorted = seen.to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        medians.push(median);
        table.row([
            if unit.memory { "sharp" } else { "none" }.to_owned(),
            unit.dim.to_string(),
            unit.particles.to_string(),
            unit.sigma.to_string(),
            unit.horizon.to_string(),
            significant(median, 3),
            significant(sorted[0], 3),
            significant(sorted[sorted.len() - 1], 3),
        ]);
    }
    findings.table(table, "Largest fourth moments.");
    let half = cases.len() / 2;
    for (k, (equation, what)) in [("(2.5)", "without memory"), ("(3.1)", "with memory")].into_iter().enumerate() {
        let own = &medians[k * half..(k + 1) * half];
        let over = &own[..sizes.len()];
        let last = over[over.len() - 1];
        // Of the two largest swarms: no growth with N beyond a tenth.
        let steady = over[over.len() - 2..].iter().all(|m| (m / last - 1.0).abs() < if quick { 0.5 } else { 0.1 });
        findings.claim(
            format!("{equation}: {what} the fourth moments are bounded on [0, T]"),
            "bounded",
            format!(
                "{} at N = {}, {} at N = {}; {} at sigma = 2, T = 4",
                significant(over[0], 3),
                sizes[0],
                significant(last, 3),
                sizes[sizes.len() - 1],
                significant(own[half - 1], 3)
            ),
            Verdict::of(steady && own.iter().all(|m| m.is_finite())),
            "They do not grow with N; the bound grows with d (as |X0|^4 does), and exponentially with sigma^2 T.",
        );
    }
    findings.data("medians", medians.iter().map(|m| fixed(*m, 4)).collect::<Vec<_>>());
    Ok(findings)
}
