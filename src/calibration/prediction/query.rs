//! Reads the rows to be predicted: their names and predictors, from the columns that the card uses.

use crate::calibration::card::contents::Card;
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::columns::{ColumnRoles, log10_sizes, proxies};
use crate::calibration::table::kinds::{UnseenValue, feature_cells, unseen, without_logarithm};
use crate::calibration::table::sample::Predictors;
use crate::calibration::table::tidy::{Table, indicator, logarithm};
use crate::error::{Error, Result};
use crate::names;
use crate::observations;

/// A row to be predicted.
pub(super) struct Query {
    pub predictors: Predictors,
    pub model: String,
    pub family: String,
    /// Whether the card was fitted on a row of this model; false for a row without a model name.
    pub is_trained_on: bool,
    /// Whether no training row has this family.
    pub is_new_family: bool,
    /// Whether the size of the row is unknown although the card has training sizes.
    pub is_unsized: bool,
    /// The message on a condition of the card that the row does not meet.
    pub unmet_condition: Option<String>,
    /// Values of the row that no training row has in the same column. A row with such a value is of another
    /// kind.
    pub unseen: Vec<UnseenValue>,
    /// Notes on cells that count as missing because their values have no logarithm.
    pub without_logarithm: Vec<String>,
}

/// Reads the rows of a table.
///
/// # Errors
/// [`Error::Csv`](crate::Error::Csv) if a column of the card is missing or still has its name from an earlier
/// version, or if a cell is not a number.
pub(super) fn queries(card: &Card, table: &Table) -> Result<Vec<Query>> {
    if let Some(reason) = observations::renamed_in_observations(|column| table.has(column)) {
        return Err(Error::Csv { path: table.path().into(), line: 1, reason });
    }
    check_columns(card, table)?;
    let ColumnRoles { id, group, size, .. } = &card.columns;
    let features = feature_cells(&card.columns, table)?;
    let mut unseen = unseen(&card.columns, table)?;
    let mut without_logarithm = without_logarithm(&card.columns, table)?;
    let sizes = match size {
        Some(column) => log10_sizes(table, column)?,
        None => vec![f64::NAN; table.len()],
    };
    let names = |column: &Option<String>| column.as_ref().map(|column| table.text(column)).transpose();
    let (ids, families) = (names(id)?, names(group)?);
    let proxies = if needs_proxy(card) { proxies(table, &card.columns)? } else { None };
    let name =
        |cells: &Option<Vec<&str>>, at: usize| cells.as_ref().map_or(String::new(), |cells| cells[at].into());
    let mut queries = vec![];
    for at in 0..table.len() {
        let log10_size = Some(sizes[at]).filter(|size| size.is_finite());
        let (own, family) = (name(&ids, at), name(&families, at));
        queries.push(Query {
            is_trained_on: !own.is_empty()
                && card.rows.models.iter().any(|model| names::is_same(&own, model)),
            is_new_family: card.rows.families.binary_search(&family).is_err(),
            is_unsized: card.range.log10_size.is_some() && log10_size.is_none(),
            unmet_condition: unmet_condition(card, table, at)?,
            unseen: std::mem::take(&mut unseen[at]),
            without_logarithm: std::mem::take(&mut without_logarithm[at]),
            model: if own.is_empty() { format!("line {}", table.line(at)) } else { own },
            family,
            predictors: Predictors {
                x: features.iter().map(|cells| cells[at]).collect(),
                log10_size,
                proxy: proxies.as_ref().and_then(|proxies| proxies[at]),
                family: name(&families, at),
            },
        });
    }
    Ok(queries)
}

/// Whether a selected candidate uses the proxy. If none does, the table need not contain the proxy columns.
fn needs_proxy(card: &Card) -> bool {
    let selected = [&card.fit.within_range, &card.fit.beyond_range].into_iter().flatten();
    selected.into_iter().any(SelectedCandidate::needs_proxy)
}

/// Returns an error for a table that lacks columns of the card. Cells of these columns may be empty.
fn check_columns(card: &Card, table: &Table) -> Result<()> {
    let ColumnRoles { features, id, group, size, proxy, proxy_size, same, .. } = &card.columns;
    let proxy = [proxy, proxy_size].into_iter().flatten().filter(|_| needs_proxy(card));
    let own = [id, group, size].into_iter().flatten().chain(proxy).map(String::as_str);
    let of_feature = |name: &'_ String| -> String {
        let part = indicator(name).map(|(column, _)| column).or_else(|| logarithm(name));
        part.filter(|_| !table.has(name)).unwrap_or(name).to_owned()
    };
    let needed = own.chain(same.keys().map(String::as_str)).map(str::to_owned);
    let mut missing: Vec<String> = vec![];
    for name in features.iter().map(of_feature).chain(needed) {
        let is_there = names::find(&name, table.columns(), |column| column).is_some();
        if !is_there && !table.is_repeated(&name) && !missing.contains(&name) {
            missing.push(name);
        }
    }
    let Some(first) = missing.first() else { return Ok(()) };
    let near = names::suggestion(first, table.columns().iter().map(String::as_str));
    let near = if near.is_empty() { near } else { format!("{near}otherwise ") };
    let columns = if missing.len() == 1 { "column" } else { "columns" };
    let (filled, optional): (Vec<&String>, Vec<&String>) =
        missing.iter().partition(|name| same.contains_key(*name));
    let list = |names: &[&String]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let mut advice = vec![];
    if !optional.is_empty() {
        advice.push(format!("add {}, with empty cells where the value is unknown", list(&optional)));
    }
    if !filled.is_empty() {
        advice.push(format!("add {}, with a value in every row", list(&filled)));
    }
    let reason = format!(
        "the card needs the {columns} {}, which the table lacks; {near}{}",
        missing.join(", "),
        advice.join("; ")
    );
    Err(Error::Csv { path: table.path().into(), line: 1, reason })
}

fn unmet_condition(card: &Card, table: &Table, row: usize) -> Result<Option<String>> {
    let mut unmet = None;
    for (column, values) in &card.columns.same {
        let cell = table.text(column)?[row];
        if !values.iter().any(|value| value == cell) {
            let cell = if cell.is_empty() { "empty" } else { cell };
            let values = values.join(", ");
            unmet = Some(format!(
                "{column} is {cell}, but the card is valid only for {values}; measure the row with one of \
                 these values, or calibrate on rows with this value"
            ));
        }
    }
    Ok(unmet)
}
