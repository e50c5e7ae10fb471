//! Provides the parameters of a decoder, from a checkpoint or from seeded initial weights (the randomly
//! initialised model). Each file format of checkpoints has its own reader.

pub(in crate::model) mod adapter;
mod bytes;
mod checkpoint;
mod entry;
pub(in crate::model) mod foreign;
mod format;
pub(in crate::model) mod gguf;
mod header;
mod init;
mod mxfp4;
mod pickle;
mod precision;
mod published;
mod quantised;
mod random_init;
mod safetensors;
mod shapes_alone;
mod shards;
mod source;
mod stored_random_init;
mod torch;
mod values;
mod wrappers;

pub use self::checkpoint::Checkpoint;
pub(in crate::model) use self::entry::Layout;
pub use self::gguf::Gguf;
pub use self::header::FileHeader;
pub use self::init::Init;
pub use self::precision::Precision;
pub use self::published::PUBLISHED;
pub use self::random_init::RandomInit;
pub use self::shapes_alone::ShapesAlone;
pub use self::source::ParameterSource;
pub use self::stored_random_init::StoredRandomInit;
