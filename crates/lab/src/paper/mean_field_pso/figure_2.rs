//! Figure 2: success probabilities over inertia m and diffusion sigma2, without memory, with memory, and with memory and a
//! drift to the local best.

use super::{normal, rastrigin, swarm};
use crate::error::{Error, Result};
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::plot::{Axis, Heatmap};
use crate::stats::{fisher_exact, holm, wilson};
use crate::table::{Table, fixed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use swarmgrad::algorithms::particle::pso_sde::Params;
use swarmgrad::algorithms::particle::theory::{Dynamics, thresholds};
use swarmgrad::{Iterations, Rng, Run};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "mean-field-pso/figure-2",
    summary: "phase diagrams: success over inertia and diffusion, three panels; any grid with --grid",
    preset: Preset::PaperText,
    run,
};

const DIM: usize = 20;
const STEPS: u64 = 2_000;
/// A swarm whose positions have more variance than this at the end has exploded.
const EXPLODED: f64 = 1e3;

/// A panel of the figure.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Panel {
    name: &'static str,
    title: &'static str,
    memory: bool,
    lambda1: f64,
}

const PANELS: [Panel; 3] = [
    Panel { name: "memoryless", title: "no memory", memory: false, lambda1: 0.0 },
    Panel { name: "memory", title: "memory, no drift to it", memory: true, lambda1: 0.0 },
    Panel { name: "drift", title: "memory, lambda1 = 0.4", memory: true, lambda1: 0.4 },
];

/// A cell and its runs.
#[derive(Serialize)]
struct Unit {
    memory: bool,
    lambda1: f64,
    inertia: f64,
    sigma2: f64,
    runs: u64,
}

/// What became of the runs of a cell.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cell {
    successes: u64,
    explosions: u64,
}

fn cell(unit: &Unit, session: &Session<'_>) -> Result<Cell> {
    let problem = rastrigin(DIM)?;
    let mut cell = Cell { successes: 0, explosions: 0 };
    for seed in 0..unit.runs {
        if session.halt().requested() {
            return Err(Error::Interrupted);
        }
        let mut method = swarm(
            "pso_sde",
            DIM,
            json!({ "particles": 100, "inertia": unit.inertia, "dt": 0.01, "lambda1": unit.lambda1, "sigma2": unit.sigma2,
                "sigma1": unit.lambda1 * unit.sigma2, "alpha": 100.0, "memory": if unit.memory { "sharp" } else { "none" },
                "start": normal(2.0, 4.0) }),
        )?;
        let outcome = Run::new(&*problem, &mut *method, seed).watch(&mut Iterations(STEPS)).minimize();
        cell.successes += u64::from(problem.value(&outcome.answer) < 0.8);
        let view = method.view();
        let moments = swarmgrad::algorithms::particle::diagnostics::Moments::of(&view);
        let calm = moments.is_some_and(|m| m.variance <= EXPLODED);
        cell.explosions += u64::from(!calm);
    }
    Ok(cell)
}

