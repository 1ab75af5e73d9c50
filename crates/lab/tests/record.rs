//! Records survive the disk and infinities.

use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use swarmgrad::study::units::{Records, read};
use swarmgrad_lab::record::{thin, value_at};
use swarmgrad_lab::{History, Record};

/// A fresh path for one test.
fn path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lab").join(name);
    let _ = fs::remove_file(&path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

fn record(seed: u64) -> Record {
    Record {
        method: "pso \"quoted\"\nβ".into(),
        problem: "sphere".into(),
        dim: 3,
        seed,
        params: serde_json::from_str(r#"{"inertia": 0.7, "topology": "ring"}"#).unwrap(),
        version: "0.1.0".into(),
        fun: 0.1 + 0.2,
        x: Some(vec![-0.0, f64::MIN_POSITIVE, 1.0 / 3.0]),
        nfev: u64::MAX,
        nit: 12,
        failures: 2,
        seconds: 1e-300,
        reason: "target".into(),
        target: Some(1e-8),
        nfev_to_target: Some(77),
        curve: vec![(1, f64::INFINITY), (2, 5.0), (9, -1.5)],
    }
}

#[test]
fn a_record_is_one_line_and_comes_back_to_the_bit() {
    let path = path("whole.jsonl");
    let odd =
        Record { fun: f64::NEG_INFINITY, target: Some(f64::INFINITY), x: None, nfev_to_target: None, ..record(2) };
    for record in [&record(1), &odd] {
        Records::open(&path).unwrap().append(record).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    let found = read::<Record>(&path).unwrap();
    assert_eq!(found, [record(1), odd]);
    assert!(found[0].x.as_ref().unwrap()[0].is_sign_negative());
    // JSON of another shape is an error that names the line, wherever it stands.
    fs::write(&path, "\n{\"method\": 3}").unwrap();
    let message = read::<Record>(&path).unwrap_err().to_string();
    assert!(message.starts_with(&format!("{}:2: ", path.display())), "{message}");
    assert!(
        read::<Record>(Path::new("/nowhere/at/all.jsonl"))
            .unwrap_err()
            .to_string()
            .starts_with("/nowhere/at/all.jsonl: ")
    );
}

#[test]
fn nan_is_a_word() {
    let line = serde_json::to_string(&Record { fun: f64::NAN, seconds: f64::INFINITY, ..record(1) }).unwrap();
    assert!(
        line.contains(r#""fun":"nan""#) && line.contains(r#""seconds":"inf""#) && line.contains(r#"[1,"inf"]"#),
        "{line}"
    );
    let back: Record = serde_json::from_str(&line).unwrap();
    assert!(back.fun.is_nan() && back.seconds == f64::INFINITY);
    let odd = line.replace("\"nan\"", "\"many\"");
    assert!(serde_json::from_str::<Record>(&odd).unwrap_err().to_string().contains("'many' is no number"));
    // Whole numbers without a point are numbers too, and fields that may be missing may be missing.
    let small = r#"{"method":"pso","problem":"sphere","dim":2,"seed":1,"fun":3,"nfev":4,"nit":5,"more":"later"}"#;
    assert_eq!(serde_json::from_str::<Record>(small).unwrap().fun, 3.0);
}

#[test]
fn a_history_keeps_improvements_and_the_exact_target() {
    let mut history = History::new(50).target(1e-3);
    for n in 1..=100_000_u64 {
        history.push(n, if n % 3 == 0 { f64::NAN } else { 1.0 / n as f64 });
    }
    assert_eq!(history.nfev_to_target(), Some(1000));
    let curve = history.finish(123_456);
    assert!(curve.len() <= 50 && curve.len() > 30, "{}", curve.len());
    assert_eq!(curve[0], (1, 1.0));
    assert_eq!(curve.last(), Some(&(123_456, 1e-5)));
    assert_eq!(value_at(&curve, 0), f64::INFINITY);
    assert!(History::new(9).finish(3).is_empty());
    let mut failed = History::new(9);
    failed.push(1, f64::NAN);
    failed.push(2, f64::INFINITY);
    assert_eq!(failed.finish(5), [(1, f64::INFINITY), (5, f64::INFINITY)]);
}

#[test]
fn a_stretch_keeps_its_last_point() {
    let curve: Vec<(u64, f64)> = (1000..=2000).map(|n| (n, -(n as f64))).collect();
    let thinned = thin(&curve, 10);
    assert_eq!(thinned.len(), 10);
    assert!(thinned[1].0 > 1050, "{thinned:?}");
    assert_eq!(thin(&curve, 2), [(1000, -1000.0), (2000, -2000.0)]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_thinned_staircase_never_claims_too_much(
        steps in prop::collection::vec((1_u64..1000, 0.0..1.0_f64), 1..300),
        limit in 0_usize..60,
    ) {
        let (mut n, mut best, mut curve) = (0, 100.0, Vec::new());
        for (more, down) in steps {
            n += more;
            best -= down;
            curve.push((n, best));
        }
        let thinned = thin(&curve, limit);
        prop_assert!(thinned.len() <= limit.max(2));
        prop_assert_eq!(thinned.first(), curve.first());
        prop_assert_eq!(thinned.last(), curve.last());
        prop_assert!(thinned.windows(2).all(|w| w[0].0 < w[1].0));
        prop_assert!(thinned.iter().all(|p| curve.contains(p)));
        for &(n, best) in &curve {
            prop_assert!(value_at(&thinned, n) >= best);
        }
    }

    #[test]
    fn any_number_survives(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        let line = serde_json::to_string(&Record { fun: value, curve: vec![(1, value)], ..Record::default() }).unwrap();
        let back: Record = serde_json::from_str(&line).unwrap();
        prop_assert!(back.fun.to_bits() == bits || value.is_nan() && back.fun.is_nan());
        prop_assert!(back.curve[0].1.to_bits() == bits || value.is_nan() && back.curve[0].1.is_nan());
    }
}
