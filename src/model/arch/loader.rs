//! Reads the linear maps and norms of a checkpoint, by the tensor names of an architecture.

use super::tensor_names::{TensorNames, TensorPrefixes};
use crate::error::Result;
use crate::model::block_parameters::{Linear, NormWeights};
use crate::model::spec::{Norm, Spec};
use crate::model::weights::{Init, ParameterSource};

/// A source of tensors, with the spec and the tensor names of the model to read.
pub(super) struct Loader<'a> {
    pub(super) names: &'a TensorNames,
    pub(super) spec: &'a Spec,
    pub(super) source: &'a dyn ParameterSource,
    pub(super) place: TensorPrefixes,
}

impl Loader<'_> {
    /// The full name of a tensor, with the prefix of the checkpoint.
    pub(super) fn full(&self, name: &str) -> String {
        format!("{}{name}", self.place.prefix)
    }

    pub(super) fn norm(&self, name: &str, width: usize) -> Result<NormWeights> {
        let take =
            |part: &str, init| self.source.tensor(&self.full(&format!("{name}.{part}")), &[width], init);
        Ok(match self.spec.norm {
            Norm::Layer { affine: false, .. } => NormWeights { weight: None, bias: None },
            Norm::Layer { .. } => NormWeights {
                weight: Some(if self.names.norms_less_one {
                    (take("weight", Init::Zeros)? + 1.0)?
                } else {
                    take("weight", Init::Ones)?
                }),
                bias: self.spec.norm_bias.then(|| take("bias", Init::Zeros)).transpose()?,
            },
            Norm::Rms { offset: false, .. } => {
                NormWeights { weight: Some(take("weight", Init::Ones)?), bias: None }
            }
            Norm::Rms { offset: true, .. } => {
                NormWeights { weight: Some((take("weight", Init::Zeros)? + 1.0)?), bias: None }
            }
        })
    }

    /// Reads a norm with separate weights for each of `heads` heads. The weights are concatenated.
    pub(super) fn head_norms(&self, name: &str, heads: usize) -> Result<NormWeights> {
        let shape = [heads, self.spec.head_dim];
        let weight = self.source.tensor(&self.full(&format!("{name}.weight")), &shape, Init::Ones)?;
        Ok(NormWeights { weight: Some(weight.flatten_all()?), bias: None })
    }

    pub(super) fn linear(
        &self,
        name: &str,
        [d_in, d_out]: [usize; 2],
        bias: bool,
        init: Init,
    ) -> Result<Linear> {
        let is_transposed = self.names.transposed;
        let shape = if is_transposed { [d_in, d_out] } else { [d_out, d_in] };
        let weight = self.source.tensor(&self.full(&format!("{name}.weight")), &shape, init)?;
        let weight = if is_transposed { weight.t()?.contiguous()? } else { weight };
        let read = || self.source.tensor(&self.full(&format!("{name}.bias")), &[d_out], Init::Zeros);
        Ok(Linear { weight, bias: bias.then(read).transpose()? })
    }
}
