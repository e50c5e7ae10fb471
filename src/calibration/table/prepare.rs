//! Prepares the training data: checks a table, turns its rows into arrays, and notes what was left out and
//! why.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ndarray::Array2;

use super::checks;
use super::columns::{ColumnRoles, log10_sizes, proxies};
use super::features;
use super::link::Link;
use super::noise::ResponseNoise;
use super::sample::{ProxyValue, Sample};
use super::specification::CalibrationSpec;
use super::tidy::Table;
use crate::error::{Error, Result};

/// A target from 0 to 100 is a percentage if a value is above this.
const LEAST_PERCENT: f64 = 10.0;
/// Distance from the chance level down to the lower bound of a target's range, as a share of the upper bound.
const BELOW_CHANCE: f64 = 0.02;

/// A table prepared for fitting.
#[derive(Debug, Clone)]
pub struct TrainingData {
    /// The rows whose target is known, in an order that does not depend on the order of the table.
    pub sample: Sample,
    /// Roles of the columns.
    pub columns: ColumnRoles,
    /// The link between the target and the linear predictor.
    pub link: Link,
    /// Standard errors of the target.
    pub noise: Option<ResponseNoise>,
    /// Notes on rows and columns that were left out or detected automatically.
    pub notes: Vec<String>,
}

impl CalibrationSpec {
    /// Reads the training data from a table.
    ///
    /// # Errors
    /// [`Error::Csv`] with the column and line of an invalid cell, [`Error::Calibration`] with the names of
    /// invalid columns, [`Error::Parameter`] for an invalid flag.
    pub fn prepare(&self, table: &Table) -> Result<TrainingData> {
        let mut notes = table.notes().to_vec();
        let targets = table.numbers(&self.target)?;
        let rows: Vec<usize> = (0..table.len()).filter(|&row| targets[row].is_some()).collect();
        if rows.is_empty() {
            return Err(fault(format!(
                "column {} is empty in every row; a calibration needs rows with a known target",
                self.target
            )));
        }
        if rows.len() < 2 {
            return Err(self.too_few(rows.len(), table.len()));
        }
        let known = table.select(&rows);
        let mut columns = ColumnRoles::find(self, table, &known, &mut notes)?;
        notes.extend(
            [Some(&self.target), columns.size.as_ref()].into_iter().flatten().filter_map(|c| table.said(c)),
        );
        for column in
            [Some(&self.target), columns.proxy.as_ref(), columns.weights.as_ref()].into_iter().flatten()
        {
            checks::magnitude(&known, column)?;
        }
        features::select(self, table, &known, &mut columns, &mut notes)?;
        let known = with_features(known, &columns.features, &mut notes)?;
        if known.len() < 2 {
            return Err(self.too_few(known.len(), table.len()));
        }
        let y: Vec<f64> = known.numbers(&self.target)?.into_iter().flatten().collect();
        let link = self.link_of(&y, &mut notes)?;
        check_proxies(&known, &columns, link)?;
        let log10_sizes = self.sizes(&known, &mut columns, &mut notes)?;
        let models = models(&known, &columns)?;
        let families = families(&known, &mut columns, &mut notes)?.unwrap_or_else(|| models.clone());
        let cells = columns.features.iter().map(|name| known.numbers(name)).collect::<Result<Vec<_>>>()?;
        let x = Array2::from_shape_fn((known.len(), cells.len()), |(i, j)| cells[j][i].unwrap_or(f64::NAN));
        let noise = self.noise(&known, &mut columns, &mut notes)?;
        let sample = Sample {
            weights: self.weights_of(&known, &models)?,
            proxies: known_proxies(&known, &columns)?,
            models,
            families,
            log10_sizes,
            x,
            y,
        };
        checks::sample(&sample, &columns, &self.target, &mut notes)
            .map_err(|error| self.too_few_rows_or(error, rows.len(), table.len()))?;
        notes.extend(checks::family_note(&sample, columns.group.as_deref()));
        let sample = sample.subset(&canonical_order(&sample));
        Ok(TrainingData { sample, columns, link, noise, notes })
    }

