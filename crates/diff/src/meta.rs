//! Learning schedules: a method's numbers over the course of a run, on a family of problems.
//!
//! ```text
//! loss     log10 max(best - minimum, 1e-12) / deviation of it over runs with the numbers that the method begins with
//! slope    persistent evolution strategies ([`crate::unroll`]) over the raw numbers at the knots, mirrored pairs of runs on
//!          problems drawn anew; the gains of a window as they are, or only which run of a pair was better
//! step     Adam on slope / |slope|, the rate falling to 0 as a cosine
//! answer   the mean of the second half of the steps
//! ```
//!
//! In units of its deviation every problem counts the same, whatever its scale. The gain is measured on problems that were not
//! seen, drawn anew from the same family.

use crate::learn::Learnable;
use crate::method::{Steered, Subject};
use crate::registry::subject;
use crate::schedule::{Learned, Schedule};
use crate::unroll::{Inner, Persistent, persistent};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_core::{Error, Matrix, Problem, Result, Rng, math};

/// Runs of every member from which a deviation or a gain is taken.
const LOOKS: usize = 24;

/// A problem to run a method on.
pub struct Drawn {
    /// The problem.
    pub problem: Box<dyn Problem>,
    /// Its smallest value.
    pub minimum: f64,
    /// Evaluations of the run.
    pub budget: u64,
}

/// Problems to learn on.
pub trait Family: Sync {
    /// What its members are called.
    fn names(&self) -> Vec<String>;

    /// A problem of that member, drawn by `rng`.
    fn draw(&self, member: usize, rng: &Rng) -> Result<Drawn>;
}

/// How a schedule is learned.
#[derive(Debug, Clone)]
pub struct Learning {
    /// The method's parameters.
    pub settings: Settings,
    /// Which of its numbers; none for all that have bounds.
    pub numbers: Vec<String>,
    /// Knots, spread evenly over the run; 1 for constant numbers.
    pub knots: usize,
    /// Steps.
    pub steps: usize,
    /// Mirrored pairs of runs a step, of every member of the family.
    pub pairs: usize,
    /// Deviation of the perturbations of raw numbers.
    pub sigma: f64,
    /// Learning rate of Adam on raw numbers.
    pub rate: f64,
    /// Windows of a run; 1 for whole runs.
    pub windows: u64,
    /// The seed.
    pub seed: u64,
    /// Threads, 0 for one a core; the numbers do not depend on it.
    pub threads: usize,
    /// Where an earlier learning with the same settings was broken off.
    pub from: Option<LearningState>,
}

impl Default for Learning {
    fn default() -> Self {
        Learning {
            settings: Settings::new(),
            numbers: Vec::new(),
            knots: 5,
            steps: 60,
            pairs: 8,
            sigma: 0.2,
            rate: 0.1,
            windows: 1,
            seed: 0,
            threads: 1,
            from: None,
        }
    }
}

/// Where the learning is after a step: what it needs to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningState {
    /// Deviations between runs of each member of the family.
    scales: Vec<f64>,
    steps: usize,
    runs: u64,
    raw: Vec<f64>,
    adam: Adam,
    /// Mean of the second half of the steps, and how many there are in it.
    mean: Vec<f64>,
    meant: f64,
}

/// What a watcher of the learning sees after a step.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Steps so far.
    pub step: usize,
    /// What the learning needs to go on from here.
    pub state: &'a LearningState,
    /// The numbers at the knots: those of the first name, then of the next one.
    pub numbers: &'a [f64],
}

/// What was learned.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// The schedule.
    pub schedule: Schedule,
    /// Mean gain over the numbers that the method began with, in deviations between runs, on problems that were not seen.
    pub gain: f64,
}

/// One member of the family as a computation under raw numbers.
struct Course<'a> {
    subject: &'static Subject,
    family: &'a dyn Family,
    member: usize,
    /// With the schedule to begin with.
    settings: &'a Settings,
    scale: f64,
}

/// A run.
struct Runner {
    problem: Box<dyn Problem>,
    minimum: f64,
    method: Box<dyn Steered>,
    rng: Rng,
    xs: Matrix<f64>,
    values: Vec<f64>,
    best: f64,
    left: u64,
    rounds: u64,
}

