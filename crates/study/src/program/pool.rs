//! Copies of a program, and the one loop that serves them.

use super::Options;
use super::folders::Folders;
use super::health::Health;
use super::hosts::Hosts;
use super::process::{Mark, Pipe, Process, expect_processes, wait};
use super::protocol::{Answer, Input, LONGEST_LINE, Received, is_blank, last_line, shortened, unreadable};
use super::template::{Places, Template};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, SystemTime};
use swarmgrad_core::{Batch, Capacity, Error, Evaluation, Evaluator, Failure, Id, Instant, Result, Space, Typed};

/// What a program gets to end by itself once its standard input or output is closed.
const PATIENCE: Duration = Duration::from_millis(500);
/// What the children of a program that has ended may still write.
const AFTERMATH: Duration = Duration::from_millis(25);
/// How often programs that say nothing are looked at, for those that have ended while their children hold the pipes.
const TICK: Duration = Duration::from_millis(50);
/// The same where something is about to end.
const QUICK: Duration = Duration::from_millis(2);
/// The pipes are looked at no more often than this for each worker.
const LOOK: Duration = Duration::from_micros(2);
/// For so long programs are started before the pipes of the others are looked at.
const STARTS: Duration = Duration::from_millis(20);
/// A longer pause of this process is not time that a program had.
const PAUSE: Duration = Duration::from_secs(1);
/// After so long without any answer the user is asked whether the program flushes, and again after ten times as long.
const SILENCE: Duration = Duration::from_secs(10);
/// A first program that has printed something else is given the end of its input after so long: one that waits for its next line ends
/// then, one that works goes on.
const HUSH: Duration = Duration::from_secs(1);
/// After the first answer of a program it is seen for so long whether that is all it prints.
const REST: Duration = Duration::from_millis(10);
/// What a point may take where nobody says it: so long until so many have been answered, and then so long, or so many times the median
/// of the others where that is more.
const UNKNOWN: Duration = Duration::from_secs(24 * 3600);
const ANSWERS: usize = 10;
const GENEROUS: Duration = Duration::from_secs(3600);
const MEDIANS: u32 = 100;
/// Times of the last answers that the median is taken of.
const TIMES: usize = 1000;
/// A point whose program died is tried so many times more, where that was not the point's fault.
const RETRIES: u32 = 3;
/// After so many programs that answered once and ended, each is expected to.
const SINGLES: u32 = 2;

/// As many copies of a user's program as there are workers. Nothing is started before the first point.
///
/// ```
/// use std::time::Duration;
/// use swarmgrad_core::{Batch, Evaluator, Id, Matrix, Space};
/// use swarmgrad_study::program::{Options, Pool};
///
/// let command = "while read -r a b; do echo $((${a%.0} + ${b%.0})); done".into();
/// let options = Options { command, input: swarmgrad_study::program::Input::Plain, ..Options::default() };
/// let mut pool = Pool::new(&options, Space::cube(2, 0.0, 9.0)?)?;
/// pool.submit(&Batch::new(Id(0), 0, Matrix::from_vec(2, vec![3.0, 4.0])?));
/// let (id, evaluation) = pool.poll(Duration::from_secs(10)).remove(0);
/// assert_eq!((id, evaluation.value), (Id(0), 7.0));
/// # Ok::<(), swarmgrad_core::Error>(())
/// ```
pub struct Pool {
    options: Options,
    space: Space,
    /// Of a command that is run for every point.
    template: Option<(Template, AnswerPlace)>,
    hosts: Hosts,
    workers: Vec<Worker>,
    queue: VecDeque<Job>,
    ready: Vec<(Id, Evaluation)>,
    /// Processes that were killed and have not ended yet.
    dying: Vec<Process>,
    scratch: Folders,
    mark: Mark,
    /// Programs that were started.
    started: u64,
    health: Health,
    notes: Vec<String>,
    restarts: u64,
    /// What the last answers took, and the longest of all.
    times: VecDeque<Duration>,
    longest: Duration,
    /// Lines that the first program to answer printed before its answer: no other program has a longer banner.
    banner: Option<usize>,
    /// Lines that come before every further answer of a program, as its second one tells.
    chatter: Option<usize>,
    /// Programs that ended after one answer.
    singles: u32,
    /// Whether a program has answered two points.
    serves: bool,
    /// Whether each program is expected to end after its answer.
    once: bool,
    silence: Option<Duration>,
    said: Said,
    /// When the loop ran last.
    seen: Instant,
    /// When silent programs were looked at last.
    looked: Instant,
    /// When the pipes were read last.
    served: Instant,
}

/// What was said once.
#[derive(Default)]
struct Said {
    banner: bool,
    more: bool,
    limit: bool,
}

/// Where the answer of a command that is run for every point is read.
enum AnswerPlace {
    Output,
    /// The file of `{out}`.
    Out,
    File(Template),
}

#[derive(Default)]
struct Worker {
    program: Option<Instance>,
    task: Option<Assignment>,
    /// Since when the program is expected to end, its work being done.
    leaving: Option<Instant>,
    /// Whether the system cannot run so many programs.
    closed: bool,
}

