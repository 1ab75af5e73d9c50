//! Figure 2 of the mean-field PSO paper: success probabilities on the 2.5-amplitude Rastrigin function against the
//! reference of two independent programs (100 runs a cell). `examples/rastrigin_phase.rs` runs every cell as often as asked.

#[path = "../examples/rastrigin_phase.rs"]
#[allow(dead_code)]
mod phase;

use phase::{Cell, reference, successes};
use swarmgrad_lab::stats::{fisher_exact, holm};

#[test]
fn success_probabilities_agree_with_the_reference() {
    // Cells spread over both panels, from certain failure to certain success.
    let chosen = |cell: &&Cell| {
        let picks: &[(f64, f64)] = if cell.memory {
            &[(1e-4, 5.0), (1e-4, 6.0), (1e-4, 7.0), (1e-4, 8.0), (1e-2, 3.0), (1e-2, 5.0), (1e-2, 10.0), (1e-1, 1.0)]
        } else {
            &[(1e-4, 5.0), (1e-4, 6.0), (1e-4, 8.0), (1e-2, 4.0), (1e-2, 5.0), (1e-2, 6.0), (1e-1, 2.0)]
        };
        picks.contains(&(cell.m, cell.sigma2))
    };
    let cells = reference();
    assert_eq!(cells.len(), 72);
    let mut p_values = Vec::new();
    for cell in cells.iter().filter(chosen) {
        let halves = std::thread::scope(|scope| {
            let threads = [0..50, 50..100].map(|seeds| scope.spawn(move || successes(cell, seeds)));
            threads.map(|thread| thread.join().unwrap())
        });
        let ours = halves[0] + halves[1];
        println!(
            "memory {} m {:e} sigma2 {}: {ours} of 100 against {} of {}",
            cell.memory, cell.m, cell.sigma2, cell.successes, cell.runs
        );
        p_values.push(fisher_exact(ours, 100, cell.successes, cell.runs).unwrap());
        // The three cells the specification names.
        match (cell.memory, cell.m, cell.sigma2) {
            (true, 1e-4, 8.0) => assert!(ours >= 92),
            (true, 1e-2, 3.0) => assert!(ours <= 12),
            (_, 1e-1, _) => assert_eq!(ours, 0),
            _ => {}
        }
    }
    assert_eq!(p_values.len(), 15);
    let rejected = holm(&p_values, 0.01).unwrap().iter().filter(|adjusted| adjusted.rejected).count();
    assert_eq!(rejected, 0, "{p_values:?}");
}
