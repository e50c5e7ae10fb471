//! The gain over the proxy: what the target reads beyond the small model measured in its place, as a line in the log of how much larger it is.

use ndarray::Array2;

use super::{Candidate, Formula, Train, least_squares};
use crate::error::Result;

/// Fewest rows.
const LEAST_ROWS: usize = 4;

/// `eta(target) - eta(proxy) = a + b log10(size ratio)`; without ratios `b = 0`.
#[derive(Debug)]
pub(super) struct Gain;

impl Candidate for Gain {
    fn name(&self) -> &'static str {
        "gain"
    }

    fn fit(&self, train: &Train) -> Result<Option<Formula>> {
        let Some(proxies) = &train.sample.proxies else { return Ok(None) };
        if proxies.len() < LEAST_ROWS {
            return Ok(None);
        }
        let gains = train.eta.iter().zip(proxies).map(|(eta, proxy)| eta - train.link.apply(proxy.value)).collect();
        let spread = proxies.iter().any(|proxy| (proxy.log10_ratio - proxies[0].log10_ratio).abs() > 1e-9);
        let columns = Array2::from_shape_fn((proxies.len(), usize::from(spread)), |(i, _)| proxies[i].log10_ratio);
        let line = least_squares(&columns, &gains, &train.sample.weights, 0.0)?;
        let ratio = line.get(1).copied().unwrap_or_default();
        Ok(Some(Formula { intercept: line[0], proxy: 1.0, ratio, ..train.without_features() }))
    }
}
