//! Methods that divide the box: every part of it stands for the value in its middle.

pub mod direct;
