//! Makes the folds of each split. A fold never has rows of one model in both training and test.

use std::collections::{BTreeMap, BTreeSet};

use crate::calibration::candidates::basis::Basis;
use crate::calibration::table::folds::{Fold, Split, grouped};
use crate::calibration::table::sample::{Sample, distinct};
use crate::error::Result;
use crate::numeric::statistics::covariance;

/// Forward folds train on these shares of the models, starting with the weakest.
const CUTS: [f64; 4] = [0.40, 0.55, 0.70, 0.85];
/// Number of groups of families in a forward fold that also leaves out families.
const GROUPS: usize = 3;
/// Minimum number of models that a forward fold trains on.
const LEAST_TRAIN: usize = 5;
/// Minimum number of models that a forward fold is tested on.
const LEAST_TEST: usize = 2;

impl Split {
    /// Folds of this split: at most `most` if models or families are left out, and at most `2 * most` if
    /// models are ordered by size and strength.
    ///
    /// # Errors
    /// [`Error::Calibration`](crate::Error::Calibration) if linfa cannot compute the principal components.
    pub fn folds(self, sample: &Sample, most: usize) -> Result<Vec<Fold>> {
        match self {
            Self::LeaveModelOut => Ok(grouped(&sample.models, most)),
            Self::LeaveFamilyOut => Ok(families_left_out(sample, most)),
            Self::Forward => Ok(thinned(&ordered(sample, 1.0)?, 2 * most)),
            Self::Backward => Ok(thinned(&ordered(sample, -1.0)?, 2 * most)),
        }
    }
}

/// Whether the families of more than half of the rows are unknown. Leaving out the known families is then
/// little evidence for a new family.
pub(crate) fn too_many_unknown(n_without_family: usize, n: usize) -> bool {
    n_without_family > n / 2
}

/// Folds that leave out families. Rows of unknown family are in no fold.
fn families_left_out(sample: &Sample, most: usize) -> Vec<Fold> {
    if too_many_unknown(sample.n_without_family(), sample.len()) {
        return vec![];
    }
    let known: Vec<usize> = (0..sample.len()).filter(|&row| !sample.families[row].is_empty()).collect();
    let families: Vec<String> = known.iter().map(|&row| sample.families[row].clone()).collect();
    let places = |rows: Vec<usize>| rows.into_iter().map(|at| known[at]).collect();
    let folds = grouped(&families, most).into_iter();
    folds.map(|fold| Fold { train: places(fold.train), test: places(fold.test) }).collect()
}

/// Forward folds whose training rows contain no family of the test rows. Each fold tests the stronger models
/// of a third of the families. Returns at most `most` folds, evenly spaced over the cuts.
///
/// # Errors
/// [`Error::Calibration`](crate::Error::Calibration) if linfa cannot compute the principal components.
pub(crate) fn forward_new_family(sample: &Sample, most: usize) -> Result<Vec<Fold>> {
    let mut folds = vec![];
    if too_many_unknown(sample.n_without_family(), sample.len()) {
        return Ok(folds);
    }
    for Fold { mut train, mut test } in ordered(sample, 1.0)? {
        [&mut train, &mut test]
            .into_iter()
            .for_each(|rows| rows.retain(|&row| !sample.families[row].is_empty()));
        let families: Vec<String> = test.iter().map(|&row| sample.families[row].clone()).collect();
        for group in grouped(&families, GROUPS) {
            let test: Vec<usize> = group.test.iter().map(|&at| test[at]).collect();
            let tested: BTreeSet<&str> = test.iter().map(|&row| sample.families[row].as_str()).collect();
            let other = |row: &&usize| !tested.contains(sample.families[**row].as_str());
            let train: Vec<usize> = train.iter().filter(other).copied().collect();
            let models: Vec<String> = train.iter().map(|&row| sample.models[row].clone()).collect();
            if distinct(&models).len() >= LEAST_TRAIN {
                folds.push(Fold { train, test });
            }
        }
    }
    Ok(thinned(&folds, most))
}

/// At most `most` of the folds, evenly spaced.
pub(super) fn thinned(folds: &[Fold], most: usize) -> Vec<Fold> {
    let n = folds.len().min(most);
    (0..n).map(|at| folds[at * folds.len() / n].clone()).collect()
}

