//! Laws of the methods that are made of methods.

use swarmgrad::algorithms::gradient::yardstick::Exact;
use swarmgrad::registry::{self, Settings};
use swarmgrad::{
    Algorithm, Evaluations, Function, Matrix, Outcome, Problem, Reason, Rng, Run, Solutions, Space, Start, problems,
};

fn settings(json: serde_json::Value) -> Settings {
    json.as_object().unwrap().clone()
}

fn method(name: &str, space: &Space, json: serde_json::Value) -> Box<dyn Algorithm> {
    registry::entry(name).unwrap().build(space, None, &settings(json)).unwrap()
}

fn bowl(dim: usize) -> Function<f64, impl Fn(&[f64]) -> f64 + Sync> {
    Function::new(Space::cube(dim, -5.0, 5.0).unwrap(), |x: &[f64]| x.iter().map(|t| (t - 1.0) * (t - 1.0)).sum())
}

/// Walks some rounds; the points of each with their values.
fn walk(algorithm: &mut dyn Algorithm, problem: &dyn Problem, rng: &Rng, rounds: u64) -> Vec<(Vec<f64>, Vec<f64>)> {
    let (mut rng, mut xs, mut seen) = (rng.clone(), Matrix::default(), Vec::new());
    for round in 0..rounds {
        rng.set_iteration(round);
        algorithm.ask(&rng, &mut xs);
        if xs.is_empty() {
            break;
        }
        let values: Vec<f64> = xs.iter().map(|x| problem.value(x)).collect();
        seen.push((xs.data().to_vec(), values.clone()));
        algorithm.tell(&mut xs, &values);
    }
    seen
}

#[test]
fn an_island_without_neighbours_walks_as_alone() {
    let problem = bowl(3);
    let alone =
        walk(&mut *method("de", problem.space(), serde_json::json!({})), &problem, &Rng::new(4).fork("island0"), 30);
    let one = serde_json::json!({ "method": "de", "islands": 1, "interval": 3 });
    assert_eq!(walk(&mut *method("islands", problem.space(), one), &problem, &Rng::new(4), 30), alone);
}

#[test]
fn islands_walk_apart_until_they_exchange_their_best() {
    let problem = bowl(3);
    let (interval, rounds) = (4, 6);
    let apart: Vec<_> = (0..3)
        .map(|i| {
            let mut de = method("de", problem.space(), serde_json::json!({ "particles": 6 }));
            walk(&mut *de, &problem, &Rng::new(9).fork(&format!("island{i}")), rounds)
        })
        .collect();
    let json = serde_json::json!({ "method": "de:particles=6", "islands": 3, "interval": interval });
    let together = walk(&mut *method("islands", problem.space(), json), &problem, &Rng::new(9), rounds);
    for (k, (x, _)) in together.iter().enumerate() {
        let expected: Vec<f64> = apart.iter().flat_map(|island| island[k].0.clone()).collect();
        // The fourth round's values are told with the guests: from the fifth on the islands have heard of each other.
        assert_eq!(*x == expected, k < interval, "round {k}");
    }

    // The guest is the best point that the island before has found, in the place of the worst, if it is better.
    let mut xs: Vec<Vec<f64>> = Vec::new();
    let mut values: Vec<Vec<f64>> = Vec::new();
    let mut own: Vec<_> =
        (0..3).map(|_| method("de", problem.space(), serde_json::json!({ "particles": 6 }))).collect();
    let mut moved = 0;
    for k in 0..rounds {
        let mut told: Vec<(Matrix, Vec<f64>)> = Vec::new();
        for (i, de) in own.iter_mut().enumerate() {
            let mut rng = Rng::new(9).fork(&format!("island{i}"));
            rng.set_iteration(k);
            let mut x = Matrix::default();
            de.ask(&rng, &mut x);
            let f = x.iter().map(|x| problem.value(x)).collect();
            told.push((x, f));
        }
        let (all, fs): (Vec<f64>, Vec<f64>) = (
            told.iter().flat_map(|(x, _)| x.data().to_vec()).collect(),
            told.iter().flat_map(|(_, f)| f.clone()).collect(),
        );
        assert_eq!((&all, &fs), (&together[k as usize].0, &together[k as usize].1), "round {k}");
        xs.push(all);
        values.push(fs);
        if (k + 1) % interval as u64 == 0 {
            let best = |i: usize| {
                let rows = (0..=k as usize).flat_map(|r| (0..6).map(move |p| (r, 6 * i + p)));
                rows.min_by(|a, b| values[a.0][a.1].total_cmp(&values[b.0][b.1])).unwrap()
            };
            let guests: Vec<_> = (0..3).map(|i| best((i + 2) % 3)).collect();
            let hosts: Vec<_> = (0..3).map(best).collect();
            for i in 0..3 {
                let (guest, host) = (guests[i], hosts[i]);
                if values[guest.0][guest.1] < values[host.0][host.1] {
                    let (x, f) = &mut told[i];
                    let worst = (0..6).max_by(|a, b| f[*a].total_cmp(&f[*b])).unwrap();
                    x.row_mut(worst).copy_from_slice(&xs[guest.0][3 * guest.1..3 * guest.1 + 3]);
                    f[worst] = values[guest.0][guest.1];
                    moved += 1;
                }
            }
        }
        own.iter_mut().zip(&mut told).for_each(|(de, (x, f))| de.tell(x, f));
    }
    assert!((1..3).contains(&moved), "{moved} guests");
}

