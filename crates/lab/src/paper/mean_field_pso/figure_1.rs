//! Figure 1: how particles move, with and without memory and inertia, on the paper's Rastrigin function in the plane.

use super::{normal, rastrigin, swarm};
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::plot::{Axis, Chart, Grid, Landscape, Line, Mark, Shade};
use crate::stats::median;
use crate::table::{Table, significant};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::ops::ControlFlow;
use swarmgrad::algorithms::particle::diagnostics::Moments;
use swarmgrad::{Iterations, Progress, Run};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "mean-field-pso/figure-1",
    summary: "trajectories of particles on the Rastrigin function in the plane, with and without memory and inertia",
    preset: Preset::PaperText,
    run,
};

const PARTICLES: usize = 100;
const STEPS: u64 = 400;
/// Particles whose trails are drawn.
const SHOWN: usize = 7;

/// A variant and a seed.
#[derive(Serialize)]
struct Unit {
    memory: bool,
    inertia: f64,
    sigma2: f64,
    seed: u64,
}

#[derive(Serialize, Deserialize)]
struct Path {
    /// Positions of the shown particles after each iteration.
    trails: Vec<Vec<[f64; 2]>>,
    consensus: Vec<[f64; 2]>,
    /// Variance of all positions after each iteration.
    variance: Vec<f64>,
    /// Value of the consensus at the end.
    value: f64,
    /// Length of the shown trails over the distance between their ends, the median: how much they wander.
    detour: f64,
}

fn walk(unit: &Unit) -> Result<Path> {
    let problem = rastrigin(2)?;
    let mut method = swarm(
        "pso_sde",
        2,
        json!({ "particles": PARTICLES, "inertia": unit.inertia, "sigma2": unit.sigma2, "alpha": 100.0,
            "memory": if unit.memory { "sharp" } else { "none" }, "start": normal(2.0, 1.5) }),
    )?;
    let mut path =
        Path { trails: vec![Vec::new(); SHOWN], consensus: vec![], variance: vec![], value: 0.0, detour: 0.0 };
    let mut see = |p: &Progress<'_>| {
        let view = p.algorithm.view();
        if let (Some(x), Some(g)) = (view.matrix("x"), view.vector("g")) {
            path.trails.iter_mut().zip(x.iter()).for_each(|(trail, x)| trail.push([x[0], x[1]]));
            path.consensus.push([g[0], g[1]]);
        }
        path.variance.extend(Moments::of(&view).map(|m| m.variance));
        ControlFlow::Continue(())
    };
    let outcome = Run::new(&*problem, &mut *method, unit.seed).watch(&mut see).watch(&mut Iterations(STEPS)).minimize();
    path.value = problem.value(&outcome.answer);
    let far = |a: &[f64; 2], b: &[f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let detour = |t: &Vec<[f64; 2]>| {
        t.windows(2).map(|w| far(&w[0], &w[1])).sum::<f64>() / far(&t[0], &t[t.len() - 1]).max(1e-12)
    };
    path.detour = median(&path.trails.iter().map(detour).collect::<Vec<_>>());
    Ok(path)
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let variants = [
        ("m = 0 (CBO), no memory", false, 0.0),
        ("m = 0.02, no memory", false, 0.02),
        ("m = 0.1, no memory", false, 0.1),
        ("m = 0.02, memory", true, 0.02),
        ("m = 0.1, memory", true, 0.1),
    ];
    let seeds = session.seeds(50, 5);
    let sigma2 = 1.5;
    let units: Vec<Unit> = variants
        .iter()
        .flat_map(|&(_, memory, inertia)| (0..seeds).map(move |seed| Unit { memory, inertia, sigma2, seed }))
        .collect();
    let paths = session.units("walk", &units, walk)?;

    let mut findings = Findings::new("Figure 1: trajectories");
    findings.protocol(format!(
        "{PARTICLES} particles from N(2, 1.5^2) in each coordinate at rest, dt = 0.01, T = {}, alpha = 100, lambda2 = 1, \
         lambda1 = 0, sigma2 = {sigma2}, gamma = 1 - m; {seeds} seeds, the first one drawn.",
        STEPS as f64 * 0.01
    ));
    let mut table = Table::new(["variant", "successes", "runs", "median final variance", "median detour"]);
    let problem = rastrigin(2)?;
    let grid = Grid::sample((-2.5, 5.5), (-2.5, 5.5), 160, |x, y| problem.value(&[x, y]))?;
    let mut chart = Chart::new("Variance of the positions", Axis::linear("t"), Axis::log("variance"));
    let mut smooth = Vec::new();
    for ((name, ..), paths) in variants.iter().zip(paths.chunks(seeds as usize)) {
        let hits = paths.iter().filter(|p| p.value < 0.8).count();
        let variance =
            median(&paths.iter().map(|p| p.variance.last().copied().unwrap_or(f64::NAN)).collect::<Vec<_>>());
        let detour = median(&paths.iter().map(|p| p.detour).collect::<Vec<_>>());
        smooth.push(detour);
        table.row([
            (*name).to_owned(),
            hits.to_string(),
            seeds.to_string(),
            significant(variance, 3),
            significant(detour, 3),
        ]);
        let first = &paths[0];
        let mut trails = first.trails.clone();
        trails.push(first.consensus.clone());
        let picture = Landscape::new(format!("Trajectories: {name}"), grid.clone())
            .shade(Shade::default())
            .swarm(trails)
            .marker(Mark::Optimum, [0.0, 0.0], "minimum")
            .marker(Mark::Consensus, *first.consensus.last().unwrap_or(&[0.0, 0.0]), "consensus at the end");
        let file = name.replace(" = ", "").replace([',', '(', ')'], "").replace(' ', "-").replace('.', "_");
        findings.picture(
            format!("trajectories-{file}"),
            picture.svg(),
            format!("{SHOWN} particles and the consensus, {name}."),
        );
        let line = first.variance.iter().enumerate().map(|(k, v)| (k as f64 * 0.01, *v)).collect();
        chart.line(Line::new(*name, line));
    }
    findings.table(table, "Success is E(consensus) < 0.8: both coordinates in the right basin. Detour is the length of a path over the distance between its ends.");
    findings.picture("variance", chart.svg(), "Variance of all positions over time, first seed.");
    let falls = smooth[0] > smooth[1] && smooth[1] > smooth[2];
    findings.claim(
        "Inertia keeps a direction: paths of particles become smoother as m grows",
        "",
        format!(
            "median detour {} at m = 0, {} at 0.02, {} at 0.1",
            significant(smooth[0], 3),
            significant(smooth[1], 3),
            significant(smooth[2], 3)
        ),
        Verdict::of(falls),
        "Without inertia a path is a diffusion, which has no velocity; with inertia the noise acts on the velocity.",
    );
    findings.data("detours", json!(smooth));
    Ok(findings)
}
