//! Kinds of rows: the values of the training rows in categorical columns and in constant columns. A row with
//! another value is of another kind, and the card was not fitted on rows of this kind.

use std::fmt::{self, Display, Formatter};

use super::columns::ColumnRoles;
use super::levels;
use super::number::{alone, is_missing, is_missing_text};
use super::tidy::{Table, indicator, logarithm};
use crate::error::Result;

/// Names of columns for the part of a study that a row belongs to. Their values differ by design, so a new
/// value does not make a row of another kind.
const PARTS: [&str; 5] = ["split", "fold", "partition", "set", "subset"];
/// Maximum length of a categorical value, in bytes.
const LONGEST: usize = 60;

/// A value that no training row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnseenValue {
    /// The column.
    pub column: String,
    /// The row's value.
    pub value: String,
    /// The values of the training rows.
    pub trained_on: Vec<String>,
}

impl Display for UnseenValue {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} is {}, but {} in all training rows",
            self.column,
            self.value,
            self.trained_on.join(" or ")
        )
    }
}

/// The value of a column that is constant over the training rows, if it is text or an integer, which may be
/// the code of a kind. A row with another value is then of another kind.
pub(super) fn constant(known: &Table, column: &str) -> Result<Option<String>> {
    if PARTS.contains(&column.to_lowercase().as_str()) {
        return Ok(None);
    }
    let cells = known.text(column)?;
    let Some(first) = cells.first().filter(|cell| cell.len() <= LONGEST && !is_missing(cell)) else {
        return Ok(None);
    };
    let is_kind = alone(first).is_none_or(|value| value.fract() == 0.0);
    Ok((is_kind && cells.iter().all(|cell| is_same(cell, first))).then(|| (*first).into()))
}

/// Whether two cells have the same value, for example `True`, `true` and 1.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || alone(one).zip(alone(other)).is_some_and(|(one, other)| one == other)
}

/// For each row of a table, the values that no training row has. Missing columns and missing cells are
/// skipped.
pub(crate) fn unseen(columns: &ColumnRoles, table: &Table) -> Result<Vec<Vec<UnseenValue>>> {
    let mut found = vec![vec![]; table.len()];
    for (column, trained_on) in columns.kinds.iter().filter(|(column, _)| table.has(column)) {
        // If the column contains only numbers in the training rows, a cell with a fraction is a measurement
        // and not the code of another kind.
        let is_degree = |cell: &str| {
            let is_number = trained_on.iter().all(|value| alone(value).is_some());
            is_number && alone(cell).is_some_and(|value| value.fract() != 0.0)
        };
        for (found, cell) in found.iter_mut().zip(table.text(column)?) {
            let is_new = !trained_on.iter().any(|value| is_same(value, cell));
            if is_new && !is_missing_text(cell) && !is_degree(cell) {
                let trained_on = trained_on.clone();
                found.push(UnseenValue { column: column.clone(), value: cell.into(), trained_on });
            }
        }
    }
    Ok(found)
}

/// The features of a table's rows, in the order of the card. If the category of a row does not occur in the
/// training rows, the indicators of that column are missing for the row, because the card was not fitted on
/// rows of this category.
pub(crate) fn feature_cells(columns: &ColumnRoles, table: &Table) -> Result<Vec<Vec<Option<f64>>>> {
    let unseen = unseen(columns, table)?;
    let cells = columns.features.iter().map(|name| {
        let mut cells = table.numbers(name)?;
        if let Some((column, _)) = indicator(name).filter(|_| !table.has(name)) {
            let is_unseen = |row: &Vec<UnseenValue>| row.iter().any(|value| value.column == column);
            cells
                .iter_mut()
                .zip(&unseen)
                .filter(|(_, row)| is_unseen(row))
                .for_each(|(cell, _)| *cell = None);
        }
        Ok(cells)
    });
    cells.collect()
}

/// For each row, notes on log features that are missing because their column is 0 or below.
pub(crate) fn without_logarithm(columns: &ColumnRoles, table: &Table) -> Result<Vec<Vec<String>>> {
    let mut found = vec![vec![]; table.len()];
    for column in columns.features.iter().filter(|name| !table.has(name)).filter_map(|name| logarithm(name)) {
        for (found, cell) in found.iter_mut().zip(table.numbers(column)?) {
            if let Some(value) = cell.filter(|value| *value <= 0.0) {
                found.push(format!("{column} is {value}, which has no logarithm, and counts as missing"));
            }
        }
    }
    Ok(found)
}

/// Records the kinds of the training rows: categorical features, and constant columns.
pub(super) fn record(columns: &mut ColumnRoles, known: &Table, free: &[String]) -> Result<()> {
    let indicators = columns.features.iter().filter(|name| !known.has(name));
    let categories: Vec<String> =
        indicators.filter_map(|name| indicator(name)).map(|(column, _)| column.into()).collect();
    for column in categories {
        let values = levels::values(known, &column)?;
        columns.kinds.insert(column, values);
    }
    for column in free {
        if let Some(value) = constant(known, column)? {
            columns.kinds.insert(column.clone(), vec![value]);
        }
    }
    Ok(())
}
