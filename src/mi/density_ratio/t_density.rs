//! Computes densities of normal and t vectors, and entropies and quantiles of t vectors.
//!
//! # References
//! Kotz & Nadarajah, *Multivariate t Distributions* (2004).

use ndarray::{Array2, ArrayView2, Axis};
use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::gamma::{digamma, ln_gamma};

use crate::numeric::linear::{log_determinant, mahalanobis};
use crate::numeric::statistics::mean;

/// The mean over rows of the log density under independent coordinates. `nu` is `None` for normal
/// coordinates.
pub(crate) fn marginals(values: &Array2<f64>, nu: Option<f64>) -> f64 {
    let one = Array2::eye(1);
    let columns = values.axis_iter(Axis(1));
    columns.map(|column| mean(&log_density(column.insert_axis(Axis(1)), &one, nu))).sum()
}

/// Log density of each row under a normal or t vector. `factor` is the lower Cholesky factor of the scatter
/// matrix.
pub(crate) fn log_density(values: ArrayView2<'_, f64>, factor: &Array2<f64>, nu: Option<f64>) -> Vec<f64> {
    let of = Density::new(values.ncols(), factor, nu);
    mahalanobis(values, factor).into_iter().map(|distance| of.log(distance)).collect()
}

/// A normal or t density as a function of the squared Mahalanobis distance.
pub(crate) struct Density {
    constant: f64,
    d: f64,
    nu: Option<f64>,
}

impl Density {
    pub(crate) fn new(d: usize, factor: &Array2<f64>, nu: Option<f64>) -> Self {
        let d = d as f64;
        let size = match nu {
            None => 0.5 * d * (2.0 * std::f64::consts::PI).ln(),
            Some(nu) => {
                ln_gamma(0.5 * nu) - ln_gamma(0.5 * (nu + d)) + 0.5 * d * (nu * std::f64::consts::PI).ln()
            }
        };
        Self { constant: -size - 0.5 * log_determinant(factor), d, nu }
    }

    pub(crate) fn log(&self, distance: f64) -> f64 {
        match self.nu {
            None => self.constant - 0.5 * distance,
            Some(nu) => self.constant - 0.5 * (nu + self.d) * (distance / nu).ln_1p(),
        }
    }
}

/// Entropy in nats of a t vector of `d` coordinates with unit scatter.
pub(crate) fn t_entropy(d: usize, nu: f64) -> f64 {
    let d = d as f64;
    0.5 * (nu + d) * (digamma(0.5 * (nu + d)) - digamma(0.5 * nu)) + ln_gamma(0.5 * nu)
        - ln_gamma(0.5 * (nu + d))
        + 0.5 * d * (nu * std::f64::consts::PI).ln()
}

/// Converts normal scores to quantiles of a t distribution. `None` if `nu` is not a valid number of degrees
/// of freedom.
///
/// The function uses a table of the inverse hyperbolic sine of the quantile as a function of the normal
/// score. The tabulated values are smooth and grow at most quadratically, so cubic interpolation with steps
/// of 1/16 has an error of about 1e-5.
pub(crate) fn to_t(scores: &Array2<f64>, nu: f64) -> Option<Array2<f64>> {
    const PER_UNIT: f64 = 16.0;
    let t = StudentsT::new(0.0, 1.0, nu).ok()?;
    let normal = statrs::distribution::Normal::standard();
    let most = scores.iter().fold(0.0_f64, |most, score| most.max(score.abs()));
    let size = (most * PER_UNIT) as usize + 4;
    // The function is odd, so the table contains only its positive half. It is computed from the lower tail,
    // because small probabilities are more precise than probabilities near 1.
    let table: Vec<f64> = (0..size)
        .map(|k| if k == 0 { 0.0 } else { (-t.inverse_cdf(normal.cdf(-(k as f64) / PER_UNIT))).asinh() })
        .collect();
    let at = |k: isize| if k < 0 { -table[k.unsigned_abs()] } else { table[k as usize] };
    Some(scores.mapv(|score| {
        let position = score.abs() * PER_UNIT;
        let k = position as isize;
        let u = position - k as f64;
        let (a, b, c, d) = (at(k - 1), at(k), at(k + 1), at(k + 2));
        // Cubic Lagrange interpolation through four points.
        let value = -a * u * (u - 1.0) * (u - 2.0) / 6.0 + b * (u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0
            - c * (u + 1.0) * u * (u - 2.0) / 2.0
            + d * (u + 1.0) * u * (u - 1.0) / 6.0;
        value.sinh().copysign(score)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_one_and_two_degrees_of_freedom_are_their_closed_forms() {
        let normal = statrs::distribution::Normal::standard();
        let scores = Array2::from_shape_fn((60, 1), |(row, _)| -3.6 + 0.12 * row as f64 + 0.013);
        for (nu, exact) in [
            (1.0, (|p: f64| (std::f64::consts::PI * (p - 0.5)).tan()) as fn(f64) -> f64),
            (2.0, |p: f64| (2.0 * p - 1.0) * (2.0 / (4.0 * p * (1.0 - p))).sqrt()),
        ] {
            let found = to_t(&scores, nu).expect("degrees of freedom");
            for (score, found) in scores.iter().zip(&found) {
                let exact = exact(normal.cdf(*score));
                assert!((found - exact).abs() < 1e-4 * (1.0 + exact.abs()), "{nu} {score}: {found} {exact}");
            }
        }
    }

    #[test]
    fn the_entropy_of_a_cauchy_variable_is_log_4_pi() {
        assert!((t_entropy(1, 1.0) - (4.0 * std::f64::consts::PI).ln()).abs() < 1e-9);
    }
}
