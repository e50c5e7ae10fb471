//! Trials: every candidate fitted on the training rows of every fold and asked about the rest. Filling,
//! scaling, components and penalties are learnt inside the fold.

use ndarray::{Array1, Array2};
use rayon::prelude::*;

use super::folds::Fold;
use crate::calibration::candidates;
use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::{Candidate, Formula, Train};
use crate::calibration::link::Link;
use crate::calibration::table::sample::Sample;
use crate::error::{Error, Result};

/// Every candidate fitted on one training set.
#[derive(Debug, Clone)]
pub struct Fits {
    /// What was learnt from the features.
    pub basis: Basis,
    /// One per candidate, `None` where the rows cannot carry it.
    pub formulas: Vec<Option<Formula>>,
}

impl Fits {
    /// Fits all candidates of [`candidate::ALL`].
    ///
    /// # Errors
    /// [`Error::Fit`] if a solver fails or answers with NaN.
    pub fn new(sample: &Sample, link: Link) -> Result<Self> {
        Self::of(candidates::ALL, sample, link)
    }

    /// Fits some candidates.
    ///
    /// # Errors
    /// [`Error::Fit`] if a solver fails or answers with NaN.
    pub fn of(candidates: &[&dyn Candidate], sample: &Sample, link: Link) -> Result<Self> {
        let (basis, x) = Basis::fit(sample)?;
        let k = basis.components.len();
        let scores: Vec<f64> = x.outer_iter().flat_map(|row| basis.scores(&row.to_vec())).collect();
        let scores = Array2::from_shape_vec((sample.len(), k), scores)
            .map_err(|source| Error::Fit { reason: source.to_string() })?;
        let eta: Array1<f64> = sample.y.iter().map(|y| link.apply(*y)).collect();
        let train = Train { sample, basis: &basis, x: &x, scores: &scores, eta: &eta, link };
        let fit = |candidate: &&dyn Candidate| {
            let formula = candidate.fit(&train)?;
            match &formula {
                Some(formula) if !formula.is_finite() => Err(Error::Fit {
                    reason: format!("candidate {} has no finite solution", candidate.name()),
                }),
                _ => Ok(formula),
            }
        };
        let formulas = candidates.iter().map(fit).collect::<Result<_>>()?;
        Ok(Self { basis, formulas })
    }
}

/// All folds of one split, fitted and asked.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Fits of each fold.
    pub folds: Vec<(Fold, Fits)>,
    /// One per fold and row that it leaves out.
    pub answers: Vec<Answer>,
}

/// What the candidates of a fold say of a row it leaves out.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Which fold.
    pub fold: usize,
    /// Which row.
    pub row: usize,
    /// Prediction of each candidate.
    pub y_hat: Vec<Option<f64>>,
    /// Weight: the row's own over the number of folds that leave it out.
    pub weight: f64,
}

impl Trial {
    /// Fits every fold; folds run on all threads, and the answer does not depend on how many.
    ///
    /// # Errors
    /// [`Error::Fit`] if a fit fails.
    pub fn run(sample: &Sample, link: Link, folds: Vec<Fold>) -> Result<Self> {
        let fits: Vec<Fits> = folds
            .par_iter()
            .map(|fold| Fits::new(&sample.subset(&fold.train), link))
            .collect::<Result<_>>()?;
        let mut times = vec![0usize; sample.len()];
        folds.iter().flat_map(|fold| &fold.test).for_each(|&row| times[row] += 1);
        let mut answers = vec![];
        for (at, (fold, fits)) in folds.iter().zip(&fits).enumerate() {
            for &row in &fold.test {
                let query = sample.query(row);
                let x = fits.basis.complete(&query);
                let say = |formula: &Option<Formula>| {
                    formula.as_ref().map(|formula| formula.predict(&x, &query, &fits.basis, link))
                };
                answers.push(Answer {
                    fold: at,
                    row,
                    y_hat: fits.formulas.iter().map(say).collect(),
                    weight: sample.weights[row] / times[row] as f64,
                });
            }
        }
        Ok(Self { folds: folds.into_iter().zip(fits).collect(), answers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::validation::folds::Split;

    fn sample() -> Sample {
        let n = 30;
        let wave = |i: usize, j: usize| ((i * (j + 3)) as f64 * 0.37).sin();
        let x = Array2::from_shape_fn((n, 4), |(i, j)| if (i + j) % 11 == 0 { f64::NAN } else { wave(i, j) });
        Sample {
            targets: (0..n).map(|i| format!("m{i}")).collect(),
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
            let first = Trial::run(&honest, link, folds.clone()).expect("a trial");
            for (at, fold) in folds.iter().enumerate() {
                // Other answers, other features and other sizes of every row left out but the one that is
                // asked.
                let asked = fold.test[0];
                let mut other = honest.clone();
                for &row in &fold.test {
                    other.y[row] = 1.0 - honest.y[row];
                    if row != asked {
                        other.x.row_mut(row).fill(9.0);
                        other.log10_sizes[row] = -3.0;
                    }
                }
                let second = Trial::run(&other, link, vec![fold.clone()]).expect("a trial");
                let of = |trial: &Trial, at: usize| {
                    let answer = trial.answers.iter().find(|answer| answer.fold == at && answer.row == asked);
                    answer.expect("an answer").y_hat.clone()
                };
                assert_eq!(of(&first, at), of(&second, 0), "{split:?}");
                assert!(of(&first, at).iter().flatten().count() > 3);
            }
        }
    }
}
