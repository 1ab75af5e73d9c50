//! A training step allocates nothing from the second batch of a size on, on one thread.
#![allow(unsafe_code)] // a global allocator that counts is the only way to know

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use swarmgrad_core::Rng;
use swarmgrad_dense::layer::{Activation, Image, Layer, Output};
use swarmgrad_dense::network::DenseNetwork;
use swarmgrad_dense::supervision::{Backend, Supervision};
use swarmgrad_dense::{loss, optim};

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
fn a_step_allocates_nothing() {
    let (dense, relu, tanh) =
        (|outputs| Layer::Dense { outputs }, Layer::Activation(Activation::Relu), Layer::Activation(Activation::Tanh));
    let layers = [dense(40), relu, Layer::BatchNorm, tanh, dense(17), relu, dense(3)];
    let mut allocating = Vec::new();
    let optimizers = optim::OPTIMIZERS.iter().map(|entry| entry.name);
    let losses = ["mse", "mae", "bce", "cross_entropy"];
    for (optimizer, loss) in optimizers.flat_map(|optimizer| losses.map(|loss| (optimizer, loss))) {
        let output = if loss == "cross_entropy" { Output::Identity } else { Output::Sigmoid };
        let mut network = DenseNetwork::new(Image::row(5), &layers, output).unwrap();
        network.initialize(&Rng::new(1));
        let entry = optim::entry(optimizer).unwrap();
        let loss_of = loss::entry(loss).unwrap().build(3);
        let mut supervision = Supervision::new(loss_of, entry.signal().fit(output), entry.rule(1e-3), 3, 1).unwrap();
        let mut x = vec![0.0; 5 * 50];
        Rng::new(2).row(0).fill_uniform(&mut x);
        let y: Vec<f32> = (0..150).map(|i| f32::from(u8::from(i / 3 % 3 == i % 3))).collect();
        // Of the last batch of an epoch too, which is shorter.
        let mut go = |steps: usize| {
            for _ in 0..steps {
                network.step(&mut supervision, &x, &y).unwrap();
                network.step(&mut supervision, &x[..5 * 23], &y[..3 * 23]).unwrap();
            }
        };
        go(3);
        let before = ALLOCATIONS.get();
        go(10);
        let allocations = ALLOCATIONS.get() - before;
        if allocations > 0 {
            allocating.push(format!("{optimizer} {loss}: {allocations} in 20 steps"));
        }
    }
    assert!(allocating.is_empty(), "{allocating:#?}");
}
