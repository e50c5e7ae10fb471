//! Slow tests of the server; `-- --skip slow::` leaves them out.

pub mod soak;
