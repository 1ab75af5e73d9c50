//! Schedules: the numbers of a method over the course of a run.
//!
//! ```text
//! t    = spent / budget, in [0, 1]        spent: evaluations, and gradients at their price
//! raw  = linear in t between the knots, constant before the first and after the last
//! number = link(raw)                      the links of learning: exp, and scaled sigmoids
//! ```
//!
//! A schedule is the parameter `schedule` of a differentiable method: the name of a file, or its JSON. What the schedule does
//! not name stays as the parameters say. As JSON:
//!
//! ```json
//! { "method": "diff_pso", "knots": [0, 1], "numbers": { "inertia": [0.9, 0.4] } }
//! ```

use crate::learn::Learnable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use swarmgrad_algorithms::parameters::Settings;
use swarmgrad_algorithms::saved;
use swarmgrad_core::{Error, Result, write_whole};

/// Numbers of a method by how much of its budget is spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The method, by its name in the registry.
    pub method: String,
    /// Shares of the budget, in ascending order.
    pub knots: Vec<f64>,
    /// By the name of the parameter, its value at every knot.
    pub numbers: BTreeMap<String, Vec<f64>>,
    /// Where it was learned, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
}

/// Where a schedule was learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// The problems, their dimensions and the evaluations of a run.
    pub problems: Vec<String>,
    /// The method's other parameters.
    pub settings: Settings,
    /// Steps of the learning.
    pub steps: usize,
    /// Runs altogether.
    pub runs: u64,
    /// The seed of it all.
    pub seed: u64,
}

impl Schedule {
    /// Reads a file and looks whether it makes sense by itself; the method that is built with it looks at the rest.
    pub fn load(path: impl AsRef<Path>) -> Result<Schedule> {
        let path = path.as_ref();
        let failed = |why: String| Error::File { path: path.display().to_string(), why };
        let text = std::fs::read_to_string(path).map_err(|why| failed(why.to_string()))?;
        let schedule: Schedule =
            serde_json::from_str(&text).map_err(|why| failed(format!("is not a schedule: {why}")))?;
        schedule.check().map_err(|why| failed(why.to_string()))?;
        Ok(schedule)
    }

    /// Writes a file that [`Schedule::load`] reads back to the same numbers.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let failed = |why: String| Error::File { path: path.display().to_string(), why };
        self.check().map_err(|why| failed(why.to_string()))?;
        let text = serde_json::to_string_pretty(self).map_err(|why| failed(why.to_string()))?;
        write_whole(path, (text + "\n").as_bytes())
    }

    /// Whether there are knots in order and a finite number for each.
    pub fn check(&self) -> Result<()> {
        let knots = &self.knots;
        if knots.is_empty() || !knots.iter().all(|t| (0.0..=1.0).contains(t)) {
            return Err(Error::parameter("knots", format!("{knots:?}"), "must be shares of the budget, from 0 to 1"));
        }
        if let Some(pair) = knots.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(Error::parameter("knots", format!("{pair:?}"), "must be in ascending order"));
        }
        if self.numbers.is_empty() {
            return Err(Error::parameter("numbers", "{}", "must name a number of the method"));
        }
        for (name, values) in &self.numbers {
            if values.len() != knots.len() {
                return Err(Error::shape(format!("numbers of {name}"), values.len(), knots.len()));
            }
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(Error::parameter(name, value, "must be finite at every knot"));
            }
        }
        Ok(())
    }
}

/// A schedule as a method follows it: its numbers in the method's order, in the space of their links.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    budget: f64,
    knots: Vec<f64>,
    /// Which of the method's numbers, and what it is at the knots: itself and its raw number.
    courses: Vec<(usize, Vec<[f64; 2]>)>,
}

impl Plan {
    /// Errors name what does not fit the method.
    pub(crate) fn new(schedule: &Schedule, method: &str, all: &[Learnable], budget: Option<u64>) -> Result<Plan> {
        schedule.check()?;
        if all.is_empty() {
            return Err(Error::parameter("schedule", "given", format!("{method} has no learnable numbers")));
        }
        if schedule.method != method {
            let rule = format!("this is {method}, the schedule is of another method");
            return Err(Error::parameter("schedule", &schedule.method, rule));
        }
        let Some(budget) = budget else {
            let rule = "needs a budget of evaluations: its knots are shares of it";
            return Err(Error::parameter("schedule", "given", rule));
        };
        let mut courses = Vec::new();
        for (name, values) in &schedule.numbers {
            let place = all.iter().position(|learnable| learnable.name == name).ok_or_else(|| {
                Error::unknown(&format!("number of {method} in its schedule"), name, all.iter().map(|l| l.name))
            })?;
            let [low, high] = all[place].bounds;
            if let Some(value) = values.iter().find(|value| !(low..=high).contains(*value)) {
                return Err(Error::parameter(name, value, format!("must be from {low} to {high} at every knot")));
            }
            courses.push((place, values.iter().map(|&value| [value, all[place].raw(value)]).collect()));
        }
        Ok(Plan { budget: budget.max(1) as f64, knots: schedule.knots.clone(), courses })
    }

