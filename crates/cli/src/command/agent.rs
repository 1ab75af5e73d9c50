//! `agent`: ask and tell over standard input and output.

use super::minimize::Method;
use crate::DONE;
use crate::argument::{MOST_VARIABLES, real, settings};
use clap::Args;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::process::ExitCode;
use swarmgrad::registry;
use swarmgrad::{Algorithm, Error, Matrix, Rng, Space};

pub const PROTOCOL: &str = "\
Lines in, on standard input:
  init <dim> <lower> <upper> <budget> <seed>   begin; lower and upper are a number, or a comma list of one a variable,
                                               inf and -inf allowed; budget is the number of evaluations, - for no limit
  tell <f1> ... <fn>                           the values of the points asked for, in order; nan and inf are failures
  done                                         end, as the end of the input does
Lines out, on standard output:
  ask <n>                                      then n lines of dim numbers with 17 significant digits: evaluate these
  stop                                         the method has ended or the budget is spent; init may begin anew
  error <text>                                 the last line was wrong and changed nothing; what was asked still stands

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
}

impl Agent {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let (entry, params) = self.method.read()?;
        // Wrong parameters are found now rather than at the first init; some need bounds to be judged.
        let trial = params.iter().filter(|(key, _)| *key != "start").map(|(key, value)| (key.clone(), value.clone()));
        entry.build(&Space::cube(2, -1.0, 1.0)?, Some(1_000_000), &trial.collect())?;
        let mut input = std::io::stdin().lock();
        let mut output = std::io::stdout().lock();
        let mut session = Session { entry, params, game: None };
        let mut line = Vec::new();
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                return Ok(ExitCode::from(DONE));
            }
            let answer = match session.hear(&String::from_utf8_lossy(&line)) {
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
struct Session {
    entry: &'static registry::Entry,
    params: Map<String, Value>,
    game: Option<Game>,
}

/// A method between an `init` and its end.
struct Game {
    algorithm: Box<dyn Algorithm>,
    rng: Rng,
    rounds: u64,
    left: u64,
    xs: Matrix,
    /// Points asked for; 0 after the end.
    asked: usize,
}

impl Session {
    /// The answer to a line; `None` when the other side is done.
    fn hear(&mut self, line: &str) -> swarmgrad::Result<Option<String>> {
        let mut words = line.split_whitespace();
        let rest = |words: std::str::SplitWhitespace<'_>| words.map(str::to_owned).collect::<Vec<_>>();
        match words.next() {
            // An empty line is nothing said.
            None => Ok(Some(String::new())),
            Some("init") => {
                let mut game = Game::begin(self.entry, &self.params, &rest(words))?;
                let answer = game.ask();
                self.game = Some(game);
                Ok(Some(answer))
            }
            Some("tell") => match self.game.as_mut().filter(|game| game.asked > 0) {
                Some(game) => game.tell(&rest(words)).map(Some),
                None => Err(Error::parameter("tell", "too early", "nothing was asked; begin with init")),
            },
            Some("done") => match words.next() {
                None => Ok(None),
                Some(word) => Err(Error::parameter("done", format!("'{word}'"), "done stands alone")),
            },
            Some(word) => Err(Error::unknown("message", word, ["init", "tell", "done"])),
        }
    }
}

impl Game {
    fn begin(entry: &registry::Entry, params: &Map<String, Value>, words: &[String]) -> swarmgrad::Result<Self> {
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
        let algorithm = entry.build(&space, budget, params)?;
        let left = budget.unwrap_or(u64::MAX);
        Ok(Game { algorithm, rng: Rng::new(seed), rounds: 0, left, xs: Matrix::default(), asked: 0 })
    }

    fn ask(&mut self) -> String {
        self.asked = 0;
        if self.left > 0 && self.algorithm.stop_reason().is_none() {
            self.rng.set_iteration(self.rounds);
            self.algorithm.ask(&self.rng, &mut self.xs);
            self.asked = self.xs.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        }
        if self.asked == 0 {
            return "stop\n".into();
        }
        let mut text = format!("ask {}\n", self.asked);
        for x in self.xs.iter().take(self.asked) {
            for (j, t) in x.iter().enumerate() {
                let _ = write!(text, "{}{t:.16e}", if j > 0 { " " } else { "" });
            }
            text.push('\n');
        }
        text
    }

    fn tell(&mut self, words: &[String]) -> swarmgrad::Result<String> {
        if words.len() != self.asked {
            return Err(Error::shape("tell", words.len(), self.asked));
        }
        let mut values = Vec::with_capacity(words.len());
        for (i, word) in words.iter().enumerate() {
            let value: f64 = word.parse().map_err(|_| {
                Error::parameter(format!("value {}", i + 1), format!("'{word}'"), "must be a number, nan or inf")
            })?;
            // As in a run: whatever is not finite is a failure.
            values.push(if value.is_finite() { value } else { f64::INFINITY });
        }
        self.left -= values.len() as u64;
        if self.asked < self.xs.len() {
            self.left = 0;
        } else {
            self.algorithm.tell(&mut self.xs, &values);
            self.rounds += 1;
        }
        Ok(self.ask())
    }
}
