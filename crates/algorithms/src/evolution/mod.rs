//! Evolutionary methods and the yardstick below all of them.

pub mod de;
pub mod random_search;