/// Folds that train on the weaker models and test on the stronger models, ordered by size and by the first
/// component. A `direction` of -1 swaps weaker and stronger. Folds with the same training rows are returned
/// once.
fn ordered(sample: &Sample, direction: f64) -> Result<Vec<Fold>> {
    let mut folds: Vec<Fold> = vec![];
    for order in [sample.log10_sizes.clone(), strength(sample)?] {
        let order: Vec<f64> = order.into_iter().map(|level| direction * level).collect();
        let mut levels: BTreeMap<&str, f64> = BTreeMap::new();
        for (model, level) in sample.models.iter().zip(&order).filter(|(_, level)| level.is_finite()) {
            let highest = levels.entry(model).or_insert(*level);
            *highest = highest.max(*level);
        }
        let mut sorted: Vec<f64> = levels.values().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        for cut in CUTS {
            let Some(edge) = sorted.get(((cut * sorted.len() as f64) as usize).saturating_sub(1)) else {
                continue;
            };
            let level = |row: &usize| levels.get(sample.models[*row].as_str());
            let known: Vec<usize> = (0..sample.len()).filter(|row| level(row).is_some()).collect();
            let (train, test) =
                known.into_iter().partition(|row| level(row).is_some_and(|level| level <= edge));
            let fold = Fold { train, test };
            let n_models = |rows: &[usize]| {
                distinct(&rows.iter().map(|&row| sample.models[row].clone()).collect::<Vec<_>>()).len()
            };
            let enough = n_models(&fold.train) >= LEAST_TRAIN && n_models(&fold.test) >= LEAST_TEST;
            if enough && !folds.iter().any(|other| other.train == fold.train) {
                folds.push(fold);
            }
        }
    }
    Ok(folds)
}

/// Scores on the first principal component. Their sign is chosen so that they increase with size or, if they
/// are uncorrelated with size, with the response.
fn strength(sample: &Sample) -> Result<Vec<f64>> {
    let (basis, filled) = Basis::fit(sample)?;
    let first: Vec<f64> = filled
        .outer_iter()
        .map(|row| basis.scores(&row.to_vec()).first().copied().unwrap_or(f64::NAN))
        .collect();
    let direction = direction(sample, &first);
    Ok(first.into_iter().map(|score| direction * score).collect())
}

/// 1 if the first component increases with size, otherwise -1. If it is uncorrelated with size, the response
/// is used instead of the size.
pub(crate) fn direction(sample: &Sample, first: &[f64]) -> f64 {
    let by_size = covariance(first, &sample.log10_sizes);
    let sign = if by_size.abs() > 1e-9 { by_size } else { covariance(first, &sample.y) };
    if sign < 0.0 { -1.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    /// `n` models in `families` families. Size and strength increase with the index of the model.
    fn sample(n: usize, families: usize) -> Sample {
        Sample {
            models: (0..n).map(|i| format!("m{i:03}")).collect(),
            families: (0..n).map(|i| format!("f{}", (7 * i) % families)).collect(),
            log10_sizes: (0..n).map(|i| i as f64 / 10.0).collect(),
            proxies: None,
            x: Array2::from_shape_fn((n, 2), |(i, j)| i as f64 + (i * (j + 2)) as f64 % 3.0),
            y: (0..n).map(|i| i as f64).collect(),
            weights: vec![1.0; n],
        }
    }

    #[test]
    fn no_row_of_a_new_family_beyond_the_range_has_its_family_or_its_strength_in_the_training_set() {
        let sample = sample(60, 9);
        let folds = forward_new_family(&sample, usize::MAX).expect("folds");
        let largest =
            |rows: &[usize]| rows.iter().map(|&row| sample.log10_sizes[row]).fold(f64::MIN, f64::max);
        let first = strength(&sample).expect("a component");
        let strongest = |rows: &[usize]| rows.iter().map(|&row| first[row]).fold(f64::MIN, f64::max);
        assert!(folds.len() >= 12, "{}", folds.len());
        for fold in &folds {
            assert!(
                fold.train
                    .iter()
                    .all(|&a| fold.test.iter().all(|&b| sample.families[a] != sample.families[b]))
            );
            let (size, strength) = (largest(&fold.train), strongest(&fold.train));
            let beyond = |row: &usize| sample.log10_sizes[*row] > size || first[*row] > strength;
            assert!(fold.test.iter().all(beyond), "{fold:?}");
        }
        assert_eq!(forward_new_family(&sample, 5).expect("folds").len(), 5);
    }

    #[test]
    fn folds_of_families_of_one_model_each_are_those_of_the_models() {
        let mut sample = sample(40, 7);
        sample.families = (0..40).map(|i| format!("f{}", (7 * i) % 40)).collect();
        for most in [10, 12, 50] {
            let of = |split: Split| split.folds(&sample, most).expect("folds");
            assert_eq!(of(Split::LeaveFamilyOut), of(Split::LeaveModelOut));
        }
    }
}