impl Runner {
    /// One round, as far as the budget goes.
    fn round(&mut self) {
        if self.left == 0 {
            return;
        }
        self.rng.set_iteration(self.rounds);
        self.method.ask(&self.rng, &mut self.xs);
        let affordable = (self.xs.len() as u64).min(self.left) as usize;
        self.values.clear();
        self.values.resize(self.xs.len(), f64::INFINITY);
        self.problem.values(self.xs.rows().slice(0, affordable), &mut self.values[..affordable]);
        self.best = self.values[..affordable].iter().copied().fold(self.best, f64::min);
        self.left = if self.xs.is_empty() { 0 } else { self.left - affordable as u64 };
        self.rounds += 1;
        if self.left > 0 {
            self.method.tell(&mut self.xs, &self.values);
        }
    }
}

impl Course<'_> {
    fn runner(&self, rng: &Rng) -> Result<Runner> {
        let Drawn { problem, minimum, budget } = self.family.draw(self.member, &rng.fork("problem"))?;
        let method = self.subject.build(problem.space(), Some(budget), self.settings)?;
        let (xs, values) = (Matrix::default(), Vec::new());
        let (rng, best, left, rounds) = (rng.fork("method"), f64::INFINITY, budget, 0);
        let mut runner = Runner { problem, minimum, method, rng, xs, values, best, left, rounds };
        runner.round();
        Ok(runner)
    }

    /// The loss of a whole run.
    fn whole(&self, raw: Option<&[f64]>, rng: &Rng) -> Result<f64> {
        let mut runner = self.runner(rng)?;
        raw.into_iter().for_each(|raw| runner.method.steer(raw));
        while runner.left > 0 {
            runner.round();
        }
        Ok(self.loss(&Some(runner)))
    }

    /// Rounds of a run after the first points.
    fn horizon(&self) -> Result<u64> {
        let runner = self.runner(&Rng::new(0))?;
        Ok(runner.left.div_ceil(runner.values.len().max(1) as u64))
    }
}

impl Inner for Course<'_> {
    // None where the problem cannot be built, which the first look at the family has ruled out.
    type State = Option<Runner>;

    fn begin(&self, rng: &Rng) -> Self::State {
        self.runner(rng).ok()
    }

    fn advance(&self, state: &mut Self::State, theta: &[f64]) {
        if let Some(runner) = state {
            runner.method.steer(theta);
            runner.round();
        }
    }

    fn loss(&self, state: &Self::State) -> f64 {
        let gap = |runner: &Runner| math::log10((runner.best - runner.minimum).max(1e-12)) / self.scale;
        state.as_ref().map_or(f64::NAN, gap)
    }
}

