//! Builds the observations of a study: one row for each model, corpus and number of examples, in the columns
//! of observations.csv. A row joins the scores of the API, the profile of the proxy, and the model's own
//! profile if it was measured.

use std::collections::BTreeMap;

use crate::calibration::Table;
use crate::collect::Score;
use crate::collect::results::semantic::SemanticScore;
use crate::emergence::semantic::SemanticProfile;
use crate::error::Result;
use crate::observations::PublishedModel;
use crate::observations::semantic::{SemanticAnswersRow, SemanticInputs, join};

/// The observations of one model.
pub(super) struct ObservedModel<'a> {
    /// Id of the model in tables.
    pub id: &'a str,
    /// Family of the model; empty if unknown.
    pub family: &'a str,
    /// Training run to which the checkpoint belongs.
    pub run: &'a str,
    /// Whether the model is the last checkpoint of its run.
    pub is_last: bool,
    /// Number of parameters, if known.
    pub n_params: Option<usize>,
    /// Scores of the answers of the model's API.
    pub answers: &'a [SemanticScore],
    /// Profiles of the model, one for each corpus; `None` for a closed model.
    pub profiles: Option<&'a [SemanticProfile]>,
}

/// The rows of `models`, with the header of observations.csv first. The proxy of a model is the next smaller
/// measured model of its family or, if there is none, the smallest measured model of another family. The size
/// of a closed model is included only if `sizes` is set.
///
/// # Errors
/// Returns the errors of [`join`].
pub(super) fn observations(
    models: &[ObservedModel],
    shots: &[usize],
    sizes: bool,
    scores: Vec<Score>,
) -> Result<Vec<Vec<String>>> {
    let published = models.iter().map(|model| {
        let is_known = sizes || model.profiles.is_some();
        let params_b = model.n_params.map(|n_params| n_params as f64 / 1e9);
        let published = PublishedModel {
            family: model.family.to_owned(),
            params_b: params_b.filter(|_| is_known),
            proxy: proxy(model, models).map(|proxy| proxy.id.to_owned()),
        };
        (model.id.to_owned(), published)
    });
    let answers = models.iter().flat_map(|model| model.answers.iter().map(SemanticAnswersRow::from));
    let inputs = SemanticInputs {
        profiles: models.iter().flat_map(|of| of.profiles.unwrap_or_default()).cloned().collect(),
        shots: shots.iter().copied().filter(|shots| *shots > 0).collect(),
        scores,
        answers: answers.collect(),
        published: published.collect::<BTreeMap<_, _>>(),
        mixed_scores: false,
        proxy: None,
    };
    Ok(join(&inputs)?.table)
}

/// The proxy of a model.
fn proxy<'a>(of: &ObservedModel, models: &'a [ObservedModel]) -> Option<&'a ObservedModel<'a>> {
    // Other checkpoints of the model's own run are excluded: a closed model has no open checkpoints, and
    // later checkpoints would leak the target.
    let last =
        || models.iter().filter(|other| other.profiles.is_some() && other.is_last && other.run != of.run);
    let size = |of: &ObservedModel| of.n_params.unwrap_or(usize::MAX);
    let own = last().filter(|other| other.family == of.family && size(other) < size(of));
    let nearest = own.max_by_key(|other| (other.n_params, other.id));
    nearest.or_else(|| {
        let others = last().filter(|other| other.family != of.family);
        others.min_by_key(|other| (other.n_params, other.id))
    })
}

/// The row indices of a model in a table of observations.
///
/// # Errors
/// [`crate::Error::Csv`] if the table has no column for models.
pub(super) fn rows_of(table: &Table, id: &str) -> Result<Vec<usize>> {
    let models = table.text("target_model")?;
    Ok((0..models.len()).filter(|&row| models[row] == id).collect())
}