/// A running copy.
struct Instance {
    process: Process,
    /// Which of all that were started.
    number: u64,
    answered: u64,
    /// When its first answer was there.
    first: Option<Instant>,
    /// Whether it was given the end of its input although it might have served on.
    hushed: bool,
}

/// A point that waits or is being evaluated.
struct Job {
    id: Id,
    x: Vec<f64>,
    attempt: u32,
    begin: Option<Instant>,
    /// Hosts on which its program died.
    refused: Vec<usize>,
}

/// A point in the hands of a program.
struct Assignment {
    job: Job,
    asked: Instant,
    /// When the program's time is over.
    deadline: Option<Instant>,
    received: Received,
    /// Since when there is a line that nobody knows of whether an answer follows it.
    unsure: Option<Instant>,
    /// When its input was ended to see whether anything comes of it.
    hushed: Option<Instant>,
    muted: Option<Instant>,
    deaf: Option<Instant>,
    ended: Option<(Instant, ExitStatus)>,
    /// The file in which its answer is expected.
    file: Option<PathBuf>,
}

impl Instance {
    /// Whether it is still to be seen if more follows its first answer.
    fn is_resting(&self) -> bool {
        self.answered == 1 && self.first.is_some_and(|first| first.elapsed() < REST)
    }
}

impl Worker {
    fn is_free(&self) -> bool {
        self.task.is_none() && !self.closed
    }
}

impl Pool {
    /// A pool for points of this space.
    ///
    /// # Errors
    /// A command that is empty or has places that do not exist, names that do not fit, a file of hosts that cannot be read.
    pub fn new(options: &Options, space: Space) -> Result<Self> {
        if options.command.trim().is_empty() {
            return Err(Error::parameter("--exec", "''", "must be a command, for example 'python3 objective.py'"));
        }
        let (dim, names) = (space.decode(space.lower()).len(), &options.names);
        if !names.is_empty() && names.len() != dim {
            return Err(Error::shape("names", names.len(), dim));
        }
        let command = Template::parse("--exec", &options.command, dim, names)?;
        let answers = match options.read.as_deref() {
            None => AnswerPlace::Output,
            Some("out") => AnswerPlace::Out,
            Some(path) => AnswerPlace::File(Template::parse("--read", path, dim, names)?),
        };
        if matches!(answers, AnswerPlace::Out) && !options.command.contains("{out}") {
            let rule = "stands for the file of {out}, which the command does not have; name the file that it writes";
            return Err(Error::parameter("--read", "out", rule));
        }
        let per_point = command.has_places() || options.read.is_some();
        // Two braces stand for one pair, also where nothing is put in.
        let places = Places { x: &vec![Typed::Number(0.0); dim], id: Id(0), worker: 0, scratch: Path::new("") };
        let plain = if command.has_places() { options.command.clone() } else { command.command(&places) };
        let hosts = options.hosts.as_deref().map_or(Ok(Hosts::default()), Hosts::read)?;
        let count = options.workers.max(hosts.places()).max(1);
        expect_processes(count);
        let now = Instant::now();
        Ok(Pool {
            options: Options { command: plain, ..options.clone() },
            space,
            template: per_point.then_some((command, answers)),
            hosts,
            workers: std::iter::repeat_with(Worker::default).take(count).collect(),
            queue: VecDeque::new(),
            ready: Vec::new(),
            dying: Vec::new(),
            scratch: Folders::default(),
            mark: Mark::new(),
            started: 0,
            health: Health::new(options.resumed, options.max_failures),
            notes: Vec::new(),
            restarts: 0,
            times: VecDeque::new(),
            longest: Duration::ZERO,
            banner: None,
            chatter: None,
            singles: 0,
            serves: false,
            once: false,
            silence: (!per_point).then_some(SILENCE),
            said: Said::default(),
            seen: now,
            looked: now,
            served: now,
        })
    }

    /// The space of the points.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Copies that may run at the same time.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// What the user should know and has not been said yet.
    pub fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// How often a program had to be started again.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// The last failure: its text is one line, and after it the last that the program wrote to its standard error.
    pub fn last_failure(&self) -> Option<&Failure> {
        self.health.last_failure()
    }

    /// Whether each program gets one point.
    fn is_single(&self) -> bool {
        self.once || self.template.is_some()
    }

    fn is_out(&self, k: usize) -> bool {
        self.hosts.is_out(self.hosts.of(k))
    }

    fn is_working(&self) -> bool {
        !self.queue.is_empty() || self.workers.iter().any(|worker| worker.task.is_some())
    }

