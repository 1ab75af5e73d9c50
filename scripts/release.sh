#!/usr/bin/env bash
# The archive of the program as it is published, in target/archives: the program, completions for the shells, licences.
#
#     scripts/release.sh               # with everything; downloads of data sets need a C compiler
#     scripts/release.sh burn          # with these features of swarmgrad-cli; '' for the smallest
set -euo pipefail
cd "$(dirname "$0")/.."

features=${1-burn,download}
cargo build --profile dist -p swarmgrad-cli --features "$features"

metadata=$(cargo metadata --no-deps --offline --format-version 1)
target=$(sed 's/.*"target_directory":"\([^"]*\)".*/\1/' <<<"$metadata")
version=$(sed 's/.*"name":"swarmgrad-cli","version":"\([^"]*\)".*/\1/' <<<"$metadata")
host=$(rustc -vV | sed -n 's/^host: //p')

# cargo-binstall looks for this name, see crates/cli/Cargo.toml.
name=swarmgrad-$version-$host
folder=$target/archives/$name
rm -rf "$folder"
mkdir -p "$folder/completions"
cp "$target/dist/swarmgrad" README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$folder"
for shell in bash zsh fish powershell elvish; do
    "$folder/swarmgrad" completions "$shell" >"$folder/completions/swarmgrad.$shell"
done
tar -C "$target/archives" -czf "$folder.tar.gz" "$name"
wc -c "$folder/swarmgrad" "$folder.tar.gz"
