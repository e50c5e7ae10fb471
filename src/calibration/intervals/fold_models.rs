//! Fold models: candidates fitted without the held-out rows of a fold. A card does not store fold models.
//! Each prediction run refits them from the training rows of the card.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::blend::{Blend, BlendPart};
use crate::calibration::candidates::fitted::FittedCandidate;
use crate::calibration::candidates::registry::{ALL, index_of};
use crate::calibration::candidates::screened::Fitter;
use crate::calibration::table::folds::Fold;
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::{Predictors, Sample, distinct};
use crate::error::Result;

/// A candidate or blend as fitted in a fold, with the basis of the features in this fold.
#[derive(Debug, Clone)]
pub(crate) struct FoldModel {
    pub(crate) basis: Basis,
    pub(crate) fitted: FittedCandidate,
}

impl FoldModel {
    /// The prediction for a row, in the unit of the response.
    pub(crate) fn predict(&self, predictors: &Predictors, link: Link) -> f64 {
        self.fitted.predict(&self.basis.complete(predictors), predictors, &self.basis, link)
    }
}

/// The folds of one split and the models of each fold. The models are refits of candidates or blends that
/// were fitted on all rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct SplitModels {
    folds: Vec<Fold>,
    models: Vec<Vec<Option<FoldModel>>>,
}

impl SplitModels {
    /// Refits every model on each fold's training rows. A model is `None` in a fold that has too little data
    /// for it. `basis` was fitted to all rows; the search for the factors of each fold starts from it.
    ///
    /// # Errors
    /// [`Error::Calibration`](crate::Error::Calibration) if a solver fails.
    pub(crate) fn refit(
        fitted: &[Option<FittedCandidate>],
        folds: Vec<Fold>,
        (sample, basis): (&Sample, &Basis),
        link: Link,
    ) -> Result<Self> {
        let of_fold = |fold: &Fold| {
            Fitter::on(&sample.subset(&fold.train), link, Some(basis), |fitter| models_of(fitter, fitted))
        };
        let models = folds.par_iter().map(of_fold).collect::<Result<_>>()?;
        Ok(Self { folds, models })
    }

    /// Whether there are no folds.
    pub(crate) fn is_empty(&self) -> bool {
        self.folds.is_empty()
    }

    /// The model of a fold at position `place` in the list of candidates.
    pub(crate) fn model(&self, fold: usize, place: usize) -> Option<&FoldModel> {
        self.models.get(fold)?.get(place)?.as_ref()
    }

    /// The models of all folds at position `place`.
    pub(crate) fn all(&self, place: usize) -> Vec<FoldModel> {
        (0..self.folds.len()).filter_map(|fold| self.model(fold, place).cloned()).collect()
    }

    /// Fold, row and weight of every held-out row. A row's weight is divided by the number of folds that
    /// leave it out. All weights sum to the number of models.
    pub(crate) fn left_out(&self, sample: &Sample) -> Vec<(usize, usize, f64)> {
        let mut times = vec![0usize; sample.len()];
        self.folds.iter().flat_map(|fold| &fold.test).for_each(|&row| times[row] += 1);
        let rows =
            self.folds.iter().enumerate().flat_map(|(at, fold)| fold.test.iter().map(move |&row| (at, row)));
        let rows: Vec<(usize, usize, f64)> =
            rows.map(|(at, row)| (at, row, sample.weights[row] / times[row] as f64)).collect();
        let models: Vec<String> = rows.iter().map(|(_, row, _)| sample.models[*row].clone()).collect();
        let total: f64 = rows.iter().map(|(.., weight)| weight).sum();
        let per_weight = distinct(&models).len() as f64 / total.max(f64::MIN_POSITIVE);
        rows.into_iter().map(|(at, row, weight)| (at, row, weight * per_weight)).collect()
    }
}

/// Refits each of `fitted` on the training rows of one fold. A candidate that occurs several times is fitted
/// once.
fn models_of(fitter: &Fitter, fitted: &[Option<FittedCandidate>]) -> Result<Vec<Option<FoldModel>>> {
    let mut done: BTreeMap<String, Option<FittedCandidate>> = BTreeMap::new();
    let mut fit = |whole: &FittedCandidate| -> Result<Option<FittedCandidate>> {
        if let Some(fitted) = done.get(whole.name()) {
            return Ok(fitted.clone());
        }
        let candidate = index_of(whole.name()).map(|at| ALL[at]);
        let fitted = candidate.map(|candidate| fitter.fit(candidate, Some(whole))).transpose()?.flatten();
        done.insert(whole.name().into(), fitted.clone());
        Ok(fitted)
    };
    let mut models = vec![];
    for whole in fitted {
        let parts: Vec<(f64, &FittedCandidate)> = match whole {
            None => vec![],
            Some(whole) => match Blend::in_model(whole) {
                Some(blend) => blend.parts.iter().map(|part| (part.weight, &part.fitted)).collect(),
                None => vec![(1.0, whole)],
            },
        };
        let mut own = vec![];
        for (weight, whole) in &parts {
            own.extend(fit(whole)?.map(|fitted| BlendPart { weight: *weight, fitted }));
        }
        let fitted = if own.len() == parts.len() { Blend::of(own) } else { None };
        models.push(fitted.map(|fitted| FoldModel { basis: fitter.basis.clone(), fitted }));
    }
    Ok(models)
}
