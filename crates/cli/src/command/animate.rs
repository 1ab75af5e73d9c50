//! `animate`: a swarm moving over the contours of a problem in two variables.

use crate::command::posed::{Means, Posed};
use crate::output::short;
use crate::{DONE, argument, interrupt, output};
use clap::Args;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use swarmgrad::study::space::Bounds;
use swarmgrad::study::{Execution, Objective, Plan, Study, Verdict};
use swarmgrad::{
    Constraint, Error, Evaluation, Halt, Problem, Progress, Reason, Relation, Space, Variable, VariableKind, Watch,
    problems, settings,
};
use swarmgrad_lab::plot::{Animation, Frame, Grid, Landscape, Mark};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad animate himmelblau -o swarm.gif
  swarmgrad animate rastrigin --method pso_sde --iterations 120 -o sde.svg
  swarmgrad animate ackley --method pso --set particles=20 --bounds -5:5 --seed 3 -o pso.gif
  swarmgrad animate cantilever --constraint 'x0 + x1 >= 1' -o feasible.svg
  swarmgrad animate --exec 'python3 model.py' --var a=-5:5 --var b=log:1e-3:1 --var c=50 --workers 4 -o model.gif

The ending of the file's name chooses the form: .gif for anything that shows pictures, .svg for browsers, where the swarm \
moves smoothly. The star is the known minimum; the moving mark is the best point so far, or the answer of a method that \
answers with a consensus. What constraints forbid is pale, with a red border.

Two variables are free to move; --var NAME=VALUE fixes further ones. The landscape of a program costs --grid times --grid \
evaluations before the run begins.";

/// The method where none is named: one whose points are a swarm that is seen to move.
const SWARM: &str = "pso";
/// Samples a side of the landscape of a test problem, and of a program.
const SIDE: usize = 160;
const PROGRAM_SIDE: usize = 24;

/// What to draw.
#[derive(Args, Debug)]
pub struct Animate {
    /// Name of a test problem that can have two variables, see `swarmgrad list problems`
    #[arg(conflicts_with = "exec")]
    problem: Option<String>,

    #[command(flatten)]
    posed: Posed,

    #[command(flatten)]
    means: Means,

    /// The picture to write, .gif or .svg
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Name of the method, see `swarmgrad list methods`, with parameters if you like: 'pso(particles=60)'
    #[arg(short, long, value_name = "NAME", default_value = SWARM, help_heading = "Method")]
    method: String,

    /// A parameter of the method, as often as needed; `swarmgrad list NAME` shows names, defaults and ranges
    #[arg(short, long, value_name = "KEY=VALUE", help_heading = "Method")]
    set: Vec<String>,

    /// Number of iterations, one picture each
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = argument::count)]
    iterations: u64,

    /// Points a side at which the landscape is evaluated [default: 160, or 24 with --exec]
    #[arg(long, value_name = "N", value_parser = argument::size)]
    grid: Option<usize>,

    /// Seed of all random numbers
    #[arg(long, value_name = "K", default_value_t = 0)]
    seed: u64,

    /// Seconds a picture is shown
    #[arg(long, value_name = "S", default_value_t = 0.08, value_parser = argument::seconds)]
    delay: f64,
}

