//! The program `swarmgrad`.

fn main() -> std::process::ExitCode {
    swarmgrad_cli::main()
}
