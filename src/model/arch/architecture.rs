//! The seam between published checkpoints and the one decoder: an architecture reads a config.json and knows
//! where its tensors are.

use super::config::Config;
use super::tensor_names::TensorNames;
use crate::error::Result;
use crate::model::parameters::Parameters;
use crate::model::spec::Spec;
use crate::model::weights::ParameterSource;

/// An architecture reads its config and knows where its tensors are.
pub trait Architecture: Sync {
    /// `model_type` in config.json.
    fn model_type(&self) -> &'static str;
    /// One line for `surmise list architectures`.
    fn summary(&self) -> &'static str;
    /// The spec a config.json asks for, in any of its published spellings.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a missing or malformed key and for anything the decoder
    /// cannot do.
    fn spec(&self, config: &Config) -> Result<Spec>;
    /// The names of its tensors, and the layout of fused ones.
    fn tensor_names(&self, spec: &Spec) -> TensorNames;
    /// Reads every tensor from `source` and lays it out as the decoder expects it: linear maps as `(out,
    /// in)`.
    ///
    /// # Errors
    /// Those of `source`.
    fn parameters(&self, spec: &Spec, source: &dyn ParameterSource) -> Result<Parameters> {
        self.tensor_names(spec).load(spec, source)
    }
}
