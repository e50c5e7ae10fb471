//! Numeric columns and the rounding of their cells.

use super::companions::words;
use crate::numeric::statistics::mean;

/// Words that mark a mean or a sum in a column's name.
const MEANS: [&str; 7] = ["avg", "average", "mean", "overall", "total", "aggregate", "sum"];

/// A column of numbers, NaN where missing.
pub(super) struct NumericColumn {
    pub name: String,
    pub values: Vec<f64>,
    /// Largest rounding error of a cell: half a unit of the last decimal of the cells.
    pub rounding: f64,
}

impl NumericColumn {
    pub(super) fn new(name: String, values: Vec<f64>) -> Self {
        let known = values.iter().filter(|value| value.is_finite());
        let decimals = known.clone().map(|value| decimals(*value)).max().unwrap_or(0);
        let largest = known.fold(0.0f64, |largest, value| largest.max(value.abs()));
        Self { name, rounding: (0.5 * 10f64.powi(-decimals)).max(1e-10 * largest), values }
    }

    /// Whether the column's name contains one of these words.
    pub(super) fn is_named(&self, among: &[&str]) -> bool {
        words(&self.name).iter().any(|word| among.contains(&word.as_str()))
    }

    /// Standard deviation of the known cells.
    pub(super) fn deviation(&self) -> f64 {
        let known: Vec<f64> = self.values.iter().copied().filter(|value| value.is_finite()).collect();
        let middle = mean(&known);
        (known.iter().map(|value| (value - middle).powi(2)).sum::<f64>() / known.len().max(1) as f64).sqrt()
    }
}

/// Number of decimals in the shortest text of a number.
fn decimals(value: f64) -> i32 {
    let text = value.to_string();
    text.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i32)
}

/// Whether a column is named like a mean or sum of other columns.
pub(super) fn is_named_as_mean(name: &str) -> bool {
    words(name).iter().any(|word| MEANS.contains(&word.as_str()))
}