    /// Log10 sizes, NaN where unknown. Sizes that are all equal are not used.
    fn sizes(&self, known: &Table, columns: &mut ColumnRoles, notes: &mut Vec<String>) -> Result<Vec<f64>> {
        let unknown = vec![f64::NAN; known.len()];
        let Some(column) = columns.size.clone() else { return Ok(unknown) };
        let sizes = log10_sizes(known, &column)?;
        if checks::varies(&sizes) {
            return Ok(sizes);
        }
        if self.size.is_some() {
            return Err(fault(format!(
                "all sizes in column {column} are equal, so a regression on size is not possible; leave \
                 --size out"
            )));
        }
        notes.push(format!(
            "column {column} does not vary, so there is no regression on size to compare with"
        ));
        columns.size = None;
        Ok(unknown)
    }

    /// Standard errors of the target. If their column was found automatically but cannot be used, a note
    /// reports this.
    fn noise(
        &self,
        known: &Table,
        columns: &mut ColumnRoles,
        notes: &mut Vec<String>,
    ) -> Result<Option<ResponseNoise>> {
        let Some(column) = columns.stderr.clone() else { return Ok(None) };
        match ResponseNoise::of(known, &column) {
            Err(error) if self.stderr.is_none() => {
                notes.push(format!(
                    "column {column} is not used as the standard error of the target: {error}"
                ));
                columns.stderr = None;
                Ok(None)
            }
            Ok(noise) if self.stderr.is_none() => {
                notes.push(format!("column {column} is used as the standard error of the target"));
                Ok(noise)
            }
            other => other,
        }
    }

    /// The default link: logit for shares and percentages, otherwise identity. If the number of choices is
    /// given, the range starts just below the chance level.
    fn usual_link(&self, y: &[f64], notes: &mut Vec<String>) -> Result<Link> {
        let (least, most) =
            y.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        // Nats may happen to lie in `[0, 1]`, but they have no upper bound.
        let is_nats = self.target.ends_with("_nats") || self.unit == "nats";
        let high = match (least, most) {
            _ if is_nats || least < 0.0 || most > 100.0 => None,
            (_, most) if most <= 1.0 => Some(1.0),
            (_, most) if most > LEAST_PERCENT => Some(100.0),
            _ => None,
        };
        let Some(high) = high else {
            if self.choices.is_some() {
                let reason = format!(
                    "applies only to shares and percentages, but {} contains {most}; leave this flag out",
                    self.target
                );
                return Err(Error::Parameter { name: "--choices", reason });
            }
            if least >= 0.0 && most > 1.0 && most <= LEAST_PERCENT && !is_nats {
                notes.push(format!(
                    "{} lies between {least} and {most}; if it has bounds, --range LOW,HIGH keeps \
                     predictions and intervals within them",
                    self.target
                ));
            }
            return Ok(Link::Identity);
        };
        if high > 1.0 {
            notes.push(format!(
                "{} is treated as a percentage, from 0 to 100; --range LOW,HIGH sets other bounds, and \
                 --link identity removes them",
                self.target
            ));
        }
        // Some models score below the chance level, so the lower bound must not exceed any known target.
        let chance = self.choices.map(|choices| high / f64::from(choices.max(2)));
        let low = chance.map_or(0.0, |chance| (chance.min(least) - BELOW_CHANCE * high).max(0.0));
        Ok(Link::Logit { low, high })
    }

    fn link_of(&self, y: &[f64], notes: &mut Vec<String>) -> Result<Link> {
        let Some(link) = self.link else { return self.usual_link(y, notes) };
        if let Link::Logit { low, high } = link {
            if !(low.is_finite() && high.is_finite()) || low >= high {
                let reason = format!("is {low},{high}; give two finite numbers, the lower one first");
                return Err(Error::Parameter { name: "--range", reason });
            }
            if let Some(value) = y.iter().find(|value| !link.contains(**value)) {
                let reason = format!(
                    "{} contains {value}, outside {low} to {high}; give --range LOW,HIGH, or --link identity",
                    self.target
                );
                return Err(fault(reason));
            }
        }
        Ok(link)
    }