    /// Gives points to workers that are free, the living programs first; whether there is more to start at once.
    fn hand_out(&mut self) -> bool {
        let begin = Instant::now();
        for living in [true, false] {
            for k in 0..self.workers.len() {
                if self.queue.is_empty() {
                    return false;
                }
                let worker = &self.workers[k];
                if !worker.is_free() || worker.leaving.is_some() || worker.program.is_some() != living || self.is_out(k)
                {
                    continue;
                }
                if living && !self.is_ready(k) {
                    continue;
                }
                if !living && begin.elapsed() > STARTS {
                    return true;
                }
                if let Some(job) = self.next_for(k).and_then(|place| self.queue.remove(place)) {
                    self.begin(k, job);
                }
            }
        }
        false
    }

    /// The place in the queue of the next point for a worker: one whose program has not died on its host, if there are others.
    fn next_for(&self, k: usize) -> Option<usize> {
        let host = self.hosts.of(k);
        self.queue.iter().position(|job| !job.refused.contains(&host) || !self.hosts.has_other_than(&job.refused))
    }

    /// Whether an idle program is alive and silent, as it must be between two points; else it goes.
    fn is_ready(&mut self, k: usize) -> bool {
        let Some(program) = &mut self.workers[k].program else { return false };
        if program.is_resting() {
            return false;
        }
        // One that has served on before shows by its pipes that it does. Where it has ended and its children hold them, that is seen
        // within a tick, and its point is given to another.
        if program.answered > 1 && !self.once && program.process.is_quiet() {
            return true;
        }
        let mut said = Vec::new();
        program.process.read_output(&mut said);
        program.process.read_errors();
        let process = &program.process;
        let ended = process.is_mute() || process.is_deaf() || process.is_closed() || process.exit().is_some();
        let (answered, hushed) = (program.answered, program.hushed);
        if is_blank(&said) && !ended && !self.once {
            return true;
        }
        if ended && answered == 1 && !hushed {
            self.note_single();
        }
        if !is_blank(&said) && !std::mem::replace(&mut self.said.more, true) {
            let more = String::from_utf8_lossy(&said);
            let line = shortened(more.trim().lines().next().unwrap_or_default());
            self.notes.push(format!("the program printed '{line}' after an answer: it is started anew where it does"));
        }
        if !self.once {
            self.restarts += 1;
        }
        self.end(k);
        false
    }

    /// A program ended after its first answer.
    fn note_single(&mut self) {
        self.singles += 1;
        if self.singles >= SINGLES && !self.serves && !self.once {
            self.once = true;
            self.notes.push("the program ends after each answer: it is started anew for every point".into());
        }
    }

    /// Kills the program of a worker, if it has one, with all that it started.
    fn end(&mut self, k: usize) {
        self.workers[k].leaving = None;
        if let Some(mut program) = self.workers[k].program.take() {
            program.process.kill();
            self.dying.push(program.process);
        }
    }

    /// Gives a point to a worker.
    fn begin(&mut self, k: usize, mut job: Job) {
        let asked = Instant::now();
        job.begin.get_or_insert(asked);
        let mut file = None;
        if self.workers[k].program.is_none() {
            match self.start(k, &job) {
                Ok((process, answer)) => {
                    self.workers[k].program =
                        Some(Instance { process, number: self.started, answered: 0, first: None, hushed: false });
                    file = answer;
                }
                Err(why) => return self.not_started(k, job, &why),
            }
        }
        let line = self.options.input.line(&self.space.decode(&job.x), &self.options.names);
        let last = self.is_single();
        let worker = &mut self.workers[k];
        if let Some(program) = &mut worker.program {
            program.process.send(&line, last);
        }
        let deadline = self.options.timeout.and_then(|timeout| asked.checked_add(timeout));
        let received = Received::default();
        let (unsure, hushed, muted, deaf, ended) = (None, None, None, None, None);
        worker.task = Some(Assignment { job, asked, deadline, received, unsure, hushed, muted, deaf, ended, file });
    }

    /// Starts a program, and names the file in which its answer is expected.
    fn start(&mut self, k: usize, job: &Job) -> std::io::Result<(Process, Option<PathBuf>)> {
        let mut travelling = vec![("SWARMGRAD_WORKER", k.to_string())];
        if self.is_single() {
            travelling.push(("SWARMGRAD_EVALUATION", job.id.to_string()));
        }
        if std::env::var_os("PYTHONUNBUFFERED").is_none() {
            travelling.push(("PYTHONUNBUFFERED", "1".into()));
        }
        let scratch = self.scratch.folder(k);
        let (command, file) = match &self.template {
            None => (self.options.command.clone(), None),
            Some((command, answers)) => {
                let needed = command.has_files() || matches!(answers, AnswerPlace::File(path) if path.has_files());
                let folder = match &scratch {
                    Ok(folder) => folder.clone(),
                    Err(why) if needed => {
                        return Err(std::io::Error::new(why.kind(), format!("no scratch folder: {why}")));
                    }
                    Err(_) => PathBuf::new(),
                };
                let x = self.space.decode(&job.x);
                let places = Places { x: &x, id: job.id, worker: k, scratch: &folder };
                if command.has_input() {
                    let json = Input::Json.line(&x, &self.options.names);
                    std::fs::write(places.input(), json)?;
                }
                let file = match answers {
                    AnswerPlace::Output => None,
                    AnswerPlace::Out => Some(places.output()),
                    AnswerPlace::File(path) => Some(path.path(&places)),
                };
                if let Some(file) = &file {
                    make_old(file)?;
                }
                (command.command(&places), file)
            }
        };
        let command = self.hosts.command(k, &command, &travelling);
        if let Ok(folder) = scratch {
            travelling.push(("SWARMGRAD_SCRATCH", folder.to_string_lossy().into_owned()));
        }
        self.started += 1;
        travelling.push(self.mark.put(self.started));
        Ok((Process::start(&command, &travelling)?, file))
    }

