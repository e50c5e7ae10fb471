//! The back-test of the whole procedure: choice of candidate, fit and intervals are done again on the
//! training rows of each fold, and asked about the rows it leaves out. What comes out is the coverage that
//! intervals of these data reach, beside the one they are called by.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::fit::{Fit, fit, parts};
use super::folds::{Fold, Split, forward_by_family};
use crate::calibration::intervals::residuals::{Recipe, effective_n};
use crate::calibration::link::Link;
use crate::calibration::table::sample::{Sample, weighted_mean};
use crate::error::Result;

/// How far coverage may fall short of its level before it is said aloud.
const SHORTFALL: f64 = 0.1;
/// Predictions of a fold from which its own coverage is told.
const LEAST_OF_FOLD: usize = 5;

/// Whether intervals held so much less than their level that the level must not be read for them.
pub(crate) fn falls_short(held: f64, level: f64) -> bool {
    held < level - SHORTFALL - 1e-9
}

/// Coverage of one recipe on one split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The recipe.
    pub recipe: Recipe,
    /// For every back-tested row the level above which its interval holds the truth (1 if none does), in
    /// rising order, with its weight.
    pub levels: Vec<[f64; 2]>,
    /// The fold that each of `levels` is of.
    pub folds: Vec<usize>,
    /// Mean width at the level of the card, in the unit of the target.
    pub width: f64,
    /// How many targets of one weight say as much as those of `levels`, which may be fewer and of other
    /// weights than those an interval is made of.
    pub effective_n: f64,
}

impl Coverage {
    /// Share of the back-tested rows whose interval at `level` holds the truth.
    pub fn at(&self, level: f64) -> f64 {
        share_inside(&self.levels.iter().collect::<Vec<_>>(), level)
    }

    /// The least share that intervals at `level` held in one fold, and of how many predictions; none if all
    /// folds are of few. An average over folds hides that the errors of one go together: all share a fit.
    pub fn worst_fold(&self, level: f64) -> Option<(f64, usize)> {
        let mut folds: BTreeMap<usize, Vec<&[f64; 2]>> = BTreeMap::new();
        self.levels.iter().zip(&self.folds).for_each(|(row, fold)| folds.entry(*fold).or_default().push(row));
        let enough = folds.values().filter(|rows| rows.len() >= LEAST_OF_FOLD);
        enough.map(|rows| (share_inside(rows, level), rows.len())).min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// Share of rows, by weight, whose interval at `level` holds the truth. The sum of nothing is -0.
fn share_inside(rows: &[&[f64; 2]], level: f64) -> f64 {
    let total: f64 = rows.iter().map(|[_, weight]| weight).sum();
    let inside: f64 = rows.iter().filter(|[least, _]| *least < level).map(|[_, weight]| weight).sum();
    (inside / total).abs()
}

/// Coverage of every recipe on every split; a split without folds, or of which too few can be calibrated, has
/// none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// Leaving out targets.
    pub target: Vec<Coverage>,
    /// Leaving out families.
    pub family: Vec<Coverage>,
    /// Training on the weaker.
    pub forward: Vec<Coverage>,
    /// Training on the weaker of some families, tested on the stronger of the others.
    pub forward_family: Vec<Coverage>,
    /// Share of the rows of each split for which the procedure chose nothing, and of which coverage says
    /// nothing.
    pub refused: Refused,
}

/// Shares of the rows, by weight, whose fold could not be calibrated; absent for a split without folds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// Leaving out targets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<f64>,
    /// Leaving out families.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub family: Option<f64>,
    /// Training on the weaker.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forward: Option<f64>,
    /// Training on the weaker of some families, tested on the stronger of the others.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forward_family: Option<f64>,
}

/// Covering level and width per recipe.
type Marks = [Option<(f64, f64)>; Recipe::ALL.len()];

/// One back-tested row; without marks where nothing was chosen.
struct Row<'a> {
    target: &'a str,
    fold: usize,
    weight: f64,
    marks: Option<Marks>,
}

