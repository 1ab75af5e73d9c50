//! A method of the user's own, registered by name: what the library's methods can do with it, and that a method that wraps it
//! loses nothing of what it can do.

use serde::{Deserialize, Serialize};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use swarmgrad::algorithms::parameters;
use swarmgrad::registry::{self, Entry, Method, Settings};
use swarmgrad::testing::violations;
use swarmgrad::{
    Algorithm, Checkpoint, Evaluations, Found, Function, Iterations, Matrix, Problem, Real, Reason, Result, Rng, Run,
    Solutions, Space, Start, View, save_state,
};

parameters! {
    /// Parameters of [`Able`].
    pub struct Params {
        /// Points a round.
        particles "n": usize = 6, AtLeast(1.0);
        /// Rounds before it ends by itself.
        rounds "": usize = 1_000_000, AtLeast(1.0);
        /// Share of the box in which points of the next round lie around the best.
        reach "": f64 = 0.1, Above(0.0);
        /// Whether it breaks laws: a counter of its own moves the points, also out of the box.
        rude "": bool = false, Flag;
    }
}

/// Points around the best one. It can do all that a method may, and shows what it was told.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Able<F: Real> {
    params: Params,
    space: Space<F>,
    start: Start,
    best: Vec<F>,
    value: F,
    rounds: u64,
    expected: bool,
    gradients: u64,
    spent: u64,
}

impl<F: Real> Method<F> for Able<F> {
    const NAME: &'static str = "able";
    type Params = Params;

    fn new(space: &Space<F>, start: Start, _budget: Option<u64>, params: Params) -> Result<Self> {
        parameters::Parameters::check(&params)?;
        start.check(space)?;
        let (space, best, value) = (space.clone(), Vec::new(), F::infinity());
        Ok(Able { params, space, start, best, value, rounds: 0, expected: false, gradients: 0, spent: 0 })
    }
}

impl<F: Real> Algorithm<F> for Able<F> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        if self.rounds == 0 {
            return self.start.fill(&self.space, rng, self.params.particles, xs);
        }
        xs.resize(if self.rounds < self.params.rounds as u64 { self.params.particles } else { 0 }, self.space.dim());
        for (i, x) in xs.iter_mut().enumerate() {
            rng.row(i).fill_uniform(x);
            for (j, t) in x.iter_mut().enumerate() {
                let (lower, upper) = (self.space.lower()[j], self.space.upper()[j]);
                let width = if (upper - lower).is_finite() { upper - lower } else { F::one() };
                let width = F::of(self.params.reach) * width;
                *t = (self.best[j] + width * (*t - F::of(0.5))).max(lower).min(upper);
            }
        }
        if self.params.rude && !xs.is_empty() {
            static COUNT: AtomicU64 = AtomicU64::new(0);
            let x = &mut xs.row_mut(0)[0];
            *x += F::of(COUNT.fetch_add(1, Ordering::Relaxed) as f64);
        }
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        self.rounds += 1;
        for (x, &value) in xs.iter().zip(values) {
            if value < self.value || self.best.is_empty() {
                (self.best, self.value) = (x.to_vec(), value);
            }
        }
    }

    fn answer(&self) -> Vec<F> {
        self.best.clone()
    }

    fn iterations(&self) -> u64 {
        self.rounds.saturating_sub(1)
    }

    fn view(&self) -> View<'_, F> {
        View::default()
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        save_state("able", self, out)
    }

    fn stop_reason(&self) -> Option<Reason> {
        (self.rounds >= self.params.rounds as u64).then(|| Reason::Method("able has done its rounds".into()))
    }

    fn solutions(&self) -> Option<Solutions<F>> {
        (self.rounds > 0).then(|| {
            Solutions::minima(vec![Found { x: self.best.clone(), value: self.value, parts: Vec::new(), particles: 1 }])
        })
    }

    fn explanation(&self) -> Option<String> {
        Some(format!("able has heard of {} gradients and {} spent", self.gradients, self.spent))
    }

    fn expect_gradients(&mut self) -> bool {
        self.expected = true;
        true
    }

    fn gradient_rows(&self) -> &[usize] {
        if self.expected { &[0, 2] } else { &[] }
    }

    fn tell_gradients(&mut self, gradients: &Matrix<F>) {
        assert_eq!(gradients.len(), 2);
        self.gradients += 2;
    }

    fn set_spent(&mut self, cost: u64) {
        self.spent = cost;
    }
}

/// The method under a name that it cannot have.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Renamed<F: Real, const K: usize>(Able<F>);

