//! A loss that a program of the user's computes.

use super::{Batch, Block, Lane, Loss};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use swarmgrad_algorithms::gradient::elements::{BlockLoss, ElementLoss, Found, Swarms};
use swarmgrad_core::{Error, Result, Workers};

/// How long a program may be silent.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to end after its input has ended.
const FAREWELL: Duration = Duration::from_millis(500);

/// What a program prints for each pair of a prediction and its label.
///
/// The command is run by the shell when it is first needed and then stays. It reads lines of two numbers, `prediction label`, from its
/// standard input until that ends, and answers each with a line that holds the loss, a number, in the same order; it must flush what
/// it prints. Many lines are written before the first answer is waited for, so that a pass over a pipe costs little. NaN and inf are
/// losses: points that no swarm stays at.
///
/// A program that ends, prints something else, or is silent for a minute has failed: all values are NaN from then on, and
/// [`Loss::check`] says why.
pub struct Program {
    command: String,
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    failure: Option<String>,
}

/// A program that is alive, with threads that write to it and read from it.
struct Running {
    child: Child,
    to: Option<Sender<Vec<u8>>>,
    from: Receiver<std::io::Result<String>>,
    complaints: Receiver<String>,
}

impl Program {
    /// The loss that this command computes.
    pub fn new(command: String) -> Self {
        Program { command, patience: PATIENCE, state: Mutex::default() }
    }

    /// The same with another patience than a minute.
    pub fn patience(self, patience: Duration) -> Self {
        Program { patience, ..self }
    }

    /// The losses of these pairs.
    fn ask(&self, outputs: &[f32], targets: &[f32], out: &mut [f32]) {
        let mut state = self.state.lock().unwrap_or_else(|broken| broken.into_inner());
        if state.failure.is_none()
            && !outputs.is_empty()
            && let Err(why) = self.exchange(&mut state, outputs, targets, out)
        {
            let said = state.running.take().map(Running::last_words).unwrap_or_default();
            state.failure = Some(if said.is_empty() { why } else { format!("{why}; it said: {said}") });
        }
        if state.failure.is_some() {
            out.fill(f32::NAN);
        }
    }

    fn exchange(&self, state: &mut State, outputs: &[f32], targets: &[f32], out: &mut [f32]) -> Result<(), String> {
        let running = match &mut state.running {
            Some(running) => running,
            none => none.insert(Running::start(&self.command).map_err(|why| format!("cannot be run: {why}"))?),
        };
        let mut lines = Vec::with_capacity(24 * outputs.len());
        for (output, target) in outputs.iter().zip(targets) {
            writeln!(lines, "{output} {target}").map_err(|why| why.to_string())?;
        }
        // A program that has ended does not read; that it does not answer either is what counts.
        let _ = running.to.as_ref().map(|to| to.send(lines));
        let pairs = outputs.iter().zip(targets);
        for (loss, (output, target)) in out.iter_mut().zip(pairs) {
            let line = match running.from.recv_timeout(self.patience) {
                Ok(Ok(line)) => line,
                Ok(Err(why)) => return Err(format!("cannot be read: {why}")),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("ended without an answer to '{output} {target}'"));
                }
                Err(RecvTimeoutError::Timeout) => {
                    let seconds = self.patience.as_secs_f64();
                    return Err(format!(
                        "gave no answer to '{output} {target}' within {seconds} s; does it flush what it prints?"
                    ));
                }
            };
            *loss = line.trim().parse().map_err(|_| {
                let line: String = line.trim().chars().take(60).collect();
                format!("answered '{line}' to '{output} {target}', which is no number")
            })?;
        }
        Ok(())
    }
}

