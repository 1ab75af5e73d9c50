//! A child process: its pipes, which never block, its group, and its end, also where ours comes first.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio, ioctl_fionread};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions};
use rustix::process::{getpgid, getrlimit, kill_process_group, setrlimit, waitid};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{ErrorKind, Read, Result, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Of a program's standard error this many last bytes are kept.
const TAIL: usize = 4096;
/// So much is read from a pipe at a time; a program that writes faster than it is read waits.
const GULP: usize = 1 << 18;
/// A program begins when it has been given a line, so that none runs before it is known to the guard.
const GATE: &str = "read -r _ || exit; exec sh -c \"$1\"";

/// Process groups alive now.
static REGISTRY: Mutex<Registry> =
    Mutex::new(Registry { groups: BTreeSet::new(), folders: Vec::new(), marks: BTreeSet::new(), guard: None });

struct Registry {
    groups: BTreeSet<u32>,
    folders: Vec<String>,
    /// Of the pools that there are.
    marks: BTreeSet<String>,
    guard: Option<ChildStdin>,
}

/// A shell that knows the groups, folders and marks. Its input ends when this process has ended, however that was; it kills and removes
/// what is left then.
const GUARD: &str = r#"trap '' HUP INT QUIT TERM
while read -r word what; do
    case $word in
        +) eval "group_$what=$what" ;;
        -) unset "group_$what" ;;
        folder) set -- "$@" "$what" ;;
        mark) eval "mark_$what=$what" ;;
        unmark) unset "mark_$what" ;;
    esac
done
set | while IFS== read -r name what; do
    case $name in
        group_[0-9]*) kill -s KILL -- "-${name#group_}" ;;
        mark_[0-9a-f]*)
            for place in $(grep -ls "SWARMGRAD_RUN=${name#mark_}" /proc/[0-9]*/environ); do
                place=${place#/proc/}
                kill -s KILL "${place%/environ}"
            done ;;
    esac
done
[ $# = 0 ] || rm -rf -- "$@""#;

impl Registry {
    /// A guard that was killed itself is replaced once; programs run without one rather than not at all.
    fn tell_guard(&mut self, line: &str) {
        if let Some(guard) = &mut self.guard
            && guard.write_all(line.as_bytes()).is_ok()
        {
            return;
        }
        let groups = self.groups.iter().map(|group| format!("+ {group}\n"));
        let marks = self.marks.iter().map(|mark| format!("mark {mark}\n"));
        let folders = self.folders.iter().map(|folder| format!("folder {folder}\n"));
        let known: String = groups.chain(marks).chain(folders).collect();
        self.guard = start_guard();
        if let Some(guard) = &mut self.guard
            && guard.write_all(known.as_bytes()).is_err()
        {
            self.guard = None;
        }
    }
}

fn start_guard() -> Option<ChildStdin> {
    let mut shell = Command::new("/bin/sh");
    // Nothing of the environment is taken for a group, and no signal of the terminal reaches it.
    shell.arg("-c").arg(GUARD).env_clear().current_dir("/").process_group(0);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?.stdin.take()
}

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Has a folder removed where this process is killed before it can do so.
pub(super) fn leave_to_guard(folder: &Path) {
    if let Some(path) = folder.to_str().filter(|path| path.starts_with('/') && !path.contains('\n')) {
        let mut registry = registry();
        registry.folders.push(path.to_owned());
        registry.tell_guard(&format!("folder {path}\n"));
    }
}

/// Kills every program that was started here; for an exit that runs no destructors.
pub fn kill_all() {
    let registry = registry();
    registry.groups.iter().for_each(|&group| kill_group(group));
    registry.marks.iter().for_each(|mark| _ = kill_marked(mark));
}

/// What marks the programs of a pool and all that they start, in their environment: a session of its own takes a process out of its
/// group, but not out of its environment.
#[derive(Debug)]
pub(super) struct Mark {
    text: String,
    /// Whether anything has it.
    used: bool,
}

/// The variable that holds the mark.
const MARK: &str = "SWARMGRAD_RUN";

impl Mark {
    /// One that no other pool has.
    pub(super) fn new() -> Self {
        Mark { text: format!("{:016x}", RandomState::new().hash_one(std::process::id())), used: false }
    }

    /// The variable for the program of this number, which is about to be started.
    pub(super) fn put(&mut self, number: u64) -> (&'static str, String) {
        if !std::mem::replace(&mut self.used, true) {
            let mut registry = registry();
            registry.marks.insert(self.text.clone());
            registry.tell_guard(&format!("mark {}\n", self.text));
        }
        (MARK, self.of(number))
    }

    fn of(&self, number: u64) -> String {
        format!("{}-{number}.", self.text)
    }

    /// Kills what the program of this number has left outside its group, once that is killed.
    pub(super) fn kill_left_of(&self, number: u64) {
        kill_marked(&self.of(number));
    }

    /// Kills what all of them have left, and names what is not of these groups, which have been killed. Where the system does not
    /// show the environment of a process it is not found.
    pub(super) fn kill_left(&self, groups: &[u32]) -> Vec<String> {
        let left =
            kill_marked(&format!("{}-", self.text)).into_iter().filter(|(_, left)| !groups.contains(&left.group));
        left.map(|(number, left)| format!("{number} ({})", left.name)).collect()
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        if self.used {
            let mut registry = registry();
            registry.marks.remove(&self.text);
            registry.tell_guard(&format!("unmark {}\n", self.text));
        }
    }
}

/// A process that was found alive outside the group of its program.
struct Left {
    group: u32,
    name: String,
}

/// Kills the processes whose mark begins so, and returns them by their numbers.
fn kill_marked(begin: &str) -> BTreeMap<i32, Left> {
    let variable = format!("{MARK}={begin}").into_bytes();
    let is_marked = |process: &Path| {
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|known| known.starts_with(&variable))
    };
    let mut killed = BTreeMap::new();
    // What was started while the others were looked at is found by another look.
    for _ in 0..5 {
        let before = killed.len();
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path()) {
            let number = process.file_name().and_then(|name| name.to_str()?.parse::<i32>().ok());
            let Some(number) = number.filter(|_| is_marked(&process)) else { continue };
            let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default().trim_end().to_owned();
            let group = getpgid(Pid::from_raw(number)).map_or(0, |group| group.as_raw_nonzero().get().unsigned_abs());
            if kill_if(number, || is_marked(&process)) {
                killed.entry(number).or_insert(Left { group, name });
            }
        }
        if killed.len() == before {
            break;
        }
    }
    killed
}

