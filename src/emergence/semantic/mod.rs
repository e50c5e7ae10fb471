//! Semantic emergence: how well the state at the end of a prompt tells which relation its examples show,
//! compared with how well it tells which examples were shown.
//!
//! The paper reads emergence as the reduction of entropy at the semantic (macroscopic) level compared with
//! that at the level of tokens (microscopic). Here the semantic variable is the relation of a
//! [factorial design](crate::corpus::factorial), and the token-level variable is its example set. Both are
//! measured in the same state, `Y`: the residual stream after a block at the last token of the prompt, as the
//! next block reads it ([`next_input`](crate::model::decoder::Decoder::next_input)). It is a different
//! quantity from the paper's, in the paper's spirit.
//!
//! | file | contents |
//! |---|---|
//! | `condition.rs` | the states of one block and number of shots, centred; noise |
//! | `query_kernel.rs` | densities of the states of one query at each other: `D` and micro |
//! | `tally.rs` | log scores at every temperature, the choice of the temperature |
//! | `jackknife.rs` | values with their standard errors over queries and example sets |
//! | `estimate.rs` | macro `M` and micro `m` of a condition, and the controls that need no other prompts |
//! | `output.rs` | `O`, accuracy and log-probability of the model's own output |
//! | `answer_share.rs` | the pair score with answers in place of states, for models that are not open |
//! | `depth.rs` | summaries over depth |
//! | `prompt_grid.rs` | a design with the states of one model |
//! | `measure.rs` | all of these put together |
//! | `profile.rs`, `reading.rs`, `summary.rs`, `rows.rs` | the profile, and its rows as CSV |
//!
//! # Units
//! Information is in nats; a share is `M / log 2`: 0 at chance, 1 where every pair of relations is told apart
//! with certainty.
//!
//! # References
//! Chen, Yang, Zhu, Wang, arXiv 2405.12617.

mod answer_share;
mod condition;
mod depth;
mod estimate;
mod jackknife;
mod measure;
mod output;
mod profile;
mod prompt_grid;
mod query_kernel;
mod reading;
mod rows;
mod settings;
mod summary;
mod tally;

pub use self::answer_share::answer_share;
pub use self::condition::{Crossing, Layout, Noise};
pub use self::depth::WithError;
pub use self::estimate::{ConditionEstimate, EstimateSettings, Exclusions, Information, estimate};
pub use self::jackknife::Replicated;
pub use self::measure::{measure, measure_with_progress, settings_of, tokenize};
pub use self::output::{mean_of_prompts, share_of};
pub use self::profile::{DesignInfo, SemanticProfile};
pub use self::reading::{Init, SemanticControl, SemanticReading};
pub use self::rows::{ReadingRow, SemanticRow, SummaryRow};
pub use self::settings::{NOISE_SCALES, SemanticSettings};
pub use self::summary::ShotSummary;
pub use self::tally::TEMPERATURES;
