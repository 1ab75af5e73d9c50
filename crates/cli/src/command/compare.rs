//! `compare`: methods on problems, many seeds each, as tables, plots and records.

use crate::output::{self, grouped, number};
use crate::{DONE, argument, interrupt};
use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use swarmgrad::problems::{self, Dims};
use swarmgrad::registry;
use swarmgrad::{Error, Evaluations, Halt, Progress, Reason, Run};
use swarmgrad_lab::plot::{Convergence, png};
use swarmgrad_lab::stats::{Interval, quartiles, wilson};
use swarmgrad_lab::table::{Rules, Table, significant};
use swarmgrad_lab::{History, Record, RecordWriter, record};

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad compare --methods clpso,de,pso --problems rastrigin,rosenbrock --dim 10
  swarmgrad compare --methods pso_sde,cbo --problems ackley --dim 10,30 --seeds 100 -o results
  swarmgrad compare --methods pso,clpso --problems sphere --set particles=50 --set pso.topology=ring --precision 1e-4
  swarmgrad compare --methods diff_pso,pso --problems rastrigin -d 10 --set diff_pso.schedule=learned.json

A run succeeds when it finds a value within --precision of the known minimum, or at most --target. Every run goes on until \
its evaluations are spent. The table shows medians and quartiles; the success rate has a 95 % Wilson interval; evaluations \
to the target count a run that missed it as infinite.

With -o DIR every finished run is kept at once in DIR/records.jsonl, one JSON object a line; the same command again \
continues from there, so a kill loses only what was being computed. DIR also gets summary.json, and for every problem a \
plot of the best value against evaluations, as SVG and PNG. The numbers do not depend on --threads.";

/// Evaluations a variable where nothing is said.
const EVALUATIONS_A_VARIABLE: u64 = 1000;
/// More runs than this of one method on one problem are a slip of the finger.
const MOST_SEEDS: u64 = 1_000_000;
/// Points of a kept curve.
const CURVE: usize = 200;
/// Of the intervals of success rates.
const CONFIDENCE: f64 = 0.95;

/// What to compare.
#[derive(Args, Debug)]
pub struct Compare {
    /// Methods, a comma list; see `swarmgrad list methods`
    #[arg(short, long, value_name = "A,B,..", value_delimiter = ',', required = true)]
    methods: Vec<String>,

    /// Problems, a comma list; see `swarmgrad list problems`
    #[arg(short, long, value_name = "P,Q,..", value_delimiter = ',', required = true)]
    problems: Vec<String>,

    /// Numbers of variables, a comma list; a problem that allows only one number has that one [default: 2, or the least]
    #[arg(short, long, value_name = "D,..", value_delimiter = ',', value_parser = argument::dim)]
    dim: Vec<usize>,

    /// Runs of every method on every problem, with the seeds 0, 1, 2, ...
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = argument::positive)]
    seeds: u64,

    /// Evaluations of every run [default: 1000 a variable]
    #[arg(short = 'n', long, value_name = "N", value_parser = argument::positive)]
    evaluations: Option<u64>,

    /// The value that counts as success
    #[arg(long, value_name = "T", value_parser = argument::number, allow_hyphen_values = true, conflicts_with = "precision")]
    target: Option<f64>,

    /// How near to the known minimum counts as success
    #[arg(long, value_name = "E", default_value_t = 1e-8, value_parser = argument::number)]
    precision: f64,

    /// A parameter: KEY=VALUE for all methods that have it, METHOD.KEY=VALUE for one
    #[arg(short, long, value_name = "[METHOD.]KEY=VALUE")]
    set: Vec<String>,

    /// Threads, one run on each; 0 for one a core
    #[arg(short, long, value_name = "N", default_value_t = 0, value_parser = argument::threads)]
    threads: usize,

    /// Keep records, summary and plots in this folder, and continue from the records there
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Print the summary as JSON
    #[arg(long)]
    json: bool,

    /// Show no progress bar
    #[arg(short, long)]
    quiet: bool,
}

/// A method on a problem: the runs of one row of the table.
struct Cell {
    method: &'static registry::Entry,
    given: Map<String, Value>,
    params: Map<String, Value>,
    problem: problems::Entry,
    dim: usize,
    budget: u64,
    minimum: Option<f64>,
    target: Option<f64>,
}

