//! The commands of the program, one file each.

mod agent;
mod animate;
mod bench;
mod certify;
mod compare;
mod completions;
mod data;
mod learn;
mod list;
mod minimize;
mod plot;
mod posed;
mod predict;
mod reproduce;
mod train;
mod watch;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

const EXAMPLES: &str = "\
First steps:
  swarmgrad minimize rastrigin --dim 20                        a test problem with the default method
  swarmgrad minimize --exec 'python3 f.py' --bounds -5:5,0:1   a program of your own
  swarmgrad plot run.jsonl                                     a page of a run that --record has kept
  swarmgrad list methods                                       what there is
  swarmgrad compare --methods clpso,de --problems ackley       which one is better
  swarmgrad train iris                                         a network, by AdaSwarm and by Adam
  swarmgrad animate himmelblau -o swarm.gif                    a look at a swarm

`swarmgrad help COMMAND` explains a command, with examples. Numbers may be written 20000, 20_000, 20k or 2e4.";

/// Optimises what has no gradient: particle swarms, consensus-based optimisation and their kin
#[derive(Parser, Debug)]
#[command(name = "swarmgrad", version, about, after_help = EXAMPLES, propagate_version = true, max_term_width = 120)]
pub struct Program {
    #[command(subcommand)]
    command: Command,

    /// What a method may take: 500M, 64G; without it 8G, or what is free if that is less. One that needs more is refused
    #[arg(long, global = true, value_name = "SIZE", help_heading = "General")]
    memory: Option<String>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Minimise a test problem or your own program
    #[command(after_help = minimize::EXAMPLES, visible_alias = "minimise", allow_negative_numbers = true)]
    Minimize(Box<minimize::Minimize>),
    /// Continue a run from the file of `minimize --checkpoint`, to the same result as if it had not been broken off
    #[command(after_help = minimize::RESUMING, allow_negative_numbers = true)]
    Resume(minimize::Resume),
    /// Draw what runs have recorded: curves, variables, failures, workers
    #[command(after_help = plot::EXAMPLES)]
    Plot(plot::Plot),
    /// Follow the runs that a folder records on a local page
    #[command(after_help = watch::EXAMPLES)]
    Watch(watch::Watch),
    /// Run methods on problems many times and say which is better
    #[command(after_help = compare::EXAMPLES, allow_negative_numbers = true)]
    Compare(compare::Compare),
    /// Check the convergence theorems of mean-field PSO for given parameters, and say what to change
    #[command(after_help = certify::EXAMPLES, allow_negative_numbers = true)]
    Certify(certify::Certify),
    /// Run methods on COCO's suite BBOB: shares of targets, curves, and an archive for cocopp
    #[command(after_help = bench::EXAMPLES)]
    Bench(bench::Bench),
    /// Compute the tables and figures of the papers again, and say which claims hold
    #[command(after_help = reproduce::EXAMPLES)]
    Reproduce(reproduce::Reproduce),
    /// Learn the numbers of a method over the course of a run, as a file for `minimize --schedule`
    #[command(after_help = learn::EXAMPLES, allow_negative_numbers = true)]
    Learn(learn::Learn),
    /// Drive a method from any language: ask and tell over standard input and output
    #[command(after_help = agent::PROTOCOL)]
    Agent(agent::Agent),
    /// List the methods or the problems, or explain one of them
    #[command(after_help = list::EXAMPLES)]
    List(list::List),
    /// Train a network on a data set, by optimisers with a swarm and without
    #[command(after_help = train::EXAMPLES, allow_negative_numbers = true)]
    Train(Box<train::Train>),
    /// Answer for the rows of a file with a saved model
    #[command(after_help = predict::EXAMPLES)]
    Predict(predict::Predict),
    /// List, show and fetch data sets
    #[command(after_help = data::EXAMPLES)]
    Data(data::Data),
    /// Draw a swarm moving over the contours of a problem in two variables
    #[command(after_help = animate::EXAMPLES, allow_negative_numbers = true)]
    Animate(animate::Animate),
    /// Print a completion script for a shell
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Completions),
}

impl Program {
    /// Does what the command line says.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(size) = &self.memory {
            swarmgrad::memory::allow(size)?;
        }
        match self.command {
            Command::Minimize(command) => command.run(),
            Command::Resume(command) => command.run(),
            Command::Plot(command) => command.run(),
            Command::Watch(command) => command.run(),
            Command::Compare(command) => command.run(),
            Command::Certify(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Reproduce(command) => command.run(),
            Command::Learn(command) => command.run(),
            Command::Agent(command) => command.run(),
            Command::List(command) => command.run(),
            Command::Train(command) => command.run(),
            Command::Predict(command) => command.run(),
            Command::Data(command) => command.run(),
            Command::Animate(command) => command.run(),
            Command::Completions(command) => command.run(),
        }
    }
}