    /// A program could not be started: where others run, there are fewer workers than was thought.
    fn not_started(&mut self, k: usize, job: Job, why: &std::io::Error) {
        let full = matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::OutOfMemory)
            || matches!(why.raw_os_error(), Some(23 | 24));
        // One that rests will work again.
        let running = self.workers.iter().filter(|worker| worker.program.is_some()).count();
        if full && running > 0 {
            if !std::mem::replace(&mut self.said.limit, true) {
                self.notes.push(format!("only {running} programs can run at the same time: {why}"));
            }
            self.workers[k].closed = true;
            self.queue.push_front(job);
            return;
        }
        self.fail(k, job, Failure::Crashed(format!("it cannot be started: {why}")), true);
    }

    /// Waits for the pipes and reads what is there.
    fn serve(&mut self, pause: Duration) {
        // A look at the pipes of many workers costs more than an answer: several answers are waited for.
        let rest = (LOOK * self.workers.len() as u32).saturating_sub(self.served.elapsed());
        if rest >= LOOK * 100 {
            std::thread::sleep(rest.min(QUICK));
        }
        let served =
            self.workers.iter().enumerate().filter(|(_, worker)| worker.task.is_some() || worker.leaving.is_some());
        let served = served.filter_map(|(k, worker)| Some((k, &worker.program.as_ref()?.process)));
        let ready = wait(served, pause);
        let now = Instant::now();
        self.served = now;
        for &(k, pipe) in &ready {
            let Worker { program: Some(program), task, .. } = &mut self.workers[k] else { continue };
            match (pipe, task) {
                (Pipe::Input, _) => program.process.write(),
                (Pipe::Errors, _) => program.process.read_errors(),
                (Pipe::Output, None) => program.process.read_output(&mut Vec::new()),
                (Pipe::Output, Some(task)) => {
                    program.process.read_output(task.received.bytes());
                    if self.template.is_some() {
                        task.received.keep_end();
                    }
                    if program.process.is_mute() {
                        task.muted.get_or_insert(now);
                    }
                }
            }
        }
        for (k, pipe) in ready {
            if pipe == Pipe::Output {
                self.read_answer(k);
            }
        }
    }

    /// Takes the answer of a program, if it is there.
    fn read_answer(&mut self, k: usize) {
        let Worker { program: Some(program), task: Some(task), .. } = &mut self.workers[k] else { return };
        if self.template.is_some() {
            return;
        }
        let most = passed_over(program.answered, self.banner, self.chatter);
        match task.received.answer(most) {
            None if program.answered > 0 && self.chatter.is_none() && task.received.skipped_lines() > 0 => {
                task.unsure.get_or_insert_with(Instant::now);
            }
            None => {}
            Some(Ok(answer)) => self.accept(k, answer),
            Some(Err(why)) => self.fail_task(k, Failure::Unreadable(why)),
        }
    }

    /// Looks at everything that is not said in a pipe: ends and time. `now` is from before the pipes were read, so that an answer that
    /// waited in one is never too late.
    fn look(&mut self, now: Instant) {
        let tick = self.looked.elapsed() >= TICK;
        if tick {
            self.looked = now;
        }
        for k in 0..self.workers.len() {
            let Worker { program: Some(program), task, leaving, .. } = &mut self.workers[k] else { continue };
            let mute = program.process.is_mute();
            let Some(task) = task else {
                let over = leaving.is_some_and(|since| {
                    now.saturating_duration_since(since) >= PATIENCE
                        || (tick || mute) && program.process.exit().is_some()
                });
                if over {
                    self.end(k);
                }
                continue;
            };
            if !self.once && self.template.is_none() {
                if tick {
                    program.process.look_at_input();
                }
                let odd = program.answered == 0 && !self.health.has_spoken() && task.received.has_begun();
                if odd && task.hushed.is_none() && now.saturating_duration_since(task.asked) >= HUSH {
                    task.hushed = Some(now);
                    program.process.send(&[], true);
                }
                if program.process.is_deaf() {
                    task.deaf.get_or_insert(now);
                }
            }
            if task.ended.is_none() && (tick || mute || task.deaf.is_some()) {
                task.ended = program.process.exit().map(|status| (Instant::now(), status));
                if task.ended.is_some() {
                    // What it wrote before it ended.
                    program.process.read_output(task.received.bytes());
                    self.read_answer(k);
                }
            }
            let late = self.is_late(k, now);
            let Worker { program: Some(program), task: Some(task), .. } = &mut self.workers[k] else { continue };
            let since = |then: Option<Instant>| then.map(|then| now.saturating_duration_since(then));
            let patient = |then: Option<Instant>| since(then).is_none_or(|since| since < PATIENCE);
            if let Some((ended, status)) = task.ended {
                if program.process.is_mute() || since(Some(ended)).is_some_and(|since| since >= AFTERMATH) {
                    self.conclude(k, status);
                }
            } else if self.template.is_none()
                && self.banner.is_some_and(|banner| task.received.skipped_lines() > banner)
            {
                // Others have answered by now without so many lines before it: these were meant as the answer.
                let line = task.received.skipped().unwrap_or_default();
                let failure = Failure::Unreadable(unreadable(line));
                self.fail_task(k, failure);
            } else if let Some(late) = late {
                self.fail_task(k, Failure::TimedOut(late));
            } else if since(task.unsure).is_some_and(|since| since >= PATIENCE.max(2 * self.longest)) {
                let line = task.received.skipped().unwrap_or_default();
                let failure = Failure::Unreadable(unreadable(line));
                self.chatter = Some(0);
                self.fail_task(k, failure);
            } else if !patient(task.deaf) {
                self.closed_its_input(k);
            } else if self.template.is_none() && !patient(task.muted) {
                self.fail_task(k, Failure::Crashed("it closed its standard output".into()));
            }
        }
        self.look_for_silence(now);
    }

    /// What to say where the time of a worker's point is over.
    fn is_late(&self, k: usize, now: Instant) -> Option<String> {
        let task = self.workers[k].task.as_ref()?;
        let within = match (task.deadline, self.options.timeout) {
            (Some(deadline), Some(timeout)) if deadline <= now => format!("{} s", timeout.as_secs_f64()),
            (None, None) => {
                let spent = now.saturating_duration_since(task.asked);
                if spent < GENEROUS || spent < generous(&self.times) {
                    return None;
                }
                let seconds = generous(&self.times).as_secs_f64().round();
                format!("{seconds} s, which is taken to be enough: --eval-timeout says how long a point may take")
            }
            _ => return None,
        };
        let skipped = task.received.skipped().map(|line| format!("; {}", unreadable(line))).unwrap_or_default();
        Some(format!("no answer within {within}{skipped}"))
    }

    /// The program of a worker will never read its point. One that has answered before is a program for one point.
    fn closed_its_input(&mut self, k: usize) {
        let Worker { program: Some(program), task: Some(task), .. } = &self.workers[k] else { return };
        let answered = program.answered;
        if answered == 0 || !task.received.is_blank() || task.job.attempt > RETRIES {
            return self.fail_task(k, Failure::Crashed("it closed its standard input".into()));
        }
        if answered == 1 {
            self.note_single();
        }
        if !self.once {
            self.restarts += 1;
        }
        self.try_again(k);
    }

    fn look_for_silence(&mut self, now: Instant) {
        let Some(silence) = self.silence else { return };
        if self.health.has_spoken() {
            self.silence = None;
            return;
        }
        let long = |task: &&Assignment| now.saturating_duration_since(task.asked) >= silence;
        let Some(task) = self.workers.iter().filter_map(|worker| worker.task.as_ref()).find(long) else { return };
        let question = match task.received.skipped() {
            Some(line) => unreadable(line),
            None => "does the program flush its output, and answer each line before the end of its input?".into(),
        };
        self.notes.push(format!("no answer yet after {} s: {question}", silence.as_secs_f64()));
        if silence == SILENCE {
            // One that answers at the end of its input, or flushes there, does so now.
            for worker in &mut self.workers {
                let (Some(program), Some(task)) = (&mut worker.program, &mut worker.task) else { continue };
                if now.saturating_duration_since(task.asked) >= silence && task.job.attempt == 1 {
                    task.hushed.get_or_insert(now);
                    program.process.send(&[], true);
                }
            }
        }
        self.silence = silence.checked_mul(10);
    }

    /// A program has ended, and there is no answer in what it wrote as far as that was read.
    fn conclude(&mut self, k: usize, status: ExitStatus) {
        let Worker { program: Some(program), task: Some(task), .. } = &mut self.workers[k] else { return };
        if let Some((_, answers)) = &self.template {
            if !status.success() {
                return self.fail_task(k, Failure::Crashed(format!("it ended with {status}")));
            }
            let found = match &task.file {
                Some(file) => read_end(file).and_then(|bytes| last_line(&bytes)),
                None => task.received.last_line(),
            };
            let unread = matches!(answers, AnswerPlace::Output) && self.options.command.contains("{out}");
            return match found {
                Ok(answer) => self.accept(k, answer),
                Err(why) if unread => {
                    self.fail_task(k, Failure::Unreadable(format!("{why}; --read out reads the file")))
                }
                Err(why) => self.fail_task(k, Failure::Unreadable(why)),
            };
        }
        let first = program.answered == 0;
        if status.success() && !task.received.is_blank() {
            match task.received.last_answer(passed_over(program.answered, self.banner, self.chatter)) {
                Some(Ok(answer)) => return self.accept(k, answer),
                Some(Err(why)) => return self.fail_task(k, Failure::Unreadable(why)),
                None => {}
            }
        }
        let once_more = program.answered == 1 && !self.serves;
        if once_more {
            self.note_single();
        }
        let Worker { program: Some(program), task: Some(task), .. } = &mut self.workers[k] else { return };
        let never_read = program.process.is_deaf();
        let hushed = task.hushed.is_some();
        if hushed && task.received.has_begun() && !self.health.has_spoken() {
            // What it printed was meant as its answer: the next ones are not waited for.
            self.banner.get_or_insert(0);
        }
        let Worker { program: Some(_), task: Some(task), .. } = &mut self.workers[k] else { return };
        let spared = task.received.is_blank() && (status.success() || never_read || once_more);
        let broken_off = hushed && !task.received.has_begun();
        if (!first || broken_off) && spared && task.job.attempt <= RETRIES {
            if !self.once {
                self.restarts += 1;
            }
            return self.try_again(k);
        }
        let failure = match task.received.skipped() {
            Some(line) if status.success() => Failure::Unreadable(format!("{}, and ended", unreadable(line))),
            Some(line) => {
                Failure::Crashed(format!("it ended without an answer ({status}) after '{}'", shortened(line)))
            }
            None if hushed && task.received.has_begun() => {
                Failure::Unreadable("it printed empty lines and no answer".into())
            }
            None => Failure::Crashed(format!("it ended without an answer ({status})")),
        };
        self.fail_task(k, failure);
    }

    /// Gives the point of a worker to a fresh program.
    fn try_again(&mut self, k: usize) {
        self.end(k);
        if let Some(task) = self.workers[k].task.take() {
            self.begin(k, Job { attempt: task.job.attempt + 1, ..task.job });
        }
    }

    fn accept(&mut self, k: usize, answer: Answer) {
        let Worker { program: Some(program), task, .. } = &mut self.workers[k] else { return };
        let Some(task) = task.take() else { return };
        program.answered += 1;
        program.first.get_or_insert_with(Instant::now);
        program.hushed |= task.hushed.is_some();
        if task.hushed.is_some_and(|hushed| hushed.elapsed() < PATIENCE) && !self.once {
            self.once = true;
            self.notes.push("the program answers at the end of its input: it is started anew for every point".into());
        }
        self.banner.get_or_insert(task.received.skipped_lines());
        if program.answered == 2 && self.chatter.is_none() {
            let lines = task.received.skipped_lines();
            self.chatter = Some(lines);
            if let Some(line) = task.received.skipped() {
                let line = shortened(line);
                self.notes.push(format!("lines before each of the program's answers are passed over, as '{line}' is"));
            }
        }
        self.serves |= program.answered == 2;
        if let Some(line) = task.received.skipped().filter(|_| !self.said.banner) {
            self.notes.push(format!("lines before the program's first answer are passed over: '{}'", shortened(line)));
            self.said.banner = true;
        }
        if self.times.len() == TIMES {
            self.times.pop_front();
        }
        let took = task.asked.elapsed();
        self.times.push_back(took);
        self.longest = self.longest.max(took);
        let value = answer.value();
        let evaluation = answer.evaluation(&self.options.constraints, &self.options.aim);
        self.notes.extend(self.health.answered(&task.job.x, value, evaluation.failure.as_ref()));
        self.hosts.praise(self.hosts.of(k));
        if self.template.is_some() {
            self.end(k);
        } else if self.once {
            self.leave(k);
        }
        self.deliver(k, task.job, evaluation);
    }

    /// The program's work is done: it is given a moment to end.
    fn leave(&mut self, k: usize) {
        if let Some(program) = &mut self.workers[k].program {
            program.process.close();
            self.workers[k].leaving = Some(Instant::now());
        }
    }

    /// The point of a worker has failed, and its program with it.
    fn fail_task(&mut self, k: usize, failure: Failure) {
        let Worker { program: Some(program), task, .. } = &mut self.workers[k] else { return };
        let Some(task) = task.take() else { return };
        let words = program.process.last_words();
        // A fatal exit code of the shell: the command was not found or may not be executed.
        let code = task.ended.and_then(|(_, status)| status.code());
        let cannot_start = matches!(failure, Failure::Crashed(_)) && matches!(code, Some(126 | 127));
        let (alive, number) = (task.ended.is_none(), program.number);
        self.end(k);
        if alive {
            // It was given up while it worked, and so is what it has begun in sessions of their own.
            self.mark.kill_left_of(number);
        }
        if !self.is_single() {
            self.restarts += 1;
        }
        let failure = match words.is_empty() {
            true => failure,
            false => Failure::of(failure.kind(), format!("{}\n{words}", failure.text())).unwrap_or(failure),
        };
        self.fail(k, task.job, failure, cannot_start);
    }

    fn fail(&mut self, k: usize, mut job: Job, failure: Failure, cannot_start: bool) {
        if matches!(failure, Failure::Crashed(_)) && self.hosts.are_several() {
            let host = self.hosts.of(k);
            self.notes.extend(self.hosts.mark(host));
            job.refused.push(host);
            if job.attempt <= RETRIES && self.hosts.has_other_than(&job.refused) {
                job.attempt += 1;
                return self.queue.push_front(job);
            }
            job.refused.iter().for_each(|&host| self.hosts.forgive(host));
        }
        self.health.failed(&failure, cannot_start, &self.options.command, &self.how());
        self.deliver(k, job, Evaluation::failed(failure));
    }

    fn deliver(&mut self, k: usize, job: Job, evaluation: Evaluation) {
        if let Some((command, answers)) = &self.template
            && (command.has_files() || matches!(answers, AnswerPlace::Out))
            && let Ok(folder) = self.scratch.folder(k)
        {
            let places = Places { x: &[], id: job.id, worker: k, scratch: &folder };
            let _ = (std::fs::remove_file(places.input()), std::fs::remove_file(places.output()));
        }
        let seconds = job.begin.map_or(0.0, |begin| begin.elapsed().as_secs_f64());
        self.ready.push((job.id, Evaluation { seconds, worker: k as u32, attempt: job.attempt, ..evaluation }));
    }

    /// What the program must do, for people whose program does not.
    fn how(&self) -> String {
        if let Some((_, answers)) = &self.template {
            let place = match answers {
                AnswerPlace::Output => "the last line of its output",
                AnswerPlace::Out => "the last line of the file {out}",
                AnswerPlace::File(_) => "the last line of the file that --read names",
            };
            return format!(
                "The command is run for every point: it must end with exit status 0, and {place}\nmust hold a number."
            );
        }
        let example = match (self.options.input, self.options.names.first()) {
            (Input::Plain, _) => "0.5 -1.2".into(),
            (Input::Json, None) => "{\"x\": [0.5, -1.2]}".into(),
            (Input::Json, Some(name)) => format!("{{\"x\": {{\"{name}\": 0.5, ..}}}}"),
        };
        format!(
            "The program must read lines like {example} from its standard input until the end of file, and answer each\n\
             with one line that holds a number, flushed at once (in Python: print(value, flush=True))."
        )
    }

    /// How long the pipes may be waited for before something else is due.
    fn pause(&self, now: Instant, until: Option<Instant>) -> Duration {
        let mut pause = until.map_or(TICK, |until| until.saturating_duration_since(now)).min(TICK);
        for worker in &self.workers {
            let resting = worker.task.is_none() && worker.program.as_ref().is_some_and(Instance::is_resting);
            if (worker.leaving.is_some() || resting) && !self.queue.is_empty() {
                pause = pause.min(QUICK);
            }
            let Some(task) = &worker.task else { continue };
            let recent =
                |then: Option<Instant>| then.is_some_and(|then| now.saturating_duration_since(then) < PATIENCE);
            if task.ended.is_some() || recent(task.muted) || recent(task.deaf) {
                pause = pause.min(QUICK);
            }
            if let Some(deadline) = task.deadline {
                pause = pause.min(deadline.saturating_duration_since(now));
            }
        }
        pause
    }

    /// Time in which this process did not run, or was busy elsewhere, is not counted against programs.
    fn forgive_pause(&mut self, meant: Duration) -> Instant {
        let now = Instant::now();
        let gap = now.saturating_duration_since(self.seen).saturating_sub(meant);
        self.seen = now;
        if gap > PAUSE {
            for task in self.workers.iter_mut().filter_map(|worker| worker.task.as_mut()) {
                task.asked += gap;
                let Assignment { deadline, unsure, hushed, muted, deaf, .. } = task;
                for moment in [deadline, unsure, hushed, muted, deaf].into_iter().flatten() {
                    *moment += gap;
                }
            }
        }
        now
    }
}

