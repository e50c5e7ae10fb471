//! `calibration`: the back-tested errors of a card, beside its baselines.

use std::path::PathBuf;

use super::draw::dots::Dots;
use super::{Report, ReportContent, ReportInput, Selection, Table};
use crate::calibration::{self, Card};
use crate::error::Result;

pub(super) struct Calibration;

/// Error of one candidate on one split.
struct Score {
    split: String,
    candidate: String,
    mae: f64,
    rmse: f64,
    skill_mean: f64,
    skill_size: Option<f64>,
    spearman: f64,
}

impl Report for Calibration {
    fn name(&self) -> &'static str {
        "calibration"
    }

    fn summary(&self) -> &'static str {
        "back-tested errors of a calibration beside its baselines; a dot for each candidate \
         and split"
    }

    fn input(&self) -> ReportInput {
        ReportInput { file: "card.json", columns: &[] }
    }

    fn make(&self, inputs: &[PathBuf], _: &Selection) -> Result<ReportContent> {
        let mut table =
            Table::new(&["split", "candidate", "mae", "rmse", "skill_mean", "skill_size", "spearman"]);
        let (mut figures, mut captions) = (vec![], vec![]);
        for (number, input) in inputs.iter().enumerate() {
            let path = self.input().at(input);
            let card = Card::read(&path)?;
            let scores = scores(&card);
            if scores.is_empty() {
                return Err(Selection::nothing(&path, "back-tested error"));
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
            let unit = card.unit.as_str();
            let suffix = if number == 0 { String::new() } else { format!("-{}", number + 1) };
            figures.push((suffix, dots(&scores, unit).figure()?));
            captions.push(caption(&card, unit));
        }
        Ok(ReportContent { table, figures, caption: captions.join("\n") })
    }
}

/// The scores of a card, of every split and candidate.
fn scores(card: &Card) -> Vec<Score> {
    let splits = [
        ("target", &card.scores.leave_model_out),
        ("family", &card.scores.leave_family_out),
        ("forward", &card.scores.forward),
    ];
    let of = |(split, scores): (&str, &Vec<calibration::CandidateScore>)| {
        let score = |score: &calibration::CandidateScore| Score {
            split: split.into(),
            candidate: score.candidate.clone(),
            mae: score.mae,
            rmse: score.rmse,
            skill_mean: score.skill_mean,
            skill_size: score.skill_size,
            spearman: score.spearman,
        };
        scores.iter().map(score).collect::<Vec<_>>()
    };
    splits.into_iter().flat_map(of).collect()
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
    Dots {
        rows,
        kinds: kinds.collect(),
        x_label: format!("mean absolute error{}{unit}", if unit.is_empty() { "" } else { ", " }),
    }
}

/// Rows, families and what is predicted.
fn caption(card: &Card, unit: &str) -> String {
    let rows = &card.rows;
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    format!(
        "Back-tested errors of {}{unit}: n = {} rows, {} targets, {} families. Skill is 1 less the ratio of \
         errors to that of the mean or of the size line.",
        card.target,
        rows.n,
        rows.n_models,
        rows.families.len()
    )
}
