//! Report `calibration`: the back-tested errors of a card and of its baselines.

use std::path::PathBuf;

use super::draw::dots::{DotRow, Dots};
use super::{Cell, Report, ReportContent, ReportInput, Selection, Table};
use crate::calibration::{self, Card};
use crate::error::Result;

pub(super) struct Calibration;

/// Errors of one candidate in one split.
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
        "back-tested errors of a calibration and of its baselines; a dot for each candidate \
                and split"
    }

    fn input(&self) -> ReportInput {
        ReportInput { file: "card.json", columns: &[] }
    }

    fn make(&self, inputs: &[PathBuf], _: &Selection) -> Result<ReportContent> {
        let mut table = Table::new(&COLUMNS);
        let (mut figures, mut captions) = (vec![], vec![]);
        for (number, input) in inputs.iter().enumerate() {
            let path = self.input().at(input);
            let card = Card::read(&path)?;
            let scores = scores(&card);
            if scores.is_empty() {
                return Err(Selection::nothing(&path, "back-tested error"));
            }
            table.rows.extend(rows(&scores));
            let unit = card.unit.as_str();
            let suffix = if number == 0 { String::new() } else { format!("-{}", number + 1) };
            figures.push((suffix, dots(&card).figure()?));
            captions.push(caption(&card, unit));
        }
        Ok(ReportContent { table, figures, caption: captions.join("\n"), latex: None })
    }
}

/// The columns of the table.
const COLUMNS: [&str; 7] = ["split", "candidate", "mae", "rmse", "skill_mean", "skill_size", "spearman"];

fn rows(scores: &[Score]) -> impl Iterator<Item = Vec<Cell>> {
    scores.iter().map(|score| {
        vec![
            score.split.as_str().into(),
            score.candidate.as_str().into(),
            score.mae.into(),
            score.rmse.into(),
            score.skill_mean.into(),
            score.skill_size.into(),
            score.spearman.into(),
        ]
    })
}

/// The table of one card.
pub(super) fn table(card: &Card) -> Table {
    let mut table = Table::new(&COLUMNS);
    table.rows.extend(rows(&scores(card)));
    table
}

/// The scores of all splits and candidates of a card.
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

/// The figure, with one row for each candidate. The chosen candidates are marked.
pub(super) fn dots(card: &Card) -> Dots {
    let scores = scores(card);
    let mut kinds: Vec<String> = vec![];
    let mut candidates: Vec<String> = vec![];
    for score in &scores {
        if !kinds.contains(&score.split) {
            kinds.push(score.split.clone());
        }
        if !candidates.contains(&score.candidate) {
            candidates.push(score.candidate.clone());
        }
    }
    let chosen = chosen(card);
    let row = |name: String| {
        let of = |kind: &String| scores.iter().find(|score| score.candidate == name && score.split == *kind);
        let values = kinds.iter().map(|kind| of(kind).map(|score| score.mae)).collect();
        DotRow { is_marked: chosen.contains(&name.as_str()), values, name }
    };
    let rows = candidates.into_iter().map(row).collect();
    let kinds = kinds.iter().map(|kind| match kind.as_str() {
        "target" => "models left out".into(),
        "family" => "families left out".into(),
        "forward" => "trained on weaker models".into(),
        other => other.into(),
    });
    let unit = if card.unit.is_empty() { String::new() } else { format!(", {}", card.unit) };
    Dots {
        rows,
        kinds: kinds.collect(),
        mark: "chosen".into(),
        x_label: format!("mean absolute error{unit}"),
    }
}

/// The chosen candidates, within and beyond the training range.
pub(super) fn chosen(card: &Card) -> Vec<&str> {
    let selected = [&card.fit.within_range, &card.fit.beyond_range];
    selected.into_iter().flatten().map(|selected| selected.name()).collect()
}

/// The caption: target, rows, families, and the chosen candidates.
pub(super) fn caption(card: &Card, unit: &str) -> String {
    let rows = &card.rows;
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    let chosen = match (&card.fit.within_range, &card.fit.beyond_range) {
        (Some(within), Some(beyond)) => {
            format!(" Chosen: {} within the training range, {} beyond it.", within.name(), beyond.name())
        }
        (Some(within), None) => format!(" Chosen: {} within the training range.", within.name()),
        (None, Some(beyond)) => format!(" Chosen: {} beyond the training range.", beyond.name()),
        (None, None) => " No candidate was chosen.".into(),
    };
    format!(
        "Back-tested errors of {}{unit}: n = {} rows, {} models, {} families. Skill is 1 minus the ratio of \
         the mean absolute error to the error of the baseline (mean or size line).{chosen}",
        card.target,
        rows.n,
        rows.n_models,
        rows.families.len()
    )
}
