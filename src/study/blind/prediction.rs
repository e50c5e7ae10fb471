//! Predicts the emergence of a hidden member with a card that is fitted only on other members and recorded
//! rows.

use std::collections::BTreeSet;
use std::path::Path;

use super::family::Member;
use super::observe::{ObservedMember, observations};
use super::recorded::RecordedRows;
use super::settings::{BlindSettings, PredictionSettings};
use crate::calibration::{Card, Link, PredictionRow, Table, calibrate, check_level};
use crate::disk;
use crate::error::{Error, Result};
use crate::names;
use crate::observations;
use crate::study::baselines::{Baselines, baselines};
use crate::study::card::{SIZE, specification};
use crate::study::observed::rows_of;

/// The predictions of a hidden member, with their calibration.
#[derive(Debug, Clone)]
pub struct HiddenPrediction {
    /// One row for each corpus and number of examples.
    pub rows: Vec<HiddenRow>,
    /// The card.
    pub card: Card,
    /// Number of members on which the card was fitted.
    pub n_others: usize,
    /// The observations as CSV. Rows of the hidden member contain no measurement of its weights.
    observations: Vec<u8>,
}

/// The prediction for one corpus and number of examples.
#[derive(Debug, Clone)]
pub struct HiddenRow {
    /// Examples in a prompt.
    pub shots: usize,
    /// The proxy of the hidden model.
    pub proxy_model: String,
    /// The prediction, or the reason for a refusal.
    pub prediction: PredictionRow,
    /// Predictions without a card.
    pub(crate) baselines: Baselines,
}

/// Checks the settings before the measurements.
///
/// # Errors
/// [`Error::Unknown`] for an unknown target or feature; [`Error::Parameter`] for a feature that is measured
/// inside a model, and for recorded rows of a member.
pub(crate) fn check(how: &PredictionSettings, members: &[Member], recorded: &RecordedRows) -> Result<()> {
    check_level(how.level)?;
    if let Some(member) = members.iter().find(|member| recorded.has(&member.id)) {
        let reason = format!(
            "contains rows of {}, which is also a member: the model would count twice, and would be \
             predicted from its own rows when it is hidden; remove these rows",
            member.id
        );
        return Err(Error::Parameter { name: "--rows", reason });
    }
    let responses = observations::semantic::responses();
    if !responses.contains(&how.target) {
        let hint = format!("the targets are {}", responses.join(", "));
        return Err(names::unknown("target", &how.target, responses.iter().map(String::as_str), &hint));
    }
    if let Some(feature) = how.features.iter().find(|feature| responses.contains(feature)) {
        let reason = format!(
            "contains {feature}, which cannot be measured through an API, so it is unknown for a hidden \
             model; leave it out"
        );
        return Err(Error::Parameter { name: "--features", reason });
    }
    let known = observations::semantic::columns();
    if let Some(name) = how.features.iter().find(|name| !known.contains(name)) {
        let hint = format!("the columns of observations.csv are {}", known.join(", "));
        return Err(names::unknown("feature", name, known.iter().map(String::as_str), &hint));
    }
    if how.features.iter().any(|name| name == SIZE) {
        let reason =
            format!("names {SIZE}, the model size; leave it out, and use --sizes if sizes are published");
        return Err(Error::Parameter { name: "--features", reason });
    }
    Ok(())
}

/// Predicts the rows of `hidden` from its answers. The `others` have profiles; `hidden` has none.
///
/// # Errors
/// [`Error::Calibration`] if a card cannot be fitted on the rows of `others`.
pub(crate) fn predict(
    others: Vec<ObservedMember>,
    hidden: ObservedMember,
    recorded: &RecordedRows,
    settings: &BlindSettings,
    how: &PredictionSettings,
) -> Result<HiddenPrediction> {
    let member = hidden.member;
    let ids: Vec<&str> = others.iter().map(|other| other.member.id.as_str()).collect();
    let members: Vec<ObservedMember> = others.into_iter().chain([hidden]).collect();
    let mut rows = observations(&members, settings, how.sizes)?;
    let recorded = recorded.known(member, &ids, &rows)?;
    let mut known: Vec<&Member> = recorded.iter().map(|(member, _)| *member).collect();
    known.extend(members.iter().map(|observed| observed.member));
    let n_others = known.iter().map(|known| &known.id).collect::<BTreeSet<_>>().len() - 1;
    rows.extend(recorded.iter().map(|(_, cells)| cells.clone()));
    let path = Path::new("observations.csv");
    let observations = disk::csv_bytes(path, &rows)?;
    let table = Table::from_bytes(path, &observations)?;
    let hidden_rows = rows_of(&table, &member.id)?;
    let other_rows: Vec<usize> = (0..table.len()).filter(|row| !hidden_rows.contains(row)).collect();
    let mut features = how.features.clone();
    // With one corpus, the column `corpus` is constant and carries no information.
    features.retain(|name| name != "corpus" || settings.corpora.len() > 1);
    if how.sizes {
        features.push(SIZE.into());
    }
    let ignored: Vec<String> = if how.sizes { vec![] } else { vec![SIZE.into()] };
    let training = table.select(&other_rows);
    let spec = specification(&how.target, features, how.level, &training.numbers(&how.target)?);
    let card = calibrate(&training.without(&ignored)?, &spec)?;
    let predictions = card.predict(&table.select(&hidden_rows), how.level)?;
    let models = table.text("target_model")?;
    let sizes = models.iter().map(|id| {
        let known = known.iter().find(|known| known.id == *id);
        known.map_or(f64::NAN, |known| known.log10_params())
    });
    let sizes: Vec<f64> = sizes.collect();
    let baselines = baselines(
        &table,
        (&how.target, spec.link.unwrap_or(Link::Identity)),
        &sizes,
        &other_rows,
        &hidden_rows,
    )?;
    let (shots, proxies) = (table.numbers("shots")?, table.text("proxy_model")?);
    let rows = hidden_rows.iter().zip(predictions).zip(baselines).map(|((&at, prediction), baselines)| {
        let shots = shots[at].unwrap_or_default() as usize;
        HiddenRow { shots, proxy_model: proxies[at].into(), prediction, baselines }
    });
    Ok(HiddenPrediction { rows: rows.collect(), card, n_others, observations })
}

impl HiddenPrediction {
    /// Writes the card and the observations, and predictions.csv with the rows `before` followed by the rows
    /// of this prediction.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::Json`]
    pub(crate) fn write(&self, id: &str, folder: &Path, before: &[PredictionRow]) -> Result<()> {
        let name = disk::id_in_file_names(id);
        for part in ["cards", "observations"] {
            disk::make_folder(&folder.join(part))?;
        }
        self.card.write(&folder.join("cards").join(format!("{name}.json")))?;
        disk::write(&folder.join("observations").join(format!("{name}.csv")), &self.observations)?;
        let own = self.rows.iter().map(|row| row.prediction.clone());
        let rows: Vec<PredictionRow> = before.iter().cloned().chain(own).collect();
        let path = folder.join("predictions.csv");
        disk::write(&path, &PredictionRow::to_bytes(&path, &rows)?)
    }
}
