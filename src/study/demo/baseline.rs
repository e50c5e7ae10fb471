//! What any calibration has to beat: the mean of the training targets, and a line in log10 parameters, each
//! per corpus.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::ols::Ols;
use super::regression::answer;
use crate::error::{Error, Result};
use crate::observations::Observation;

/// Both baselines, fitted on the same training rows as the calibration.
#[derive(Debug, Clone)]
pub struct Baseline {
    corpora: BTreeMap<String, (f64, Ols)>,
}

impl Baseline {
    /// Fits mean and line for each corpus.
    ///
    /// # Errors
    /// [`Error::Fit`] if a corpus has fewer than three targets, or all of one size.
    pub fn fit(rows: &[Observation]) -> Result<Self> {
        let mut groups: BTreeMap<String, Vec<&Observation>> = BTreeMap::new();
        for row in rows {
            groups.entry(row.corpus.clone()).or_default().push(row);
        }
        let corpora = groups.into_iter().map(|(corpus, rows)| {
            let y = rows.iter().map(|row| answer(row)).collect::<Result<Vec<_>>>()?;
            let sizes = Array2::from_shape_fn((rows.len(), 1), |(i, _)| rows[i].params_b.log10());
            let line = Ols::fit(&["log10_params_b"], &sizes, &y)?;
            Ok((corpus, (y.iter().sum::<f64>() / y.len() as f64, line)))
        });
        Ok(Self { corpora: corpora.collect::<Result<_>>()? })
    }

    fn of(&self, row: &Observation) -> Result<&(f64, Ols)> {
        self.corpora.get(&row.corpus).ok_or_else(|| Error::Fit {
            reason: format!("no training target was measured on {}", row.corpus),
        })
    }

    /// The mean of the training targets on the row's corpus, nats.
    ///
    /// # Errors
    /// [`Error::Fit`] for a corpus without training targets.
    pub fn mean(&self, row: &Observation) -> Result<f64> {
        Ok(self.of(row)?.0)
    }

    /// The size line of the row's corpus at the target's size, nats.
    ///
    /// # Errors
    /// [`Error::Fit`] for a corpus without training targets.
    pub fn size_line(&self, row: &Observation) -> Result<f64> {
        Ok(self.of(row)?.1.value(&[row.params_b.log10()]))
    }
}