/// Back-tests every split. `most` folds outside, `strangers` where families are left out of forward folds,
/// `inner` inside.
///
/// # Errors
/// [`crate::Error::Fit`] if a solver fails.
pub(crate) fn backtest(
    sample: &Sample,
    link: Link,
    level: f64,
    [most, strangers, inner]: [usize; 3],
) -> Result<Backtest> {
    let run = |folds: Vec<Fold>, beyond: bool| -> Result<(Vec<Coverage>, Option<f64>)> {
        let mut times = vec![0usize; sample.len()];
        folds.iter().flat_map(|fold| &fold.test).for_each(|&row| times[row] += 1);
        let rows: Vec<Vec<Row>> = folds
            .par_iter()
            .enumerate()
            .map(|(at, fold)| {
                let (fit, _) = fit(&sample.subset(&fold.train), link, inner)?;
                let tried = |&row: &usize| Row {
                    target: &sample.targets[row],
                    fold: at,
                    weight: sample.weights[row] / times[row] as f64,
                    marks: marks(&fit, beyond, sample, row, link, level),
                };
                Ok(fold.test.iter().map(tried).collect())
            })
            .collect::<Result<_>>()?;
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        let refused: Vec<f64> = rows.iter().map(|row| f64::from(row.marks.is_none())).collect();
        let weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
        let refused = (!rows.is_empty()).then(|| weighted_mean(&refused, &weights));
        Ok((
            Recipe::ALL.iter().enumerate().filter_map(|(at, recipe)| coverage(*recipe, at, &rows)).collect(),
            refused,
        ))
    };
    let target = run(Split::Target.folds(sample, most)?, false)?;
    let family = run(Split::Family.folds(sample, most)?, false)?;
    let forward = run(Split::Forward.folds(sample, most)?, true)?;
    let both = run(forward_by_family(sample, strangers)?, true)?;
    let refused = Refused { target: target.1, family: family.1, forward: forward.1, forward_family: both.1 };
    Ok(Backtest { target: target.0, family: family.0, forward: forward.0, forward_family: both.0, refused })
}

fn marks(fit: &Fit, beyond: bool, sample: &Sample, row: usize, link: Link, level: f64) -> Option<Marks> {
    let chosen = if beyond { fit.beyond.as_ref() } else { fit.within.as_ref() }?;
    let query = sample.query(row);
    let x = fit.basis.complete(&query);
    let ends = [0, 1, 2].map(|part| chosen.ends(part, &x, &query, &fit.basis, link));
    // Ends are checked as they are printed, in the unit of the target: where shares are clipped the scale of
    // the link cannot tell them apart.
    let (truth, y_hat) = (sample.y[row], chosen.predict(&x, &query, &fit.basis, link));
    let low_end = |eta: f64| link.low_end(eta).min(y_hat);
    let high_end = |eta: f64| link.high_end(eta).max(y_hat);
    Some(Recipe::ALL.map(|recipe| {
        let parts: Vec<_> =
            parts(recipe).iter().map(|&at| &ends[at]).filter(|ends| !ends.is_empty()).collect();
        if parts.is_empty() {
            return None;
        }
        let (mut high, mut low) = (f64::INFINITY, f64::INFINITY);
        let (mut top, mut bottom) = (f64::NEG_INFINITY, f64::INFINITY);
        for ends in parts {
            let (above, below) = ends.covering(truth, low_end, high_end);
            (high, low) = (high.min(above), low.min(below));
            let (a, b, _) = ends.at(level);
            (bottom, top) = (bottom.min(a), top.max(b));
        }
        Some((high.max(low), high_end(top) - low_end(bottom)))
    }))
}

fn coverage(recipe: Recipe, at: usize, rows: &[Row]) -> Option<Coverage> {
    let mut marked: Vec<(f64, f64, usize, f64)> = rows
        .iter()
        .filter_map(|row| row.marks?[at].map(|(least, width)| (least, row.weight, row.fold, width)))
        .collect();
    if marked.is_empty() {
        return None;
    }
    marked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    let of_marked = rows.iter().filter(|row| row.marks.is_some_and(|marks| marks[at].is_some()));
    let (widths, weights): (Vec<f64>, Vec<f64>) = marked.iter().map(|row| (row.3, row.1)).unzip();
    Some(Coverage {
        recipe,
        levels: marked.iter().map(|row| [row.0, row.1]).collect(),
        folds: marked.iter().map(|row| row.2).collect(),
        width: weighted_mean(&widths, &weights),
        effective_n: effective_n(of_marked.map(|row| (row.target, row.weight))),
    })
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
        // Of fold 0 five predictions hold, of fold 1 two of four, of fold 2, which is of one, none.
        let folds = vec![0, 0, 0, 0, 0, 1, 1, 1, 1, 2];
        let coverage = Coverage { recipe: Recipe::Maximum, levels, folds, width: 1.0, effective_n: 10.0 };
        assert_eq!((coverage.at(0.9), coverage.worst_fold(0.9)), (0.7, Some((1.0, 5))));
        let coverage = Coverage { folds: vec![0, 0, 0, 0, 0, 1, 1, 1, 1, 1], ..coverage };
        assert_eq!(coverage.worst_fold(0.9), Some((0.4, 5)));
        // Nothing held is 0, not -0, and a card's folds may have any number.
        assert!(coverage.at(0.05).is_sign_positive() && coverage.at(0.05) == 0.0);
        let coverage = Coverage { folds: vec![usize::MAX; 10], ..coverage };
        assert_eq!(coverage.worst_fold(0.9), Some((0.7, 10)));
        assert!(falls_short(0.7, 0.9) && !falls_short(0.8, 0.9));
    }
}
