//! The comparison on functions: hybrid methods against their plain versions at equal cost, with peers beside them.

use super::grid::Grid;
use super::peer::{Budget, PEERS, spend};
use super::terrain::{FUNCTIONS, Terrain, priced};
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Session, Stated, Verdict};
use crate::plot::svg::{Anchor, Svg};
use crate::table::{Table, fixed};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use swarmgrad::Rng;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "evograd/functions",
    summary: "GA, DE, jDE, SHADE and PSO with elite gradient injection against their plain versions and gradient methods, at equal cost",
    preset: Preset::Sound,
    run,
};

/// The methods that have a hybrid version.
pub(super) const PAIRS: [&str; 5] = ["de", "ga", "jde", "pso", "shade"];

/// One run: what it is compared by is the best value for a given cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Unit {
    function: &'static str,
    rotated: bool,
    dim: usize,
    /// A method and its mode, or a peer.
    method: String,
    /// Of a value with its gradient, in evaluations.
    gradient_cost: f64,
    budget: u64,
    seed: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reached {
    value: f64,
    evaluations: u64,
    gradients: u64,
}

fn walk(unit: &Unit) -> Result<Reached> {
    let terrain = Terrain::new(unit.function, unit.dim, unit.rotated, unit.seed)?;
    let (whole, rng) = (unit.budget as f64, Rng::new(unit.seed));
    let mut budget = Budget::new(&terrain, unit.gradient_cost, whole);
    if spend(&unit.method, &mut budget, &rng) {
        let evaluations = budget.evaluations(whole);
        return Ok(Reached { value: budget.best, evaluations, gradients: evaluations });
    }
    let (name, mode) = unit.method.split_once(' ').unwrap_or((unit.method.as_str(), "classical"));
    let population = if name == "ipop_cma_es" { json!({}) } else { json!({ "particles": 50 }) };
    let mut settings = population.as_object().cloned().unwrap_or_default();
    let name = if PAIRS.contains(&name) { format!("diff_{name}") } else { name.to_owned() };
    if name.starts_with("diff_") {
        let (mode, rate) = mode.split_once(' ').map_or((mode, None), |(mode, _)| (mode, Some(0.0)));
        settings.insert("mode".into(), mode.into());
        if let Some(rate) = rate {
            settings.extend([("learning_rate".into(), rate.into()), ("step".into(), rate.into())]);
        }
    }
    let outcome = priced(&terrain, &name, &settings, Some(unit.gradient_cost), unit.budget, unit.seed)?;
    Ok(Reached { value: outcome.fun, evaluations: outcome.nfev, gradients: outcome.ngev })
}

/// A table of the comparison: the same functions, dimension, budget and price for all methods.
#[derive(Debug, Clone)]
struct Setting {
    title: String,
    rotated: bool,
    dim: usize,
    gradient_cost: f64,
    /// Evaluations a variable.
    budget: u64,
    functions: Vec<&'static str>,
    methods: Vec<String>,
    seeds: u64,
}

impl Setting {
    fn units(&self) -> Vec<Unit> {
        let mut units = Vec::new();
        for method in &self.methods {
            for &function in &self.functions {
                units.extend((0..self.seeds).map(|seed| Unit {
                    function,
                    rotated: self.rotated,
                    dim: self.dim,
                    method: method.clone(),
                    gradient_cost: self.gradient_cost,
                    budget: self.budget * self.dim as u64,
                    seed,
                }));
            }
        }
        units
    }

    fn grid(&self, reached: &[Reached]) -> Grid {
        Grid::new(&self.methods, &self.functions, reached.iter().map(|r| r.value))
    }
}

/// q of the Nemenyi test at 5 % for 2, 3, .. methods (Demsar 2006, continued from the studentised range).
const NEMENYI: [f64; 19] = [
    1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164, 3.219, 3.268, 3.313, 3.354, 3.391, 3.426, 3.458,
    3.489, 3.517, 3.544,
];

