//! `animate`: a swarm moving over the contours of a problem in two variables.

use crate::argument;
use crate::output::short;
use crate::{DONE, interrupt, output};
use clap::Args;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use swarmgrad::study::space::Bounds;
use swarmgrad::{Error, Halt, Iterations, Progress, Reason, Run, problems, registry, settings};
use swarmgrad_lab::plot::{Animation, Frame, Grid, Landscape, Mark};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad animate himmelblau -o swarm.gif
  swarmgrad animate rastrigin --method pso_sde --iterations 120 -o sde.svg
  swarmgrad animate ackley --method pso --set particles=20 --bounds -5:5 --seed 3 -o pso.gif

The ending of the file's name chooses the form: .gif for anything that shows pictures, .svg for browsers, where the swarm \
moves smoothly. The star is the known minimum; the moving mark is the best point so far, or the answer of a method that \
answers with a consensus.";

/// The method where none is named: one whose points are a swarm that is seen to move.
const SWARM: &str = "pso";
/// Samples a side of the landscape.
const SIDE: usize = 160;

/// What to draw.
#[derive(Args, Debug)]
pub struct Animate {
    /// Name of a test problem that can have two variables, see `swarmgrad list problems`
    problem: String,

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

    /// LOWER:UPPER for both variables, or two pairs with a comma [default: the problem's domain]
    #[arg(short, long, value_name = "LO:HI[,LO:HI]", allow_hyphen_values = true)]
    bounds: Option<String>,

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
        let entry = problems::entry(&self.problem)?;
        let bounds = self.bounds.as_deref().map(Bounds::parse).transpose()?;
        let own = entry.space(2)?;
        let space = bounds.map_or(Ok(own), |bounds| bounds.space(2))?;
        if !(space.is_bounded() && space.width(0) > 0.0 && space.width(1) > 0.0) {
            let rule = "a picture needs finite bounds with room between them";
            return Err(Error::parameter("--bounds", self.bounds.as_deref().unwrap_or_default(), rule).into());
        }
        // A file that cannot be written is found before anything runs.
        swarmgrad::state::check_writable(&self.output)?;
        let problem = entry.build(2, Some(space.clone()))?;
        let (method, settings) = registry::parse_with(&self.method, &settings::pairs(&self.set)?)?;
        let mut algorithm = method.build(&space, None, &settings)?;

        let mut film = Film::default();
        let mut shoot = |p: &Progress<'_>| film.shoot(p);
        let mut end = Iterations(self.iterations);
        let run = Run::new(&*problem, &mut *algorithm, self.seed).watch(&mut shoot).watch(&mut end);
        let outcome = run.halt(Halt::new(interrupt::flag())).minimize();
        if outcome.reason == Reason::Interrupted {
            return Ok(ExitCode::from(interrupt::EXIT));
        }

        let sides = [(space.lower()[0], space.upper()[0]), (space.lower()[1], space.upper()[1])];
        let grid = Grid::sample(sides[0], sides[1], SIDE, |x, y| problem.value(&[x, y]))?;
        let mut landscape = Landscape::new(format!("{} on {}", method.name, entry.title), grid);
        for (k, x) in problem.minimizers().iter().enumerate() {
            let name = if k == 0 { "minimum" } else { "" };
            landscape = landscape.marker(Mark::Optimum, [x[0], x[1]], name);
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
        output::print(&format!("{path}: {pictures} pictures, best value {}\n", short(outcome.fun)))?;
        Ok(ExitCode::from(DONE))
    }
}

/// The pictures taken so far.
#[derive(Default)]
struct Film {
    frames: Vec<Frame>,
    iteration: Option<u64>,
    consensus: bool,
}

impl Film {
    fn shoot(&mut self, p: &Progress<'_>) -> ControlFlow<Reason> {
        // A step of several rounds is one picture: its last.
        if self.iteration == Some(p.iteration) {
            self.frames.pop();
        }
        self.iteration = Some(p.iteration);
        let place = |x: &[f64]| [x[0], x[1]];
        let answer = p.algorithm.answer();
        self.consensus |= answer != p.best.x;
        self.frames.push(Frame {
            points: p.algorithm.view().matrix("x").map(|xs| xs.iter().map(place).collect()).unwrap_or_default(),
            marker: (answer.len() == 2).then(|| place(&answer)),
            caption: format!("iteration {}, best {}", p.iteration, short(p.best.value)),
        });
        ControlFlow::Continue(())
    }
}