impl<F: Real, const K: usize> Method<F> for Renamed<F, K> {
    const NAME: &'static str = ["islands", "a:b"][K];
    type Params = Params;

    fn new(space: &Space<F>, start: Start, budget: Option<u64>, params: Params) -> Result<Self> {
        Able::new(space, start, budget, params).map(Renamed)
    }
}

impl<F: Real, const K: usize> Algorithm<F> for Renamed<F, K> {
    fn ask(&mut self, rng: &Rng, xs: &mut Matrix<F>) {
        self.0.ask(rng, xs);
    }

    fn tell(&mut self, xs: &mut Matrix<F>, values: &[F]) {
        self.0.tell(xs, values);
    }

    fn answer(&self) -> Vec<F> {
        self.0.answer()
    }

    fn iterations(&self) -> u64 {
        self.0.iterations()
    }

    fn view(&self) -> View<'_, F> {
        self.0.view()
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<()> {
        self.0.save(out)
    }
}

/// Tests share a process.
fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        registry::register(Entry::of::<Able<f32>, Able<f64>>("points around the best", "a test", &[])).unwrap();
    });
}

fn settings(json: serde_json::Value) -> Settings {
    json.as_object().unwrap().clone()
}

fn bowl() -> Function<f64, impl Fn(&[f64]) -> f64 + Sync> {
    Function::new(Space::cube(3, -5.0, 5.0).unwrap(), |x: &[f64]| x.iter().map(|t| (t - 1.0) * (t - 1.0)).sum())
}

