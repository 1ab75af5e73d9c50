//! Comparisons with other people's programs, as tests: `cargo test` in this folder. Building COCO needs a C compiler and
//! libclang (`pip install libclang`, then `LIBCLANG_PATH` is the folder `clang/native` of that package).

#![forbid(unsafe_code)]