    /// Whether a plan that was read back is one for so many numbers.
    pub(crate) fn verify(&self, numbers: usize) -> Result<()> {
        saved::holds("knots", !self.knots.is_empty(), "must be there")?;
        saved::below("numbers of the schedule", self.courses.iter().map(|(place, _)| place), numbers)?;
        self.courses.iter().try_for_each(|(_, cells)| saved::length("numbers at the knots", cells, self.knots.len()))
    }

    /// Puts other raw numbers in place: those of the first course at all knots, then of the next one.
    pub(crate) fn steer(&mut self, all: &[Learnable], raw: &[f64]) {
        let cells = self.courses.iter_mut().flat_map(|(place, cells)| cells.iter_mut().map(move |cell| (*place, cell)));
        for ((place, cell), &raw) in cells.zip(raw) {
            *cell = [all[place].value(raw), raw];
        }
    }

    /// Sets the numbers of the schedule among those of the method.
    pub(crate) fn write(&self, all: &[Learnable], spent: u64, theta: &mut [f64]) {
        let t = (spent as f64 / self.budget).min(1.0);
        let next = self.knots.partition_point(|knot| *knot <= t);
        for (place, cells) in &self.courses {
            theta[*place] = match next {
                0 => cells[0][0],
                next if next == cells.len() => cells[next - 1][0],
                next => {
                    let ([value, from], [_, to]) = (cells[next - 1], cells[next]);
                    let share = (t - self.knots[next - 1]) / (self.knots[next] - self.knots[next - 1]);
                    // A number that stays keeps its bits.
                    if from == to || share == 0.0 { value } else { all[*place].value(from + share * (to - from)) }
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Link;

    const ALL: [Learnable; 2] = [
        Learnable { name: "weight", link: Link::Exp, bounds: [0.01, 2.0] },
        Learnable { name: "crossover", link: Link::Sigmoid(1.0), bounds: [0.01, 0.99] },
    ];

    fn schedule(knots: &[f64], name: &str, values: &[f64]) -> Schedule {
        let numbers = [(name.to_owned(), values.to_vec())].into();
        Schedule { method: "diff_de".into(), knots: knots.to_vec(), numbers, learned: None }
    }

    #[test]
    fn numbers_are_linear_in_the_space_of_their_links() {
        let schedule = schedule(&[0.2, 0.6, 1.0], "weight", &[0.1, 0.9, 0.9]);
        let plan = Plan::new(&schedule, "diff_de", &ALL, Some(1_000)).unwrap();
        let at = |spent: u64| {
            let mut theta = [7.0, 7.0];
            plan.write(&ALL, spent, &mut theta);
            assert_eq!(theta[1], 7.0); // not in the schedule
            theta[0]
        };
        // Constant before the first knot, its own bits at the knots and where nothing changes.
        assert_eq!([at(0), at(200), at(600), at(731), at(1_000), at(5_000)], [0.1, 0.1, 0.9, 0.9, 0.9, 0.9]);
        // Halfway between 0.1 and 0.9 by exp lies their geometric mean, at a quarter 0.1 9^(1/4).
        assert!((at(400) - 0.3).abs() < 1e-12 && (at(300) - 0.1 * 9f64.powf(0.25)).abs() < 1e-12, "{}", at(400));
        // Raw numbers are put in by name, then by knot.
        let mut steered = plan.clone();
        steered.steer(&ALL, &[0.5f64.ln(), 0.25f64.ln(), 100.0]);
        let mut theta = [0.0; 2];
        let mut see = |spent| {
            steered.write(&ALL, spent, &mut theta);
            theta[0]
        };
        assert!((see(200) - 0.5).abs() < 1e-12 && (see(600) - 0.25).abs() < 1e-12);
        assert_eq!(see(1_000), 2.0); // its bound
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = schedule(&[0.0, 1.0], "weight", &[0.5, 0.4]);
        let refused = |schedule: &Schedule, method: &str, budget| {
            Plan::new(schedule, method, &ALL, budget).unwrap_err().to_string()
        };
        assert!(Plan::new(&good, "diff_de", &ALL, Some(10)).is_ok());
        assert!(refused(&good, "diff_pso", Some(10)).contains("this is diff_pso, the schedule is of another method"));
        assert!(refused(&good, "diff_de", None).contains("needs a budget"));
        let no_numbers = Plan::new(&good, "diff_de", &[], Some(10)).unwrap_err().to_string();
        assert!(no_numbers.contains("no learnable numbers"));
        let cases: [(&[f64], &str, &[f64], &str); 9] = [
            (&[], "weight", &[], "shares of the budget"),
            (&[0.0, 1.5], "weight", &[0.5, 0.5], "shares of the budget"),
            (&[f64::NAN], "weight", &[0.5], "shares of the budget"),
            (&[0.5, 0.2], "weight", &[0.5, 0.5], "ascending order"),
            (&[0.5, 0.5], "weight", &[0.5, 0.5], "ascending order"),
            (&[0.0, 1.0], "weight", &[0.5], "numbers of weight has 1 entries, expected 2"),
            (&[0.0], "weight", &[f64::NAN], "must be finite"),
            (&[0.0], "weight", &[2.5], "weight = 2.5: must be from 0.01 to 2"),
            (&[0.0], "wieght", &[0.5], "did you mean 'weight'?"),
        ];
        for (knots, name, values, part) in cases {
            let message = refused(&schedule(knots, name, values), "diff_de", Some(10));
            assert!(message.contains(part), "{message}");
        }
    }
}
