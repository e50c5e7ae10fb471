//! What is checked before anything is fitted. linfa answers NaN, constant columns, columns that repeat each
//! other and fewer rows than columns all with a number; here they are found and named.

use super::plan::{Columns, Plan};
use super::sample::Sample;
use super::tidy::Table;
use crate::calibration::prediction::support::LEAST_TARGETS;
use crate::calibration::validation::score::spearman;
use crate::error::{Error, Result};
use crate::observations;

/// A column that is found by itself must be known in this share of the rows with and of those without a
/// target.
const KNOWN_SHARE: f64 = 0.5;
/// Last words of the names of columns that go with a number: standard errors and ends of intervals.
const COMPANIONS: [&str; 7] = ["stderr", "se", "std", "ci_low", "ci_high", "low", "high"];
/// Two columns that agree to this are one.
const SAME: f64 = 1.0 - 1e-10;

/// Beyond this squares and their sums come near to overflowing, and within its inverse to nothing.
const LARGEST: f64 = 1e100;

/// Two columns that rank this many rows as nearly alike are one in another scale.
const LEAST_RANKED: usize = 20;
const SAME_RANKS: f64 = 0.999;

/// An error at a row of a table.
pub(crate) fn csv(table: &Table, row: usize, reason: String) -> Error {
    Error::Csv { path: table.path().into(), line: table.line(row), reason }
}

fn fault(reason: String) -> Error {
    Error::Fit { reason }
}

/// Whether the known among some values are not all the same.
pub(crate) fn varies(values: &[f64]) -> bool {
    let mut known = values.iter().filter(|value| value.is_finite());
    let first = known.next();
    known.any(|value| {
        first.is_some_and(|first| (value - first).abs() > 1e-12 * first.abs().max(f64::MIN_POSITIVE))
    })
}

/// Refuses a column with a cell that no fit can square, or of nothing but cells whose squares are 0.
pub(crate) fn magnitude(table: &Table, column: &str) -> Result<()> {
    let cells = table.numbers(column)?;
    let largest = cells.iter().flatten().fold(0.0f64, |largest, value| largest.max(value.abs()));
    if largest > 0.0 && largest < 1.0 / LARGEST {
        return Err(fault(format!(
            "column {column} holds nothing above {largest:e}, too small for any fit; give it another unit"
        )));
    }
    match cells.into_iter().enumerate().find(|(_, cell)| cell.is_some_and(|value| value.abs() > LARGEST)) {
        Some((row, Some(value))) => Err(csv(
            table,
            row,
            format!("column {column} holds {value:e}, too large for any fit; give it another unit"),
        )),
        _ => Ok(()),
    }
}

/// Log10 of a column of sizes, NaN where missing.
pub(crate) fn log10_sizes(table: &Table, column: &str) -> Result<Vec<f64>> {
    let cells = table.numbers(column)?.into_iter().enumerate().map(|(row, cell)| match cell {
        Some(size) if size <= 0.0 => Err(csv(
            table,
            row,
            format!(
                "column {column} holds a size of {size}; sizes are above 0, a missing one is an empty cell"
            ),
        )),
        cell => Ok(cell.map_or(f64::NAN, f64::log10)),
    });
    cells.collect()
}

