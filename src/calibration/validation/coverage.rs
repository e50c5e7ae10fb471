//! Coverage: the share of true values that lie inside back-tested intervals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calibration::intervals::method::IntervalMethod;
use crate::calibration::intervals::skill::Skill;
use crate::calibration::table::folds::Split;

/// Largest amount by which coverage may fall below its level without a warning.
const SHORTFALL: f64 = 0.1;
/// Minimum number of predictions in a fold whose coverage is reported separately.
const LEAST_OF_FOLD: usize = 5;

/// Whether the coverage of intervals is so far below their level that the level is misleading.
pub(crate) fn undercovers(held: f64, level: f64) -> bool {
    held < level - SHORTFALL - 1e-9
}

/// Coverage of one interval method on one split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// How the intervals are made.
    pub interval_method: IntervalMethod,
    /// For every back-tested row, the level above which its interval contains the true value (1 if no level
    /// does) and the weight of the row. Sorted by level.
    pub levels: Vec<[f64; 2]>,
    /// Index of the fold of each entry of `levels`.
    pub folds: Vec<usize>,
    /// Mean width at the level of the card, in the unit of the response.
    pub width: f64,
    /// Kish's effective number of models among `levels`. It may differ from the effective number of models
    /// whose residuals an interval uses.
    pub effective_n: f64,
}

impl Coverage {
    /// Share of the back-tested rows whose interval at `level` contains the true value.
    pub fn at(&self, level: f64) -> f64 {
        share_inside(&self.levels.iter().collect::<Vec<_>>(), level)
    }

    /// The lowest coverage of intervals at `level` in one fold, and the number of predictions in this fold.
    /// `None` if all folds are small. The errors of one fold come from one fit and are correlated, so an
    /// average over folds may hide a fold with low coverage.
    pub fn worst_fold(&self, level: f64) -> Option<(f64, usize)> {
        let mut folds: BTreeMap<usize, Vec<&[f64; 2]>> = BTreeMap::new();
        self.levels.iter().zip(&self.folds).for_each(|(row, fold)| folds.entry(*fold).or_default().push(row));
        let enough = folds.values().filter(|rows| rows.len() >= LEAST_OF_FOLD);
        enough.map(|rows| (share_inside(rows, level), rows.len())).min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// Weighted share of rows whose interval at `level` contains the true value. The sum of an empty list of
/// floats is -0; the absolute value turns it into 0.
fn share_inside(rows: &[&[f64; 2]], level: f64) -> f64 {
    let total: f64 = rows.iter().map(|[_, weight]| weight).sum();
    let inside: f64 = rows.iter().filter(|[least, _]| *least < level).map(|[_, weight]| weight).sum();
    (inside / total).abs()
}

/// Coverage of every interval method on every split. The list of a split is empty if it has no folds, or if
/// its folds are too small for a calibration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// Coverage in folds that leave out models.
    pub leave_model_out: Vec<Coverage>,
    /// Coverage in folds that leave out families.
    pub leave_family_out: Vec<Coverage>,
    /// Coverage in folds that train on the weaker models and test on the stronger models.
    pub forward: Vec<Coverage>,
    /// Coverage in folds that train on the stronger models and test on the weaker models.
    pub backward: Vec<Coverage>,
    /// Coverage in folds that train on the weaker models of some families and test on the stronger models of
    /// the other families.
    pub forward_new_family: Vec<Coverage>,
    /// Share of the rows of each split for which no candidate was selected. Coverage is computed without
    /// these rows.
    pub refused: TestedSplits<f64>,
    /// Skill of the whole procedure compared with the better of two constants, the mean and the median of the
    /// training rows; absent for a split without folds, and in cards of earlier versions.
    #[serde(default)]
    pub skill: TestedSplits<Skill>,
}

/// One value for each split that was back-tested; absent for a split without folds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TestedSplits<T> {
    /// For folds that leave out models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leave_model_out: Option<T>,
    /// For folds that leave out families.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leave_family_out: Option<T>,
    /// For folds that train on the weaker models and test on the stronger models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forward: Option<T>,
    /// For folds that train on the stronger models and test on the weaker models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub backward: Option<T>,
    /// For folds that train on the weaker models of some families and test on the stronger models of the
    /// other families.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forward_new_family: Option<T>,
}

impl<T: Copy> TestedSplits<T> {
    /// The value of a split.
    pub fn get(&self, split: Split) -> Option<T> {
        match split {
            Split::LeaveModelOut => self.leave_model_out,
            Split::LeaveFamilyOut => self.leave_family_out,
            Split::Forward => self.forward,
            Split::Backward => self.backward,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_fold_is_of_five_predictions_or_more_and_an_average_hides_it() {
        let levels = vec![
            [0.1, 1.0],
            [0.2, 1.0],
            [0.3, 1.0],
            [0.4, 1.0],
            [0.5, 1.0],
            [0.6, 1.0],
            [0.7, 1.0],
            [0.95, 1.0],
            [0.97, 1.0],
            [1.0, 1.0],
        ];
        // The intervals contain all five true values of fold 0, two of the four true values of fold 1, and
        // not the only true value of fold 2.
        let folds = vec![0, 0, 0, 0, 0, 1, 1, 1, 1, 2];
        let coverage = Coverage {
            interval_method: IntervalMethod::Maximum,
            levels,
            folds,
            width: 1.0,
            effective_n: 10.0,
        };
        assert_eq!((coverage.at(0.9), coverage.worst_fold(0.9)), (0.7, Some((1.0, 5))));
        let coverage = Coverage { folds: vec![0, 0, 0, 0, 0, 1, 1, 1, 1, 1], ..coverage };
        assert_eq!(coverage.worst_fold(0.9), Some((0.4, 5)));
        // If no interval contains its value, the coverage is 0, not -0. Fold indices in a card may be
        // arbitrary.
        assert!(coverage.at(0.05).is_sign_positive() && coverage.at(0.05) == 0.0);
        let coverage = Coverage { folds: vec![usize::MAX; 10], ..coverage };
        assert_eq!(coverage.worst_fold(0.9), Some((0.7, 10)));
        assert!(undercovers(0.7, 0.9) && !undercovers(0.8, 0.9));
    }
}
