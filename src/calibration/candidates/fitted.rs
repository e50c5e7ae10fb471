//! Fitted candidates: one with its name, as cards hold it, and all of them on one training set.

use std::any::Any;
use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::basis::Basis;
use super::blend::{self, Blend};
use super::linear::LinearModel;
use super::registry::{ALL, index_of};
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::{Predictors, Sample};
use crate::error::{Error, Result};

/// A fitted candidate: its name and its fitted model. In JSON `{"candidate": NAME, "parameters": {..}}`, of
/// which the candidate of that name reads the parameters.
#[derive(Debug, Clone)]
pub struct FittedCandidate {
    candidate: String,
    model: Arc<dyn FittedModel>,
}

/// [`FittedCandidate`] in JSON.
#[derive(Serialize, Deserialize)]
struct Record {
    candidate: String,
    parameters: Value,
}

impl FittedCandidate {
    /// A model with the name of the candidate that it was fitted by.
    pub fn new(candidate: &str, model: Arc<dyn FittedModel>) -> Self {
        Self { candidate: candidate.into(), model }
    }

    /// Fits a candidate; `None` if the training set cannot carry it.
    ///
    /// # Errors
    /// [`Error::Calibration`] if a solver fails or returns NaN.
    pub fn fit(candidate: &dyn Candidate, train: &TrainingSet) -> Result<Option<Self>> {
        let Some(model) = candidate.fit(train)? else { return Ok(None) };
        if !model.is_finite() {
            let reason = format!("candidate {} has no finite solution", candidate.name());
            return Err(Error::Calibration { reason });
        }
        Ok(Some(Self::new(candidate.name(), model)))
    }

    /// Fits a candidate to a part of a training set, starting from the fit to the whole.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub(crate) fn fit_part(
        candidate: &dyn Candidate,
        train: &TrainingSet,
        whole: Option<&Self>,
    ) -> Result<Option<Self>> {
        let Some(whole) = whole else { return Self::fit(candidate, train) };
        let model = candidate.fit_part(train, whole.model())?.filter(|model| model.is_finite());
        Ok(model.map(|model| Self::new(candidate.name(), model)))
    }

    /// Name of the candidate.
    pub fn name(&self) -> &str {
        &self.candidate
    }

    /// Its coefficients, where the model is linear on the scale of the link.
    pub fn as_linear(&self) -> Option<&LinearModel> {
        (self.model() as &dyn Any).downcast_ref()
    }

    /// Its parts, where it is a blend.
    pub(crate) fn as_blend(&self) -> Option<&Blend> {
        (self.model() as &dyn Any).downcast_ref()
    }

    /// The fitted model.
    pub fn model(&self) -> &dyn FittedModel {
        self.model.as_ref()
    }

    /// The prediction, in the unit of the response, for predictors whose features are completed in `x`.
    pub fn predict(&self, x: &[f64], predictors: &Predictors, basis: &Basis, link: Link) -> f64 {
        self.model.predict(x, predictors, basis, link)
    }
}

impl PartialEq for FittedCandidate {
    fn eq(&self, other: &Self) -> bool {
        let parameters = |fitted: &Self| fitted.model.parameters().ok();
        self.candidate == other.candidate && parameters(self) == parameters(other)
    }
}

impl Serialize for FittedCandidate {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let parameters = self.model.parameters().map_err(S::Error::custom)?;
        Record { candidate: self.candidate.clone(), parameters }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FittedCandidate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let Record { candidate, parameters } = Record::deserialize(deserializer)?;
        if candidate == blend::NAME {
            return Ok(Self { candidate, model: Blend::restore(parameters).map_err(D::Error::custom)? });
        }
        let at = index_of(&candidate)
            .ok_or_else(|| D::Error::custom(format!("there is no candidate `{candidate}`")))?;
        let model = ALL[at].restore(parameters).map_err(D::Error::custom)?;
        Ok(Self { candidate, model })
    }
}

/// Candidates fitted on one training set.
#[derive(Debug, Clone)]
pub struct FittedCandidates {
    /// What was learnt from the features.
    pub basis: Basis,
    /// One per candidate, `None` where the rows cannot carry it.
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

    /// Fits some candidates.
    ///
    /// # Errors
    /// [`Error::Calibration`] if a solver fails or returns NaN.
    pub fn of(candidates: &[&dyn Candidate], sample: &Sample, link: Link) -> Result<Self> {
        let train = TrainingSet::new(sample, link)?;
        let fit = |candidate: &&dyn Candidate| FittedCandidate::fit(*candidate, &train);
        let models = candidates.iter().map(fit).collect::<Result<_>>()?;
        Ok(Self { basis: train.basis, models })
    }

    /// The fitted candidate of that name.
    pub fn get(&self, name: &str) -> Option<&FittedCandidate> {
        self.models.iter().flatten().find(|fitted| fitted.name() == name)
    }

    /// Fits every candidate to a part of the rows that `whole` was fitted to.
    ///
    /// # Errors
    /// [`Error::Calibration`] if a solver fails or returns NaN.
    pub(crate) fn of_part(sample: &Sample, link: Link, whole: &Self) -> Result<Self> {
        let train = TrainingSet::near(sample, link, Some(&whole.basis))?;
        let fit = |(candidate, whole): (&&dyn Candidate, &Option<FittedCandidate>)| {
            FittedCandidate::fit_part(*candidate, &train, whole.as_ref())
        };
        let models = ALL.iter().zip(&whole.models).map(fit).collect::<Result<_>>()?;
        Ok(Self { basis: train.basis, models })
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
    use super::*;

    /// A model that is not linear: the value of the nearest of some points.
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
        let unknown = r#"{"candidate": "forest", "parameters": {}}"#;
        let error = serde_json::from_str::<FittedCandidate>(unknown).expect_err("a refusal").to_string();
        assert!(error.contains("no candidate `forest`"), "{error}");
        let short = LinearModel::without_features(2);
        assert_eq!(short.check(3).expect_err("a refusal"), "coefficients holds 2 numbers where 3 belong");
    }
}
