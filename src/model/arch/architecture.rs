//! Defines the interface between published checkpoints and the decoder. An architecture converts a
//! config.json to a [`Spec`] and names the tensors.

use super::config::Config;
use super::tensor_names::TensorNames;
use crate::error::Result;
use crate::model::parameters::Parameters;
use crate::model::spec::Spec;
use crate::model::weights::ParameterSource;

/// Converts the config of a published architecture to a [`Spec`], and names its tensors.
pub trait Architecture: Sync {
    /// `model_type` in config.json.
    fn model_type(&self) -> &'static str;
    /// One line for `surmise list architectures`.
    fn summary(&self) -> &'static str;
    /// The spec that a config.json describes. All published spellings of its keys are supported.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a missing or malformed key and for a setting that the
    /// decoder does not support.
    fn spec(&self, config: &Config) -> Result<Spec>;
    /// The names of the tensors, and the layout of fused tensors.
    fn tensor_names(&self, spec: &Spec) -> TensorNames;
    /// Reads every tensor from `source` and converts it to the decoder's layout: linear maps are `(out, in)`.
    ///
    /// # Errors
    /// Returns the errors of `source`.
    fn parameters(&self, spec: &Spec, source: &dyn ParameterSource) -> Result<Parameters> {
        self.tensor_names(spec).load(spec, source)
    }
}
