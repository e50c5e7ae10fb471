//! Runs blind tests: serves a model with available weights as if it were closed, asks it through the API,
//! predicts its emergence from the answers, and only then measures its weights.
//!
//! Each hidden member is one back-test. The card is fitted on all members of other families and, within the
//! family of the hidden member, on the smaller members and the earlier checkpoints of the same run. The
//! prediction uses the [`ApiAnswers`] of the hidden member and the profiles of the other members, never the
//! profile of the hidden member. With one hidden member, this profile is measured only after the prediction
//! is written. With several hidden members, this profile may exist earlier, because it is used to predict
//! other members.

mod api_answers;
mod checks;
mod closed;
mod family;
mod folder;
mod member_profiles;
mod observe;
mod prediction;
mod record;
mod recorded;
mod results;
mod run;
mod settings;
mod summary;

pub use self::api_answers::ApiAnswers;
pub use self::family::{Family, Member};
pub use self::prediction::HiddenPrediction;
pub use self::record::BlindRow;
pub use self::recorded::RecordedRows;
pub use self::results::BlindTest;
pub use self::run::run;
pub use self::settings::{BlindSettings, PredictionSettings};
pub use self::summary::{BaselineError, BlindSummary};
