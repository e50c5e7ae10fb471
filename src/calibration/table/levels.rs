//! Columns of text as features: a category becomes an indicator for each of its values but the first, so that
//! each value has its own level. The indicator of the value `moons` in the column `corpus` is called
//! `corpus=moons`; it is read from the column and need not stand in the table.

use std::collections::BTreeSet;

use super::number::is_missing_text;
use super::tidy::Table;
use crate::error::{Error, Result};

/// Most values of one column.
const MOST: usize = 50;
/// Most values of a column that nobody named, and rows for each of them.
const MOST_FOUND: usize = 6;
const ROWS_PER_LEVEL: usize = 5;

/// The distinct values of a column, in sorted order.
pub(super) fn values(known: &Table, column: &str) -> Result<Vec<String>> {
    let values: BTreeSet<&str> =
        known.text(column)?.into_iter().filter(|value| !is_missing_text(value)).collect();
    Ok(values.into_iter().map(Into::into).collect())
}

fn indicators_of(column: &str, values: &[String]) -> Vec<String> {
    values.iter().skip(1).map(|value| format!("{column}={value}")).collect()
}

/// The indicators of a column whose cells are text.
///
/// # Errors
/// [`Error::Calibration`] for a column with one value, or with too many to have a level each.
pub(super) fn indicators(known: &Table, column: &str) -> Result<Vec<String>> {
    let values = values(known, column)?;
    if values.len() < 2 {
        let reason = format!("feature {column} is constant over the rows with a target; leave it out");
        return Err(Error::Calibration { reason });
    }
    if values.len() > MOST {
        let reason = format!(
            "feature {column} is text with {} values, and {MOST} are the most that each get a level of their \
             own; leave it out, or group the values",
            values.len()
        );
        return Err(Error::Calibration { reason });
    }
    Ok(indicators_of(column, &values))
}

/// The indicators of a column of text that nobody named, or what keeps it from being a feature.
pub(super) fn found(known: &Table, column: &str) -> Result<std::result::Result<Vec<String>, String>> {
    let values = values(known, column)?;
    let n = values.len();
    Ok(match n {
        0 => Err("empty in the rows with a target".into()),
        1 => Err("constant".into()),
        _ if n <= MOST_FOUND && n * ROWS_PER_LEVEL <= known.len() => Ok(indicators_of(column, &values)),
        _ => Err(format!(
            "text with more than {MOST_FOUND} values, or with fewer than {ROWS_PER_LEVEL} rows for each"
        )),
    })
}