#[test]
fn every_run_of_multistart_walks_as_alone() {
    let problem = problems::entry("rastrigin").unwrap().build::<f64>(2, None).unwrap();
    let mut many = method("multistart", problem.space(), serde_json::json!({ "method": "nelder_mead:edge=0.02" }));
    let seen = walk(&mut *many, &*problem, &Rng::new(3), 800);
    let (mut from, mut runs, mut rng) = (0, 0, Rng::new(3));
    while from < seen.len() {
        let mut alone = method("nelder_mead", problem.space(), serde_json::json!({ "edge": 0.02 }));
        let mut xs = Matrix::default();
        for (k, (x, values)) in seen[from..].iter().enumerate() {
            rng.set_iteration((from + k) as u64);
            alone.ask(&rng.fork(&format!("run{runs}")), &mut xs);
            assert_eq!(xs.data(), &x[..], "round {}", from + k);
            alone.tell(&mut xs, values);
            if alone.stop_reason().is_some() || from + k + 1 == seen.len() {
                from += k + 1;
                break;
            }
        }
        runs += 1;
    }
    assert!(runs > 3, "{runs} runs");
    let best = seen.iter().flat_map(|(_, values)| values).fold(f64::INFINITY, |m, &v| m.min(v));
    assert_eq!(problem.value(&many.answer()), best);
}

#[test]
fn a_swarm_that_gains_nothing_any_more_makes_room_for_a_new_one() {
    let problem = problems::entry("rastrigin").unwrap().build::<f64>(2, None).unwrap();
    let json = serde_json::json!({ "method": "pso:particles=10", "patience": 50 });
    let mut many = method("multistart", problem.space(), json);
    let seen = walk(&mut *many, &*problem, &Rng::new(3), 600);
    // Evaluations of a run since its last gain: a run ends in the round in which these reach 50 for each of 2 variables.
    let (mut rng, mut from, mut ends) = (Rng::new(3), 0, Vec::new());
    while from < seen.len() {
        let mut alone = method("pso", problem.space(), serde_json::json!({ "particles": 10 }));
        let (mut xs, mut best, mut waited) = (Matrix::default(), f64::INFINITY, 0);
        while from < seen.len() && waited < 100 {
            rng.set_iteration(from as u64);
            alone.ask(&rng.fork(&format!("run{}", ends.len())), &mut xs);
            assert_eq!(xs.data(), &seen[from].0[..], "round {from}");
            let values = &seen[from].1;
            alone.tell(&mut xs, values);
            let found = values.iter().fold(f64::INFINITY, |m, &v| m.min(v));
            let gained = found < best * (1.0 - 1e-12);
            (best, waited) = if gained { (found, 0) } else { (best, waited + 10) };
            from += 1;
        }
        ends.push(best);
    }
    assert!(ends.len() > 3, "{ends:?}");
}

#[test]
fn polish_is_the_global_method_then_the_local_one_from_its_best_point() {
    let problem = bowl(4);
    let json = serde_json::json!({ "method": "pso:particles=10", "local": "nelder_mead", "share": 0.5 });
    let entry = registry::entry("polish").unwrap();
    let mut polish = entry.build(problem.space(), Some(400), &settings(json)).unwrap();
    let seen = walk(&mut *polish, &problem, &Rng::new(2), 80);
    let mut pso = method("pso", problem.space(), serde_json::json!({ "particles": 10 }));
    assert_eq!(seen[..20], walk(&mut *pso, &problem, &Rng::new(2), 20)[..]);
    let points = seen[..20].iter().flat_map(|(x, values)| x.chunks(4).zip(values));
    let (best, value) = points.reduce(|a, b| if b.1 < a.1 { b } else { a }).unwrap();
    assert_eq!(seen[20], (best.to_vec(), vec![*value]), "the local search begins at the best point");
    let mut local = method("nelder_mead", problem.space(), serde_json::json!({ "start": { "points": [best] } }));
    assert_eq!(seen[20..], walk(&mut *local, &problem, &Rng::new(2), 60)[..]);
    assert!(polish.explanation().unwrap().contains("nelder_mead improved"));
    let wrong =
        |json: serde_json::Value| entry.build(problem.space(), None, &settings(json)).err().unwrap().to_string();
    assert!(wrong(serde_json::json!({ "method": "psoo" })).contains("did you mean 'pso'"));
    assert!(wrong(serde_json::json!({ "local": "nelder_mead:edge=0" })).contains("edge = 0"));
    assert!(wrong(serde_json::json!({ "local": "nelder_mead:edge" })).contains("NAME:KEY=VALUE"));
}

