//! The observations of a blind test: a row for each member, corpus and number of examples, in the columns of
//! observations.csv, with what is known of the member from outside, its proxy's profile, and its own where it
//! was measured.

use std::collections::BTreeMap;

use super::api_answers::ApiAnswers;
use super::family::Member;
use super::settings::BlindSettings;
use crate::calibration::Table;
use crate::emergence::semantic::SemanticProfile;
use crate::error::Result;
use crate::observations::PublishedModel;
use crate::observations::semantic::{SemanticInputs, join};

/// A member as it is observed.
pub(crate) struct ObservedMember<'a> {
    pub member: &'a Member,
    pub answers: &'a ApiAnswers,
    /// Its own profiles, one for each corpus; none while it is hidden.
    pub profiles: Option<&'a [SemanticProfile]>,
}

/// The rows of some members, the header of observations.csv first. A member's proxy is the nearest smaller
/// one of its family that was measured, else the smallest measured member of another family. The size of a
/// hidden member is in it only where `sizes` count as published.
///
/// # Errors
/// Those of [`join`].
pub(crate) fn observations(
    members: &[ObservedMember],
    settings: &BlindSettings,
    sizes: bool,
) -> Result<Vec<Vec<String>>> {
    let published = members.iter().map(|observed| {
        let member = observed.member;
        let is_known = sizes || observed.profiles.is_some();
        let published = PublishedModel {
            family: member.family.clone(),
            params_b: is_known.then_some(member.n_params as f64 / 1e9),
            proxy: proxy(member, members).map(|proxy| proxy.id.clone()),
        };
        (member.id.clone(), published)
    });
    let inputs = SemanticInputs {
        profiles: members.iter().flat_map(|of| of.profiles.unwrap_or_default()).cloned().collect(),
        shots: settings.shots.iter().copied().filter(|shots| *shots > 0).collect(),
        scores: vec![],
        answers: members.iter().flat_map(|observed| observed.answers.observed()).collect(),
        published: published.collect::<BTreeMap<_, _>>(),
        mixed_scores: false,
        proxy: None,
    };
    Ok(join(&inputs)?.table)
}

/// The measured member that stands for another one.
fn proxy<'a>(of: &Member, members: &'a [ObservedMember]) -> Option<&'a Member> {
    let measured = || members.iter().filter(|other| other.profiles.is_some()).map(|other| other.member);
    // Earlier checkpoints of a closed model are not open, and later ones would tell too much.
    let last = || measured().filter(|other| other.step.is_none() && other.run != of.run);
    let own = last().filter(|other| other.family == of.family && other.n_params < of.n_params);
    let nearest = own.max_by_key(|other| (other.n_params, &other.id));
    nearest.or_else(|| {
        let others = last().filter(|other| other.family != of.family);
        others.min_by_key(|other| (other.n_params, &other.id))
    })
}

/// The places of the rows of a model in a table of observations.
///
/// # Errors
/// [`crate::Error::Csv`] if the table has no column for models.
pub(crate) fn rows_of(table: &Table, id: &str) -> Result<Vec<usize>> {
    let models = table.text("target_model")?;
    Ok((0..models.len()).filter(|&row| models[row] == id).collect())
}