/// One finished run as a line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    /// The evaluations the run was given.
    budget: u64,
    #[serde(flatten)]
    record: Record,
}

impl Compare {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let cells = self.cells()?;
        let records = self.output.as_ref().map(|folder| folder.join("records.jsonl"));
        let mut runs: Vec<Vec<Option<Record>>> = cells.iter().map(|_| vec![None; self.seeds as usize]).collect();
        let mut writer = None;
        if let Some(path) = &records {
            // Opening repairs a line that a kill has torn.
            writer = Some(Mutex::new(RecordWriter::append(path)?));
            for line in record::read::<Line>(path)?.records {
                let cell = cells.iter().position(|cell| cell.owns(&line));
                let slot = cell.and_then(|c| runs[c].get_mut(usize::try_from(line.record.seed).ok()?));
                slot.into_iter().for_each(|slot| *slot = Some(line.record.clone()));
            }
        }
        let missing: Vec<(usize, u64)> = (0..cells.len())
            .flat_map(|c| (0..self.seeds).map(move |seed| (c, seed)))
            .filter(|&(c, seed)| runs[c][seed as usize].is_none())
            .collect();
        let found = runs.iter().map(Vec::len).sum::<usize>() - missing.len();
        let halt = Halt::new(interrupt::flag());
        let (finished, interrupted) = self.compute(&cells, &missing, &halt, writer.as_ref())?;
        for ((c, seed), record) in finished {
            runs[c][seed as usize] = Some(record);
        }
        let runs: Vec<Vec<Record>> = runs.into_iter().map(|runs| runs.into_iter().flatten().collect()).collect();