#[test]
fn polish_keeps_the_minima_of_its_global_method() {
    let problem = problems::entry("himmelblau").unwrap().build::<f64>(2, None).unwrap();
    let entry = registry::entry("polish").unwrap();
    let json = serde_json::json!({ "method": "polar_cbo:particles=100", "share": 0.5, "patience": 100_000 });
    let mut polish = entry.build(problem.space(), Some(40_000), &settings(json)).unwrap();
    let found = Run::new(&*problem, &mut *polish, 3).watch(&mut Evaluations(40_000)).minimize();
    let mut alone = method("polar_cbo", problem.space(), serde_json::json!({ "particles": 100 }));
    walk(&mut *alone, &*problem, &Rng::new(3), 200);
    let solutions = found.solutions.unwrap();
    assert_eq!(solutions, alone.solutions().unwrap());
    assert!(solutions.points.len() >= 3, "{solutions:?}");
    assert!(found.fun < solutions.points[0].value, "{} was not polished", found.fun);
}

#[test]
fn multistart_has_the_minima_of_its_best_run_and_islands_those_of_all() {
    let problem = problems::entry("himmelblau").unwrap().build::<f64>(2, None).unwrap();
    let json = serde_json::json!({ "method": "polar_cbo:particles=50", "patience": 500 });
    let mut many = method("multistart", problem.space(), json);
    let (mut rng, mut xs, mut runs) = (Rng::new(3), Matrix::default(), 0);
    // What the run that holds the best point has found, as that run says itself.
    for round in 0..400 {
        rng.set_iteration(round);
        many.ask(&rng, &mut xs);
        let values: Vec<f64> = xs.iter().map(|x| problem.value(x)).collect();
        many.tell(&mut xs, &values);
        let explanation = many.explanation().unwrap();
        let words: Vec<&str> = explanation.split(' ').collect();
        let (finder, now) = (words[3].parse::<u64>().unwrap(), words[5].parse::<u64>().unwrap());
        runs = now;
        let found = many.solutions().unwrap();
        assert_eq!(found.points.iter().map(|found| found.particles).sum::<usize>(), 50, "round {round}");
        assert!(finder == now || found.points[0].value < 1.0, "round {round}: {found:?}");
    }
    assert!(runs > 2, "{runs} runs");

    let json = serde_json::json!({ "method": "polar_cbo:particles=30", "islands": 3, "interval": 1_000 });
    let mut islands = method("islands", problem.space(), json);
    walk(&mut *islands, &*problem, &Rng::new(7), 100);
    let mut expected = Vec::new();
    for i in 0..3 {
        let mut alone = method("polar_cbo", problem.space(), serde_json::json!({ "particles": 30 }));
        walk(&mut *alone, &*problem, &Rng::new(7).fork(&format!("island{i}")), 100);
        expected.extend(alone.solutions().unwrap().points);
    }
    assert_eq!(islands.solutions().unwrap(), Solutions::minima(expected));
}

#[test]
fn combinators_take_gradients_to_methods_that_use_them() {
    let problem = problems::entry("rosenbrock").unwrap().build::<f64>(4, None).unwrap();
    for text in ["islands", "multistart", "polish"] {
        let json = serde_json::json!({ "method": "diff_de:particles=12" });
        let mut algorithm = method(text, problem.space(), json);
        let mut source = Exact::new(problem.differentiable().unwrap());
        let outcome = Run::new(&*problem, &mut *algorithm, 1)
            .gradients(&mut source, 2.0)
            .watch(&mut Evaluations(3_000))
            .minimize();
        assert!(outcome.ngev > 50, "{text}: {} gradients", outcome.ngev);
        assert_eq!(outcome.cost, outcome.nfev + outcome.ngev, "{text}");
    }
    // An island without neighbours takes the gradients it would take alone.
    let walk = |text: &str, json, rng| {
        let mut algorithm = method(text, problem.space(), json);
        let mut source = Exact::new(problem.differentiable().unwrap());
        let run = Run::new(&*problem, &mut *algorithm, 0).rng(rng).gradients(&mut source, 2.0);
        run.watch(&mut Evaluations(2_000)).minimize()
    };
    let one = walk("islands", serde_json::json!({ "method": "diff_de", "islands": 1 }), Rng::new(5));
    let alone = walk("diff_de", serde_json::json!({}), Rng::new(5).fork("island0"));
    assert_eq!((one.x, one.ngev), (alone.x, alone.ngev));
}

