//! Section 6 of the supplement: for which parameters EMPSO is stable.
//!
//! Form A with fixed attractors and fixed phi = c1 r1 + c2 r2 has the characteristic polynomial
//! z^2 + (phi - 2) z + 1 - phi beta (times z), so it is stable exactly for 0 < beta < 1 and 0 < phi < 4 / (1 + beta).
//! The supplement says 0 <= phi <= 2, because its derivation drops beta^2 M(t-1).

use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Verdict};
use crate::plot::{Axis, Chart, Line};
use crate::table::{Table, fixed};
use serde::{Deserialize, Serialize};
use serde_json::json;
use swarmgrad::algorithms::particle::empso::{is_stable, mean_square_radius};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/stability",
    summary: "supplement section 6: the parameters for which EMPSO is stable",
    preset: Preset::PaperText,
    run,
};

/// Steps that a walk is watched for.
const STEPS: usize = 20_000;
/// Distance to the edge, in phi, within which those steps decide nothing.
const EDGE: f64 = 0.02;

/// Parameters in use: name, c1, c2, beta.
const IN_USE: [(&str, f64, f64, f64); 6] = [
    ("the paper", 0.8, 0.9, 0.9),
    ("PSO-Grad", 1.0, 1.0, 0.9),
    ("1.5, 1.5, 0.9", 1.5, 1.5, 0.9),
    ("torchswarm's defaults", 2.0, 2.0, 0.9),
    ("published ResNet scripts", 2.0, 2.0, 0.1),
    ("published tabular scripts", 0.9, 0.8, 0.1),
];

/// A momentum factor and what to look at for it.
#[derive(Serialize)]
struct Unit {
    beta: f64,
    step: f64,
}

#[derive(Serialize, Deserialize)]
struct Found {
    /// Values of phi that were walked, and those of them where the walk agrees with a rule.
    walked: usize,
    exact: usize,
    supplement: usize,
    /// The largest phi found to be stable.
    edge: f64,
    /// The largest c = c1 = c2 for which second moments die out.
    mean_square: f64,
}

/// Whether the walk of form A about attractors at 0 stays bounded.
fn bounded(beta: f64, phi: f64) -> bool {
    let (mut x, mut v, mut m) = (1.0f64, 0.0, 0.0);
    for _ in 0..STEPS {
        m = beta * m + (1.0 - beta) * v;
        v = m - phi * x;
        x += v;
        if x.is_nan() || x.abs() > 1e6 {
            return false;
        }
    }
    true
}

/// The place between `low`, where `inside` is true, and `high`, where it is false.
fn edge(mut low: f64, mut high: f64, inside: impl Fn(f64) -> bool) -> f64 {
    while high - low > 5e-4 {
        let middle = low.midpoint(high);
        if inside(middle) { low = middle } else { high = middle }
    }
    low.midpoint(high)
}

