//! `certify`: whether the convergence theorems of mean-field PSO hold for given parameters, and what to change.

use crate::argument;
use crate::output::{self, short};
use crate::{DONE, NO_VALUE, NOT_PROVEN};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use swarmgrad::algorithms::particle::certify::{Certificate, Objective, Question, Suggestion, Verdict, certify};
use swarmgrad::algorithms::particle::diagnostics::Moment;
use swarmgrad::algorithms::particle::pso_sde::{self, Memory, Noise, Scheme};
use swarmgrad::registry;
use swarmgrad::study::space::{self, Bounds};
use swarmgrad::{Error, Matrix, Space, Start, problems};
use swarmgrad_lab::Table;
use swarmgrad_lab::plot::{Axis, Chart, Line};
use swarmgrad_lab::table::Rules;

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad certify sphere --dim 2 --start normal:0:0.002 --hessian 2 --set memory=none --set alpha=1 --set sigma2=0.1 --set inertia=0.005
  swarmgrad certify rastrigin25 --dim 4 --start normal:0.1:0.15 --set memory=none --set alpha=1 --set sigma2=0.1
  swarmgrad certify rastrigin25 --dim 20 --set inertia=0.01 --set sigma2=7         (with memory: Theorem 3.3)
  swarmgrad certify --samples samples.csv --minimum 0 --set memory=none --set alpha=1 --set sigma2=0.1

The parameters are those of the method pso_sde. The hypotheses of Theorem 2.5 (memory=none) or 3.3 are checked one by one; \
W(0) = E exp(-alpha (E(X) - inf E)) is estimated from the initial law with a 99 % interval and its lower end is used. The \
infimum and the bound on the Hessian come from --minimum and --hessian, from the test problem where its minimum is known, or \
else from samples (the bound by second differences, or with --samples by fits of quadratics to neighbouring samples): then \
the verdict is at best `not proven`. The measured rate is that of a run.

Explosion thresholds are about attractors that stand still: second moments grow beyond the first (mean square), almost every \
path explodes beyond the second. Observed explosions of a swarm lie between the two.

The theorems are about the limit of many particles and small steps. What is run is checked as well: that the scheme contracts at \
this dt (P1d), that W(t) stays above a level in all its steps (P2d), and that both hold for this number of particles.

The theorem promises E(x~) - inf E <= (1/alpha) log(2/W(0)) of the point x~ in which the swarm gathers. The promise is called \
empty where that is no better than the median of a point of the start. Where all is proven it always is: the conditions keep W(t) \
up by a start so narrow that its own points are as good. A suggestion whose promise says something hangs on W(t) > W(0)/2, \
which is not proven but seen on a run.

Exit code: 0 all hypotheses hold; 3 not proven: they hold if the estimates are right; 1 one fails; 2 wrong usage.";

/// What to certify.
#[derive(Args, Debug)]
pub struct Certify {
    /// Name of a test problem, see `swarmgrad list problems`
    #[arg(conflicts_with = "samples", required_unless_present = "samples")]
    problem: Option<String>,

    /// Samples instead of an objective: a file with a point of the initial law and its value in each line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dim", "bounds", "start", "points", "horizon", "swarm", "plot"])]
    samples: Option<PathBuf>,

    /// Number of variables [default: 2, or the only one the problem allows]
    #[arg(short, long, value_name = "D", value_parser = argument::dim)]
    dim: Option<usize>,

    /// Keep points inside LOWER:UPPER, which the theorems do not know [default: all of R^d]
    #[arg(short, long, value_name = "LO:HI[,LO:HI..]", allow_hyphen_values = true)]
    bounds: Option<String>,

    /// Law of the first points: normal:MEAN:DEVIATION, or with bounds uniform, latin_hypercube or sobol
    #[arg(long, value_name = "LAW", default_value = "normal:0:1", allow_hyphen_values = true)]
    start: String,