impl Evaluator for Pool {
    fn capacity(&self) -> Capacity {
        let free = (0..self.workers.len()).filter(|&k| self.workers[k].is_free() && !self.is_out(k)).count();
        Capacity::Points(free.saturating_sub(self.queue.len()))
    }

    fn submit(&mut self, batch: &Batch) {
        let job = |(id, x): (Id, &[f64])| Job { id, x: x.to_vec(), attempt: 1, begin: None, refused: Vec::new() };
        self.queue.extend(batch.points().map(job));
    }

    fn poll(&mut self, wait: Duration) -> Vec<(Id, Evaluation)> {
        let until = Instant::now().checked_add(wait);
        self.forgive_pause(Duration::ZERO);
        loop {
            let more = self.hand_out();
            // A pause may come at any place.
            let now = self.forgive_pause(STARTS);
            let pause = if more || !self.ready.is_empty() { Duration::ZERO } else { self.pause(now, until) };
            self.serve(pause);
            self.forgive_pause(pause);
            self.look(now);
            self.dying.retain_mut(|process| !process.is_gone());
            let over = !self.ready.is_empty() || !self.is_working();
            if over || until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
        }
        // The workers that have become free need not wait for what the caller does next.
        self.hand_out();
        self.forgive_pause(STARTS);
        std::mem::take(&mut self.ready)
    }

