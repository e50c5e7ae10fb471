//! Slow tests of the server. `-- --skip slow::` skips them.

pub mod soak;
