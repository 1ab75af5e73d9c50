//! Several objectives: a beam that should be light and should not bend. The result is a front, of which nobody but you can choose.
//!
//! ```sh
//! cargo run --release --example front -p swarmgrad
//! ```

use swarmgrad::{Error, Space, VectorFunction, minimize_problem};

fn main() -> Result<(), Error> {
    let space = Space::new(vec![10.0, 200.0], vec![50.0, 1_000.0])?; // diameter and length in millimetres
    let names = ["mass", "deflection"];
    let beam = VectorFunction::objectives(space, &names, |x: &[f64], f: &mut [f64]| {
        let (diameter, length) = (x[0] / 1_000.0, x[1] / 1_000.0);
        f[0] = 7_800.0 * std::f64::consts::PI * diameter * diameter * length / 4.0; // kg
        f[1] = 64.0 * 1_000.0 * length.powi(3) / (3.0 * 207e9 * std::f64::consts::PI * diameter.powi(4)) * 1_000.0; // mm
    });
    let outcome = minimize_problem(beam).method("nsga2").evaluations(4_000).seed(1).run()?;

    let front = outcome.solutions.expect("a method for several objectives has a front").points;
    println!("{:>10} {:>12}   diameter, length", names[0], names[1]);
    for point in front.iter().step_by(front.len() / 8) {
        println!("{:>7.3} kg {:>9.4} mm   {:.1} mm, {:.0} mm", point.parts[0], point.parts[1], point.x[0], point.x[1]);
    }
    // The shortest beam is best in both, whatever its diameter: known of this problem.
    assert!(front.len() > 50 && front.iter().all(|point| point.x[1] < 210.0));
    Ok(())
}
