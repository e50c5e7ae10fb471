//! Maps values to positions on an axis, in whole units of the canvas, and computes round ticks.

/// The largest absolute value on an axis.
const LARGEST: f64 = 1e100;
/// The smallest positive value on a logarithmic axis.
const LEAST: f64 = 1e-100;
/// The smallest length of the range of an axis.
const LEAST_SPAN: f64 = 1e-12;

/// Clamps a value to `least..=LARGEST`.
fn within(value: f64, least: f64) -> f64 {
    if value.is_nan() { least.max(0.0) } else { value.clamp(least, LARGEST) }
}

/// A linear or logarithmic axis between two positions on the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    from: i32,
    to: i32,
    is_log: bool,
}

impl Axis {
    /// A linear axis that maps `range.0` to `places.0` and `range.1` to `places.1`.
    pub fn linear(range: (f64, f64), places: (i32, i32)) -> Self {
        let (low, high) = (within(range.0, -LARGEST), within(range.1, -LARGEST));
        // Widen a very small range, in which the labels of ticks would differ only in their last digits.
        let high = high.max(low + LEAST_SPAN.max(1e-9 * low.abs().max(high.abs())));
        Self { low, high, from: places.0, to: places.1, is_log: false }
    }

    /// A logarithmic axis. Both bounds of the range must be positive.
    pub fn log(range: (f64, f64), places: (i32, i32)) -> Self {
        let (low, high) = (within(range.0, LEAST), within(range.1, LEAST));
        let high = high.max(low * (1.0 + 1e-9));
        Self { low, high, from: places.0, to: places.1, is_log: true }
    }

    /// The position of a value, to the nearest unit.
    pub fn at(&self, value: f64) -> i32 {
        let scaled = |value: f64| if self.is_log { value.ln() } else { value };
        let (low, high) = (scaled(self.low), scaled(self.high));
        let share = (scaled(value) - low) / (high - low);
        // Values outside the range are drawn just outside the axis.
        let share = if share.is_nan() { 0.0 } else { share.clamp(-1.0, 2.0) };
        self.from + (f64::from(self.to - self.from) * share).round() as i32
    }

    /// Round values within the range, with their labels. A linear axis has at most `most` ticks.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        if let Some(ticks) = self.is_log.then(|| log_ticks(self.low, self.high)).flatten() {
            return ticks;
        }
        let step = step(self.high - self.low, most);
        let first = (self.low / step - 1e-9).ceil();
        let values = (0..=most).map(|k| (first + k as f64) * step);
        let values = values.take_while(|value| *value <= self.high + 1e-9 * step);
        values.map(|value| (value, tick(value, self.high - self.low))).collect()
    }
}

/// The values 1, 2, 5, 10, ... within a range. `None` if there are fewer than three; linear ticks are then
/// better.
fn log_ticks(low: f64, high: f64) -> Option<Vec<(f64, String)>> {
    let power = |value: f64| value.log10().floor() as i32;
    let all = (power(low)..=power(high)).flat_map(|k| [1.0, 2.0, 5.0].map(|times| times * 10f64.powi(k)));
    let within: Vec<f64> = all.filter(|value| (low..=high).contains(value)).collect();
    if within.len() < 3 {
        return None;
    }
    let decimals = |value: f64| usize::try_from(-power(value * (1.0 + 1e-9))).unwrap_or(0);
    Some(within.into_iter().map(|value| (value, format!("{value:.*}", decimals(value)))).collect())
}

/// A round distance between ticks, such that at most `most` ticks fit into the span.
fn step(span: f64, most: usize) -> f64 {
    let power = 10f64.powf((span / most as f64).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
    steps.into_iter().find(|step| span / step <= most as f64).unwrap_or(10.0 * power)
}

/// The smallest and the largest value, with a margin. An empty range is widened.
pub fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .filter(|value| value.is_finite())
        .map(|value| value.clamp(-LARGEST, LARGEST))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return (0.0, 1.0);
    }
    let room = if high > low { 0.05 * (high - low) } else { 0.5 * low.abs().max(1.0) };
    (low - room, high + room)
}

/// The label of a tick, with the decimals that distinguish it from its neighbours.
pub fn tick(value: f64, span: f64) -> String {
    let decimals = if span < 0.05 {
        3
    } else if span < 0.5 {
        2
    } else if span < 8.0 {
        1
    } else {
        0
    };
    // Use the minus sign U+2212, which is as wide as a digit.
    crate::numeric::shown::fixed(value, decimals).replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_have_the_decimals_they_need() {
        assert_eq!(tick(-0.5, 2.0), "\u{2212}0.5");
        assert_eq!(tick(-0.0001, 2.0), "0.0");
        assert_eq!(tick(0.125, 0.3), "0.12");
        assert_eq!(tick(40.0, 60.0), "40");
    }

    #[test]
    fn ranges_of_one_value_or_none_are_still_ranges() {
        assert_eq!(range([1.0, 3.0]), (0.9, 3.1));
        assert_eq!(range([2.0]), (1.0, 3.0));
        assert_eq!(range([f64::NAN]), (0.0, 1.0));
    }

    #[test]
    fn any_two_numbers_are_ends_of_an_axis() {
        let numbers = [0.0, 1.0, -1.0, 5e-324, 1e-300, 1e17, 1e17 + 16.0, 1e308, -1e308, f64::MAX, f64::MIN];
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        for low in numbers.into_iter().chain(odd) {
            for high in numbers.into_iter().chain(odd) {
                let of_range = Axis::linear(range([low, high]), (0, 100));
                for axis in [of_range, Axis::linear((low, high), (0, 100)), Axis::log((low, high), (0, 100))]
                {
                    let ticks = axis.ticks(6);
                    assert!(ticks.len() < 1000, "{low} {high}: {}", ticks.len());
                    for value in numbers.into_iter().chain(odd).chain(ticks.iter().map(|tick| tick.0)) {
                        assert!((-100..=200).contains(&axis.at(value)), "{low} {high} {value}");
                    }
                }
            }
        }
    }

    #[test]
    fn ticks_are_round_and_within_the_ends() {
        let texts = |axis: Axis| axis.ticks(6).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(Axis::linear((-0.1, 1.05), (0, 100))), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(Axis::log((0.04, 0.3), (0, 100))), ["0.05", "0.1", "0.2"]);
        assert_eq!(texts(Axis::log((0.9, 30.0), (0, 100))), ["1", "2", "5", "10", "20"]);
        assert_eq!(
            texts(Axis::log((0.21, 0.22), (0, 100))),
            ["0.210", "0.212", "0.214", "0.216", "0.218", "0.220"]
        );
    }

    #[test]
    fn equal_ratios_are_equal_lengths_on_a_logarithmic_axis() {
        let axis = Axis::log((0.01, 100.0), (0, 400));
        assert_eq!([0.01, 0.1, 1.0, 10.0, 100.0].map(|value| axis.at(value)), [0, 100, 200, 300, 400]);
        let axis = Axis::linear((0.0, 2.0), (300, 100));
        assert_eq!([0.0, 0.5, 2.0].map(|value| axis.at(value)), [300, 250, 100]);
    }
}