        let summary: Value = cells.iter().zip(&runs).map(|(cell, runs)| cell.summary(runs)).collect();
        if let Some(folder) = &self.output {
            let write = |name: &str, bytes: &[u8]| swarmgrad::write_whole(&folder.join(name), bytes);
            write("summary.json", serde_json::to_string_pretty(&summary)?.as_bytes())?;
            for (name, svg) in plots(&cells, &runs)? {
                write(&format!("{name}.svg"), svg.as_bytes())?;
                write(&format!("{name}.png"), &png(&svg, 2.0)?)?;
            }
        }
        if self.json {
            output::print_json(&summary)?;
        } else {
            let mut text = tables(&cells, &runs);
            match &self.output {
                Some(folder) if found > 0 => {
                    text += &format!(
                        "{} runs were there already. Records, summary and plots: {}\n",
                        found,
                        folder.display()
                    );
                }
                Some(folder) => text += &format!("Records, summary and plots: {}\n", folder.display()),
                None => text += "With -o DIR the runs are kept, continued after a kill, and plotted.\n",
            }
            output::print(&text)?;
        }
        if interrupted {
            eprintln!("swarmgrad: interrupted; the numbers are of the runs finished so far");
            return Ok(ExitCode::from(interrupt::EXIT));
        }
        Ok(ExitCode::from(DONE))
    }

    /// Every method on every problem in every dimension, problem by problem.
    fn cells(&self) -> anyhow::Result<Vec<Cell>> {
        if self.precision < 0.0 {
            return Err(Error::parameter("--precision", self.precision, "must be at least 0").into());
        }
        let methods: Vec<_> = self.methods.iter().map(|name| registry::entry(name.trim())).collect::<Result<_, _>>()?;
        if let Some(twice) = (1..methods.len()).find(|&k| methods[..k].iter().any(|m| m.name == methods[k].name)) {
            return Err(Error::parameter("--methods", methods[twice].name, "is named twice").into());
        }
        if self.seeds > MOST_SEEDS {
            return Err(Error::parameter("--seeds", self.seeds, format!("must be at most {MOST_SEEDS}")).into());
        }
        let mut cells: Vec<Cell> = Vec::new();
        let given = self.settings(&methods)?;
        for name in &self.problems {
            let problem = problems::entry(name.trim())?;
            let mut dims: Vec<usize> = match (problem.dims, &self.dim[..]) {
                (Dims::Exactly(only), _) => vec![only],
                (Dims::Any { min }, []) => vec![min.max(2)],
                (Dims::Any { .. }, dims) => dims.to_vec(),
            };
            // A problem or a dimension named twice is computed once.
            dims.retain(|dim| !cells.iter().any(|cell| (cell.problem, cell.dim) == (problem, *dim)));
            dims.sort_unstable();
            dims.dedup();
            for dim in dims {
                let built = problem.build::<f64>(dim, None)?;
                let minimum = built.minimum();
                let target = self.target.or(minimum.map(|least| least + self.precision));
                let budget = self.evaluations.unwrap_or(EVALUATIONS_A_VARIABLE.saturating_mul(dim as u64));
                for (&method, given) in methods.iter().zip(&given) {
                    // Wrong parameters are found before anything runs.
                    method.build(built.space(), Some(budget), given).with_context(|| method.name.to_owned())?;
                    let params = method.complete(given);
                    cells.push(Cell { method, given: given.clone(), params, problem, dim, budget, minimum, target });
                }
            }
        }
        Ok(cells)
    }

    /// The parameters given to each method.
    fn settings(&self, methods: &[&registry::Entry]) -> swarmgrad::Result<Vec<Map<String, Value>>> {
        let mut given = vec![Map::new(); methods.len()];
        for (key, value) in swarmgrad::settings::pairs(&self.set)? {
            let (only, name) = key.split_once('.').map_or((None, &*key), |(method, name)| (Some(method), name));
            if let Some(only) = only.filter(|only| methods.iter().all(|method| method.name != *only)) {
                return Err(Error::unknown("method of --methods", only, methods.iter().map(|method| method.name)));
            }
            let has = |method: &registry::Entry| {
                method.parameters().iter().any(|p| p.name == name) || ["start", "preset"].contains(&name)
            };
            if !methods.iter().any(|method| has(method)) {
                let tables: Vec<_> = methods.iter().flat_map(|method| method.parameters()).collect();
                return Err(Error::unknown("parameter of these methods", name, tables.iter().map(|p| p.name)));
            }
            for (method, given) in methods.iter().zip(&mut given) {
                if only == Some(method.name) || only.is_none() && has(method) && !given.contains_key(name) {
                    given.insert(name.to_owned(), value.clone());
                }
            }
        }
        Ok(given)
    }

    /// Computes the missing runs, each on one thread; says whether it was interrupted.
    #[allow(clippy::type_complexity)]
    fn compute(
        &self,
        cells: &[Cell],
        missing: &[(usize, u64)],
        halt: &Halt,
        writer: Option<&Mutex<RecordWriter>>,
    ) -> anyhow::Result<(Vec<((usize, u64), Record)>, bool)> {
        let threads = match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let bar = if self.quiet || self.json { ProgressBar::hidden() } else { ProgressBar::new(missing.len() as u64) };
        bar.set_style(ProgressStyle::with_template("{wide_bar} {pos} of {len} runs, {eta} left")?);
        bar.tick();
        let next = AtomicUsize::new(0);
        let work = || -> anyhow::Result<Vec<((usize, u64), Record)>> {
            let mut finished = Vec::new();
            while let Some(&(c, seed)) = missing.get(next.fetch_add(1, Relaxed)).filter(|_| !halt.requested()) {
                let Some(record) = cells[c].run(seed, halt)? else { break };
                if let Some(writer) = writer {
                    let line = Line { budget: cells[c].budget, record: record.clone() };
                    writer.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).write(&line)?;
                }
                finished.push(((c, seed), record));
                bar.inc(1);
            }
            Ok(finished)
        };
        let mut finished = Vec::new();
        std::thread::scope(|scope| -> anyhow::Result<()> {
            let handles: Vec<_> = (0..threads.min(missing.len())).map(|_| scope.spawn(work)).collect();
            for handle in handles {
                match handle.join() {
                    Ok(part) => finished.extend(part?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(())
        })?;
        bar.finish_and_clear();
        let interrupted = halt.requested() && finished.len() < missing.len();
        Ok((finished, interrupted))
    }
}

impl Cell {
    /// One run to the end of its budget; `None` if it was interrupted.
    fn run(&self, seed: u64, halt: &Halt) -> swarmgrad::Result<Option<Record>> {
        let problem = self.problem.build::<f64>(self.dim, None)?;
        let mut algorithm = self.method.build(problem.space(), Some(self.budget), &self.given)?;
        let (mut history, mut reached) = (History::new(CURVE), None);
        let mut see = |p: &Progress<'_>| {
            history.push(p.evaluations, p.best.value);
            if let Some(target) = self.target.filter(|_| reached.is_none()) {
                let before = p.evaluations - p.values.len() as u64;
                reached = p.values.iter().position(|value| *value <= target).map(|i| before + i as u64 + 1);
            }
            ControlFlow::Continue(())
        };
        let mut end = Evaluations(self.budget);
        let run = Run::new(&*problem, &mut *algorithm, seed).watch(&mut see).watch(&mut end).halt(halt.clone());
        let outcome = run.minimize();
        if outcome.reason == Reason::Interrupted {
            return Ok(None);
        }
        // The last round may have been cut before any watcher saw it.
        history.push(outcome.nfev, outcome.fun);
        let reached = reached.or(self.target.filter(|target| outcome.fun <= *target).map(|_| outcome.nfev));
        Ok(Some(Record {
            method: self.method.name.into(),
            problem: self.problem.to_string(),
            dim: self.dim,
            seed,
            params: self.params.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            fun: outcome.fun,
            x: None,
            nfev: outcome.nfev,
            nit: outcome.nit,
            failures: outcome.failures,
            seconds: outcome.seconds,
            reason: outcome.reason.to_string(),
            target: self.target,
            nfev_to_target: reached,
            curve: history.finish(outcome.nfev),
        }))
    }

    /// Whether a kept line is a run of this cell, with all its settings.
    fn owns(&self, line: &Line) -> bool {
        let record = &line.record;
        (line.budget, record.dim, &*record.method) == (self.budget, self.dim, self.method.name)
            && record.problem == self.problem.to_string()
            && record.params == self.params
            && record.target == self.target
            && record.version == env!("CARGO_PKG_VERSION")
    }

    fn statistics(&self, runs: &[Record]) -> Statistics {
        let lowest = self.minimum.unwrap_or(0.0);
        let values: Vec<_> = runs.iter().map(|run| run.fun).collect();
        let reached: Vec<_> = runs.iter().map(|run| run.nfev_to_target.map_or(f64::INFINITY, |n| n as f64)).collect();
        let solved = runs.iter().filter(|run| run.solved() == Some(true)).count() as u64;
        let seconds: Vec<_> = runs.iter().map(|run| run.seconds).collect();
        Statistics {
            fun: quartiles(&values),
            gap: quartiles(&values.iter().map(|value| value - lowest).collect::<Vec<_>>()),
            reached: quartiles(&reached),
            solved,
            rate: wilson(solved, runs.len() as u64, CONFIDENCE).unwrap_or(Interval {
                low: 0.0,
                high: 1.0,
                confidence: 0.0,
            }),
            seconds: quartiles(&seconds)[1],
        }
    }

    fn summary(&self, runs: &[Record]) -> Value {
        let s = self.statistics(runs);
        let spread = |[q1, median, q3]: [f64; 3]| json!({"median": number(median), "q1": number(q1), "q3": number(q3)});
        let mut summary = json!({
            "problem": self.problem.to_string(), "dim": self.dim, "method": self.method.name, "params": self.params,
            "evaluations": self.budget, "runs": runs.len(), "minimum": self.minimum.map(number), "fun": spread(s.fun),
            "target": self.target.map(number), "seconds": number(s.seconds),
            "failures": runs.iter().map(|run| run.failures).sum::<u64>(),
        });
        if let Some(fields) = summary.as_object_mut() {
            if self.minimum.is_some() {
                fields.insert("gap".into(), spread(s.gap));
            }
            if self.target.is_some() {
                let rate = s.solved as f64 / runs.len() as f64;
                let interval = json!({"count": s.solved, "rate": number(rate), "low": s.rate.low, "high": s.rate.high});
                fields.insert("success".into(), interval);
                fields.insert("evaluations_to_target".into(), spread(s.reached));
            }
        }
        summary
    }
}

