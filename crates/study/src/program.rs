//! The user's own program as a problem: kept alive, one JSON line in and one line out per point.
//!
//! The rules of the protocol, which `swarmgrad minimize --help` states for users:
//! - A request is `{"x": [..]}` and a newline; the answer is one line with a number or `{"value": number}`. Empty lines
//!   mean nothing.
//! - Whatever goes wrong costs this one evaluation. The program, with everything it started, is killed, and the next
//!   point gets a fresh one; so a late answer can never be taken for the answer to a later point.
//! - More than one line in answer to one point is rubbish, for nobody knows which of them was meant. What still arrives
//!   after an answer was accepted makes the program be restarted before the next point, at no evaluation's cost.

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use swarmgrad_core::{Error, Evaluation, Failure, Halt, Problem, Result, Space};

/// An answer longer than this, in bytes, is rubbish.
const LONGEST_LINE: usize = 1 << 16;
/// Of the program's standard error this many last bytes are kept.
const TAIL: usize = 4096;
/// A run whose first so many evaluations all failed is hopeless.
const HOPELESS: u64 = 10;
/// How often a waiting evaluation looks up, for ctrl-C and for a program that has died.
const SLICE: Duration = Duration::from_millis(25);
/// What a program gets to end by itself once its standard input is closed, and after that to die.
const PATIENCE: Duration = Duration::from_millis(500);

/// Process groups alive now, for [`kill_all`].
static ALIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Kills every program started here; for an exit that runs no destructors.
pub fn kill_all() {
    lock(&ALIVE).iter().for_each(|&id| kill_group(id));
}

/// A user's program, as many copies of it as threads ask at once.
pub struct Exec {
    command: String,
    space: Space,
    timeout: Option<Duration>,
    halt: Halt,
    /// Failures in a row that end the run.
    patience: Option<u64>,
    /// Whether it has answered in an earlier part of the run.
    resumed: bool,
    idle: Mutex<Vec<Program>>,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    failures: u64,
    in_a_row: u64,
    restarts: u64,
    spoken: bool,
    hopeless: bool,
    last: Option<Failure>,
}

impl Exec {
    /// Nothing is started before the first point. `halt` ends waiting; after `patience` failures in a row the program is hopeless.
    pub fn new(
        command: &str,
        space: Space,
        timeout: Option<Duration>,
        patience: Option<u64>,
        halt: Halt,
    ) -> Result<Self> {
        if command.trim().is_empty() {
            return Err(Error::parameter("--exec", "''", "must be a command, for example 'python3 objective.py'"));
        }
        let (idle, ledger) = (Mutex::default(), Mutex::default());
        Ok(Exec { command: command.into(), space, timeout, halt, patience, resumed: false, idle, ledger })
    }

    /// Says that an earlier part of the run has had answers.
    pub fn resumed(mut self, resumed: bool) -> Self {
        self.resumed = resumed;
        self
    }

    /// How often a program was started again.
    pub fn restarts(&self) -> u64 {
        lock(&self.ledger).restarts
    }

    /// The last failure.
    pub fn last_failure(&self) -> Option<Failure> {
        lock(&self.ledger).last.clone()
    }

    /// Why nothing can come of this program, if so.
    pub fn hopeless(&self) -> Option<String> {
        let ledger = lock(&self.ledger);
        let last = ledger.last.as_ref().filter(|_| ledger.hopeless)?;
        let (detail, stderr) = last.text().split_once('\n').unwrap_or((last.text(), ""));
        let of = if self.resumed { " of the resumed run" } else { "" };
        let mut text = format!("--exec '{}': ", self.command);
        text += &match ledger.in_a_row {
            count if ledger.spoken => format!("{count} evaluations in a row failed, the last one so: {detail}"),
            1 => format!("the first evaluation{of} failed: {detail}"),
            count => format!("the first {count} evaluations{of} all failed, the last one so: {detail}"),
        };
        text += &match stderr.is_empty() {
            true => "\nIt wrote nothing to its standard error.".into(),
            false => format!("\nThe last it wrote to its standard error:\n{}", indented(stderr)),
        };
        text += "\nThe program must read lines like {\"x\": [0.5, -1.2]} from its standard input until the end of file, and \
                 answer each\nwith one line that holds a number, flushed at once (in Python: print(value, flush=True)).";
        Some(text)
    }