impl Animate {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let moving = match self.output.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase).as_deref()
        {
            Some("gif") => false,
            Some("svg") => true,
            _ => return Err(Error::parameter("--output", self.output.display(), "must end in .gif or .svg").into()),
        };
        if self.iterations > 10_000 {
            return Err(Error::parameter("--iterations", self.iterations, "must be at most 10000 pictures").into());
        }
        let grid = self.grid.unwrap_or(if self.posed.is_given() { PROGRAM_SIDE } else { SIDE });
        if !(2..=1000).contains(&grid) {
            return Err(Error::parameter("--grid", grid, "must be from 2 to 1000 points a side").into());
        }
        let plan = self.study()?.plan()?;
        let axes = axes(&plan)?;
        // A file that cannot be written is found before anything runs.
        swarmgrad::state::check_writable(&self.output)?;
        let halt = Halt::new(interrupt::flag());
        let workers = self.means.workers(None);
        let objective = plan.objective(workers, self.means.hosts(), halt.clone())?;
        let landscape = landscape(&objective, &axes, grid, workers);
        let broken = || {
            objective.notes().iter().for_each(|text| note!("swarmgrad: {text}"));
            objective.broken().inspect(|why| note!("swarmgrad: {why}")).is_some()
        };
        if broken() {
            return Ok(ExitCode::from(Verdict::Failed as u8));
        }
        if halt.requested() {
            return Ok(ExitCode::from(interrupt::EXIT));
        }
        let mut landscape = landscape?;
        let title = match &plan.study.problem {
            Some(name) => problems::entry(name)?.title.to_owned(),
            None => plan.study.program.as_ref().map_or(String::new(), |program| program.command.clone()),
        };
        landscape.title = format!("{} on {title}", plan.entry.name);

        let constrained = !plan.constraints.list().is_empty();
        let mut film = Film {
            axes: &axes,
            frames: Vec::new(),
            iteration: None,
            consensus: false,
            constrained,
            sign: plan.signed(1.0),
        };
        let execution = Execution {
            objective: Some(&objective),
            halt,
            watchers: vec![Box::new(Shooting(&mut film))],
            ..Execution::default()
        };
        let report = plan.run(execution)?;
        let outcome = &report.outcome;
        if broken() {
            return Ok(ExitCode::from(Verdict::Failed as u8));
        }
        if outcome.reason == Reason::Interrupted {
            return Ok(ExitCode::from(interrupt::EXIT));
        }
        for (k, x) in objective.minimizers().iter().enumerate() {
            let name = if k == 0 { "minimum" } else { "" };
            landscape = landscape.marker(Mark::Optimum, place(&axes, x), name);
        }
        let mut animation = Animation::new(landscape, film.frames);
        animation = match film.consensus {
            true => animation.marker(Mark::Consensus, "consensus"),
            false => animation.marker(Mark::Best, "best so far"),
        };
        animation.delay = Duration::from_secs_f64(self.delay);
        let path = self.output.display().to_string();
        // In memory first: what cannot be finished leaves an earlier file as it was.
        let mut bytes = Vec::new();
        match moving {
            true => animation.svg(&mut bytes, |_, _| ())?,
            false => animation.gif(&mut bytes, |_, _| ())?,
        }
        swarmgrad::write_whole(&self.output, &bytes)?;
        let pictures = animation.frames.len();
        let infeasible = if outcome.is_feasible() { "" } else { ", not feasible" };
        output::print(&format!("{path}: {pictures} pictures, best value {}{infeasible}\n", short(outcome.fun)))?;
        Ok(ExitCode::from(DONE))
    }
}

impl Animate {
    /// What moves on what.
    fn study(&self) -> swarmgrad::Result<Study> {
        if self.problem.is_none() {
            self.posed.check_given("problem", "animate himmelblau", "animate")?;
        }
        let mut study = self.posed.study(self.problem.as_deref(), None)?;
        self.means.apply(&mut study, None)?;
        let listed =
            study.bounds.as_deref().is_some_and(|text| Bounds::parse(text).is_ok_and(|all| all.dim().is_some()));
        if study.variables.is_empty() && study.dim.is_none() && !listed {
            study.dim = Some(2);
        }
        study.method.clone_from(&self.method);
        study.set = settings::pairs(&self.set)?;
        study.seed = self.seed;
        study.iterations = Some(self.iterations);
        (study.evaluations, study.target, study.time) = (None, None, None);
        (study.patience, study.tolerance, study.runs) = (None, None, None);
        Ok(study)
    }
}

/// What a coordinate of the box is in the picture.
struct Axis {
    label: String,
    offset: f64,
    scale: f64,
    /// The ends of the picture.
    ends: (f64, f64),
}

/// The two axes of the picture.
fn axes(plan: &Plan) -> swarmgrad::Result<[Axis; 2]> {
    let space = &plan.space;
    if space.dim() != 2 {
        let rule = "a picture has two variables that move; --var NAME=VALUE fixes the others, and a choice of more than two words \
                    has an axis for each";
        return Err(Error::parameter("variables", format!("{} axes", space.dim()), rule));
    }
    if !(space.is_bounded() && space.width(0) > 0.0 && space.width(1) > 0.0) {
        let bounds = plan.study.bounds.clone().unwrap_or_default();
        return Err(Error::parameter("--bounds", bounds, "a picture needs finite bounds with room between them"));
    }
    let moving = |variable: &&Variable| !matches!(variable.kind(), VariableKind::Fixed(_));
    let variables: Vec<&Variable> = space.variables().iter().filter(moving).collect();
    let axis = |j: usize| {
        let plain = || plan.names.get(j).cloned().unwrap_or_else(|| ["x₁", "x₂"][j].into());
        let (label, offset, scale) = match variables.get(j).map(|variable| (variable.name(), variable.kind())) {
            None => (plain(), 0.0, 1.0),
            Some((name, VariableKind::Log { .. })) => (format!("log10 {name}"), 0.0, std::f64::consts::LOG10_E),
            Some((name, VariableKind::Whole { lower, step, .. })) => (name.to_owned(), *lower as f64, *step as f64),
            Some((name, VariableKind::Choice { of, .. })) => (format!("{name}: {}", of.join(", ")), 0.0, 1.0),
            Some((name, _)) => (name.to_owned(), 0.0, 1.0),
        };
        let end = |u: f64| offset + scale * u;
        Axis { label, offset, scale, ends: (end(space.lower()[j]), end(space.upper()[j])) }
    };
    Ok([axis(0), axis(1)])
}

