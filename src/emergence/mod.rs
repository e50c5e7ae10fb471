//! Emergence of one model on one corpus: for every block and reading point how much more information a block
//! transmits at a token that has seen its window than at the same token alone, with the randomly initialised
//! model beside it.
//!
//! | to be found in | what |
//! |---|---|
//! | `positional.rs` | macro and micro information of every block, `IE_l = macro_l - micro_l` |
//! | `block_mi.rs` | `I(h_{l-1} ; h_l)` at some positions, by any estimator |
//! | `random_init.rs` | the same of the randomly initialised model |
//! | `measure.rs` | all of these put together to a profile, on a corpus and its control |
//! | `profile.rs`, `block_reading.rs`, `headline.rs` | the profile, its rows, its summaries |
//! | `profile_row.rs` | the rows of profiles.csv |
//! | [`semantic`] | semantic emergence: which relation a prompt shows, and which examples |
//! | [`compare`] | groups of texts compared by a permutation test |
//!
//! All values are in nats.
//!
//! # References
//! Chen, Yang, Zhu, Wang, arXiv 2405.12617.

mod block_mi;
mod block_reading;
pub mod compare;
mod headline;
mod measure;
mod positional;
mod profile;
mod profile_row;
mod random_init;
pub mod semantic;
mod settings;

pub use self::block_reading::{BlockMi, BlockReading};
pub use self::measure::{is_current, measure};
pub use self::profile::{CorpusInfo, EstimatorInfo, Headline, Micro, Profile};
pub use self::profile_row::ProfileRow;
pub use self::settings::MeasureSettings;
