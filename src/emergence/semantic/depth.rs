//! Summarises the macro share over relative depth, `u = l / L`.

use serde::{Deserialize, Serialize};

use super::jackknife::Replicated;

/// A value and its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WithError {
    /// The value.
    pub value: f64,
    /// The standard error, if it exists.
    pub stderr: Option<f64>,
}

impl From<&Replicated> for WithError {
    fn from(value: &Replicated) -> Self {
        Self { value: value.value, stderr: value.stderr() }
    }
}

/// Summaries of the macro share over depth at one number of shots.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OverDepth {
    /// The share at `u = 1/4, 1/2, 3/4, 1`, interpolated between blocks; `None` at a depth that is smaller
    /// than the depth of the first block.
    pub(super) quarters: [Option<Replicated>; 4],
    /// The mean over blocks `2..=L`; `None` for a model with one block.
    pub(super) mean: Option<Replicated>,
    /// The smallest `u` at which the share exceeds half of its largest value, interpolated. `None` unless the
    /// largest share exceeds both .1 and three times its standard error.
    pub(super) onset: Option<f64>,
}

/// The onset exists only if the largest share exceeds this.
const LEAST_PEAK: f64 = 0.1;

impl OverDepth {
    /// Summarises the shares of all blocks, in block order.
    pub(super) fn of(shares: &[Replicated]) -> Self {
        Self {
            quarters: [0.25, 0.5, 0.75, 1.0].map(|u| at(shares, u)),
            mean: Replicated::mean(shares.iter().skip(1)),
            onset: onset(shares),
        }
    }
}

fn at(shares: &[Replicated], u: f64) -> Option<Replicated> {
    let l = u * shares.len() as f64;
    let below = shares.get((l.floor() as usize).checked_sub(1)?)?;
    let above = &shares[l.ceil() as usize - 1];
    let weight = l - l.floor();
    Some(below.zip(above, |a, b| (1.0 - weight) * a + weight * b))
}

fn onset(shares: &[Replicated]) -> Option<f64> {
    let peak = shares.iter().max_by(|a, b| a.value.total_cmp(&b.value))?;
    if !(peak.value > LEAST_PEAK && peak.value > 3.0 * peak.stderr()?) {
        return None;
    }
    let half = 0.5 * peak.value;
    let first = shares.iter().position(|share| share.value > half)?;
    let within = match first.checked_sub(1).map(|before| shares[before].value) {
        Some(before) => (half - before) / (shares[first].value - before),
        None => 1.0,
    };
    Some((first as f64 + within) / shares.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shares of four queries and two sets; queries alternately deviate by `deviation` and `-deviation`.
    fn shares(values: &[f64], deviation: f64) -> Vec<Replicated> {
        let share = |value: &f64| {
            let cells: Vec<_> =
                (0..8).map(|i| (value + if i / 2 % 2 == 0 { deviation } else { -deviation }, 1.0)).collect();
            Replicated::mean_of_cells(&cells, 2).unwrap()
        };
        values.iter().map(share).collect()
    }

    #[test]
    fn summaries_are_interpolated_between_blocks() {
        let depth = OverDepth::of(&shares(&[0.0, 0.1, 0.2, 0.6, 0.8, 0.8], 0.01));
        let values = depth.quarters.map(|share| (share.unwrap().value * 1e9).round() / 1e9);
        assert_eq!(values, [0.05, 0.2, 0.7, 0.8]);
        assert!((depth.mean.unwrap().value - 0.5).abs() < 1e-12);
        // The share crosses .4 halfway between blocks 3 and 4 of 6.
        assert!((depth.onset.unwrap() - 3.5 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn what_does_not_exist_is_missing() {
        let two = OverDepth::of(&shares(&[0.3, 0.5], 0.01));
        assert!(two.quarters[0].is_none() && two.quarters[1].is_some());
        assert!((two.onset.unwrap() - 0.5).abs() < 1e-12);
        let one = OverDepth::of(&shares(&[0.3], 0.01));
        assert!(one.mean.is_none() && one.quarters[3].is_some());
        assert!(OverDepth::of(&shares(&[0.01, 0.09], 0.001)).onset.is_none());
        assert!(OverDepth::of(&shares(&[0.1, 0.3], 0.5)).onset.is_none());
    }
}
