//! A method of your own: the (1+1) evolution strategy with the one-fifth rule (Rechenberg 1973), driven like any other.
//!
//! ```sh
//! cargo run --release --example own_method -p swarmgrad
//! ```

use swarmgrad::{Algorithm, Error, Evaluations, Function, Matrix, Result, Rng, Run, Space, View};

struct OneFifth {
    space: Space,
    best: Vec<f64>,
    value: f64,
    deviation: f64,
    rounds: u64,
}

impl Algorithm for OneFifth {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix) {
        xs.resize(1, self.space.dim());
        let x = xs.row_mut(0);
        rng.fork("step").fill_normal(0..1, 0..x.len(), x);
        x.iter_mut().zip(&self.best).for_each(|(z, best)| *z = best + self.deviation * *z);
        self.space.repair(x, 0, &mut rng.fork("outside").row(0));
    }

    fn tell(&mut self, xs: &mut Matrix, values: &[f64]) {
        // Steps grow after a success and shrink after a failure, so that one in five succeeds.
        let better = values[0] <= self.value;
        if better {
            (self.best, self.value) = (xs.row(0).to_vec(), values[0]);
        }
        self.deviation *= if better { 1.5 } else { 1.5_f64.powf(-0.25) };
        self.rounds += 1;
    }

    fn answer(&self) -> Vec<f64> {
        self.best.clone()
    }

    fn iterations(&self) -> u64 {
        self.rounds
    }

    fn view(&self) -> View<'_> {
        View::default()
    }

    fn save(&self, _out: &mut Vec<u8>) -> Result<()> {
        Err(Error::Saved("one_fifth keeps no state".into()))
    }
}

fn main() -> Result<()> {
    let space = Space::cube(10, -5.0, 5.0)?;
    let sphere = Function::new(space.clone(), |x: &[f64]| x.iter().map(|t| t * t).sum::<f64>());
    let mut method = OneFifth { space, best: vec![4.0; 10], value: f64::INFINITY, deviation: 1.0, rounds: 0 };
    let outcome = Run::new(&sphere, &mut method, 1).watch(&mut Evaluations(3_000)).minimize();
    println!("{:.3e} after {} evaluations", outcome.fun, outcome.nfev);
    assert!(outcome.fun < 1e-10);
    Ok(())
}