/// What the runs of a cell say together; quartiles as first, median, third.
struct Statistics {
    fun: [f64; 3],
    gap: [f64; 3],
    reached: [f64; 3],
    solved: u64,
    rate: Interval,
    seconds: f64,
}

/// The cells of one problem in one dimension.
fn groups(cells: &[Cell]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let first = cells.get(begin)?;
        let same = |cell: &&Cell| (cell.problem, cell.dim) == (first.problem, first.dim);
        let range = begin..begin + cells[begin..].iter().take_while(same).count();
        begin = range.end;
        Some(range)
    })
}

fn tables(cells: &[Cell], runs: &[Vec<Record>]) -> String {
    let shown = |value: f64| if value.is_finite() { significant(value, 3) } else { "–".into() };
    let whole = |value: f64| if value.is_finite() { (value.round() as u64).to_string() } else { "–".into() };
    let mut text = String::new();
    for group in groups(cells) {
        let first = &cells[group.start];
        let counts: Vec<_> = runs[group.clone()].iter().map(Vec::len).collect();
        let even = counts.iter().all(|count| *count == counts[0]);
        let mut headers = vec!["method", "median", "quartiles"];
        if first.target.is_some() {
            headers.extend(["success", "95 % interval", "evaluations", "quartiles"]);
        }
        headers.push("time");
        if !even {
            headers.push("runs");
        }
        let mut table = Table::new(headers);
        for (cell, runs) in cells[group.clone()].iter().zip(&runs[group.clone()]) {
            let s = cell.statistics(runs);
            let [q1, median, q3] = if cell.minimum.is_some() { s.gap } else { s.fun };
            let mut row = vec![cell.method.name.to_owned(), shown(median), format!("{} .. {}", shown(q1), shown(q3))];
            if cell.target.is_some() {
                let [low, middle, high] = s.reached;
                row.push(format!("{:.0}%", 100.0 * s.solved as f64 / runs.len().max(1) as f64));
                row.push(format!("{:.0}% .. {:.0}%", 100.0 * s.rate.low, 100.0 * s.rate.high));
                row.push(whole(middle));
                row.push(format!("{} .. {}", whole(low), whole(high)));
            }
            row.push(output::span(s.seconds));
            if !even {
                row.push(runs.len().to_string());
            }
            table.row(row);
        }
        let variables = if first.dim == 1 { "variable" } else { "variables" };
        let many = if even { format!("{} runs", counts[0]) } else { "runs".into() };
        let (name, dim, budget) = (first.problem, first.dim, grouped(first.budget));
        text += &format!("{name}, {dim} {variables}, {many} of {budget} evaluations\n");
        text += &match (first.minimum, first.target) {
            (Some(least), Some(target)) => {
                let (least, goal) = (significant(least, 6), significant(target - least, 3));
                format!("values above the known minimum {least}; success: at most {goal} above it\n")
            }
            (None, Some(target)) => {
                format!("the minimum is not known; success: a value of at most {}\n", significant(target, 6))
            }
            (_, None) => "the minimum is not known; no --target, hence no successes\n".into(),
        };
        text += &format!("\n{}\n", table.text(Rules::Unicode));
    }
    text
}

/// A plot for every problem and dimension: its file's name without ending, and the picture.
fn plots(cells: &[Cell], runs: &[Vec<Record>]) -> anyhow::Result<Vec<(String, String)>> {
    let mut plots = Vec::new();
    for group in groups(cells) {
        let first = &cells[group.start];
        if runs[group.clone()].iter().all(Vec::is_empty) {
            continue;
        }
        let title = format!("{}, {} variables", first.problem.title, first.dim);
        let count = runs[group.clone()].iter().map(Vec::len).max().unwrap_or(0);
        let mut chart = Convergence::new(title).subtitle(format!("median and quartiles of {count} runs"));
        if let Some(minimum) = first.minimum {
            chart = chart.minimum(minimum);
        }
        if let Some(target) = first.target {
            chart = chart.target(target);
        }
        chart.records(runs[group.clone()].iter().flatten());
        let name = first.problem.to_string().replace('/', "_");
        plots.push((format!("{name}_{}", first.dim), chart.chart()?.svg()));
    }
    Ok(plots)
}
