mod terrain {
    include!("zz_terrain.in");
    pub fn make(name: &'static str, hw: f64, dim: usize, rot: bool, seed: u64) -> Terrain {
        Terrain::new(name, hw, dim, rot, seed).unwrap()
    }
    pub fn list() -> Vec<(&'static str, f64)> {
        FUNCTIONS.iter().filter(|f| f.2).map(|f| (f.0, f.1)).collect()
    }
}
use swarmgrad_algorithms::gradient::yardstick::Exact;
use swarmgrad_core::{Evaluations, Problem, Run};
#[test]
fn exp() {
    let Ok(spec) = std::env::var("EXP") else { return };
    // EXP = "dim budget_per_d rot seeds cost | name json | name json"
    let mut parts = spec.split('|');
    let head: Vec<f64> = parts.next().unwrap().split_whitespace().map(|t| t.parse().unwrap()).collect();
    let (dim, budget, rot, seeds, cost) =
        (head[0] as usize, (head[0] * head[1]) as u64, head[2] > 0.0, head[3] as u64, head[4]);
    for m in parts {
        let (name, json) = m.trim().split_once(' ').unwrap();
        let settings = serde_json::from_str(json).unwrap();
        let entry = swarmgrad_diff::method::ENTRIES
            .iter()
            .find(|e| e.name == name)
            .or_else(|| swarmgrad_algorithms::registry::entry(name).ok())
            .unwrap();
        for (f, hw) in terrain::list() {
            let t0 = std::time::Instant::now();
            let mut vals = Vec::new();
            let (mut nf, mut ng, mut why) = (0, 0, String::new());
            for seed in 0..seeds {
                let problem = terrain::make(f, hw, dim, rot, seed);
                let mut a = entry.build(problem.space(), Some(budget), &settings).unwrap();
                let mut source = Exact::<f64, _>::new(&problem);
                let run = Run::new(&problem, &mut *a, seed).gradients(&mut source, cost);
                let o = run.watch(&mut Evaluations(budget)).minimize();
                nf += o.nfev;
                ng += o.ngev;
                why = format!("{:?}", o.reason);
                vals.push(o.fun.max(1e-12).log10());
            }
            println!(
                "ROW {}",
                serde_json::json!({"m": m.trim(), "f": f, "v": vals, "nf": nf / seeds, "ng": ng / seeds, "why": why, "s": t0.elapsed().as_secs_f64()})
            );
        }
    }
}
