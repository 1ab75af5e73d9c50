//! Other machines: the commands that lead to them, and which of them can be trusted.

use super::protocol::shell_word;
use std::path::Path;
use swarmgrad_core::{Error, Result};

/// A host whose program died so often in a row, while others answered, is left out.
const MARKS: u32 = 3;

/// Where the copies of a program run.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    hosts: Vec<Host>,
    /// The host of each worker.
    places: Vec<usize>,
}

#[derive(Debug)]
struct Host {
    prefix: String,
    /// Starts in a row that came to nothing.
    marks: u32,
    noted: bool,
}

impl Hosts {
    /// Reads a file with one command a line, before which `*4` says for how many workers it serves. Empty lines and those that
    /// begin with `#` mean nothing.
    ///
    /// # Errors
    /// A file that cannot be read or names no host.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let failed = |why: String| Error::File { path: path.display().to_string(), why };
        let text = std::fs::read_to_string(path).map_err(|why| failed(why.to_string()))?;
        Hosts::parse(&text).map_err(failed)
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut hosts = Hosts::default();
        for (k, line) in text.lines().enumerate().map(|(k, line)| (k + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (count, prefix) = match line.strip_prefix('*') {
                None => (1, line),
                Some(rest) => {
                    let (count, prefix) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                    let count = count.parse().ok().filter(|count| (1..=100_000).contains(count));
                    let count = count.ok_or(format!("line {k}: '{line}' must begin with * and a number of workers"))?;
                    (count, prefix.trim())
                }
            };
            if prefix.is_empty() {
                return Err(format!("line {k}: '{line}' must name a command, for example: *4 ssh node1"));
            }
            let known = hosts.hosts.iter().position(|host| host.prefix == prefix);
            let host = known.unwrap_or(hosts.hosts.len());
            if known.is_none() {
                hosts.hosts.push(Host { prefix: prefix.into(), marks: 0, noted: false });
            }
            hosts.places.extend(std::iter::repeat_n(host, count));
        }
        if hosts.hosts.is_empty() { Err("names no host".into()) } else { Ok(hosts) }
    }

    /// For how many workers there are places.
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    /// Whether there is a choice.
    pub(super) fn are_several(&self) -> bool {
        self.hosts.len() > 1
    }

    /// The host of a worker; 0 on this machine.
    pub(super) fn of(&self, worker: usize) -> usize {
        if self.places.is_empty() { 0 } else { self.places[worker % self.places.len()] }
    }

    /// The command as it is run for a worker. The environment travels in it, for no host hands it on.
    pub(super) fn command(&self, worker: usize, command: &str, environment: &[(&str, String)]) -> String {
        let Some(host) = self.hosts.get(self.of(worker)) else { return command.to_owned() };
        let exports: Vec<_> = environment.iter().map(|(name, value)| format!("{name}={}", shell_word(value))).collect();
        format!("{} {}", host.prefix, shell_word(&format!("export {}; {command}", exports.join(" "))))
    }

    /// Whether a host is left out.
    pub(super) fn is_out(&self, host: usize) -> bool {
        let bad = |host: &Host| host.marks >= MARKS;
        self.hosts.get(host).is_some_and(bad) && !self.hosts.iter().all(bad)
    }

    /// Hosts that may be used, but for those that were tried.
    pub(super) fn has_other_than(&self, tried: &[usize]) -> bool {
        (0..self.hosts.len()).any(|host| !tried.contains(&host) && !self.is_out(host))
    }

    /// A program died there before it answered; what to say where the host is left out for it.
    pub(super) fn mark(&mut self, host: usize) -> Option<String> {
        self.hosts.get_mut(host)?.marks += 1;
        let out = self.is_out(host);
        let host = &mut self.hosts[host];
        (out && !std::mem::replace(&mut host.noted, true)).then(|| {
            format!(
                "'{}' is left out: programs there ended {} times in a row without an answer",
                host.prefix, host.marks
            )
        })
    }

    /// It was not the host's fault: the point failed everywhere.
    pub(super) fn forgive(&mut self, host: usize) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.marks = host.marks.saturating_sub(1);
        }
    }

    /// A program there answered.
    pub(super) fn praise(&mut self, host: usize) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.marks = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_name_hosts_and_counts() {
        let hosts = Hosts::parse("# cluster\nssh a\n\n*2 ssh b\n ssh a \n").unwrap();
        assert_eq!((hosts.places(), hosts.hosts.len()), (4, 2));
        assert_eq!((0..5).map(|worker| hosts.of(worker)).collect::<Vec<_>>(), [0, 1, 1, 0, 0]);
        let environment = [("A", "b c".to_owned())];
        assert_eq!(hosts.command(1, "echo 'x'", &environment), r#"ssh b 'export A='\''b c'\''; echo '\''x'\'''"#);
        assert_eq!(Hosts::default().command(1, "echo 'x'", &environment), "echo 'x'");
        for (bad, why) in [
            ("", "names no host"),
            ("*x ssh a", "line 1: '*x ssh a'"),
            ("ssh a\n*3", "line 2: '*3'"),
            ("*0 a", "line 1"),
        ] {
            assert!(Hosts::parse(bad).unwrap_err().contains(why), "{bad}");
        }
    }

    #[test]
    fn the_last_host_is_never_left_out() {
        let mut hosts = Hosts::parse("a\nb").unwrap();
        assert_eq!([hosts.mark(0), hosts.mark(0)], [None, None]);
        assert!(hosts.mark(0).unwrap().contains("'a' is left out"));
        assert!(hosts.is_out(0) && hosts.has_other_than(&[0]) && !hosts.has_other_than(&[1]));
        (0..5).for_each(|_| assert_eq!(hosts.mark(1), None));
        assert!(!hosts.is_out(0) && !hosts.is_out(1));
        hosts.praise(1);
        assert!(hosts.is_out(0));
        hosts.forgive(0);
        assert!(!hosts.is_out(0));
    }
}
