//! The paper's benchmark: CEC 2017, its modes against classical, one-sided tests, with gradients free and priced.

use super::meta::settings;
use super::terrain::priced;
use crate::error::{Error, Result};
use crate::paper::{Experiment, Findings, Preset, Session, Stated, Verdict};
use crate::stats::{benjamini_hochberg, median, signed_rank};
use crate::table::{Table, fixed, significant};
use serde::{Deserialize, Serialize};
use serde_json::json;
use swarmgrad::problems::cec2017;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    name: "evograd/cec-2017",
    summary: "the 29 functions of CEC 2017: the paper's modes of GA, DE, PSO and CMA-ES against classical, gradients free and priced",
    preset: Preset::Sound,
    run,
};

/// The functions of the competition: f2 was withdrawn.
const FUNCTIONS: [usize; 29] =
    [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30];
/// An error below this counts as this: the rule of the competition.
const SOLVED: f64 = 1e-8;
const POPULATION: usize = 100;
/// The methods, and the share of comparisons in which a mode was better in the README of the paper's program, in per cent.
const METHODS: [(&str, f64); 4] = [("ga", 70.1), ("de", 46.0), ("pso", 6.9), ("cma_es", 1.1)];
/// The paper's modes, with the same.
const MODES: [(&str, f64); 3] = [("full", 41.4), ("adaptive", 35.3), ("diff", 16.4)];
/// What everything stands beside: no gradients, the method's own settings.
const BASELINES: [&str; 2] = ["random_search", "ipop_cma_es"];
const BASELINE: &str = "plain";
/// Of all comparisons there.
const ALL: f64 = 31.0;
const README: &str = "README of the paper's program, 10,000 d evaluations";

/// One run.
#[derive(Debug, Clone, Serialize)]
struct Unit {
    function: usize,
    dim: usize,
    method: &'static str,
    mode: &'static str,
    /// Of a value with its gradient, in evaluations; 1 is a gradient for nothing.
    price: u64,
    budget: u64,
    seed: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reached {
    /// Over the least value there is.
    error: f64,
}

/// The instance is the seed's: shifts, rotations and shuffles are drawn anew.
fn walk(unit: &Unit) -> Result<Reached> {
    let problem = cec2017(unit.function, unit.seed + 1)?.build::<f64>(unit.dim, None)?;
    let (Some(smooth), Some(minimum)) = (problem.differentiable(), problem.minimum()) else {
        return Err(Error::value("function", unit.function, "one with a gradient and a minimum"));
    };
    let outcome = if unit.mode == BASELINE {
        priced(smooth, unit.method, &settings(json!({})), None, unit.budget, unit.seed)?
    } else {
        let mut own = settings(json!({ "mode": unit.mode }));
        match unit.method {
            "cma_es" => own.insert("numbers".into(), "all".into()),
            _ => own.insert("particles".into(), POPULATION.into()),
        };
        priced(smooth, &format!("diff_{}", unit.method), &own, Some(unit.price as f64), unit.budget, unit.seed)?
    };
    Ok(Reached { error: (outcome.fun - minimum).max(SOLVED) })
}

/// A table: so many variables, evaluations a variable, seeds, at these prices.
struct Setting {
    dim: usize,
    budget: u64,
    seeds: u64,
    prices: Vec<u64>,
    functions: Vec<usize>,
}

fn plan(session: &Session<'_>) -> Vec<Setting> {
    if session.quick() {
        let functions = vec![1, 5, 12, 23];
        return vec![Setting { dim: 10, budget: 100, seeds: session.seeds(6, 6), prices: vec![1, 3], functions }];
    }
    let all = FUNCTIONS.to_vec();
    vec![
        Setting { dim: 30, budget: 1000, seeds: session.seeds(10, 6), prices: vec![1, 3], functions: all.clone() },
        Setting { dim: 100, budget: 100, seeds: session.seeds(7, 6), prices: vec![1], functions: all },
    ]
}

/// How often a mode was significantly better and worse than classical.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    better: usize,
    worse: usize,
    cases: usize,
}

impl Count {
    fn add(&mut self, other: Count) {
        self.better += other.better;
        self.worse += other.worse;
        self.cases += other.cases;
    }

    /// Better, in per cent of the comparisons.
    fn share(self) -> f64 {
        100.0 * self.better as f64 / (self.cases as f64).max(1.0)
    }

    fn words(self) -> String {
        format!("{} % better, {} worse of {}", fixed(self.share(), 1), self.worse, self.cases)
    }

