//! The program `swarmgrad`.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    swarmgrad_cli::main()
}
