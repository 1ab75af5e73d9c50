#!/usr/bin/env bash
# The crates as they are published, and their sizes in bytes; without a network.
#
#     scripts/package.sh               # what is in them is put together
#     scripts/package.sh --verify      # and each is built from that, which takes minutes
set -euo pipefail
cd "$(dirname "$0")/.."

verify=--no-verify
if [ "${1:-}" = --verify ]; then verify=; shift; fi
cargo package --quiet --workspace --exclude swarmgrad-python --exclude swarmgrad-playground --offline $verify "$@"

target=$(cargo metadata --no-deps --offline --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
wc -c "$target"/package/swarmgrad*.crate