    /// Whether better on more than half, or more often better than worse.
    fn verdict(self, quick: bool) -> Verdict {
        match self {
            _ if quick => Verdict::Open,
            Count { better, cases, .. } if 2 * better > cases => Verdict::Holds,
            Count { better, worse, .. } if better > worse => Verdict::Partly,
            _ => Verdict::Fails,
        }
    }
}

/// One-sided Wilcoxon tests a function in both directions, each direction corrected over the functions.
fn compare(mode: &[Vec<f64>], classical: &[Vec<f64>]) -> Result<Count> {
    let (mut smaller, mut larger) = (Vec::new(), Vec::new());
    for (a, b) in mode.iter().zip(classical) {
        let [a, b] = [a, b].map(|errors| errors.iter().map(|e| e.log10()).collect::<Vec<f64>>());
        let test = signed_rank(&a, &b)?;
        let (toward, away) = (0.5 * test.p, 1.0 - 0.5 * test.p);
        let below = test.balance < 0.0;
        smaller.push(if below { toward } else { away });
        larger.push(if test.balance > 0.0 { toward } else { away });
    }
    let rejected = |p: &[f64]| -> Result<usize> {
        Ok(benjamini_hochberg(p, 0.05)?.iter().filter(|adjusted| adjusted.rejected).count())
    };
    Ok(Count { better: rejected(&smaller)?, worse: rejected(&larger)?, cases: mode.len() })
}

