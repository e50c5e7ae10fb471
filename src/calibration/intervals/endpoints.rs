//! Computes the ends of intervals as weighted order statistics of predictions plus and minus residuals
//! (Barber, Candes, Ramdas and Tibshirani 2021). All values are on the scale of the link.

use super::residuals::{HeldOutResidual, Residuals};

/// Weighted values whose quantiles are the ends of an interval.
#[derive(Debug, Clone)]
pub(crate) struct EndpointQuantiles {
    /// Total weight of the training models and the new model. The weight of the new model is the total of the
    /// training models divided by [`Residuals::effective_n`].
    mass: f64,
    low: Vec<(f64, f64)>,
    high: Vec<(f64, f64)>,
}

impl EndpointQuantiles {
    /// `centre` returns the prediction to which the residual of a held-out row is added, and from which it is
    /// subtracted.
    pub(crate) fn new(residuals: &Residuals, centre: impl Fn(&HeldOutResidual) -> f64) -> Self {
        let Residuals { held_out, effective_n, .. } = residuals;
        let values = |sign: f64| {
            let mut values: Vec<(f64, f64)> =
                held_out.iter().map(|row| (centre(row) + sign * row.residual, row.weight)).collect();
            values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            values
        };
        let total: f64 = held_out.iter().map(|row| row.weight).sum();
        let mass = total * (1.0 + 1.0 / effective_n.max(f64::MIN_POSITIVE));
        Self { mass, low: values(-1.0), high: values(1.0) }
    }

    /// Whether there are no values.
    pub(crate) fn is_empty(&self) -> bool {
        self.low.is_empty()
    }

    /// Lower and upper end at a level, and whether there are enough residuals for the level. With `n`
    /// residuals of equal weight, the level can be at most `n / (n + 1)`. Above this level, the ends are the
    /// outermost values.
    pub(crate) fn at(&self, level: f64) -> (f64, f64, bool) {
        let mass = level * self.mass - 1e-9;
        let end = |values: &mut dyn Iterator<Item = &(f64, f64)>| {
            let (mut sum, mut last) = (0.0, 0.0);
            for (value, weight) in values {
                (sum, last) = (sum + weight, *value);
                if sum >= mass {
                    return (last, true);
                }
            }
            (last, false)
        };
        let ((high, above), (low, below)) = (end(&mut self.high.iter()), end(&mut self.low.iter().rev()));
        (low, high, above && below)
    }

    /// The level above which the upper end is at least `y`, and the level above which the lower end is at
    /// most `y`. A level is 1 if no interval reaches `y`. `low_end` and `high_end` convert the ends to the
    /// unit of `y`.
    pub(crate) fn covering(
        &self,
        y: f64,
        low_end: impl Fn(f64) -> f64,
        high_end: impl Fn(f64) -> f64,
    ) -> (f64, f64) {
        let level = |beyond: f64, outermost: bool| if outermost { 1.0 } else { beyond / self.mass };
        let below: f64 =
            self.high.iter().filter(|(value, _)| high_end(*value) < y).map(|(_, weight)| weight).sum();
        let above: f64 =
            self.low.iter().filter(|(value, _)| low_end(*value) > y).map(|(_, weight)| weight).sum();
        let outside_high = self.high.last().is_none_or(|(value, _)| high_end(*value) < y);
        let outside_low = self.low.first().is_none_or(|(value, _)| low_end(*value) > y);
        (level(below, outside_high), level(above, outside_low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::intervals::residuals::Gaps;

    fn ends(residuals: &[f64]) -> EndpointQuantiles {
        let held_out: Vec<HeldOutResidual> = residuals
            .iter()
            .enumerate()
            .map(|(at, residual)| HeldOutResidual {
                model: at.to_string(),
                family: String::new(),
                row: at,
                fold: 0,
                residual: *residual,
                weight: 1.0,
                log10_size_gap: None,
                gaps: Gaps::default(),
                proxy_gaps: None,
            })
            .collect();
        EndpointQuantiles::new(&Residuals::new(held_out), |_| 10.0)
    }

    #[test]
    fn ends_are_the_order_statistics_of_barber_and_others() {
        // n = 9 at 80 %: the ceil(.8 * 10) = 8th smallest of y + R and the floor(.2 * 10) = 2nd smallest of y
        // - R.
        let nine = ends(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        assert_eq!(nine.at(0.8), (2.0, 18.0, true));
        assert_eq!(nine.at(0.9), (1.0, 19.0, true));
        // Nine residuals support a level of at most 90 %.
        assert_eq!(nine.at(0.95), (1.0, 19.0, false));
    }

    #[test]
    fn a_row_is_covered_exactly_above_its_covering_level() {
        let nine = ends(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        for eta in [10.0, 12.5, 17.9, 18.0, 19.0, 19.1, 3.0, 0.9] {
            let (high, low) = nine.covering(eta, |low| low, |high| high);
            for level in [0.05, 0.15, 0.35, 0.55, 0.75, 0.85, 0.95] {
                let (bottom, top, _) = nine.at(level);
                assert_eq!((bottom..=top).contains(&eta), level > high.max(low), "{eta} at {level}");
            }
        }
    }
}
