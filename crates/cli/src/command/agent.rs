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
use swarmgrad::registry::{self, Settings};
use swarmgrad::study::journal::{self, Journal};
use swarmgrad::study::space::{known_points, real};
use swarmgrad::{Batch, Error, Limits, Session, Space, Start};

pub const PROTOCOL: &str = "\
Lines in, on standard input:
  init <dim> <lower> <upper> <budget> <seed>   begin; lower and upper are a number, or a comma list of one a variable,
                                               inf and -inf allowed; budget is the number of evaluations, - for no limit
  tell <f1> ... <fn>                           the values of the points asked for, in order; nan and inf are failures
  best                                         ask for the best point so far
  done                                         end, as the end of the input does
Lines out, on standard output:
  ask <n>                                      then n lines of dim numbers with 17 significant digits: evaluate these
  best <f> <x1> ... <xd>                       the best value told so far and its point; best - before the first
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

    /// Points to begin with, from a file: a JSON array, text with one point a line, or the record of a run, whose values are not
    /// asked for again
    #[arg(long, value_name = "FILE", help_heading = "Method")]
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
        let (points, values) = self.x0.as_deref().map_or(Ok(Default::default()), |path| known_points(path, false))?;
        if !points.is_empty() {
            settings.insert("start".into(), serde_json::to_value(Start::Points(points.clone()))?);
        }
        let known = points.into_iter().zip(values).collect();
        let mut talk = Talk { entry, settings, known, record: self.record.clone(), session: None, batch: None };
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
                self.session = Some(self.begin(&rest(words))?);
                Ok(Some(self.ask()))
            }
            Some("tell") => self.tell(&rest(words)).map(Some),
            Some("best") => {
                alone(words.next(), "best")?;
                let best = self.session.as_ref().and_then(|session| session.best());
                Ok(Some(best.map_or("best -\n".into(), |best| format!("best {:.16e} {}\n", best.value, row(&best.x)))))
            }
            Some("done") => alone(words.next(), "done").map(|()| None),
            Some(word) => Err(Error::unknown("message", word, ["init", "tell", "best", "done"])),
        }
    }

    fn begin(&self, words: &[String]) -> swarmgrad::Result<Session<'static>> {
        let [dim, lower, upper, budget, seed] = words else {
            let rule = "must be init <dim> <lower> <upper> <budget> <seed>";
            return Err(Error::parameter("init", format!("{} words", words.len()), rule));
        };
        let whole = |name: &str, word: &str| {
            word.parse().map_err(|_| Error::parameter(name, format!("'{word}'"), "must be a whole number, at least 0"))
        };
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
        let space = Space::new(bounds("lower", lower)?, bounds("upper", upper)?)?;
        let budget = match &**budget {
            "-" => None,
            word => Some(whole("budget", word)?).filter(|&budget| budget > 0),
        };
        let seed = whole("seed", seed)?;
        let method = self.entry.build(&space, budget, &self.settings)?;
        let limits = Limits { evaluations: budget, ..Limits::default() };
        let session = Session::new(method, seed).limits(limits).known(self.known.clone());
        let Some(path) = &self.record else { return Ok(session) };
        let study = json!({ "agent": words.join(" "), "method": self.entry.name, "settings": self.settings });
        if !std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() > 0) {
            return Ok(session.watch(Journal::create(path, &journal::Header::new(study))?));
        }
        let (journal, contents) = Journal::append(path)?;
        if contents.header.digest != journal::digest(&study) {
            let why = "holds another run: name another --record, or move it away".into();
            return Err(Error::File { path: path.display().to_string(), why });
        }
        let mut session = session.watch(journal);
        journal::replay(&mut session, &contents)?;
        Ok(session)
    }

    fn ask(&mut self) -> String {
        self.batch = self.session.as_mut().map(|session| session.ask(usize::MAX)).filter(|batch| !batch.is_empty());
        let Some(batch) = &self.batch else { return "stop\n".into() };
        let mut text = format!("ask {}\n", batch.len());
        for x in batch.rows().iter() {
            text += &row(x);
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

/// A point with 17 significant digits a number.
fn row(x: &[f64]) -> String {
    let mut text = String::new();
    for (j, t) in x.iter().enumerate() {
        let _ = write!(text, "{}{t:.16e}", if j > 0 { " " } else { "" });
    }
    text
}
