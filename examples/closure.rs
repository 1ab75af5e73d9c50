//! Minimise a closure, by `auto` and by a method that is named.
//!
//! ```sh
//! cargo run --release --example closure -p swarmgrad
//! ```

use swarmgrad::{Error, Space, minimize};

fn main() -> Result<(), Error> {
    // Rastrigin's function: 11^5 minima in this box, the least of them 0 at the origin.
    let bumps = |x: &[f64]| x.iter().map(|t| t * t - 10.0 * (std::f64::consts::TAU * t).cos() + 10.0).sum::<f64>();
    let space = Space::cube(5, -5.12, 5.12)?;

    let best = minimize(bumps, space.clone()).evaluations(20_000).seed(1).run()?;
    println!("auto                   {:.3e} after {} evaluations: {}", best.fun, best.nfev, best.reason);
    assert!(best.fun < 1e-8);

    let swarm = minimize(bumps, space).method("clpso(particles=20)").evaluations(20_000).target(1e-3).seed(1).run()?;
    println!("clpso(particles=20)    {:.3e} after {} evaluations: {}", swarm.fun, swarm.nfev, swarm.reason);
    assert!(swarm.fun <= 1e-3);
    Ok(())
}
