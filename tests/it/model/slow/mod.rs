//! Slow tests of checkpoints; `-- --skip slow::` leaves them out.

pub mod gguf_mutations;
pub mod mutations;
