//! Mixtral: a Mistral with a mixture of experts instead of each MLP.

use super::tensor_names::{ExpertMaps, ExpertNames};
use super::{Architecture, Config, TensorNames, llama, mixture, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{Norm, Spec};

pub(super) struct Mixtral;

impl Architecture for Mixtral {
    fn model_type(&self) -> &'static str {
        "mixtral"
    }

    fn summary(&self) -> &'static str {
        "Mixtral (Mistral with a mixture of experts)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::Defaults { theta: 1e6, ..rotary::USUAL })?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        let window = config.optional("sliding_window", None, Config::size)?;
        let all = vec![true; spec.n_layers];
        sliding_window::set_windows(&mut spec, window, &all);
        let experts = mixture::base(config, &["num_local_experts", "num_experts"], spec.d_mlp)?;
        mixture::set(&mut spec, experts, |_| true);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        let maps = ExpertMaps::Each { list: "block_sparse_moe.experts", maps: ["w1", "w3", "w2"] };
        let experts = ExpertNames { router: "block_sparse_moe.gate", maps, ..ExpertNames::USUAL };
        TensorNames { experts, ..llama::NAMES }
    }
}
