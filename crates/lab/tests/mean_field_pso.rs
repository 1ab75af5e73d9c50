//! The experiments of the mean-field PSO paper, quick: they run, and their numbers are those they should be.

use serde_json::Value;
use swarmgrad_lab::paper::{self, Findings, Session, Settings, Verdict};

fn quick(name: &str) -> Findings {
    let settings = Settings { quick: true, threads: 2, ..Settings::default() };
    let findings = Session::new(settings).unwrap().run(paper::entry(name).unwrap()).unwrap();
    println!("{}", findings.text(110));
    assert!(!findings.claims.is_empty() && !findings.tables.is_empty(), "{name}");
    for text in
        [findings.text(80), findings.markdown(Some("plots")), paper::page(std::slice::from_ref(&findings)).html()]
    {
        assert!(!text.contains("NaN") && !text.contains(" nan"), "{name}:\n{text}");
    }
    assert!(!findings.pictures.is_empty() && findings.pictures.iter().all(|p| p.svg.starts_with("<svg")), "{name}");
    findings
}

fn number(findings: &Findings, path: &str) -> f64 {
    let value = Value::Object(findings.data.clone());
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {value}"))
}

#[test]
fn figure_1() {
    let findings = quick("mean-field-pso/figure-1");
    assert_eq!(findings.pictures.len(), 6);
    assert_eq!(findings.claims[0].verdict, Verdict::Holds);
}

#[test]
fn figure_2() {
    let findings = quick("mean-field-pso/figure-2");
    assert_eq!(findings.pictures.len(), 6);
    assert_eq!(number(&findings, "/rejected"), 0.0);
    // Twelve cells a panel; m = 0.1 never succeeds, m = 1e-4 at sigma2 = 8 always with memory.
    let cell = |panel: &str, k: usize, what: &str| number(&findings, &format!("/{panel}/{k}/{what}"));
    for panel in ["memoryless", "memory", "drift"] {
        assert!((0..4).all(|j| cell(panel, 3 * j + 2, "successes") == 0.0), "{panel}");
        assert_eq!(cell(panel, 11, "explosions"), 5.0);
    }
    assert_eq!((cell("memory", 6, "m"), cell("memory", 6, "sigma2"), cell("memory", 6, "successes")), (1e-4, 8.0, 5.0));
    assert!(number(&findings, "/milliseconds_a_run") > 0.0);
}

#[test]
fn a_grid_of_ones_own() {
    let settings =
        Settings { grid: Some([vec![0.02], vec![1.0, 30.0]]), seeds: Some(2), threads: 1, ..Settings::default() };
    let findings = Session::new(settings).unwrap().run(paper::entry("mean-field-pso/figure-2").unwrap()).unwrap();
    assert_eq!(findings.data["drift"].as_array().unwrap().len(), 2);
    assert_eq!(number(&findings, "/memoryless/1/explosions"), 2.0);
}

#[test]
fn theorem_2_5() {
    let findings = quick("mean-field-pso/theorem-2.5");
    assert_eq!(number(&findings, "/violations"), 0.0);
    assert!(number(&findings, "/nearest") < 0.03, "{}", number(&findings, "/nearest"));
    assert!(number(&findings, "/weight") > 0.75);
    assert!((number(&findings, "/settings/0/rate") - 1.12).abs() < 0.01);
    assert!((number(&findings, "/settings/0/flat") - 2.011).abs() < 0.015);
    assert!((number(&findings, "/settings/1/left") / 533.0 - 1.0).abs() < 0.1);
}

#[test]
fn theorem_4_1() {
    let findings = quick("mean-field-pso/theorem-4.1");
    for k in 0..6 {
        let slope = number(&findings, &format!("/coupling/{k}/slope"));
        let loose = if number(&findings, &format!("/coupling/{k}/dim")) == 1.0 { 0.35 } else { 0.15 };
        assert!((slope + 1.0).abs() < loose, "case {k}: {slope}");
    }
    // N error / d of the flat objective.
    for k in [1, 2] {
        for n in 0..3 {
            let scaled = number(&findings, &format!("/coupling/{k}/scaled/{n}"));
            assert!((1.1..=1.9).contains(&scaled), "case {k}, size {n}: {scaled}");
        }
    }
    assert!((0..3).all(|k| (number(&findings, &format!("/orders/{k}")) - 1.0).abs() < 0.1));
    assert!((0.45..=0.65).contains(&number(&findings, "/orders/3")));
}

#[test]
fn zero_inertia() {
    let findings = quick("mean-field-pso/zero-inertia");
    assert!(number(&findings, "/gaps/0") < 1e-13);
    assert!((number(&findings, "/order_small") - 1.0).abs() < 0.1);
}
