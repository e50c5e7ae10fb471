//! Kyutai's Helium: a Llama with interleaved rotary pairs.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Norm, Spec};

pub(super) struct Helium;

impl Architecture for Helium {
    fn model_type(&self) -> &'static str {
        "helium"
    }

    fn summary(&self) -> &'static str {
        "Helium (Llama with interleaved rotary positions)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let defaults = rotary::Defaults { theta: 100_000.0, ..rotary::USUAL };
        let mut spec = llama::base(&config.with_default("head_dim", 128), defaults)?;
        // In the reference implementation, the output map of attention is square, so all heads together must
        // have the width of the stream.
        if spec.head_dim * spec.n_heads != spec.d_model {
            return config.unsupported("head_dim", spec.head_dim);
        }
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-8)?, offset: false };
        spec.biases.output = false;
        spec.ropes.iter_mut().for_each(|rope| rope.interleaved = true);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
