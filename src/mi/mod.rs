//! Mutual information of paired samples: the seam that every estimator implements, and the table of those there are.
//!
//! This module says what an estimate is; how one is made is in one file per estimator. It knows nothing of models or windows: it takes
//! two matrices whose rows are paired.
//!
//! # Units
//! All information is in nats.

mod bounds;
mod ceilings;
pub mod channel;
mod distinct;
mod log_sum_exp;
mod matrix;
mod points;
pub mod scale;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::Result;
pub(crate) use ceilings::entropy_nats;
pub use channel::Channel;
pub use scale::Scale;

/// The estimators by name, in the order in which they are listed. The first is the default of `measure`.
pub static ALL: &[&dyn Estimator] = &[&Channel::DEFAULT];

/// A method that estimates mutual information from paired samples.
pub trait Estimator: Sync {
    /// The name under which it is listed and recorded.
    fn name(&self) -> &'static str;

    /// Mutual information in nats from `n` paired rows, one estimate per setting of the estimator (`channel`: one per precision `b`).
    ///
    /// The same arguments give the same bits, whatever the number of threads.
    ///
    /// # Shapes
    /// `x` is `(n, d_x)`, `y` is `(n, d_y)`.
    ///
    /// # Errors
    /// [`crate::Error::NonFinite`] for a value that is NaN or infinite; [`crate::Error::Samples`] for shapes that the method cannot use.
    fn estimate(&self, x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, seed: u64) -> Result<Vec<Estimate>>;
}

/// What an estimator says at one of its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The setting: for `channel` the precision `b`, a fraction of the spread of `y`.
    pub setting: f64,
    /// The estimate. May be negative by chance; the sign is kept.
    pub mi_nats: f64,
    /// Lower bound in expectation.
    pub lower_nats: f64,
    /// Upper bound in expectation.
    pub upper_nats: f64,
    /// Standard error of the middle of the two bounds.
    pub stderr_nats: Option<f64>,
    /// The smallest of `ceilings`: by more than chance, no estimate from these samples can mean more.
    pub ceiling_nats: f64,
    /// The ceilings one by one.
    pub ceilings: Ceilings,
    /// Paired rows.
    pub n: usize,
    /// Rows of `x` that differ in at least one bit.
    pub n_distinct: usize,
    /// Columns of `y` left out because they are constant.
    pub dropped_columns: usize,
    /// What a reader must know before trusting the number.
    pub flags: Vec<Flag>,
}

/// Quantities that mutual information, or what a sample can show of it, does not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ceilings {
    /// `log n`: no distribution-free lower bound from `n` samples certifies more than about this (McAllester & Stratos 2020).
    pub log_n_nats: f64,
    /// Plug-in entropy of the distinct rows of `x` with the Miller-Madow term `(K - 1) / 2n` (Miller 1955).
    pub input_entropy_nats: f64,
    /// `0.5 logdet(I + Cov / sigma^2)`: what the channel could carry of a Gaussian input with the covariance of `y`.
    pub gaussian_nats: f64,
}

impl Ceilings {
    /// The smallest of the three.
    #[must_use]
    pub fn least_nats(&self) -> f64 {
        self.log_n_nats.min(self.input_entropy_nats).min(self.gaussian_nats)
    }
}

/// A warning that travels with an estimate, written in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flag {
    /// Rows that share `x` have different `y`: the density of the channel given `x` was itself estimated.
    Grouped,
    /// The lower bound is above .85 log n, or the bounds are more than half a nat apart: the number says little beyond "large".
    Saturated,
    /// The estimate is above .6 log n, where the bounds begin to part.
    NearCeiling,
    /// `x` takes one value, or no column of `y` varies: the information is zero by definition and nothing was measured.
    Constant,
    /// Fewer than 50 rows.
    SmallSample,
}

impl Flag {
    /// Its name, as it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Grouped => "grouped",
            Self::Saturated => "saturated",
            Self::NearCeiling => "near_ceiling",
            Self::Constant => "constant",
            Self::SmallSample => "small_sample",
        }
    }
}
