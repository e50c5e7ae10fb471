//! The prediction of a hidden member, from a card that is fitted on the others alone.

use std::collections::BTreeSet;
use std::path::Path;

use super::family::Member;
use super::observe;
use super::observe::{COLUMNS, Columns, Known};
use super::outside::Outside;
use super::settings::{BlindSettings, PredictionSettings};
use crate::calibration::{CalibrationSpec, Card, Link, PredictionRow, Table, calibrate};
use crate::disk;
use crate::error::{Error, Result};
use crate::mi::Channel;
use crate::study::size_line::size_line;

/// The default feature of a card, as a few members support no more: the context information of the next
/// token, which estimates emergence from outside.
pub const FEATURES: [&str; 1] = ["context_nats"];

/// Fewest recipes that can be left out one by one.
const LEAST_FAMILIES: usize = 3;

/// The prediction of a hidden member, with the calibration that made it.
#[derive(Debug, Clone)]
pub struct HiddenPrediction {
    /// The prediction, or why there is none.
    pub prediction: PredictionRow,
    /// The card.
    pub card: Card,
    /// Members the card was fitted on.
    pub n_others: usize,
    /// Mean of the others, nats.
    pub mean_nats: f64,
    /// The others' line in log10 parameters at the hidden member's size, which the card is not told unless
    /// sizes are published; nats.
    pub size_line_nats: Option<f64>,
    /// The observations as CSV, the hidden member's last.
    observations: Vec<u8>,
}

/// Checks the settings before the long work.
pub(crate) fn check(how: &PredictionSettings, settings: &BlindSettings) -> Result<()> {
    if let Some(name) = how.features.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        let hint = format!("there are {}", COLUMNS.join(", "));
        return Err(Error::Unknown { kind: "feature", name: name.clone(), hint });
    }
    let channel = Channel::with_scale(settings.scale);
    if !channel.precisions().contains(&how.noise_scale) {
        let known: Vec<String> = channel.precisions().iter().map(f64::to_string).collect();
        let reason = format!("is {}, and is one of {}", how.noise_scale, known.join(", "));
        return Err(Error::Parameter { name: "--noise-scale", reason });
    }
    Ok(())
}

/// Predicts `hidden` from what its API says. What is known of the others comes with `gains`, the readings of
/// their texts.
///
/// # Errors
/// [`Error::Fit`] if the table of the others cannot carry a card.
pub(crate) fn predict(
    known: &[Known],
    gains: &[Option<f64>],
    hidden: &Member,
    outside: &Outside,
    gain: Option<f64>,
    how: &PredictionSettings,
) -> Result<HiddenPrediction> {
    let columns = Columns { sizes: how.sizes, families: families_matter(known, hidden) };
    let rows = known.iter().zip(gains);
    let rows =
        rows.map(|(k, gain)| observe::row(k.member, k.outside, *gain, Some(k.emergence_nats), columns));
    let others: Vec<Vec<String>> = rows.collect();
    let asked = observe::row(hidden, outside, gain, None, columns);
    let table = |rows: &[Vec<String>]| {
        let bytes = csv(&observe::header(columns), rows)?;
        Table::from_bytes("observations.csv".as_ref(), &bytes)
    };
    let mut features = how.features.clone();
    if how.sizes {
        features.push("log10_params".into());
    }
    let plan = CalibrationSpec {
        target: "emergence_nats".into(),
        features,
        link: Some(Link::Identity),
        for_api: true,
        level: how.level,
        unit: "nats".into(),
        ..CalibrationSpec::default()
    };
    let card = calibrate(&table(&others)?, &plan)?;
    let prediction = card.predict(&table(std::slice::from_ref(&asked))?, how.level)?.into_iter().next();
    let prediction =
        prediction.ok_or_else(|| Error::Fit { reason: format!("there is no row of {}", hidden.id) })?;
    let all: Vec<Vec<String>> = others.into_iter().chain([asked]).collect();
    Ok(HiddenPrediction {
        prediction,
        card,
        n_others: known.len(),
        mean_nats: known.iter().map(|k| k.emergence_nats).sum::<f64>() / known.len() as f64,
        size_line_nats: size_baseline(known, hidden)?,
        observations: csv(&observe::header(columns), &all)?,
    })
}

/// Whether the card is given families. With two families, leaving one out says nothing about the other, so
/// that members are left out one by one. If the hidden member's family is not among the others, the card is
/// given families, and refuses the claims that they do not support.
fn families_matter(known: &[Known], hidden: &Member) -> bool {
    let families: BTreeSet<&str> = known.iter().map(|k| k.member.family.as_str()).collect();
    families.len() >= LEAST_FAMILIES || !families.contains(hidden.family.as_str())
}

/// The regression of the others' emergence on log10 parameters, at the size of the hidden member.
fn size_baseline(known: &[Known], hidden: &Member) -> Result<Option<f64>> {
    let log10 = |member: &Member| (member.n_params as f64).log10();
    let sizes: Vec<f64> = known.iter().map(|k| log10(k.member)).collect();
    let y: Vec<f64> = known.iter().map(|k| k.emergence_nats).collect();
    size_line(&sizes, &y, log10(hidden))
}

fn csv(header: &[String], rows: &[Vec<String>]) -> Result<Vec<u8>> {
    let fault = |source: std::io::Error| Error::Write { path: "observations.csv".into(), source };
    let mut writer = csv::Writer::from_writer(vec![]);
    for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
        writer.write_record(row).map_err(|error| fault(std::io::Error::other(error)))?;
    }
    writer.into_inner().map_err(|error| fault(std::io::Error::other(error.to_string())))
}

impl HiddenPrediction {
    /// Writes card and observations, and predictions.csv with this prediction behind those before it.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::Json`]
    pub(crate) fn write(&self, folder: &Path, before: &mut Vec<PredictionRow>) -> Result<()> {
        let name = disk::id_in_file_names(&self.prediction.target_model);
        for part in ["cards", "observations"] {
            disk::make_folder(&folder.join(part))?;
        }
        self.card.write(&folder.join("cards").join(format!("{name}.json")))?;
        disk::write(&folder.join("observations").join(format!("{name}.csv")), &self.observations)?;
        before.push(self.prediction.clone());
        let path = folder.join("predictions.csv");
        disk::write(&path, &disk::csv_bytes(&path, before)?)
    }
}
