//! Intervals from the errors a back-test made: jackknife+ and CV+ (Barber, Candes, Ramdas and Tibshirani
//! 2021), residuals of forward folds, and the widest of all. Everything here is on the scale of the link.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calibration::candidates::Formula;

/// How an interval is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// Leaving out one target at a time: honest for a new model inside the range.
    JackknifePlus,
    /// Leaving out whole families: honest for a new family.
    FamilyCvPlus,
    /// Errors made on the stronger when fitted on the weaker; nothing guarantees its level.
    Forward,
    /// From the lowest lower end of the three to the highest upper end.
    Maximum,
}

impl Recipe {
    /// Every recipe.
    pub const ALL: [Self; 4] = [Self::JackknifePlus, Self::FamilyCvPlus, Self::Forward, Self::Maximum];

    /// As a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::JackknifePlus => "jackknife_plus",
            Self::FamilyCvPlus => "family_cv_plus",
            Self::Forward => "forward",
            Self::Maximum => "maximum",
        }
    }
}

/// A row that a fold left out, and how far off its prediction was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The target.
    pub target: String,
    /// Its family; empty where it is unknown.
    pub family: String,
    /// Which fold left it out.
    pub fold: usize,
    /// Absolute error on the scale of the link.
    pub residual: f64,
    /// Weight; they sum to the number of targets.
    pub weight: f64,
    /// Log10 of its size over the largest its fold was fitted on, where both are known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log10_size_gap: Option<f64>,
    /// How far the proxy's value, on the scale of the link, and the log10 of the size ratio were outside
    /// those that its fold was fitted on; with sign, 0 within.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy_gaps: Option<[f64; 2]>,
}

/// One split of a calibration's own rows: what each fold became, and what it left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Residuals {
    /// The formula of each fold; empty for forward folds, whose formulas are not asked again.
    pub folds: Vec<Formula>,
    /// Every row that was left out.
    pub held: Vec<Held>,
    /// How many targets of one weight say as much as theirs: Kish's `(sum w)^2 / sum w^2` over their
    /// weights, which is their number where all weigh the same.
    pub effective_n: f64,
}

impl Residuals {
    pub(crate) fn new(folds: Vec<Formula>, held: Vec<Held>) -> Self {
        let effective_n = effective_n(held.iter().map(|row| (row.target.as_str(), row.weight)));
        Self { folds, held, effective_n }
    }
}

/// Kish's number of rows with a target and a weight.
pub(crate) fn effective_n<'a>(rows: impl Iterator<Item = (&'a str, f64)>) -> f64 {
    let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
    rows.for_each(|(target, weight)| *weights.entry(target).or_default() += weight);
    let sum: f64 = weights.values().sum();
    let squares: f64 = weights.values().map(|weight| weight * weight).sum();
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// Values an end is a quantile of, with their weights.
#[derive(Debug, Clone)]
pub(crate) struct Ends {
    /// Weight of all targets and of the one that is asked, which weighs as one of
    /// [`Residuals::effective_n`].
    mass: f64,
    low: Vec<(f64, f64)>,
    high: Vec<(f64, f64)>,
}

impl Ends {
    /// `centre` is the prediction of each held row's fold.
    pub fn new(residuals: &Residuals, centre: impl Fn(&Held) -> f64) -> Self {
        let Residuals { held, effective_n, .. } = residuals;
        let values = |sign: f64| {
            let mut values: Vec<(f64, f64)> =
                held.iter().map(|row| (centre(row) + sign * row.residual, row.weight)).collect();
            values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            values
        };
        let total: f64 = held.iter().map(|row| row.weight).sum();
        let mass = total * (1.0 + 1.0 / effective_n.max(f64::MIN_POSITIVE));
        Self { mass, low: values(-1.0), high: values(1.0) }
    }

    /// Whether there is nothing to take a quantile of.
    pub fn is_empty(&self) -> bool {
        self.low.is_empty()
    }

    /// Lower and upper end at a level, and whether there are residuals enough for it: of `n` of one weight
    /// the level can be at most `n / (n + 1)`, beyond which the ends are the outermost.
    pub fn at(&self, level: f64) -> (f64, f64, bool) {
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

    /// The levels above which the upper and the lower end, as `low_end` and `high_end` print them, are beyond
    /// `y`; 1 if none is.
    pub fn covering(
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

    fn ends(residuals: &[f64]) -> Ends {
        let held: Vec<Held> = residuals
            .iter()
            .enumerate()
            .map(|(at, residual)| Held {
                target: at.to_string(),
                family: String::new(),
                fold: 0,
                residual: *residual,
                weight: 1.0,
                log10_size_gap: None,
                proxy_gaps: None,
            })
            .collect();
        Ends::new(&Residuals::new(vec![], held), |_| 10.0)
    }

    #[test]
    fn ends_are_the_order_statistics_of_barber_and_others() {
        // n = 9 at 80 %: the ceil(.8 * 10) = 8th smallest of y + R and the floor(.2 * 10) = 2nd smallest of y
        // - R.
        let nine = ends(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        assert_eq!(nine.at(0.8), (2.0, 18.0, true));
        assert_eq!(nine.at(0.9), (1.0, 19.0, true));
        // Nine residuals carry 90 % and no more.
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