    /// A parameter of pso_sde, as often as needed; `swarmgrad list pso_sde` shows them
    #[arg(short, long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// A bound on the norm of the objective's Hessian [default: estimated, then nothing is proven]
    #[arg(long, value_name = "C", value_parser = argument::number, allow_hyphen_values = true)]
    hessian: Option<f64>,

    /// The objective's infimum [default: the test problem's, or estimated, then nothing is proven]
    #[arg(long, value_name = "E", value_parser = argument::number, allow_hyphen_values = true)]
    minimum: Option<f64>,

    /// Points drawn from the initial law
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = argument::positive)]
    points: u64,

    /// Time over which a swarm is run to measure its rate; 0 for no run
    #[arg(long, value_name = "T", default_value_t = 3.0, value_parser = argument::number)]
    horizon: f64,

    /// Particles of that swarm
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = argument::positive)]
    swarm: u64,

    /// Seed of all random numbers
    #[arg(long, value_name = "K", default_value_t = 0)]
    seed: u64,

    /// Draw the functional H of the measured run over time, with the fitted and the guaranteed rate, as SVG or PNG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,

    /// Print JSON, the record of the measured run included
    #[arg(long)]
    json: bool,
}

impl Certify {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let (_, settings) = registry::entry("pso_sde")?.resolve(&swarmgrad::settings::pairs(&self.set)?)?;
        let params: pso_sde::Params = serde_json::from_value(settings.into())?;
        if !(self.horizon.is_finite() && self.horizon >= 0.0 && self.horizon / params.dt <= 1e7) {
            let rule = "must be at least 0 and at most ten million time steps";
            return Err(Error::parameter("--horizon", self.horizon, rule).into());
        }
        if let Some(path) = &self.plot {
            output::check_picture(path)?;
            if self.horizon == 0.0 {
                return Err(Error::parameter("--plot", path.display(), "needs a run: --horizon above 0").into());
            }
        }
        let (built, given);
        let mut minimizers = Vec::new();
        let (objective, known) = match (&self.problem, &self.samples) {
            (Some(name), _) => {
                let entry = problems::entry(name)?;
                let bounds = self.bounds.as_deref().map(Bounds::parse).transpose()?;
                let least = entry.dims.least();
                let usual = if entry.dims.allows(2) { 2 } else { least };
                let dim = self.dim.or(bounds.as_ref().and_then(Bounds::dim)).unwrap_or(usual);
                let space = bounds.map_or_else(|| Space::unbounded(dim), |bounds| bounds.space(dim))?;
                built = entry.build::<f64>(dim, Some(space))?;
                minimizers = built.minimizers().to_vec();
                let problem: &dyn swarmgrad::Problem = &*built;
                (Objective::Function(problem), built.minimum())
            }
            (None, Some(path)) => {
                given = samples(path)?;
                (Objective::Samples(&given.0, &given.1), None)
            }
            (None, None) => return Err(Error::parameter("problem", "missing", "name one, or give --samples").into()),
        };
        let start = if self.samples.is_some() { Start::Uniform } else { space::start(&self.start)? };
        if self.problem.is_some() && self.bounds.is_none() && start == Start::Uniform {
            return Err(Error::parameter("--start", "uniform", "needs --bounds").into());
        }
        let certificate = certify(&Question {
            objective,
            params: params.clone(),
            start,
            hessian: self.hessian,
            minimum: self.minimum.or(known),
            minimizers: &minimizers,
            samples: self.points as usize,
            horizon: self.horizon,
            swarm: self.swarm as usize,
            path: 1_000_000,
            seed: self.seed,
        })?;
        if let Some(path) = &self.plot {
            output::write_picture(path, picture(&certificate))?;
        }
        if self.json {
            let mut value = serde_json::to_value(&certificate)?;
            value["rate"] = certificate.rate().map_or(serde_json::Value::Null, output::number);
            value["params"] = serde_json::to_value(&params)?;
            output::print_json(&value)?;
        } else {
            output::print(&text(&certificate, &params))?;
        }
        Ok(ExitCode::from(match certificate.verdict {
            Verdict::Holds => DONE,
            Verdict::NotProven => NOT_PROVEN,
            Verdict::Fails => NO_VALUE,
        }))
    }
}

