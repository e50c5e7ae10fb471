//! The blind test: a model that could be opened is served as if it were closed, asked over the wire,
//! predicted from what came back, and only then opened.
//!
//! Each hidden member is one back-test: the card is fitted on all members of other families, and of its own
//! family on the smaller members and the earlier checkpoints of its own run. The prediction uses the
//! [`ApiAnswers`] of the hidden member (the answers of its API) and the profiles of the others, never the
//! hidden member's own profile. With one hidden member, that profile is measured only after the prediction is
//! on disk; with several, it may exist earlier as one of the others.

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