// auto -----------------------------------------------------------------------------------------------------------------

fn auto(problem: &dyn Problem, json: serde_json::Value, budget: u64, seed: u64) -> (Outcome, Vec<f64>) {
    let mut algorithm = method("auto", problem.space(), json);
    let mut end = Evaluations(budget);
    let outcome = Run::new(problem, &mut *algorithm, seed).watch(&mut end).minimize();
    let view = algorithm.view();
    let spent = ["start", "descent", "probe", "coordinates", "sample", "dive"].map(|lane| view.number(lane).unwrap());
    (outcome, spent.to_vec())
}

#[test]
fn auto_begins_as_its_first_lane_and_is_never_worse() {
    for name in ["rosenbrock", "ackley", "rastrigin", "bbob/f10"] {
        let problem = problems::entry(name).unwrap().build::<f64>(6, None).unwrap();
        let middle: Vec<f64> =
            problem.space().lower().iter().zip(problem.space().upper()).map(|(a, b)| 0.5 * (a + b)).collect();
        let start = serde_json::to_value(Start::Points(vec![middle.iter().map(|t| t + 0.3).collect()])).unwrap();
        let given = serde_json::json!({ "start": start });
        let mut first = method("quasi_newton", problem.space(), given.clone());
        let alone = walk(&mut *first, &*problem, &Rng::new(0), 6);
        let begin = walk(&mut *method("auto", problem.space(), given.clone()), &*problem, &Rng::new(0), 6);
        assert_eq!(alone, begin, "{name}");
        for budget in [50, 400, 3_000] {
            let mut descent = method("quasi_newton", problem.space(), given.clone());
            let alone = Run::new(&*problem, &mut *descent, 0).watch(&mut Evaluations(budget)).minimize();
            // The probe is all that the first descent has to wait for.
            let probe = 2 * 3 + 1;
            let (outcome, _) = auto(&*problem, given.clone(), alone.nfev + probe, 0);
            let separable = outcome.explanation.as_ref().unwrap().contains("is separable");
            // What is less than 1e-14 of the fall of values does not matter to it.
            let begin = problem.value(&middle.iter().map(|t| t + 0.3).collect::<Vec<_>>());
            let enough = alone.fun + 1e-14 * (begin - alone.fun).max(1e3);
            assert!(separable || outcome.fun <= enough, "{name}, {budget}: {} against {}", outcome.fun, alone.fun);
        }
    }
}

#[test]
fn auto_sees_what_is_separable() {
    for (name, separable) in [
        ("sphere", true),
        ("rastrigin", true),
        ("rosenbrock", false),
        ("ackley", false),
        ("bbob/f3", true),
        ("bbob/f15", false),
    ] {
        let problem = problems::entry(name).unwrap().build::<f64>(7, None).unwrap();
        let start = serde_json::json!({ "start": { "points": [vec![0.7; 7]] }, "explored": 1.0 });
        let (outcome, spent) = auto(&*problem, start, 5_000, 1);
        let account = outcome.explanation.unwrap();
        assert_eq!(account.contains("the function is separable"), separable, "{name}: {account}");
        assert_eq!(spent[3] > 0.0, separable, "{name}: {account}");
    }
}

#[test]
fn auto_says_who_found_the_answer_when_and_why_its_run_ended() {
    let problem = problems::entry("bbob/f8").unwrap().build::<f64>(4, None).unwrap();
    let mut best = (f64::INFINITY, 0, 0);
    let mut algorithm = method("auto", problem.space(), serde_json::json!({}));
    let seen = walk(&mut *algorithm, &*problem, &Rng::new(5), 400);
    let mut count = 0;
    for (_, values) in &seen {
        for &value in values {
            count += 1;
            best = if value < best.0 { (value, count, 0) } else { best };
        }
    }
    let account = algorithm.explanation().unwrap();
    assert!(account.contains(&format!("at evaluation {} of {count};", best.1)), "{account}");
    assert!(account.starts_with("found by 'descent' (run 1: "), "{account}");
    assert!(account.contains("converged to the precision of the values"), "{account}");
    assert_eq!(problem.value(&algorithm.answer()), best.0);
}

