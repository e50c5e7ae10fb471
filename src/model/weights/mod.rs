//! Sources of a decoder's parameters: a checkpoint, with one reader per file format, or seeded initial
//! weights (the randomly initialised model).

pub(in crate::model) mod adapter;
mod bytes;
mod checkpoint;
mod entry;
pub(in crate::model) mod foreign;
mod format;
mod header;
mod init;
mod pickle;
mod precision;
mod random_init;
mod safetensors;
mod shards;
mod source;
mod torch;
mod values;
mod wrappers;

pub use self::checkpoint::{Checkpoint, PUBLISHED};
pub use self::header::FileHeader;
pub use self::init::Init;
pub use self::precision::Precision;
pub use self::random_init::RandomInit;
pub use self::source::ParameterSource;
