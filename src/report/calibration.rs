//! `calibration`: the back-tested errors of a card, beside its baselines.

use std::path::PathBuf;

use serde_json::Value;

use super::draw::dots::Dots;
use super::read::at;
use super::{Choice, Made, Report, Table};
use crate::error::{Error, Result};

pub(super) struct Calibration;

/// Error of one candidate on one split.
struct Score {
    split: String,
    candidate: String,
    mae: f64,
    rmse: Option<f64>,
    skill_mean: Option<f64>,
    skill_size: Option<f64>,
    spearman: Option<f64>,
}

impl Report for Calibration {
    fn name(&self) -> &'static str {
        "calibration"
    }

    fn summary(&self) -> &'static str {
        "back-tested errors of a calibration beside its baselines, of card.json; a dot for each candidate and split"
    }

    fn make(&self, inputs: &[PathBuf], _: &Choice) -> Result<Made> {
        let mut table = Table::new(&["split", "candidate", "mae", "rmse", "skill_mean", "skill_size", "spearman"]);
        let (mut figures, mut captions) = (vec![], vec![]);
        for (number, input) in inputs.iter().enumerate() {
            let path = at(input, "card.json");
            let bytes = std::fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
            let card: Value =
                serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.clone(), source })?;
            let scores = scores(&card);
            if scores.is_empty() {
                let reason =
                    format!("of {} holds no back-tested error; take a card.json of this version", path.display());
                return Err(Error::Parameter { name: "schema", reason });
            }
            for score in &scores {
                table.rows.push(vec![
                    score.split.as_str().into(),
                    score.candidate.as_str().into(),
                    score.mae.into(),
                    score.rmse.into(),
                    score.skill_mean.into(),
                    score.skill_size.into(),
                    score.spearman.into(),
                ]);
            }
            let unit = card["unit"].as_str().unwrap_or("nats");
            let suffix = if number == 0 { String::new() } else { format!("-{}", number + 1) };
            figures.push((suffix, dots(&scores, unit).figure()?));
            captions.push(caption(&card, unit));
        }
        Ok(Made { table, figures, caption: captions.join("\n") })
    }
}

/// The scores of a card: those of every split and candidate, or of the one split of an older card.
fn scores(card: &Value) -> Vec<Score> {
    let mut scores = vec![];
    for split in ["target", "family", "forward"] {
        for row in card["scores"][split].as_array().into_iter().flatten() {
            let (Some(candidate), Some(mae)) = (row["candidate"].as_str(), row["mae"].as_f64()) else { continue };
            scores.push(Score {
                split: split.into(),
                candidate: candidate.into(),
                mae,
                rmse: row["rmse"].as_f64(),
                skill_mean: row["skill_mean"].as_f64(),
                skill_size: row["skill_size"].as_f64(),
                spearman: row["spearman"].as_f64(),
            });
        }
    }
    let older = card["loto_mae_nats"].as_object().filter(|_| scores.is_empty());
    for (candidate, mae) in older.into_iter().flatten() {
        if let Some(mae) = mae.as_f64() {
            let skill = |base: &str| card["loto_mae_nats"][base].as_f64().map(|base| 1.0 - mae / base);
            scores.push(Score {
                split: "target".into(),
                candidate: candidate.replace('_', " "),
                mae,
                rmse: card["loto_rmse_nats"].as_f64().filter(|_| candidate == "calibration"),
                skill_mean: skill("mean"),
                skill_size: skill("size_line"),
                spearman: None,
            });
        }
    }
    scores
}

fn dots(scores: &[Score], unit: &str) -> Dots {
    let mut kinds: Vec<String> = vec![];
    let mut rows: Vec<(String, Vec<Option<f64>>)> = vec![];
    for score in scores {
        if !kinds.contains(&score.split) {
            kinds.push(score.split.clone());
        }
        if !rows.iter().any(|(name, _)| *name == score.candidate) {
            rows.push((score.candidate.clone(), vec![]));
        }
    }
    for (name, values) in &mut rows {
        let of = |kind: &String| scores.iter().find(|score| score.candidate == *name && score.split == *kind);
        *values = kinds.iter().map(|kind| of(kind).map(|score| score.mae)).collect();
    }
    let kinds = kinds.into_iter().map(|kind| match kind.as_str() {
        "target" => "targets left out".into(),
        "family" => "families left out".into(),
        "forward" => "trained on the weaker".into(),
        _ => kind,
    });
    Dots { rows, kinds: kinds.collect(), x_label: format!("mean absolute error, {unit}") }
}

/// Rows, families and what is predicted.
fn caption(card: &Value, unit: &str) -> String {
    let target = card["target"].as_str().unwrap_or("the target");
    let rows = if card["rows"].is_object() { &card["rows"] } else { card };
    let n = rows["n"].as_u64().unwrap_or(0);
    let count = |key: &str, other: &str| rows[key].as_array().or(rows[other].as_array()).map_or(0, Vec::len);
    format!(
        "Back-tested errors of {target} ({unit}): n = {n} rows, {} targets, {} families. Skill is 1 less the ratio of errors to that of the mean or of the size line.",
        count("targets", "models"),
        count("families", "families")
    )
}
