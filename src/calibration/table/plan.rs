//! From a table to a sample: which columns mean what, what is checked before anything is fitted, and what is
//! left out and why.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::sample::{Proxy, Sample, distinct};
use super::tidy::Table;
use super::validate;
use crate::calibration::link::Link;
use crate::calibration::prediction::support::LEAST_TARGETS;
use crate::calibration::validation::diagnostics::Noise;
use crate::error::{Error, Result};
use crate::observations;

/// What a calibration is asked to be. Columns that are not named are found by their usual names.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The column to be predicted.
    pub target: String,
    /// Names or patterns with one `*`; empty: every numeric column that queries know too.
    pub features: Vec<String>,
    /// Family of a row; else `family`.
    pub group: Option<String>,
    /// Size of a row's target, in any unit; else `params_b`.
    pub size: Option<String>,
    /// What a row is an observation of; else `target_model` or `model`, else every row is its own.
    pub id: Option<String>,
    /// Weight of a row.
    pub weights: Option<String>,
    /// A proxy's value of the target column.
    pub proxy: Option<String>,
    /// The proxy's size, in the unit of the size column.
    pub proxy_size: Option<String>,
    /// The target's own standard error; else the column named like the target with `_stderr` or `_se`
    /// behind, before the unit if it is nats.
    pub stderr: Option<String>,
    /// The link; `None`: logit where all targets lie in `[0, 1]` and the column is not in nats, else
    /// identity.
    pub link: Option<Link>,
    /// Columns in which a query must hold a value that the training rows hold; empty: those that say how our
    /// own observations were measured.
    pub same: Vec<String>,
    /// Refuse features that a model behind an API cannot have.
    pub for_api: bool,
    /// Level of the intervals that widths are reported at.
    pub level: f64,
    /// Unit of the target.
    pub unit: String,
}

/// Which columns a card was fitted on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// Features, in order.
    pub features: Vec<String>,
    /// What a row is an observation of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// Family.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<String>,
    /// Size.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<String>,
    /// Weight.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub weights: Option<String>,
    /// The proxy's value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<String>,
    /// The proxy's size.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy_size: Option<String>,
    /// The target's own standard error.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stderr: Option<String>,
    /// Columns in which a query must hold one of these values.
    pub same: BTreeMap<String, Vec<String>>,
}

/// A table made ready.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The rows whose target is known, in an order that does not depend on the table's.
    pub sample: Sample,
    /// Which columns they came from.
    pub columns: Columns,
    /// The link.
    pub link: Link,
    /// How large the target's own standard errors are.
    pub noise: Option<Noise>,
    /// What was left out or found by itself, for a person.
    pub notes: Vec<String>,
}

impl Plan {
    /// Reads the sample out of a table.
    ///
    /// # Errors
    /// [`Error::Csv`] naming column and line, [`Error::Fit`] naming columns, [`Error::Parameter`] for a flag.
    pub fn prepare(&self, table: &Table) -> Result<Prepared> {
        let mut notes = vec![];
        let targets = table.numbers(&self.target)?;
        let rows: Vec<usize> = (0..table.len()).filter(|&row| targets[row].is_some()).collect();
        if rows.is_empty() {
            return Err(self
                .fault(format!("column {} is empty in every row; there is nothing to fit on", self.target)));
        }
        if rows.len() < 2 {
            return Err(self.too_few(rows.len(), table.len()));
        }
        let known = table.select(&rows);
        let mut columns = self.columns(table, &known)?;
        for column in
            [Some(&self.target), columns.proxy.as_ref(), columns.weights.as_ref()].into_iter().flatten()
        {
            validate::magnitude(&known, column)?;
        }
        columns.features = validate::features(self, table, &known, &columns, &mut notes)?;
        let y: Vec<f64> = targets.into_iter().flatten().collect();
        let link = self.link_of(&y)?;
        check_proxies(&known, &columns, link)?;
        let log10_sizes = match &columns.size {
            Some(column) => validate::log10_sizes(&known, column)?,
            None => vec![f64::NAN; rows.len()],
        };
        if let Some(column) = columns.size.clone().filter(|_| !validate::varies(&log10_sizes)) {
            if self.size.is_some() {
                return Err(self.fault(format!(
                    "all sizes in column {column} are equal, so that there is no size line to compare with; \
                     leave --size out"
                )));
            }
            notes.push(format!("column {column} does not vary; there is no size line to compare with"));
            columns.size = None;
        }
        let names = |column: &Option<String>| -> Result<Option<Vec<String>>> {
            let cells = column.as_ref().map(|column| known.text(column)).transpose()?;
            Ok(cells.map(|cells| cells.into_iter().map(Into::into).collect()))
        };
        let own = |row: usize| format!("line {}", known.line(row));
        let mut ids = names(&columns.id)?.unwrap_or_else(|| (0..known.len()).map(own).collect());
        ids.iter_mut().enumerate().filter(|(_, id)| id.is_empty()).for_each(|(row, id)| *id = own(row));
        let families =
            names(&columns.group)?.filter(|families| families.iter().any(|family| !family.is_empty()));
        if let Some(column) = columns.group.take_if(|_| families.is_none()) {
            notes.push(format!(
                "column {column} is empty in every row with a target, as if it were not there"
            ));
        }
        let families = families.unwrap_or_else(|| ids.clone());
        let cells = columns.features.iter().map(|name| known.numbers(name)).collect::<Result<Vec<_>>>()?;
        let x = Array2::from_shape_fn((known.len(), cells.len()), |(i, j)| cells[j][i].unwrap_or(f64::NAN));
        let noise = self.noise(&known, &mut columns, &mut notes)?;
        let sample = Sample {
            weights: self.weights_of(&known, &ids)?,
            proxies: known_proxies(&known, &columns)?,
            targets: ids,
            families,
            log10_sizes: if columns.size.is_some() { log10_sizes } else { vec![f64::NAN; rows.len()] },
            x,
            y,
        };
        validate::sample(&sample, &columns, &self.target, &mut notes)
            .map_err(|error| self.of_few(error, rows.len(), table.len()))?;
        notes.extend(kin(&sample, columns.group.as_deref()));
        let mut order: Vec<usize> = (0..sample.len()).collect();
        let key = |row: &usize| (&sample.targets[*row], &sample.families[*row]);
        let proxy = |row: usize| {
            let proxy = sample.proxies.as_ref().map(|proxies| proxies[row]);
            proxy.map_or([f64::NAN; 2], |proxy| [proxy.value, proxy.log10_ratio])
        };
        let cells = |row: usize| {
            let own = [sample.y[row], sample.log10_sizes[row], sample.weights[row]];
            sample.x.row(row).to_vec().into_iter().chain(own).chain(proxy(row))
        };
        let by_cells = |a: usize, b: usize| {
            let orders = cells(a).zip(cells(b)).map(|(a, b)| a.total_cmp(&b));
            orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        };
        order.sort_by(|a, b| key(a).cmp(&key(b)).then(by_cells(*a, *b)));
        Ok(Prepared { sample: sample.subset(&order), columns, link, noise, notes })
    }

