//! What a scientist must see of the training features: rank, condition, how much they repeat each other, how
//! much of them is missing.

use linfa_linalg::cholesky::InverseC;
use linfa_linalg::eigh::EigValsh;
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use super::fit::Fit;
use crate::calibration::candidates::basis::Basis;
use crate::calibration::table::sample::Sample;
use crate::calibration::table::tidy::Table;
use crate::calibration::table::validate;
use crate::error::{Error, Result};

/// Variance inflation factors that are kept, largest first.
const INFLATED: usize = 5;
/// What is left of a standardised column beside the others, in standard deviations, where it is made of them.
const DEPENDENT: f64 = 1e-6;

/// Diagnostics of the training features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// Features.
    pub p: usize,
    /// Rank of the filled and standardised features.
    pub rank: usize,
    /// Largest over smallest singular value of those within the rank.
    pub condition_number: f64,
    /// The largest variance inflation factors, `1 / (1 - R^2)` of a feature on the others; empty where they
    /// depend on each other.
    pub inflation: Vec<Inflation>,
    /// Missing cells of each feature that has any, filled inside every fold.
    pub filled_cells: Vec<Filled>,
    /// Missing cells over all cells.
    pub missing_share: f64,
    /// Effective degrees of freedom of the candidate within the range, the constant included: the trace of
    /// its smoother.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effective_dof: Option<f64>,
    /// How large the target's own standard errors are, where a column says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub noise: Option<Noise>,
}

/// Standard errors of the target itself, as of seeds or items: the error that a perfect calibration would
/// still be seen to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// The column that holds them.
    pub column: String,
    /// Rows where they are known.
    pub n: usize,
    /// Their root mean square, in the unit of the target.
    pub rms: f64,
}

impl Noise {
    /// `None` where the column is empty.
    ///
    /// # Errors
    /// [`Error::Csv`] for a cell that is no number, or below 0.
    pub(crate) fn of(known: &Table, column: &str) -> Result<Option<Self>> {
        let cells = known.numbers(column)?;
        if let Some(row) = cells.iter().position(|cell| cell.is_some_and(|value| value < 0.0)) {
            return Err(validate::csv(
                known,
                row,
                format!("column {column}: a standard error is not below 0"),
            ));
        }
        let squares: Vec<f64> = cells.into_iter().flatten().map(|value| value * value).collect();
        let n = squares.len();
        Ok((n > 0).then(|| Self {
            column: column.into(),
            n,
            rms: (squares.iter().sum::<f64>() / n as f64).sqrt(),
        }))
    }
}

/// A feature and its variance inflation factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inflation {
    /// The feature.
    pub feature: String,
    /// The factor.
    pub factor: f64,
}

/// A feature and how many of its cells were filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// The feature.
    pub feature: String,
    /// Missing cells.
    pub n: usize,
}

impl Diagnostics {
    pub(crate) fn new(sample: &Sample, names: &[String], fit: &Fit) -> Result<Self> {
        let (n, p) = sample.x.dim();
        let fault =
            |source: linfa_linalg::LinalgError| Error::Fit { reason: format!("diagnostics: {source}") };
        let z = standardised(sample, &fit.basis);
        let correlation = z.t().dot(&z) / n as f64;
        let mut values = if p > 0 { correlation.eigvalsh().map_err(fault)?.to_vec() } else { vec![] };
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        let rank = values.iter().filter(|value| **value > 1e-10 * p as f64).count();
        let condition_number = if rank > 0 { (values[0] / values[rank - 1]).sqrt() } else { 1.0 };
        let inverse = if p > 0 && rank == p { correlation.invc().ok() } else { None };
        let mut inflation: Vec<Inflation> = match inverse {
            Some(inverse) => {
                let factor = |(feature, factor): (&String, &f64)| Inflation {
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
        let filled_cells: Vec<Filled> = names
            .iter()
            .enumerate()
            .map(|(j, feature)| Filled { feature: feature.clone(), n: missing(j) })
            .filter(|filled| filled.n > 0)
            .collect();
        let cells = (n * p).max(1) as f64;
        Ok(Self {
            p,
            rank,
            condition_number,
            inflation,
            missing_share: filled_cells.iter().map(|filled| filled.n).sum::<usize>() as f64 / cells,
            filled_cells,
            noise: None,
            effective_dof: fit.within.as_ref().map(|chosen| match chosen.candidate.as_str() {
                // On orthogonal columns of variance e the slope of each is shrunk by n e / (n e + penalty).
                "ridge" => {
                    let penalty = chosen.formula.penalty;
                    1.0 + values[..rank].iter().map(|e| n as f64 * e / (n as f64 * e + penalty)).sum::<f64>()
                }
                "elastic_net" => {
                    1.0 + chosen.formula.coefficients.iter().filter(|c| **c != 0.0).count() as f64
                }
                "gain-1" => 1.0,
                "gain" => 2.0,
                name => {
                    let components =
                        name.rsplit('-').next().and_then(|k| k.parse::<f64>().ok()).unwrap_or(0.0);
                    1.0 + components + f64::from(name.starts_with("sigmoid"))
                }
            }),
        })
    }
}

/// Features that are sums of multiples of those before them, where there are rows enough to tell. Between
/// them coefficients are shared out by the penalty, not by the data.
pub(crate) fn dependent(sample: &Sample, names: &[String], basis: &Basis) -> Vec<String> {
    let z = standardised(sample, basis);
    let (n, p) = z.dim();
    let mut directions: Vec<Array1<f64>> = vec![];
    let mut found = vec![];
    for (column, name) in z.axis_iter(Axis(1)).zip(names).filter(|_| n > p) {
        let mut rest = column.to_owned();
        // Twice, since once leaves rounding of the size of what is looked for.
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
        let x = basis.complete(&sample.query(i));
        for (j, value) in row.iter_mut().enumerate() {
            *value = (x[j] - basis.centre[j]) / basis.sd[j];
        }
    }
    z
}
