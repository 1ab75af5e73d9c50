//! Memory: what a method may take, and the error where it needs more. A method says what it needs before it takes it.

use crate::{Error, Result};
use std::cell::Cell;
use std::fs;
use std::sync::OnceLock;

/// What a method may take where nobody says otherwise and the machine has more: 8 GiB, and half of what addresses of 32 bits reach.
const USUAL: f64 = if usize::BITS < 64 { 2.0 * GIB } else { 8.0 * GIB };
const GIB: f64 = (1_u64 << 30) as f64;
/// The variable of the environment that says otherwise: `64G`, `500M`, or bytes.
pub const VARIABLE: &str = "SWARMGRAD_MEMORY";

/// What this process has been told by [`allow`].
static ALLOWED: OnceLock<f64> = OnceLock::new();

/// Says what methods of this process may take, as the variable [`VARIABLE`] does: `64G`, `500M`, or bytes. Said once.
///
/// # Errors
/// A text that is no such size; a second one that differs.
pub fn allow(size: &str) -> Result<()> {
    let bytes = parse(size).ok_or_else(|| Error::parameter("memory", format!("'{size}'"), SIZE))?;
    match *ALLOWED.get_or_init(|| bytes) == bytes {
        true => Ok(()),
        false => Err(Error::parameter("memory", size, "has been said before, and differs")),
    }
}

thread_local! {
    /// While it is only asked whether a method would fit: what was found.
    static ASKED: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Whether a method that builds itself here would fit: [`check`], which comes before anything large is taken, ends the building.
pub fn would_fit<T>(build: impl FnOnce() -> Result<T>) -> bool {
    ASKED.set(Some(false));
    let built = build().is_ok();
    let found = ASKED.take() == Some(true);
    built || found
}

/// How a size is written.
const SIZE: &str = "must be a number of bytes, or of K, M, G or T as in 64G";

/// Refuses a method that needs more bytes than may be taken: what [`allow`] or the variable [`VARIABLE`] says, else 8 GiB (2 GiB
/// where addresses have 32 bits), or what is free on this machine and to this process if that is less.
///
/// # Errors
/// The method needs more, or the variable cannot be read.
pub fn check(method: &str, dim: usize, bytes: f64) -> Result<()> {
    let limit = match (ALLOWED.get(), std::env::var(VARIABLE)) {
        (Some(allowed), _) => *allowed,
        (None, Ok(text)) => parse(&text).ok_or_else(|| Error::parameter(VARIABLE, text, SIZE))?,
        (None, Err(_)) => USUAL,
    };
    // What is free is looked up only where it may matter.
    let limit = if bytes > 0.01 * limit { limit.min(free().unwrap_or(f64::INFINITY)) } else { limit };
    let asked = ASKED.get().is_some();
    if asked {
        ASKED.set(Some(bytes <= limit));
    }
    if bytes <= limit && !asked {
        return Ok(());
    }
    Err(Error::Memory { method: method.into(), dim, needs: bytes / GIB, limit: limit / GIB, fits: None })
}

fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let (number, unit) = match text.to_ascii_uppercase().find(['K', 'M', 'G', 'T']) {
        Some(at) if at + 1 == text.len() => (&text[..at], "KMGT".find(&text[at..].to_ascii_uppercase())? as i32 + 1),
        Some(_) => return None,
        None => (text, 0),
    };
    let bytes = number.trim().parse::<f64>().ok()? * 1024_f64.powi(unit);
    (bytes >= 0.0).then_some(bytes)
}

/// Bytes that processes here may still take, where the system says it (Linux).
fn free() -> Option<f64> {
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<f64>().ok();
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let group = "/sys/fs/cgroup/memory";
    let container = number(&format!("{group}.max")).zip(number(&format!("{group}.current")));
    let container = container.map(|(most, now)| (most - now).max(0.0));
    // What `ulimit -v` leaves to this process, part of it to threads and to what is not the method's.
    let limits = fs::read_to_string("/proc/self/limits").ok().and_then(|text| address_space(&text));
    let taken = fs::read_to_string("/proc/self/status").ok().and_then(|text| line(&text, "VmSize:"));
    let process = limits.zip(taken).map(|(most, now)| ((most - now) * 0.8 - RESERVE).max(0.0));
    [machine, container, process].into_iter().flatten().reduce(f64::min)
}

/// What a limit on addresses must leave for stacks of threads and buffers.
const RESERVE: f64 = (64_u64 << 20) as f64;

/// A line of this name, in bytes.
fn line(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

/// The line `MemAvailable` in bytes.
fn available(text: &str) -> Option<f64> {
    line(text, "MemAvailable:")
}

/// The limit of the address space in bytes, where there is one.
fn address_space(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_nonsense_is_none() {
        for (text, bytes) in [("64G", 64.0 * GIB), (" 1.5 k ", 1536.0), ("12", 12.0), ("2t", 2048.0 * GIB)] {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for text in ["", "G", "64GB", "-1", "nan", "x", "6G4"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   23 kB\n"), Some(23.0 * 1024.0));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
        let limits =
            "Max cpu time   unlimited  unlimited  seconds\nMax address space   2147483648  unlimited   bytes\n";
        assert_eq!(address_space(limits), Some(2.0 * GIB));
        assert_eq!(address_space("Max address space         unlimited            unlimited            bytes\n"), None);
    }

    #[test]
    fn what_does_not_fit_is_refused_in_a_sentence() {
        assert!(check("pso", 10, 1e3).is_ok());
        let said = check("cma_es", 20_000, 1e13).unwrap_err().to_string();
        assert!(said.starts_with("cma_es needs 9313.2 GiB of memory for 20000 variables, and "), "{said}");
        assert!(said.contains(VARIABLE), "{said}");
    }
}
