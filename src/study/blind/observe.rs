//! Builds the observations of the members of a blind test.

use super::api_answers::ApiAnswers;
use super::family::Member;
use super::settings::BlindSettings;
use crate::emergence::semantic::SemanticProfile;
use crate::error::Result;
use crate::study::observed::{self, ObservedModel};

/// The observations of one member.
pub(crate) struct ObservedMember<'a> {
    pub member: &'a Member,
    pub answers: &'a ApiAnswers,
    /// Profiles of the member, one for each corpus; `None` while the member is hidden.
    pub profiles: Option<&'a [SemanticProfile]>,
}

/// The rows of `members`, with the header of observations.csv first.
///
/// # Errors
/// Returns the errors of joining answers and profiles.
pub(crate) fn observations(
    members: &[ObservedMember],
    settings: &BlindSettings,
    sizes: bool,
) -> Result<Vec<Vec<String>>> {
    let models = members.iter().map(|of| ObservedModel {
        id: &of.member.id,
        family: &of.member.family,
        run: &of.member.run,
        is_last: of.member.step.is_none(),
        n_params: Some(of.member.n_params),
        answers: &of.answers.rows,
        profiles: of.profiles,
    });
    observed::observations(&models.collect::<Vec<_>>(), &settings.shots, sizes, vec![])
}
