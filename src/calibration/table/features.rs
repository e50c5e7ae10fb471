//! Selects the features: columns that are named, that match a pattern, or that are found automatically.

use super::checks::{magnitude, varies};
use super::columns::ColumnRoles;
use super::companions::{is_companion, is_of_target};
use super::kinds;
use super::leaks;
use super::left_out::LeftOut;
use super::levels;
use super::logarithms;
use super::specification::CalibrationSpec;
use super::tidy::Table;
use crate::error::{Error, Result};
use crate::names;
use crate::observations;

/// A column that is found automatically must have values in at least this share of the rows with a target,
/// and in at least this share of the rows without a target. For the rows with a target, [`is_mostly_known`]
/// requires a larger share.
const KNOWN_SHARE: f64 = 0.2;
/// Maximum number of features. A calibration with more features takes too long.
const MOST: usize = 5_000;

fn fault(reason: String) -> Error {
    Error::Calibration { reason }
}

/// Selects the features and records them in `columns`, with the kinds of the training rows.
pub(super) fn select(
    spec: &CalibrationSpec,
    table: &Table,
    known: &Table,
    columns: &mut ColumnRoles,
    notes: &mut Vec<String>,
) -> Result<()> {
    let mut left_out = LeftOut::default();
    let free: Vec<String> =
        table.columns().iter().filter(|name| !is_taken(spec, columns, name)).cloned().collect();
    let search = Search { spec, table, known, free: &free };
    let found = if spec.features.is_empty() {
        search.found(&mut left_out, notes)?
    } else {
        search.named(&mut left_out, notes)?
    };
    if found.len() > MOST {
        let n = found.len();
        return Err(fault(format!(
            "{n} features are too many; the maximum is {MOST}; select some with --features"
        )));
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
    let found = leaks::without_copies(spec, known, found, &mut left_out, notes)?;
    let found = leaks::without_composites(spec, known, &free, found, &mut left_out, notes)?;
    let asked = spec.features.len();
    let reasons: Vec<String> = left_out.notes().collect();
    if found.is_empty() && asked > 0 {
        return Err(fault(format!(
            "no column that --features names can be a feature: {}",
            reasons.join("; ")
        )));
    }
    notes.extend(reasons);
    columns.features = logarithms::taken(known, &spec.target, found, notes)?;
    if spec.features.is_empty() {
        let features = &columns.features;
        notes.push(format!(
            "features: {}",
            if features.is_empty() { "none".into() } else { features.join(", ") }
        ));
    }
    kinds::record(columns, known, &free)
}

/// Whether a column has a role. A column with a role is a feature only if it is named.
fn is_taken(spec: &CalibrationSpec, columns: &ColumnRoles, name: &str) -> bool {
    let ColumnRoles { id, group, size, weights, proxy, proxy_size, stderr, .. } = columns;
    let taken = [id, group, size, weights, proxy, proxy_size, stderr];
    name == spec.target
        || columns.same.contains_key(name)
        || taken.iter().any(|column| column.as_deref() == Some(name))
}

struct Search<'a> {
    spec: &'a CalibrationSpec,
    table: &'a Table,
    known: &'a Table,
    /// Columns without a role.
    free: &'a [String],
}