/// Learns a schedule for a method. `watch` sees every step and may end the learning, which then answers as far as it came.
/// The same seed gives the same bits on any number of threads.
pub fn learn(
    method: &str,
    family: &dyn Family,
    how: &Learning,
    mut watch: impl FnMut(Look<'_>) -> ControlFlow<()>,
) -> Result<Lesson> {
    let subject = subject(method)?;
    let names = family.names();
    for (name, value) in [("knots", how.knots), ("pairs", how.pairs), ("problems", names.len())] {
        if value == 0 {
            return Err(Error::parameter(name, value, "must be at least 1"));
        }
    }
    for (name, value) in [("sigma", how.sigma), ("rate", how.rate)] {
        if !(value > 0.0 && value.is_finite()) {
            return Err(Error::parameter(name, value, "must be positive"));
        }
    }
    let rng = Rng::new(how.seed);
    let mut settings = how.settings.clone();
    settings.insert("mode".into(), "classical".into());
    let first = begin(subject, family, how, &settings, &rng)?;
    let chosen: Vec<&Learnable> =
        first.numbers.keys().filter_map(|name| subject.learnables.iter().find(|l| l.name == name)).collect();
    settings.insert("schedule".into(), json(&first)?);

    let mut courses: Vec<Course<'_>> =
        (0..names.len()).map(|member| Course { subject, family, member, settings: &settings, scale: 1.0 }).collect();
    let mut state = match &how.from {
        Some(from) => from.clone(),
        None => {
            let raw: Vec<f64> =
                first.numbers.values().zip(&chosen).flat_map(|(values, l)| values.iter().map(|&v| l.raw(v))).collect();
            let (scales, mean) = (deviations(&courses, &rng, how.threads)?, vec![0.0; raw.len()]);
            LearningState { scales, steps: 0, runs: 0, raw, adam: Adam::default(), mean, meant: 0.0 }
        }
    };
    let length = chosen.len() * how.knots;
    if state.scales.len() != courses.len() || [state.raw.len(), state.mean.len()] != [length; 2] {
        return Err(Error::Saved(format!("the learning of {method}: it is that of other numbers or problems")));
    }
    courses.iter_mut().zip(&state.scales).for_each(|(course, scale)| course.scale = *scale);
    let horizons: Vec<u64> = courses.iter().map(Course::horizon).collect::<Result<_>>()?;

    let bounds: Vec<[f64; 2]> =
        chosen.iter().flat_map(|l| std::iter::repeat_n(l.bounds.map(|b| l.raw(b)), how.knots)).collect();
    for step in state.steps..how.steps {
        let slope = slope(&courses, &horizons, &state.raw, how, &rng.fork("step").fork(&step.to_string()));
        let LearningState { runs, raw, adam, mean, meant, .. } = &mut state;
        *runs += 2 * (how.pairs * courses.len()) as u64;
        let share = step as f64 / how.steps as f64;
        adam.step(raw, &slope, how.rate * 0.5 * (1.0 + math::cos(std::f64::consts::PI * share)));
        raw.iter_mut().zip(&bounds).for_each(|(raw, [low, high])| *raw = raw.clamp(*low, *high));
        if 2 * (step + 1) > how.steps {
            *meant += 1.0;
            mean.iter_mut().zip(raw.iter()).for_each(|(m, r)| *m += (r - *m) / *meant);
        }
        let numbers: Vec<f64> = raw.iter().enumerate().map(|(k, &r)| chosen[k / how.knots].value(r)).collect();
        state.steps = step + 1;
        if watch(Look { step: state.steps, state: &state, numbers: &numbers }).is_break() {
            break;
        }
    }
    let LearningState { steps, runs, raw, mean, meant, .. } = state;
    let answer = if meant > 0.0 { mean } else { raw };
    let fresh = rng.fork("judge");
    let [before, after] = [None, Some(&answer[..])].map(|raw| losses(&courses, raw, LOOKS, &fresh, how.threads));
    let (before, after) = (before?, after?);
    let gain = before.iter().zip(&after).map(|(b, a)| b - a).sum::<f64>() / before.len() as f64;
    let mut schedule = first;
    for ((values, learnable), raw) in schedule.numbers.values_mut().zip(&chosen).zip(answer.chunks_exact(how.knots)) {
        values.iter_mut().zip(raw).for_each(|(value, &raw)| *value = learnable.value(raw));
    }
    schedule.learned = Some(Learned { problems: names, settings: how.settings.clone(), steps, runs, seed: how.seed });
    Ok(Lesson { schedule, gain })
}

fn json(schedule: &Schedule) -> Result<serde_json::Value> {
    serde_json::to_value(schedule).map_err(|why| Error::parameter("schedule", &schedule.method, why.to_string()))
}

/// The method's own numbers as a schedule.
fn begin(subject: &Subject, family: &dyn Family, how: &Learning, settings: &Settings, rng: &Rng) -> Result<Schedule> {
    let drawn = family.draw(0, rng)?;
    let numbers = subject.build(drawn.problem.space(), Some(drawn.budget), settings)?.numbers();
    let learnables = &subject.learnables[..numbers.len()];
    let known = |name: &str| learnables.iter().position(|l| l.name == name);
    let chosen: Vec<usize> = match &how.numbers[..] {
        [] => (0..numbers.len()).filter(|&k| subject.learnables[k].bounds[1] < f64::MAX).collect(),
        names => names
            .iter()
            .map(|name| {
                let all = learnables.iter().map(|l| l.name);
                known(name).ok_or_else(|| Error::unknown(&format!("number of {}", subject.name), name, all))
            })
            .collect::<Result<_>>()?,
    };
    let knots = match how.knots {
        1 => vec![0.0],
        knots => (0..knots).map(|k| k as f64 / (knots - 1) as f64).collect(),
    };
    let course = |&k: &usize| {
        let learnable = &subject.learnables[k];
        let [low, high] = learnable.bounds;
        (learnable.name.to_owned(), vec![numbers[k].clamp(low, high); how.knots])
    };
    let numbers: BTreeMap<_, _> = chosen.iter().map(course).collect();
    Ok(Schedule { method: subject.name.into(), knots, numbers, learned: None })
}

/// Every member's deviation over runs as they begin.
fn deviations(courses: &[Course<'_>], rng: &Rng, threads: usize) -> Result<Vec<f64>> {
    let before = losses(courses, None, LOOKS, &rng.fork("before"), threads)?;
    let deviation = |losses: &[f64]| {
        let mean = losses.iter().sum::<f64>() / LOOKS as f64;
        let deviation = (losses.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (LOOKS - 1) as f64).sqrt();
        deviation.max(0.01)
    };
    Ok(before.chunks_exact(LOOKS).map(deviation).collect())
}

/// Losses of whole runs, member by member.
fn losses(courses: &[Course<'_>], raw: Option<&[f64]>, looks: usize, rng: &Rng, threads: usize) -> Result<Vec<f64>> {
    let one = |job: usize| courses[job / looks].whole(raw, &rng.fork(&job.to_string()));
    each(courses.len() * looks, threads, one).into_iter().collect()
}

/// The mean slope over members and pairs.
fn slope(courses: &[Course<'_>], horizons: &[u64], raw: &[f64], how: &Learning, rng: &Rng) -> Vec<f64> {
    let one = |job: usize| {
        let course = job / how.pairs;
        let horizon = horizons[course];
        let window = horizon.div_ceil(how.windows.max(1));
        let how = Persistent { sigma: how.sigma, pairs: 1, window, horizon, persistent: true };
        persistent(&courses[course], raw, how, &rng.fork(&job.to_string()))
    };
    let slopes: Vec<Vec<f64>> = each(courses.len() * how.pairs, how.threads, one);
    let mut sum = vec![0.0; raw.len()];
    slopes.iter().for_each(|slope| sum.iter_mut().zip(slope).for_each(|(s, g)| *s += g / slopes.len() as f64));
    sum
}

/// What jobs give, in their order, whoever did them.
fn each<R: Send>(jobs: usize, threads: usize, compute: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let threads = if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads };
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = || Some(next.fetch_add(1, Relaxed)).filter(|job| *job < jobs);
        std::iter::from_fn(mine).map(|job| (job, compute(job))).collect::<Vec<_>>()
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(jobs)).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        others.into_iter().for_each(|thread| match thread.join() {
            Ok(part) => done.extend(part),
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done
    });
    done.sort_unstable_by_key(|(job, _)| *job);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Adam on slopes of any length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Adam {
    steps: i32,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Adam {
    fn step(&mut self, x: &mut [f64], slope: &[f64], rate: f64) {
        let norm = slope.iter().map(|g| g * g).sum::<f64>().sqrt();
        if norm == 0.0 || !norm.is_finite() {
            return;
        }
        self.first.resize(x.len(), 0.0);
        self.second.resize(x.len(), 0.0);
        self.steps += 1;
        let (b1, b2) = (0.9, 0.99);
        for (k, x) in x.iter_mut().enumerate() {
            let g = slope[k] / norm;
            self.first[k] = b1 * self.first[k] + (1.0 - b1) * g;
            self.second[k] = b2 * self.second[k] + (1.0 - b2) * g * g;
            let first = self.first[k] / (1.0 - f64::powi(b1, self.steps));
            let second = self.second[k] / (1.0 - f64::powi(b2, self.steps));
            *x -= rate * first / (second.sqrt() + 1e-8);
        }
    }
}
