//! What tables I to III have in common: eight functions of one variable, a swarm, a gradient descent that the swarm
//! emulates, and descents along the true gradient.
//!
//! The paper says neither where the runs start nor when they count as converged. Here they start uniformly on the domain of
//! the function and have converged when the value is within 1e-3 of the minimum.

use super::Numbers;
use crate::error::Result;
use crate::paper::{Findings, Preset, Printed, Session, Verdict};
use crate::stats::quartiles;
use crate::table::{Table, significant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use swarmgrad::registry;
use swarmgrad::{Iterations, Matrix, Reason, Rng, Run, Target, problems};

/// Distance to the minimal value that counts as converged.
pub const GAP: f64 = 1e-3;
/// Particles of the swarm.
pub const PARTICLES: usize = 10;
/// Moves of a swarm.
pub const SWARM_ITERATIONS: u64 = 300;
/// Steps of a descent along the true gradient, which costs one gradient where a move of the swarm costs ten values.
pub const DESCENT_ITERATIONS: u64 = 1000;
/// The paper's learning rate.
const ETA: f64 = 0.1;
/// The paper's momentum.
const BETA: f64 = 0.9;
/// A point further out has diverged.
const FAR: f64 = 1e6;

/// What runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// EMPSO by itself.
    Swarm,
    /// A point that steps by eta kappa (w - g), downhill, while the swarm moves on; g the best point so far.
    Emulated,
    /// The same with the sign of equation (15) in an ordinary descent, w - eta df/dw.
    Printed,
    /// Descent along the true gradient.
    Plain,
    /// The same with momentum.
    Momentum,
}

/// A function, a way to minimise it, and how often.
#[derive(Serialize)]
struct Unit {
    function: &'static str,
    way: Way,
    /// The swarm that the emulation reads: "empso" or "pso".
    swarm: &'static str,
    numbers: Numbers,
    seeds: u64,
}

/// What all seeds of a unit came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tally {
    /// Iterations of the runs that converged.
    pub iterations: Vec<u64>,
    /// Runs that left for infinity, or for where the function is not defined.
    pub diverged: u64,
    /// All runs.
    pub runs: u64,
}

impl Tally {
    /// The share that converged.
    pub fn success(&self) -> f64 {
        self.iterations.len() as f64 / self.runs as f64
    }

    /// Median of the iterations of the runs that converged; NaN if none did.
    pub fn median(&self) -> f64 {
        quartiles(&self.iterations.iter().map(|&n| n as f64).collect::<Vec<_>>())[1]
    }

    fn shown(&self) -> String {
        match self.iterations.len() {
            0 => "–".into(),
            _ => significant(self.median(), 3),
        }
    }

    fn json(&self) -> Value {
        json!({"success": self.success(), "median": self.median(), "diverged": self.diverged as f64 / self.runs as f64})
    }
}

/// The derivative of one of the eight functions, one-sided or 0 where there is none.
pub fn derivative(problem: &dyn problems::TestProblem<f64>, x: f64) -> f64 {
    if let Some(smooth) = problem.differentiable() {
        let mut out = [0.0];
        smooth.gradient(&[x], &mut out);
        return out[0];
    }
    match problem.entry().name {
        "adaswarm5" => 0.5 / x.sqrt(),
        "adaswarm6" => {
            if x == 0.0 {
                0.0
            } else {
                x.signum()
            }
        }
        "adaswarm7" => {
            if x > 0.0 {
                x.cbrt().powi(-2) / 3.0 + x.cos()
            } else {
                0.0
            }
        }
        "adaswarm8" => {
            if x > 0.0 {
                1.0
            } else {
                2.0 * x
            }
        }
        other => panic!("{other} is none of the eight functions"),
    }
}

fn build(name: &str) -> Result<Box<dyn problems::TestProblem<f64>>> {
    Ok(problems::entry(name)?.build::<f64>(1, None)?)
}

/// The minimum of one of the eight functions.
fn minimum(problem: &dyn problems::TestProblem<f64>) -> f64 {
    problem.minimum().expect("known on the default domain")
}