    fn ended(&self) -> bool {
        self.halt.requested() || self.halt.late() || lock(&self.ledger).hopeless
    }

    /// An idle program that may still be trusted, or a fresh one.
    fn program(&self) -> Result<Program, Failed> {
        let idle = lock(&self.idle).pop();
        if let Some(mut program) = idle {
            if program.is_ready() {
                return Ok(program);
            }
            lock(&self.ledger).restarts += 1;
        }
        Program::start(&self.command)
    }

    /// What a failure was; none where the run is ending, which is nobody's failure and no evaluation.
    fn failed(&self, failed: Failed, program: Option<Program>) -> Option<Failure> {
        // A fatal exit code of the shell: the command was not found or may not be executed.
        let mut cannot_start = program.is_none();
        let mut stderr = String::new();
        if let Some(program) = program {
            let (status, tail) = program.end();
            if !tail.is_empty() {
                stderr = format!("\n{tail}");
            }
            cannot_start |= matches!(failed, Failed::Crashed(_)) && matches!(status, Some(126 | 127));
        }
        let failure = match failed {
            Failed::Abandoned => return None,
            Failed::Crashed(detail) => Failure::Crashed(detail + &stderr),
            Failed::TimedOut(timeout) => {
                Failure::TimedOut(format!("no answer within {} s{stderr}", timeout.as_secs_f64()))
            }
            Failed::Rubbish(detail) => Failure::Unreadable(detail + &stderr),
        };
        let mut ledger = lock(&self.ledger);
        ledger.restarts += 1;
        ledger.failures += 1;
        ledger.in_a_row += 1;
        ledger.last = Some(failure.clone());
        let limit = if ledger.spoken { self.patience } else { Some(self.patience.unwrap_or(HOPELESS).min(HOPELESS)) };
        ledger.hopeless |= !ledger.spoken && cannot_start || limit.is_some_and(|limit| ledger.in_a_row >= limit);
        Some(failure)
    }

    fn try_evaluate(&self, x: &[f64]) -> Option<Evaluation> {
        let begin = Instant::now();
        let mut program = match self.program() {
            Ok(program) => program,
            Err(why) => return self.failed(why, None).map(Evaluation::failed),
        };
        match program.ask(x, self.timeout, || self.ended()) {
            Ok(value) => {
                lock(&self.idle).push(program);
                let evaluation = Evaluation { seconds: begin.elapsed().as_secs_f64(), ..Evaluation::of(value) };
                let mut ledger = lock(&self.ledger);
                ledger.spoken = true;
                match value.is_finite() {
                    true => ledger.in_a_row = 0,
                    false => ledger.last = Some(Failure::NotFinite),
                }
                Some(evaluation)
            }
            Err(why) => {
                let failure = self.failed(why, Some(program))?;
                Some(Evaluation { seconds: begin.elapsed().as_secs_f64(), ..Evaluation::failed(failure) })
            }
        }
    }
}

impl Problem for Exec {
    fn space(&self) -> &Space {
        &self.space
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.evaluate(x).value
    }

    fn explains(&self) -> bool {
        true
    }

    fn evaluate(&self, x: &[f64]) -> Evaluation {
        self.try_evaluate(x).unwrap_or(Evaluation { evaluations: 0, failure: None, ..Evaluation::of(f64::NAN) })
    }
}

