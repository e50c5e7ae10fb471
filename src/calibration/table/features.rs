//! Features: the columns that are named, that match a pattern, or that are found.

use super::checks::{RankAgreement, is_identical, magnitude, varies};
use super::columns::ColumnRoles;
use super::levels;
use super::specification::CalibrationSpec;
use super::tidy::Table;
use crate::error::{Error, Result};
use crate::names;
use crate::observations;

/// A column that is found automatically must be known in this share of the rows with a target, and of those
/// without.
const KNOWN_SHARE: f64 = 0.5;
/// Last words of the names of columns that go with another column: standard errors and interval ends.
const COMPANIONS: [&str; 7] = ["stderr", "se", "std", "ci_low", "ci_high", "low", "high"];

fn fault(reason: String) -> Error {
    Error::Calibration { reason }
}

/// The columns that are features: named, matching a pattern, or found.
pub(super) fn select(
    spec: &CalibrationSpec,
    table: &Table,
    known: &Table,
    columns: &ColumnRoles,
    notes: &mut Vec<String>,
) -> Result<Vec<String>> {
    let ColumnRoles { id, group, size, weights, proxy, proxy_size, stderr, .. } = columns;
    let taken = [id, group, size, weights, proxy, proxy_size, stderr];
    let is_taken = |name: &str| {
        name == spec.target
            || columns.same.contains_key(name)
            || taken.iter().any(|c| c.as_deref() == Some(name))
    };
    let mut found: Vec<String> = vec![];
    for asked in &spec.features {
        let by_name = !asked.contains('*');
        let (head, tail) = asked.split_once('*').unwrap_or((asked, ""));
        let fits = |name: &&String| {
            if by_name {
                *name == asked
            } else {
                name.len() + 1 >= asked.len()
                    && name.starts_with(head)
                    && name.ends_with(tail)
                    && !is_taken(name)
            }
        };
        let matching: Vec<&String> = table.columns().iter().filter(fits).collect();
        if matching.is_empty() {
            let columns = table.columns().join(", ");
            return Err(Error::Parameter {
                name: "--features",
                reason: format!(
                    "names `{asked}`, which matches no column of {}; {}the columns are {columns}",
                    table.path().display(),
                    names::suggestion(asked, table.columns().iter().map(String::as_str))
                ),
            });
        }
        for name in matching {
            if name == &spec.target {
                return Err(fault(format!(
                    "feature {name} is the target itself; leave it out of --features"
                )));
            }
            if !by_name && some_numbers(table, name) {
                table.numbers(name)?;
            }
            if by_name && !table.is_numeric(name) && !some_numbers(table, name) {
                let indicators = levels::indicators(known, name)?;
                notes.push(format!("column {name} is text: each of its values has a level of its own"));
                found.extend(indicators);
            } else if !found.contains(name) && (by_name || usable(spec, table, known, name, notes)) {
                found.push(name.clone());
            }
        }
    }
    if spec.features.is_empty() {
        let internal = |name: &str| observations::is_response(name) || observations::is_internal(name);
        let candidates = table.columns().iter().filter(|name| !is_taken(name) && !internal(name));
        for name in candidates {
            if is_companion(name) {
                notes.push(format!(
                    "column {name} is named like a standard error or an interval end and is left out; \
                     --features takes it"
                ));
            } else if usable(spec, table, known, name, notes) {
                found.push(name.clone());
            }
        }
    }
    if spec.for_api {
        for name in &found {
            for_api(spec, table, name)?;
        }
    }
    for name in &found {
        magnitude(known, name)?;
        check(known, name).map_err(|error| spec.too_few_rows_or(error, known.len(), table.len()))?;
    }
    let found = without_copies(spec, known, found, notes)?;
    if spec.features.is_empty() {
        notes.push(format!("features: {}", if found.is_empty() { "none".into() } else { found.join(", ") }));
    }
    Ok(found)
}

