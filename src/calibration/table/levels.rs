//! Turns text columns into features. A category becomes one indicator for each value except the first, so
//! that a regression can give each value its own constant. The indicator of the value `moons` in the column
//! `corpus` is called `corpus=moons`; it is computed from the column and need not exist in the table.

use std::collections::BTreeSet;

use super::number::is_missing_text;
use super::tidy::Table;
use crate::error::{Error, Result};

/// Maximum number of values in one column.
const MOST: usize = 50;
/// Maximum number of values in a column that was found automatically.
const MOST_FOUND: usize = 6;
/// Minimum average number of rows per value in a column that was found automatically.
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
/// [`Error::Calibration`] for a column with one value, or with too many values.
pub(super) fn indicators(known: &Table, column: &str) -> Result<Vec<String>> {
    let values = values(known, column)?;
    if values.len() < 2 {
        let reason = format!("feature {column} is constant over the rows with a target; leave it out");
        return Err(Error::Calibration { reason });
    }
    if values.len() > MOST {
        let reason = format!(
            "feature {column} is text with {} values; at most {MOST} values are supported; \
             leave it out, or group the values",
            values.len()
        );
        return Err(Error::Calibration { reason });
    }
    Ok(indicators_of(column, &values))
}

/// The indicators of a text column that was found automatically, or the reason why it cannot be a feature.
pub(super) fn found(known: &Table, column: &str) -> Result<std::result::Result<Vec<String>, String>> {
    let values = values(known, column)?;
    let n = values.len();
    Ok(match n {
        0 => Err("empty in the rows with a target".into()),
        1 => Err("constant".into()),
        _ if n <= MOST_FOUND && n * ROWS_PER_LEVEL <= known.len() => Ok(indicators_of(column, &values)),
        _ => Err(format!(
            "text with too many values (more than {MOST_FOUND}, or fewer than {ROWS_PER_LEVEL} rows per \
             value)"
        )),
    })
}