/// Kills the process of this number if it is still the one that is meant.
#[cfg(target_os = "linux")]
fn kill_if(number: i32, is_meant: impl Fn() -> bool) -> bool {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    let Some(pid) = Pid::from_raw(number) else { return false };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => is_meant() && pidfd_send_signal(&process, Signal::KILL).is_ok(),
        // Kernels before 5.3.
        Err(Errno::NOSYS) => is_meant() && rustix::process::kill_process(pid, Signal::KILL).is_ok(),
        Err(_) => false,
    }
}

#[cfg(not(target_os = "linux"))]
fn kill_if(_number: i32, _is_meant: impl Fn() -> bool) -> bool {
    false
}

fn kill_group(group: u32) {
    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Lets this process open enough files for so many programs, as far as the system allows.
pub(super) fn expect_processes(count: usize) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = 4 * count as u64 + 256;
    if limit.current.is_some_and(|current| current < wanted) {
        let current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum });
    }
}

/// One of the pipes of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pipe {
    Input,
    Output,
    Errors,
}

/// A running copy of a program, in a process group of its own: ctrl-C on the terminal reaches us alone, and killing the group
/// reaches what the program has started.
pub(super) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    errors: Option<ChildStderr>,
    /// What is still to be written.
    pending: Vec<u8>,
    /// Whether the input ends with what is pending.
    last: bool,
    tail: Vec<u8>,
    /// Whether it closed its standard input with something in it.
    refused: bool,
    killed: bool,
}