    fn abandon(&mut self) {
        self.queue.clear();
        for k in 0..self.workers.len() {
            if self.workers[k].task.take().is_some() {
                self.end(k);
            }
        }
    }

    fn broken(&self) -> Option<String> {
        self.health.broken().map(str::to_owned)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

impl Pool {
    /// The end of all programs: their standard inputs end, and those that do not end by themselves are killed, with what they have
    /// started, also in sessions of their own. [`Pool::notes`] says what these were.
    pub fn close(&mut self) {
        self.abandon();
        let mut programs: Vec<_> = self.workers.iter_mut().filter_map(|worker| worker.program.take()).collect();
        programs.iter_mut().for_each(|program| program.process.close());
        let patience = Instant::now() + PATIENCE;
        loop {
            let all = programs.iter().all(|program| program.process.exit().is_some());
            if all || Instant::now() >= patience {
                break;
            }
            let ready = wait(programs.iter().map(|program| &program.process).enumerate(), QUICK);
            for (k, pipe) in ready {
                match pipe {
                    Pipe::Errors => programs[k].process.read_errors(),
                    _ => programs[k].process.read_output(&mut Vec::new()),
                }
            }
        }
        programs.iter_mut().for_each(|program| program.process.kill());
        if self.started == 0 {
            return;
        }
        let groups: Vec<u32> =
            programs.iter().map(|program| &program.process).chain(&self.dying).map(Process::group).collect();
        let left = self.mark.kill_left(&groups);
        if !left.is_empty() {
            let left = left.join(", ");
            self.notes.push(format!(
                "ended with the run, for the program had left it running in a session of its own: {left}"
            ));
        }
        self.started = 0;
    }
}

/// How many lines without an answer may come before one: a program that has not answered may print as many as the first one did,
/// one that has as many as came before a second answer; where that is not known yet, no more than before the first.
fn passed_over(answered: u64, banner: Option<usize>, chatter: Option<usize>) -> usize {
    match answered {
        0 => banner.unwrap_or(usize::MAX),
        _ => chatter.or(banner).unwrap_or(0),
    }
}

/// What a point may take where nobody says it, by the times of the others.
fn generous(times: &VecDeque<Duration>) -> Duration {
    if times.len() < ANSWERS {
        return UNKNOWN;
    }
    let mut times: Vec<Duration> = times.iter().copied().collect();
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    GENEROUS.max(median.saturating_mul(MEDIANS))
}

/// Makes a file that is there already be known from one that is written later.
fn make_old(file: &Path) -> std::io::Result<()> {
    let named = |why: std::io::Error| std::io::Error::new(why.kind(), format!("{}: {why}", file.display()));
    if is_no_file(file) {
        return Err(named(std::io::Error::other("it is no file")));
    }
    match File::options().write(true).open(file) {
        Ok(old) => old.set_modified(SystemTime::UNIX_EPOCH).map_err(named),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(()),
        Err(why) => Err(named(why)),
    }
}

/// Whether something is there that is not a file: opening a pipe waits for its other end.
fn is_no_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file())
}

