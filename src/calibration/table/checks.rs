//! Checks the data before anything is fitted. linfa silently returns numbers for NaN, for constant or
//! duplicated columns, and for fewer rows than columns. These checks report each of these faults.

use super::columns::ColumnRoles;
use super::sample::{LEAST_MODELS, Sample};
use super::tidy::Table;
use crate::error::{Error, Result};
use crate::numeric::statistics::{complete_pairs, pearson, spearman};

/// Columns with an absolute correlation above this are the same column in another unit.
const IDENTICAL: f64 = 1.0 - 1e-10;
/// Number of pairs of cells that is enough to distinguish most columns.
const FIRST_PAIRS: usize = 8;
/// Above this magnitude, squares and their sums may overflow. Below its inverse, they may underflow to 0.
const LARGEST: f64 = 1e100;
/// Minimum number of rows for nearly equal ranks to suggest a copy.
const LEAST_RANKED: usize = 20;
/// Columns with an absolute rank correlation above this may be the same column on another scale.
const IDENTICAL_RANKS: f64 = 0.999;

fn fault(reason: String) -> Error {
    Error::Calibration { reason }
}

/// Whether the finite values are not all equal.
pub(super) fn varies(values: &[f64]) -> bool {
    let mut known = values.iter().filter(|value| value.is_finite());
    let first = known.next();
    known.any(|value| {
        first.is_some_and(|first| (value - first).abs() > 1e-12 * first.abs().max(f64::MIN_POSITIVE))
    })
}

/// Returns an error for a column with a cell that is too large to be squared, or with cells that are all too
/// small.
pub(super) fn magnitude(table: &Table, column: &str) -> Result<()> {
    let cells = table.numbers(column)?;
    let largest = cells.iter().flatten().fold(0.0f64, |largest, value| largest.max(value.abs()));
    if largest > 0.0 && largest < 1.0 / LARGEST {
        return Err(fault(format!(
            "no value of column {column} exceeds {largest:e}, which is too small to fit; give the column \
             another unit"
        )));
    }
    match cells.into_iter().enumerate().find(|(_, cell)| cell.is_some_and(|value| value.abs() > LARGEST)) {
        Some((row, Some(value))) => Err(table.fault(
            row,
            format!(
                "column {column} contains {value:e}, which is too large to fit; give the column another unit"
            ),
        )),
        _ => Ok(()),
    }
}

/// Whether two columns are the same except for unit and sign.
pub(super) fn is_identical(a: &[f64], b: &[f64]) -> bool {
    if !may_be_identical(a, b) {
        return false;
    }
    let (a, b) = complete_pairs(a, b);
    a.len() >= 3 && pearson(&a, &b).abs() > IDENTICAL
}

/// Whether the first pairs lie on one line. This test costs little and already distinguishes most columns.
/// Correlations of all pairs of thousands of columns would take too long.
fn may_be_identical(a: &[f64], b: &[f64]) -> bool {
    let pairs = a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite()).take(FIRST_PAIRS);
    let order = |one: &(&f64, &f64), other: &(&f64, &f64)| one.0.total_cmp(other.0);
    let (Some((x0, y0)), Some((x1, y1))) = (pairs.clone().min_by(order), pairs.clone().max_by(order)) else {
        return false;
    };
    let slope = if x1 > x0 { (y1 - y0) / (x1 - x0) } else { 0.0 };
    let slack = 1e-3 * (y1 - y0).abs().max(f64::MIN_POSITIVE);
    x1 <= x0 || pairs.clone().all(|(x, y)| (y0 + slope * (x - x0) - y).abs() <= slack)
}

/// How closely two columns agree in their ranks, over the rows where both are known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RankAgreement {
    /// The ranks agree over enough rows to suspect that one column was computed from the other.
    Identical,
    /// The ranks agree exactly, but over so few rows that a good feature may do the same.
    IdenticalOverFew,
    /// The ranks differ, or there are too few rows.
    Different,
}