    fn fault(&self, reason: String) -> Error {
        Error::Fit { reason }
    }

    /// Of a handful of rows much is constant or a copy; that they are a handful is what is wrong.
    pub(crate) fn of_few(&self, error: Error, n: usize, of: usize) -> Error {
        if n < LEAST_TARGETS { self.too_few(n, of) } else { error }
    }

    fn too_few(&self, n: usize, of: usize) -> Error {
        let holds = if n == 1 { "row holds" } else { "rows hold" };
        self.fault(format!(
            "{n} {holds} a number of {} (of {of}); {LEAST_TARGETS} are the least",
            self.target
        ))
    }

    fn columns(&self, table: &Table, known: &Table) -> Result<Columns> {
        let find = |named: &Option<String>, usual: &[&str]| match named {
            Some(name) => table.text(name).map(|_| Some(name.clone())),
            None => Ok(usual
                .iter()
                .find(|name| table.has(name) && **name != self.target)
                .map(|name| (*name).into())),
        };
        let mut same = BTreeMap::new();
        let measured = observations::CONDITIONS.iter().all(|column| table.has(column));
        let asked: Vec<String> = match self.same.is_empty() && measured {
            true => {
                let reader = table.has(observations::READER).then_some(observations::READER);
                observations::CONDITIONS.into_iter().chain(reader).map(Into::into).collect()
            }
            false => self.same.clone(),
        };
        for column in asked {
            if column == self.target {
                let reason =
                    format!("names the target {column}, whose values a row to be predicted does not have");
                return Err(Error::Parameter { name: "--same", reason });
            }
            // Of the rows that are fitted on: what a query brings along itself would always be among all
            // rows.
            let values = known.text(&column)?.into_iter().map(Into::into).collect::<Vec<String>>();
            same.insert(column, distinct(&values));
        }
        Ok(Columns {
            features: vec![],
            id: find(&self.id, &["target_model", "model"])?,
            group: find(&self.group, &["family"])?,
            size: find(&self.size, &["params_b"])?,
            weights: find(&self.weights, &[])?,
            proxy: find(&self.proxy, &[])?,
            proxy_size: find(&self.proxy_size, &[])?,
            stderr: find(&self.stderr, &self.stderr_names().each_ref().map(String::as_str))?,
            same,
        })
    }

    /// How large the target's own standard errors are; a column that was not named and holds none is no
    /// error.
    fn noise(&self, known: &Table, columns: &mut Columns, notes: &mut Vec<String>) -> Result<Option<Noise>> {
        let Some(column) = columns.stderr.clone() else { return Ok(None) };
        match Noise::of(known, &column) {
            Err(error) if self.stderr.is_none() => {
                notes.push(format!("column {column} is not taken for the target's standard error: {error}"));
                columns.stderr = None;
                Ok(None)
            }
            Ok(noise) if self.stderr.is_none() => {
                notes.push(format!("column {column} is taken for the target's standard error"));
                Ok(noise)
            }
            other => other,
        }
    }

