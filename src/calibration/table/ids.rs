//! The column of models where none has the usual name: rows of one model, such as its seeds, have to stay on
//! one side of every fold.

use std::collections::{BTreeMap, BTreeSet};

use super::companions::words;
use super::specification::CalibrationSpec;
use super::tidy::Table;
use crate::error::Result;

/// Words of names that say model.
const MODELS: [&str; 8] = ["model", "models", "llm", "checkpoint", "ckpt", "architecture", "config", "name"];
/// Names of columns that tell the rows of one model apart.
const REPEATS: [&str; 9] =
    ["seed", "seeds", "run", "trial", "rep", "repeat", "replicate", "repetition", "init"];
/// Fewest values of a column of models.
const LEAST_VALUES: usize = 5;
/// Share of the rows whose value occurs again.
const REPEATED_SHARE: f64 = 0.5;

/// The column of models that was found, with a note; a column that may be one is only noted.
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
                "column {name} holds {} values in {} rows: if these are models, --id {name} keeps the rows \
                 of one model on one side of every fold; errors look too small otherwise",
                rows.len(),
                known.len()
            ));
            return Ok(None);
        }
        if !agree(known, &rows, &of_models)? {
            continue;
        }
        notes.push(format!(
            "column {name} is taken as the model: {} models in {} rows, whose rows stay on one side of every \
             fold; --id names another",
            rows.len(),
            known.len()
        ));
        return Ok(Some((*name).clone()));
    }
    // Without repetition the names of models still name the predictions.
    let distinct = |name: &&&String| known.text(name).is_ok_and(|cells| all_distinct(&cells));
    Ok(text.iter().filter(is_model).find(distinct).map(|name| (*name).clone()))
}

fn all_distinct(cells: &[&str]) -> bool {
    let distinct: BTreeSet<&str> = cells.iter().copied().collect();
    distinct.len() == cells.len() && !distinct.contains("")
}

/// The rows of each value of a column, if enough values occur again.
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

/// Whether family and size are the same in all rows of a value.
fn agree(known: &Table, rows: &[Vec<usize>], columns: &[&Option<String>]) -> Result<bool> {
    for column in columns.iter().copied().flatten() {
        let cells = known.text(column)?;
        if rows.iter().any(|rows| rows.iter().any(|&row| cells[row] != cells[rows[0]])) {
            return Ok(false);
        }
    }
    Ok(true)
}