impl Drop for Exec {
    /// Closes the programs' standard inputs, and kills those that do not end by themselves.
    fn drop(&mut self) {
        let mut programs = std::mem::take(&mut *lock(&self.idle));
        programs.iter_mut().for_each(|program| program.requests = None);
        let patience = Instant::now() + PATIENCE;
        for program in &mut programs {
            while Instant::now() < patience && !program.has_exited() {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

/// Why an evaluation gave no value.
enum Failed {
    Abandoned,
    Crashed(String),
    TimedOut(Duration),
    Rubbish(String),
}

/// What the threads that serve a program's pipes report.
enum Event {
    Output(Vec<u8>),
    OutputClosed,
    InputClosed,
}

/// One running copy. Its pipes are served by threads of their own, so that no full or empty pipe can hold up the run.
struct Program {
    child: Child,
    requests: Option<Sender<Vec<u8>>>,
    events: Receiver<Event>,
    tail: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
}

impl Program {
    fn start(command: &str) -> Result<Self, Failed> {
        let mut child = shell(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|why| Failed::Crashed(format!("it cannot be started: {why}")))?;
        lock(&ALIVE).insert(child.id());
        let (input, output, error) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (requests, queue) = channel();
        // Small: a program that floods its output shall block, not fill our memory.
        let (events, inbox) = sync_channel(4);
        let tail = Arc::new(Mutex::new(Vec::new()));
        if let Some(input) = input {
            let events = events.clone();
            std::thread::spawn(move || write_requests(input, queue, events));
        }
        if let Some(output) = output {
            std::thread::spawn(move || read_output(output, events));
        }
        let kept = tail.clone();
        let listener = std::thread::spawn(move || {
            if let Some(error) = error {
                keep_tail(error, &kept);
            }
        });
        Ok(Program { child, requests: Some(requests), events: inbox, tail, listener })
    }

    /// Whether it is alive and silent, as it must be between two points.
    fn is_ready(&mut self) -> bool {
        loop {
            match self.events.try_recv() {
                Ok(Event::Output(bytes)) if is_blank(&bytes) => {}
                Err(TryRecvError::Empty) => return !self.has_exited(),
                _ => return false,
            }
        }
    }

    /// The value of `x`, or why there is none, after which the program must be ended.
    fn ask(&mut self, x: &[f64], timeout: Option<Duration>, ended: impl Fn() -> bool) -> Result<f64, Failed> {
        let mut request = serde_json::to_vec(&serde_json::json!({ "x": x })).unwrap_or_default();
        request.push(b'\n');
        // A writer that is gone has reported so.
        self.requests.as_ref().map(|requests| requests.send(request));
        let begin = Instant::now();
        let mut line = Vec::new();
        let mut dead = false;
        loop {
            let slice = timeout.map_or(SLICE, |t| SLICE.min(t.saturating_sub(begin.elapsed())));
            match self.events.recv_timeout(slice) {
                Ok(Event::Output(bytes)) => {
                    line.extend_from_slice(&bytes);
                    if let Some(answer) = answer(&line) {
                        return answer;
                    }
                }
                Ok(Event::OutputClosed) | Err(RecvTimeoutError::Disconnected) => return Err(self.crashed()),
                Ok(Event::InputClosed) if !self.has_exited() => {
                    return Err(Failed::Crashed("it closed its standard input".into()));
                }
                Ok(Event::InputClosed) => return Err(self.crashed()),
                // A child of the program may hold the pipe open after the program itself has died; one more slice for
                // what is still in the pipe.
                Err(RecvTimeoutError::Timeout) if dead => return Err(self.crashed()),
                Err(RecvTimeoutError::Timeout) => dead = self.has_exited(),
            }
            if ended() {
                return Err(Failed::Abandoned);
            }
            if let Some(timeout) = timeout.filter(|t| begin.elapsed() >= *t) {
                return Err(Failed::TimedOut(timeout));
            }
        }
    }

    fn crashed(&mut self) -> Failed {
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience && !self.has_exited() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Failed::Crashed(match self.child.try_wait() {
            Ok(Some(status)) => format!("it ended without an answer ({status})"),
            _ => "it closed its standard output".into(),
        })
    }

    fn has_exited(&mut self) -> bool {
        has_exited(&mut self.child)
    }

    /// Kills it and tells its exit code, if it had one of its own, and the end of its standard error.
    fn end(mut self) -> (Option<i32>, String) {
        let own = self.has_exited();
        self.kill();
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience && !self.listener.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let status = self.child.try_wait().ok().flatten().filter(|_| own).and_then(|status| status.code());
        let tail = lock(&self.tail);
        let text = String::from_utf8_lossy(&tail);
        // The first line may have lost its beginning.
        let whole = if tail.len() >= TAIL { text.split_once('\n').map_or(&*text, |(_, rest)| rest) } else { &*text };
        let printable = whole.chars().filter(|c| !c.is_control() || "\n\t".contains(*c)).collect::<String>();
        (status, printable.trim_end().to_owned())
    }

    /// Kills it and all it started, and waits for its end, unless the system itself holds it.
    fn kill(&mut self) {
        if !lock(&ALIVE).contains(&self.child.id()) {
            return;
        }
        // The group first: while the leader has not been waited for, its number belongs to nobody else.
        kill_group(self.child.id());
        let _ = self.child.kill();
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_micros(200));
        }
        lock(&ALIVE).remove(&self.child.id());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn write_requests(mut input: ChildStdin, queue: Receiver<Vec<u8>>, events: SyncSender<Event>) {
    for request in queue {
        if input.write_all(&request).and_then(|()| input.flush()).is_err() {
            let _ = events.send(Event::InputClosed);
            return;
        }
    }
}

fn read_output(mut output: impl Read, events: SyncSender<Event>) {
    let mut buffer = vec![0; LONGEST_LINE];
    loop {
        match output.read(&mut buffer) {
            Err(why) if why.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => {
                let _ = events.send(Event::OutputClosed);
                return;
            }
            Ok(n) => {
                if events.send(Event::Output(buffer[..n].to_vec())).is_err() {
                    return;
                }
            }
        }
    }
}

fn keep_tail(mut error: impl Read, tail: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; TAIL];
    while let Ok(n @ 1..) = error.read(&mut buffer) {
        let mut tail = lock(tail);
        tail.extend_from_slice(&buffer[..n]);
        let excess = tail.len().saturating_sub(TAIL);
        tail.drain(..excess);
    }
}

/// The answer that `received` holds: none yet, a value, or a failure.
fn answer(received: &[u8]) -> Option<Result<f64, Failed>> {
    let begin = received.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(received.len());
    let received = &received[begin..];
    let Some(end) = received.iter().position(|&b| b == b'\n') else {
        let long = received.len() > LONGEST_LINE;
        return long
            .then(|| Err(Failed::Rubbish(format!("it printed more than {LONGEST_LINE} bytes without a newline"))));
    };
    let line = String::from_utf8_lossy(&received[..end]);
    let line = line.trim();
    if !is_blank(&received[end..]) {
        let next = String::from_utf8_lossy(&received[end..]);
        return Some(Err(Failed::Rubbish(format!(
            "it printed more than one line: '{}' and then '{}'",
            shortened(line),
            shortened(next.trim().lines().next().unwrap_or_default())
        ))));
    }
    let rubbish =
        || Failed::Rubbish(format!("it printed '{}', not a number or {{\"value\": number}}", shortened(line)));
    Some(number(line).ok_or_else(rubbish))
}

/// A number, or the number under `value` in a JSON object, where Python's NaN and Infinity and JavaScript's null are
/// taken as well.
fn number(line: &str) -> Option<f64> {
    if let Ok(value) = line.parse() {
        return Some(value);
    }
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => match fields.get("value")? {
            Value::Number(number) => number.as_f64(),
            Value::Null => Some(f64::NAN),
            _ => None,
        },
        Ok(_) => None,
        Err(_) => {
            let (key, value) = line.strip_prefix('{')?.strip_suffix('}')?.split_once(':')?;
            let value: f64 = value.trim().parse().ok()?;
            (key.trim() == "\"value\"" && !value.is_finite()).then_some(value)
        }
    }
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

fn shortened(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(60).map(shown).collect();
    if text.chars().count() > 60 {
        short.push('…');
    }
    short
}

/// Text with every line indented by four spaces.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut shell = Command::new("sh");
    // A group of its own: ctrl-C on the terminal reaches us alone, and killing the group reaches the shell's children.
    shell.arg("-c").arg(command).process_group(0);
    shell
}

#[cfg(unix)]
fn kill_group(id: u32) {
    if let Some(group) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

/// Whether the child has ended; it is not waited for, so that its number stays its own until the group is killed.
#[cfg(unix)]
fn has_exited(child: &mut Child) -> bool {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(Pid::from_child(child)), options), Ok(None))
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

#[cfg(not(unix))]
fn kill_group(id: u32) {
    let mut kill = Command::new("taskkill");
    let _ = kill.args(["/T", "/F", "/PID", &id.to_string()]).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

#[cfg(not(unix))]
fn has_exited(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    fn exec(command: &str, timeout: Option<f64>) -> Exec {
        let space = Space::cube(1, -1.0, 1.0).unwrap();
        Exec::new(command, space, timeout.map(Duration::from_secs_f64), None, Halt::default()).unwrap()
    }

    #[test]
    fn answers_are_numbers_or_objects() {
        for (line, value) in [("3", 3.0), (" 1e-3 ", 1e-3), ("{\"value\": -2.5}", -2.5), ("-inf", f64::NEG_INFINITY)] {
            assert_eq!(number(line.trim()), Some(value), "{line}");
        }
        for line in ["nan", "{\"value\": NaN}", "{\"value\": null}", "{\"value\":-nan}"] {
            assert!(number(line).is_none_or(f64::is_nan), "{line}");
        }
        assert_eq!(number("{\"value\": -Infinity}"), Some(f64::NEG_INFINITY));
        for line in
            ["", "abc", "3,5", "1 2", "[1]", "{\"value\": \"3\"}", "{\"x\": 3}", "{\"x\": NaN}", "true", "\"3\""]
        {
            assert_eq!(number(line), None, "{line}");
        }
    }

    #[test]
    fn lines_come_in_pieces_and_alone() {
        assert!(answer(b"").is_none() && answer(b"3.").is_none() && answer(b"\n\n  ").is_none());
        assert!(matches!(answer(b"\n\r\n3.5\r\n\n"), Some(Ok(3.5))));
        assert!(matches!(answer(b"3.5\n4"), Some(Err(Failed::Rubbish(_)))));
        assert!(matches!(answer(&[b'1'; LONGEST_LINE + 1]), Some(Err(Failed::Rubbish(_)))));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_hangs() {
        let value = |exec: &Exec| exec.value(&[0.5]);
        // Never reads, never answers.
        let hung = exec("sleep 100", Some(0.2));
        assert!(value(&hung).is_nan());
        assert_eq!(hung.last_failure().unwrap().kind(), "timed_out");
        // A grandchild holds the pipes after the program has died.
        let orphan = exec("sleep 100 & exit 3", None);
        assert!(value(&orphan).is_nan());
        assert_eq!(orphan.last_failure().unwrap().kind(), "crashed");
        // Floods of output and of errors, without a newline and with many.
        let endless = exec("read l; cat /dev/zero", None);
        assert!(value(&endless).is_nan());
        assert_eq!(endless.last_failure().unwrap().kind(), "rubbish");
        let yes = exec("yes 1", None);
        assert!(value(&yes).is_nan());
        assert_eq!(yes.last_failure().unwrap().kind(), "rubbish");
        let noisy = exec("while read l; do head -c 1000000 /dev/zero >&2; echo 4; done", Some(20.0));
        assert_eq!([value(&noisy), value(&noisy)], [4.0, 4.0]);
        // Does not read, and the point is far larger than a pipe.
        let deaf = exec("sleep 100", Some(0.2));
        assert!(deaf.value(&vec![0.1; 1_000_000]).is_nan());
        assert_eq!(deaf.last_failure().unwrap().kind(), "timed_out");
        let closed = exec("exec 0<&-; sleep 100", Some(20.0));
        assert!(closed.value(&vec![0.1; 1_000_000]).is_nan());
        assert_eq!(closed.last_failure().unwrap().kind(), "crashed");
        let mute = exec("exec 1>&-; sleep 100", Some(20.0));
        assert!(value(&mute).is_nan());
        assert_eq!(mute.last_failure().unwrap().kind(), "crashed");
    }

    #[cfg(unix)]
    #[test]
    fn what_comes_late_is_never_an_answer() {
        // The first program answers 1 and much later 99; the second answers 2.
        let flag = std::env::temp_dir().join(format!("swarmgrad-late-{}", std::process::id()));
        let _ = std::fs::remove_file(&flag);
        let script = format!(
            "if [ -e {0} ]; then while read l; do echo 2; done; fi; touch {0}; read l; echo 1; echo 99 >&1; read l; sleep 9",
            flag.display()
        );
        let stale = exec(&script, Some(5.0));
        let first = stale.value(&[0.0]);
        std::thread::sleep(Duration::from_millis(100));
        let second = stale.value(&[0.0]);
        std::fs::remove_file(&flag).unwrap();
        // Both lines in one read: rubbish; in two: the answer is 1 and the program is restarted. Never 99.
        assert!(first == 1.0 || first.is_nan() && stale.last_failure().unwrap().kind() == "rubbish");
        assert_eq!(second, 2.0);
        assert_eq!(stale.restarts(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_does_not_exist_is_hopeless_at_once() {
        let exec = exec("swarmgrad-no-such-program", None);
        assert!(exec.value(&[0.0]).is_nan());
        let why = exec.hopeless().unwrap();
        assert!(why.contains("the first evaluation failed") && why.contains("not found"), "{why}");
    }

    #[cfg(unix)]
    #[test]
    fn ten_failures_and_no_success_are_hopeless_but_infinity_is_an_answer() {
        let bad = exec("echo oh dear >&2; read l; echo abc; sleep 9", None);
        (0..9).for_each(|_| assert!(bad.value(&[0.0]).is_nan() && bad.hopeless().is_none()));
        assert!(bad.value(&[0.0]).is_nan());
        let why = bad.hopeless().unwrap();
        assert!(why.contains("first 10 evaluations") && why.contains("'abc'") && why.contains("    oh dear"), "{why}");
        let infinite = exec("while read l; do echo inf; done", None);
        (0..20).for_each(|_| assert!(infinite.value(&[0.0]).is_infinite()));
        assert!(infinite.hopeless().is_none());
        assert_eq!(infinite.last_failure(), Some(Failure::NotFinite));
    }

    #[cfg(unix)]
    #[test]
    fn stopping_is_noticed_while_waiting() {
        let (stop, space) = (Arc::new(AtomicBool::new(false)), Space::cube(1, -1.0, 1.0).unwrap());
        let exec = Exec::new("sleep 100", space, None, None, Halt::new(stop.clone())).unwrap();
        let begin = Instant::now();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            stop.store(true, Relaxed);
        });
        let evaluation = exec.evaluate(&[0.0]);
        assert!(begin.elapsed() < Duration::from_secs(5));
        assert!(evaluation.evaluations == 0 && evaluation.failure.is_none() && exec.last_failure().is_none());
    }
}