impl RankAgreement {
    pub(super) fn of(a: &[f64], b: &[f64]) -> Self {
        let (a, b) = complete_pairs(a, b);
        let correlation = spearman(&a, &b).abs();
        match a.len() {
            LEAST_RANKED.. if correlation > IDENTICAL_RANKS => Self::Identical,
            LEAST_MODELS..LEAST_RANKED if correlation > IDENTICAL => Self::IdenticalOverFew,
            _ => Self::Different,
        }
    }
}

/// Checks the training sample as a whole.
pub(super) fn sample(
    sample: &Sample,
    columns: &ColumnRoles,
    target: &str,
    notes: &mut Vec<String>,
) -> Result<()> {
    check_proxy(sample, columns, target, notes)?;
    warn_of_ranks(sample, &columns.features, target, notes);
    check_families(sample)?;
    if !varies(&sample.y) {
        return Err(fault(format!(
            "the target {target} is the same in every row; there is nothing to learn"
        )));
    }
    let (n, p) = sample.x.dim();
    if n < p + 2 {
        notes.push(format!(
            "{n} rows for {p} features: only penalised candidates and candidates with few components can be \
             fitted"
        ));
    }
    Ok(())
}

/// The warning about a predictor that ranks the rows as the target does.
fn rank_warning(name: &str, target: &str) -> String {
    format!(
        "{name} RANKS THE ROWS AS THE TARGET {target} DOES: if it was computed from the target, every skill \
         and interval here is too optimistic, and the column must be left out"
    )
}

fn check_proxy(sample: &Sample, columns: &ColumnRoles, target: &str, notes: &mut Vec<String>) -> Result<()> {
    let (Some(name), Some(proxies)) = (&columns.proxy, &sample.proxies) else { return Ok(()) };
    let values: Vec<f64> = proxies.iter().map(|proxy| proxy.value).collect();
    if name == target {
        return Err(fault(format!(
            "--proxy {name} is the target itself; name the column that contains the small model's value"
        )));
    }
    if is_identical(&values, &sample.y) {
        return Err(fault(format!("--proxy {name} is the target {target} in another unit; leave it out")));
    }
    if RankAgreement::of(&values, &sample.y) != RankAgreement::Different {
        notes.push(rank_warning(&format!("--proxy {name}"), target));
    }
    Ok(())
}

/// Warns of features that rank the rows as the target does. Copies of the target were already left out.
fn warn_of_ranks(sample: &Sample, names: &[String], target: &str, notes: &mut Vec<String>) {
    for (j, name) in names.iter().enumerate() {
        if RankAgreement::of(&sample.x.column(j).to_vec(), &sample.y) != RankAgreement::Different {
            notes.push(rank_warning(&format!("feature {name}"), target));
        }
    }
}

fn check_families(sample: &Sample) -> Result<()> {
    for (row, id) in sample.models.iter().enumerate() {
        let first = sample.models.iter().position(|other| other == id).unwrap_or(row);
        let (one, other) = (&sample.families[first], &sample.families[row]);
        if one != other {
            let name =
                |family: &String| if family.is_empty() { "an empty cell".into() } else { family.clone() };
            let (one, other) = (name(one), name(other));
            return Err(fault(format!(
                "model {id} has two families, {one} and {other}; give all its rows the same family"
            )));
        }
    }
    Ok(())
}

/// The note on families that are unknown or have one model each. If every family has one model, leaving out a
/// family is the same as leaving out its model, so both kinds of cross-validation have the same errors.
pub(super) fn family_note(sample: &Sample, group: Option<&str>) -> Option<String> {
    if let (unknown @ 1.., Some(column)) = (sample.n_without_family(), group) {
        return Some(format!(
            "column {column} is empty in {unknown} of {} rows: these families are unknown, and family-wise \
             cross-validation leaves the rows out",
            sample.len()
        ));
    }
    if !sample.is_one_model_per_family() {
        return None;
    }
    Some(match group {
        Some(column) => format!(
            "every family in column {column} has one model, so the error for a new family equals the error \
             for a new model"
        ),
        None => "there is no column of families: every model counts as a family of its own, and errors look \
                 too small if some models are related; --group names a column of families"
            .into(),
    })
}
