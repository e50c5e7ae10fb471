//! Makes the sections on predictions: a figure with interactive points, the rows, and refusals grouped by
//! reason.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::data::{Budget, PageTable, cut};
use super::folder::ResultFiles;
use super::limits::Limits;
use super::sources::Sources;
use crate::calibration::PredictionRow;
use crate::report::blind::BLIND;
use crate::report::draw::scatter::Scatter;
use crate::report::read::csv_rows;
use crate::report::{blind, predictions};
use crate::study::blind::{BlindRow, BlindSummary};

/// Maximum number of sections. Each shows the predictions of one target.
const MOST_SECTIONS: usize = 8;
/// Maximum number of reasons for refusals.
const MOST_REASONS: usize = 20;
/// Maximum number of rows listed for each reason.
const MOST_NAMED: usize = 8;

/// The remaining space for the sections.
struct Room {
    figures: Budget,
    rows: Budget,
}

/// Makes the sections: hidden members from blind.csv, then predictions.csv, each grouped by target.
pub(super) fn sections(files: &ResultFiles, sources: &Sources, limits: &Limits) -> Vec<Value> {
    let mut room = Room { figures: Budget::new(limits.figures), rows: Budget::new(limits.predictions) };
    let mut sections = vec![];
    // Check the columns, because a table without them would be read as rows without numbers.
    let read = |path: &Path| csv_rows::<BlindRow>(&BLIND, path);
    let hidden = files.blind.as_ref().and_then(|path| sources.read(path, read)).unwrap_or_default();
    for rows in grouped(&hidden, |row| (row.target.clone(), row.unit.clone(), row.level.to_string())) {
        sections.push(of_blind(&rows, &mut room));
    }
    let Some(path) = &files.predictions else { return sections };
    let rows = sources.read(path, PredictionRow::read).unwrap_or_default();
    // A blind test writes its predictions to both files. Skip the predictions that blind.csv already
    // contains.
    let is_hidden = |row: &PredictionRow| {
        let same = |other: &BlindRow| {
            (&other.target_model, &other.corpus, other.y_hat, other.measured)
                == (&row.target_model, &row.corpus, row.y_hat, row.measured)
        };
        hidden.iter().any(same)
    };
    let others: Vec<PredictionRow> = rows.into_iter().filter(|row| !is_hidden(row)).collect();
    for rows in grouped(&others, |row| (row.target.clone(), row.unit.clone(), String::new())) {
        sections.push(of_predictions(&rows, &mut room));
    }
    sections.truncate(MOST_SECTIONS);
    sections
}

/// Groups rows by key, in the order of the keys.
fn grouped<T: Clone, K: Ord>(rows: &[T], key: impl Fn(&T) -> K) -> Vec<Vec<T>> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    rows.iter().for_each(|row| groups.entry(key(row)).or_default().push(row.clone()));
    groups.into_values().collect()
}

fn of_blind(rows: &[BlindRow], room: &mut Room) -> Value {
    let table = PageTable::from_report("blind", &blind::table(rows));
    let summaries = BlindSummary::all(rows).into_iter();
    let sentences: Vec<String> =
        summaries.map(|summary| summary.sentence(&rows[0].unit, rows[0].level)).collect();
    let drawn = rows.iter().map(|row| row.y_hat.is_some() && row.measured.is_some());
    let refusals = refusals(
        rows.iter()
            .map(|row| (row.y_hat.is_none(), &row.note, format!("{} on {}", row.target_model, row.corpus))),
    );
    section(
        ("Hidden members, predicted and then measured", "blind.csv", &rows[0].target),
        &sentences,
        &blind::scatter(rows),
        &drawn.collect::<Vec<_>>(),
        table,
        (&refusals, room),
    )
}

fn of_predictions(rows: &[PredictionRow], room: &mut Room) -> Value {
    let table = PageTable::from_report("predictions", &predictions::table(rows));
    let drawn = rows.iter().map(|row| row.error().is_some());
    let refusals = refusals(
        rows.iter()
            .map(|row| (row.y_hat.is_none(), &row.note, format!("{} on {}", row.target_model, row.corpus))),
    );
    section(
        ("Predictions", "predictions.csv", &rows[0].target),
        &[predictions::caption(rows)],
        &predictions::scatter(rows),
        &drawn.collect::<Vec<_>>(),
        table,
        (&refusals, room),
    )
}

fn section(
    (title, file, target): (&str, &str, &str),
    sentences: &[String],
    scatter: &Scatter,
    drawn: &[bool],
    table: PageTable,
    (refusals, room): (&Value, &mut Room),
) -> Value {
    // Omit the text above the plot, because the page shows it separately.
    let scatter = Scatter { notes: vec![], ..scatter.clone() };
    let table = table.within(room.rows.left(), file);
    room.rows.spend(table.size());
    let rows = drawn.iter().enumerate().filter(|(_, drawn)| **drawn).map(|(row, _)| row);
    let points: Vec<Value> = (scatter.places().iter().zip(rows))
        .filter(|(_, row)| *row < table.len())
        .map(|((x, y), row)| json!([x, y, row]))
        .collect();
    let svg = if scatter.pairs.is_empty() { None } else { scatter.figure().ok() };
    let svg = svg.and_then(|figure| room.figures.take(json!(figure.svg())));
    let is_omitted = svg.is_none() && !scatter.pairs.is_empty();
    json!({
        "title": title, "file": file, "target": target, "sentences": sentences, "svg": svg,
        "is_omitted": is_omitted, "points": points, "table": table.json(), "refusals": refusals,
    })
}

/// The reasons for refusals and the rows concerned, the most frequent reason first.
fn refusals<'a>(rows: impl Iterator<Item = (bool, &'a String, String)>) -> Value {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (_, note, row) in rows.filter(|(is_refused, ..)| *is_refused) {
        reasons.entry(note.as_str()).or_default().push(row);
    }
    let mut reasons: Vec<(&str, Vec<String>)> = reasons.into_iter().collect();
    reasons.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(b.0)));
    let reason = |(note, mut rows): (&str, Vec<String>)| {
        let n = rows.len();
        rows.dedup();
        rows.truncate(MOST_NAMED);
        json!({"reason": cut(note, 600), "n": n, "rows": rows})
    };
    reasons.into_iter().take(MOST_REASONS).map(reason).collect()
}
