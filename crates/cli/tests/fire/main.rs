//! Under fire: attacks on every door of the program, each a class of faults with as many cases as one likes.
//!
//! The gate runs a short round of each, the same one every time. The long round prints the table of `docs/reliability.md`:
//!
//! ```sh
//! cargo test -p swarmgrad-cli --test fire -- --ignored --nocapture campaign
//! ```

mod states;
mod tally;