/// H and what it is made of over time, with its rates.
fn picture(c: &Certificate) -> String {
    let mut chart = Chart::new("Decay of the swarm", Axis::linear("t"), Axis::log("mean over the swarm"));
    let Some(m) = &c.measured else { return chart.svg() };
    let remembers = c.with_memory.is_some();
    let size = |s: &Moment| if remembers { s.h_memory } else { s.h };
    let over = |f: &dyn Fn(&Moment) -> f64| m.record.iter().map(|s| (s.time, f(s))).collect::<Vec<_>>();
    let first = m.record.first().map_or(1.0, size);
    let line = |rate: f64| m.record.iter().map(|s| (s.time, first * (-rate * s.time).exp())).collect::<Vec<_>>();
    chart.line(Line::new(format!("H of Theorem {}", c.theorem), over(&size)));
    chart.line(Line::new(format!("fitted rate {}", short(m.rate)), line(m.rate)));
    if let Some(rate) = c.rate() {
        chart.line(Line::new(format!("guaranteed rate {}", short(rate)), line(rate)));
    }
    chart.line(Line::new("variance of the positions", over(&|s| s.moments.variance)));
    chart.line(Line::new("second moment of the velocities", over(&|s| s.moments.velocity)));
    if remembers {
        chart.line(Line::new("squared distance to the local bests", over(&|s| s.moments.memory)));
    }
    chart.line(Line::new("effective sample size", over(&|s| s.effective)));
    chart.svg()
}

/// Points and values: the last number of a line is the value.
fn samples(path: &std::path::Path) -> anyhow::Result<(Matrix, Vec<f64>)> {
    let name = path.display().to_string();
    let lines = space::points(&name)?;
    let width = lines[0].len();
    let (mut flat, mut values) = (Vec::new(), Vec::new());
    for (k, line) in lines.iter().enumerate() {
        match line.split_last() {
            Some((value, x)) if !x.is_empty() && line.len() == width => {
                flat.extend_from_slice(x);
                values.push(*value);
            }
            _ => return Err(Error::shape(format!("{name}, sample {}", k + 1), line.len(), width.max(2)).into()),
        }
    }
    Ok((Matrix::from_vec(width - 1, flat)?, values))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::NotProven => "not proven",
        Verdict::Fails => "FAILS",
    }
}

/// The parameters of a suggestion as --set takes them.
fn settings(s: &Suggestion) -> String {
    let memory = if s.memory == Memory::None { "none" } else { "smooth" };
    let numbers = [
        ("kappa", s.kappa),
        ("theta", s.theta),
        ("lambda1", Some(s.lambda1)),
        ("sigma1", Some(s.sigma1)),
        ("inertia", Some(s.inertia)),
        ("sigma2", Some(s.sigma2)),
        ("alpha", Some(s.alpha)),
    ];
    let numbers = numbers.into_iter().filter_map(|(name, value)| Some(format!(" {name}={}", short(value?))));
    format!("memory={memory}{}", numbers.collect::<String>())
}

/// What a suggestion changes besides, where it was chosen.
fn otherwise(params: &pso_sde::Params) -> String {
    let noise = if params.noise == Noise::Isotropic { " noise=anisotropic" } else { "" };
    let scheme = if params.scheme == Scheme::Explicit { " scheme=semi_implicit" } else { "" };
    format!("{noise}{scheme}")
}

/// What the theorem promises of the point in which the swarm gathers.
fn promise(c: &Certificate) -> String {
    let Some(p) = &c.promise else { return "none: W(0) is not known to be positive".into() };
    let hangs = if c.verdict == Verdict::Fails { ", were no hypothesis violated" } else { "" };
    let empty = match p.empty {
        true => "EMPTY, a point of the start is as good",
        false => "better than a point of the start",
    };
    let (bound, scheme, start) = (short(p.bound), short(p.scheme), short(p.start));
    format!(
        "E(x~) - inf E <= (1/alpha) log(2/W(0)) = {bound}{hangs} (by the scheme {scheme}; the start's median {start}: {empty})"
    )
}

