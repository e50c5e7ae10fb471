//! The prediction of a hidden member, from a card that is fitted on the others alone.

use std::collections::BTreeSet;
use std::path::Path;

use super::family::Member;
use super::member_profiles::Measured;
use super::observe::{self, ObservedMember, SIZE, feature_columns};
use super::settings::{BlindSettings, PredictionSettings};
use crate::calibration::{CalibrationSpec, Card, Link, PredictionRow, Table, calibrate, size_baseline};
use crate::disk;
use crate::error::{Error, Result};
use crate::numeric::statistics::mean;

/// The default feature of a card, as a few members support no more: the context information of the next
/// token, which estimates emergence from outside.
pub const FEATURES: [&str; 1] = ["context_nats"];

/// The predicted column.
const TARGET: &str = "emergence_nats";
/// Its unit.
pub(super) const UNIT: &str = "nats";
/// Fewest families that can be left out one by one.
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
    pub baseline_mean: f64,
    /// The others' line in log10 parameters at the hidden member's size, which the card is not told unless
    /// sizes are published; nats.
    pub baseline_size: Option<f64>,
    /// The observations as CSV, the hidden member's last.
    observations: Vec<u8>,
}

/// Checks the settings before the long work.
pub(crate) fn check(how: &PredictionSettings, settings: &BlindSettings) -> Result<()> {
    let known = feature_columns();
    if let Some(name) = how.features.iter().find(|name| !known.contains(&name.as_str())) {
        let hint = match name.as_str() {
            "reading_nats" => "reading_less_control_nats is its name now, as in observations.csv".into(),
            _ => format!("there are {}", known.join(", ")),
        };
        return Err(Error::Unknown { kind: "feature", name: name.clone(), hint });
    }
    let measure = settings.measure()?;
    let (estimator, known) = (measure.estimator().name(), measure.estimator().noise_scales());
    let reason = match how.noise_scale {
        Some(b) if known.is_empty() => format!("is {b}, and {estimator} adds no noise; leave it out"),
        Some(b) if !known.contains(&b) => {
            let known: Vec<String> = known.iter().map(f64::to_string).collect();
            format!("is {b}, and is one of {}", known.join(", "))
        }
        None if !known.is_empty() => format!("is missing, and {estimator} adds noise; name one"),
        _ => return Ok(()),
    };
    Err(Error::Parameter { name: "--noise-scale", reason })
}

/// Predicts `hidden` from what its API says. The `others` were measured; `hidden` was not.
///
/// # Errors
/// [`Error::Calibration`] if the table of the others cannot carry a card.
pub(crate) fn predict(
    others: Vec<ObservedMember>,
    hidden: ObservedMember,
    how: &PredictionSettings,
) -> Result<HiddenPrediction> {
    let member = hidden.member;
    let ignored = ignored_columns(&others, member, how.sizes);
    let (sizes, values) = known_emergence(&others, how.noise_scale)?;
    let n_others = others.len();
    let members: Vec<ObservedMember> = others.into_iter().chain([hidden]).collect();
    let observations = observe::observations(&members, how.noise_scale, how.sizes)?;
    let table = Table::from_bytes("observations.csv".as_ref(), &observations)?;
    let mut features = how.features.clone();
    if how.sizes {
        features.push(SIZE.into());
    }
    let plan = CalibrationSpec {
        target: TARGET.into(),
        features,
        link: Some(Link::Identity),
        for_api: true,
        level: how.level,
        unit: UNIT.into(),
        ..CalibrationSpec::default()
    };
    let known: Vec<usize> = (0..n_others).collect();
    let card = calibrate(&table.select(&known).without(&ignored)?, &plan)?;
    let prediction = card.predict(&table.select(&[n_others]), how.level)?.into_iter().next();
    let prediction =
        prediction.ok_or_else(|| Error::Study { reason: format!("there is no row of {}", member.id) })?;
    Ok(HiddenPrediction {
        prediction,
        card,
        n_others,
        baseline_mean: mean(&values),
        baseline_size: size_baseline(&sizes, &values, log10_params(member))?,
        observations,
    })
}

/// The columns that the card is not given: sizes of closed models are seldom published; and of two families,
/// leaving one out says nothing about the other, so that members are left out one by one.
fn ignored_columns(others: &[ObservedMember], hidden: &Member, sizes: bool) -> Vec<String> {
    let columns = [("params_b", sizes), ("family", families_matter(others, hidden))];
    columns.into_iter().filter(|(_, is_given)| !is_given).map(|(name, _)| name.to_owned()).collect()
}

/// Log10 parameters and emergence of the others.
fn known_emergence(others: &[ObservedMember], noise_scale: Option<f64>) -> Result<(Vec<f64>, Vec<f64>)> {
    let pairs = others.iter().map(|other| {
        let measured = Measured::new(other.profiles.as_deref().unwrap_or_default(), noise_scale)?;
        Ok((log10_params(other.member), measured.emergence_nats))
    });
    Ok(pairs.collect::<Result<Vec<_>>>()?.into_iter().unzip())
}

fn log10_params(member: &Member) -> f64 {
    (member.n_params as f64).log10()
}

/// Whether the card is given families. With two families, leaving one out says nothing about the other, so
/// that members are left out one by one. If the hidden member's family is not among the others, the card is
/// given families, and refuses the claims that they do not support.
fn families_matter(others: &[ObservedMember], hidden: &Member) -> bool {
    let families: BTreeSet<&str> = others.iter().map(|other| other.member.family.as_str()).collect();
    families.len() >= LEAST_FAMILIES || !families.contains(hidden.family.as_str())
}

impl HiddenPrediction {
    /// Writes card and observations, and predictions.csv with this prediction behind those before it.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::Json`]
    pub(crate) fn write(&self, folder: &Path, before: &[PredictionRow]) -> Result<()> {
        let name = disk::id_in_file_names(&self.prediction.target_model);
        for part in ["cards", "observations"] {
            disk::make_folder(&folder.join(part))?;
        }
        self.card.write(&folder.join("cards").join(format!("{name}.json")))?;
        disk::write(&folder.join("observations").join(format!("{name}.csv")), &self.observations)?;
        let rows = [before, std::slice::from_ref(&self.prediction)].concat();
        let path = folder.join("predictions.csv");
        disk::write(&path, &PredictionRow::to_bytes(&path, &rows)?)
    }

    /// The prediction beside its measurement and the size line, which is told the true size.
    pub(crate) fn measured(&self, measured: Measured) -> PredictionRow {
        let baseline_size = self.prediction.y_hat.and(self.baseline_size);
        let measured = Some(measured.emergence_nats);
        PredictionRow { measured, baseline_size, ..self.prediction.clone() }
    }
}
