//! What a program that was built without the feature `nn` says where networks are asked for.

use std::fmt;

/// A command, or a part of one, that this program was built without.
#[derive(Debug)]
pub struct NeedsNetworks(pub String);

impl std::error::Error for NeedsNetworks {}

impl fmt::Display for NeedsNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, command) = (&self.0, self.0.split_whitespace().next().unwrap_or_default());
        write!(
            f,
            "{what}: this program was built without networks and their data. In a clone of the repository, \
             `cargo run --release --features nn -- {command} ...` runs it with them, and \
             `cargo install --path crates/cli --features nn` installs it with them"
        )
    }
}

/// A command that takes whatever it is given and says what it needs.
macro_rules! command {
    ($module:ident, $Command:ident, $name:literal) => {
        pub mod $module {
            use super::NeedsNetworks;

            pub const EXAMPLES: &str = concat!(
                "This program was built without networks and their data. In a clone of the repository,\n\
                 `cargo run --release --features nn -- ",
                $name,
                " ...` runs it with them, and\n\
                 `cargo install --path crates/cli --features nn` installs it with them."
            );

            #[derive(clap::Args, Debug)]
            pub struct $Command {
                #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
                rest: Vec<std::ffi::OsString>,
            }

            impl $Command {
                pub fn run(&self) -> anyhow::Result<std::process::ExitCode> {
                    Err(NeedsNetworks($name.into()).into())
                }
            }
        }
    };
}

command!(train, Train, "train");
command!(predict, Predict, "predict");
command!(data, Data, "data");

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    enum Lean {
        #[command(after_help = train::EXAMPLES, allow_negative_numbers = true)]
        Train(Box<train::Train>),
        #[command(after_help = predict::EXAMPLES)]
        Predict(predict::Predict),
        #[command(after_help = data::EXAMPLES)]
        Data(data::Data),
    }

    #[test]
    fn whatever_follows_a_command_it_says_how_to_get_it() {
        for line in [
            "train",
            "train iris --loss zero_one -n 3 --set a=-1",
            "train --loss f1 iris",
            "data list",
            "predict -o a b",
        ] {
            let why = match Lean::try_parse_from(["swarmgrad"].into_iter().chain(line.split(' '))).expect(line) {
                Lean::Train(command) => command.run(),
                Lean::Predict(command) => command.run(),
                Lean::Data(command) => command.run(),
            };
            let why = why.expect_err(line);
            let name = line.split(' ').next().unwrap_or_default();
            let run = format!("`cargo run --release --features nn -- {name} ...`");
            assert!(why.to_string().starts_with(&format!("{name}: this program was built without networks")), "{why}");
            assert!(why.to_string().contains(&run), "{why}");
            assert_eq!(crate::code(&why), crate::USAGE);
            let help = Lean::try_parse_from(["swarmgrad", name, "--help"]).expect_err(line).to_string();
            assert!(help.contains(&run) && !help.contains("REST"), "{help}");
        }
    }
}
