#!/usr/bin/env bash
# Whether the library and the program can be built with the oldest versions that their manifests allow of what they depend on directly:
# these are the versions that the tests run with (Cargo.lock). Needs a network; nothing is changed outside target.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
cd "$copy"
# An option that is not stable yet, and the only part of cargo that is asked for it.
RUSTC_BOOTSTRAP=1 cargo update -Z direct-minimal-versions
CARGO_TARGET_DIR=${OLDPWD}/target/minimal-versions cargo check --workspace --locked
