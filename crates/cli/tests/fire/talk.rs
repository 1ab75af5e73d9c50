//! Conversations with `agent` that no sane partner would hold: malformed, out of order, huge, cut off. Each line must be answered as the
//! protocol says, an error changes nothing, and the end of the input is the end.

use crate::door::{Draw, program, run_within, side_by_side};
use crate::scratch::Folder;
use crate::tally::Tally;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// An answer that takes longer never comes.
const PATIENCE: Duration = Duration::from_secs(20);
/// Methods that are driven, each by a process.
const METHODS: [&str; 6] = ["de(particles=4)", "auto", "cma_es", "nelder_mead", "pso(particles=5)", "random_search"];

/// One process, with which many sessions are held.
struct Partner {
    child: Child,
    to: ChildStdin,
    from: Receiver<String>,
}

/// What it must think now.
#[derive(Default)]
struct Mind {
    dim: usize,
    lower: f64,
    upper: f64,
    /// Points that wait for values.
    asked: usize,
    left: Option<u64>,
    best: Option<f64>,
}

impl Partner {
    fn new(folder: &Path, method: &str) -> Self {
        let mut command = program(folder, &["agent", "-m", method]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines() {
                if line.is_err() || send.send(line.unwrap_or_default()).is_err() {
                    break;
                }
            }
        });
        Partner { child, to, from: lines }
    }

    fn say(&mut self, line: &[u8]) -> Result<(), String> {
        let all = [line, b"\n"].concat();
        self.to.write_all(&all).and_then(|()| self.to.flush()).map_err(|why| format!("it does not listen: {why}"))
    }

    fn hear(&mut self) -> Result<String, String> {
        self.from.recv_timeout(PATIENCE).map_err(|why| format!("no answer: {why}"))
    }

    /// Hears the answer to a line that asks for points where it is right; what is wrong must be an error.
    fn hear_points(&mut self, mind: &mut Mind, right: bool) -> Result<(), String> {
        let answer = self.hear()?;
        if let Some(why) = answer.strip_prefix("error ") {
            return if right { Err(format!("an error to a right line: {why}")) } else { Ok(()) };
        }
        if !right {
            return Err(format!("'{answer}' to a wrong line"));
        }
        mind.asked = 0;
        if answer == "stop" {
            return Ok(());
        }
        let number = answer.strip_prefix("ask ").and_then(|n| n.parse::<usize>().ok());
        mind.asked = number.filter(|n| *n > 0).ok_or(format!("'{answer}' where points must be asked for"))?;
        if mind.left.is_some_and(|left| mind.asked as u64 > left) {
            return Err(format!("'{answer}' where the budget has {:?} left", mind.left));
        }
        for _ in 0..mind.asked {
            let line = self.hear()?;
            let x: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
            if x.len() != mind.dim || !x.iter().all(|t| (mind.lower..=mind.upper).contains(t)) {
                return Err(format!("the point '{line}' of {} in {}..{}", mind.dim, mind.lower, mind.upper));
            }
        }
        Ok(())
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A value that a partner may tell.
fn value(draw: &mut Draw) -> String {
    let plain = format!("{:?}", (draw.unit() - 0.5) * 10_f64.powi(draw.below(600) as i32 - 300));
    let odd = ["nan", "inf", "-inf", "0", "-0", "1e999", "NaN", "1e308", "-1e308", "5e-324", "+3", "infinity"];
    if draw.below(3) == 0 { (*odd.get(draw.below(odd.len())).unwrap_or(&"0")).to_owned() } else { plain }
}

/// A line that is not right in any state of mind.
fn rubbish(draw: &mut Draw) -> Vec<u8> {
    let bytes = |draw: &mut Draw, n: usize| {
        let byte = |draw: &mut Draw| match draw.below(256) as u8 {
            b'\n' => b' ',
            byte => byte,
        };
        (0..n).map(|_| byte(draw)).collect::<Vec<u8>>()
    };
    match draw.below(9) {
        // Behind a word that is none, so that it is never empty.
        0 => {
            let n = draw.below(200);
            [b"x".to_vec(), bytes(draw, n)].concat()
        }
        1 => {
            let n = draw.below(20_000);
            [b"?".to_vec(), vec![b'9'; n]].concat()
        }
        2 => {
            let words =
                ["init", "tell nan,", "best", "done", "tell 1 2 x", "ask", "error", "stop", "INIT 2 0 1 9 1", "init 2"];
            format!("{} {}", draw.of(&words), ["!", "--", "0x", "é"][draw.below(4)]).into_bytes()
        }
        3 => {
            let bounds = ["1 0", "nan 1", "0 nan", "0,1 1,2,3", "a b", "1e999 1", "0 0,0,0", ", 1", "inf -inf"];
            format!("init 2 {} 10 1", draw.of(&bounds)).into_bytes()
        }
        4 => {
            let dims = ["0", "-1", "1.5", "18446744073709551616", "10000001", "nan", "99999999999999999999", "2e1"];
            format!("init {} 0 1 10 1", draw.of(&dims)).into_bytes()
        }
        5 => {
            let ends = ["-1 1", "1e3 1", "10 -1", "10 1.5", "10 x", "10 18446744073709551616", "10", "10 1 1", "x 1"];
            format!("init 2 0 1 {}", draw.of(&ends)).into_bytes()
        }
        6 => [b"tell ".to_vec(), b"1 ".repeat(30_000)].concat(),
        7 => b"tell 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 oops".to_vec(),
        _ => [b"best".to_vec(), b"\x00\xff\xfe".to_vec()].concat(),
    }
}

/// A session: an `init` and some lines after it.
fn session(partner: &mut Partner, mind: &mut Mind, draw: &mut Draw) -> Result<(), String> {
    // Most sessions begin at their beginning.
    let lines = 2 + draw.below(10);
    let from = if draw.below(10) == 0 { 1 } else { 0 };
    for line in from..lines {
        match if line == 0 { 0 } else { draw.below(12) } {
            0 => {
                let dim = [1, 1, 2, 2, 3, 4, 4, 7][draw.below(8)];
                let boxes =
                    [("0", "1"), ("-5", "5"), ("-1e-300", "1e-300"), ("-1e150", "1e150"), ("-inf", "inf"), ("1", "1")];
                let (lower, upper) = boxes[draw.below(boxes.len())];
                let budget = ["-", "0", "1", "2", "9", "50", "18446744073709551615"][draw.below(7)];
                let seed = draw.next();
                partner.say(format!("init {dim} {lower} {upper} {budget} {seed}").as_bytes())?;
                let answer = partner.from.recv_timeout(PATIENCE).map_err(|why| format!("no answer: {why}"))?;
                // Some methods and boxes do not go together: that is said, and nothing has changed.
                if answer.starts_with("error ") {
                    continue;
                }
                let number = |word: &str| word.parse::<f64>().unwrap_or(f64::NAN);
                let left = budget.parse().ok().filter(|&n| n > 0);
                *mind = Mind { dim, lower: number(lower), upper: number(upper), left, ..Mind::default() };
                let Some(n) = answer.strip_prefix("ask ").and_then(|n| n.parse().ok()) else {
                    if answer == "stop" {
                        continue;
                    }
                    return Err(format!("'{answer}' to init {dim} {lower} {upper} {budget} {seed}"));
                };
                mind.asked = n;
                for _ in 0..n {
                    let point = partner.hear()?;
                    let x: Vec<f64> = point.split(' ').filter_map(|word| word.parse().ok()).collect();
                    if x.len() != dim || !x.iter().all(|t| (mind.lower..=mind.upper).contains(t)) {
                        return Err(format!("the point '{point}' to init {dim} {lower} {upper} {budget} {seed}"));
                    }
                }
            }
            1..=5 => {
                let values: Vec<String> = (0..mind.asked).map(|_| value(draw)).collect();
                partner.say(format!("tell {}", values.join(" ")).as_bytes())?;
                let right = mind.asked > 0;
                if right {
                    mind.left = mind.left.map(|left| left.saturating_sub(values.len() as u64));
                    let finite = values.iter().filter_map(|text| text.parse::<f64>().ok()).filter(|t| t.is_finite());
                    mind.best = finite.chain(mind.best).min_by(f64::total_cmp);
                }
                partner.hear_points(mind, right).map_err(|why| format!("{why}, to {} values", values.len()))?;
            }
            6 | 7 => {
                partner.say(&rubbish(draw))?;
                partner.hear_points(mind, false)?;
            }
            8 => {
                // Too many or too few, where any are asked for.
                let n = if draw.below(2) == 0 { mind.asked + 1 + draw.below(40) } else { mind.asked.saturating_sub(1) };
                partner.say(format!("tell {}", vec!["1"; n].join(" ")).as_bytes())?;
                partner.hear_points(mind, false)?;
            }
            9 => partner.say([&b""[..], b"   ", b"\t\r"][draw.below(3)])?,
            _ => {
                partner.say(b"best")?;
                let answer = partner.hear()?;
                let said = answer.strip_prefix("best ").ok_or(format!("'{answer}' to best"))?;
                let value = said.split(' ').next().and_then(|word| word.parse::<f64>().ok());
                if value != mind.best || value.is_some() && said.split(' ').count() != mind.dim + 1 {
                    return Err(format!("'{answer}' where the best value is {:?}", mind.best));
                }
            }
        }
    }
    Ok(())
}

/// Sessions through few processes.
pub fn sessions(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("agent: sessions");
    let all: Vec<_> = METHODS.iter().enumerate().collect();
    let outcomes = side_by_side(2, &all, |(k, method)| {
        let folder = Folder::new("talk");
        let mut draw = Draw(seed ^ (*k as u64) << 32);
        let (mut partner, mut mind) = (Partner::new(folder.as_ref(), method), Mind::default());
        let session = |number| {
            let outcome =
                session(&mut partner, &mut mind, &mut draw).map_err(|why| format!("{method}, session {number}: {why}"));
            if outcome.is_err() {
                (partner, mind) = (Partner::new(folder.as_ref(), method), Mind::default());
            }
            outcome
        };
        (0..100 * scale).map(session).collect::<Vec<_>>()
    });
    outcomes.into_iter().flatten().for_each(|outcome| tally.case(outcome));
    tally
}

/// The end of the input, or of whoever reads the output, in each state of the conversation.
pub fn ends(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("agent: the end at each moment");
    let mut draw = Draw(seed);
    let beginnings: [&str; 12] = [
        "",
        "\n",
        "init",
        "init 2 0 1 - 1",
        "init 2 0 1 - 1\n",
        "init 2 0 1 - 1\ntell 1 2 3 4",
        "init 2 0 1 - 1\ntell 1 2 3 4\n",
        "init 2 0 1 4 1\ntell 1 2 3 4\n",
        "init 2 0 1 - 1\ntell 1 2\n",
        "init 2 0 1 - 1\ndone\nbest\nrubbish\n",
        "init 2000 0 1 - 1\nbest\n",
        "init 2 0 1 - 1\n\u{0}",
    ];
    let mut all: Vec<(String, bool)> = Vec::new();
    for _ in 0..scale {
        all.extend(beginnings.iter().flat_map(|begin| [false, true].map(|deaf| ((*begin).to_owned(), deaf))));
        // Long lines without an end, and a whole conversation cut anywhere.
        all.push(("tell ".to_owned() + &"1 ".repeat(2_000_000), false));
        let whole = "init 3 -1 1 50 7\ntell 1 2 3 4\nbest\ntell nan 1 inf 3\nbogus\ntell 1 1 1 1\n";
        all.push((whole[..draw.below(whole.len())].to_owned(), draw.below(2) == 0));
    }
    let outcomes = side_by_side(2, &all, |(text, deaf)| {
        let folder = Folder::new("ends");
        let mut command = program(folder.as_ref(), &["agent", "-m", "de(particles=4)", "--record", "talk.jsonl"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        if *deaf {
            drop(child.stdout.take());
        }
        let mut to = child.stdin.take().unwrap();
        // Who has ended does not listen.
        let _ = to.write_all(text.as_bytes());
        drop(to);
        if let Some(mut from) = child.stdout.take() {
            std::thread::spawn(move || std::io::copy(&mut from, &mut std::io::sink()));
        }
        let begin = Instant::now();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if begin.elapsed() > PATIENCE => {
                    let _ = (child.kill(), child.wait());
                    return Err(format!("no end after {} bytes: {text:.60}", text.len()));
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let mut err = String::new();
        let _ = child.stderr.take().unwrap().read_to_string(&mut err);
        match status.code() == Some(0) && err.is_empty() {
            true => Ok(()),
            false => Err(format!("{status} after '{text:.60}', deaf {deaf}: {err}")),
        }
    });
    outcomes.into_iter().for_each(|outcome| tally.case(outcome));
    tally
}

/// With a record: whatever was told is there, the same `init` goes on where it ends, in the same process too, and others are refused.
pub fn records(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("agent: records");
    let mut draw = Draw(seed);
    for _ in 0..2 * scale {
        let folder = Folder::new("talks");
        let asked = |text: &str| {
            let words: Vec<String> = text
                .lines()
                .filter(|line| !line.contains("e") || line.starts_with("error"))
                .map(str::to_owned)
                .collect();
            words
        };
        let say = |text: String| {
            std::fs::write(folder.path("in"), text).unwrap();
            let mut command = program(folder.as_ref(), &["agent", "-m", "de(particles=4)", "--record", "talk.jsonl"]);
            command.stdin(std::fs::File::open(folder.path("in")).unwrap());
            run_within(20, command)
        };
        let seed = draw.below(1000);
        let (init, values) =
            (format!("init 2 0 1 40 {seed}\n"), |draw: &mut Draw| format!("tell {} 2 nan 3\n", draw.unit()));
        let told: Vec<String> = (0..5).map(|_| values(&mut draw)).collect();
        let outcome = (|| {
            let whole = say(init.clone() + &told.concat() + "best\n")?;
            let best = whole.out.lines().last().unwrap_or_default().to_owned();
            // Again, three times in one process, with another one between, which is refused.
            let more = say(init.clone()
                + "best\n"
                + &init
                + "best\ninit 3 0 1 40 1\nbest\n"
                + &init
                + "tell 1 1 1 1\nbest\n")?;
            let bests: Vec<&str> = more.out.lines().filter(|line| line.starts_with("best ")).collect();
            let errors = more.out.lines().filter(|line| line.starts_with("error ")).count();
            let asks = more.out.lines().filter(|line| line.starts_with("ask ")).count();
            match bests.len() == 4 && bests[..3].iter().all(|line| *line == best) && errors == 1 && asks == 4 {
                true => Ok(()),
                false => Err(format!("{best}, then {bests:?}, {:?}", asked(&more.out))),
            }
        })();
        tally.case(outcome);
    }
    tally
}

#[test]
fn no_conversation_is_left_without_an_answer() {
    sessions(1, 1).hold();
}

#[test]
fn the_end_of_the_input_is_the_end() {
    ends(1, 1).hold();
}

#[test]
fn what_was_told_is_in_the_record() {
    records(1, 1).hold();
}
