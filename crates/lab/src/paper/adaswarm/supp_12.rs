//! Supplement table 12: EMPSO against MPSO on functions of two variables, until the swarm has collapsed.

use super::collapse::{FUNCTIONS, NEAR, PARTICLES, all, swarms};
use crate::error::Result;
use crate::paper::{Experiment, Findings, Preset, Printed, Session, Verdict};
use crate::stats::{holm, rank_sum};
use crate::table::{Table, significant};
use serde_json::json;
use swarmgrad::problems;

/// The line of the table.
pub const EXPERIMENT: Experiment = Experiment {
    name: "adaswarm/supp-12",
    summary: "supplement table 12: EMPSO, MPSO and PSO on twelve functions until the swarm collapses",
    preset: Preset::PaperCode,
    run,
};

fn run(session: &Session<'_>) -> Result<Findings> {
    let seeds = session.seeds(100, 20);
    let most = if session.quick() { 1000 } else { 10_000 };
    let printed = Printed::new(include_str!("supplement-table-12.csv"));
    let swarms = swarms(session.preset());
    let rows = all(session, &printed, seeds, true, |_| most)?;

    let mut findings = Findings::new("Supplement table 12: iterations until the swarm collapses");
    findings.protocol(format!(
        "{seeds} runs of {PARTICLES} particles, steps of at most a tenth of the box; a run ends when every coordinate of every particle \
         is within {NEAR} of the best point, or after {most} iterations. The supplement states no parameters, so MPSO and PSO \
         stand here with common ones; iterations are means, as there, gaps are medians of value minus minimum."
    ));
    let mut iterations = Table::new(
        ["function", "MPSO, paper", "EMPSO, paper"]
            .map(String::from)
            .into_iter()
            .chain(swarms.iter().map(|s| s.title.clone())),
    );
    let mut gaps = Table::new(std::iter::once("function".to_owned()).chain(swarms.iter().map(|s| s.title.clone())));
    let (mut p_iterations, mut p_gaps) = (vec![Vec::new(); swarms.len()], vec![Vec::new(); swarms.len()]);
    for (row, runs) in rows.iter().enumerate() {
        let title = problems::entry(FUNCTIONS[row])?.title;
        let all_runs = |k: usize| {
            let mark = match runs[k].collapsed {
                n if n == runs[k].gaps.len() => "",
                0 => " (never)",
                _ => " (not always)",
            };
            format!("{:.0}{mark}", runs[k].mean_iterations())
        };
        let paper = |header: &str| printed.text(row, header).to_owned();
        iterations.row(
            [title.to_owned(), paper("mpso_iterations"), paper("empso_iterations")]
                .into_iter()
                .chain((0..swarms.len()).map(all_runs)),
        );
        gaps.row(std::iter::once(title.to_owned()).chain(runs.iter().map(|r| significant(r.gap(), 2))));
        for k in 1..swarms.len() {
            p_iterations[k].push(rank_sum(&runs[0].iterations, &runs[k].iterations));
            p_gaps[k].push(rank_sum(&runs[0].gaps, &runs[k].gaps));
        }
        findings.data(
            FUNCTIONS[row],
            json!({
                "iterations": runs.iter().map(|r| r.mean_iterations()).collect::<Vec<_>>(),
                "gap": runs.iter().map(|r| r.gap()).collect::<Vec<_>>(),
                "collapsed": runs.iter().map(|r| r.collapsed).collect::<Vec<_>>(),
            }),
        );
    }
    findings.data("swarms", json!(swarms.iter().map(|s| &s.title).collect::<Vec<_>>()));
    findings.table(
        iterations,
        "Mean iterations; never: no run collapsed within the limit, which several equal minima prevent.",
    );
    findings.table(gaps, "Median distance of the best value from the minimum.");

    // Wins by the rank-sum test, Holm's correction over the twelve functions.
    let wins = |k: usize, p: &[f64], of: &dyn Fn(&super::collapse::Runs) -> f64| -> Result<(usize, usize)> {
        let rejected = holm(p, 0.05)?;
        let better =
            |i: usize, mine: usize, other: usize| rejected[i].rejected && of(&rows[i][mine]) < of(&rows[i][other]);
        Ok(((0..rows.len()).filter(|&i| better(i, 0, k)).count(), (0..rows.len()).filter(|&i| better(i, k, 0)).count()))
    };
    let mut scores = Vec::new();
    for k in 1..swarms.len() {
        scores.push((wins(k, &p_iterations[k], &|r| r.mean_iterations())?, wins(k, &p_gaps[k], &|r| r.gap())?));
    }
    let printed_wins = (0..printed.len())
        .filter(|&r| printed.number(r, "empso_iterations") < printed.number(r, "mpso_iterations"))
        .count();
    let verdict = |(fewer, more): (usize, usize)| match (fewer, more) {
        (_, 0) if fewer > 6 => Verdict::Holds,
        (0, _) => Verdict::Fails,
        _ => Verdict::Partly,
    };
    findings.claim(
        "EMPSO needs fewer iterations than MPSO",
        format!("on {printed_wins} of 12 functions"),
        format!("significantly fewer on {}, more on {} of 12", scores[0].0.0, scores[0].0.1),
        verdict(scores[0].0),
        "The supplement does not state MPSO's parameters, and they decide: a collapse comes as early as pulls and inertia let it.",
    );
    findings.claim(
        "and fewer than other swarms",
        "not compared with inertia PSO here",
        format!(
            "than {}: fewer on {}, more on {}; than {}: fewer on {}, more on {}",
            swarms[2].title, scores[1].0.0, scores[1].0.1, swarms[3].title, scores[2].0.0, scores[2].0.1
        ),
        match (verdict(scores[1].0), verdict(scores[2].0)) {
            (a, b) if a == b => a,
            _ => Verdict::Partly,
        },
        "Against inertia PSO with equal pulls the lead is small; against looser pulls it is a factor of two. A collapse is not yet a good value.",
    );
    findings.claim(
        "at values as good",
        "within 1e-2 of the minimum on most",
        format!(
            "gap significantly smaller than MPSO's on {}, larger on {}; than {}'s on {} and {}; than {}'s on {} and {}",
            scores[0].1.0,
            scores[0].1.1,
            swarms[2].title,
            scores[1].1.0,
            scores[1].1.1,
            swarms[3].title,
            scores[2].1.0,
            scores[2].1.1
        ),
        match scores.iter().filter(|s| s.1.1 > s.1.0).count() {
            0 => Verdict::Holds,
            n if n == scores.len() => Verdict::Fails,
            _ => Verdict::Partly,
        },
        "Who collapses early stops early: fewer iterations are paid for in accuracy.",
    );
    let close = (0..rows.len())
        .filter(|&r| {
            let paper = printed.number(r, "empso_iterations").unwrap_or(f64::NAN);
            let ours = rows[r][0].mean_iterations();
            (0.5 * paper..=2.0 * paper).contains(&ours)
        })
        .count();
    findings.claim(
        "The printed iterations of EMPSO",
        "30 to 191",
        format!("within a factor of two on {close} of 12"),
        Verdict::share(close, 12),
        "Where there are several equal minima, or a narrow valley, particles rest apart and the rule does not fire at all.",
    );
    Ok(findings)
}
