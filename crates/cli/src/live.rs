//! The progress line of a run on a terminal.

use crate::output::{grouped, short, span};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use swarmgrad::{Progress, Told, Watch};

/// What a run has reached after its last complete round.
#[derive(Debug, Clone, Copy)]
pub struct Reached {
    /// Rounds of ask and tell.
    pub rounds: u64,
    /// Iterations of the method.
    pub iterations: u64,
    /// Evaluations.
    pub evaluations: u64,
    /// Failed ones among them.
    pub failures: u64,
    /// Best value, as the run sees it: to be minimised; +inf while there is none.
    pub best: f64,
    /// Seconds, earlier parts of a resumed run included.
    pub seconds: f64,
}

impl Default for Reached {
    fn default() -> Self {
        Reached { rounds: 0, iterations: 0, evaluations: 0, failures: 0, best: f64::INFINITY, seconds: 0.0 }
    }
}

/// Where watchers leave what the run has reached for others to read.
pub type Shared = Arc<Mutex<Reached>>;

/// Reads what the run has reached.
pub fn read(shared: &Shared) -> MutexGuard<'_, Reached> {
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The watcher that writes it: after every round, or after every evaluation where these are dear.
pub struct Note {
    /// Where.
    pub shared: Shared,
    /// Whether single evaluations are counted.
    pub single: bool,
}

impl Watch for Note {
    fn see(&mut self, p: &Progress<'_>) -> ControlFlow<swarmgrad::Reason> {
        let mut reached = read(&self.shared);
        *reached = Reached {
            rounds: reached.rounds + 1,
            iterations: p.iteration,
            evaluations: p.evaluations,
            failures: p.failures,
            best: p.best.value,
            seconds: p.elapsed.as_secs_f64(),
        };
        ControlFlow::Continue(())
    }

    fn sees_evaluations(&self) -> bool {
        self.single
    }

    fn evaluated(&mut self, told: &Told<'_>) {
        let mut reached = read(&self.shared);
        reached.evaluations += told.evaluation.evaluations;
        reached.failures += u64::from(told.evaluation.failure.is_some());
        reached.best = reached.best.min(told.evaluation.cost());
    }
}

/// Says something on standard error while a line of progress may stand there.
pub fn say(text: &str) {
    match BAR.lock() {
        Ok(bar) if bar.is_some() => bar.iter().for_each(|bar| bar.suspend(|| note!("swarmgrad: {text}"))),
        _ => note!("swarmgrad: {text}"),
    }
}

/// The line that is shown now.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The budgets that tell how much time is left, and how to show a value.
#[derive(Clone, Copy)]
pub struct Budget {
    /// Evaluations.
    pub evaluations: Option<u64>,
    /// Iterations.
    pub iterations: Option<u64>,
    /// Seconds in all.
    pub seconds: Option<f64>,
    /// Values are shown negated.
    pub maximize: bool,
}

/// How often the line is drawn anew.
const BEAT: Duration = Duration::from_millis(100);

/// How often a plain line is printed where standard error is no terminal, and when the first one.
const PLAIN: Duration = Duration::from_secs(10);

/// Draws a line on standard error while `work` runs, unless `quiet` is set; where that is no terminal, a plain line every ten
/// seconds.
pub fn line<R>(quiet: bool, shared: &Shared, budget: Budget, work: impl FnOnce() -> R) -> R {
    if quiet {
        return work();
    }
    let terminal = std::io::stderr().is_terminal();
    let bar = terminal.then(|| {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar
    });
    *BAR.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = bar.clone();
    let done = AtomicBool::new(false);
    let begin = (Instant::now(), *read(shared));
    let result = std::thread::scope(|scope| {
        let drawing = scope.spawn(|| {
            let mut printed = Instant::now();
            while !done.load(Relaxed) {
                let now = || text(*read(shared), begin.0.elapsed().as_secs_f64(), begin.1, budget);
                match &bar {
                    Some(bar) => {
                        bar.set_message(now());
                        bar.tick();
                    }
                    None if printed.elapsed() >= PLAIN => {
                        note!("{}", now());
                        printed = Instant::now();
                    }
                    None => {}
                }
                std::thread::park_timeout(BEAT);
            }
        });
        let result = work();
        done.store(true, Relaxed);
        drawing.thread().unpark();
        result
    });
    *BAR.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
    bar.iter().for_each(ProgressBar::finish_and_clear);
    result
}

/// The line itself. `begin` is what a resumed run had reached before these `seconds`.
fn text(now: Reached, seconds: f64, begin: Reached, budget: Budget) -> String {
    let evaluations = now.evaluations;
    let rate = (evaluations.saturating_sub(begin.evaluations)) as f64 / seconds.max(1e-9);
    let mut parts = Vec::new();
    parts.push(match now.best {
        _ if now.evaluations == 0 => "first points".into(),
        best if best.is_finite() => format!("best {}", short(if budget.maximize { 0.0 - best } else { best })),
        _ => "no finite value yet".into(),
    });
    parts.push(match budget.evaluations {
        Some(all) => format!("{} of {} evaluations", grouped(evaluations), grouped(all)),
        None => format!("{} evaluations", grouped(evaluations)),
    });
    parts.push(match rate {
        r if r >= 10.0 => format!("{}/s", grouped(r as u64)),
        r => format!("{r:.1}/s"),
    });
    if now.failures > 0 {
        parts.push(format!("{} failed", grouped(now.failures)));
    }
    let left = [
        budget.evaluations.map(|all| all.saturating_sub(evaluations) as f64 / rate),
        budget.iterations.map(|all| {
            let pace = now.iterations.saturating_sub(begin.iterations) as f64 / seconds.max(1e-9);
            all.saturating_sub(now.iterations) as f64 / pace
        }),
        budget.seconds.map(|all| (all - begin.seconds - seconds).max(0.0)),
    ];
    let left = left.into_iter().flatten().fold(f64::INFINITY, f64::min);
    parts.push(if left.is_finite() { format!("{} left", span(left)) } else { format!("for {}", span(seconds)) });
    parts.join("  ·  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_best_rate_and_time_left() {
        let now = Reached { rounds: 3, iterations: 10, evaluations: 1000, best: -2.5, ..Reached::default() };
        let budget = Budget { evaluations: Some(5000), iterations: None, seconds: Some(100.0), maximize: true };
        let text = text(now, 2.0, Reached::default(), budget);
        assert_eq!(text, "best 2.5  ·  1,000 of 5,000 evaluations  ·  500/s  ·  8.0 s left");
    }
}
