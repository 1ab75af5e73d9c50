//! Recorded runs: times, sums, the estimate of importance, and what stays of very long runs.

use serde_json::json;
use swarmgrad::study::journal::Header;
use swarmgrad::{Evaluation, Failure, Rng};
use swarmgrad_lab::recorded::bins::Bins;
use swarmgrad_lab::recorded::importance::{importance, ranks};
use swarmgrad_lab::recorded::{Recorded, Timeline, page, picture};

#[test]
fn nothing_is_lost_when_bins_are_joined() {
    let mut bins = Bins::new(1.0, 128);
    for k in 0..1000 {
        bins.add(k % 2, k as f64, k as f64 + 1.0);
    }
    assert_eq!(bins.middles().len(), 125);
    assert_eq!(bins.middles()[1], 12.0);
    assert!(bins.shares(0).iter().chain(&bins.shares(1)).all(|share| (share - 0.5).abs() < 1e-12));
    // One that covers everything, and one of which there is nothing.
    bins.add(2, 0.0, 1000.0);
    assert!(bins.shares(2).iter().all(|share| *share == 1.0) && bins.shares(7).iter().all(|share| *share == 0.0));
    bins.add(0, f64::NAN, 1.0);
    bins.add(0, 2.0, 1.0);
    assert_eq!(bins.middles().last(), Some(&996.0));
}

fn columns(n: usize) -> Vec<Vec<f64>> {
    let rng = Rng::new(5).fork("importance");
    let column = |j: usize| {
        let mut draws = rng.row(j);
        (0..n).map(|_| draws.uniform()).collect()
    };
    (0..3).map(column).collect()
}

#[test]
fn variables_are_told_apart_by_what_they_explain() {
    let columns = columns(3000);
    let value = |i: usize| 4.0 * (columns[0][i] - 0.5).powi(2) + 0.2 * columns[1][i];
    let values: Vec<f64> = (0..3000).map(value).collect();
    let found = importance(&columns, &values).unwrap();
    assert!(found[0] > 0.85 && (0.001..0.1).contains(&found[1]) && found[2] < 0.01, "{found:?}");
    // Whatever grows with the values tells the same.
    let grown: Vec<f64> = values.iter().map(|t| (20.0 * t).exp()).collect();
    assert_eq!(importance(&columns, &grown).unwrap(), found);
}

#[test]
fn what_explains_nothing_gets_nothing_however_few_points_there_are() {
    let columns = columns(40);
    let values = columns[2].clone();
    let found = importance(&columns[..2], &values).unwrap();
    assert!(found.iter().all(|share| *share < 0.2), "{found:?}");
    assert_eq!(importance(&columns, &[1.0; 40]).unwrap(), [0.0; 3]);
    assert_eq!(importance(&columns, &values[..19]), None);
    let words = [(0..40).map(|i| f64::from(i % 2)).collect::<Vec<_>>()];
    let by_word: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
    assert_eq!(importance(&words, &by_word).unwrap(), [1.0]);
}

#[test]
fn what_chance_gives_to_many_bins_is_taken_off() {
    // Twenty words of a hundred points: without the correction a fifth of the variance would lie between them.
    let rng = Rng::new(8).fork("words");
    let column = |j: usize| {
        let mut draws = rng.row(j);
        (0..100).map(|_| draws.below(20) as f64).collect()
    };
    let columns: Vec<Vec<f64>> = (0..40).map(column).collect();
    let mut draws = rng.row(99);
    let values: Vec<f64> = (0..100).map(|_| draws.uniform()).collect();
    let found = importance(&columns, &values).unwrap();
    assert!(found.iter().sum::<f64>() / 40.0 < 0.1, "{found:?}");
}

#[test]
fn equal_values_share_a_rank() {
    assert_eq!(ranks(&[3.0, 1.0, 3.0, f64::INFINITY]), [2.5, 1.0, 2.5, 4.0]);
}

#[test]
fn workers_wait_for_their_round() {
    let mut line = Timeline::default();
    // Two workers, two points a round, of which the second takes twice as long.
    for round in 0..3 {
        let begin = 2.0 * round as f64;
        assert_eq!(line.take(round, false, 7, 1.0), begin + 1.0);
        assert_eq!(line.take(round, false, 9, 2.0), begin + 2.0);
    }
    assert_eq!((line.end, line.utilisation()), (6.0, 0.75));
    assert_eq!(line.workers.iter().map(|w| (w.number, w.busy)).collect::<Vec<_>>(), [(7, 3.0), (9, 6.0)]);
    // A late one is waited for by nobody.
    assert_eq!(line.take(2, true, 7, 10.0), 15.0);
    assert_eq!(line.take(3, false, 9, 1.0), 7.0);
    // Nonsense takes no time.
    assert_eq!(line.take(4, false, 9, f64::NAN), 7.0);
}

#[test]
fn more_workers_than_can_be_told_apart_are_no_error() {
    let mut line = Timeline::default();
    for worker in 0..5000 {
        line.take(0, false, worker, 1.0);
    }
    assert_eq!(line.workers.len(), 4096);
}

fn run(study: serde_json::Value, points: impl Iterator<Item = (Vec<f64>, Evaluation)>) -> Recorded {
    let mut run = Recorded::new("run.jsonl", &Header::new(study));
    points.enumerate().for_each(|(k, (x, evaluation))| run.take(k as u64, false, &x, &evaluation).unwrap());
    run
}

