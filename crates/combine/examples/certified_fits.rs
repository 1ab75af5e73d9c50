//! The 27 nonlinear regressions of the StRD, each from its two starts: digits of the certified parameters and standard deviations
//! that a method finds, and evaluations. `cargo run --release -p swarmgrad-combine --example certified_fits [METHOD [NAME]]`

use swarmgrad_combine::registry::{Settings, build, parse_with};
use swarmgrad_core::{Evaluations, Run};
use swarmgrad_problems::{FITS, certified};

fn digits(found: f64, certified: f64) -> f64 {
    (-((found - certified) / certified).abs().max(1e-16).log10()).clamp(0.0, 11.0)
}

fn main() -> swarmgrad_core::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let method = arguments.next().unwrap_or_else(|| "least_squares".into());
    let only = arguments.next();
    println!("{:16} {:>5} {:>10} {:>10} {:>6}", "set", "start", "parameters", "deviations", "nfev");
    let (mut counts, mut costs) = ([0, 0], Vec::new());
    for entry in FITS.iter().filter(|entry| only.as_ref().is_none_or(|only| entry.name.ends_with(only.as_str()))) {
        let problem = entry.build::<f64>(entry.dims.least(), None)?;
        let Some(known) = certified(entry.name) else { continue };
        for (k, start) in known.starts.iter().enumerate() {
            let more = Settings::from_iter([("start".into(), serde_json::json!({ "points": [start] }))]);
            let (entry, settings) = parse_with(&method, &more)?;
            let budget = 2000 * problem.space().dim() as u64;
            let mut method = build(entry, problem.space(), Some(budget), &settings, &[], problem.aim())?;
            let outcome = Run::new(&*problem, &mut *method, 1).watch(&mut Evaluations(budget)).minimize();
            let least =
                |pairs: &mut dyn Iterator<Item = (f64, f64)>| pairs.fold(11.0f64, |d, (a, b)| d.min(digits(a, b)));
            let parameters = least(&mut outcome.x.iter().copied().zip(known.parameters.iter().copied()));
            let deviations = outcome.covariance.map_or(0.0, |c| {
                least(&mut (0..c.dim()).map(|j| c.row(j)[j].sqrt()).zip(known.deviations.iter().copied()))
            });
            counts[0] += u32::from(parameters >= 6.0);
            counts[1] += u32::from(parameters >= 6.0 && deviations >= 6.0);
            costs.push(outcome.nfev);
            println!(
                "{:16} {:>5} {parameters:>10.1} {deviations:>10.1} {:>6}  {}",
                problem.entry().name,
                k + 1,
                outcome.nfev,
                outcome.reason
            );
        }
    }
    costs.sort_unstable();
    println!(
        "six digits: parameters {}, with deviations {} of {}; median evaluations {}",
        counts[0],
        counts[1],
        costs.len(),
        costs[costs.len() / 2]
    );
    Ok(())
}
