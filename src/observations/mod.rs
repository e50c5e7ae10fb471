//! Builds observations: one row per target and corpus, with what is known about the target from outside (its
//! black-box scores, its texts) and what is measured inside a small proxy (its profile). The target's own
//! profile is the response, never a feature. The size of the target is not a feature either.

mod accuracy;
mod cell;
mod checks;
mod columns;
mod features;
mod inputs;
mod join;
mod join_notes;
mod measured;
mod noise_scale;
mod observation;
mod proxy;
mod readings;
mod score_settings;
pub mod semantic;

pub use self::accuracy::accuracy;
pub use self::checks::{ComparableProfile, check_profiles};
pub use self::columns::{
    RENAMED, conditions, is_internal, is_response, is_text, reader, renamed, renamed_in_observations,
};
pub use self::features::{FEATURES, ProfileFeature, features};
pub use self::inputs::{JoinInputs, PublishedModel};
pub use self::join::{Joined, join};
pub use self::noise_scale::{WIDEST_GAP_NATS, choose_noise_scale, named, wide_bounds};
pub use self::readings::{ComparisonRow, REFERENCE};