fn text(c: &Certificate, params: &pso_sde::Params) -> String {
    let mut table = Table::new(["hypothesis", "verdict", "because", "change"]);
    for h in &c.hypotheses {
        table.row([h.name, word(h.verdict), &h.because, &h.change]);
    }
    let mut out = format!("Theorem {}: {}\n\n{}\n", c.theorem, word(c.verdict), table.text(Rules::Unicode));
    let mut line = |name: &str, text: String| out += &format!("{name:<22} {text}\n");
    line("promise", promise(c));
    if let Some(alpha) = c.promise.and_then(|p| p.alpha) {
        let half = c.promise.map_or(f64::NAN, |p| 0.5 * p.start);
        line("alpha_0", format!("{} for a promise of half the start's median, {}", short(alpha), short(half)));
    }
    if let Some(a) = &c.continuity {
        let far = a.distance.map_or(String::new(), |far| format!(": |x~ - x*| <= {}", short(far)));
        line("A5", format!("|x - x*| <= (E - inf E)^{}/{} (estimated){far}", a.nu, short(a.eta)));
    }
    if let Some(probability) = c.probability.filter(|_| c.verdict != Verdict::Fails) {
        line(
            "probability",
            format!("at least {} for {} particles (in place of (4.16))", short(probability), params.particles),
        );
    }
    line("guaranteed rate", c.rate().map_or("none".into(), |r| format!("{} (of H, per unit of time)", short(r))));
    match &c.measured {
        Some(m) => {
            line("measured rate", format!("{} (a constant objective: {})", short(m.rate), short(m.flat)));
            let kept = if m.weight > 0.5 { "stays above 1/2, as the theorem needs" } else { "falls to 1/2 or below" };
            let weight = match m.weight.is_finite() {
                true => format!("at least {} on the run: {kept}", short(m.weight)),
                false => "too small to be told: no particle has noticeable weight".into(),
            };
            line("W(t)/W(0)", weight);
            if c.rate().is_some() {
                line("bound violated", format!("{} of {} recorded moments", m.violations, m.moments));
            }
        }
        None => line("measured rate", "none".into()),
    }
    if let Some(factor) = c.locality {
        let deviation = c.spread[0].sqrt();
        let allowed = match factor > 0.0 {
            true => format!("about {}", short(factor * deviation)),
            false => "none: the initial velocities alone are too large".into(),
        };
        line("how local", format!("the start's deviation is {}; P2 allows {allowed}", short(deviation)));
    }
    let t = &c.thresholds;
    line(
        "explodes (mean square)",
        format!("sigma2 > {} (time step -> 0: {})", short(t.mean_square), short(t.mean_square_limit)),
    );
    line("explodes (almost sure)", format!("sigma2 > {}", short(t.almost_sure)));
    for s in &c.suggestions {
        let theorem = if s.memory == Memory::None { "2.5" } else { "3.3" };
        let narrower = match s.shrink < 1.0 {
            true => format!(", start drawn together to {} of its deviation", short(s.shrink)),
            false => String::new(),
        };
        let what = format!("{}{}{narrower}", settings(s), otherwise(params));
        let hangs = match s.proven {
            true => "proven; its promise is empty".to_owned(),
            false => {
                format!("promise {}, as long as W(t) stays above W(0)/2: not proven, see the run", short(s.promise))
            }
        };
        line("suggestion", format!("{what}: rate {} (Theorem {theorem}; {hangs})", short(s.rate)));
    }
    if c.verdict == Verdict::Fails && !c.suggestions.iter().any(|s| s.proven) {
        line(
            "suggestion",
            "none is proven: no inertia, diffusion, sharpness or start on the grid satisfies the conditions".into(),
        );
    }
    out
}
