//! A swarm that can be differentiated: what ten iterations of PSO on a sphere gain from a little more inertia or attraction, by dual
//! numbers through every move, beside the difference quotient.
//!
//! ```sh
//! cargo run --release --example through_a_swarm -p swarmgrad
//! ```

use swarmgrad::diff::unroll::pathwise;
use swarmgrad::{Error, Rng, problems};

fn main() -> Result<(), Error> {
    let sphere = problems::entry("sphere")?.build::<f64>(5, None)?;
    let sphere = sphere.differentiable().expect("the sphere has a gradient");
    let law = [0.7, 1.5, 1.5]; // inertia w, attractions c1 and c2
    let best = |law| pathwise(sphere, law, 20, 10, &Rng::new(1));

    let found = best(law);
    println!("ln of the best value: {:.6}", found.value);
    println!("{:<4} {:>12} {:>12}", "by", "derivative", "quotient");
    for (k, name) in ["w", "c1", "c2"].iter().enumerate() {
        let h = 1e-6;
        let moved = |by: f64| best(std::array::from_fn(|j| if j == k { law[j] + by } else { law[j] })).value;
        let quotient = (moved(h) - moved(-h)) / (2.0 * h);
        println!("{name:<4} {:>12.6} {quotient:>12.6}", found.slopes[k]);
        assert!((found.slopes[k] - quotient).abs() < 1e-4 * (1.0 + quotient.abs()));
    }
    Ok(())
}