#[test]
fn auto_spends_evaluations_on_all_lanes_that_are_open() {
    let problem = problems::entry("bbob/f21").unwrap().build::<f64>(5, None).unwrap();
    let (_, spent) = auto(&*problem, serde_json::json!({}), 20_000, 2);
    let (descents, samples) = (spent[1], spent[4] + spent[5]);
    assert!(spent.iter().sum::<f64>() > 19_000.0 && descents >= 2_000.0 && samples >= 5_000.0, "{spent:?}");
}

#[test]
fn auto_fills_a_round_for_the_workers_there_are() {
    let problem = problems::entry("bbob/f21").unwrap().build::<f64>(5, None).unwrap();
    let rows = |workers: usize| {
        let mut algorithm = method("auto", problem.space(), serde_json::json!({ "workers": workers }));
        let seen = walk(&mut *algorithm, &*problem, &Rng::new(6), 300);
        let rows: Vec<usize> = seen.iter().map(|(_, values)| values.len()).collect();
        (rows.iter().all(|rows| rows % workers == 0), rows.iter().sum::<usize>() as f64 / rows.len() as f64)
    };
    for workers in [1, 3, 4, 16, 32, 100] {
        let (whole, mean) = rows(workers);
        assert!(whole && mean < 2.0 * workers as f64 + 40.0, "{workers}: {mean}");
    }
    // Rounds are dearer than points where evaluations are parallel: with eight workers it must need fewer of them.
    let rounds = |workers: usize| {
        let mut total = 0;
        // One seed says little: a single lucky descent decides.
        for (name, seed) in ["bbob/f21", "bbob/f22"].into_iter().flat_map(|name| (0..20).map(move |seed| (name, seed)))
        {
            let problem = problems::entry(name).unwrap().build::<f64>(5, None).unwrap();
            let mut algorithm = method("auto", problem.space(), serde_json::json!({ "workers": workers }));
            let (mut rng, mut xs) = (Rng::new(seed), Matrix::default());
            for round in 0..6_000 {
                rng.set_iteration(round);
                algorithm.ask(&rng, &mut xs);
                let values: Vec<f64> = xs.iter().map(|x| problem.value(x)).collect();
                algorithm.tell(&mut xs, &values);
                total += 1;
                if problem.value(&algorithm.answer()) < problem.minimum().unwrap() + 1e-6 {
                    break;
                }
            }
        }
        total
    };
    let (one, eight) = (rounds(1), rounds(8));
    assert!(eight < one, "{eight} rounds with eight workers, {one} with one");
}

#[test]
fn auto_ends_where_nothing_can_move_or_is_expected() {
    let point = Function::new(Space::new(vec![2.0, 3.0], vec![2.0, 3.0]).unwrap(), |x: &[f64]| x[0] + x[1]);
    let (outcome, _) = auto(&point, serde_json::json!({}), 100, 0);
    assert_eq!((outcome.fun, outcome.nfev), (5.0, 1));
    assert_eq!(outcome.reason, Reason::Method("no variable can move".into()));
    // One variable that can move among others that cannot; no finite value at first; a function without a slope.
    let space = Space::new(vec![2.0, -5.0, 1.0], vec![2.0, 5.0, 1.0]).unwrap();
    let line = Function::new(space.clone(), |x: &[f64]| (x[1] - 0.3).powi(2));
    assert!(auto(&line, serde_json::json!({}), 200, 0).0.fun < 1e-12);
    let island = Function::new(Space::cube(2, -5.0, 5.0).unwrap(), |x: &[f64]| {
        if (x[0] - 3.0).abs() < 1.0 && (x[1] + 2.0).abs() < 1.0 {
            (x[0] - 3.1).powi(2) + (x[1] + 1.9).powi(2)
        } else {
            f64::NAN
        }
    });
    assert!(auto(&island, serde_json::json!({}), 2_000, 0).0.fun < 1e-8);
    let plateau = Function::new(space, |_: &[f64]| 1.0);
    assert_eq!(auto(&plateau, serde_json::json!({ "explored": 1.0 }), 700, 0).0.nfev, 700);
    let ended = auto(&plateau, serde_json::json!({}), 5_000, 0).0;
    assert!(
        ended.nfev < 5_000 && ended.reason.to_string().contains("came to 1 different values"),
        "{:?}",
        ended.reason
    );
}
