//! The zero-inertia limit: on the same draws the swarm of mass m approaches consensus-based optimisation as m -> 0.

use super::{normal, order, round, swarm};
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::plot::{Axis, Chart, Line};
use crate::table::{Table, fixed, significant};
use serde::Serialize;
use serde_json::json;
use swarmgrad::{Matrix, Rng};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "mean-field-pso/zero-inertia",
    summary: "the swarm of mass m approaches consensus-based optimisation on the same draws as m -> 0",
    preset: Preset::PaperText,
    run,
};

const PARTICLES: usize = 200;
const DIM: usize = 5;
const DT: f64 = 0.01;
const STEPS: u64 = 100;

#[derive(Serialize)]
struct Unit {
    inertia: f64,
    seed: u64,
}

/// The mean squared gap of a coordinate at T = 1.
fn gap(unit: &Unit) -> Result<f64> {
    let start = normal(1.0, 1.0);
    let common = json!({ "particles": PARTICLES, "dt": DT, "alpha": 10.0, "start": start });
    let with = |more: serde_json::Value| {
        let mut json = common.clone();
        if let (Some(to), Some(from)) = (json.as_object_mut(), more.as_object()) {
            to.extend(from.clone());
        }
        json
    };
    let inert = with(json!({ "inertia": unit.inertia, "sigma2": 0.5, "memory": "none" }));
    let (mut a, mut b) = (swarm("pso_sde", DIM, inert)?, swarm("cbo", DIM, with(json!({ "sigma": 0.5 })))?);
    let (rng, mut xs) = (Rng::new(unit.seed), Matrix::default());
    let square = |x: &[f64]| x.iter().map(|t| t * t).sum::<f64>();
    for k in 0..=STEPS {
        round(&mut *a, &rng, k, &mut xs, square);
        round(&mut *b, &rng, k, &mut xs, square);
    }
    let (a, b) = (a.view(), b.view());
    let (Some(a), Some(b)) = (a.matrix("x"), b.matrix("x")) else { return Ok(f64::NAN) };
    let sum: f64 = a.data().iter().zip(b.data()).map(|(a, b)| (a - b) * (a - b)).sum();
    Ok(sum / (PARTICLES * DIM) as f64)
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let masses = [0.0, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2];
    let seeds = session.seeds(20, 3);
    let units: Vec<Unit> =
        masses.iter().flat_map(|&inertia| (0..seeds).map(move |seed| Unit { inertia, seed })).collect();
    let gaps = session.units("gap", &units, gap)?;
    let rms: Vec<f64> = gaps.chunks(seeds as usize).map(|g| (g.iter().sum::<f64>() / seeds as f64).sqrt()).collect();

    let mut findings = Findings::new("The limit of zero inertia");
    findings.protocol(format!(
        "{PARTICLES} particles without memory in {DIM} dimensions on the sphere function, sigma = 0.5, alpha = 10, dt = {DT}, T = 1, \
         gamma = 1 - m, X0 ~ N(1, 1), and consensus-based optimisation on the same start and the same normals; {seeds} seeds."
    ));
    let mut table = Table::new(["m", "rms gap of a coordinate"]);
    masses.iter().zip(&rms).for_each(|(m, gap)| {
        table.row([format!("{m:e}"), significant(*gap, 3)]);
    });
    findings.table(table, "Root mean square distance of positions at T = 1.");
    let points: Vec<(f64, f64)> = masses.iter().copied().zip(rms.iter().copied()).skip(1).collect();
    let (slope, wide) = order(&points);
    let (last, _) = order(&points[..4]);
    let mut chart = Chart::new("Distance to consensus-based optimisation", Axis::log("m"), Axis::log("rms gap"));
    chart.line(Line::new("measured", points.clone()).dots());
    let (m0, g0) = points[0];
    chart.line(Line::new("order 1", points.iter().map(|(m, _)| (*m, g0 * m / m0)).collect()));
    findings.picture("zero-inertia", chart.svg(), "The gap is proportional to m once m is far below dt.");
    findings.claim(
        "As m -> 0 the swarm becomes consensus-based optimisation",
        "",
        format!(
            "order {} ± {} over all masses, {} below 3e-4; {} at m = 0",
            fixed(slope, 2),
            fixed(wide, 2),
            fixed(last, 2),
            significant(rms[0], 2)
        ),
        Verdict::of(rms[0] < 1e-13 && (0.9..=1.1).contains(&last)),
        "At m = 0, gamma = 1 the schemes are the same to rounding.",
    );
    findings.data("masses", masses.to_vec()).data("gaps", rms).data("order", slope).data("order_small", last);
    Ok(findings)
}