    /// Weight of each row: 1 over the number of rows of its model, times the user's weight.
    fn weights_of(&self, known: &Table, ids: &[String]) -> Result<Vec<f64>> {
        let mut times: BTreeMap<&str, f64> = BTreeMap::new();
        ids.iter().for_each(|id| *times.entry(id).or_default() += 1.0);
        let mut weights: Vec<f64> = ids.iter().map(|id| 1.0 / times[id.as_str()]).collect();
        if let Some(column) = &self.weights {
            for (row, (weight, cell)) in weights.iter_mut().zip(known.numbers(column)?).enumerate() {
                let own = cell.filter(|value| *value > 0.0).ok_or_else(|| {
                    known.fault(row, format!("column {column}: a weight must be a number above 0"))
                })?;
                *weight *= own;
            }
            // Sum in sorted order, so that the order of the table's rows does not change the last digit.
            let mut sorted = weights.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let mean = sorted.iter().sum::<f64>() / times.len() as f64;
            weights.iter_mut().for_each(|weight| *weight /= mean);
        }
        Ok(weights)
    }
}

fn fault(reason: String) -> Error {
    Error::Calibration { reason }
}

/// Keeps the rows with at least one known feature, and notes how many rows are left out.
fn with_features(known: Table, features: &[String], notes: &mut Vec<String>) -> Result<Table> {
    if features.is_empty() {
        return Ok(known);
    }
    let mut is_known = vec![false; known.len()];
    for name in features {
        let cells = known.numbers(name)?;
        is_known.iter_mut().zip(cells).for_each(|(is_known, cell)| *is_known |= cell.is_some());
    }
    let rows: Vec<usize> = (0..known.len()).filter(|&row| is_known[row]).collect();
    let (n, of) = (known.len() - rows.len(), known.len());
    if n == 0 {
        return Ok(known);
    }
    let lack = if n == 1 { "lacks all features and is" } else { "lack all features and are" };
    notes.push(format!("{n} of {of} rows with a target {lack} left out"));
    Ok(known.select(&rows))
}

/// The model of each row. A row without a model name counts as its own model, named after its line.
fn models(known: &Table, columns: &ColumnRoles) -> Result<Vec<String>> {
    let named = columns.id.as_ref().map(|column| known.text(column)).transpose()?;
    let model = |row: usize| match named.as_ref().map(|names| names[row]) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => format!("line {}", known.line(row)),
    };
    Ok((0..known.len()).map(model).collect())
}

/// The family of each row; `None` if no family is known.
fn families(
    known: &Table,
    columns: &mut ColumnRoles,
    notes: &mut Vec<String>,
) -> Result<Option<Vec<String>>> {
    let Some(column) = columns.group.clone() else { return Ok(None) };
    let cells = known.text(&column)?;
    if cells.iter().any(|family| !family.is_empty()) {
        return Ok(Some(cells.into_iter().map(Into::into).collect()));
    }
    notes.push(format!("column {column} is empty in every row with a target and is not used"));
    columns.group = None;
    Ok(None)
}

/// The rows in an order that does not depend on the order of the table.
fn canonical_order(sample: &Sample) -> Vec<usize> {
    let name = |row: &usize| (&sample.models[*row], &sample.families[*row]);
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
        orders.fold(Ordering::Equal, Ordering::then)
    };
    let mut order: Vec<usize> = (0..sample.len()).collect();
    order.sort_by(|a, b| name(a).cmp(&name(b)).then(by_cells(*a, *b)));
    order
}

/// Returns an error for a proxy value outside the bounds of the target. A proxy must be in the unit of the
/// target. Without this check, the link would clip the value to the bound.
fn check_proxies(known: &Table, columns: &ColumnRoles, link: Link) -> Result<()> {
    let Some(column) = &columns.proxy else { return Ok(()) };
    let beyond = |cell: &Option<f64>| cell.filter(|value| !link.contains(*value));
    match known.numbers(column)?.iter().map(beyond).enumerate().find_map(|(row, value)| Some((row, value?))) {
        Some((row, value)) => {
            Err(known.fault(row, format!("column {column} contains {}", link.out_of_bounds_reason(value))))
        }
        None => Ok(()),
    }
}

/// The proxy of each row; `None` if there is no proxy column.
fn known_proxies(table: &Table, columns: &ColumnRoles) -> Result<Option<Vec<ProxyValue>>> {
    let Some(column) = &columns.proxy else { return Ok(None) };
    let reason = |row| {
        table.fault(
            row,
            format!("column {column}: the proxy's value or a size is missing; fill it in, or remove the row"),
        )
    };
    let rows = proxies(table, columns)?.into_iter().flatten().enumerate();
    rows.map(|(row, proxy)| proxy.ok_or_else(|| reason(row))).collect::<Result<_>>().map(Some)
}
