//! The gain over the proxy: what the target reads beyond the small model measured in its place, as a line in
//! the log of how much larger it is.

use ndarray::{Array1, Array2};

use super::{Candidate, Formula, Train, least_squares};
use crate::calibration::table::sample::Proxy;
use crate::error::Result;

/// Fewest rows.
const LEAST_ROWS: usize = 4;
/// Ratios that differ by less are one.
const SAME: f64 = 1e-9;

/// `eta(target) - eta(proxy) = b log10(size ratio)`: a model of the proxy's own size gains nothing, which
/// holds the line where all targets are of about one size.
#[derive(Debug)]
pub(crate) struct GainOfSize;

impl Candidate for GainOfSize {
    fn name(&self) -> &'static str {
        "gain-1"
    }

    fn fit(&self, train: &Train) -> Result<Option<Formula>> {
        let Some(proxies) = proxies(train) else { return Ok(None) };
        let products = |f: &dyn Fn(&Proxy, f64) -> f64| -> f64 {
            let rows = proxies.iter().zip(gains(train, proxies)).zip(&train.sample.weights);
            rows.map(|((proxy, gain), weight)| weight * f(proxy, gain)).sum()
        };
        let square = products(&|proxy, _| proxy.log10_ratio.powi(2));
        if square < SAME {
            return Ok(None);
        }
        let ratio = products(&|proxy, gain| proxy.log10_ratio * gain) / square;
        Ok(Some(Formula { proxy: 1.0, ratio, ..train.without_features() }))
    }
}

/// `eta(target) - eta(proxy) = a + b log10(size ratio)`; without ratios `b = 0`.
#[derive(Debug)]
pub(crate) struct Gain;

impl Candidate for Gain {
    fn name(&self) -> &'static str {
        "gain"
    }

    fn fit(&self, train: &Train) -> Result<Option<Formula>> {
        let Some(proxies) = proxies(train) else { return Ok(None) };
        let spread = proxies.iter().any(|proxy| (proxy.log10_ratio - proxies[0].log10_ratio).abs() > SAME);
        let columns =
            Array2::from_shape_fn((proxies.len(), usize::from(spread)), |(i, _)| proxies[i].log10_ratio);
        let line = least_squares(&columns, &gains(train, proxies), &train.sample.weights, 0.0)?;
        let ratio = line.get(1).copied().unwrap_or_default();
        Ok(Some(Formula { intercept: line[0], proxy: 1.0, ratio, ..train.without_features() }))
    }
}

fn proxies<'a>(train: &Train<'a>) -> Option<&'a [Proxy]> {
    train.sample.proxies.as_deref().filter(|proxies| proxies.len() >= LEAST_ROWS)
}

/// On the scale of the link.
fn gains(train: &Train, proxies: &[Proxy]) -> Array1<f64> {
    train.eta.iter().zip(proxies).map(|(eta, proxy)| eta - train.link.apply(proxy.value)).collect()
}
