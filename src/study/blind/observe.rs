//! The observations of a blind test: a row for each member, in the columns of observations.csv, with what is
//! known of it from outside and its emergence where it was measured.

use std::rc::Rc;

use super::api_answers::{API_FEATURES, ApiAnswers};
use super::family::Member;
use crate::disk;
use crate::emergence::Profile;
use crate::error::Result;
use crate::observations::{CorporaTarget, over_corpora};

/// A member as it is observed.
pub(crate) struct ObservedMember<'a> {
    pub member: &'a Member,
    pub answers: &'a ApiAnswers,
    /// Its texts as the reader reads them, where they give enough windows.
    pub reading: Option<Rc<Profile>>,
    /// Its own profiles, one for each corpus; none while it is hidden.
    pub profiles: Option<Rc<[Profile]>>,
}

/// The reading of the model's texts, beside the features of its answers.
const READING: &str = "reading_less_control_nats";

/// Every column that can be a feature.
pub fn feature_columns() -> Vec<&'static str> {
    API_FEATURES.iter().map(|feature| feature.name).chain([READING]).collect()
}

/// The size as a feature, where sizes count as published.
pub(crate) const SIZE: &str = "log10_params";

/// observations.csv. The size of a hidden member is in it only where `sizes` count as published.
///
/// # Errors
/// Those of [`over_corpora`].
pub(crate) fn observations(
    members: &[ObservedMember],
    noise_scale: Option<f64>,
    sizes: bool,
) -> Result<Vec<u8>> {
    let targets: Vec<CorporaTarget> = members.iter().map(|member| target(member, sizes)).collect();
    disk::csv_bytes("observations.csv".as_ref(), &over_corpora(&targets, noise_scale)?)
}

fn target<'a>(observed: &'a ObservedMember, sizes: bool) -> CorporaTarget<'a> {
    let n_params = observed.member.n_params as f64;
    let mut added: Vec<_> = observed.answers.features().collect();
    if sizes {
        added.push((SIZE, Some(n_params.log10())));
    }
    CorporaTarget {
        model: &observed.member.id,
        family: &observed.member.family,
        params_b: (sizes || observed.profiles.is_some()).then_some(n_params / 1e9),
        profiles: observed.profiles.as_deref().unwrap_or_default(),
        reading: observed.reading.as_deref(),
        scores: &observed.answers.scores,
        added,
    }
}
