//! Data sets: readers, the catalogue, preparation and splits.