fn tally(unit: &Unit) -> Result<Tally> {
    let problem = build(unit.function)?;
    let mut tally = Tally { iterations: Vec::new(), diverged: 0, runs: unit.seeds };
    for seed in 0..unit.seeds {
        match unit.way {
            Way::Swarm => {
                let settings = unit.numbers.settings("empso", PARTICLES);
                let mut swarm = registry::entry("empso")?.build(problem.space(), None, &settings)?;
                let run = Run::new(&*problem, &mut *swarm, seed)
                    .watch(&mut Target(minimum(&*problem) + GAP))
                    .watch(&mut Iterations(SWARM_ITERATIONS))
                    .minimize();
                if run.reason == Reason::Target {
                    tally.iterations.push(run.nit);
                }
            }
            Way::Emulated | Way::Printed => emulate(unit, &*problem, seed, &mut tally)?,
            Way::Plain | Way::Momentum => descend(unit.way, &*problem, seed, &mut tally),
        }
    }
    Ok(tally)
}

/// A point uniformly on the domain, where no swarm of the same seed starts.
fn start(problem: &dyn problems::TestProblem<f64>, seed: u64) -> f64 {
    let u = Rng::new(seed).fork("walker").row(0).uniform();
    problem.space().lower()[0] + u * problem.space().width(0)
}

fn arrived(problem: &dyn problems::TestProblem<f64>, x: f64) -> bool {
    // Below the minimum lies what is outside the domain.
    (problem.value(&[x]) - minimum(problem)).abs() < GAP
}

fn emulate(unit: &Unit, problem: &dyn problems::TestProblem<f64>, seed: u64, tally: &mut Tally) -> Result<()> {
    let space = problem.space();
    let settings = unit.numbers.settings(unit.swarm, PARTICLES);
    let mut swarm = registry::entry(unit.swarm)?.build(space, None, &settings)?;
    let mut rng = Rng::new(seed);
    let (mut xs, mut values) = (Matrix::default(), Vec::new());
    let mut w = start(problem, seed);
    let mut best = (w, problem.value(&[w]));
    for iteration in 0..=SWARM_ITERATIONS {
        if arrived(problem, w) {
            tally.iterations.push(iteration);
            return Ok(());
        }
        rng.set_iteration(iteration);
        swarm.ask(&rng, &mut xs);
        values.resize(xs.len(), 0.0);
        problem.values(xs.rows(), &mut values);
        for (x, &value) in xs.iter().zip(&values) {
            if value < best.1 || best.1.is_nan() {
                best = (x[0], value);
            }
        }
        swarm.tell(&mut xs, &values);
        // eta kappa = mean c1 r1 + mean c2 r2 over the particles, whatever eta is.
        let mean = |label: &str| {
            let mut r = [0.0; PARTICLES];
            rng.fork(label).fill_uniform(0..1, 0..PARTICLES, &mut r);
            r.iter().sum::<f64>() / PARTICLES as f64
        };
        let step = (unit.numbers.c1 * mean("r1 of the gradient") + unit.numbers.c2 * mean("r2 of the gradient"))
            * (w - best.0);
        if unit.way == Way::Printed {
            // w - eta (-kappa) (w - g), free to leave.
            w += step;
            if w.is_nan() || w.abs() >= FAR {
                tally.diverged += 1;
                return Ok(());
            }
        } else {
            w = (w - step).clamp(space.lower()[0], space.upper()[0]);
            let value = problem.value(&[w]);
            if value < best.1 {
                best = (w, value);
            }
        }
    }
    Ok(())
}

fn descend(way: Way, problem: &dyn problems::TestProblem<f64>, seed: u64, tally: &mut Tally) {
    let (mut x, mut v) = (start(problem, seed), 0.0);
    for iteration in 0..=DESCENT_ITERATIONS {
        if arrived(problem, x) {
            tally.iterations.push(iteration);
            return;
        }
        let slope = derivative(problem, x);
        v = if way == Way::Momentum { BETA * v + slope } else { slope };
        x -= ETA * v;
        if x.is_nan() || x.abs() >= FAR || problem.value(&[x]).is_nan() {
            tally.diverged += 1;
            return;
        }
    }
}