fn run(session: &Session<'_>) -> Result<Findings> {
    let (settings, quick) = (plan(session), session.quick());
    let mut findings = Findings::new("The paper's modes on CEC 2017");
    let sizes: Vec<String> = settings
        .iter()
        .map(|s| format!("d = {} with {} d evaluations and {} seeds", s.dim, s.budget, s.seeds))
        .collect();
    findings.protocol(format!(
        "CEC 2017, {} functions, {}; populations of {POPULATION} (CMA-ES: its own, with all numbers learned). Every seed has shifts,          rotations and shuffles of its own, drawn by our recipe; a mode and classical see the same ones and the same first population.          Error over the minimum, {SOLVED:e} where below. One-sided Wilcoxon signed-rank tests a function, both ways, Benjamini and          Hochberg over the functions at 5 %, as the paper's program tests. Price 1: a gradient costs nothing, as there; price 3: a value          with its gradient costs three evaluations.",
        settings[0].functions.len(),
        sizes.join(", "),
    ));
    let mut counts = Table::new(["d", "price", "method", "mode", "better", "equal", "worse", "% better"]);
    for setting in &settings {
        let mut rows: Vec<(&'static str, &'static str, u64)> = BASELINES.map(|name| (name, BASELINE, 1)).to_vec();
        for (method, _) in METHODS {
            rows.push((method, "classical", 1));
            for &price in &setting.prices {
                rows.extend(MODES.iter().map(|(mode, _)| (method, *mode, price)));
            }
        }
        let mut units = Vec::new();
        for &(method, mode, price) in &rows {
            for &function in &setting.functions {
                let budget = setting.budget * setting.dim as u64;
                let dim = setting.dim;
                units.extend((0..setting.seeds).map(|seed| Unit { function, dim, method, mode, price, budget, seed }));
            }
        }
        let reached: Vec<Reached> = session.units("run", &units, walk)?;
        let errors: Vec<f64> = reached.iter().map(|r| r.error).collect();
        let by_function: Vec<Vec<f64>> = errors.chunks(setting.seeds as usize).map(<[f64]>::to_vec).collect();
        let by_row: Vec<&[Vec<f64>]> = by_function.chunks(setting.functions.len()).collect();
        let mut medians = Table::new(
            ["method".to_owned(), "mode".into(), "price".into()]
                .into_iter()
                .chain(setting.functions.iter().map(|function| format!("f{function}"))),
        );
        for ((method, mode, price), errors) in rows.iter().zip(&by_row) {
            let price = if ["classical", BASELINE].contains(mode) { String::new() } else { price.to_string() };
            let middle = |errors: &Vec<f64>| match median(errors) {
                error if error <= SOLVED => "0".to_owned(),
                error => significant(error, 2),
            };
            let about = [(*method).to_owned(), (*mode).to_owned(), price];
            medians.row(about.into_iter().chain(errors.iter().map(middle)));
        }
        findings.table(medians, format!("Median errors, d = {}, {} d evaluations", setting.dim, setting.budget));

        let mut pairs: Vec<((&str, &str, u64), Count)> = Vec::new();
        for (row, errors) in rows.iter().zip(&by_row).filter(|(row, _)| !["classical", BASELINE].contains(&row.1)) {
            let classical = rows.iter().position(|other| (other.0, other.1) == (row.0, "classical"));
            let Some(classical) = classical.map(|at| by_row[at]) else { continue };
            let count = compare(errors, classical)?;
            // No function can be both.
            let equal = count.cases - count.better - count.worse;
            counts.row(
                [setting.dim.to_string(), row.2.to_string(), row.0.to_owned(), row.1.to_owned()]
                    .into_iter()
                    .chain([count.better, equal, count.worse].map(|n| n.to_string()))
                    .chain([fixed(count.share(), 1)]),
            );
            pairs.push((*row, count));
        }
        let total = |keep: &dyn Fn(&(&str, &str, u64)) -> bool| {
            let mut sum = Count::default();
            pairs.iter().filter(|(row, _)| keep(row)).for_each(|(_, count)| sum.add(*count));
            sum
        };
        let size = format!("d = {}, {} d evaluations", setting.dim, setting.budget);
        for &price in &setting.prices {
            let all = total(&|row| row.2 == price);
            let counted = match price {
                1 => "gradients free".to_owned(),
                _ => format!("a value with its gradient for {price} evaluations"),
            };
            findings.claim(
                format!("differentiable versions consistently outperform gradient-agnostic ones, {counted}, {size}"),
                Stated::printed("abstract", "in most scenarios"),
                all.words(),
                all.verdict(quick),
                "holds: significantly better on more than half; in part: more often better than worse",
            );
            findings.data(format!("all/{}/{price}", setting.dim), vec![all.better, all.worse, all.cases]);
            if price != 1 {
                continue;
            }
            // The order of the printed shares is what the shorter budget can be asked for.
            let methods: Vec<f64> =
                METHODS.iter().map(|(m, _)| total(&|row| row.2 == 1 && row.0 == *m).share()).collect();
            let modes: Vec<f64> = MODES.iter().map(|(m, _)| total(&|row| row.2 == 1 && row.1 == *m).share()).collect();
            let listed = |names: &[(&str, f64)], shares: &[f64]| {
                let each = names.iter().zip(shares).map(|((name, _), share)| format!("{name} {}", fixed(*share, 1)));
                each.collect::<Vec<_>>().join(", ")
            };
            let printed = |names: &[(&str, f64)]| {
                names.iter().map(|(name, share)| format!("{name} {share}")).collect::<Vec<_>>().join(", ")
            };
            for (what, names, shares) in [("methods", &METHODS[..], &methods), ("modes", &MODES[..], &modes)] {
                let kept = shares.windows(2).filter(|pair| pair[0] >= pair[1]).count();
                findings.claim(
                    format!("the order of the {what} by how often gradients help, {size}"),
                    Stated::printed(README, format!("{} % (all {ALL})", printed(names))),
                    format!("{} % (all {})", listed(names, shares), fixed(all.share(), 1)),
                    if quick { Verdict::Open } else { Verdict::share(kept, names.len() - 1) },
                    "neighbours in the printed order that stand in it here too; the shares themselves depend on the budget",
                );
            }
        }
    }
    findings.table(counts, "Functions on which a mode is significantly better, equal and worse than classical");
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mode_is_better_where_all_its_errors_are() {
        let classical: Vec<Vec<f64>> = (1..=4).map(|f| (1..=8).map(|seed| f64::from(f * seed)).collect()).collect();
        let scaled = |rates: [f64; 4]| -> Vec<Vec<f64>> {
            let rows = classical.iter().zip(rates);
            rows.map(|(row, rate)| row.iter().map(|e| e * rate).collect()).collect()
        };
        let count = compare(&scaled([0.1, 0.1, 10.0, 1.0]), &classical).unwrap();
        assert_eq!((count.better, count.worse, count.cases), (2, 1, 4));
        let still = compare(&classical, &classical).unwrap();
        assert_eq!((still.better, still.worse), (0, 0));
    }

    #[test]
    fn classical_does_not_depend_on_the_price() {
        let unit = Unit { function: 5, dim: 10, method: "ga", mode: "classical", price: 1, budget: 2_000, seed: 1 };
        let (free, priced) = (walk(&unit).unwrap(), walk(&Unit { price: 3, ..unit }).unwrap());
        assert_eq!(free.error.to_bits(), priced.error.to_bits());
    }
}