#[test]
fn a_long_run_keeps_its_best_and_its_counts_and_not_every_point() {
    let n = 300_000_u64;
    let point = |k: u64| {
        let value = if k == 77_777 { -5.0 } else { (k as f64 * 0.37).sin() };
        let failed = Evaluation::failed(Failure::TimedOut("too long".into()));
        (vec![k as f64, 1.0], if k % 1000 == 3 { failed } else { Evaluation::of(value) })
    };
    let run = run(json!({"method": "de"}), (0..n).map(point));
    assert_eq!((run.evaluations, run.count(), run.failed()), (n, n, 300));
    assert!((20_000..65_536).contains(&run.points.len()), "{}", run.points.len());
    let steps: Vec<f64> = run.points.windows(2).map(|pair| pair[1].x[0] - pair[0].x[0]).collect();
    assert!(steps.iter().all(|step| *step == steps[0]) && run.points[0].x[0] == 0.0);
    assert_eq!((run.best[0].value, run.best[0].number, run.best.len()), (-5.0, 77_778, 20));
    assert!(run.best.windows(2).all(|pair| pair[0].value <= pair[1].value));
    assert_eq!((run.last[0].x[0], run.last.len()), (n as f64 - 1.0, 20));
    let failures = &run.failures[0];
    assert_eq!((failures.kind, failures.between, &*failures.text), ("timed_out", (4, n - 997 + 1), "too long"));
    // The curve is of all evaluations: it ends at the best.
    let chart = picture::convergence(std::slice::from_ref(&run), picture::Against::Evaluations);
    let curve = chart.lines.last().unwrap();
    assert_eq!(curve.points.last(), Some(&(n as f64, -5.0)));
    assert!(chart.lines.iter().all(|line| line.points.len() < 2000));
}

#[test]
fn infeasible_points_are_never_the_best_while_there_is_a_feasible_one() {
    let evaluation = |value: f64, c: f64| Evaluation { constraints: vec![c], ..Evaluation::of(value) };
    let study = json!({"program": {"command": "f"}, "bounds": "0:1", "dim": 1, "constraints": ["load <= 2"]});
    let all = [(9.0, 1.0), (8.0, 0.5), (5.0, -1.0), (4.0, 3.0), (6.0, 0.0), (1.0, 1e-7)];
    let run = run(study, all.iter().map(|&(value, c)| (vec![0.5], evaluation(value, c))));
    assert_eq!(run.meaning.constraints[0].name(), "load <= 2");
    let best: Vec<f64> = run.best.iter().map(|point| point.value).collect();
    assert_eq!(best, [1.0, 5.0, 6.0, 8.0, 9.0, 4.0]);
    let chart = picture::convergence(&[run], picture::Against::Evaluations);
    assert_eq!(chart.subtitle, "the first feasible point is evaluation 3");
    assert_eq!(chart.lines.last().unwrap().points, [(3.0, 5.0), (6.0, 5.0), (6.0, 1.0)]);
}

#[test]
fn values_that_no_constraint_uses_make_nothing_infeasible() {
    let study = json!({"program": {"command": "f"}, "bounds": "0:1", "dim": 1});
    let answer = |k: u32| Evaluation { constraints: vec![5.0], ..Evaluation::of(f64::from(k)) };
    let run = run(study, (0..5).map(|k| (vec![0.5], answer(k))));
    assert!(run.meaning.constraints.is_empty() && run.points.iter().all(swarmgrad_lab::recorded::Point::is_feasible));
}

#[test]
fn a_curve_is_seen_when_nearly_all_points_are_the_best() {
    let value = |k: u64| if k < 2000 { 80.0 - k as f64 / 100.0 } else { 60.0 + (k % 7) as f64 * 1e-9 };
    let run = run(json!({}), (0..100_000).map(|k| (vec![0.5], Evaluation::of(value(k)))));
    let chart = picture::convergence(&[run], picture::Against::Evaluations);
    let (low, high) = chart.y.range.unwrap();
    assert!(low < 60.0 && low > 58.0 && high > 79.0 && high < 81.0, "{low} .. {high}");
}

#[test]
fn runs_without_anything_to_see_are_drawn_all_the_same() {
    let failed = || Evaluation::failed(Failure::Crashed("<gone>".into()));
    let huge = |k: usize| Evaluation::of(if k.is_multiple_of(2) { 1e308 } else { -1e308 });
    let odd = |k: usize| vec![f64::NAN, f64::INFINITY, k as f64];
    for run in [
        run(json!({}), (0..30).map(|_| (vec![1.0], failed()))),
        run(json!({"method": 3, "problem": ["x"]}), std::iter::once((vec![], Evaluation::of(1.0)))),
        run(json!({"problem": "bbob/f10", "dim": 1_000_000_000_000_u64}), (0..40).map(|k| (odd(k), huge(k)))),
        run(json!({"variables": ["a=int:0:9"], "program": {"command": "f"}}), (0..40).map(|k| (odd(k), huge(k)))),
    ] {
        let html = page::page(std::slice::from_ref(&run)).html();
        assert!(html.contains("</html>") && !html.contains("<gone>"));
        assert!(picture::sheet(&[run.clone(), run]).starts_with("<svg"));
    }
    let mut two = Recorded::new("run", &Header::new(json!({})));
    two.take(0, false, &[1.0, 2.0], &Evaluation::of(1.0)).unwrap();
    let why = two.take(0, false, &[1.0], &Evaluation::of(1.0)).unwrap_err();
    assert_eq!(why, "a point of 1 coordinates, and those before it have 2");
}
