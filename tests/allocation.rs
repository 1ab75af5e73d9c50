//! No method allocates in its steps: the second half of a run, one thread, asks the allocator for nothing.
#![allow(unsafe_code)] // a global allocator that counts is the only way to know

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use swarmgrad::registry::{self, Settings};
use swarmgrad::{Function, Run, Space};

struct Counting;

thread_local! {
    /// Of this thread: the test harness has one of its own, which allocates when it likes.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// One test in this file: another one at the same time would be counted too.
#[test]
fn no_method_allocates_after_its_first_iterations() {
    let variants: &[(&str, &str)] = &[
        ("pso", r#"{"topology": "ring", "velocity_limit": 0.1}"#),
        ("pso", r#"{"draws": "per_particle"}"#),
        ("pso_sde", r#"{"lambda1": 0.4, "sigma1": 0.4, "noise": "isotropic"}"#),
        ("pso_sde", r#"{"batch": 20}"#),
        ("pso_sde", r#"{"batch": 20, "update": "full"}"#),
        ("pso_sde", r#"{"memory": "smooth"}"#),
        ("pso_sde", r#"{"kick": 1e300, "epoch": 10, "cooling": true}"#),
        ("cbo", r#"{"noise": "isotropic"}"#),
        ("cbo", r#"{"truncation": 1.0, "jump_rate": 5.0, "sample_size": 0.3}"#),
        ("cbo", r#"{"truncation": 1.0, "correction": "smooth"}"#),
        ("rempso", r#"{"redraw": "particle"}"#),
    ];
    let mut allocating = Vec::new();
    let plain = registry::entries().map(|entry| (entry.name, "{}"));
    for (name, json) in plain.chain(variants.iter().copied()) {
        let settings: Settings = serde_json::from_str(json).unwrap();
        // Two dimensions, since some methods treat small matrices in a way of their own.
        for dim in [30, 40] {
            let space = Space::cube(dim, -5.0, 5.0).unwrap();
            // Rosenbrock's function: methods that end by themselves take long on it.
            let problem = Function::new(space, |x: &[f64]| {
                x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum()
            });
            let mut algorithm = registry::entry(name)
                .unwrap()
                .build(swarmgrad::Problem::space(&problem), Some(100_000), &settings)
                .unwrap();
            let mut run = Run::new(&problem, &mut *algorithm, 1);
            // Some methods end by themselves, but not at once.
            let mut go = |steps: usize| (0..steps).any(|_| run.step().is_break());
            assert!(!go(20), "{name} {json} ended");
            let before = ALLOCATIONS.get();
            go(200);
            let allocations = ALLOCATIONS.get() - before;
            let allowed = match (name, json) {
                // Lists grow once where central differences ask for twice the points, or a line has more points than
                // ever; the reason of an end is written once.
                (
                    "quasi_newton" | "coordinate_search" | "cr_fm_nes" | "lq_cma_es" | "multistart" | "least_squares"
                    | "fit",
                    _,
                ) => 10,
                // A new run of CMA-ES has a larger population than any before.
                ("auto", _) => 100,
                // Rectangles are kept for ever, and a round has as many as may hold the minimum.
                ("direct", _) => 20_000,
                // A model is made in every round.
                ("gp", _) => 10_000_000,
                // A quadratic programme is made for every step.
                ("sqp" | "constrained", _) => 100_000,
                // Fronts are lists of points, sorted anew in every round.
                ("nsga2" | "sms_emoa" | "mo_cbo", _) => 1_000_000,
                _ => 0,
            };
            if allocations > allowed {
                allocating.push(format!("{name} {json} allocated {allocations} times in 200 iterations"));
            }
        }
    }
    assert!(allocating.is_empty(), "{allocating:#?}");
}
