//! What matters in the hybrid mode, and in the learning of numbers: one choice after the other is changed.

use super::grid::Grid;
use super::terrain::{FUNCTIONS, Terrain, priced};
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Stated, Verdict};
use crate::table::{Table, significant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use swarmgrad::registry::Settings;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "evograd/ablation",
    summary: "share of the elite, directions, memory, loss, learning rate and price of the gradient, one by one",
    preset: Preset::Sound,
    run,
};

const METHODS: [&str; 3] = ["de", "ga", "pso"];
/// What a value with its gradient costs, in evaluations, where nothing is said.
const PRICE: f64 = 3.0;

/// A choice: its name, what is changed, and the price of a gradient.
type Choice = (&'static str, Value, f64);

/// A group of choices, and the one that they are compared with.
struct Group {
    title: &'static str,
    base: &'static str,
    choices: Vec<Choice>,
}

fn groups(dim: usize) -> Vec<Group> {
    let one = |name, changed: Value| (name, changed, PRICE);
    let shares = Group {
        title: "share of the elite",
        base: "hybrid",
        choices: vec![
            one("2 %", json!({ "elite": 0.02 })),
            one("20 %", json!({ "elite": 0.2 })),
            one("50 %", json!({ "elite": 0.5 })),
            one("100 %", json!({ "elite": 1.0 })),
        ],
    };
    if dim != 10 {
        return vec![shares];
    }
    let directions = Group {
        title: "directions",
        base: "hybrid",
        choices: vec![
            one("raw", json!({ "raw": 1.0, "secant": 0.0 })),
            one("population", json!({ "raw": 0.0, "secant": 0.0 })),
            one("raw and population", json!({ "secant": 0.0 })),
        ],
    };
    let memory = Group {
        title: "pairs that a point remembers",
        base: "hybrid",
        choices: vec![
            one("2 pairs", json!({ "pairs": 2 })),
            one("4 pairs", json!({ "pairs": 4 })),
            one("16 pairs", json!({ "pairs": 16 })),
        ],
    };
    let learning = |price, title, names: [&'static str; 4]| Group {
        title,
        base: "classical",
        choices: names
            .into_iter()
            .zip([json!({}), json!({ "loss": "mean" }), json!({ "loss": "min" }), json!({ "learning_rate": 0.0 })])
            .map(|(name, mut changed)| {
                changed["mode"] = "adaptive".into();
                (name, changed, price)
            })
            .collect(),
    };
    let prices = Group {
        title: "price of a value with its gradient",
        base: "classical",
        choices: vec![
            ("price 1", json!({}), 1.0),
            ("price 2", json!({}), 2.0),
            ("price 3", json!({}), PRICE),
            ("price 5", json!({}), 5.0),
            ("price 10", json!({}), 10.0),
        ],
    };
    vec![
        shares,
        directions,
        memory,
        learning(PRICE, "learning the numbers, at a price of 3", ["softmin", "mean", "min", "rate 0"]),
        learning(1.0, "learning the numbers, gradients free", ["free softmin", "free mean", "free min", "free rate 0"]),
        prices,
    ]
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Unit {
    function: &'static str,
    dim: usize,
    method: String,
    settings: Settings,
    price: f64,
    budget: u64,
    seed: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reached {
    value: f64,
}

fn walk(unit: &Unit) -> Result<Reached> {
    let terrain = Terrain::new(unit.function, unit.dim, false, unit.seed)?;
    let outcome = priced(&terrain, &unit.method, &unit.settings, Some(unit.price), unit.budget, unit.seed)?;
    Ok(Reached { value: outcome.fun })
}

fn settings(changed: &Value) -> Settings {
    let mut all = json!({ "particles": 50, "mode": "hybrid" }).as_object().cloned().unwrap_or_default();
    all.extend(changed.as_object().cloned().unwrap_or_default());
    all
}

/// What was asked of one dimension.
struct Answers {
    groups: Vec<Group>,
    grid: Grid,
    dim: usize,
}

impl Answers {
    fn compute(session: &Session<'_>, dim: usize, functions: &[&'static str]) -> Result<Answers> {
        let groups = groups(dim);
        let (budget, seeds) = match (session.quick(), dim) {
            (true, _) => (100, session.seeds(8, 8)),
            (false, 10) => (1000, session.seeds(15, 8)),
            (false, _) => (1000, session.seeds(10, 8)),
        };
        let bases = [("classical", json!({ "mode": "classical" }), PRICE), ("hybrid", json!({}), PRICE)];
        let choices: Vec<&Choice> = bases.iter().chain(groups.iter().flat_map(|group| &group.choices)).collect();
        let (mut names, mut units) = (Vec::new(), Vec::new());
        for method in METHODS {
            for (name, changed, price) in &choices {
                names.push(format!("{method} {name}"));
                for &function in functions {
                    units.extend((0..seeds).map(|seed| Unit {
                        function,
                        dim,
                        method: format!("diff_{method}"),
                        settings: settings(changed),
                        price: *price,
                        budget: budget * dim as u64,
                        seed,
                    }));
                }
            }
        }
        let reached = session.units("run", &units, walk)?;
        let grid = Grid::new(&names, functions, reached.iter().map(|r| r.value));
        Ok(Answers { groups, grid, dim })
    }

    /// Tasks won and lost by a choice against another one of the same method.
    fn score(&self, method: &str, choice: &str, base: &str) -> Result<[Vec<&'static str>; 2]> {
        let score = self.grid.score(&format!("{method} {choice}"), &format!("{method} {base}"))?;
        Ok(score.map_or([Vec::new(), Vec::new()], |score| [score.won, score.lost]))
    }

    /// The same over all methods: how often it won, and lost.
    fn total(&self, choice: &str, base: &str) -> Result<[usize; 2]> {
        let mut total = [0; 2];
        for method in METHODS {
            let score = self.score(method, choice, base)?;
            total.iter_mut().zip(score).for_each(|(t, tasks)| *t += tasks.len());
        }
        Ok(total)
    }

    fn table(&self, group: &Group) -> Result<Table> {
        let headers = ["method", "choice"].into_iter().map(String::from);
        let tasks = self.grid.tasks.iter().map(|t| (*t).to_owned());
        let mut table = Table::new(headers.chain(tasks).chain(["wins", "losses", "lost on"].map(String::from)));
        let base = (group.base, json!({}), PRICE);
        for method in METHODS {
            for (name, ..) in std::iter::once(&base).chain(&group.choices) {
                let label = format!("{method} {name}");
                let median = |task: &&'static str| match self.grid.median(&label, task) {
                    middle if middle <= 1e-12 => "0".to_owned(),
                    middle => significant(middle, 2),
                };
                let cells =
                    [method.to_owned(), (*name).to_owned()].into_iter().chain(self.grid.tasks.iter().map(median));
                let judged = if *name == group.base {
                    [String::new(), String::new(), String::new()]
                } else {
                    let [won, lost] = self.score(method, name, group.base)?;
                    [won.len().to_string(), lost.len().to_string(), lost.join(", ")]
                };
                table.row(cells.chain(judged));
            }
        }
        Ok(table)
    }
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let quick = session.quick();
    let functions: Vec<&'static str> = FUNCTIONS.iter().filter(|f| f.2).map(|f| f.0).collect();
    let functions = if quick { functions[..4].to_vec() } else { functions };
    let dims: &[usize] = if quick { &[10] } else { &[10, 30] };
    let mut findings = Findings::new("What matters in metaheuristics with gradients");
    findings.protocol(format!(
        "DE, GA and PSO, populations of 50, functions shifted at random, {} d evaluations, a value with its gradient costs {PRICE} \
         unless said; {} seeds in ten dimensions. Hybrid is a tenth of the population, raw and population steps with equal \
         probability, secants with probability 0.6 of eight pairs. One choice is changed at a time. Best values below 1e-12 count as \
         1e-12; two-sided Wilcoxon signed-rank tests a function on logarithms, Holm over the functions at 5 %, paired over seeds \
         against the first row of each method.",
        if quick { 100 } else { 1000 },
        session.seeds(15, 8),
    ));
    let mut all = Vec::new();
    for &dim in dims {
        let answers = Answers::compute(session, dim, &functions)?;
        for group in &answers.groups {
            findings.table(answers.table(group)?, format!("Medians of the best value, {}, d = {dim}", group.title));
        }
        all.push(answers);
    }
    for answers in &all {
        let dim = answers.dim;
        // Rastrigin and Ackley: what needs exploring.
        let destroyed = |choice: &str| -> Result<usize> {
            let mut count = 0;
            for method in METHODS {
                let [_, lost] = answers.score(method, choice, "hybrid")?;
                count += lost.iter().filter(|task| ["rastrigin", "ackley"].contains(task)).count();
            }
            Ok(count)
        };
        let (half, everybody) = (destroyed("50 %")?, destroyed("100 %")?);
        let judge = |verdict: Verdict| if quick { Verdict::Open } else { verdict };
        findings.claim(
            format!("gradients for everybody destroy exploration, d = {dim}"),
            Stated::specified("Ackley and Rastrigin lost at 100 %"),
            format!("lost in {everybody} of 6 at 100 %, in {half} of 6 at 50 %"),
            judge(Verdict::share(everybody, 6)),
            "Ackley and Rastrigin for DE, GA and PSO, against a tenth",
        );
        let [[few, few_lost], [more, more_lost]] = [answers.total("2 %", "hybrid")?, answers.total("20 %", "hybrid")?];
        findings.claim(
            format!("a tenth to a fifth is the plateau, d = {dim}"),
            Stated::specified("10 to 20 %"),
            format!("2 %: {few} won, {few_lost} lost; 20 %: {more} won, {more_lost} lost, of {}", 3 * functions.len()),
            judge(match (few < few_lost, more.abs_diff(more_lost) <= functions.len() / 2) {
                (true, true) => Verdict::Holds,
                (false, false) => Verdict::Fails,
                _ => Verdict::Partly,
            }),
            "holds: 2 % loses more than it wins, and 20 % is about as good as a tenth",
        );
        if dim != 10 {
            continue;
        }
        let lost = |choice: &str, base: &str| answers.total(choice, base);
        let [raw, population] = [lost("raw", "raw and population")?, lost("population", "raw and population")?];
        findings.claim(
            "raw and population steps together are better than either alone",
            Stated::specified("raw loses on Rosenbrock, Schwefel 1.2, the ellipsoid; population on Ackley"),
            format!("raw: {} won, {} lost; population: {} won, {} lost", raw[0], raw[1], population[0], population[1]),
            judge(match (raw[1] > raw[0], population[1] > population[0]) {
                (true, true) => Verdict::Holds,
                (false, false) => Verdict::Fails,
                _ => Verdict::Partly,
            }),
            "against both without secants",
        );
        let [less, more] = lost("raw and population", "hybrid")?;
        findings.claim(
            "secants pay",
            Stated::specified("Rosenbrock from 0.7 to 1e-27"),
            format!("without them {less} won, {more} lost, of {}", 3 * functions.len()),
            judge(Verdict::of(more > less)),
            "against hybrid with eight pairs",
        );
        let mut pays = 0;
        for loss in ["softmin", "mean", "min"] {
            let [won, worse] = lost(loss, "classical")?;
            let [free, free_lost] = lost(&format!("free {loss}"), "classical")?;
            pays += usize::from(won > worse);
            findings.note(format!(
                "Learning the numbers by the {loss} of the values: {won} won and {worse} lost against classical at a price of 3, \
                 {free} and {free_lost} where gradients are free."
            ));
        }
        findings.claim(
            "learning the numbers by one-step hyper-gradients never pays for itself at a price of 3",
            Stated::specified("0 wins"),
            format!("{pays} of 3 losses to minimise win more than they lose"),
            judge(Verdict::of(pays == 0)),
            "against classical at equal cost",
        );
        let mut wins = Vec::new();
        for price in ["price 1", "price 2", "price 3", "price 5", "price 10"] {
            let [won, lost] = lost(price, "classical")?;
            wins.push(won > lost);
            findings.note(format!(
                "Hybrid at {price}: {won} won, {lost} lost of {} against classical.",
                3 * functions.len()
            ));
        }
        findings.claim(
            "hybrid pays at every price",
            Stated::specified("2 to 5"),
            format!("{} of {} prices with more wins than losses", wins.iter().filter(|w| **w).count(), wins.len()),
            judge(Verdict::share(wins.iter().filter(|w| **w).count(), wins.len())),
            "prices of 1, 2, 3, 5 and 10 evaluations",
        );
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_have_names_of_their_own_and_change_something() {
        let mut seen = vec!["classical", "hybrid"];
        for (name, changed, price) in groups(10).iter().flat_map(|group| &group.choices) {
            assert!(!seen.contains(name), "{name} twice");
            seen.push(name);
            let unit = |settings, price| Unit {
                function: "rosenbrock",
                dim: 5,
                method: "diff_de".into(),
                settings,
                price,
                budget: 2_000,
                seed: 1,
            };
            let usual = walk(&unit(settings(&json!({})), PRICE)).unwrap().value;
            let other = walk(&unit(settings(changed), *price)).unwrap().value;
            assert!(other.is_finite() && (other != usual || *name == "price 3"), "{name}: {other}");
        }
    }
}
