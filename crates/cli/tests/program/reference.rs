//! Saved results of `minimize --json`: the same to the last bit on every machine and in every version that does not mean to change
//! them. `SWARMGRAD_WRITE_REFERENCE=1 cargo test -p swarmgrad-cli --test program reference` writes them anew; a change is listed in
//! CHANGELOG.md.

use crate::harness::good;
use serde_json::{Value, json};
use std::path::Path;

const COMMANDS: [&str; 24] = [
    "rastrigin -d 5 -n 4000",
    "bbob/f8 -d 4 -n 600 -m auto --batch 8",
    "ackley -d 6 -n 2000 -m pso(topology=ring,velocity_limit=0.2)",
    "griewank -d 5 -n 2000 -m spso2011 --seed 3",
    "schwefel -d 4 -n 2000 -m clpso",
    "rosenbrock -d 4 -n 1500 -m empso --set draws=per_particle",
    "rastrigin -d 3 -n 1500 -m rempso --start sobol",
    "rastrigin -d 4 -n 3000 -m pso_sde --set memory=smooth",
    "ackley -d 4 -n 3000 -m cbo --set noise=isotropic",
    "himmelblau -n 3000 -m polish --set method=polar_cbo",
    "rosenbrock -d 5 -n 3000 -m de --outside reflect",
    "bbob/f15 -d 5 -n 4000 -m lshade",
    "bbob/f21 -d 5 -n 3000 -m jso --seed 7",
    "rastrigin -d 5 -n 2000 -m ga",
    "bbob/f10 -d 8 -n 3000 -m cma_es",
    "bbob/f24 -d 3 -n 5000 -m bipop_cma_es",
    "rosenbrock -d 12 -n 3000 -m sep_cma_es",
    "bbob/f6 -d 5 -n 2000 -m xnes",
    "rosenbrock -d 10 -n 2000 -m quasi_newton",
    "bbob/f12 -d 4 -n 800 -m trust_region",
    "levy -d 4 -n 2000 -m multistart(method=nelder_mead)",
    "sphere -d 4 -n 1500 -m diff_de --gradient least_squares",
    "bbob/f3 -d 4 -n 3000 -m islands(method=pso,islands=3) --runs 2",
    "rastrigin -d 3 -n 2000 -m adaswarm --noisy --maximize",
];

#[test]
fn results_are_those_that_were_saved() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/reference.jsonl");
    let results = COMMANDS.map(|command| {
        let args: Vec<&str> = ["minimize", "--json"].into_iter().chain(command.split(' ')).collect();
        let mut result = good(&args).json();
        let members = result.as_object_mut().unwrap();
        // What the other members come to in words may be said better.
        for name in ["seconds", "version", "summary"] {
            members.remove(name).unwrap();
        }
        json!({ "command": command, "result": result })
    });
    if std::env::var_os("SWARMGRAD_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, results.map(|line| line.to_string() + "\n").concat()).unwrap();
        return;
    }
    let saved = std::fs::read_to_string(path).unwrap();
    let saved: Vec<Value> = saved.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(saved.len(), COMMANDS.len());
    for (found, saved) in results.iter().zip(&saved) {
        assert_eq!(found, saved);
    }
}
