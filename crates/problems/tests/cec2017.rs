//! CEC 2017 against a second program (`tests/reference/cec2017.py`), and what holds of each function.

use serde::Deserialize;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use swarmgrad_core::Rng;
use swarmgrad_problems::{PROBLEMS, TestProblem, cec2017, cec2017_in, entry};

const DIMS: [usize; 4] = [10, 30, 50, 100];

fn numbers() -> impl Iterator<Item = usize> {
    std::iter::once(1).chain(3..=30)
}

fn build(number: usize, dim: usize) -> Box<dyn TestProblem> {
    cec2017(number, 1).unwrap().build(dim, None).unwrap()
}

#[derive(Deserialize)]
struct Reference {
    function: usize,
    dim: usize,
    values: Vec<f64>,
}

/// A folder of its own for a test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("swarmgrad-cec2017-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// The numbers of the second program in the format of the competition.
    fn fill(&self, number: usize, dim: usize) {
        let parts = if number > 20 { 10 } else { 1 };
        let (mut shifts, mut rotations, mut places) = (String::new(), String::new(), String::new());
        for k in 0..parts {
            for j in 0..100 {
                let _ = write!(shifts, "  {:?}", ((37 * j + 53 * k) % 161) as f64 - 79.5);
            }
            shifts += "\n";
            let v: Vec<f64> = (0..dim).map(|j| ((3 * j + k) % 5 + 1) as f64).collect();
            let square: f64 = v.iter().map(|v| v * v).sum();
            for i in 0..dim {
                for j in 0..dim {
                    let one = if i == j { 1.0 } else { 0.0 };
                    let _ = write!(rotations, " {:e}", one - 2.0 * v[i] * v[j] / square);
                }
                rotations += "\n";
            }
            for j in 0..dim {
                let _ = write!(places, " {}", (7 * j + 3 + k) % dim + 1);
            }
            places += "\n";
        }
        self.write(&format!("shift_data_{number}.txt"), &shifts);
        self.write(&format!("M_{number}_D{dim}.txt"), &rotations);
        self.write(&format!("shuffle_data_{number}_D{dim}.txt"), &places);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn values_agree_with_a_second_program_that_has_the_same_files() {
    let folder = Folder::new("values");
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/cec2017.json")).unwrap();
    let cases: Vec<Reference> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.len(), 2 * 29);
    let mut worst: f64 = 0.0;
    for case in cases {
        let (number, dim) = (case.function, case.dim);
        folder.fill(number, dim);
        let problem = cec2017_in::<f64>(&folder.0, number, dim).unwrap();
        assert_eq!(problem.entry().to_string(), format!("cec2017/f{number}/i0"));
        for (p, wanted) in case.values.iter().enumerate() {
            let x: Vec<f64> = (0..dim).map(|j| ((29 * j + 71 * p) % 200) as f64 - 100.0 + p as f64 / 4.0).collect();
            let found = problem.value(&x);
            let gap = (found / wanted - 1.0).abs();
            worst = worst.max(gap);
            assert!(gap < 1e-10, "f{number} d={dim}, point {p}: {found}, not {wanted}");
        }
    }
    println!("CEC 2017, 29 functions, 10 and 30 variables: largest relative difference {worst:.1e}");
}

#[test]
fn files_that_do_not_fit_are_named() {
    let folder = Folder::new("mistakes");
    let refused = |number: usize| cec2017_in::<f64>(&folder.0, number, 10).err().unwrap().to_string();
    assert!(refused(11).contains("shift_data_11.txt: cannot be read"), "{}", refused(11));
    folder.fill(11, 10);
    cec2017_in::<f64>(&folder.0, 11, 10).unwrap();
    folder.write("shuffle_data_11_D10.txt", "1 2 3 4 5 6 7 8 9 9");
    assert_eq!(refused(11), "shuffle_data_11_D10.txt = 9: must be one of 1 to 10 that has not come before");
    folder.write("M_11_D10.txt", "1 0 0 x");
    assert_eq!(refused(11), "M_11_D10.txt = x: must be a number");
    folder.write("M_11_D10.txt", "1 0 0");
    assert_eq!(refused(11), "M_11_D10.txt = 3 numbers: must hold 100 at least");
    folder.fill(21, 10);
    folder.write("shift_data_21.txt", "1 2 3 4 5 6 7 8 9 10\n1 2 3");
    assert_eq!(refused(21), "shift_data_21.txt = 3 numbers: must hold 10 at least");
    assert_eq!(refused(2), "function = 2: must be 1 or within 3 to 30");
    let dim = cec2017_in::<f64>(&folder.0, 21, 20).err().unwrap().to_string();
    assert_eq!(dim, "dim = 20: cec2017/f21/i0 needs one of [10, 30, 50, 100]");
    let official = entry("cec2017/f5/i0").unwrap();
    if std::env::var_os("SWARMGRAD_CEC2017").is_none() {
        let why = official.build::<f64>(10, None).err().unwrap().to_string();
        assert!(why.starts_with("instance = 0: ") && why.contains("SWARMGRAD_CEC2017"), "{why}");
    }
}

#[test]
fn the_shift_has_the_value_100_n_and_nothing_near_it_less() {
    for number in numbers() {
        for dim in DIMS {
            let problem = build(number, dim);
            let (minimum, x) = (problem.minimum().unwrap(), problem.minimizers()[0].clone());
            assert_eq!(minimum, 100.0 * number as f64);
            assert!(x.iter().all(|o| (-80.0..80.0).contains(o)));
            let found = problem.value(&x);
            assert!((found - minimum).abs() < 1e-9 * minimum, "f{number} d={dim}: {found}");
            let rng = Rng::new(9).fork("near");
            for i in 0..40 {
                let mut y = vec![0.0; dim];
                rng.row(i).fill_normal(&mut y);
                let step = 10f64.powi(i as i32 % 8 - 6);
                y.iter_mut().zip(&x).for_each(|(y, x)| *y = x + step * *y);
                let value = problem.value(&y);
                assert!(value >= minimum - 1e-9 * minimum, "f{number} d={dim}: {value} {step}");
                assert!(step < 1.0 || value > minimum, "f{number} d={dim} is flat");
            }
        }
    }
}

#[test]
fn instances_differ_and_are_found_by_name() {
    assert_eq!(PROBLEMS.iter().filter(|entry| entry.name.starts_with("cec2017/")).count(), 29);
    for number in numbers() {
        let name = format!("cec2017/f{number}");
        assert_eq!(entry(&name).unwrap(), cec2017(number, 1).unwrap());
        let third = entry(&format!("{name}/i3")).unwrap();
        assert_eq!((third.instance, third.to_string()), (Some(3), format!("{name}/i3")));
        let (first, third) = (build(number, 10), third.build::<f64>(10, None).unwrap());
        assert_ne!(first.minimizers(), third.minimizers(), "{name}");
        assert_ne!(first.value(&[1.0; 10]), third.value(&[1.0; 10]), "{name}");
        assert_eq!(first.minimum(), third.minimum());
        assert_eq!(first.value(&[1.0; 10]).to_bits(), build(number, 10).value(&[1.0; 10]).to_bits());
    }
    assert!(entry("cec2017/f2").is_err() && cec2017(31, 1).is_err());
    assert!(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/cec2017.py")).exists());
}
