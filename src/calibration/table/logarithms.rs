//! Takes the logarithms of counts, sizes, tokens and FLOPs. Scaling laws are linear in the logarithms.
//! Without logarithms, the largest model would dominate the fit.

use super::checks::is_identical;
use super::companions::words;
use super::tidy::{Table, logarithm};
use crate::error::Result;

/// Minimum number of decades from the smallest to the largest value.
const DECADES: f64 = 2.0;
/// A column whose largest value is above this is not a share or a percentage.
const LARGEST_SCORE: f64 = 100.0;
/// Words that mark a count or a cost in a column's name, in the singular.
const COUNTS: [&str; 17] = [
    "param",
    "parameter",
    "token",
    "flop",
    "compute",
    "size",
    "count",
    "step",
    "cost",
    "price",
    "vocab",
    "layer",
    "width",
    "byte",
    "sample",
    "epoch",
    "num",
];

/// Replaces features that span two decades by their logarithms. A column whose logarithm is the target is not
/// replaced; another note warns that it ranks the rows as the target does.
pub(super) fn taken(
    known: &Table,
    target: &str,
    features: Vec<String>,
    notes: &mut Vec<String>,
) -> Result<Vec<String>> {
    let column = |name: &str| -> Result<Vec<f64>> {
        Ok(known.numbers(name)?.into_iter().map(|cell| cell.unwrap_or(f64::NAN)).collect())
    };
    let target = column(target)?;
    let mut logs = vec![];
    let mut all = vec![];
    for name in features {
        let log = format!("log10({name})");
        let spans = known.has(&name) && spans_decades(known, &name)?;
        if spans && !is_identical(&column(&log)?, &target) {
            logs.push(name);
            all.push(log);
        } else {
            all.push(name);
        }
    }
    // If the user named both a column and its logarithm, the logarithm is kept once.
    let mut once = vec![];
    all.into_iter().for_each(|name| {
        if !once.contains(&name) {
            once.push(name);
        }
    });
    if !logs.is_empty() {
        let (columns, span) = if logs.len() == 1 { ("column", "spans") } else { ("columns", "span") };
        notes.push(format!(
            "{columns} {} {span} two decades or more over the rows with a target: log10 values are used",
            logs.join(", ")
        ));
    }
    Ok(once)
}

fn spans_decades(known: &Table, name: &str) -> Result<bool> {
    let cells: Vec<f64> = known.numbers(name)?.into_iter().flatten().collect();
    let least = cells.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = cells.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_count = || words(name).iter().any(|word| is_of_count(word));
    Ok(least > 0.0 && (largest / least).log10() >= DECADES && (largest > LARGEST_SCORE || is_count()))
}

fn is_of_count(word: &str) -> bool {
    COUNTS.iter().any(|count| *count == word || word.strip_suffix('s') == Some(count))
}

/// Whether a feature that was named is the logarithm of a column.
pub(super) fn is_named(table: &Table, name: &str) -> bool {
    logarithm(name).is_some_and(|column| !table.has(name) && table.has(column))
}