impl Running {
    fn start(command: &str) -> std::io::Result<Self> {
        let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let mut start = Command::new(shell);
        start.arg(flag).arg(command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C ends the training after its batch, for which the program is still needed.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut start, 0);
        let mut child = start.spawn()?;
        let (mut input, output, errors) = match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(input), Some(output), Some(errors)) => (input, output, errors),
            _ => return Err(std::io::Error::other("no pipes")),
        };
        let (to, lines) = channel::<Vec<u8>>();
        std::thread::spawn(move || {
            while let Ok(lines) = lines.recv() {
                if input.write_all(&lines).and_then(|()| input.flush()).is_err() {
                    break;
                }
            }
        });
        let (answers, from) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let failed = line.is_err();
                if answers.send(line).is_err() || failed {
                    break;
                }
            }
        });
        let (said, complaints) = channel();
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = errors.take(1 << 16).read_to_end(&mut text);
            let text = String::from_utf8_lossy(&text).into_owned();
            let _ = said.send(text);
        });
        Ok(Running { child, to: Some(to), from, complaints })
    }

    /// The last line of what it said on its standard error.
    fn last_words(mut self) -> String {
        self.end();
        let text = self.complaints.recv_timeout(FAREWELL).unwrap_or_default();
        text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().chars().take(200).collect()
    }

    /// Ends its input, and it itself where it does not end by that.
    fn end(&mut self) {
        self.to = None;
        let begin = Instant::now();
        while begin.elapsed() < FAREWELL {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                _ => return,
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

impl ElementLoss<f32> for &Program {
    fn value(&self, output: f32, target: f32) -> f32 {
        let mut loss = [f32::NAN];
        self.ask(&[output], &[target], &mut loss);
        loss[0]
    }

    fn values(&self, outputs: &[f32], targets: &[f32], out: &mut [f32]) {
        self.ask(outputs, targets, out);
    }
}

impl BlockLoss<f32> for &Program {
    fn value(&self, outputs: &[f32], targets: &[f32]) -> f32 {
        let mut losses = vec![0.0; outputs.len()];
        self.ask(outputs, targets, &mut losses);
        losses.iter().sum::<f32>() / outputs.len() as f32
    }
}

impl Loss for Program {
    fn block(&self) -> Block {
        Block::Element
    }

    fn value(&self, outputs: &[f32], targets: &[f32], _columns: usize) -> f64 {
        let mut losses = vec![0.0; outputs.len()];
        self.ask(outputs, targets, &mut losses);
        losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / outputs.len() as f64
    }

    fn derivative(&self, _outputs: &[f32], _targets: &[f32], _columns: usize, _out: &mut [f32]) -> bool {
        false
    }

    fn search(
        &self,
        swarms: &mut Swarms<f32>,
        block: Block,
        batch: Batch<'_, f32>,
        lane: Lane<'_>,
        found: &mut Found<f32>,
    ) {
        let Batch { columns, outputs, targets } = batch;
        // One program answers one question at a time: threads would only wait for each other.
        let (one, rng) = (Workers::default(), lane.rng);
        match block {
            Block::Element => swarms.elements(&self as &dyn ElementLoss<f32>, outputs, targets, &one, rng, found),
            Block::Sample => swarms.samples(&self as &dyn BlockLoss<f32>, columns, outputs, targets, &one, rng, found),
            Block::Batch => swarms.batch(&self as &dyn BlockLoss<f32>, outputs, targets, &one, rng, found),
        }
    }

    fn blocks(&self, block: Block, columns: usize, outputs: &[f32], targets: &[f32], out: &mut Vec<f32>) {
        let width = super::width(block, columns, outputs.len()).max(1);
        let mut losses = vec![0.0; outputs.len()];
        self.ask(outputs, targets, &mut losses);
        out.clear();
        out.extend(losses.chunks(width).map(|block| block.iter().sum::<f32>() / block.len() as f32));
    }

    fn check(&self) -> Result<()> {
        let state = self.state.lock().unwrap_or_else(|broken| broken.into_inner());
        match &state.failure {
            None => Ok(()),
            Some(why) => Err(Error::parameter("loss program", format!("'{}'", self.command), why.clone())),
        }
    }
}
