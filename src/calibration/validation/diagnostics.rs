//! Diagnostics of the training features: rank, condition number, variance inflation, and missing cells.

use linfa_linalg::cholesky::InverseC;
use linfa_linalg::eigh::EigValsh;
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use super::calibration_fit::CalibrationFit;
use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::training_set::FeatureSpectrum;
use crate::calibration::table::noise::ResponseNoise;
use crate::calibration::table::sample::Sample;
use crate::error::{Error, Result};

/// Number of variance inflation factors that are kept, largest first.
const INFLATED: usize = 5;
/// A standardised column counts as linearly dependent on the other columns if its residual is smaller than
/// this, in standard deviations.
const DEPENDENT: f64 = 1e-6;

/// Diagnostics of the training features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// Number of features.
    pub p: usize,
    /// Rank of the imputed and standardised features.
    pub rank: usize,
    /// Ratio of the largest to the smallest nonzero singular value.
    pub condition_number: f64,
    /// The largest variance inflation factors: `1 / (1 - R^2)` of the regression of a feature on the other
    /// features. Empty if the features are linearly dependent.
    pub variance_inflation: Vec<VarianceInflation>,
    /// Number of missing cells of each feature with missing cells. These cells are imputed inside every fold.
    pub imputed_cells: Vec<ImputedCells>,
    /// Share of all cells that are missing.
    pub missing_share: f64,
    /// Effective degrees of freedom of the candidate for rows within the range: the trace of its smoother
    /// matrix, including the constant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effective_dof: Option<f64>,
    /// Standard errors of the response, if a column contains them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub noise: Option<ResponseNoise>,
}

/// A feature and its variance inflation factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VarianceInflation {
    /// The feature.
    pub feature: String,
    /// The factor.
    pub factor: f64,
}

/// A feature and the number of its imputed cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImputedCells {
    /// The feature.
    pub feature: String,
    /// Number of missing cells.
    pub n: usize,
}

impl Diagnostics {
    pub(crate) fn new(sample: &Sample, names: &[String], fit: &CalibrationFit) -> Result<Self> {
        let (n, p) = sample.x.dim();
        let fault = |source: linfa_linalg::LinalgError| Error::Calibration {
            reason: format!("cannot compute the diagnostics of the features: {source}"),
        };
        let z = standardised(sample, &fit.basis);
        // With more columns than rows, the Gram matrix of the rows is smaller and has the same nonzero
        // eigenvalues.
        let correlation = if p <= n { z.t().dot(&z) } else { z.dot(&z.t()) } / n as f64;
        let mut values = if p > 0 { correlation.eigvalsh().map_err(fault)?.to_vec() } else { vec![] };
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        let rank = values.iter().filter(|value| **value > 1e-10 * p as f64).count();
        let condition_number = if rank > 0 { (values[0] / values[rank - 1]).sqrt() } else { 1.0 };
        let inverse = if p > 0 && p <= n && rank == p { correlation.invc().ok() } else { None };
        let mut inflation: Vec<VarianceInflation> = match inverse {
            Some(inverse) => {
                let factor = |(feature, factor): (&String, &f64)| VarianceInflation {
                    feature: feature.clone(),
                    factor: *factor,
                };
                names.iter().zip(inverse.diag()).map(factor).collect()
            }
            None => vec![],
        };
        inflation.sort_by(|a, b| b.factor.total_cmp(&a.factor));
        inflation.truncate(INFLATED);
        let missing = |j: usize| sample.x.column(j).iter().filter(|value| !value.is_finite()).count();
        let imputed_cells: Vec<ImputedCells> = names
            .iter()
            .enumerate()
            .map(|(j, feature)| ImputedCells { feature: feature.clone(), n: missing(j) })
            .filter(|filled| filled.n > 0)
            .collect();
        let cells = (n * p).max(1) as f64;
        Ok(Self {
            p,
            rank,
            condition_number,
            variance_inflation: inflation,
            missing_share: imputed_cells.iter().map(|filled| filled.n).sum::<usize>() as f64 / cells,
            imputed_cells,
            noise: None,
            effective_dof: fit.within_range.as_ref().and_then(|selected| {
                let spectrum = FeatureSpectrum { n, eigenvalues: values[..rank].to_vec() };
                selected.fitted.model().effective_dof(&spectrum)
            }),
        })
    }
}

/// Features that are linear combinations of earlier features; empty unless there are more rows than features.
/// Regularisation decides the coefficients of such features.
pub(crate) fn collinear(sample: &Sample, names: &[String], basis: &Basis) -> Vec<String> {
    let z = standardised(sample, basis);
    let (n, p) = z.dim();
    let mut directions: Vec<Array1<f64>> = vec![];
    let mut found = vec![];
    for (column, name) in z.axis_iter(Axis(1)).zip(names).filter(|_| n > p) {
        let mut rest = column.to_owned();
        // Orthogonalise twice, because the rounding errors of one pass can reach the threshold.
        for direction in directions.iter().chain(&directions) {
            let along = rest.dot(direction);
            rest.scaled_add(-along, direction);
        }
        let length = rest.dot(&rest).sqrt();
        if length < DEPENDENT * (n as f64).sqrt() {
            found.push(name.clone());
        } else {
            directions.push(rest / length);
        }
    }
    found
}

fn standardised(sample: &Sample, basis: &Basis) -> Array2<f64> {
    let mut z = Array2::zeros(sample.x.dim());
    for (i, mut row) in z.axis_iter_mut(Axis(0)).enumerate() {
        let x = basis.complete(&sample.predictors(i));
        for (j, value) in row.iter_mut().enumerate() {
            *value = (x[j] - basis.centre[j]) / basis.sd[j];
        }
    }
    z
}
