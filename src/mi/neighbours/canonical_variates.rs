//! Projects normal scores on their leading canonical variates. Each side then has at most three dimensions,
//! in which nearest neighbours are close.
//!
//! # References
//! Hotelling 1936; Wachter 1980 (largest correlation of independent samples).

use ndarray::{Array2, s};

use crate::numeric::linear::{Canonical, canonical, covariance};
use crate::numeric::normal_scores::normal_scores;

/// Maximum number of variates.
const MOST_VARIATES: usize = 3;

/// The leading canonical directions of both sides.
#[derive(Debug, Clone)]
pub(crate) struct CanonicalVariates {
    directions: Canonical,
    count: usize,
}

impl CanonicalVariates {
    /// Keeps the variates whose correlation exceeds the largest correlation expected for independent samples,
    /// but at least one and at most [`MOST_VARIATES`] variates. `None` if the covariance of a side is
    /// singular.
    pub(crate) fn new(scores: &Array2<f64>, dx: usize) -> Option<Self> {
        let (n, d) = scores.dim();
        let directions = canonical(&covariance(scores.view()), dx, 0.0)?;
        let edge = (dx as f64 / n as f64).sqrt() + ((d - dx) as f64 / n as f64).sqrt();
        let above = directions.correlations.iter().filter(|r| **r > edge).count();
        let count = above.clamp(1, MOST_VARIATES.min(directions.correlations.len()));
        Some(Self { directions, count })
    }

    /// Projects samples on the variates and converts the result to normal scores.
    pub(crate) fn project(&self, scores: &Array2<f64>, dx: usize) -> (Array2<f64>, Array2<f64>) {
        let take = |directions: &Array2<f64>| directions.slice(s![..self.count, ..]).t().to_owned();
        let u = scores.slice(s![.., ..dx]).dot(&take(&self.directions.x_directions));
        let v = scores.slice(s![.., dx..]).dot(&take(&self.directions.y_directions));
        (normal_scores(&u), normal_scores(&v))
    }
}