/// Leaves out columns that are the target or another feature in another unit, unless they were named: then
/// they are an error later on.
fn without_copies(
    spec: &CalibrationSpec,
    known: &Table,
    found: Vec<String>,
    notes: &mut Vec<String>,
) -> Result<Vec<String>> {
    let column = |name: &str| -> Result<Vec<f64>> {
        Ok(known.numbers(name)?.into_iter().map(|cell| cell.unwrap_or(f64::NAN)).collect())
    };
    let target = column(&spec.target)?;
    let mut kept: Vec<(String, Vec<f64>)> = vec![];
    for name in found {
        let cells = column(&name)?;
        if !spec.features.contains(&name) {
            let copied = kept.iter().find(|(_, other)| is_identical(other, &cells)).map(|(other, _)| other);
            if is_identical(&target, &cells) {
                notes.push(format!(
                    "column {name} is the target {} in another unit and is left out",
                    spec.target
                ));
                continue;
            } else if RankAgreement::of(&target, &cells) == RankAgreement::Identical {
                notes.push(format!(
                    "column {name} ranks the rows as the target {} does and may have been computed from it; \
                     it is left out, and --features takes it by name",
                    spec.target
                ));
                continue;
            } else if let Some(other) = copied {
                notes.push(format!("column {name} is {other} in another unit and is left out"));
                continue;
            }
        }
        kept.push((name, cells));
    }
    Ok(kept.into_iter().map(|(name, _)| name).collect())
}

/// Whether a column that was found can be a feature; if not, the notes say why.
fn usable(spec: &CalibrationSpec, table: &Table, known: &Table, name: &str, notes: &mut Vec<String>) -> bool {
    let Ok(targets) = table.numbers(&spec.target) else { return false };
    let cells = match table.numbers(name) {
        Ok(cells) => cells,
        Err(error) => {
            // A column of text alone is not worth a note.
            if some_numbers(table, name) {
                notes.push(format!("column {name} is left out: {error}"));
            }
            return false;
        }
    };
    let share = |with_target: bool| {
        let rows: Vec<bool> = cells
            .iter()
            .zip(&targets)
            .filter(|(_, y)| y.is_some() == with_target)
            .map(|(x, _)| x.is_some())
            .collect();
        if rows.is_empty() {
            1.0
        } else {
            rows.iter().filter(|known| **known).count() as f64 / rows.len() as f64
        }
    };
    let reason = if !table.is_numeric(name) {
        return false;
    } else if share(true) < KNOWN_SHARE {
        "is missing in most rows with a target"
    } else if share(false) < KNOWN_SHARE {
        "is missing in most rows to be predicted"
    } else if check(known, name).is_err() {
        "is constant"
    } else {
        return true;
    };
    notes.push(format!("column {name} {reason} and is left out"));
    false
}

/// Whether at least one cell of a column is a finite number.
fn some_numbers(table: &Table, name: &str) -> bool {
    let finite = |cell: &&str| cell.parse::<f64>().is_ok_and(f64::is_finite);
    table.text(name).is_ok_and(|cells| cells.iter().any(finite))
}

/// Whether a column's name says that it is the standard error or an interval end of another column. Such a
/// column may leak the target.
fn is_companion(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix("_nats").unwrap_or(&name);
    let ends =
        |end: &&str| name.strip_suffix(*end).is_some_and(|head| head.is_empty() || head.ends_with('_'));
    COMPANIONS.iter().any(ends)
}

/// Checks one feature: numbers, mostly known, not constant.
fn check(known: &Table, name: &str) -> Result<()> {
    let cells: Vec<f64> = known.numbers(name)?.into_iter().flatten().collect();
    let missing = known.len() - cells.len();
    if cells.len() < known.len().div_ceil(2) {
        let reason = format!(
            "feature {name} is missing in {missing} of {} rows with a target; leave it out, or fill it",
            known.len()
        );
        return Err(fault(reason));
    }
    if !varies(&cells) {
        return Err(fault(format!("feature {name} is constant over the rows with a target; leave it out")));
    }
    Ok(())
}

/// Refuses a feature that a model behind an API does not have.
fn for_api(spec: &CalibrationSpec, table: &Table, name: &str) -> Result<()> {
    let refuse = |why: &str| {
        let reason = format!("feature {name} {why}; with --for-api leave it out");
        Err(fault(reason))
    };
    if observations::is_internal(name) || observations::is_response(name) {
        return refuse("is measured inside the model, which an API does not show");
    }
    let (cells, targets) = (table.numbers(name)?, table.numbers(&spec.target)?);
    let mut closed =
        cells.iter().zip(&targets).filter(|(_, y)| y.is_none()).map(|(x, _)| x.is_some()).peekable();
    if closed.peek().is_some() && !closed.any(|known| known) {
        return refuse("is empty in every row without a target");
    }
    Ok(())
}