/// The end of a file that was written since [`make_old`].
fn read_end(path: &Path) -> std::result::Result<Vec<u8>, String> {
    if is_no_file(path) {
        return Err(format!("{} is no file", path.display()));
    }
    let failed = |why: std::io::Error| format!("{}: {why}", path.display());
    let mut file = File::open(path).map_err(failed)?;
    let data = file.metadata().map_err(failed)?;
    if data.modified().is_ok_and(|time| time == SystemTime::UNIX_EPOCH) {
        return Err(format!("{} was not written", path.display()));
    }
    if data.len() > 4 * LONGEST_LINE as u64 {
        file.seek(SeekFrom::End(-(LONGEST_LINE as i64))).map_err(failed)?;
    }
    let mut bytes = Vec::new();
    file.take(8 * LONGEST_LINE as u64).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_point_may_take_follows_the_others() {
        let times =
            |count: usize, seconds: u64| (0..count).map(|_| Duration::from_secs(seconds)).collect::<VecDeque<_>>();
        assert_eq!(generous(&times(9, 1)), UNKNOWN);
        assert_eq!(generous(&times(10, 1)), GENEROUS);
        assert_eq!(generous(&times(11, 360)), Duration::from_secs(36_000));
    }

    #[test]
    fn lines_are_passed_over_as_often_as_they_are_known_to_come() {
        assert_eq!(passed_over(0, None, None), usize::MAX);
        assert_eq!(
            [passed_over(0, Some(2), None), passed_over(1, Some(2), None), passed_over(3, Some(2), Some(0))],
            [2, 2, 0]
        );
        assert_eq!([passed_over(0, Some(2), Some(1)), passed_over(5, Some(2), Some(1))], [2, 1]);
    }
}
