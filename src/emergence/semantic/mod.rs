//! Measures semantic emergence: how well the state at the end of a prompt identifies the relation that the
//! examples show, compared with how well it identifies the examples themselves.
//!
//! Chen et al. define emergence as the reduction of entropy at the semantic (macroscopic) level compared with
//! the reduction at the token (microscopic) level. Here the semantic variable is the relation of a [factorial
//! design](crate::corpus::factorial), and the token-level variable is the example set. Both are measured in
//! the same state `Y`: the residual stream after a block, at the last token of the prompt, in the form that
//! the next block receives ([`next_input`](crate::model::decoder::Decoder::next_input)). This quantity
//! follows the idea of Chen et al. but differs from the quantity that they define.
//!
//! | file | contents |
//! |---|---|
//! | `condition.rs` | the states of one block and number of shots, centred; noise |
//! | `query_kernel.rs` | densities between the states of one query: `D` and micro |
//! | `tally.rs` | log scores at every temperature, choice of the temperature |
//! | `jackknife.rs` | values with their standard errors over queries and example sets |
//! | `estimate.rs` | macro `M` and micro `m` of a condition, and controls without additional prompts |
//! | `output.rs` | `O`, accuracy and log-probability of the output of the model |
//! | `answer_share.rs` | the pair score from answers instead of states, for closed models |
//! | `depth.rs` | summaries over depth |
//! | `prompt_grid.rs` | the prompts of a design with the states of one model |
//! | `measure.rs` | the measurement of a profile |
//! | `profile.rs`, `reading.rs`, `summary.rs`, `rows.rs` | the profile and its CSV rows |
//!
//! # Units
//! Information is in nats. A share is `M / log 2`: 0 at chance level, and 1 if every pair of relations is
//! distinguished with certainty.
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
