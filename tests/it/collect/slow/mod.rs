//! Slow tests of collecting; `-- --skip slow::` leaves them out.

pub mod batch_kills;
pub mod kills;
