//! Shifts, rotations and shuffles: drawn by a recipe, or read from the files of the competition.
//!
//! The recipe for instance i, function N: every stream forks from seed i and the labels `cec2017`, `fN`, and row k of a stream
//! belongs to part k (from 0). `shift`: uniform in [-80, 80]. `rotation`: a square of standard normal numbers, row after row, made orthonormal by
//! Gram and Schmidt from the first row on, each row twice (the Q of a QR factorisation whose R has a positive diagonal, so that Q is
//! uniform among the orthogonal matrices). `shuffle`: a shuffled 1 .. d.

use super::function::Numbers;
use std::path::Path;
use swarmgrad_core::{Error, Result, Rng};

/// Rows of the file of a composition.
const PARTS: usize = 10;

/// The numbers of `parts` parts of function `number` in `dim` variables, instance `instance`.
pub(super) fn draw(number: usize, parts: usize, dim: usize, instance: u64) -> Vec<Numbers> {
    let rng = Rng::new(instance).fork("cec2017").fork(&format!("f{number}"));
    let part = |k: usize| {
        let mut shift = vec![0.0; dim];
        rng.fork("shift").row(k).fill_uniform(&mut shift);
        shift.iter_mut().for_each(|o| *o = 160.0 * *o - 80.0);
        let mut rotation = vec![0.0; dim * dim];
        rng.fork("rotation").row(k).fill_normal(&mut rotation);
        orthonormalise(&mut rotation, dim);
        let mut shuffle: Vec<usize> = (0..dim).collect();
        rng.fork("shuffle").row(k).shuffle(&mut shuffle);
        Numbers { shift, rotation, shuffle }
    };
    (0..parts).map(part).collect()
}

fn orthonormalise(square: &mut [f64], dim: usize) {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for i in 0..dim {
        let (done, rest) = square.split_at_mut(i * dim);
        let row = &mut rest[..dim];
        for _ in 0..2 {
            for other in done.chunks_exact(dim) {
                let along = dot(row, other);
                row.iter_mut().zip(other).for_each(|(t, o)| *t -= along * o);
            }
            let length = dot(row, row).sqrt();
            row.iter_mut().for_each(|t| *t /= length);
        }
    }
}

/// The numbers in the competition's files: `shift_data_N.txt`, `M_N_Dd.txt`, `shuffle_data_N_Dd.txt`.
///
/// # Errors
/// A file that is not there, holds something else than numbers, too few of them, or a shuffle that leaves a place out.
pub(super) fn read(folder: &Path, number: usize, parts: usize, shuffled: bool, dim: usize) -> Result<Vec<Numbers>> {
    let composed = parts > 1;
    let lines = file(folder, &format!("shift_data_{number}.txt"))?;
    let shift = |k: usize| -> Result<Vec<f64>> {
        // Of a composition a line belongs to a part and holds 100 numbers, of which the first count.
        let name = format!("shift_data_{number}.txt");
        let line = if composed { lines.lines().nth(k).unwrap_or_default() } else { &lines };
        take(&name, &numbers(&name, line)?, 0, dim)
    };
    let name = format!("M_{number}_D{dim}.txt");
    let rotations = numbers(&name, &file(folder, &name)?)?;
    let name_of_shuffle = format!("shuffle_data_{number}_D{dim}.txt");
    let shuffles = if shuffled { numbers(&name_of_shuffle, &file(folder, &name_of_shuffle)?)? } else { Vec::new() };
    let part = |k: usize| {
        let rotation = take(&name, &rotations, k * dim * dim, dim * dim)?;
        let places = if shuffled { take(&name_of_shuffle, &shuffles, k * dim, dim)? } else { Vec::new() };
        Ok(Numbers { shift: shift(k)?, rotation, shuffle: order(&name_of_shuffle, &places)? })
    };
    (0..parts.min(PARTS)).map(part).collect()
}

fn file(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    std::fs::read_to_string(&path)
        .map_err(|why| Error::parameter("CEC 2017 data", path.display(), format!("cannot be read: {why}")))
}

fn numbers(name: &str, text: &str) -> Result<Vec<f64>> {
    let number = |word: &str| match word.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(Error::parameter(name, word, "must be a number")),
    };
    text.split_whitespace().map(number).collect()
}

fn take(name: &str, all: &[f64], from: usize, count: usize) -> Result<Vec<f64>> {
    let found = all.get(from..from + count);
    found.map(<[f64]>::to_vec).ok_or_else(|| {
        Error::parameter(name, format!("{} numbers", all.len()), format!("must hold {} at least", from + count))
    })
}

/// Places counted from 1 to places counted from 0.
fn order(name: &str, places: &[f64]) -> Result<Vec<usize>> {
    let mut seen = vec![false; places.len()];
    let place = |&place: &f64| {
        let free =
            (1..=places.len()).find(|&k| k as f64 == place).filter(|&k| !std::mem::replace(&mut seen[k - 1], true));
        free.map(|k| k - 1).ok_or_else(|| {
            Error::parameter(name, place, format!("must be one of 1 to {} that has not come before", places.len()))
        })
    };
    places.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_rotations_are_orthogonal_and_shuffles_complete() {
        for dim in [10, 50, 100] {
            for numbers in draw(29, 3, dim, 1) {
                let rows: Vec<&[f64]> = numbers.rotation.chunks_exact(dim).collect();
                for i in 0..dim {
                    for j in 0..=i {
                        let dot: f64 = rows[i].iter().zip(rows[j]).map(|(a, b)| a * b).sum();
                        assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-13, "{i} {j}: {dot}");
                    }
                }
                assert!(numbers.shift.iter().all(|o| (-80.0..80.0).contains(o)));
                let mut places = numbers.shuffle.clone();
                places.sort_unstable();
                assert!(places.into_iter().eq(0..dim));
            }
        }
        assert_ne!(draw(1, 1, 10, 1), draw(1, 1, 10, 2));
        assert_ne!(draw(1, 1, 10, 1), draw(3, 1, 10, 1));
        let parts = draw(21, 3, 10, 1);
        assert!(parts[0] != parts[1] && parts[1] != parts[2]);
    }
}