/// The wrappers around the method, with what a round of the whole spends on each copy of it.
fn wrappers() -> [(&'static str, Settings, u64); 5] {
    register();
    let able = "able:particles=6";
    [
        ("able", settings(serde_json::json!({ "particles": 6 })), 1),
        ("multistart", settings(serde_json::json!({ "method": able })), 1),
        ("polish", settings(serde_json::json!({ "method": able, "local": able })), 1),
        ("islands", settings(serde_json::json!({ "method": able, "islands": 2 })), 2),
        // A wrapper in a wrapper.
        ("islands", settings(serde_json::json!({ "method": "multistart:method=able", "islands": 3 })), 3),
    ]
}

/// Rounds with gradients, driven by hand; a gradient costs half an evaluation.
fn drive<A: Algorithm>(mut algorithm: A, rounds: u64) -> (Option<Solutions>, Option<String>, u64, u64) {
    let (problem, mut rng, mut xs) = (bowl(), Rng::new(3), Matrix::default());
    let (mut evaluations, mut gradients) = (0, 0);
    assert!(algorithm.expect_gradients());
    for round in 0..rounds {
        rng.set_iteration(round);
        algorithm.set_spent(evaluations + gradients / 2);
        algorithm.ask(&rng, &mut xs);
        let rows = algorithm.gradient_rows();
        assert!(!rows.is_empty() && rows.iter().all(|&row| row < xs.len()) && rows.is_sorted());
        let slopes = Matrix::zeros(rows.len(), 3);
        gradients += rows.len() as u64;
        algorithm.tell_gradients(&slopes);
        let values: Vec<f64> = xs.iter().map(|x| problem.value(x)).collect();
        evaluations += values.len() as u64;
        algorithm.tell(&mut xs, &values);
    }
    (algorithm.solutions(), algorithm.explanation(), evaluations, gradients)
}

#[test]
fn wrappers_lose_nothing() {
    for (name, settings, copies) in wrappers() {
        let build = || registry::entry(name).unwrap().build(bowl().space(), None, &settings).unwrap();
        let (solutions, explanation, evaluations, gradients) = drive(build(), 10);
        // Nine rounds are spent when the tenth begins.
        let spent = 9 * (6 + 1);
        let heard = format!("able has heard of 20 gradients and {spent} spent");
        assert!(explanation.as_ref().unwrap().contains(&heard), "{name}: {explanation:?}");
        assert_eq!((evaluations, gradients), (60 * copies, 20 * copies), "{name}");
        assert_eq!(solutions.as_ref().unwrap().points.len() as u64, copies, "{name}");
        // Behind a pointer it is the same method.
        let mut boxed = build();
        assert_eq!(drive(&mut *boxed as &mut dyn Algorithm, 10), (solutions, explanation, evaluations, gradients));
    }
}

#[test]
fn a_method_of_the_users_own_is_held_against_the_laws() {
    register();
    let entry = registry::entry("able").unwrap();
    assert_eq!(violations(entry, &Settings::new()), []);
    let broken = violations(entry, &settings(serde_json::json!({ "rude": true })));
    let laws: Vec<&str> = broken.iter().map(|violation| violation.law).collect();
    for law in ["the same seed gives the same run", "points stay inside the space", "extreme values"] {
        assert!(laws.iter().any(|broken| broken.starts_with(law)), "{law}: {broken:?}");
    }
}

#[test]
fn the_end_of_a_run_of_the_method_is_seen() {
    register();
    let budget = 3_000;
    let run = |name: &str, json| {
        let problem = bowl();
        let mut algorithm = registry::entry(name).unwrap().build(problem.space(), None, &settings(json)).unwrap();
        Run::new(&problem, &mut *algorithm, 5).watch(&mut Evaluations(budget)).minimize()
    };
    let once = run("able", serde_json::json!({ "rounds": 20 }));
    assert_eq!((once.nfev, once.reason), (120, Reason::Method("able has done its rounds".into())));
    // 25 runs of 20 rounds.
    let many = run("multistart", serde_json::json!({ "method": "able:rounds=20" }));
    assert!(many.nfev == budget && many.explanation.unwrap().contains("of 25: able has heard"));
    let polished = run("polish", serde_json::json!({ "method": "able:rounds=20" }));
    assert!(polished.fun < 1e-12 && polished.fun < once.fun, "{}", polished.fun);
    assert_eq!(polished.solutions.unwrap().points[0].value, once.fun);
    let islands = run("islands", serde_json::json!({ "method": "able:rounds=20", "interval": 5 }));
    assert_eq!((islands.nfev, islands.reason), (480, Reason::Method("able has done its rounds".into())));
    assert!(islands.fun < once.fun);
}

#[test]
fn saved_and_loaded_it_continues_to_the_same_bits() {
    for (name, settings, _) in wrappers() {
        let (problem, entry) = (bowl(), registry::entry(name).unwrap());
        let fresh = || entry.build(problem.space(), Some(1_000), &settings).unwrap();
        let mut whole = fresh();
        let expected = Run::new(&problem, &mut *whole, 7).watch(&mut Iterations(40)).minimize();
        let mut first = fresh();
        let mut run = Run::new(&problem, &mut *first, 7);
        (0..15).for_each(|_| assert!(run.step().is_continue()));
        let path = std::env::temp_dir().join(format!("swarmgrad-able-{name}-{}.checkpoint", std::process::id()));
        run.checkpoint(name, "").unwrap().write(&path).unwrap();
        let checkpoint = Checkpoint::<f64>::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut second = entry.load(&checkpoint.algorithm).unwrap();
        let outcome = Run::new(&problem, &mut *second, 7).watch(&mut Iterations(40)).resume(checkpoint).minimize();
        assert_eq!((outcome.x, outcome.nfev, outcome.explanation), (expected.x, expected.nfev, expected.explanation));
        let [mut a, mut b] = [Vec::new(), Vec::new()];
        whole.save(&mut a).unwrap();
        second.save(&mut b).unwrap();
        assert!(a == b, "{name}: the states differ");
        let space = Space::<f32>::cube(2, 0.0, 1.0).unwrap();
        assert!(entry.build(&space, None, &settings).is_ok(), "{name} in single precision");
    }
}

#[test]
fn names_are_checked() {
    register();
    let refused = |entry: Entry| registry::register(entry).unwrap_err().to_string();
    let again = Entry::of::<Able<f32>, Able<f64>>("points around the best", "a test", &[]);
    assert_eq!(refused(again), "name = able: must not be the name of another method");
    let taken = Entry::of::<Renamed<f32, 0>, Renamed<f64, 0>>("a name of the library", "a test", &[]);
    assert_eq!(refused(taken), "name = islands: must not be the name of another method");
    let no_word = Entry::of::<Renamed<f32, 1>, Renamed<f64, 1>>("no word", "a test", &[]);
    assert_eq!(refused(no_word), "name = 'a:b': must be of letters, digits and _");
    assert_eq!(registry::entries().filter(|entry| entry.name == "able").count(), 1);
    let wrong = registry::parse("able:partikles=3").unwrap();
    let error = wrong.0.build(bowl().space(), None, &wrong.1).err().unwrap().to_string();
    assert!(error.contains("did you mean 'particles'?"), "{error}");
    let error = registry::entry("abel").unwrap_err().to_string();
    assert!(error.contains("did you mean 'able'?"), "{error}");
    let nested = settings(serde_json::json!({ "method": "able:reach=0" }));
    let error = registry::entry("islands").unwrap().build(bowl().space(), None, &nested).err().unwrap().to_string();
    assert!(error.contains("reach = 0: must be > 0"), "{error}");
}
