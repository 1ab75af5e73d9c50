//! `agent`: ask and tell over standard input and output.

use super::minimize::Method;
use crate::DONE;
use crate::argument::MOST_VARIABLES;
use clap::Args;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use swarmgrad::combine::distinct::Distinct;
use swarmgrad::registry::{self, Settings};
use swarmgrad::study::journal::{self, Journal};
use swarmgrad::study::number::typed;
use swarmgrad::study::space::{is_record, known_points, real, typed_points};
use swarmgrad::{Batch, Error, Limits, Session, Space, Start, Typed, Variable};

pub const PROTOCOL: &str = "\
Lines in, on standard input:
  init <dim> <lower> <upper> <budget> <seed>   begin; lower and upper are a number, or a comma list of one a variable,
                                               inf and -inf allowed; budget is the number of evaluations, - for no limit
  init <budget> <seed>                         the same where the variables were given by --var
  tell <f1> ... <fn>                           the values of the points asked for, in order; nan and inf are failures
  best                                         ask for the best point so far
  done                                         end, as the end of the input does
Lines out, on standard output:
  ask <n>                                      then n lines of dim numbers with 17 significant digits: evaluate these;
                                               with --var n lines of JSON, {\"lr\":0.01,\"layers\":3,\"act\":\"relu\"}
  best <f> <x1> ... <xd>                       the best value told so far and its point; best - before the first that is finite
  stop                                         the method has ended or the budget is spent; init may begin anew
  error <text>                                 the last line was wrong and changed nothing; what was asked still stands

With --record every value is on disk before it is used. The same init again continues where the file ends: only points whose \
values it lacks are asked for, so a round may be smaller than usual. --x0 gives points to begin with, or the record of another \
run, whose values are believed and not asked for again.

When the budget does not reach for a whole set of points, only so many are asked for as remain. Smaller values are better; \
the best point is whatever you were asked for and found best. Equal seeds and values give equal points, the same as \
`swarmgrad minimize` evaluates.

Example (lines marked > are written to the program, the others come back):
  > init 2 -5 5 100 1
  ask 40
  -1.2345678901234567e0 4.5678901234567890e-1
  ...
  > tell 3.5 nan 12 ...
  ask 40
  ...";

/// The method to drive.
#[derive(Args, Debug)]
pub struct Agent {
    #[command(flatten)]
    method: Method,

    /// A typed variable, as often as needed; see `swarmgrad help minimize`. Points are JSON objects then, and no values are asked
    /// for twice
    #[arg(long = "var", value_name = "NAME=KIND", help_heading = "Problem")]
    variables: Vec<String>,

    /// Points to begin with: one as 0.1,-0.2, or a file: a JSON array, text with one point a line, or the record of a run, whose values
    /// are not asked for again
    #[arg(long, value_name = "POINT|FILE", allow_hyphen_values = true, help_heading = "Method")]
    x0: Option<PathBuf>,

    /// Write every value to a file before it is used, as JSON lines; the same init again continues where the file ends
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    record: Option<PathBuf>,
}

impl Agent {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let (entry, mut settings) = self.method.read()?;
        // Wrong parameters are found now rather than at the first init; some need bounds to be judged.
        let trial = settings.iter().filter(|(key, _)| *key != "start").map(|(key, value)| (key.clone(), value.clone()));
        entry.build(&Space::cube(2, -1.0, 1.0)?, Some(1_000_000), &trial.collect())?;
        let read: Vec<Vec<Variable>> =
            self.variables.iter().map(|text| Variable::read(text)).collect::<Result<_, _>>()?;
        let variables = read.concat();
        let typed = if variables.is_empty() { None } else { Some(Space::of(variables)?) };
        let (points, values) = match (&self.x0, &typed) {
            (None, _) => Default::default(),
            (Some(path), Some(space)) if !is_record(path) => (typed_points(path, space)?, Vec::new()),
            (Some(path), _) => known_points(path, false)?,
        };
        if !points.is_empty() {
            settings.insert("start".into(), serde_json::to_value(Start::Points(points.clone()))?);
        }
        let known = points.into_iter().zip(values).collect();
        let record = self.record.clone();
        let mut talk = Talk { entry, settings, typed, known, record, session: None, batch: None };
        let mut input = std::io::stdin().lock();
        let mut output = std::io::stdout().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                return Ok(ExitCode::from(DONE));
            }
            let answer = match talk.hear(&String::from_utf8_lossy(&line)) {
                Ok(Some(answer)) => answer,
                Ok(None) => return Ok(ExitCode::from(DONE)),
                Err(why) => format!("error {}\n", why.to_string().replace(['\n', '\r'], " ")),
            };
            match output.write_all(answer.as_bytes()).and_then(|()| output.flush()) {
                // Nobody listens any more.
                Err(why) if why.kind() == std::io::ErrorKind::BrokenPipe => return Ok(ExitCode::from(DONE)),
                written => written?,
            }
        }
    }
}

