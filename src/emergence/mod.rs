//! Measures the emergence of one model, and of its randomly initialised version, at every block on one
//! corpus. Emergence is macro information (the information in a state at the macroscopic level) minus micro
//! information (at the token level). Two estimands define these levels: positional and semantic emergence.
//!
//! | file or module | contents |
//! |---|---|
//! | [`semantic`] | semantic emergence: information about the relation minus information about the examples |
//! | `positional.rs` | positional emergence of every block, `IE_l = macro_l - micro_l` |
//! | `block_mi.rs`, `lone_tokens.rs` | `I(h_{l-1} ; h_l)` at given positions; states of tokens without
//! context |
//! | `random_init.rs` | positional emergence of the randomly initialised model |
//! | `measure.rs` | measures a profile on a corpus and its control |
//! | `profile.rs`, `block_reading.rs`, `headline.rs` | the profile, its rows, its summaries |
//! | `attention_sink.rs`, `reliability.rs` | warnings about the results |
//! | `wide_bounds.rs` | the reading with the widest bounds |
//! | `profile_settings.rs` | the settings that identify a profile |
//! | `store.rs`, `measure_once.rs`, `profile_row.rs` | profiles in a folder, rows of profiles.csv |
//! | [`compare`] | permutation test between groups of texts |
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
