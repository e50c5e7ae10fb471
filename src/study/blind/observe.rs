//! The table a card is fitted on: a row for each other member, with what is known of it from outside and its
//! emergence.

use super::family::Member;
use super::outside::Outside;

/// A member whose emergence is known.
pub(crate) struct Known<'a> {
    pub member: &'a Member,
    pub outside: &'a Outside,
    pub emergence_nats: f64,
}

/// Every column that can be a feature.
pub(crate) const COLUMNS: [&str; 6] =
    ["context_nats", "surprisal_zero", "surprisal_few", "accuracy_zero", "accuracy_few", "reading_nats"];

/// Columns that a table has or has not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    /// The size, where it counts as published.
    pub sizes: bool,
    /// The recipe.
    pub families: bool,
}

/// The table's header; a column `family` is what a calibration takes for families to be left out.
pub(crate) fn header(columns: Columns) -> Vec<String> {
    let recipe = if columns.families { "family" } else { "recipe" };
    let mut header: Vec<String> = ["model", recipe, "emergence_nats"].map(Into::into).to_vec();
    header.extend(COLUMNS.map(Into::into));
    if columns.sizes {
        header.extend(["params_b", "log10_params"].map(Into::into));
    }
    header
}

/// One row; without `emergence_nats` it is a closed model's.
pub(crate) fn row(
    member: &Member,
    outside: &Outside,
    reading_nats: Option<f64>,
    emergence_nats: Option<f64>,
    columns: Columns,
) -> Vec<String> {
    // An empty cell for what is missing, and for what no CSV should hold.
    let cell = |value: Option<f64>| value.filter(|v| v.is_finite()).map_or(String::new(), |v| v.to_string());
    let seen = outside.features();
    let mut row = vec![member.id.clone(), member.family.clone(), cell(emergence_nats)];
    row.extend([
        cell(Some(seen.context_nats)),
        cell(seen.surprisal_zero),
        cell(seen.surprisal_few),
        cell(seen.accuracy_zero),
        cell(seen.accuracy_few),
        cell(reading_nats),
    ]);
    if columns.sizes {
        let n = member.n_params as f64;
        row.extend([cell(Some(n / 1e9)), cell(Some(n.log10()))]);
    }
    row
}
