//! Training ranges: the smallest and largest training values, and the distance of other values from this
//! range.

use super::link::Link;
use super::sample::ProxyValue;

/// Smallest and largest value; `None` if there are no values.
pub(crate) fn range_of(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    (low <= high).then_some([low, high])
}

/// Signed distance of a value from a range; 0 inside the range and within rounding error of it.
pub(crate) fn signed_excess([low, high]: [f64; 2], value: f64) -> f64 {
    let slack = 1e-9 * (1.0 + low.abs().max(high.abs()));
    if value > high + slack {
        value - high
    } else if value < low - slack {
        value - low
    } else {
        0.0
    }
}

/// Ranges of the proxies' values, on the scale of the link, and of the log10 size ratios.
pub(crate) fn proxy_ranges<'a>(
    proxies: impl Iterator<Item = &'a ProxyValue> + Clone,
    link: Link,
) -> Option<[[f64; 2]; 2]> {
    Some([
        range_of(proxies.clone().map(|proxy| link.apply(proxy.value)))?,
        range_of(proxies.map(|proxy| proxy.log10_ratio))?,
    ])
}

/// Signed distances of a proxy's value and size ratio from the ranges of [`proxy_ranges`].
pub(crate) fn proxy_excess([values, ratios]: [[f64; 2]; 2], proxy: ProxyValue, link: Link) -> [f64; 2] {
    [signed_excess(values, link.apply(proxy.value)), signed_excess(ratios, proxy.log10_ratio)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_inside_has_no_distance_and_one_outside_has_a_sign() {
        let range = range_of([2.0, -1.0, 0.5].into_iter()).expect("values");
        assert_eq!(
            [-1.0, 0.0, 2.0 + 1e-12, 3.5, -4.0].map(|v| signed_excess(range, v)),
            [0.0, 0.0, 0.0, 1.5, -3.0]
        );
        assert_eq!(range_of(std::iter::empty()), None);
    }
}
