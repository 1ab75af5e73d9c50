//! Methods say what memory they take before they take it: what they say is what an allocator counts.
#![allow(unsafe_code)] // a global allocator that counts is the only way to know

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use swarmgrad::registry::{self, Settings};
use swarmgrad::{Function, Limits, Problem, Run, Space};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    MOST.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time: another one would be counted too.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Bytes that a run takes at most, and what its method has said.
fn taken(name: &str, dim: usize) -> (f64, f64) {
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let space = Space::cube(dim, -5.0, 5.0).unwrap();
    // Neither convex nor separable: no method ends early, none skips a lane.
    let rosenbrock =
        |x: &[f64]| x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum::<f64>();
    let problem = Function::new(space, rosenbrock);
    let budget = 12 * dim as u64;
    let mut algorithm = registry::entry(name).unwrap().build(problem.space(), Some(budget), &Settings::new()).unwrap();
    let said = algorithm.memory();
    let mut limits = Limits::evaluations(budget);
    Run::new(&problem, &mut *algorithm, 1).watch(&mut limits).minimize();
    ((MOST.load(Relaxed) - before) as f64, said)
}

/// Bytes that do not grow with the variables: histories, lists of reasons.
const FIXED: f64 = 4e5;

#[test]
fn methods_say_what_they_take() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // What is taken once and for all.
    taken("cma_es", 40);
    let mut wrong = Vec::new();
    for entry in registry::entries() {
        let (takes, said) = taken(entry.name, 120);
        // What differentiable methods remember of points with gradients they do not take here.
        let least = if entry.name.starts_with("diff_") { 0.05 } else { 0.1 };
        if takes > 1.1 * said + FIXED || takes < least * said {
            wrong.push(format!("{} takes {takes} bytes, said {said}", entry.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_does_not_fit_is_refused_before_it_is_taken() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let space = Space::cube(1_000_000, -5.0, 5.0).unwrap();
    for entry in registry::entries() {
        let before = NOW.load(Relaxed);
        MOST.store(before, Relaxed);
        let built = entry.build(&space, Some(10), &Settings::new());
        let took = (MOST.load(Relaxed) - before) as f64;
        match built {
            Ok(method) => assert!(took < method.memory(), "{} has taken {took} of {}", entry.name, method.memory()),
            Err(why) => {
                assert!(took < 3e8, "{} has taken {took} bytes", entry.name);
                let said = why.to_string();
                assert!(said.contains(" needs ") && said.contains("for 1000000 variables"), "{said}");
            }
        }
    }
    let space = Space::cube(20_000, -5.0, 5.0).unwrap();
    let built = registry::entry("cma_es").unwrap().build(&space, None, &Settings::new());
    let said = built.err().map(|why| why.to_string()).unwrap_or_default();
    assert!(said.starts_with("cma_es needs") && said.contains("sep_cma_es, cr_fm_nes"), "{said}");
}