fn look(unit: &Unit) -> Found {
    let beta = unit.beta;
    let exact_edge = 4.0 / (1.0 + beta);
    let mut found = Found { walked: 0, exact: 0, supplement: 0, edge: 0.0, mean_square: 0.0 };
    for k in (-0.2 / unit.step) as i32..=(4.2 / unit.step) as i32 {
        let phi = f64::from(k) * unit.step;
        // Near an edge the steps decide nothing; at phi = 0 nothing moves.
        if phi.abs() < EDGE || (phi - exact_edge).abs() < EDGE {
            continue;
        }
        let seen = bounded(beta, phi);
        found.walked += 1;
        found.exact += usize::from(seen == is_stable(beta, phi));
        found.supplement += usize::from(seen == (0.0..=2.0).contains(&phi));
    }
    found.edge = edge(0.5 * exact_edge, exact_edge + 1.0, |phi| bounded(beta, phi));
    found.mean_square = edge(0.05, 4.0, |c| mean_square_radius(c, c, beta) < 1.0);
    found
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let shown: Vec<f64> = vec![0.1, 0.3, 0.5, 0.7, 0.9];
    let step = if session.quick() { 0.05 } else { 0.01 };
    let betas: Vec<f64> = match session.quick() {
        true => shown.clone(),
        false => (1..=19).map(|k| f64::from(k) * 0.05).collect(),
    };
    let units: Vec<Unit> = betas.iter().map(|&beta| Unit { beta, step }).collect();
    let found = session.units("stability", &units, |unit| Ok(look(unit)))?;
    let walked: usize = found.iter().map(|f| f.walked).sum();
    let exact: usize = found.iter().map(|f| f.exact).sum();
    let supplement: usize = found.iter().map(|f| f.supplement).sum();
    let percent = |n: usize| format!("{:.1} %", 100.0 * n as f64 / walked as f64);

    let mut findings = Findings::new("Supplement, section 6: stability of EMPSO");
    findings.protocol(format!(
        "One particle of form A (equations 4 to 6) with both attractors at 0 and phi = c1 r1 + c2 r2 fixed is walked {STEPS} \
         steps for {} values of beta and phi from -0.2 to 4.2 in steps of {step}, leaving out {EDGE} about the edges. With random \
         r1 and r2 it is the spectral radius of the second moments, E[A (x) A], that decides.",
        betas.len()
    ));

    let mut edges =
        Table::new(["beta", "edge found", "4 / (1 + beta)", "supplement", "2 beta (1 - beta)", "mean-square limit"]);
    for beta in &shown {
        let i = betas.iter().position(|b| (b - beta).abs() < 1e-9).expect("a beta of the grid");
        edges.row([
            fixed(*beta, 1),
            fixed(found[i].edge, 3),
            fixed(4.0 / (1.0 + beta), 3),
            "2".into(),
            fixed(2.0 * beta * (1.0 - beta), 2),
            fixed(found[i].mean_square, 3),
        ]);
    }
    findings.table(
        edges,
        "The largest stable phi: found by walking, by the exact rule, by the supplement; the phi below which the supplement's own \
         cubic calls the method unstable; and the largest c1 = c2 for which second moments die out when r1, r2 are random.",
    );

    let mut radii = Table::new(["parameters", "c1", "c2", "beta", "radius", "in mean square"]);
    let rows: Vec<(f64, &str)> = IN_USE
        .iter()
        .map(|&(name, c1, c2, beta)| {
            let radius = mean_square_radius(c1, c2, beta);
            let word = if (radius - 1.0).abs() < 0.01 {
                "marginal"
            } else if radius < 1.0 {
                "stable"
            } else {
                "unstable"
            };
            radii.row([
                name.to_owned(),
                c1.to_string(),
                c2.to_string(),
                beta.to_string(),
                fixed(radius, 3),
                word.into(),
            ]);
            (radius, word)
        })
        .collect();
    findings.table(radii, "Factor by which second moments grow each iteration, for parameters in use.");

    let worst = found.iter().zip(&betas).map(|(f, b)| (f.edge - 4.0 / (1.0 + b)).abs()).fold(0.0, f64::max);
    findings.claim(
        "EMPSO is stable if and only if 0 < beta < 1 and 0 <= c1 + c2 <= 2 (the c's containing r)",
        "0 <= phi <= 2",
        format!("0 < phi < 4 / (1 + beta): right on {} of the grid, the supplement's rule on {}", percent(exact), percent(supplement)),
        if supplement == walked { Verdict::Holds } else { Verdict::Partly },
        "The bound is sufficient but not necessary: it is the limit beta -> 1 of the exact one, because the derivation drops \
         beta^2 M(t-1); and at phi = 0 nothing is pulled anywhere.",
    );
    findings.claim(
        "The supplement's characteristic cubic gives that bound",
        "0 <= phi <= 2",
        "its value at z = 1 is phi - 2 beta (1 - beta)",
        Verdict::Fails,
        "A polynomial that is negative at z = 1 has a root beyond 1, so the cubic calls the method unstable for all \
         phi < 2 beta (1 - beta), 0.5 at beta = 0.5, where walking shows it stable.",
    );
    findings.claim(
        "The paper's parameters c1 = 0.8, c2 = 0.9, beta = 0.9 are stable",
        "stable",
        format!("radius of the second moments {}", fixed(rows[0].0, 3)),
        Verdict::of(rows[0].0 < 1.0),
        "Second moments shrink by a fifth each iteration.",
    );
    findings.claim(
        "So are the parameters of the published programs",
        "",
        format!(
            "torchswarm's defaults {}, ResNet scripts {}, tabular scripts {}",
            fixed(rows[3].0, 3),
            fixed(rows[4].0, 3),
            fixed(rows[5].0, 3)
        ),
        Verdict::of(rows[3..].iter().all(|r| r.0 < 1.0)),
        "With c1 = c2 = 2 second moments explode at either beta, so only clamping and few iterations keep the swarm together; the \
         tabular scripts sit on the edge.",
    );

    let mut chart = Chart::new(
        "Where EMPSO is stable",
        Axis::linear("beta").range(0.0, 1.0),
        Axis::linear("phi, or its mean (c1 + c2) / 2").range(0.0, 4.2),
    );
    chart.subtitle = "below a line: stable; parameters in use as dots, at the mean of phi".into();
    let fine = |f: &dyn Fn(f64) -> f64| (0..=100).map(|k| (f64::from(k) / 100.0, f(f64::from(k) / 100.0))).collect();
    chart.line(Line::new("exact, 4 / (1 + beta)", fine(&|b| 4.0 / (1.0 + b))));
    chart.line(Line::new("the supplement, 2", fine(&|_| 2.0)));
    chart.line(Line::new("its own cubic, from below", fine(&|b| 2.0 * b * (1.0 - b))));
    chart.line(Line::new(
        "in mean square, c1 = c2",
        betas.iter().zip(&found).map(|(b, f)| (*b, f.mean_square)).collect(),
    ));
    for (name, c1, c2, beta) in IN_USE.iter().filter(|p| !p.0.starts_with('1')) {
        chart.line(Line::new(*name, vec![(*beta, 0.5 * (c1 + c2))]).dots());
    }
    findings.picture("stability", chart.svg(), "The largest stable phi for each beta.");

    findings.data("walked", walked).data("exact", exact).data("supplement", supplement).data("worst_edge_error", worst);
    findings.data(
        "edges",
        json!(
            betas
                .iter()
                .zip(&found)
                .map(|(b, f)| json!({"beta": b, "edge": f.edge, "mean_square": f.mean_square}))
                .collect::<Vec<_>>()
        ),
    );
    findings.data(
        "radii",
        json!(
            IN_USE
                .iter()
                .zip(&rows)
                .map(|(p, r)| json!({"c1": p.1, "c2": p.2, "beta": p.3, "radius": r.0}))
                .collect::<Vec<_>>()
        ),
    );
    Ok(findings)
}