/// Where a point of the box is in the picture.
fn place(axes: &[Axis; 2], x: &[f64]) -> [f64; 2] {
    [0, 1].map(|j| axes[j].offset + axes[j].scale * x[j])
}

/// The landscape, and what its constraints forbid; so many threads ask.
fn landscape(objective: &Objective, axes: &[Axis; 2], side: usize, threads: usize) -> anyhow::Result<Landscape> {
    let space: &Space = objective.space();
    let at = |j: usize, i: usize| space.lower()[j] + space.width(j) * i as f64 / (side - 1) as f64;
    let mut points: Vec<Evaluation> = vec![Evaluation::of(f64::NAN); side * side];
    std::thread::scope(|scope| {
        for (chunk, part) in points.chunks_mut((side * side).div_ceil(threads.max(1))).enumerate() {
            let first = chunk * (side * side).div_ceil(threads.max(1));
            scope.spawn(move || {
                for (k, point) in part.iter_mut().enumerate() {
                    let (i, j) = ((first + k) % side, (first + k) / side);
                    *point = objective.evaluate(&[at(0, i), at(1, j)]);
                }
            });
        }
    });
    let grid = |values: Vec<f64>| Grid::new(axes[0].ends, axes[1].ends, side, values);
    let sign = objective.plan().signed(1.0);
    let mut landscape = Landscape::new("", grid(points.iter().map(|point| sign * point.value).collect())?);
    landscape.labels = [0, 1].map(|j| axes[j].label.clone());
    let constraints = objective.constraints();
    let of = |relation: Relation| move |(_, constraint): &(usize, &Constraint)| constraint.relation() == relation;
    let at_most: Vec<usize> = constraints.iter().enumerate().filter(of(Relation::AtMost)).map(|(k, _)| k).collect();
    let value = |point: &Evaluation, k: usize| point.constraints.get(k).copied().unwrap_or(f64::NAN);
    if !at_most.is_empty() {
        let worst = |point: &Evaluation| at_most.iter().map(|&k| value(point, k)).fold(f64::NEG_INFINITY, f64::max);
        landscape.infeasible = grid(points.iter().map(worst).collect()).ok();
    }
    for (k, _) in constraints.iter().enumerate().filter(of(Relation::Equal)) {
        landscape.equations.extend(grid(points.iter().map(|point| value(point, k)).collect()));
    }
    Ok(landscape)
}

/// The pictures taken so far.
struct Film<'a> {
    axes: &'a [Axis; 2],
    frames: Vec<Frame>,
    iteration: Option<u64>,
    consensus: bool,
    constrained: bool,
    /// -1 where the problem is maximised.
    sign: f64,
}

/// One that stays its owner's.
struct Shooting<'a, 'b>(&'a mut Film<'b>);

impl Watch for Shooting<'_, '_> {
    fn see(&mut self, p: &Progress<'_>) -> ControlFlow<Reason> {
        let film = &mut *self.0;
        // A step of several rounds is one picture: its last.
        if film.iteration == Some(p.iteration) {
            film.frames.pop();
        }
        film.iteration = Some(p.iteration);
        let place = |x: &[f64]| place(film.axes, x);
        // Under constraints the run knows better than the method which point is the best.
        let answer = if film.constrained { p.best.x.clone() } else { p.algorithm.answer() };
        film.consensus |= answer != p.best.x;
        let infeasible = if p.best.violation > 0.0 { ", not feasible" } else { "" };
        film.frames.push(Frame {
            points: p.algorithm.view().matrix("x").map(|xs| xs.iter().map(place).collect()).unwrap_or_default(),
            marker: (answer.len() == 2).then(|| place(&answer)),
            caption: format!("iteration {}, best {}{infeasible}", p.iteration, short(film.sign * p.best.value)),
        });
        ControlFlow::Continue(())
    }
}