/// Mean ranks on a line, and the difference that matters: methods joined by a bar do not differ at 5 % (Nemenyi).
fn critical_difference(title: &str, grid: &Grid, ranks: &[f64]) -> String {
    let k = ranks.len() as f64;
    let q = NEMENYI[(ranks.len().max(2) - 2).min(NEMENYI.len() - 1)];
    let critical = q * (k * (k + 1.0) / (6.0 * grid.tasks.len() as f64)).sqrt();
    let mut order: Vec<usize> = (0..ranks.len()).collect();
    order.sort_by(|&a, &b| ranks[a].total_cmp(&ranks[b]));
    let (left, right, row) = (230.0, 690.0, 20.0);
    let height = 70.0 + row * ranks.len() as f64;
    let mut svg = Svg::new(720.0, height, title);
    let at = |rank: f64| left + (rank - 1.0) / (k - 1.0).max(1.0) * (right - left);
    svg.text((left, 24.0), 13.0, Anchor::Start, "#222222", &format!("{title}: mean rank, 1 is best"));
    svg.line((at(1.0), 40.0), (at(1.0 + critical.min(k - 1.0)), 40.0), "#222222", 3.0);
    svg.text((left - 8.0, 44.0), 12.0, Anchor::End, "#222222", &format!("critical difference {}", fixed(critical, 2)));
    for (place, &m) in order.iter().enumerate() {
        let y = 68.0 + row * place as f64;
        svg.text((left - 8.0, y + 4.0), 12.0, Anchor::End, "#222222", &grid.methods[m]);
        svg.line((left, y), (right, y), "#dddddd", 1.0);
        // From the method's rank as far as nothing can be told apart.
        svg.line((at(ranks[m]), y), (at((ranks[m] + critical).min(k)), y), "#9ec5e8", 4.0);
        svg.line((at(ranks[m]) - 3.0, y), (at(ranks[m]) + 3.0, y), "#1f5a92", 9.0);
        svg.text((right + 26.0, y + 4.0), 11.0, Anchor::End, "#222222", &fixed(ranks[m], 2));
    }
    svg.finish()
}

pub(super) fn hybrid(name: &str) -> String {
    format!("{name} hybrid")
}

pub(super) fn classical(name: &str) -> String {
    format!("{name} classical")
}

/// Every one of the pairs, classical and hybrid.
pub(super) fn pairs() -> impl Iterator<Item = String> {
    PAIRS.iter().flat_map(|name| [classical(name), hybrid(name)])
}

/// The methods of the full comparison.
fn everybody() -> Vec<String> {
    pairs().chain(["ipop_cma_es"].into_iter().chain(PEERS).map(String::from)).collect()
}

/// What is computed, in the order of its importance.
fn plan(session: &Session<'_>) -> Vec<Setting> {
    let eight: Vec<&'static str> = FUNCTIONS.iter().filter(|f| f.2).map(|f| f.0).collect();
    let all: Vec<&'static str> = FUNCTIONS.iter().map(|f| f.0).collect();
    if session.quick() {
        return vec![Setting {
            title: "shifted, d = 10, price 3, short".into(),
            rotated: false,
            dim: 10,
            gradient_cost: 3.0,
            budget: 200,
            functions: vec!["sphere", "rosenbrock", "rastrigin", "griewank"],
            methods: everybody(),
            seeds: session.seeds(7, 7),
        }];
    }
    let mut settings = Vec::new();
    for dim in [10, 30] {
        for rotated in [false, true] {
            let moved = if rotated { "shifted and rotated" } else { "shifted" };
            settings.push(Setting {
                title: format!("{moved}, d = {dim}, price 3"),
                rotated,
                dim,
                gradient_cost: 3.0,
                budget: 1000,
                functions: all.clone(),
                methods: everybody(),
                seeds: session.seeds(if dim == 10 { 25 } else { 15 }, 7),
            });
        }
    }
    let modes = |names: &[&str]| {
        let words = ["adaptive", "diff", "full", "full 0"];
        names.iter().flat_map(|n| words.map(|w| format!("{n} {w}"))).collect::<Vec<_>>()
    };
    for cost in [2.0, 5.0, 1.0, 3.0] {
        let mut methods: Vec<String> = pairs().collect();
        let mut words = format!("price {cost}");
        if cost == 1.0 || cost == 3.0 {
            methods.extend(modes(&["de", "ga", "pso"]));
            methods.extend(["lbfgs".into(), "adam 0.01".into()]);
            words = if cost == 1.0 { "gradients free, all modes".into() } else { "price 3, all modes".into() };
        }
        settings.push(Setting {
            title: format!("shifted, d = 10, {words}"),
            rotated: false,
            dim: 10,
            gradient_cost: cost,
            budget: 1000,
            functions: eight.clone(),
            methods,
            seeds: session.seeds(25, 7),
        });
    }
    settings
}

