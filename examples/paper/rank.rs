//! Computes rank correlations, and tests whether most of them have the same sign.

use statrs::distribution::{Binomial, DiscreteCDF};

/// Spearman's rank correlation with average ranks; `None` if one side does not vary.
pub fn correlation(points: &[(f64, f64)]) -> Option<f64> {
    let ranks = |value: fn(&(f64, f64)) -> f64| -> Vec<f64> {
        let rank = |point: &(f64, f64)| {
            let below = points.iter().filter(|other| value(other) < value(point)).count() as f64;
            let ties = points.iter().filter(|other| value(other) == value(point)).count() as f64;
            below + (ties - 1.0) / 2.0 - (points.len() as f64 - 1.0) / 2.0
        };
        points.iter().map(rank).collect()
    };
    let (x, y) = (ranks(|point| point.0), ranks(|point| point.1));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let spread = (product(&x, &x) * product(&y, &y)).sqrt();
    (points.len() > 2 && spread > 0.0).then(|| product(&x, &y) / spread)
}

/// Many rank correlations of one kind.
pub struct Correlations {
    pub mean: f64,
    pub n: usize,
    pub n_positive: usize,
    /// One-sided p value of the sign test: the probability of at least as many positive values by chance.
    pub p_value: f64,
}

impl Correlations {
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().flatten().collect();
        let (n, n_positive) = (values.len(), values.iter().filter(|value| **value > 0.0).count());
        let fair = Binomial::new(0.5, n as u64).ok().filter(|_| n > 0)?;
        let p_value = n_positive.checked_sub(1).map_or(1.0, |below| fair.sf(below as u64));
        Some(Self { mean: values.iter().sum::<f64>() / n as f64, n, n_positive, p_value })
    }

    /// Whether the mean is positive and the sign test is significant.
    pub fn are_positive(&self) -> bool {
        self.mean > 0.0 && self.p_value <= 0.05
    }
}

impl std::fmt::Display for Correlations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.2} on average, positive in {} of {} (sign test p = {:.2e})",
            self.mean, self.n_positive, self.n, self.p_value
        )
    }
}
