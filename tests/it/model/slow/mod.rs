//! Slow tests of checkpoints. `-- --skip slow::` skips them.

pub mod gguf_mutations;
pub mod mutations;
