//! Columns of text as features: a category becomes an indicator for each of its values but the first, so that
//! each value has its own level. The indicator of the value `moons` in the column `corpus` is called
//! `corpus=moons`; it is read from the column and need not stand in the table.

use std::collections::BTreeSet;

use super::tidy::Table;
use crate::error::{Error, Result};

/// Most values of one column.
const MOST: usize = 50;

/// The distinct values of a column, in sorted order.
pub(super) fn values(known: &Table, column: &str) -> Result<Vec<String>> {
    let values: BTreeSet<&str> = known.text(column)?.into_iter().filter(|value| !value.is_empty()).collect();
    Ok(values.into_iter().map(Into::into).collect())
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
    Ok(values.iter().skip(1).map(|value| format!("{column}={value}")).collect())
}