/// The conversation.
struct Talk {
    entry: &'static registry::Entry,
    settings: Settings,
    /// The space, where the variables have types.
    typed: Option<Space>,
    /// Points whose values are known.
    known: Vec<(Vec<f64>, f64)>,
    record: Option<PathBuf>,
    /// A method between an `init` and the next.
    session: Option<Session<'static>>,
    /// What was asked for and is not answered.
    batch: Option<Batch>,
}

impl Talk {
    /// The answer to a line; `None` when the other side is done.
    fn hear(&mut self, line: &str) -> swarmgrad::Result<Option<String>> {
        let mut words = line.split_whitespace();
        let rest = |words: std::str::SplitWhitespace<'_>| words.map(str::to_owned).collect::<Vec<_>>();
        let alone = |word: Option<&str>, name: &str| match word {
            None => Ok(()),
            Some(word) => Err(Error::parameter(name, format!("'{word}'"), format!("{name} stands alone"))),
        };
        match words.next() {
            // An empty line is nothing said.
            None => Ok(Some(String::new())),
            Some("init") => {
                let session = self.begin(&rest(words))?;
                self.session = Some(session);
                Ok(Some(self.ask()))
            }
            Some("tell") => self.tell(&rest(words)).map(Some),
            Some("best") => {
                alone(words.next(), "best")?;
                // Where all points have failed there is none.
                let best =
                    self.session.as_ref().and_then(|session| session.best()).filter(|best| best.value.is_finite());
                Ok(Some(
                    best.map_or("best -\n".into(), |best| {
                        format!("best {:.16e} {}\n", best.value, self.point(&best.x))
                    }),
                ))
            }
            Some("done") => alone(words.next(), "done").map(|()| None),
            Some(word) => Err(Error::unknown("message", word, ["init", "tell", "best", "done"])),
        }
    }

