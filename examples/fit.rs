//! A fit: the parameters of a decay with their standard errors, from residuals rather than from a sum of squares.
//!
//! ```sh
//! cargo run --release --example fit -p swarmgrad
//! ```

use swarmgrad::{Error, Space, VectorFunction, minimize_problem};

/// Times, and what was measured then.
const MEASURED: [(f64, f64); 10] = [
    (0.0, 5.62),
    (0.5, 4.43),
    (1.0, 3.41),
    (1.5, 2.86),
    (2.0, 2.31),
    (3.0, 1.63),
    (4.0, 1.16),
    (5.0, 0.92),
    (7.0, 0.69),
    (9.0, 0.57),
];

fn main() -> Result<(), Error> {
    // Amplitude, rate, offset.
    let space = Space::new(vec![0.0, 0.01, -1.0], vec![20.0, 5.0, 5.0])?;
    let decay = VectorFunction::residuals(space, MEASURED.len(), |b: &[f64], r: &mut [f64]| {
        for (r, (t, y)) in r.iter_mut().zip(MEASURED) {
            *r = b[0] * (-b[1] * t).exp() + b[2] - y;
        }
    });
    let fit = minimize_problem(&decay).run()?;

    println!("sum of squares {:.5} after {} evaluations", fit.fun, fit.nfev);
    let covariance = fit.covariance.expect("a fit has one");
    for (j, name) in ["amplitude", "rate", "offset"].iter().enumerate() {
        println!("  {name:<10} {:>8.4} +- {:.4}", fit.x[j], covariance.row(j)[j].sqrt());
    }
    assert!(fit.fun < 0.02 && (fit.x[1] - 0.5).abs() < 0.05);
    Ok(())
}
