//! Finds the column of model names if no column has a usual name. Rows of one model, such as its seeds, must
//! not be in both training and test of a fold.

use std::collections::{BTreeMap, BTreeSet};

use super::companions::words;
use super::specification::CalibrationSpec;
use super::tidy::Table;
use crate::error::Result;

/// Words that mark a column of models.
const MODELS: [&str; 8] = ["model", "models", "llm", "checkpoint", "ckpt", "architecture", "config", "name"];
/// Names of columns that number the rows of one model.
const REPEATS: [&str; 9] =
    ["seed", "seeds", "run", "trial", "rep", "repeat", "replicate", "repetition", "init"];
/// Minimum number of distinct values in a column of models.
const LEAST_VALUES: usize = 5;
/// Minimum share of rows whose value occurs more than once.
const REPEATED_SHARE: f64 = 0.5;

/// Finds the column of models and adds a note. If a column may contain model names but neither its name nor a
/// column of seeds confirms this, only the note is added.
pub(super) fn find(
    spec: &CalibrationSpec,
    known: &Table,
    of_models: [&Option<String>; 2],
    notes: &mut Vec<String>,
) -> Result<Option<String>> {
    let roles = of_models.into_iter().flatten().chain([&spec.target]).collect::<Vec<_>>();
    let free =
        || known.columns().iter().filter(|name| !roles.contains(name) && !spec.features.contains(name));
    let text: Vec<&String> = free().filter(|name| known.is_text(name)).collect();
    let is_model = |name: &&&String| words(name).iter().any(|word| MODELS.contains(&word.as_str()));
    let has_repeats = free().any(|name| REPEATS.contains(&name.to_lowercase().as_str()));
    for name in text.iter().filter(is_model).chain(text.iter().filter(|name| !is_model(name))) {
        let Some(rows) = repeated(known, name)? else { continue };
        if !is_model(&name) && !has_repeats {
            notes.push(format!(
                "column {name} has {} distinct values in {} rows: if these are models, use --id {name}, so \
                 that no fold has rows of one model in both training and test; otherwise, errors look too \
                 small",
                rows.len(),
                known.len()
            ));
            return Ok(None);
        }
        if !agree(known, &rows, &of_models)? {
            continue;
        }
        notes.push(format!(
            "column {name} is used for the model names: {} models in {} rows; no fold has rows of one model \
             in both training and test; use --id to name another column",
            rows.len(),
            known.len()
        ));
        return Ok(Some((*name).clone()));
    }
    // Even if no model is repeated, the model names label the predictions.
    let distinct = |name: &&&String| known.text(name).is_ok_and(|cells| all_distinct(&cells));
    Ok(text.iter().filter(is_model).find(distinct).map(|name| (*name).clone()))
}

fn all_distinct(cells: &[&str]) -> bool {
    let distinct: BTreeSet<&str> = cells.iter().copied().collect();
    distinct.len() == cells.len() && !distinct.contains("")
}

/// The rows of each value of a column, if enough values are repeated.
fn repeated(known: &Table, name: &str) -> Result<Option<Vec<Vec<usize>>>> {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, cell) in known.text(name)?.into_iter().enumerate() {
        rows.entry(cell).or_default().push(at);
    }
    let again: usize = rows.values().filter(|rows| rows.len() > 1).map(Vec::len).sum();
    let is_repeated = again as f64 >= REPEATED_SHARE * known.len() as f64;
    let is_named = !rows.contains_key("");
    Ok((rows.len() >= LEAST_VALUES && is_repeated && is_named).then(|| rows.into_values().collect()))
}

/// Whether all rows with the same value have the same family and size.
fn agree(known: &Table, rows: &[Vec<usize>], columns: &[&Option<String>]) -> Result<bool> {
    for column in columns.iter().copied().flatten() {
        let cells = known.text(column)?;
        if rows.iter().any(|rows| rows.iter().any(|&row| cells[row] != cells[rows[0]])) {
            return Ok(false);
        }
    }
    Ok(true)
}
