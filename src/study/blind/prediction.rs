//! The predictions of a hidden member, from a card that is fitted on the others alone.

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

/// The predictions of a hidden member, with the calibration that made them.
#[derive(Debug, Clone)]
pub struct HiddenPrediction {
    /// A prediction for each corpus and number of examples, or why there is none.
    pub rows: Vec<HiddenRow>,
    /// The card.
    pub card: Card,
    /// Members the card was fitted on.
    pub n_others: usize,
    /// The observations as CSV, those of the hidden member without what is measured inside it.
    observations: Vec<u8>,
}

/// The prediction for one corpus and number of examples.
#[derive(Debug, Clone)]
pub struct HiddenRow {
    /// Examples in a prompt.
    pub shots: usize,
    /// The model that stands for the hidden one.
    pub proxy_model: String,
    /// The prediction, or why there is none.
    pub prediction: PredictionRow,
    /// What predicts it without a card.
    pub(crate) baselines: Baselines,
}

/// Checks the settings before the long work.
///
/// # Errors
/// [`Error::Unknown`] for a target that is not measured inside a model; [`Error::Parameter`] for a feature
/// that is, and for recorded rows of a member.
pub(crate) fn check(how: &PredictionSettings, members: &[Member], recorded: &RecordedRows) -> Result<()> {
    check_level(how.level)?;
    if let Some(member) = members.iter().find(|member| recorded.has(&member.id)) {
        let reason = format!(
            "holds rows of {}, which is a member: it would count twice, and predict itself where it is \
             hidden; remove them",
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
        let reason = format!("names {feature}, which is measured inside the hidden member; leave it out");
        return Err(Error::Parameter { name: "--features", reason });
    }
    let known = observations::semantic::columns();
    if let Some(name) = how.features.iter().find(|name| !known.contains(name)) {
        let hint = format!("the columns of observations.csv are {}", known.join(", "));
        return Err(names::unknown("feature", name, known.iter().map(String::as_str), &hint));
    }
    if how.features.iter().any(|name| name == SIZE) {
        let reason =
            format!("names {SIZE}, the size; leave it out, and give --sizes where sizes are published");
        return Err(Error::Parameter { name: "--features", reason });
    }
    Ok(())
}

/// Predicts the rows of `hidden` from what its API answers. The `others` were measured; `hidden` was not.
///
/// # Errors
/// [`Error::Calibration`] if the table of the others cannot carry a card.
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
    // One corpus needs no level, and a column that is constant is no feature.
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
    /// Writes card and observations, and predictions.csv with these predictions behind those before them.
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
