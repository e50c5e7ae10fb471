//! Ordinary least squares on standardised features, by linfa-linear, with what the t interval of a prediction
//! needs.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linalg::cholesky::{Cholesky, InverseC};
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::error::{Error, Result};

/// One feature of a regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// The column.
    pub name: String,
    /// Mean over the training rows.
    pub centre: f64,
    /// Standard deviation over the training rows (n in the denominator).
    pub scale: f64,
    /// Smallest training value.
    pub min: f64,
    /// Largest training value.
    pub max: f64,
    /// Coefficient of the standardised feature.
    pub coefficient: f64,
}

/// A fitted regression `y = intercept + sum_j coefficient_j (x_j - centre_j) / scale_j`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ols {
    /// The features, in order.
    pub features: Vec<Feature>,
    /// Value at the mean of all features.
    pub intercept: f64,
    /// Training rows.
    pub n: usize,
    /// `n` less the number of coefficients.
    pub dof: usize,
    /// `sqrt(sum of squared residuals / dof)`, in the unit of y.
    pub residual_sd: f64,
    /// `(Z^T Z)^-1` of the standardised design with its column of ones, row by row.
    pub inverse_gram: Vec<Vec<f64>>,
}

/// A predicted value with its t interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The prediction.
    pub y_hat: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Ols {
    /// Fits `y` on the columns of `x`, `(n, names.len())`.
    ///
    /// # Errors
    /// [`Error::Fit`] for NaN or infinity, a constant column, columns that depend on each other, or fewer
    /// rows than coefficients plus one: linfa would answer all of these with a number.
    pub fn fit(names: &[&str], x: &Array2<f64>, y: &[f64]) -> Result<Self> {
        let (n, p) = x.dim();
        let fault = |reason: String| Error::Fit { reason };
        if n < p + 2 {
            return Err(fault(format!(
                "{n} rows cannot carry {p} features and an error; {} are the least",
                p + 2
            )));
        }
        if !x.iter().chain(y).all(|value| value.is_finite()) {
            return Err(fault("a feature or target is NaN or infinite; fill or drop the row".into()));
        }
        let mut features = Vec::with_capacity(p);
        let mut z = Array2::ones((n, p + 1));
        for (j, name) in names.iter().enumerate() {
            let column = x.column(j);
            let centre = column.sum() / n as f64;
            let scale = (column.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / n as f64).sqrt();
            if scale <= 1e-12 * centre.abs() {
                return Err(fault(format!(
                    "feature {name} is constant over the training rows; leave it out"
                )));
            }
            for (i, value) in column.iter().enumerate() {
                z[[i, j + 1]] = (value - centre) / scale;
            }
            let (min, max) = column.iter().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
            features.push(Feature { name: (*name).into(), centre, scale, min, max, coefficient: 0.0 });
        }
        // On standardised columns every pivot lies in (0, n]; one that is all but 0 means that a column is a
        // sum of others.
        let gram = z.t().dot(&z);
        let dependent =
            || fault(format!("the features {} depend on each other; leave one out", names.join(", ")));
        let factor = gram.cholesky().map_err(|_| dependent())?;
        if factor.diag().iter().any(|pivot| pivot * pivot < 1e-10 * n as f64) {
            return Err(dependent());
        }
        let inverse = gram.invc().map_err(|_| dependent())?;
        let data = Dataset::new(z.slice(ndarray::s![.., 1..]).to_owned(), Array1::from(y.to_vec()));
        let fitted = LinearRegression::default().fit(&data).map_err(|source| fault(source.to_string()))?;
        for (feature, coefficient) in features.iter_mut().zip(fitted.params()) {
            feature.coefficient = *coefficient;
        }
        let dof = n - p - 1;
        let inverse_gram = inverse.axis_iter(Axis(0)).map(|row| row.to_vec()).collect();
        let mut ols =
            Self { features, intercept: fitted.intercept(), n, dof, residual_sd: 0.0, inverse_gram };
        let square: f64 =
            x.axis_iter(Axis(0)).zip(y).map(|(row, y)| (ols.value(&row.to_vec()) - y).powi(2)).sum();
        ols.residual_sd = (square / dof as f64).sqrt();
        Ok(ols)
    }

    fn standardised(&self, row: &[f64]) -> Vec<f64> {
        self.features
            .iter()
            .zip(row)
            .map(|(feature, value)| (value - feature.centre) / feature.scale)
            .collect()
    }

    /// The prediction for one row of features, in the order they were fitted.
    pub fn value(&self, row: &[f64]) -> f64 {
        let z = self.standardised(row);
        self.intercept + self.features.iter().zip(z).map(|(feature, z)| feature.coefficient * z).sum::<f64>()
    }

    /// Leverage of a row, `z^T (Z^T Z)^-1 z` with a leading 1.
    pub fn leverage(&self, row: &[f64]) -> f64 {
        let z: Vec<f64> = std::iter::once(1.0).chain(self.standardised(row)).collect();
        self.inverse_gram
            .iter()
            .zip(&z)
            .map(|(line, a)| a * line.iter().zip(&z).map(|(g, b)| g * b).sum::<f64>())
            .sum()
    }

    /// The t interval of a new observation, `y_hat -+ t * sd * sqrt(1 + leverage)`, where `t` is the quantile
    /// of Student's t at `dof` for a two-sided `level`. `sd` and `dof` are the regression's own unless
    /// better ones are known.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a level outside (0, 1).
    pub fn interval(&self, row: &[f64], level: f64, sd: f64, dof: usize) -> Result<Interval> {
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::Parameter {
                name: "--level",
                reason: format!("is {level}, not between 0 and 1"),
            });
        }
        let t = StudentsT::new(0.0, 1.0, dof.max(1) as f64)
            .map_err(|source| Error::Fit { reason: source.to_string() })?
            .inverse_cdf(0.5 + level / 2.0);
        let (y_hat, half) = (self.value(row), t * sd * (1.0 + self.leverage(row)).sqrt());
        Ok(Interval { y_hat, low: y_hat - half, high: y_hat + half })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Anscombe's first data set (Anscombe 1973): y = 3.0001 + 0.5001 x, residual standard error 1.237.
    #[test]
    fn ols_agrees_with_anscombe() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let design = Array2::from_shape_vec((11, 1), x.to_vec()).unwrap();
        let ols = Ols::fit(&["x"], &design, &y).unwrap();
        assert!((ols.value(&[0.0]) - 3.000_090_9).abs() < 1e-6);
        assert!((ols.value(&[1.0]) - ols.value(&[0.0]) - 0.500_090_9).abs() < 1e-6);
        assert!((ols.residual_sd - 1.236_603).abs() < 1e-5);
        // Leverage of x = 14 by hand: 1/11 + (14 - 9)^2 / 110; t at 9 degrees of freedom, two-sided 90 %:
        // 1.833113.
        assert!((ols.leverage(&[14.0]) - (1.0 / 11.0 + 25.0 / 110.0)).abs() < 1e-12);
        let interval = ols.interval(&[14.0], 0.9, ols.residual_sd, ols.dof).unwrap();
        let half = 1.833_113 * 1.236_603 * (1.0f64 + 1.0 / 11.0 + 25.0 / 110.0).sqrt();
        assert!((interval.high - interval.y_hat - half).abs() < 1e-5);
    }

    #[test]
    fn what_linfa_answers_with_a_number_is_refused() {
        let column = |values: &[f64]| Array2::from_shape_vec((values.len(), 1), values.to_vec()).unwrap();
        let y = [1.0, 2.0, 3.0, 4.5];
        assert!(Ols::fit(&["x"], &column(&[2.0; 4]), &y).unwrap_err().to_string().contains("constant"));
        assert!(Ols::fit(&["x"], &column(&[1.0, f64::NAN, 2.0, 3.0]), &y).is_err());
        assert!(Ols::fit(&["x"], &column(&[1.0, 2.0]), &y[..2]).is_err());
        let twice = Array2::from_shape_fn((4, 2), |(i, j)| (i * i) as f64 * (j + 1) as f64);
        assert!(Ols::fit(&["a", "b"], &twice, &y).unwrap_err().to_string().contains("depend"));
    }

    /// tests/golden/calibration/reference.json, from scikit-learn and scipy; tests/golden/make_calibration.py
    /// makes it.
    #[test]
    fn t_intervals_agree_with_scipy() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/calibration/reference.json");
        let reference: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let numbers = |value: &serde_json::Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
        };
        let rows: Vec<Vec<f64>> = reference["x"].as_array().unwrap().iter().map(numbers).collect();
        let x = Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j]);
        let ols = Ols::fit(&["a", "b", "c", "d", "e"], &x, &numbers(&reference["y"])).unwrap();
        let (query, theirs) = (numbers(&reference["query"]), &reference["interval"]);
        let close = |ours: f64, theirs: &serde_json::Value| {
            let theirs = theirs.as_f64().unwrap();
            assert!((ours - theirs).abs() < 1e-8 * (1.0 + theirs.abs()), "{ours} beside {theirs}");
        };
        close(ols.value(&query), &theirs["y_hat"]);
        close(ols.residual_sd, &theirs["residual_sd"]);
        close(ols.leverage(&query), &theirs["leverage"]);
        for one in theirs["half_widths"].as_array().unwrap() {
            let level = one["level"].as_f64().unwrap();
            let interval = ols.interval(&query, level, ols.residual_sd, ols.dof).unwrap();
            close(interval.high - interval.y_hat, &one["half"]);
        }
    }
}
