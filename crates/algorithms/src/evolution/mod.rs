//! Evolutionary methods and the yardstick below all of them.

pub mod adaptive;
pub mod breed;
pub mod cross;
pub mod de;
pub mod ga;
pub mod jade;
pub mod jde;
pub mod jso;
pub mod lshade;
pub mod mutate;
pub mod random_search;
pub mod select;
pub mod shade;
