//! The progress line of a run on a terminal.

use crate::output::{grouped, short, span};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use swarmgrad::{Progress, Watch};

/// What a run has reached after its last complete round.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Reached {
    /// Rounds of ask and tell.
    pub rounds: u64,
    /// Iterations of the method.
    pub iterations: u64,
    /// Evaluations.
    pub evaluations: u64,
    /// Failed ones among them.
    pub failures: u64,
    /// Best value, as the run sees it: to be minimised.
    #[serde(with = "swarmgrad_lab::record::number")]
    pub best: f64,
    /// The iteration that found it.
    pub best_iteration: u64,
    /// Seconds, earlier parts of a resumed run included.
    pub seconds: f64,
}

/// Where watchers leave what the run has reached for others to read.
pub type Shared = Arc<Mutex<Reached>>;

/// Reads what the run has reached.
pub fn read(shared: &Shared) -> MutexGuard<'_, Reached> {
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The watcher that writes it.
pub struct Note(pub Shared);

impl Watch for Note {
    fn see(&mut self, p: &Progress<'_>) -> ControlFlow<swarmgrad::Reason> {
        let mut reached = read(&self.0);
        *reached = Reached {
            rounds: reached.rounds + 1,
            iterations: p.iteration,
            evaluations: p.evaluations,
            failures: p.failures,
            best: p.best.value,
            best_iteration: p.best.iteration,
            seconds: p.elapsed.as_secs_f64(),
        };
        ControlFlow::Continue(())
    }
}

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

/// Draws a line on standard error while `work` runs, if standard error is a terminal and `quiet` is not set.
/// `evaluations` counts those of the current round too, where somebody does.
pub fn line<R>(
    quiet: bool,
    shared: &Shared,
    budget: Budget,
    evaluations: &(dyn Fn() -> u64 + Sync),
    work: impl FnOnce() -> R,
) -> R {
    if quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        bar.set_style(style);
    }
    let done = AtomicBool::new(false);
    let begin = (Instant::now(), *read(shared));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                let reached = *read(shared);
                let counted = evaluations().max(reached.evaluations);
                bar.set_message(text(reached, counted, begin.0.elapsed().as_secs_f64(), begin.1, budget));
                bar.tick();
                std::thread::park_timeout(BEAT);
            }
        });
        let result = work();
        done.store(true, Relaxed);
        bar.finish_and_clear();
        result
    })
}

/// The line itself. `begin` is what a resumed run had reached before these `seconds`.
fn text(now: Reached, evaluations: u64, seconds: f64, begin: Reached, budget: Budget) -> String {
    let rate = (evaluations.saturating_sub(begin.evaluations)) as f64 / seconds.max(1e-9);
    let mut parts = Vec::new();
    parts.push(match now.best {
        _ if now.rounds == 0 => "first points".into(),
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
        let text = text(now, 1000, 2.0, Reached::default(), budget);
        assert_eq!(text, "best 2.5  ·  1,000 of 5,000 evaluations  ·  500/s  ·  8.0 s left");
    }
}
