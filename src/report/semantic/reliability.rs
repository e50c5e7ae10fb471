//! Assesses the reliability of semantic shares, in sentences for a caption.

use super::read::SemanticTables;
use crate::emergence::semantic::SemanticRow;
use crate::numeric::shown::{count, fixed};

/// Sentences about standard errors, controls, and the dependence on S.
pub(super) fn reliability(tables: &SemanticTables) -> String {
    let rows = &tables.rows;
    let mut text = String::new();
    if let Some((error, row)) = largest(rows, |row| row.macro_share_stderr) {
        text.push_str(&format!(" The largest standard error is {} ({}).", two(error), place(row)));
    }
    if let Some((share, _)) = largest(rows, |row| row.macro_share_permuted_relations.map(f64::abs)) {
        text.push_str(&format!(" With permuted relations, the largest absolute share is {share:.3}."));
    }
    text.push_str(&random_init(rows));
    if let Some((half, whole)) = halves(tables) {
        text.push_str(&format!(
            " The share depends on the number of example sets, S: its mean is {} with half of the sets and \
             {} with all. Compare only results with equal S.",
            two(half),
            two(whole)
        ));
    }
    let overlaps = tables.summaries.iter().filter(|row| row.overlap > 0.0);
    if let Some(row) = overlaps.max_by(|a, b| a.overlap.total_cmp(&b.overlap)) {
        text.push_str(&format!(
            " Two example sets have up to {:.0} % of their entities in common ({}, {}).",
            100.0 * row.overlap,
            row.corpus,
            count(row.shots, "shot")
        ));
    }
    text
}

/// Sentences about the shares of random init, over all example sets and over sets that share no answer.
fn random_init(rows: &[SemanticRow]) -> String {
    let later = || rows.iter().filter(|row| row.block > 1);
    let Some((share, row)) = largest(later(), |row| row.macro_share_random_init) else {
        return " Random init was not measured.".into();
    };
    let without = largest(later(), |row| row.macro_share_no_shared_answer_random_init);
    let without = match without {
        Some((share, row)) => format!("{} ({})", two(share), place(row)),
        None => "unknown, because there are too few of these sets".into(),
    };
    format!(
        " With random init, the largest share after the first block is {} ({}). Between example sets without \
         a common answer, it is {without}.",
        two(share),
        place(row)
    )
}

/// Mean shares with half of the example sets and with all sets.
fn halves(tables: &SemanticTables) -> Option<(f64, f64)> {
    let pairs = tables.rows.iter().filter(|row| row.block > 1);
    let pairs: Vec<(f64, f64)> =
        pairs.filter_map(|row| Some((row.macro_share_half_sets?, row.macro_share))).collect();
    let n = pairs.len() as f64;
    let (half, whole) = pairs.iter().fold((0.0, 0.0), |(a, b), (half, whole)| (a + half, b + whole));
    (n > 0.0).then(|| (half / n, whole / n))
}

fn largest<'a>(
    rows: impl IntoIterator<Item = &'a SemanticRow>,
    value: impl Fn(&SemanticRow) -> Option<f64>,
) -> Option<(f64, &'a SemanticRow)> {
    let known = rows.into_iter().filter_map(|row| Some((value(row)?, row)));
    known.max_by(|(a, _), (b, _)| a.total_cmp(b))
}

fn place(row: &SemanticRow) -> String {
    format!("{} on {}, {}, block {}", row.model, row.corpus, count(row.shots, "shot"), row.block)
}

fn two(value: f64) -> String {
    fixed(value, 2)
}
