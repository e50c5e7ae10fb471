//! Cross-validation: fits every candidate on the training rows of every fold, and predicts the held-out rows
//! of the fold. Imputation, scaling, components and penalties are learnt inside the fold.

use rayon::prelude::*;

use crate::calibration::candidates::fitted_candidates::FittedCandidates;
use crate::calibration::table::folds::Fold;
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Sample;
use crate::error::Result;

/// The fits and held-out predictions of all folds of one split.
#[derive(Debug, Clone)]
pub struct CrossValidation {
    /// The fits of each fold.
    pub folds: Vec<(Fold, FittedCandidates)>,
    /// One prediction for each fold and each of its held-out rows.
    pub predictions: Vec<HeldOutPrediction>,
}

/// The predictions of the candidates of a fold for one held-out row.
#[derive(Debug, Clone)]
pub struct HeldOutPrediction {
    /// Index of the fold.
    pub fold: usize,
    /// Index of the row.
    pub row: usize,
    /// Prediction of each candidate.
    pub y_hat: Vec<Option<f64>>,
    /// The row's weight, divided by the number of folds that leave the row out.
    pub weight: f64,
}

impl CrossValidation {
    /// Fits every fold. Folds run on all threads; the result does not depend on the number of threads. If
    /// `whole` contains the fits to all rows, folds reuse the results of the searches in these fits, such as
    /// the scales of a kernel. The back-test is still unbiased, because it repeats the fit to all rows and
    /// the cross-validation on the training rows of its own folds.
    ///
    /// # Errors
    /// [`Error::Calibration`](crate::Error::Calibration) if a fit fails.
    pub fn run(
        sample: &Sample,
        link: Link,
        folds: Vec<Fold>,
        whole: Option<&FittedCandidates>,
    ) -> Result<Self> {
        let fits: Vec<FittedCandidates> = folds
            .par_iter()
            .map(|fold| match whole {
                Some(whole) => FittedCandidates::of_part(&sample.subset(&fold.train), link, whole),
                None => FittedCandidates::all(&sample.subset(&fold.train), link),
            })
            .collect::<Result<_>>()?;
        let times = times_left_out(&folds, sample.len());
        let mut predictions = vec![];
        for (at, (fold, fits)) in folds.iter().zip(&fits).enumerate() {
            for &row in &fold.test {
                predictions.push(HeldOutPrediction {
                    fold: at,
                    row,
                    y_hat: fits.predict(&sample.predictors(row), link),
                    weight: sample.weights[row] / times[row] as f64,
                });
            }
        }
        Ok(Self { folds: folds.into_iter().zip(fits).collect(), predictions })
    }
}

/// The number of folds that leave out each of `n` rows.
pub(super) fn times_left_out(folds: &[Fold], n: usize) -> Vec<usize> {
    let mut times = vec![0usize; n];
    folds.iter().flat_map(|fold| &fold.test).for_each(|&row| times[row] += 1);
    times
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::calibration::table::folds::Split;

    fn sample() -> Sample {
        let n = 30;
        let wave = |i: usize, j: usize| ((i * (j + 3)) as f64 * 0.37).sin();
        let x = Array2::from_shape_fn((n, 4), |(i, j)| if (i + j) % 11 == 0 { f64::NAN } else { wave(i, j) });
        Sample {
            models: (0..n).map(|i| format!("m{i}")).collect(),
            families: (0..n).map(|i| format!("f{}", i % 7)).collect(),
            log10_sizes: (0..n).map(|i| 0.1 * i as f64).collect(),
            proxies: None,
            y: (0..n).map(|i| 0.5 + 0.3 * wave(i, 0) - 0.1 * wave(i, 1)).collect(),
            x,
            weights: vec![1.0; n],
        }
    }

    #[test]
    fn nothing_of_a_row_that_is_left_out_is_known_to_the_fold_that_leaves_it_out() {
        let (honest, link) = (sample(), Link::Logit { low: 0.0, high: 1.0 });
        for split in Split::ALL {
            let folds = split.folds(&honest, 50).expect("folds");
            let first = CrossValidation::run(&honest, link, folds.clone(), None).expect("a cross-validation");
            for (at, fold) in folds.iter().enumerate() {
                // Changes the responses of all held-out rows, and the features and sizes of all held-out rows
                // except the checked row.
                let asked = fold.test[0];
                let mut other = honest.clone();
                for &row in &fold.test {
                    other.y[row] = 1.0 - honest.y[row];
                    if row != asked {
                        other.x.row_mut(row).fill(9.0);
                        other.log10_sizes[row] = -3.0;
                    }
                }
                let second =
                    CrossValidation::run(&other, link, vec![fold.clone()], None).expect("a cross-validation");
                let of = |validation: &CrossValidation, at: usize| {
                    let found =
                        validation.predictions.iter().find(|held| held.fold == at && held.row == asked);
                    found.expect("a prediction").y_hat.clone()
                };
                assert_eq!(of(&first, at), of(&second, 0), "{split:?}");
                assert!(of(&first, at).iter().flatten().count() > 3);
            }
        }
    }
}