impl Process {
    /// Starts a command in the shell.
    ///
    /// # Errors
    /// What the system says where it cannot.
    pub(super) fn start(command: &str, environment: &[(&str, String)]) -> Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", GATE, "sh", command]).process_group(0);
        shell.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut registry = registry();
        registry.groups.insert(child.id());
        registry.tell_guard(&format!("+ {}\n", child.id()));
        drop(registry);
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let pending = b"\n".to_vec();
        let process = Process {
            child,
            input,
            output,
            errors,
            pending,
            last: false,
            tail: Vec::new(),
            refused: false,
            killed: false,
        };
        process.input.as_ref().map_or(Ok(()), |pipe| ioctl_fionbio(pipe, true))?;
        process.output.as_ref().map_or(Ok(()), |pipe| ioctl_fionbio(pipe, true))?;
        process.errors.as_ref().map_or(Ok(()), |pipe| ioctl_fionbio(pipe, true))?;
        Ok(process)
    }

    /// Writes to its standard input, now or when it reads; after the `last` bytes the input ends.
    pub(super) fn send(&mut self, bytes: &[u8], last: bool) {
        self.pending.extend_from_slice(bytes);
        self.last |= last;
        self.write();
    }

    /// Writes what it takes now.
    pub(super) fn write(&mut self) {
        let Some(input) = &mut self.input else { return };
        let mut written = 0;
        while written < self.pending.len() {
            match input.write(&self.pending[written..]) {
                Ok(count) => written += count,
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Err(why) if why.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.input = None;
                    break;
                }
            }
        }
        self.pending.drain(..written);
        if self.last && self.pending.is_empty() {
            self.input = None;
        }
    }

    /// Whether it closed its standard input before it had read all that it was sent.
    pub(super) fn is_deaf(&self) -> bool {
        self.refused || self.input.is_none() && !self.pending.is_empty()
    }

    /// Whether nobody can read its standard input any more.
    pub(super) fn is_closed(&self) -> bool {
        let Some(input) = &self.input else { return true };
        let mut polled = [PollFd::new(input, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut polled, Some(&now)).is_ok()
            && polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL)
    }

    /// Whether its pipes are open and nothing has come out of them, by one look at all three.
    pub(super) fn is_quiet(&self) -> bool {
        let (Some(input), Some(output), Some(errors)) = (&self.input, &self.output, &self.errors) else { return false };
        let mut polled = [
            PollFd::new(input, PollFlags::empty()),
            PollFd::new(output, PollFlags::IN),
            PollFd::new(errors, PollFlags::IN),
        ];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut polled, Some(&now)), Ok(0)) && !self.is_deaf()
    }

    /// Looks whether it closed its standard input: writing does not tell as long as the pipe takes what is written.
    pub(super) fn look_at_input(&mut self) {
        let unread = self.input.as_ref().is_some_and(|input| ioctl_fionread(input).is_ok_and(|bytes| bytes > 0));
        self.refused |= unread && self.is_closed();
    }

    /// Whether its standard output has ended.
    pub(super) fn is_mute(&self) -> bool {
        self.output.is_none()
    }

    /// Appends what it has written to its standard output.
    pub(super) fn read_output(&mut self, into: &mut Vec<u8>) {
        if drain(&mut self.output, into) {
            self.output = None;
        }
    }

    /// Keeps the end of what it has written to its standard error.
    pub(super) fn read_errors(&mut self) {
        if drain(&mut self.errors, &mut self.tail) {
            self.errors = None;
        }
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
    }

    /// The last that it wrote to its standard error, as people can read it.
    pub(super) fn last_words(&mut self) -> String {
        self.read_errors();
        let text = String::from_utf8_lossy(&self.tail);
        // The first line may have lost its beginning.
        let whole =
            if self.tail.len() >= TAIL { text.split_once('\n').map_or(&*text, |(_, rest)| rest) } else { &*text };
        whole.chars().filter(|c| !c.is_control() || "\n\t".contains(*c)).collect::<String>().trim_end().to_owned()
    }

    /// How it has ended, if it has. It is not waited for, so that its number stays its own until the group is killed.
    pub(super) fn exit(&self) -> Option<ExitStatus> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(Pid::from_child(&self.child)), options) {
            Ok(None) | Err(Errno::INTR) => None,
            Ok(Some(status)) => {
                let signal = status.terminating_signal();
                Some(ExitStatus::from_raw(signal.unwrap_or_else(|| status.exit_status().unwrap_or(0) << 8)))
            }
            Err(_) => Some(ExitStatus::from_raw(0)),
        }
    }

    /// The number of its group.
    pub(super) fn group(&self) -> u32 {
        self.child.id()
    }

    /// Ends its standard input, after which most programs end by themselves.
    pub(super) fn close(&mut self) {
        self.input = None;
    }

    /// Kills it and all it started, and closes its pipes. It is gone when [`Process::is_gone`] says so.
    pub(super) fn kill(&mut self) {
        if self.killed {
            return;
        }
        self.killed = true;
        // While the leader has not been waited for, its number belongs to nobody else.
        kill_group(self.child.id());
        let mut registry = registry();
        registry.groups.remove(&self.child.id());
        registry.tell_guard(&format!("- {}\n", self.child.id()));
        drop(registry);
        (self.input, self.output, self.errors) = (None, None, None);
    }

    /// Whether a process that was killed has ended.
    pub(super) fn is_gone(&mut self) -> bool {
        self.killed && !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    /// Waits for its end, unless the system itself holds it.
    fn drop(&mut self) {
        self.kill();
        let patience = Instant::now() + Duration::from_millis(500);
        while !self.is_gone() && Instant::now() < patience {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

/// Appends what a pipe holds; whether it has ended.
fn drain(pipe: &mut Option<impl Read>, into: &mut Vec<u8>) -> bool {
    let Some(pipe) = pipe else { return false };
    let mut buffer = [0; 1 << 13];
    let mut taken = 0;
    while taken < GULP {
        match pipe.read(&mut buffer) {
            Ok(0) => return true,
            Ok(count) => {
                into.extend_from_slice(&buffer[..count]);
                taken += count;
                // A short read has emptied the pipe.
                if count < buffer.len() {
                    return false;
                }
            }
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(why) if why.kind() == ErrorKind::WouldBlock => return false,
            Err(_) => return true,
        }
    }
    false
}

/// Waits at most so long for pipes that can be read or take what is to be written, and names them with the numbers of their
/// processes.
pub(super) fn wait<'a>(processes: impl Iterator<Item = (usize, &'a Process)>, pause: Duration) -> Vec<(usize, Pipe)> {
    let (mut pipes, mut polled) = (Vec::new(), Vec::new());
    for (number, process) in processes {
        if let Some(input) = process.input.as_ref().filter(|_| !process.pending.is_empty()) {
            pipes.push((number, Pipe::Input));
            polled.push(PollFd::new(input, PollFlags::OUT));
        }
        if let Some(output) = &process.output {
            pipes.push((number, Pipe::Output));
            polled.push(PollFd::new(output, PollFlags::IN));
        }
        if let Some(errors) = &process.errors {
            pipes.push((number, Pipe::Errors));
            polled.push(PollFd::new(errors, PollFlags::IN));
        }
    }
    let mut pause = pause;
    loop {
        let timeout = Timespec { tv_sec: pause.as_secs().min(3600) as _, tv_nsec: pause.subsec_nanos() as _ };
        match poll(&mut polled, Some(&timeout)) {
            Ok(0) => return Vec::new(),
            Ok(_) => break,
            // After a signal, such as the one that continues a stopped process: what is there is seen before time is judged.
            Err(Errno::INTR) => pause = Duration::ZERO,
            // Too many files for one call: look at all of them.
            Err(_) => {
                std::thread::sleep(pause.min(Duration::from_millis(10)));
                return pipes;
            }
        }
    }
    pipes.into_iter().zip(&polled).filter(|(_, polled)| !polled.revents().is_empty()).map(|(pipe, _)| pipe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_alive(group: u32) -> bool {
        Pid::from_raw(group as i32).is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok())
    }

    #[test]
    fn the_guard_kills_what_is_left_and_nothing_else() {
        let mut guard = start_guard().unwrap();
        let start = || Command::new("sh").arg("-c").arg("sleep 100 & sleep 100").process_group(0).spawn().unwrap();
        let (mut left, mut done) = (start(), start());
        for (word, child) in [('+', &left), ('+', &done), ('-', &done)] {
            guard.write_all(format!("{word} {}\n", child.id()).as_bytes()).unwrap();
        }
        drop(guard);
        assert_eq!(left.wait().unwrap().signal(), Some(9));
        let patience = Instant::now() + Duration::from_secs(10);
        // The grandchild, which an init process may still have to wait for.
        while is_alive(left.id()) && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(50));
        assert!(matches!(done.try_wait(), Ok(None)));
        kill_group(done.id());
        done.wait().unwrap();
    }

    #[test]
    fn an_input_that_is_closed_unread_is_noticed() {
        for (command, deaf) in [("exec 0<&-; sleep 100", true), ("read -r line; exec 0<&-; sleep 100", false)] {
            let mut process = Process::start(command, &[]).unwrap();
            process.send(b"point\n", false);
            let patience = Instant::now() + Duration::from_secs(10);
            while !process.is_closed() {
                assert!(Instant::now() < patience);
                std::thread::sleep(Duration::from_millis(2));
            }
            process.look_at_input();
            assert_eq!(process.is_deaf(), deaf, "{command}");
        }
    }

    #[test]
    fn one_that_is_quiet_has_said_nothing_and_listens() {
        let cases = [
            ("exec sleep 100", true),
            ("echo more; exec sleep 100", false),
            ("echo more >&2; exec sleep 100", false),
            ("exec 0<&-; exec sleep 100", false),
            ("exec 1>&-; exec sleep 100", false),
            ("true", false),
        ];
        for (command, quiet) in cases {
            let mut process = Process::start(command, &[]).unwrap();
            process.send(b"", false);
            let patience = Instant::now() + Duration::from_secs(if quiet { 1 } else { 10 });
            while process.is_quiet() && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(2));
            }
            assert_eq!(process.is_quiet(), quiet, "{command}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_has_its_mark_is_found_in_any_group() {
        let mut mark = Mark::new();
        let start = |number| Command::new("sleep").arg("100").envs([number]).process_group(0).spawn().unwrap();
        let (mut first, mut second, mut tenth) = (start(mark.put(1)), start(mark.put(2)), start(mark.put(10)));
        // A process has its environment once it is another program.
        let is_there = |child: &Child| {
            let environment = std::fs::read_to_string(format!("/proc/{}/environ", child.id())).unwrap_or_default();
            environment.contains(MARK)
        };
        while ![&first, &second, &tenth].into_iter().all(is_there) {
            std::thread::sleep(Duration::from_millis(2));
        }
        mark.kill_left_of(1);
        assert_eq!(first.wait().unwrap().signal(), Some(9));
        let left = mark.kill_left(&[tenth.id()]);
        assert_eq!(left, [format!("{} (sleep)", second.id())]);
        assert_eq!([second.wait().unwrap().signal(), tenth.wait().unwrap().signal()], [Some(9); 2]);
        assert!(mark.kill_left(&[]).is_empty());
    }

    #[test]
    fn nothing_runs_before_its_first_line() {
        let mut process = Process::start("echo begun; read -r line; echo \"$line\"", &[]).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        let mut output = Vec::new();
        process.read_output(&mut output);
        assert!(output.is_empty() && process.exit().is_none());
        process.send(b"hello\n", true);
        while !process.is_mute() {
            wait([(0, &process)].into_iter(), Duration::from_secs(10));
            process.read_output(&mut output);
        }
        assert_eq!(String::from_utf8_lossy(&output), "begun\nhello\n");
        // Without the line it ends with its input.
        let mut never = Process::start("sleep 100", &[]).unwrap();
        never.close();
        let patience = Instant::now() + Duration::from_secs(10);
        while never.exit().is_none() {
            assert!(Instant::now() < patience);
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
