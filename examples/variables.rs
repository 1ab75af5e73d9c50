//! Typed variables: a logarithmic one, a whole one, a choice and a flag. The objective stands for the training of a network, whose error
//! depends on its settings.
//!
//! ```sh
//! cargo run --release --example variables -p swarmgrad
//! ```

use swarmgrad::{Error, Space, Typed, Variable, minimize};

fn main() -> Result<(), Error> {
    let texts = ["rate=log:1e-5:1", "layers=int:1:8", "activation=choice:relu,tanh,gelu", "bias=flag"];
    let space = Space::of(texts.iter().map(|text| Variable::parse(text)).collect::<Result<_, _>>()?)?;

    // A closure gets numbers: of a choice its place in the list, of a flag 0 or 1.
    let error = |x: &[f64]| {
        let activation = [0.2, 0.3, 0.0][x[2] as usize];
        0.1 + (x[0].log10() + 2.5).powi(2) / 10.0 + (x[1] - 3.0).abs() / 20.0 + activation + 0.1 * (1.0 - x[3])
    };
    let best = minimize(error, space.clone()).evaluations(200).seed(1).run()?;

    let values = space.decode(&best.x);
    println!("error {:.4} after {} evaluations", best.fun, best.nfev);
    space.variables().iter().zip(&values).for_each(|(variable, value)| println!("  {:<12} {value}", variable.name()));
    assert_eq!(values[1..], [Typed::Whole(3), Typed::Word("gelu".into()), Typed::Flag(true)]);
    Ok(())
}
