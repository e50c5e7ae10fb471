//! Paired samples made ready: checks, standard units and ranks, equal rows counted, discrete values.

pub(super) mod block;
pub(super) mod distinct;
pub(super) mod frequencies;
pub(super) mod paired;
