//! A blend: the weighted mean of several candidates, on the scale of the link (stacking; Breiman 1996). A
//! blend is not a candidate itself: the selection combines the candidates with the smallest errors.

use std::any::Any;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FittedModel;
use super::basis::Basis;
use super::fitted::FittedCandidate;
use super::training_set::FeatureSpectrum;
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Predictors;

/// Name of blends in cards.
pub(crate) const NAME: &str = "blend";

/// A weighted mean of fitted candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Blend {
    pub(crate) parts: Vec<BlendPart>,
}

/// A candidate and its weight; weights sum to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BlendPart {
    pub(crate) weight: f64,
    pub(crate) fitted: FittedCandidate,
}

impl Blend {
    /// The blend of some candidates. A single candidate is returned unchanged.
    pub(crate) fn of(mut parts: Vec<BlendPart>) -> Option<FittedCandidate> {
        match parts.len() {
            0 => None,
            1 => parts.pop().map(|part| part.fitted),
            _ => Some(FittedCandidate::new(NAME, Arc::new(Self { parts }))),
        }
    }

    /// The blend in a fitted candidate; `None` if it is a single candidate.
    pub(crate) fn in_model(fitted: &FittedCandidate) -> Option<&Self> {
        (fitted.model() as &dyn Any).downcast_ref()
    }

    /// The blend of only those candidates that need no proxy. `None` if every candidate or no candidate of
    /// the blend needs the proxy, or if `fitted` is a single candidate.
    pub(crate) fn without_proxy(fitted: &FittedCandidate) -> Option<FittedCandidate> {
        let blend = Self::in_model(fitted)?;
        let parts = blend.parts.iter().filter(|part| !part.fitted.model().needs_proxy());
        let parts: Vec<&BlendPart> = parts.collect();
        if parts.len() == blend.parts.len() {
            return None;
        }
        let total: f64 = parts.iter().map(|part| part.weight).sum();
        let scaled =
            |part: &&BlendPart| BlendPart { weight: part.weight / total, fitted: part.fitted.clone() };
        Self::of(parts.iter().map(scaled).collect())
    }

    pub(crate) fn restore(parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        serde_json::from_value::<Self>(parameters).map(|model| -> Arc<dyn FittedModel> { Arc::new(model) })
    }

    /// Candidates with their weights, as text.
    pub(crate) fn describe(&self) -> String {
        let parts = self.parts.iter().map(|part| format!("{} {:.2}", part.fitted.name(), part.weight));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn sum(&self, value: impl Fn(&FittedCandidate) -> Option<f64>) -> Option<f64> {
        self.parts.iter().map(|part| Some(part.weight * value(&part.fitted)?)).sum()
    }
}

impl FittedModel for Blend {
    fn predict(&self, x: &[f64], predictors: &Predictors, basis: &Basis, link: Link) -> f64 {
        let parts = self.parts.iter();
        link.mean(parts.map(|part| (part.weight, part.fitted.predict(x, predictors, basis, link))))
    }

    fn parameters(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn check(&self, p: usize) -> Result<(), String> {
        let total: f64 = self.parts.iter().map(|part| part.weight).sum();
        if self.parts.is_empty() || (total - 1.0).abs() > 1e-6 {
            return Err("parts have weights that do not sum to 1".into());
        }
        if self.parts.iter().any(|part| part.fitted.name() == NAME) {
            return Err("parts contains a blend".into());
        }
        self.parts.iter().try_for_each(|part| part.fitted.model().check(p))
    }

    fn is_finite(&self) -> bool {
        self.parts.iter().all(|part| part.weight.is_finite() && part.fitted.model().is_finite())
    }

    fn feature_importance(&self, basis: &Basis) -> Vec<f64> {
        let mut sum = vec![0.0; basis.sd.len()];
        for part in &self.parts {
            let own = part.fitted.model().feature_importance(basis);
            let total: f64 = own.iter().sum();
            for (sum, own) in sum.iter_mut().zip(own) {
                *sum += part.weight * own / total.max(f64::MIN_POSITIVE);
            }
        }
        sum
    }

    fn needs_proxy(&self) -> bool {
        self.parts.iter().any(|part| part.fitted.model().needs_proxy())
    }

    fn uses_size(&self) -> bool {
        self.parts.iter().any(|part| part.fitted.model().uses_size())
    }

    fn effective_dof(&self, spectrum: &FeatureSpectrum) -> Option<f64> {
        self.sum(|fitted| fitted.model().effective_dof(spectrum))
    }
}