/// The reference: memory, m, sigma2, successes, runs.
fn reference() -> Vec<[f64; 5]> {
    let lines = include_str!("figure_2.csv").lines().filter(|line| line.starts_with(['0', '1']));
    let numbers = |line: &str| {
        let mut numbers = line.split(',').map(|t| t.parse().expect("a number"));
        std::array::from_fn(|_| numbers.next().expect("five numbers a line"))
    };
    lines.map(numbers).collect()
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let grid = session.settings().grid.clone().unwrap_or_else(|| match session.quick() {
        true => [vec![1e-4, 1e-2, 1e-1], vec![3.0, 5.0, 8.0, 12.0]],
        false => [
            (0..22).map(|k| 10f64.powf(-4.0 + f64::from(k) / 6.0)).collect(),
            (0..23).map(|k| 1.0 + 0.5 * f64::from(k)).collect(),
        ],
    });
    let [ms, sigmas] = &grid;
    let runs = session.seeds(100, 5);
    let mut units = Vec::new();
    for panel in PANELS {
        for &sigma2 in sigmas {
            for &inertia in ms {
                units.push(Unit { memory: panel.memory, lambda1: panel.lambda1, inertia, sigma2, runs });
            }
        }
    }
    let timed = session.timed_units("cell", &units, |unit| cell(unit, session))?;
    let seconds: f64 = timed.iter().map(|t| t.1).sum();
    let a_run = 1e3 * seconds / (units.len() as f64 * runs as f64);
    let cells: Vec<Cell> = timed.into_iter().map(|t| t.0).collect();

    let mut findings = Findings::new("Figure 2: phase diagrams of success");
    findings.protocol(format!(
        "Rastrigin with amplitude 2.5 in {DIM} dimensions, N = 100, T = 20, dt = 0.01, alpha = 100, lambda2 = 1, gamma = 1 - m, \
         sigma1 = lambda1 sigma2, X0 ~ N(2, 4^2), V0 = 0; {} x {} cells a panel, {runs} runs a cell. Success: E(consensus) < 0.8 at T; \
         explosion: variance of the positions above {EXPLODED:e} at T.",
        ms.len(),
        sigmas.len()
    ));
    let a_panel = ms.len() * sigmas.len();
    let interval = |k: u64| wilson(k, runs, 0.95).map(|i| format!("{k} [{:.2}, {:.2}]", i.low, i.high));
    let mut grown = 0;
    let (mut widths, mut explode) = (Vec::new(), Vec::new());
    for (panel, cells) in PANELS.iter().zip(cells.chunks(a_panel)) {
        let at = |i: usize, j: usize| cells[j * ms.len() + i];
        let shown: Vec<usize> = spread(ms.len(), 7);
        let mut table =
            Table::new(std::iter::once("sigma2".to_owned()).chain(shown.iter().map(|&i| format!("m = {:.1e}", ms[i]))));
        for j in spread(sigmas.len(), 12) {
            let mut row = vec![fixed(sigmas[j], 1)];
            for &i in &shown {
                row.push(interval(at(i, j).successes)?);
            }
            table.row(row);
        }
        findings.table(table, format!("Successes of {runs} with 95 % intervals, {}.", panel.title));
        let share = |c: &Cell| c.successes as f64 / runs as f64;
        let axes = || ((Axis::log("m"), ms.clone()), (Axis::linear("sigma2"), sigmas.clone()));
        let (x, y) = axes();
        let mut map = Heatmap::new(format!("Success: {}", panel.title), x, y, cells.iter().map(share).collect());
        map.meaning = "success".into();
        let rng = Rng::new(0);
        let limits = ms.iter().map(|&m| {
            let memory = if panel.memory { "sharp" } else { "none" };
            let json = json!({ "inertia": m, "lambda1": panel.lambda1, "sigma2": 1.0, "sigma1": panel.lambda1, "memory": memory });
            let params: Params = serde_json::from_value(json).expect("known parameters");
            Dynamics::new(&params).map(|d| thresholds(&d, DIM, 200_000, &rng))
        });
        let limits = limits.collect::<swarmgrad::Result<Vec<_>>>()?;
        map.line(
            "certain explosion about frozen attractors (Lyapunov)",
            ms.iter().zip(&limits).map(|(m, t)| (*m, t.almost_sure)).collect(),
        );
        map.line("second moments grow", ms.iter().zip(&limits).map(|(m, t)| (*m, t.mean_square)).collect());
        findings.picture(format!("phase-{}", panel.name), map.svg(), format!("Share of successes, {}.", panel.title));
        let (x, y) = axes();
        let exploded = |c: &Cell| c.explosions as f64 / runs as f64;
        let mut map = Heatmap::new(format!("Explosions: {}", panel.title), x, y, cells.iter().map(exploded).collect());
        map.meaning = "exploded".into();
        map.line(
            "certain explosion about frozen attractors (Lyapunov)",
            ms.iter().zip(&limits).map(|(m, t)| (*m, t.almost_sure)).collect(),
        );
        findings.picture(
            format!("explosion-{}", panel.name),
            map.svg(),
            format!("Share of explosions, {}.", panel.title),
        );
        // The smallest sigma2 at which most runs explode (beyond the grid: infinite) falls with m.
        let threshold =
            |i: usize| (0..sigmas.len()).find(|&j| at(i, j).explosions * 2 > runs).map_or(f64::INFINITY, |j| sigmas[j]);
        let falling: Vec<f64> = (0..ms.len()).map(threshold).collect();
        let ordered = falling.windows(2).all(|w| w[1] <= w[0] + 0.5);
        explode.push(ordered && falling[0] > falling[ms.len() - 1]);
        let usable =
            |i: usize| (0..sigmas.len()).filter(|&j| share(&at(i, j)) >= 0.8).map(|j| sigmas[j]).collect::<Vec<_>>();
        let band = |i: usize| usable(i).first().zip(usable(i).last()).map(|(a, b)| [*a, *b]);
        widths.push(json!((0..ms.len()).map(|i| json!({"m": ms[i], "explodes_from": if falling[i].is_finite() { json!(falling[i]) } else { Value::Null }, "usable": band(i)})).collect::<Vec<_>>()));
        grown += usize::from(usable(0).len() > usable(ms.len() - 1).len());
        findings.data(
            panel.name,
            json!(units[..a_panel].iter().zip(cells).map(|(u, c)| json!({"m": u.inertia, "sigma2": u.sigma2, "successes": c.successes, "explosions": c.explosions})).collect::<Vec<_>>()),
        );
    }
    findings.claim(
        "For fixed m there is a noise threshold above which the dynamics explodes",
        "",
        format!("the sigma2 at which most runs explode falls with m in {} of {} panels", explode.iter().filter(|e| **e).count(), PANELS.len()),
        Verdict::share(explode.iter().filter(|e| **e).count(), PANELS.len()),
        "About frozen attractors every coordinate is a product of random matrices; its Lyapunov exponent is the line in the pictures.",
    );
    findings.claim(
        "A smaller m permits a larger flexibility in the noise but requires a minimal noise level",
        "",
        format!("the band of sigma2 with success in 80 % of runs is wider at m = {:.0e} than at {:.0e} in {grown} of {} panels", ms[0], ms[ms.len() - 1], PANELS.len()),
        Verdict::share(grown, PANELS.len()),
        "The bands are in the data under `bands`.",
    );
    // The cells that the reference has too.
    let (mut p_values, mut compared) = (Vec::new(), Vec::new());
    for [memory, m, sigma2, successes, of] in reference() {
        let same = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
        let ours = units.iter().zip(&cells).find(|(u, _)| {
            u.lambda1 == 0.0 && f64::from(u8::from(u.memory)) == memory && same(u.inertia, m) && same(u.sigma2, sigma2)
        });
        if let Some((unit, ours)) = ours {
            let p = fisher_exact(ours.successes, runs, successes as u64, of as u64)?;
            compared.push(json!({"memory": unit.memory, "m": m, "sigma2": sigma2, "ours": ours.successes, "reference": successes, "p": p}));
            p_values.push(p);
        }
    }
    if !p_values.is_empty() {
        let rejected = holm(&p_values, 0.01)?.iter().filter(|a| a.rejected).count();
        findings.claim(
            "Two independent programs give the same counts",
            format!("{} cells", p_values.len()),
            format!("{rejected} of {} differ (Fisher's exact test, Holm's correction, 1 %)", p_values.len()),
            Verdict::of(rejected == 0),
            "Reference cells of 100 runs each.",
        );
        findings.data("rejected", rejected);
    }
    findings.note(format!("{a_run:.1} ms of one thread a run of {STEPS} steps."));
    findings.data("compared", compared).data("bands", widths).data("milliseconds_a_run", a_run);
    Ok(findings)
}

/// At most `most` indices below `n`, evenly spread, both ends included.
fn spread(n: usize, most: usize) -> Vec<usize> {
    let most = most.min(n).max(1);
    (0..most).map(|k| if most == 1 { 0 } else { k * (n - 1) / (most - 1) }).collect()
}
