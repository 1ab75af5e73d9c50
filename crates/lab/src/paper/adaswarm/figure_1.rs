//! Figure 1 and supplement table 4: the true gradient against the one read off a swarm, kappa (w - g).

use super::Numbers;
use super::descent::derivative;
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Printed, Session, Verdict};
use crate::plot::{Axis, Chart, Line};
use crate::stats::median;
use crate::table::{Table, fixed, significant};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::ops::ControlFlow;
use swarmgrad::algorithms::gradient::curvature;
use swarmgrad::problems::{self, TestProblem};
use swarmgrad::registry;
use swarmgrad::{Iterations, Matrix, Progress, Run};

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/figure-1",
    summary: "figure 1 and supplement table 4: the true gradient against the swarm's; order of accuracy",
    preset: Preset::PaperText,
    run,
};

/// The paper's learning rate, which its theorem sets to 1 - beta.
const ETA: f64 = 0.1;
/// Samples within this distance of the best point show the curvature.
const RADIUS: f64 = 0.05;
/// Particles and iterations of the swarm that finds the minimum.
const SWARM: (usize, u64) = (10, 300);
/// Distances from the minimiser at which errors are compared, and how many of them.
const DISTANCES: ([f64; 2], usize) = ([1e-4, 1e-2], 21);

/// The eight functions and how far around the minimiser they are drawn.
const FUNCTIONS: [(&str, f64); 8] = [
    ("adaswarm1", 0.25),
    ("adaswarm2", 1.0),
    ("adaswarm3", 1.0),
    ("adaswarm4", 0.3),
    ("adaswarm5", 2.0),
    ("adaswarm6", 2.0),
    ("adaswarm7", 2.0),
    ("adaswarm8", 2.0),
];

#[derive(Serialize)]
struct Unit {
    function: &'static str,
    numbers: Numbers,
    seed: u64,
}

/// What one swarm found.
#[derive(Serialize, Deserialize)]
struct Flight {
    /// Its best point.
    g: f64,
    /// The curvature that its samples near that point show.
    kappa: Option<f64>,
}

fn build(name: &str) -> Result<Box<dyn TestProblem<f64>>> {
    Ok(problems::entry(name)?.build::<f64>(1, None)?)
}

fn fly(unit: &Unit) -> Result<Flight> {
    let problem = build(unit.function)?;
    let mut swarm = registry::entry("empso")?.build(problem.space(), None, &unit.numbers.settings("empso", SWARM.0))?;
    let (mut points, mut values) = (Vec::new(), Vec::new());
    let mut keep = |p: &Progress<'_>| {
        points.extend_from_slice(p.algorithm.view().matrix("x").map_or(&[], |x| x.data()));
        values.extend_from_slice(p.values);
        ControlFlow::Continue(())
    };
    let outcome =
        Run::new(&*problem, &mut *swarm, unit.seed).watch(&mut keep).watch(&mut Iterations(SWARM.1)).minimize();
    let points = Matrix::from_vec(1, points)?;
    Ok(Flight { g: outcome.x[0], kappa: curvature(points.rows(), &values, &outcome.x, outcome.fun, RADIUS) })
}

/// The second derivative of a smooth function, by central differences of its derivative.
fn second_derivative(problem: &dyn TestProblem<f64>, x: f64) -> f64 {
    let h = 1e-5;
    (derivative(problem, x + h) - derivative(problem, x - h)) / (2.0 * h)
}

/// Share of a fine grid on the domain, points without a slope aside, where `approximate` has the sign of the derivative.
fn agreement(problem: &dyn TestProblem<f64>, approximate: impl Fn(f64) -> f64) -> f64 {
    const POINTS: usize = 20_000;
    let (low, width) = (problem.space().lower()[0], problem.space().width(0));
    let (mut agree, mut all) = (0usize, 0usize);
    for i in 0..POINTS {
        let w = low + width * (i as f64 + 0.5) / POINTS as f64;
        let slope = derivative(problem, w);
        if slope != 0.0 && slope.is_finite() {
            all += 1;
            agree += usize::from(approximate(w) * slope > 0.0);
        }
    }
    agree as f64 / all as f64
}