/// A cell of a table: empty where nothing was asked.
pub(super) fn yes_or_no(holds: Option<bool>) -> String {
    holds.map_or("", |holds| if holds { "yes" } else { "no" }).to_owned()
}

/// What the comparison must show of a method: wins at least, losses at most, of eight functions.
fn bar(name: &str, setting: &Setting) -> Option<[usize; 2]> {
    let far = setting.rotated && setting.dim == 30;
    match (name, setting.gradient_cost) {
        ("de", 3.0) => Some([7, 0]),
        ("ga", 3.0) => Some(if far { [6, 1] } else { [7, 0] }),
        ("jde", 3.0) => Some([6, 1]),
        ("pso", 3.0) => Some([5, 1]),
        ("de" | "ga", 2.0 | 5.0) => Some([7, 8]),
        ("pso", 2.0 | 5.0) => Some([4, 8]),
        _ => None,
    }
}

/// What the paper's modes won and lost against classical at a price.
#[derive(Debug, Default)]
struct Modes {
    won: usize,
    ties: usize,
    lost: usize,
    methods: Vec<String>,
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let settings = plan(session);
    let mut findings = Findings::new("Gradients in metaheuristics at equal cost");
    findings.protocol(format!(
        "Functions shifted at random, or shifted and rotated, a new shift and rotation a seed. Populations of 50; budget 1000 d \
         evaluations ({} in this run), where a value with its gradient costs as many as the table says. Methods that are compared see the \
         same shift, rotation and first population for the same seed. Best values below 1e-12 count as 1e-12. Two-sided Wilcoxon \
         signed-rank tests a function on logarithms, Holm's correction over the functions at 5 %.",
        if session.quick() { "200 d" } else { "1000 d" }
    ));
    let mut wins = Table::new([
        "setting",
        "method",
        "functions",
        "wins",
        "ties",
        "losses",
        "lost on",
        "p across",
        "asked for",
        "holds",
    ]);
    let (mut holding, mut asked) = (0, 0);
    let mut modes: BTreeMap<u64, Modes> = BTreeMap::new();
    for setting in &settings {
        let reached = session.units("run", &setting.units(), walk)?;
        let all = setting.grid(&reached);
        let eight = all.only(|function| FUNCTIONS.iter().any(|known| known.0 == function && known.2));
        for name in PAIRS {
            let pair = (hybrid(name), classical(name));
            for (which, part) in [("8", &eight), ("all", &all)] {
                if which == "all" && part.tasks.len() == eight.tasks.len() {
                    continue;
                }
                let Some(score) = part.score(&pair.0, &pair.1)? else { continue };
                let bar = bar(name, setting).filter(|_| which == "8" && part.tasks.len() == 8);
                let holds = bar.map(|[least, most]| score.won.len() >= least && score.lost.len() <= most);
                asked += usize::from(holds.is_some());
                holding += usize::from(holds == Some(true));
                let judged = [
                    bar.map_or(String::new(), |[least, most]| format!(">= {least}, <= {}", most.min(8))),
                    yes_or_no(holds),
                ];
                let about = [setting.title.clone(), name.to_owned(), part.tasks.len().to_string()];
                wins.row(about.into_iter().chain(score.cells()).chain(judged));
            }
        }
        // The other modes against classical.
        for method in
            setting.methods.iter().filter(|m| m.contains("adaptive") || m.contains("diff") || m.contains("full"))
        {
            let name = method.split(' ').next().unwrap_or_default();
            if let Some(score) = eight.score(method, &classical(name))? {
                if ["adaptive", "diff", "full"].iter().any(|mode| *method == format!("{name} {mode}")) {
                    let sum = modes.entry(setting.gradient_cost as u64).or_default();
                    sum.won += score.won.len();
                    sum.ties += score.ties;
                    sum.lost += score.lost.len();
                    sum.methods.push(name.to_uppercase());
                }
                let about = [setting.title.clone(), method.clone(), eight.tasks.len().to_string()];
                wins.row(about.into_iter().chain(score.cells()).chain([String::new(), String::new()]));
            }
        }
        let ranks = all.mean_ranks();
        findings.table(all.table(), format!("Medians of the best value, {}", setting.title));
        let name = setting.title.replace(" = ", "").replace([',', ' '], "-").replace("--", "-");
        let caption =
            format!("Mean ranks, {}; what the light bar reaches cannot be told apart from its left end", setting.title);
        findings.picture(format!("ranks-{name}"), critical_difference(&setting.title, &all, &ranks), caption);
    }
    findings.table(wins, "Hybrid, and other modes, against classical");
    // The paper's modes carry its claim, the elite injection is ours.
    for (price, mut score) in modes {
        let cases = score.won + score.ties + score.lost;
        let verdict = match score.won {
            won if 2 * won > cases => Verdict::Holds,
            won if won > score.lost => Verdict::Partly,
            _ => Verdict::Fails,
        };
        let counted = match price {
            1 => "where gradients cost nothing, as the published program counts".to_owned(),
            _ => format!("where a value with its gradient costs {price} evaluations"),
        };
        score.methods.dedup();
        findings.claim(
            format!("differentiable versions consistently outperform gradient-agnostic ones, {counted}"),
            Stated::printed("abstract", "in most scenarios"),
            format!("{} won, {} lost, of {cases}", score.won, score.lost),
            verdict,
            format!(
                "the paper's modes adaptive, diff and full of {}, eight functions each; holds: significantly better on more than half",
                score.methods.join(", ")
            ),
        );
        findings.data(format!("modes/{price}"), vec![score.won, score.lost, cases]);
    }
    if asked > 0 {
        findings.claim(
            "elite injection, mode hybrid, is better than the plain method at equal cost",
            Stated::specified("wins and losses a setting, fixed before: column \"asked for\""),
            format!("{holding} of {asked} comparisons"),
            Verdict::share(holding, asked),
            "our mode, none of the paper's",
        );
    }
    findings.data("holding", holding).data("asked", asked);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(method: &str) -> Unit {
        Unit {
            function: "rosenbrock",
            rotated: true,
            dim: 5,
            method: method.into(),
            gradient_cost: 3.0,
            budget: 1_000,
            seed: 2,
        }
    }

    #[test]
    fn every_method_spends_its_budget_and_no_more() {
        for method in everybody().iter().map(String::as_str).chain(["de full", "pso full 0", "ga adaptive"]) {
            let reached = walk(&unit(method)).unwrap();
            let cost = reached.evaluations + 2 * reached.gradients;
            // CMA-ES may end by itself, Adam divides its budget by five.
            assert!((980..=1_000).contains(&cost), "{method}: {cost}");
            assert!(reached.value.is_finite());
        }
    }

    #[test]
    fn a_rate_of_zero_is_classical_at_the_same_number_of_iterations() {
        // Free gradients: the same evaluations, and the same best value to the bit.
        let free = |method: &str| walk(&Unit { gradient_cost: 1.0, ..unit(method) }).unwrap();
        for name in ["de", "ga", "pso"] {
            let (classical, still) = (free(&format!("{name} classical")), free(&format!("{name} full 0")));
            assert_eq!(classical.value.to_bits(), still.value.to_bits(), "{name}");
            assert!(still.gradients > 900 && classical.gradients == 0);
        }
    }
}