/// One of the three tables.
pub struct Shape {
    /// Its title.
    pub title: &'static str,
    /// The functions, in the paper's order.
    pub functions: [&'static str; 4],
    /// The table as printed.
    pub printed: &'static str,
    /// The descent that the paper compares with, and how its columns begin.
    pub rival: (Way, &'static str, &'static str),
    /// The swarm that the paper emulates with.
    pub swarm: &'static str,
}

/// Runs one of the three tables.
pub fn table(session: &Session<'_>, shape: &Shape) -> Result<Findings> {
    let numbers = Numbers::of(session.preset());
    let seeds = session.seeds(200, 40);
    let ways = [Way::Swarm, Way::Emulated, Way::Printed, Way::Plain, Way::Momentum];
    let unit = |function, way| Unit { function, way, swarm: shape.swarm, numbers, seeds };
    let units: Vec<Unit> = shape.functions.iter().flat_map(|f| ways.map(|way| unit(*f, way))).collect();
    let tallies = session.units("descent", &units, tally)?;
    let of = |function: usize, way: Way| {
        let way = ways.iter().position(|w| *w == way).expect("one of the ways");
        &tallies[function * ways.len() + way]
    };
    let printed = Printed::new(shape.printed);
    let (rival, rival_name, column) = shape.rival;
    let paper_iterations = |row: usize| printed.number(row, "emulated_gd_iterations").unwrap_or(f64::NAN);

    let mut findings = Findings::new(shape.title);
    findings.protocol(format!(
        "{seeds} seeds; starts uniform on each function's domain; converged: value within {GAP} of the minimum. Swarm: {PARTICLES} \
         particles, at most {SWARM_ITERATIONS} iterations, {}; emulated descent: a point steps by eta kappa (w - g) towards the \
         best point g of a moving swarm of {}; descents along the true gradient: eta = {ETA}, momentum {BETA}, at most \
         {DESCENT_ITERATIONS} steps. The paper states neither starts nor stop rule.",
        numbers.words(),
        if shape.swarm == "pso" { "PSO (inertia = eta = 0.1, as the theorem asks)" } else { "EMPSO" },
    ));

    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let mut ours = Table::new([
        "function",
        "swarm",
        "iterations",
        "emulated",
        "iterations",
        "GD",
        "iterations",
        "momentum",
        "iterations",
        "eq. (15) as printed",
    ]);
    let mut papers = Table::new([
        "function",
        "minimum",
        &format!("{rival_name} ends at"),
        "iterations",
        "emulated ends at",
        "iterations",
    ]);
    for (row, name) in shape.functions.iter().enumerate() {
        let problem = build(name)?;
        let entry = problem.entry();
        let [swarm, emulated, literal, plain, momentum] = ways.map(|way| of(row, way));
        ours.row([
            entry.formula.to_owned(),
            percent(swarm.success()),
            swarm.shown(),
            percent(emulated.success()),
            emulated.shown(),
            percent(plain.success()),
            plain.shown(),
            percent(momentum.success()),
            momentum.shown(),
            format!("{} diverge", percent(literal.diverged as f64 / literal.runs as f64)),
        ]);
        let cell = |header: &str| printed.text(row, header).to_owned();
        papers.row([
            entry.formula.to_owned(),
            significant(minimum(&*problem), 4),
            cell(&format!("{column}_optimum")),
            cell(&format!("{column}_iterations")),
            cell("emulated_gd_optimum"),
            cell("emulated_gd_iterations"),
        ]);
        let domain = (problem.space().lower()[0], problem.space().upper()[0]);
        findings.data(*name, json!({
            "minimum": minimum(&*problem), "minimizer": problem.minimizers()[0][0], "domain": [domain.0, domain.1],
            "swarm": swarm.json(), "emulated": emulated.json(), "printed": literal.json(), "plain": plain.json(), "momentum": momentum.json(),
        }));
    }
    findings.table(papers, "As the paper prints it.");
    findings.table(ours, "Share of the seeds that converge, and the median of their iterations; for equation (15) in w - eta df/dw the share that diverges.");

    let rows = 0..shape.functions.len();
    let solved = rows.clone().filter(|&r| of(r, Way::Emulated).success() >= 0.94).count();
    let medians = |way: Way| rows.clone().map(|r| of(r, way).shown()).collect::<Vec<_>>().join(", ");
    let rates = |way: Way| rows.clone().map(|r| percent(of(r, way).success())).collect::<Vec<_>>().join(", ");
    let least = |way: Way| rows.clone().map(|r| of(r, way).success()).fold(1.0, f64::min);
    let printed_iterations = rows.clone().map(paper_iterations).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let tens = rows.clone().filter(|&r| of(r, Way::Emulated).median() <= 2.0 * paper_iterations(r)).count();
    findings.claim(
        "The emulated descent reaches the minimum in few iterations",
        format!("{printed_iterations} iterations"),
        format!("{} iterations in the median, {} of the seeds", medians(Way::Emulated), rates(Way::Emulated)),
        Verdict::share(solved.min(tens), 4),
        "It does what the swarm does: without any gradient the swarm itself converges in ".to_owned()
            + &format!("{} iterations on at least {} of the seeds.", medians(Way::Swarm), percent(least(Way::Swarm))),
    );
    let better = rows
        .clone()
        .filter(|&r| {
            of(r, Way::Emulated).success() > of(r, rival).success() + 0.05
                || of(r, Way::Emulated).median() < of(r, rival).median()
        })
        .count();
    findings.claim(
        format!("It needs fewer iterations than {rival_name}, or converges where {rival_name} does not"),
        format!(
            "{} iterations",
            rows.clone().map(|r| printed.text(r, &format!("{column}_iterations"))).collect::<Vec<_>>().join(", ")
        ),
        format!("{} iterations on {} of the seeds", medians(rival), rates(rival)),
        Verdict::share(better, 4),
        "With eta = 0.1 the true gradient diverges or stalls on steep and flat walls.",
    );
    let cheaper = rows
        .clone()
        .filter(|&r| {
            let (emulated, rival) = (of(r, Way::Emulated), of(r, rival));
            let cost = |t: &Tally, each: f64| {
                if t.iterations.is_empty() { f64::INFINITY } else { each * t.median() / t.success() }
            };
            cost(emulated, PARTICLES as f64 + 1.0) < cost(rival, 1.0)
        })
        .count();
    findings.claim(
        "Hence it is cheaper",
        "counts iterations",
        format!(
            "evaluations {} against gradients {}",
            rows.clone().map(|r| significant(of(r, Way::Emulated).median() * (PARTICLES as f64 + 1.0), 3)).collect::<Vec<_>>().join(", "),
            medians(rival)
        ),
        Verdict::share(cheaper, 4),
        format!("An iteration of {PARTICLES} particles costs {PARTICLES} values and one more for the point, a step of {rival_name} one gradient; runs that fail are counted as repeated until one converges."),
    );
    findings.claim(
        format!("{rival_name} ends at the printed optima"),
        rows.clone().map(|r| printed.text(r, &format!("{column}_optimum"))).collect::<Vec<_>>().join(", "),
        format!(
            "converged, or diverged, on {}",
            rows.clone()
                .map(|r| {
                    let t = of(r, rival);
                    format!("{} / {}", percent(t.success()), percent(t.diverged as f64 / t.runs as f64))
                })
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Verdict::Open,
        "The starts and the stop rule are not stated, and the outcome hangs on the start.",
    );
    let diverging =
        rows.clone().filter(|&r| of(r, Way::Printed).diverged as f64 >= 0.5 * of(r, Way::Printed).runs as f64).count();
    findings.claim(
        "Equation (15) gives the gradient, df/dw = -(c1 r1 + c2 r2) / eta (w - g)",
        "sign as printed",
        format!("used in w - eta df/dw, most runs diverge on {diverging} of 4 functions"),
        Verdict::Fails,
        "The printed sign is that of the step, not of the gradient: the paper's update adds it. What is emulated is one move of a \
         particle towards g, whatever the slope of f.",
    );
    findings.note("The emulated step contracts w - g by 1 - (c1 r1 + c2 r2), so these tables test the swarm, not the accuracy of a gradient; for that see adaswarm/figure-1.");
    if shape.functions.contains(&"adaswarm7") {
        findings.note("The third function is minimal at every x <= 0, so half of the starts have converged before the first step.");
    }
    if session.preset() == Preset::Sound {
        findings.note("Preset sound takes our defaults of EMPSO, c1 = c2 = 1.2 and beta = 0.2.");
    }
    Ok(findings)
}
