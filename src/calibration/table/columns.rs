//! Roles of columns: which column contains the model names, the families, the sizes, the proxy values, and so
//! on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::companions::is_standard_error_of;
use super::ids;
use super::number::DecimalSign;
use super::sample::{ProxyValue, distinct};
use super::specification::CalibrationSpec;
use super::tidy::Table;
use crate::error::{Error, Result};
use crate::observations;

/// Which columns a card was fitted on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRoles {
    /// Features, in the order of the fit.
    pub features: Vec<String>,
    /// Column of model names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// Column of families.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<String>,
    /// Column of sizes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<String>,
    /// Column of weights.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub weights: Option<String>,
    /// Column of the proxy's value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<String>,
    /// Column of the proxy's size.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy_size: Option<String>,
    /// Column of the target's standard error.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stderr: Option<String>,
    /// Columns in which a row to be predicted must have one of these values.
    pub same: BTreeMap<String, Vec<String>>,
    /// Values of the training rows in categorical columns and in constant columns. A row with another value
    /// is of another kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub kinds: BTreeMap<String, Vec<String>>,
    /// The decimal sign of each column that contains commas.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub decimal_signs: BTreeMap<String, DecimalSign>,
}

impl ColumnRoles {
    /// The roles of all columns except the features; `known` contains the rows with a target.
    ///
    /// # Errors
    /// [`Error::Csv`] if a named column does not exist, [`Error::Parameter`] if `same` contains the target.
    pub(super) fn find(
        spec: &CalibrationSpec,
        table: &Table,
        known: &Table,
        notes: &mut Vec<String>,
    ) -> Result<Self> {
        let find = |named: &Option<String>, usual: &[&str]| match named {
            Some(name) => table.text(name).map(|_| Some(name.clone())),
            None => Ok(usual
                .iter()
                .find(|name| table.has(name) && **name != spec.target)
                .map(|name| (*name).into())),
        };
        let (group, size) = (find(&spec.group, &["family"])?, find(&spec.size, &["params_b"])?);
        let id = match find(&spec.id, &["target_model", "model"])? {
            None => ids::find(spec, known, [&group, &size], notes)?,
            named => named,
        };
        let own_stderr = || {
            let names = table.columns().iter();
            names.filter(|name| is_standard_error_of(name, &spec.target)).find(|name| table.is_numeric(name))
        };
        Ok(Self {
            features: vec![],
            id,
            group,
            size,
            weights: find(&spec.weights, &[])?,
            proxy: find(&spec.proxy, &[])?,
            proxy_size: find(&spec.proxy_size, &[])?,
            stderr: find(&spec.stderr, &stderr_names(&spec.target).each_ref().map(String::as_str))?
                .or_else(|| own_stderr().cloned()),
            same: same(spec, table, known)?,
            kinds: BTreeMap::new(),
            decimal_signs: table
                .columns()
                .iter()
                .filter_map(|name| Some((name.clone(), table.decimal_sign(name)?)))
                .collect(),
        })
    }
}

/// For each column with a condition, the values that a row to be predicted may have: the values of the
/// training rows.
fn same(spec: &CalibrationSpec, table: &Table, known: &Table) -> Result<BTreeMap<String, Vec<String>>> {
    let conditions = observations::conditions(|column| table.has(column));
    if let Some(reason) = observations::renamed_in_observations(|column| table.has(column)) {
        return Err(Error::Csv { path: table.path().into(), line: 1, reason });
    }
    let columns: Vec<String> = match conditions.filter(|_| spec.same.is_empty()) {
        Some(conditions) => {
            let reader = observations::reader().into_iter().filter(|column| table.has(column));
            conditions.into_iter().chain(reader).collect()
        }
        None => spec.same.clone(),
    };
    let mut same = BTreeMap::new();
    for column in columns {
        if column == spec.target {
            let reason = format!(
                "names the target {column}, which is missing in the rows to be predicted; name another column"
            );
            return Err(Error::Parameter { name: "--same", reason });
        }
        // Values are collected only from rows with a target. Otherwise they would include the values of the
        // rows to be predicted.
        let values = known.text(&column)?.into_iter().map(Into::into).collect::<Vec<String>>();
        same.insert(column, distinct(&values));
    }
    Ok(same)
}

fn stderr_names(target: &str) -> [String; 3] {
    let (head, unit) = target.strip_suffix("_nats").map_or((target, ""), |head| (head, "_nats"));
    [format!("{head}_stderr{unit}"), format!("{target}_stderr"), format!("{target}_se")]
}

/// Log10 of a column of sizes, NaN where missing.
pub(crate) fn log10_sizes(table: &Table, column: &str) -> Result<Vec<f64>> {
    let cells = table.numbers(column)?.into_iter().enumerate().map(|(row, cell)| match cell {
        Some(size) if size <= 0.0 => Err(table.fault(
            row,
            format!(
                "column {column} contains a size of {size}; a size must be above 0; leave the cell empty if \
                 the size is unknown"
            ),
        )),
        cell => Ok(cell.map_or(f64::NAN, f64::log10)),
    });
    cells.collect()
}

/// The proxy of each row, `None` where its value or a size is missing. The result is `None` if there is no
/// proxy column.
pub(crate) fn proxies(table: &Table, columns: &ColumnRoles) -> Result<Option<Vec<Option<ProxyValue>>>> {
    let Some(column) = &columns.proxy else { return Ok(None) };
    let mut ratios = vec![0.0; table.len()];
    if let (Some(size), Some(own)) = (&columns.size, &columns.proxy_size) {
        let (size, own) = (log10_sizes(table, size)?, log10_sizes(table, own)?);
        ratios = size.into_iter().zip(own).map(|(size, own)| size - own).collect();
    }
    let values = table.numbers(column)?.into_iter().zip(ratios);
    let known = |(value, ratio): (Option<f64>, f64)| {
        value.filter(|_| ratio.is_finite()).map(|value| ProxyValue { value, log10_ratio: ratio })
    };
    Ok(Some(values.map(known).collect()))
}