    fn begin(&mut self, words: &[String]) -> swarmgrad::Result<Session<'static>> {
        let wrong = |rule: &str| Err(Error::parameter("init", format!("{} words", words.len()), rule));
        let (space, budget, seed) = match (&self.typed, words) {
            (Some(space), [budget, seed]) => (space.clone(), budget, seed),
            (Some(_), _) => return wrong("must be init <budget> <seed>, for --var says the rest"),
            (None, [dim, lower, upper, budget, seed]) => (self.space(dim, lower, upper)?, budget, seed),
            (None, _) => return wrong("must be init <dim> <lower> <upper> <budget> <seed>"),
        };
        let budget = match &**budget {
            "-" => None,
            word => Some(whole("budget", word)?).filter(|&budget| budget > 0),
        };
        let seed = whole("seed", seed)?;
        let method = Distinct::over(self.entry.build(&space, budget, &self.settings)?, &space);
        let limits = Limits { evaluations: budget, ..Limits::default() };
        let session = Session::new(method, seed).limits(limits).known(self.known.clone());
        let Some(path) = &self.record else { return Ok(session) };
        let study = match &self.typed {
            None => json!({ "agent": words.join(" "), "method": self.entry.name, "settings": self.settings }),
            Some(space) => {
                let variables: Vec<String> = space.variables().iter().map(Variable::to_string).collect();
                let init = words.join(" ");
                json!({ "agent": init, "method": self.entry.name, "settings": self.settings, "variables": variables })
            }
        };
        let another = |found: &journal::Contents| match found.header.digest == journal::digest(&study) {
            true => Ok(()),
            false => {
                let why = "holds another run: name another --record, or move it away".into();
                Err(Error::File { path: path.display().to_string(), why })
            }
        };
        let begun = std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() > 0);
        if begun && self.session.is_some() {
            // What is wrong leaves the session before as it is; else that one makes room, for it writes the same file.
            another(&journal::read(path)?)?;
            (self.session, self.batch) = (None, None);
        }
        if !begun {
            let names = space.variables().iter().map(|variable| variable.name().to_owned()).collect();
            let header = journal::Header::new(study).names(names);
            return Ok(session.watch(Journal::create(path, &header)?.of(&space).of_outside()));
        }
        let (journal, contents) = Journal::append(path)?;
        another(&contents)?;
        let mut session = session.watch(journal.of(&space).of_outside());
        journal::replay(&mut session, &contents)?;
        Ok(session)
    }

    /// The box of an `init`.
    fn space(&self, dim: &str, lower: &str, upper: &str) -> swarmgrad::Result<Space> {
        let dim = usize::try_from(whole("dim", dim)?).unwrap_or(usize::MAX);
        if !(1..=MOST_VARIABLES).contains(&dim) {
            return Err(Error::parameter("dim", dim, format!("must be from 1 to {MOST_VARIABLES}")));
        }
        let bounds = |name: &str, word: &str| {
            let rule = "must be a number or a comma list of one number a variable";
            let wrong = || Error::parameter(name, format!("'{word}'"), rule);
            let list = word.split(',').map(real).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
            match list[..] {
                [one] => Ok(vec![one; dim]),
                _ if list.len() == dim => Ok(list),
                _ => Err(Error::shape(name, list.len(), dim)),
            }
        };
        Space::new(bounds("lower", lower)?, bounds("upper", upper)?)
    }

    /// A point as it is written.
    fn point(&self, x: &[f64]) -> String {
        let Some(space) = &self.typed else { return row(x) };
        let values = space.variables().iter().zip(space.decode(x));
        let member = |(variable, value): (&Variable, Typed)| format!("{}:{}", json!(variable.name()), typed(&value));
        format!("{{{}}}", values.map(member).collect::<Vec<_>>().join(","))
    }

    fn ask(&mut self) -> String {
        self.batch = self.session.as_mut().map(|session| session.ask(usize::MAX)).filter(|batch| !batch.is_empty());
        let Some(batch) = &self.batch else { return "stop\n".into() };
        let mut text = format!("ask {}\n", batch.len());
        for x in batch.rows().iter() {
            text += &self.point(x);
            text.push('\n');
        }
        text
    }

    fn tell(&mut self, words: &[String]) -> swarmgrad::Result<String> {
        let (Some(session), Some(batch)) = (&mut self.session, &self.batch) else {
            return Err(Error::parameter("tell", "too early", "nothing was asked; begin with init"));
        };
        if words.len() != batch.len() {
            return Err(Error::shape("tell", words.len(), batch.len()));
        }
        let mut values = Vec::with_capacity(words.len());
        for (i, word) in words.iter().enumerate() {
            let value: f64 = word.parse().map_err(|_| {
                Error::parameter(format!("value {}", i + 1), format!("'{word}'"), "must be a number, nan or inf")
            })?;
            values.push(value);
        }
        session.tell_batch(batch, &values)?;
        Ok(self.ask())
    }
}

fn whole(name: &str, word: &str) -> swarmgrad::Result<u64> {
    word.parse().map_err(|_| Error::parameter(name, format!("'{word}'"), "must be a whole number, at least 0"))
}

/// A point with 17 significant digits a number.
fn row(x: &[f64]) -> String {
    let mut text = String::new();
    for (j, t) in x.iter().enumerate() {
        let _ = write!(text, "{}{t:.16e}", if j > 0 { " " } else { "" });
    }
    text
}
