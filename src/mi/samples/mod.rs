//! Paired samples: checked, standardised, and with repeated rows counted once.

pub(super) mod block;
pub(super) mod distinct;
pub(super) mod paired;
