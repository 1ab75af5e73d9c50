//! What a person says of a run, as plain data, and what keeps it: programs of the user's own, the journal, state files, units of
//! work.

pub mod journal;
