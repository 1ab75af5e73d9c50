//! Supplement table 12: EMPSO against MPSO on functions of two variables, until the swarm has collapsed.

use super::collapse::{FUNCTIONS, NEAR, PARTICLES, Runs, all, swarms, words};
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
         is within {NEAR} of the best point, or after {most} iterations. The supplement states no parameters. {}. The \
         supplement's iterations are means; ours are medians.",
        words(session.preset())
    ));
    let mut iterations =
        Table::new(["function", "MPSO, paper", "EMPSO, paper"].into_iter().chain(swarms.iter().map(|s| s.title)));
    let mut gaps = Table::new(std::iter::once("function").chain(swarms.iter().map(|s| s.title)));
    let (mut p_iterations, mut p_gaps) = (vec![Vec::new(); swarms.len()], vec![Vec::new(); swarms.len()]);
    for (row, runs) in rows.iter().enumerate() {
        let title = problems::entry(FUNCTIONS[row])?.title;
        let all_runs = |k: usize| {
            let share = runs[k].collapsed as f64 / runs[k].gaps.len() as f64;
            let mark = if share < 1.0 { format!(" ({:.0} %)", 100.0 * share) } else { String::new() };
            format!("{:.0}{mark}", runs[k].typical_iterations())
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
                "iterations": runs.iter().map(|r| r.typical_iterations()).collect::<Vec<_>>(),
                "gap": runs.iter().map(|r| r.gap()).collect::<Vec<_>>(),
                "collapsed": runs.iter().map(|r| r.collapsed).collect::<Vec<_>>(),
            }),
        );
    }
    findings.data("swarms", json!(swarms.iter().map(|s| &s.title).collect::<Vec<_>>()));
    findings.table(
        iterations,
        "Iterations; in brackets the share of runs that collapsed within the limit, where not all did.",
    );
    findings.table(gaps, "Median distance of the best value from the minimum.");

    // Wins by the rank-sum test, Holm's correction over the twelve functions.
    let wins = |k: usize, p: &[f64], of: &dyn Fn(&Runs) -> f64| -> Result<(usize, usize)> {
        let rejected = holm(p, 0.05)?;
        let better =
            |i: usize, mine: usize, other: usize| rejected[i].rejected && of(&rows[i][mine]) < of(&rows[i][other]);
        Ok(((0..rows.len()).filter(|&i| better(i, 0, k)).count(), (0..rows.len()).filter(|&i| better(i, k, 0)).count()))
    };
    let mut scores = Vec::new();
    for k in 1..swarms.len() {
        scores.push((wins(k, &p_iterations[k], &|r| r.typical_iterations())?, wins(k, &p_gaps[k], &|r| r.gap())?));
    }
    let printed_wins = (0..printed.len())
        .filter(|&r| printed.number(r, "empso_iterations") < printed.number(r, "mpso_iterations"))
        .count();
    let verdict = |(better, worse): (usize, usize)| match (better, worse) {
        (b, 0) if b > 6 => Verdict::Holds,
        (b, w) if b <= w => Verdict::Fails,
        _ => Verdict::Partly,
    };
    let both = |a: Verdict, b: Verdict| if a == b { a } else { Verdict::Partly };
    let counts = |k: usize, (better, worse): (usize, usize), [less, more]: [&str; 2]| {
        format!("than {}: {less} on {better}, {more} on {worse}", swarms[k].title)
    };
    let iterations = |k: usize| counts(k, scores[k - 1].0, ["fewer", "more"]);
    let gaps = |k: usize| counts(k, scores[k - 1].1, ["smaller", "larger"]);
    findings.claim(
        "EMPSO needs fewer iterations than MPSO",
        format!("on {printed_wins} of 12 functions"),
        format!("{}; {}", iterations(1), iterations(2)),
        both(verdict(scores[0].0), verdict(scores[1].0)),
        "The supplement does not state MPSO's parameters, and they decide: a swarm collapses as early as its pulls and its inertia let \
         it.",
    );
    findings.claim(
        "EMPSO needs fewer iterations than inertia PSO",
        "",
        format!("{}; {}", iterations(3), iterations(4)),
        both(verdict(scores[2].0), verdict(scores[3].0)),
        "With pulls as small as its own inertia PSO collapses about as early, with larger pulls in twice the iterations.",
    );
    findings.claim(
        "EMPSO's values are as good or better",
        "gaps of 0 to 0.05, Rosenbrock 67",
        format!("gaps {}; {}; {}; {}", gaps(1), gaps(2), gaps(3), gaps(4)),
        match scores.iter().filter(|s| s.1.1 > s.1.0).count() {
            0 => Verdict::Holds,
            n if n == scores.len() => Verdict::Fails,
            _ => Verdict::Partly,
        },
        "Who collapses early stops early: fewer iterations are paid for in accuracy, if only below 1e-3 on most functions.",
    );
    let close = (0..rows.len())
        .filter(|&r| {
            let paper = printed.number(r, "empso_iterations").unwrap_or(f64::NAN);
            let ours = rows[r][0].typical_iterations();
            (0.5 * paper..=2.0 * paper).contains(&ours)
        })
        .count();
    findings.claim(
        "EMPSO needs the printed number of iterations",
        "30 to 191",
        format!("within a factor of two on {close} of 12"),
        Verdict::share(close, 12),
        "Where there are several equal minima, or a narrow valley, particles rest apart and the rule does not fire at all.",
    );
    Ok(findings)
}
