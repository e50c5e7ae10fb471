//! The training rows as a card stores them: names, and each row's cells as one line of CSV. A missing value
//! is an empty cell.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::sample::{ProxyValue, Sample};

/// Training rows in a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSample {
    /// The model of each row.
    pub models: Vec<String>,
    /// The family of each row's model; empty where it is unknown.
    pub families: Vec<String>,
    /// Whether rows have proxies.
    pub has_proxies: bool,
    /// For each row: log10 size, response, weight, the proxy's value and log10 size ratio if there are
    /// proxies, and the features.
    pub cells: Vec<String>,
}

/// Number of cells before the features: size, response, weight.
const BEFORE: usize = 3;
/// Number of cells of a proxy: value, log10 size ratio.
const PROXY: usize = 2;

impl StoredSample {
    /// Converts a sample to its stored form.
    pub fn new(sample: &Sample) -> Self {
        let cell = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
        let line = |i: usize| {
            let numbers = [sample.log10_sizes[i], sample.y[i], sample.weights[i]];
            let proxy = sample.proxies.iter().flat_map(|proxies| [proxies[i].value, proxies[i].log10_ratio]);
            let numbers = numbers.into_iter().chain(proxy).chain(sample.x.row(i).to_vec());
            numbers.map(cell).collect::<Vec<_>>().join(",")
        };
        Self {
            models: sample.models.clone(),
            families: sample.families.clone(),
            has_proxies: sample.proxies.is_some(),
            cells: (0..sample.len()).map(line).collect(),
        }
    }

    /// Restores the sample. `p` is the number of features.
    ///
    /// # Errors
    /// Returns a description of the fault if the stored rows are inconsistent.
    pub fn sample(&self, p: usize) -> Result<Sample, String> {
        let n = self.cells.len();
        if self.models.len() != n || self.families.len() != n || n == 0 {
            return Err("training does not contain one name and one family for each row".into());
        }
        let before = BEFORE + if self.has_proxies { PROXY } else { 0 };
        let mut rows = vec![];
        for line in &self.cells {
            let number = |cell: &str| match cell {
                "" => Ok(f64::NAN),
                text => text
                    .parse::<f64>()
                    .map_err(|_| format!("training.cells contains `{text}`, which is not a number")),
            };
            let cells = line.split(',').map(number).collect::<Result<Vec<f64>, _>>()?;
            if cells.len() != before + p {
                return Err(format!(
                    "a row of training.cells has {} numbers, but {} are expected",
                    cells.len(),
                    before + p
                ));
            }
            if !cells[1..before].iter().all(|value| value.is_finite()) || cells[2] <= 0.0 {
                return Err("a row of training.cells lacks its response, weight or proxy, or has a weight \
                            that is not above 0"
                    .into());
            }
            rows.push(cells);
        }
        let column = |at: usize| rows.iter().map(|cells| cells[at]).collect::<Vec<f64>>();
        let proxy = |cells: &Vec<f64>| ProxyValue { value: cells[BEFORE], log10_ratio: cells[BEFORE + 1] };
        Ok(Sample {
            models: self.models.clone(),
            families: self.families.clone(),
            log10_sizes: column(0),
            proxies: self.has_proxies.then(|| rows.iter().map(proxy).collect()),
            x: Array2::from_shape_fn((n, p), |(i, j)| rows[i][before + j]),
            y: column(1),
            weights: column(2),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_sample_comes_back_to_the_bit_with_its_missing_cells() {
        let x = ndarray::array![[0.1, f64::NAN], [1.0 / 3.0, -2e-300], [f64::NAN, f64::NAN]];
        let proxies = vec![ProxyValue { value: 0.7, log10_ratio: 1.5 }; 3];
        let names: Vec<String> = ["a", "b", "b"].map(Into::into).to_vec();
        let sample = Sample {
            models: names.clone(),
            families: names,
            log10_sizes: vec![0.3, f64::NAN, -1.0],
            proxies: Some(proxies),
            x,
            y: vec![1.0, 2.0, 0.1 + 0.2],
            weights: vec![1.0, 0.5, 0.5],
        };
        let stored = StoredSample::new(&sample);
        let back = stored.sample(2).expect("a sample");
        assert_eq!(StoredSample::new(&back), stored);
        assert_eq!(back.y, sample.y);
        assert!(back.x[[0, 1]].is_nan() && back.x[[1, 1]] == -2e-300 && back.log10_sizes[1].is_nan());
        assert!(stored.sample(3).is_err());
    }
}
