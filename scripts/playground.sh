#!/usr/bin/env bash
# The playground: one page that needs nothing else, target/playground/index.html. Open it in a browser, from the disk or from any server.
#
#     scripts/playground.sh            # needs `rustup target add wasm32-unknown-unknown`
set -euo pipefail
cd "$(dirname "$0")/.."

wasm=wasm32-unknown-unknown
if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$wasm/lib" ]; then
    echo "the target is missing: rustup target add $wasm" >&2
    exit 1
fi
cargo rustc --quiet --profile page --package swarmgrad-playground --lib --crate-type cdylib --target $wasm

target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
folder=$target/playground
mkdir -p "$folder"
# The pieces of playground/page take the places of {{style}}, {{script}} and {{module}}; the module is packed by gzip.
while IFS= read -r line; do
    case $line in
        *'{{style}}'*) cat playground/page/style.css ;;
        *'{{script}}'*) cat playground/page/playground.js ;;
        *'{{module}}'*)
            printf '%s' "${line%%\{\{module\}\}*}"
            gzip -9 -n -c "$target/$wasm/page/swarmgrad_playground.wasm" | base64 | tr -d '\n'
            printf '%s\n' "${line#*\{\{module\}\}}"
            ;;
        *) printf '%s\n' "$line" ;;
    esac
done <playground/page/index.html >"$folder/index.html.new"
mv "$folder/index.html.new" "$folder/index.html"
wc -c "$folder/index.html"