    fn stderr_names(&self) -> [String; 3] {
        let (head, unit) =
            self.target.strip_suffix("_nats").map_or((self.target.as_str(), ""), |head| (head, "_nats"));
        [format!("{head}_stderr{unit}"), format!("{}_stderr", self.target), format!("{}_se", self.target)]
    }

    fn link_of(&self, y: &[f64]) -> Result<Link> {
        let Some(link) = self.link else {
            // Small nats lie in [0, 1] by chance and have no upper bound.
            let shares = !self.target.ends_with("_nats") && y.iter().all(|value| (0.0..=1.0).contains(value));
            return Ok(if shares { Link::Logit { low: 0.0, high: 1.0 } } else { Link::Identity });
        };
        if let Link::Logit { low, high } = link {
            if !(low.is_finite() && high.is_finite()) || low >= high {
                let reason = format!("is {low},{high}; it is two finite numbers, the lower first");
                return Err(Error::Parameter { name: "--range", reason });
            }
            if let Some(value) = y.iter().find(|value| !link.holds(**value)) {
                let reason = format!(
                    "{} holds {value}, outside {low} to {high}; give --range LOW,HIGH, or --link identity",
                    self.target
                );
                return Err(self.fault(reason));
            }
        }
        Ok(link)
    }

    /// 1 over the rows of each target, times the user's own weights.
    fn weights_of(&self, known: &Table, ids: &[String]) -> Result<Vec<f64>> {
        let mut times: BTreeMap<&str, f64> = BTreeMap::new();
        ids.iter().for_each(|id| *times.entry(id).or_default() += 1.0);
        let mut weights: Vec<f64> = ids.iter().map(|id| 1.0 / times[id.as_str()]).collect();
        if let Some(column) = &self.weights {
            for (row, (weight, cell)) in weights.iter_mut().zip(known.numbers(column)?).enumerate() {
                let own = cell.filter(|value| *value > 0.0).ok_or_else(|| {
                    validate::csv(known, row, format!("column {column}: a weight is a number above 0"))
                })?;
                *weight *= own;
            }
            // Summed in their own order, not in that of the table, which moves the last digit.
            let mut sorted = weights.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let mean = sorted.iter().sum::<f64>() / times.len() as f64;
            weights.iter_mut().for_each(|weight| *weight /= mean);
        }
        Ok(weights)
    }
}

/// What is said where families are unknown, or every one is one target: leaving out one is leaving out the
/// other, and the two errors are one, seen once.
fn kin(sample: &Sample, group: Option<&str>) -> Option<String> {
    if let (unknown @ 1.., Some(column)) = (sample.n_without_family(), group) {
        return Some(format!(
            "column {column} is empty in {unknown} of {} rows: these may be kin of any, and no fold that \
             leaves out families has them",
            sample.len()
        ));
    }
    if !sample.is_one_per_family() {
        return None;
    }
    Some(match group {
        Some(column) => format!(
            "every family in column {column} has one model: a family is a model here, and the error of a \
             new family is that of a new model"
        ),
        None => "there is no column of families: a family is a model here, and models that are akin make \
                 errors look smaller than those of a stranger; --group names one"
            .into(),
    })
}

/// A proxy is read in the unit of the target: a value beyond the target's bounds would be taken for the
/// bound.
fn check_proxies(known: &Table, columns: &Columns, link: Link) -> Result<()> {
    let Some(column) = &columns.proxy else { return Ok(()) };
    let beyond = |cell: &Option<f64>| cell.filter(|value| !link.holds(*value));
    match known.numbers(column)?.iter().map(beyond).enumerate().find_map(|(row, value)| Some((row, value?))) {
        Some((row, value)) => {
            Err(validate::csv(known, row, format!("column {column} holds {}", link.excludes(value))))
        }
        None => Ok(()),
    }
}

/// Readings of proxies, where a column holds them.
fn known_proxies(table: &Table, columns: &Columns) -> Result<Option<Vec<Proxy>>> {
    let Some(column) = &columns.proxy else { return Ok(None) };
    let reason =
        |row| validate::csv(table, row, format!("column {column}: the proxy's value or a size is missing"));
    let rows = proxies(table, columns)?.into_iter().flatten().enumerate();
    rows.map(|(row, proxy)| proxy.ok_or_else(|| reason(row))).collect::<Result<_>>().map(Some)
}

/// The same of rows to be predicted, `None` where the proxy's value or a size is missing.
pub(crate) fn proxies(table: &Table, columns: &Columns) -> Result<Option<Vec<Option<Proxy>>>> {
    let Some(column) = &columns.proxy else { return Ok(None) };
    let mut ratios = vec![0.0; table.len()];
    if let (Some(size), Some(own)) = (&columns.size, &columns.proxy_size) {
        let (size, own) = (validate::log10_sizes(table, size)?, validate::log10_sizes(table, own)?);
        ratios = size.into_iter().zip(own).map(|(size, own)| size - own).collect();
    }
    let values = table.numbers(column)?.into_iter().zip(ratios);
    let known = |(value, ratio): (Option<f64>, f64)| {
        value.filter(|_| ratio.is_finite()).map(|value| Proxy { value, log10_ratio: ratio })
    };
    Ok(Some(values.map(known).collect()))
}
