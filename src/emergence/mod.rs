//! Emergence of one model on one corpus, block by block, with the randomly initialised model beside it: the
//! information that a state holds at the macroscopic level, less that at the level of tokens. Two estimands
//! say what these levels are.
//!
//! | to be found in | what |
//! |---|---|
//! | [`semantic`] | macro: which relation a prompt shows; micro: which examples (`semantic/estimate.rs`) |
//! | `positional.rs` | macro and micro information of every block, `IE_l = macro_l - micro_l` |
//! | `block_mi.rs`, `lone_tokens.rs` | `I(h_{l-1} ; h_l)` at some positions, by any estimator; tokens alone |
//! | `random_init.rs` | the same of the randomly initialised model |
//! | `measure.rs` | all of these put together to a profile, on a corpus and its control |
//! | `profile.rs`, `block_reading.rs`, `headline.rs` | the profile, its rows, its summaries |
//! | `attention_sink.rs`, `reliability.rs` | what a reader should know before the numbers are used |
//! | `wide_bounds.rs` | the reading whose bounds are furthest apart |
//! | `profile_settings.rs` | everything that decides the numbers: the identity of a profile |
//! | `store.rs`, `measure_once.rs`, `profile_row.rs` | the profiles of a folder, the rows of profiles.csv |
//! | [`compare`] | groups of texts compared by a permutation test |
//!
//! All values are in nats.
//!
//! # References
//! Chen, Yang, Zhu, Wang, arXiv 2405.12617.

mod attention_sink;
mod block_mi;
mod block_reading;
pub mod compare;
mod headline;
mod lone_tokens;
mod measure;
mod measure_once;
mod positional;
mod profile;
mod profile_row;
mod profile_settings;
mod random_init;
pub(crate) mod reliability;
pub mod semantic;
mod settings;
mod steps;
pub mod store;
mod wide_bounds;

pub use self::block_reading::{BlockFlag, BlockMi, BlockReading};
pub use self::measure::{measure, measure_with_progress, settings_of};
pub use self::measure_once::{Origin, measure_once};
pub use self::profile::{CorpusInfo, EstimatorInfo, Headline, Micro, Profile};
pub use self::profile_row::ProfileRow;
pub use self::profile_settings::{ProfileSettings, SettingFilter};
pub use self::reliability::Reliability;
pub use self::settings::MeasureSettings;
pub use self::store::{ProfileStore, StoredProfile};
pub use self::wide_bounds::WidestBounds;
