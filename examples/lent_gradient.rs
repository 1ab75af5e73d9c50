//! A swarm lends a gradient to a loss that has none: a line that parts two classes, by the number of its mistakes. The gradient of the 0-1
//! loss is zero almost everywhere; that of the envelope of a cloud of lines is not, and Adam follows it.
//!
//! ```sh
//! cargo run --release --example lent_gradient -p swarmgrad
//! ```

use swarmgrad::algorithms::gradient::cloud::{Consensus, ConsensusParams};
use swarmgrad::algorithms::gradient::descend::descend;
use swarmgrad::algorithms::gradient::rule::Adam;
use swarmgrad::{Error, Function, Rng, Space};

fn main() -> Result<(), Error> {
    // 200 points about (1, 1) and (-1, -1); the line w0 x + w1 y + w2 = 0 is to part them.
    let mut draws = vec![0.0; 400];
    Rng::new(3).fork("points").fill_normal(0..200, 0..2, &mut draws);
    let points: Vec<(f64, f64, bool)> = (0..200)
        .map(|i| {
            let (class, centre) = (i % 2 == 0, if i % 2 == 0 { 1.0 } else { -1.0 });
            (centre + 0.6 * draws[2 * i], centre + 0.6 * draws[2 * i + 1], class)
        })
        .collect();
    let mistakes = Function::new(Space::cube(3, -3.0, 3.0)?, |w: &[f64]| {
        let wrong = points.iter().filter(|(x, y, class)| (w[0] * x + w[1] * y + w[2] > 0.0) != *class);
        wrong.count() as f64 / points.len() as f64
    });

    let params = ConsensusParams { sigma: 0.5, ..ConsensusParams::default() };
    let mut source = Consensus::new(&mistakes, params)?;
    let walk = descend(&mistakes, &mut source, &mut Adam::new(0.1), &[-1.0, 0.5, 1.0], 100, &Rng::new(1))?;

    for step in (0..=100).step_by(20) {
        println!("step {step:>3}   {:>5.1} % wrong   w = {:.3?}", 100.0 * walk.values[step], walk.points.row(step));
    }
    println!("{} evaluations", walk.evaluations);
    assert!(walk.values[0] > 0.5 && walk.best().1 <= 0.02);
    Ok(())
}
