//! All candidates fitted on one training set.

use super::Candidate;
use super::basis::Basis;
use super::fitted::FittedCandidate;
use super::registry::ALL;
use super::screened::Fitter;
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::{Predictors, Sample};
use crate::error::Result;

/// Candidates fitted on one training set.
#[derive(Debug, Clone)]
pub struct FittedCandidates {
    /// The basis that was learnt from the features.
    pub basis: Basis,
    /// One model per candidate; `None` if there are too few rows for the candidate.
    pub models: Vec<Option<FittedCandidate>>,
}

impl FittedCandidates {
    /// Fits every candidate, in the order of [`ALL`].
    ///
    /// # Errors
    /// [`Error::Calibration`] if a solver fails or returns NaN.
    pub fn all(sample: &Sample, link: Link) -> Result<Self> {
        Self::of(ALL, sample, link)
    }

    /// Fits only the given candidates.
    ///
    /// # Errors
    /// [`Error::Calibration`] if a solver fails or returns NaN.
    pub fn of(candidates: &[&dyn Candidate], sample: &Sample, link: Link) -> Result<Self> {
        Fitter::on(sample, link, None, |fitter| {
            let models = candidates.iter().map(|candidate| fitter.fit(*candidate, None));
            Ok(Self { models: models.collect::<Result<_>>()?, basis: fitter.basis.clone() })
        })
    }

    /// The fitted candidate with this name.
    pub fn get(&self, name: &str) -> Option<&FittedCandidate> {
        self.models.iter().flatten().find(|fitted| fitted.name() == name)
    }

    /// Fits every candidate to a part of the rows that `whole` was fitted to.
    ///
    /// # Errors
    /// [`Error::Calibration`] if a solver fails or returns NaN.
    pub(crate) fn of_part(sample: &Sample, link: Link, whole: &Self) -> Result<Self> {
        Fitter::on(sample, link, Some(&whole.basis), |fitter| {
            let candidates = ALL.iter().zip(&whole.models);
            let models = candidates.map(|(candidate, whole)| fitter.fit(*candidate, whole.as_ref()));
            Ok(Self { models: models.collect::<Result<_>>()?, basis: fitter.basis.clone() })
        })
    }

    /// Predictions of every candidate.
    pub fn predict(&self, predictors: &Predictors, link: Link) -> Vec<Option<f64>> {
        let x = self.basis.complete(predictors);
        let predict = |fitted: &FittedCandidate| fitted.predict(&x, predictors, &self.basis, link);
        self.models.iter().map(|fitted| fitted.as_ref().map(predict)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde::{Deserialize, Serialize};
    use serde_json::Value;

    use super::*;
    use crate::calibration::candidates::FittedModel;
    use crate::calibration::candidates::linear::LinearModel;
    use crate::calibration::candidates::training_set::TrainingSet;

    /// A model that is not linear: it predicts the value of the nearest point.
    #[derive(Debug, Serialize, Deserialize)]
    struct NearestPoint {
        points: Vec<(f64, f64)>,
    }

    impl FittedModel for NearestPoint {
        fn predict(&self, x: &[f64], _: &Predictors, _: &Basis, _: Link) -> f64 {
            let distance = |point: &&(f64, f64)| (point.0 - x[0]).abs();
            let nearest = self.points.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            nearest.map_or(f64::NAN, |point| point.1)
        }

        fn parameters(&self) -> serde_json::Result<Value> {
            serde_json::to_value(self)
        }

        fn check(&self, _: usize) -> std::result::Result<(), String> {
            if self.points.is_empty() { Err("points is empty".into()) } else { Ok(()) }
        }

        fn is_finite(&self) -> bool {
            self.points.iter().all(|(x, y)| x.is_finite() && y.is_finite())
        }

        fn feature_importance(&self, _: &Basis) -> Vec<f64> {
            vec![1.0]
        }
    }

    #[derive(Debug)]
    struct Nearest;

    impl Candidate for Nearest {
        fn name(&self) -> &'static str {
            "nearest"
        }

        fn complexity(&self) -> u32 {
            1000
        }

        fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
            let points = train.x.column(0).iter().copied().zip(train.sample.y.iter().copied()).collect();
            Ok(Some(Arc::new(NearestPoint { points })))
        }

        fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
            let model: NearestPoint = serde_json::from_value(parameters)?;
            Ok(Arc::new(model))
        }
    }

    fn sample() -> Sample {
        let names: Vec<String> = (0..6).map(|i| format!("m{i}")).collect();
        Sample {
            models: names.clone(),
            families: names,
            log10_sizes: vec![f64::NAN; 6],
            proxies: None,
            x: ndarray::Array2::from_shape_fn((6, 1), |(i, _)| i as f64),
            y: (0..6).map(|i| (i * i) as f64).collect(),
            weights: vec![1.0; 6],
        }
    }

    #[test]
    fn a_candidate_that_is_not_linear_is_fitted_predicts_and_is_restored_through_the_traits_alone() {
        let fitted = FittedCandidates::of(&[&Nearest], &sample(), Link::Identity).expect("a fit");
        let asked = Predictors { x: vec![Some(3.2)], log10_size: None, proxy: None, family: String::new() };
        assert_eq!(fitted.predict(&asked, Link::Identity), [Some(9.0)]);
        let one = fitted.get("nearest").expect("a model");
        assert!(one.as_linear().is_none());
        let model = one.model();
        let restored = Nearest.restore(model.parameters().expect("JSON")).expect("a model");
        assert_eq!(restored.predict(&[4.9], &asked, &fitted.basis, Link::Identity), 25.0);
        assert!(model.check(1).is_ok() && !model.needs_proxy());
    }

    #[test]
    fn a_fitted_candidate_is_the_same_after_a_round_trip_through_json() {
        let fitted = FittedCandidates::all(&sample(), Link::Identity).expect("fits");
        for one in fitted.models.iter().flatten() {
            let text = serde_json::to_string(one).expect("JSON");
            let read: FittedCandidate = serde_json::from_str(&text).expect("a candidate");
            assert_eq!(&read, one);
        }
        let unknown = r#"{"candidate": "oracle", "parameters": {}}"#;
        let error = serde_json::from_str::<FittedCandidate>(unknown).expect_err("a refusal").to_string();
        assert!(error.contains("no candidate `oracle`"), "{error}");
        let short = LinearModel::without_features(2);
        assert_eq!(short.check(3).expect_err("a refusal"), "coefficients has 2 numbers, but 3 are expected");
    }
}
