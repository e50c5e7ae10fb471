//! Slow tests of collecting; `-- --skip slow::` leaves them out.

pub mod kills;