impl Search<'_> {
    /// The columns that are named or match a pattern.
    fn named(&self, left_out: &mut LeftOut, notes: &mut Vec<String>) -> Result<Vec<String>> {
        let Self { spec, table, known, free } = self;
        let mut found: Vec<String> = vec![];
        for asked in &spec.features {
            let by_name = !asked.contains('*');
            if by_name && logarithms::is_named(table, asked) {
                found.push(asked.clone());
                continue;
            }
            for name in self.matching(asked)? {
                if name == &spec.target {
                    return Err(fault(format!(
                        "feature {name} is the target itself; leave it out of --features"
                    )));
                }
                if is_of_target(name, &spec.target) {
                    left_out.add(name, "named like the standard error or an interval end of the target");
                    continue;
                }
                if by_name && table.is_text(name) {
                    found.extend(levels::indicators(known, name)?);
                    notes.push(format!(
                        "column {name} is text: each value except the first becomes an indicator"
                    ));
                    continue;
                }
                if !by_name && !free.contains(name) {
                    continue;
                }
                if !by_name && !table.is_text(name) {
                    table.numbers(name)?;
                }
                if !found.contains(name) && (by_name || self.is_usable(name, left_out, notes)) {
                    notes.extend(table.said(name));
                    found.push(name.clone());
                }
            }
        }
        Ok(found)
    }

    /// The columns that match one name or pattern.
    fn matching(&self, asked: &str) -> Result<Vec<&String>> {
        let (head, tail) = asked.split_once('*').unwrap_or((asked, ""));
        let by_name = !asked.contains('*');
        let fits = |name: &&String| match by_name {
            true => *name == asked,
            false => name.len() + 1 >= asked.len() && name.starts_with(head) && name.ends_with(tail),
        };
        let columns = self.table.columns();
        let matching: Vec<&String> = columns.iter().filter(fits).collect();
        if matching.is_empty() {
            return Err(Error::Parameter {
                name: "--features",
                reason: format!(
                    "names `{asked}`, which matches no column of {}; {}the columns are {}",
                    self.table.path().display(),
                    names::suggestion(asked, columns.iter().map(String::as_str)),
                    columns.join(", ")
                ),
            });
        }
        Ok(matching)
    }

    /// Every column that can be a feature.
    fn found(&self, left_out: &mut LeftOut, notes: &mut Vec<String>) -> Result<Vec<String>> {
        let Self { spec, table, known, free } = self;
        let mut found = vec![];
        for name in *free {
            if observations::is_response(name) || observations::is_internal(name) {
                left_out.add(name, "internal to the model or a response");
            } else if is_of_target(name, &spec.target) {
                left_out.add(name, "named like the standard error or an interval end of the target");
            } else if is_companion(name, table.columns()) {
                let what = "named like a standard error or an interval end";
                left_out.add_and_say(name, what, "; name it in --features to keep it");
            } else if table.indices().contains(name) {
                left_out.add_and_say(name, "a count of the rows", "; name it in --features to keep it");
            } else if observations::is_text(name) {
                left_out.add(name, "text");
            } else if table.is_text(name) {
                match levels::found(known, name)? {
                    Ok(indicators) => {
                        let values = indicators.len() + 1;
                        notes.push(format!(
                            "column {name} is text with {values} values: each value except the first \
                             becomes an indicator"
                        ));
                        found.extend(indicators);
                    }
                    Err(what) => left_out.add(name, &what),
                }
            } else if self.is_usable(name, left_out, notes) {
                notes.extend(table.said(name));
                found.push(name.clone());
            }
        }
        Ok(found)
    }

    /// Whether a column that was found automatically can be a feature. If not, records the reason.
    fn is_usable(&self, name: &str, left_out: &mut LeftOut, notes: &mut Vec<String>) -> bool {
        let Ok(targets) = self.table.numbers(&self.spec.target) else { return false };
        let cells = match self.table.numbers(name) {
            Ok(cells) => cells,
            Err(error) => {
                notes.push(format!("column {name} is left out: {error}"));
                return false;
            }
        };
        let share = |with_target: bool| {
            let rows = cells.iter().zip(&targets).filter(|(_, y)| y.is_some() == with_target);
            let (n, known) =
                rows.fold((0u32, 0u32), |(n, known), (x, _)| (n + 1, known + u32::from(x.is_some())));
            if n == 0 { 1.0 } else { f64::from(known) / f64::from(n) }
        };
        let what = if cells.iter().all(Option::is_none) {
            "empty"
        } else if share(true) < KNOWN_SHARE {
            "missing in nearly all rows with a target"
        } else if share(false) < KNOWN_SHARE {
            "missing in nearly all rows to be predicted"
        } else if !self.known.numbers(name).is_ok_and(|cells| is_mostly_known(&cells)) {
            "missing in more than half of the rows with a target"
        } else if check(self.known, name).is_err() {
            "constant"
        } else {
            return true;
        };
        left_out.add(name, what);
        false
    }
}

/// Whether at least half of the cells are known.
fn is_mostly_known(cells: &[Option<f64>]) -> bool {
    2 * cells.iter().flatten().count() >= cells.len()
}

/// Checks that a feature is known in at least half of the rows and is not constant.
fn check(known: &Table, name: &str) -> Result<()> {
    let cells = known.numbers(name)?;
    let is_mostly_known = is_mostly_known(&cells);
    let cells: Vec<f64> = cells.into_iter().flatten().collect();
    if !is_mostly_known {
        let reason = format!(
            "feature {name} is missing in {} of {} rows with a target; leave it out, or fill its cells",
            known.len() - cells.len(),
            known.len()
        );
        return Err(fault(reason));
    }
    if !varies(&cells) {
        return Err(fault(format!("feature {name} is constant over the rows with a target; leave it out")));
    }
    Ok(())
}

/// Returns an error for a feature that cannot be measured on a model behind an API.
fn for_api(spec: &CalibrationSpec, table: &Table, name: &str) -> Result<()> {
    let refuse = |why: &str| {
        let reason = format!("feature {name} {why}; leave it out, or drop --for-api");
        Err(fault(reason))
    };
    if observations::is_internal(name) || observations::is_response(name) {
        return refuse("is measured inside the model, which an API does not expose");
    }
    let (cells, targets) = (table.numbers(name)?, table.numbers(&spec.target)?);
    let mut closed =
        cells.iter().zip(&targets).filter(|(_, y)| y.is_none()).map(|(x, _)| x.is_some()).peekable();
    if closed.peek().is_some() && !closed.any(|known| known) {
        return refuse("is empty in every row without a target");
    }
    Ok(())
}
