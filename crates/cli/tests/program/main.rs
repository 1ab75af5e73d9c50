//! The program as its users meet it: one file a command or a group of them.

mod bench;
#[path = "../../../../tests/browser/mod.rs"]
mod browser;
mod certify;
mod data;
mod guide;
mod harness;
mod journal;
mod kept;
mod learn;
mod minimize;
mod own;
mod plot;
mod reference;
mod reproduce;
mod swarm;
mod train;
mod variables;
mod watch;
