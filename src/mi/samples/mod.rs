//! Prepares paired samples: checks, standardisation, ranks, repeated rows and discrete values.

pub(super) mod block;
pub(super) mod distinct;
pub(super) mod frequencies;
pub(super) mod paired;
