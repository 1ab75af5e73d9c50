#!/usr/bin/env bash
# The wheels as they are published, in target/wheels: the Python package, one for all Pythons from 3.9 on. On Linux it is linked by zig
# against glibc 2.17, so that it installs on every distribution since 2014. Needs python3 and pip; nothing is installed outside target.
#
#     scripts/wheels.sh            # the Python package
#     scripts/wheels.sh program    # the program too, as a wheel
set -euo pipefail
cd "$(dirname "$0")/.."

metadata=$(cargo metadata --no-deps --offline --format-version 1)
target=$(sed 's/.*"target_directory":"\([^"]*\)".*/\1/' <<<"$metadata")
tools=$target/wheel-tools
[ -x "$tools/bin/maturin" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check 'maturin>=1.9,<2' ziglang

old=()
if [ "$(uname -s)" = Linux ]; then old=(--zig --compatibility manylinux2014); fi
# Messages of panics name source files: those of this folder and of packages by where they stand in them, not on this machine.
export RUSTFLAGS="${RUSTFLAGS-} --remap-path-prefix=$PWD=swarmgrad --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
# Vectors of SSE4.2 would make a tenth of what ours take, for processors of before 2013 without AVX2: those have SSE2, and the same bits.
export RUSTFLAGS="$RUSTFLAGS --cfg disable_dispatch_sse4_2"
build() { # crate, profile
    PATH="$tools/bin:$PATH" "$tools/bin/maturin" build --profile "$2" --compression-level 9 "${old[@]}" --out "$target/wheels" \
        --manifest-path "crates/$1/Cargo.toml"
}
build python wheel
if [ "${1-}" = program ]; then build cli dist; fi
wc -c "$target"/wheels/*.whl
