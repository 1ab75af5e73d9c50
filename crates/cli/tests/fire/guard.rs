//! Runs a case so that a panic, a hang or an enormous allocation in it is an outcome and not the end of the attack.
#![allow(unsafe_code)] // a global allocator that looks at sizes is the only way to know them

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::mpsc::channel;
use std::time::Duration;

/// A case that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);
/// What cannot be had, and ends the process: the case is named before.
const HOPELESS: usize = 1 << 36;

struct Sizes;

thread_local! {
    static LARGEST_SO_FAR: Cell<usize> = const { Cell::new(0) };
    /// Where the last panic of this thread was, while a case runs in it.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    /// The case that runs in this thread.
    static CASE: RefCell<String> = const { RefCell::new(String::new()) };
}

fn see(size: usize) {
    // Not while the thread ends.
    let _ = LARGEST_SO_FAR.try_with(|most| most.set(most.get().max(size)));
    if size > HOPELESS {
        let _ = CASE.try_with(|case| eprintln!("{size} bytes at once: {}", case.borrow()));
    }
}

unsafe impl GlobalAlloc for Sizes {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        see(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        see(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        see(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Sizes = Sizes;

/// Panics of cases are outcomes: they are noted with their place and not printed.
fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().name() == Some("case") {
                PANIC.set(Some(info.to_string().replace('\n', " ")));
            } else {
                usual(info);
            }
        }));
    });
}

/// What the case of this name returns; an error if it panics, hangs, or asks for more MiB at once than it may.
pub fn guarded<T: Send + 'static>(
    name: &str,
    most: usize,
    case: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    note_panics();
    let (send, receive) = channel();
    let name = name.to_owned();
    let run = move || {
        CASE.set(name);
        LARGEST_SO_FAR.set(0);
        let outcome = catch_unwind(AssertUnwindSafe(case));
        let outcome = outcome.map_err(|_| PANIC.take().unwrap_or_else(|| "panicked".into()));
        drop(send.send((outcome, LARGEST_SO_FAR.get())));
    };
    // A thread that hangs is left behind.
    let spawned = std::thread::Builder::new().name("case".into()).spawn(run);
    spawned.map_err(|why| format!("no thread: {why}"))?;
    match receive.recv_timeout(PATIENCE) {
        Err(_) => Err(format!("takes more than {PATIENCE:?}")),
        Ok((Err(why), _)) => Err(why),
        Ok((Ok(_), largest)) if largest > most << 20 => Err(format!("asks for {largest} bytes at once")),
        Ok((Ok(value), _)) => Ok(value),
    }
}

#[test]
fn panics_large_pieces_and_values_are_told_apart() {
    assert_eq!(guarded("value", 100, || 3), Ok(3));
    assert!(guarded("panic", 100, || panic!("no luck")).unwrap_err().contains("no luck"));
    assert!(guarded("large", 100, || Vec::<u8>::with_capacity(200 << 20).len()).unwrap_err().contains("at once"));
}
