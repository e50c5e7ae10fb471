//! Slow tests of checkpoints; `-- --skip slow::` leaves them out.

pub mod mutations;