/// The columns that are features, by name, by pattern, or found.
pub(crate) fn features(
    plan: &Plan,
    table: &Table,
    known: &Table,
    columns: &Columns,
    notes: &mut Vec<String>,
) -> Result<Vec<String>> {
    let Columns { id, group, size, weights, proxy, proxy_size, stderr, .. } = columns;
    let taken = [id, group, size, weights, proxy, proxy_size, stderr];
    let is_taken = |name: &str| {
        name == plan.target
            || columns.same.contains_key(name)
            || taken.iter().any(|c| c.as_deref() == Some(name))
    };
    let mut found: Vec<String> = vec![];
    for asked in &plan.features {
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
                    "names `{asked}`, which no column of {} is; the columns are {columns}",
                    table.path().display()
                ),
            });
        }
        for name in matching {
            if name == &plan.target {
                return Err(fault(format!(
                    "feature {name} is the target itself; leave it out of --features"
                )));
            }
            if !by_name && some_numbers(table, name) {
                table.numbers(name)?;
            }
            if !found.contains(name) && (by_name || usable(plan, table, known, name, notes)) {
                found.push(name.clone());
            }
        }
    }
    if plan.features.is_empty() {
        let internal = |name: &str| observations::ANSWERS.contains(&name) || observations::is_internal(name);
        let candidates = table.columns().iter().filter(|name| !is_taken(name) && !internal(name));
        for name in candidates {
            if is_companion(name) {
                notes.push(format!(
                    "column {name} is named as an error or an end of an interval and is left out; \
                     --features takes it"
                ));
            } else if usable(plan, table, known, name, notes) {
                found.push(name.clone());
            }
        }
    }
    if plan.for_api {
        for name in &found {
            for_api(plan, table, name)?;
        }
    }
    for name in &found {
        magnitude(known, name)?;
        check(known, name).map_err(|error| plan.of_few(error, known.len(), table.len()))?;
    }
    let found = without_copies(plan, known, found, notes)?;
    if plan.features.is_empty() {
        notes.push(format!("features: {}", if found.is_empty() { "none".into() } else { found.join(", ") }));
    }
    Ok(found)
}

