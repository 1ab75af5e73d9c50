//! Memory: what a method may take, and the error where it needs more. A method says what it needs before it takes it.

use crate::{Error, Result};
use std::fs;

/// What a method may take where nobody says otherwise and the machine has more: 8 GiB.
const USUAL: f64 = 8.0 * GIB;
const GIB: f64 = (1_u64 << 30) as f64;
/// The variable of the environment that says otherwise: `64G`, `500M`, or bytes.
pub const VARIABLE: &str = "SWARMGRAD_MEMORY";

/// Refuses a method that needs more bytes than may be taken: what the variable [`VARIABLE`] says, else 8 GiB, or what is free
/// on this machine if that is less.
///
/// # Errors
/// The method needs more, or the variable cannot be read.
pub fn check(method: &str, dim: usize, bytes: f64) -> Result<()> {
    let limit = match std::env::var(VARIABLE) {
        Ok(text) => parse(&text).ok_or_else(|| {
            Error::parameter(VARIABLE, text, "must be a number of bytes, or of K, M, G or T as in 64G")
        })?,
        Err(_) => USUAL,
    };
    // What is free is looked up only where it may matter.
    let limit = if bytes > 0.01 * limit { limit.min(free().unwrap_or(f64::INFINITY)) } else { limit };
    if bytes <= limit {
        return Ok(());
    }
    Err(Error::Memory { method: method.into(), dim, needs: bytes / GIB, limit: limit / GIB })
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
    match (machine, container) {
        (Some(machine), Some(container)) => Some(machine.min(container)),
        (machine, container) => machine.or(container),
    }
}

/// The line `MemAvailable` in bytes.
fn available(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
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
    }

    #[test]
    fn what_does_not_fit_is_refused_in_a_sentence() {
        assert!(check("pso", 10, 1e3).is_ok());
        let said = check("cma_es", 20_000, 1e13).unwrap_err().to_string();
        assert!(said.starts_with("cma_es needs 9313.2 GiB of memory for 20000 variables, and "), "{said}");
        assert!(said.contains("sep_cma_es, cr_fm_nes") && said.contains(VARIABLE), "{said}");
    }
}
