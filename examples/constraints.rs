//! Constraints: the lightest cylindrical tank for 2,000 litres whose height is at most its radius. Sizes are in decimetres, so that
//! volumes are litres and the weight is that of the walls.
//!
//! ```sh
//! cargo run --release --example constraints -p swarmgrad
//! ```

use std::f64::consts::PI;
use swarmgrad::{Constraint, Error, Space, minimize};

fn main() -> Result<(), Error> {
    let space = Space::cube(2, 1.0, 30.0)?; // radius, height
    let area = |x: &[f64]| 2.0 * PI * x[0] * (x[0] + x[1]);
    let best = minimize(area, space)
        .constraint(Constraint::equal("volume"), |x| PI * x[0] * x[0] * x[1] - 2_000.0) // = 0, to 1e-4
        .constraint(Constraint::at_most("flat"), |x| x[1] - x[0]) // <= 0
        .evaluations(1_000)
        .run()?;

    println!(
        "radius {:.4}, height {:.4}, area {:.4}, feasible: {}",
        best.x[0],
        best.x[1],
        best.fun,
        best.is_feasible()
    );
    // How much area a unit of each constraint costs.
    println!("multipliers {:.4?}", best.multipliers.as_deref().unwrap_or_default());
    // The tank would be higher if it might: the second constraint is active.
    assert!(best.is_feasible() && (best.x[0] - (2_000.0 / PI).cbrt()).abs() < 1e-3);
    Ok(())
}