/// What was not named itself and is the target in another unit, or another feature, is left out; what was
/// named is an error later on.
fn without_copies(
    plan: &Plan,
    known: &Table,
    found: Vec<String>,
    notes: &mut Vec<String>,
) -> Result<Vec<String>> {
    let column = |name: &str| -> Result<Vec<f64>> {
        Ok(known.numbers(name)?.into_iter().map(|cell| cell.unwrap_or(f64::NAN)).collect())
    };
    let target = column(&plan.target)?;
    let mut kept: Vec<(String, Vec<f64>)> = vec![];
    for name in found {
        let cells = column(&name)?;
        if !plan.features.contains(&name) {
            let copied = kept
                .iter()
                .find(|(_, other)| correlation(other, &cells).abs() > SAME)
                .map(|(other, _)| other);
            if correlation(&target, &cells).abs() > SAME {
                notes.push(format!(
                    "column {name} is the target {} in another unit and is left out",
                    plan.target
                ));
                continue;
            } else if ranks(&target, &cells) == Ranks::Same {
                notes.push(format!(
                    "column {name} ranks the rows as the target {} does and may have been made of it; it is \
                     left out, and --features takes it by name",
                    plan.target
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

/// Whether a column that was not named itself can be a feature; if not, the notes say why.
fn usable(plan: &Plan, table: &Table, known: &Table, name: &str, notes: &mut Vec<String>) -> bool {
    let Ok(targets) = table.numbers(&plan.target) else { return false };
    let cells = match table.numbers(name) {
        Ok(cells) => cells,
        Err(error) => {
            // A column of nothing but text is no feature that went lost.
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

/// Whether a cell of a column at least is a finite number.
fn some_numbers(table: &Table, name: &str) -> bool {
    let finite = |cell: &&str| cell.parse::<f64>().is_ok_and(f64::is_finite);
    table.text(name).is_ok_and(|cells| cells.iter().any(finite))
}

/// Whether a column's name says that it goes with a number instead of being one: its standard error, an end
/// of its interval. Taken by itself such a column would let the target in by a side door.
fn is_companion(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix("_nats").unwrap_or(&name);
    let ends =
        |end: &&str| name.strip_suffix(*end).is_some_and(|head| head.is_empty() || head.ends_with('_'));
    COMPANIONS.iter().any(ends)
}

/// One feature by itself: numbers, not all missing, not constant.
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

/// What a model behind an API has no value of.
fn for_api(plan: &Plan, table: &Table, name: &str) -> Result<()> {
    let refuse = |why: &str| {
        let reason = format!("feature {name} {why}; with --for-api leave it out");
        Err(fault(reason))
    };
    if observations::is_internal(name) || observations::ANSWERS.contains(&name) {
        return refuse("is measured inside the target, which an API does not show");
    }
    let (cells, targets) = (table.numbers(name)?, table.numbers(&plan.target)?);
    let mut closed =
        cells.iter().zip(&targets).filter(|(_, y)| y.is_none()).map(|(x, _)| x.is_some()).peekable();
    if closed.peek().is_some() && !closed.any(|known| known) {
        return refuse("is empty in every row without a target");
    }
    Ok(())
}

/// The columns together: none may be another, or the target.
pub(crate) fn sample(
    sample: &Sample,
    columns: &Columns,
    target: &str,
    notes: &mut Vec<String>,
) -> Result<()> {
    let names = &columns.features;
    let column = |j: usize| sample.x.column(j).to_vec();
    if let (Some(name), Some(proxies)) = (&columns.proxy, &sample.proxies) {
        let values: Vec<f64> = proxies.iter().map(|proxy| proxy.value).collect();
        if name == target {
            return Err(fault(format!(
                "--proxy {name} is the target itself; name the column that holds what the small model reads"
            )));
        }
        if correlation(&values, &sample.y).abs() > SAME {
            return Err(fault(format!(
                "--proxy {name} is the target {target} in another unit; leave it out"
            )));
        }
        if ranks(&values, &sample.y) != Ranks::Other {
            notes.push(format!(
                "--proxy {name} RANKS THE ROWS AS THE TARGET {target} DOES: if it was made of the target, \
                 every skill and interval here is too good; leave it out then"
            ));
        }
    }
    for (j, name) in names.iter().enumerate() {
        if correlation(&column(j), &sample.y).abs() > SAME {
            return Err(fault(format!(
                "feature {name} is the target {target} in another unit; leave it out"
            )));
        }
        if ranks(&column(j), &sample.y) != Ranks::Other {
            notes.push(format!(
                "feature {name} RANKS THE ROWS AS THE TARGET {target} DOES: if it was made of the target, \
                 every skill and interval here is too good; leave it out then"
            ));
        }
        if let Some(other) = (0..j).find(|&k| correlation(&column(k), &column(j)).abs() > SAME) {
            return Err(fault(format!(
                "features {} and {name} are one column twice; leave one out",
                names[other]
            )));
        }
    }
    let empty: Vec<&str> = (0..sample.len())
        .filter(|&i| !names.is_empty() && sample.x.row(i).iter().all(|value| !value.is_finite()))
        .map(|i| sample.targets[i].as_str())
        .collect();
    if !empty.is_empty() {
        return Err(fault(format!("no feature is known of {}; leave those rows out", empty.join(", "))));
    }
    for (row, id) in sample.targets.iter().enumerate() {
        let first = sample.targets.iter().position(|other| other == id).unwrap_or(row);
        let (one, other) = (&sample.families[first], &sample.families[row]);
        if one != other {
            let name =
                |family: &String| if family.is_empty() { "an empty cell".into() } else { family.clone() };
            let (one, other) = (name(one), name(other));
            return Err(fault(format!("{id} stands in two families, {one} and {other}; a target has one")));
        }
    }
    if !varies(&sample.y) {
        return Err(fault(format!(
            "the target {target} is the same in every row; there is nothing to learn"
        )));
    }
    let (n, p) = sample.x.dim();
    if n < p + 2 {
        notes.push(format!(
            "{n} rows for {p} features: only penalised candidates and few components can be fitted"
        ));
    }
    Ok(())
}

/// How alike two columns rank the rows where both are known.
#[derive(PartialEq, Eq)]
enum Ranks {
    Same,
    /// Exactly, but of so few rows that a good feature does.
    SameOfFew,
    Other,
}

fn ranks(a: &[f64], b: &[f64]) -> Ranks {
    let (a, b): (Vec<f64>, Vec<f64>) =
        a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite()).unzip();
    let alike = spearman(&a, &b).abs();
    match a.len() {
        LEAST_RANKED.. if alike > SAME_RANKS => Ranks::Same,
        LEAST_TARGETS..LEAST_RANKED if alike > SAME => Ranks::SameOfFew,
        _ => Ranks::Other,
    }
}

/// Pearson's correlation over the rows where both are known; 0 where fewer than 3 are, or one does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let pairs: Vec<(f64, f64)> =
        a.iter().copied().zip(b.iter().copied()).filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
    let n = pairs.len() as f64;
    let (ma, mb) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let product = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>();
    let (aa, bb) = (product(&|p| (p.0 - ma).powi(2)), product(&|p| (p.1 - mb).powi(2)));
    let ab = product(&|p| (p.0 - ma) * (p.1 - mb));
    if pairs.len() >= 3 && aa * bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}