/// The order of accuracy: the slope of ln |kappa (w - x*) - f'(w)| against ln |w - x*|, the mean of both sides.
fn order(problem: &dyn TestProblem<f64>, minimizer: f64, kappa: f64) -> f64 {
    let ([near, far], n) = DISTANCES;
    let side = |sign: f64| {
        let points: Vec<(f64, f64)> = (0..n)
            .map(|i| {
                let h = near * (far / near).powf(i as f64 / (n - 1) as f64);
                let error = kappa * sign * h - derivative(problem, minimizer + sign * h);
                (h.ln(), error.abs().ln())
            })
            .collect();
        let mean = |f: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n as f64;
        let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
        mean(&|p| (p.0 - x) * (p.1 - y)) / mean(&|p| (p.0 - x).powi(2))
    };
    0.5 * (side(-1.0) + side(1.0))
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let numbers = Numbers::of(session.preset());
    let kappa = (numbers.c1 + numbers.c2) / (2.0 * ETA);
    let seeds = session.seeds(200, 40);
    let unit = |function, seed| Unit { function, numbers, seed };
    let units: Vec<Unit> = FUNCTIONS.iter().flat_map(|(f, _)| (0..seeds).map(|seed| unit(*f, seed))).collect();
    let flights = session.units("flight", &units, fly)?;

    let mut findings = Findings::new("Figure 1: true against approximate gradient");
    findings.protocol(format!(
        "The approximate gradient is kappa (w - g). With {}, eta = {ETA} the paper's kappa = (c1 r1 + c2 r2) / eta has the mean {}. \
         Signs are compared on 20,000 points of each function's domain and orders of accuracy between {} and {} from the minimiser, \
         with g exactly there. The calibrated kappa is the curvature that the samples of a swarm ({} particles, {} iterations, \
         median of {seeds} seeds) show within {RADIUS} of its best point.",
        numbers.words(),
        significant(kappa, 3),
        DISTANCES.0[0],
        DISTANCES.0[1],
        SWARM.0,
        SWARM.1,
    ));
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let mut signs = Table::new(["function", "+kappa (w - g)", "sign of eq. (15)"]);
    let mut orders =
        Table::new(["function", "f''(x*)", "kappa", "ratio", "calibrated", "order, kappa", "order, kappa = f''"]);
    let (mut shares, mut curvatures, mut slopes) = (Vec::new(), Vec::new(), Vec::new());
    for (k, &(name, window)) in FUNCTIONS.iter().enumerate() {
        let problem = build(name)?;
        let formula = problem.entry().formula;
        let flights = &flights[k * seeds as usize..][..seeds as usize];
        let minimizer = problem.minimizers()[0][0];
        let [right, wrong] = [1.0, -1.0].map(|sign| agreement(&*problem, |w| sign * kappa * (w - minimizer)));
        signs.row([formula.to_owned(), percent(right), percent(wrong)]);
        shares.push((right, wrong));
        let measured = median(&flights.iter().map(|f| f.kappa.unwrap_or(f64::NAN)).collect::<Vec<_>>());
        let gap = median(&flights.iter().map(|f| (f.g - minimizer).abs()).collect::<Vec<_>>());
        findings.data(
            name,
            json!({
                "agree": right, "agree_printed": wrong, "calibrated": measured, "median_distance_of_g": gap,
            }),
        );
        if problem.differentiable().is_some() {
            let second = second_derivative(&*problem, minimizer);
            let [papers, calibrated] = [kappa, second].map(|kappa| order(&*problem, minimizer, kappa));
            orders.row([
                formula.to_owned(),
                significant(second, 4),
                significant(kappa, 3),
                significant(kappa / second, 2),
                significant(measured, 4),
                fixed(papers, 2),
                fixed(calibrated, 2),
            ]);
            curvatures.push((measured, second));
            slopes.push((papers, calibrated));
            findings.data(
                format!("{name}_order"),
                json!({"kappa": papers, "second": calibrated, "second_derivative": second}),
            );
        }

        let low = (minimizer - window).max(problem.space().lower()[0]);
        let high = (minimizer + window).min(problem.space().upper()[0]);
        let line = |f: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
            (0..=400).map(|i| low + (high - low) * (f64::from(i) + 0.5) / 401.0).map(|w| (w, f(w))).collect()
        };
        let mut slope = line(&|w| derivative(&*problem, w));
        if problem.differentiable().is_none() {
            // The slope jumps at the minimiser: nothing is drawn across.
            let kink = slope.partition_point(|p| p.0 < minimizer);
            slope.insert(kink, (minimizer, f64::NAN));
        }
        let top =
            slope.iter().map(|p| p.1.abs()).filter(|t| t.is_finite()).fold(kappa * (high - low).min(window), f64::max);
        let top = top.min(4.0 * kappa * window.min(high - low)).max(1.0);
        let least =
            if slope.iter().all(|p| p.1.is_nan() || p.1 >= 0.0) && low >= minimizer { 0.0 } else { -1.05 * top };
        let mut chart = Chart::new(formula, Axis::linear("w"), Axis::linear("gradient").range(least, 1.05 * top));
        chart.height = 320.0;
        chart.line(Line::new("true gradient", slope));
        chart.line(Line::new(
            format!("kappa (w - g), kappa = {}", significant(kappa, 3)),
            line(&|w| kappa * (w - minimizer)),
        ));
        if problem.differentiable().is_some() {
            chart.line(Line::new(
                format!("calibrated, kappa = {}", significant(measured, 3)),
                line(&|w| measured * (w - minimizer)),
            ));
        }
        findings.picture(
            format!("figure-1-{}", k + 1),
            chart.svg(),
            format!("True and approximate gradient of {formula}."),
        );
    }
    findings.table(signs, "Share of the domain where the approximate gradient has the sign of the true one.");
    findings.table(orders, "Curvature at the minimiser, the paper's kappa and its ratio to it, the calibrated kappa, and the order of accuracy: the slope of the error against the distance in logarithms.");

    let printed = Printed::new(include_str!("supplement-table-4.csv"));
    let (table, near, possible, wrong_sign) = supplement_table_4(&printed, &numbers);
    findings.table(table, format!(
        "Supplement table 4. Near the minimum (*) the formula can give kappa (x - g) with kappa from 0 to {} only; away from it (**) \
         it also has a velocity and an own memory, which the paper does not state.",
        significant((numbers.c1 + numbers.c2) / ETA, 3)
    ));
    findings.data("table_4", json!({"near": near, "possible": possible, "wrong_sign": wrong_sign}));

    let joined =
        |f: &dyn Fn(&(f64, f64)) -> String, list: &[(f64, f64)]| list.iter().map(f).collect::<Vec<_>>().join(", ");
    findings.claim(
        "The approximate gradient points the same way as the true one",
        "figure 1: both rise with w",
        format!(
            "signs agree on {} of the domains of table I, {} of table III",
            joined(&|s| percent(s.0), &shares[..4]),
            joined(&|s| percent(s.0), &shares[4..])
        ),
        Verdict::Partly,
        "With the sign +kappa (w - g) it does wherever no hill lies between w and the minimum; with the sign that equation (15) \
         prints it points the other way: "
            .to_owned()
            + &format!("agreement {}.", joined(&|s| percent(s.1), &shares[..4])),
    );
    let near_enough = curvatures.iter().filter(|c| (kappa / c.1 - 1.0).abs() < 0.1).count();
    findings.claim(
        "Its values approximate the true gradient near the minimum",
        "figure 1, section III-D",
        format!("kappa / f''(x*) = {}", joined(&|c| significant(kappa / c.1, 2), &curvatures)),
        Verdict::share(near_enough, 4),
        "kappa is made of the swarm's own constants and knows nothing of f; where it is near f'' that is a coincidence.",
    );
    findings.claim(
        "The approximation has a high order of accuracy near the optimum",
        "proved in the supplement",
        format!(
            "order {} with the paper's kappa, {} with kappa = f''(x*)",
            joined(&|s| fixed(s.0, 2), &slopes),
            joined(&|s| fixed(s.1, 2), &slopes)
        ),
        Verdict::Fails,
        "The error is |kappa - f''(x*)| h to leading order: first order, no better than the answer 0. Second order needs the curvature.",
    );
    let calibrated = curvatures.iter().filter(|c| (c.0 / c.1 - 1.0).abs() < 0.1).count();
    findings.note(format!(
        "The swarm's own samples do show the curvature: calibrated kappa {} against f'' {}, within 10 % on {calibrated} of 4.",
        joined(&|c| significant(c.0, 4), &curvatures),
        joined(&|c| significant(c.1, 4), &curvatures),
    ));
    findings.claim(
        "Supplement table 4: approximate gradients agree with analytic ones, near and away from the minimum",
        "22 rows",
        format!("of {near} rows near the minimum {possible} lie within what the formula can give; wrong signs in all rows: {wrong_sign}"),
        Verdict::Fails,
        "A constant kappa cannot fit both sides of one function, let alone several: the rows ask for different kappas, and at \
         x = g the formula gives 0 whatever is printed.",
    );
    Ok(findings)
}

