//! swarmgrad
