//! What the page calls: a request is written to where [`reserve`] says, [`answer`] reads it, and its text lies where that says.

use crate::Playground;
use std::cell::{Cell, RefCell};
use std::panic::{PanicHookInfo, set_hook};

thread_local! {
    static PLAYGROUND: RefCell<Playground> = RefCell::default();
    static REQUEST: RefCell<Vec<u8>> = RefCell::default();
    static TEXT: RefCell<String> = RefCell::default();
    static HOOKED: Cell<bool> = const { Cell::new(false) };
}

/// A panic ends WebAssembly at once; what it said is kept, and [`text`] finds it there.
fn keep(why: &PanicHookInfo<'_>) {
    TEXT.with(|text| {
        if let Ok(mut text) = text.try_borrow_mut() {
            *text = why.to_string();
        }
    });
}

/// Room for a request of so many bytes: where it begins.
#[allow(unsafe_code, reason = "the name by which the page finds it")]
#[unsafe(no_mangle)]
pub extern "C" fn reserve(length: usize) -> *mut u8 {
    if !HOOKED.replace(true) {
        set_hook(Box::new(keep));
    }
    REQUEST.with_borrow_mut(|request| {
        request.clear();
        request.resize(length, 0);
        request.as_mut_ptr()
    })
}

/// Answers the request; [`text`] and [`length`] say where the answer is.
#[allow(unsafe_code, reason = "the name by which the page finds it")]
#[unsafe(no_mangle)]
pub extern "C" fn answer() {
    let request = REQUEST.with_borrow(|request| String::from_utf8_lossy(request).into_owned());
    let answer = PLAYGROUND.with_borrow_mut(|playground| playground.answer(&request));
    TEXT.set(answer);
}

/// Where the answer begins, or the last words of a panic.
#[allow(unsafe_code, reason = "the name by which the page finds it")]
#[unsafe(no_mangle)]
pub extern "C" fn text() -> *const u8 {
    TEXT.with_borrow(|text| text.as_ptr())
}

/// How many bytes it has.
#[allow(unsafe_code, reason = "the name by which the page finds it")]
#[unsafe(no_mangle)]
pub extern "C" fn length() -> usize {
    TEXT.with_borrow(String::len)
}

/// Panics: for the test of what the page shows then.
#[allow(unsafe_code, reason = "the name by which the page finds it")]
#[unsafe(no_mangle)]
pub extern "C" fn fall() {
    panic!("asked to fall");
}
