//! `completions`: scripts for the shells.

use crate::{DONE, output};
use clap::{Args, CommandFactory};
use std::process::ExitCode;

pub const EXAMPLES: &str = "\
Examples:
  swarmgrad completions bash > ~/.local/share/bash-completion/completions/swarmgrad
  swarmgrad completions zsh > \"${fpath[1]}/_swarmgrad\"
  swarmgrad completions fish > ~/.config/fish/completions/swarmgrad.fish";

/// Which shell.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

impl Completions {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::Program::command(), "swarmgrad", &mut script);
        output::print(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::from(DONE))
    }
}