/// The rows beside what the formula can give: the table, rows near the minimum, those that are possible, wrong signs.
fn supplement_table_4(printed: &Printed, numbers: &Numbers) -> (Table, usize, usize, usize) {
    let largest = (numbers.c1 + numbers.c2) / ETA;
    let mut table =
        Table::new(["function", "x", "kind", "analytic", "ours", "approximate", "kappa needed", "possible"]);
    let (mut near, mut possible, mut wrong_sign) = (0, 0, 0);
    for row in 0..printed.len() {
        let function = printed.text(row, "function");
        let number = |header: &str| printed.number(row, header).unwrap_or(f64::NAN);
        let (x, g, approximate) = (number("x"), number("global_minimiser"), number("approximate_gradient"));
        let slope = match function {
            "x^3+exp(-2x)-5" => 3.0 * x * x - 2.0 * (-2.0 * x).exp(),
            "exp(sin x)+x^4" => x.cos() * x.sin().exp() + 4.0 * x.powi(3),
            "sqrt(x)" => 0.5 / x.sqrt(),
            _ => {
                if x == 0.0 {
                    0.0
                } else {
                    x.signum()
                }
            }
        };
        let is_near = printed.text(row, "formula") == "*";
        wrong_sign += usize::from(approximate * slope < 0.0);
        let (needed, verdict) = if !is_near {
            (String::new(), "free")
        } else if x == g {
            (String::new(), if approximate == 0.0 { "yes, 0" } else { "no, only 0" })
        } else {
            let needed = approximate / (x - g);
            (significant(needed, 3), if (0.0..=largest).contains(&needed) { "yes" } else { "no" })
        };
        near += usize::from(is_near);
        possible += usize::from(is_near && verdict.starts_with("yes"));
        table.row([
            function.to_owned(),
            x.to_string(),
            printed.text(row, "formula").to_owned(),
            printed.text(row, "analytical_gradient").to_owned(),
            significant(slope, 4),
            printed.text(row, "approximate_gradient").to_owned(),
            needed,
            verdict.to_owned(),
        ]);
    }
    (table, near, possible, wrong_sign)
}
