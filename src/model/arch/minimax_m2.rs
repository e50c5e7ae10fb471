//! MiniMax M2: a Llama with query-key normalisation (QK norm) over all heads together, partially rotated
//! heads, and a mixture of experts weighted by sigmoids in every block.

use super::tensor_names::{ExpertMaps, ExpertNames};
use super::{Architecture, Config, TensorNames, llama, mixture, rotary};
use crate::error::Result;
use crate::model::spec::{ExpertWeights, QkNorm, Spec};

pub(super) struct MiniMaxM2;

impl Architecture for MiniMaxM2 {
    fn model_type(&self) -> &'static str {
        "minimax_m2"
    }

    fn summary(&self) -> &'static str {
        "MiniMax M2 (Llama with QK norm, and a mixture of experts weighted by sigmoids)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let config = config.with_default("head_dim", 128);
        // Published configs give the number of rotated values of a head; convert it to a fraction of the
        // head.
        let rotated = match config.get("rotary_dim") {
            Some(_) => Some(config.count("rotary_dim")? as f64 / config.count("head_dim")?.max(1) as f64),
            None => None,
        };
        let config = match rotated {
            Some(share) => config.with_absent("partial_rotary_factor", &share.into()),
            None => config,
        };
        let defaults = rotary::Defaults { theta: 5e6, partial: true, ..rotary::USUAL };
        let mut spec = llama::base(&config, defaults)?;
        spec.qk_norm = Some(QkNorm::Full);
        let mut experts = mixture::base(&config, &["num_local_experts", "num_experts"], spec.d_mlp)?;
        experts.weights = ExpertWeights::NormalisedSigmoid;
        experts.choice_bias = true;
        mixture::set(&mut spec, experts, |_| true);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        let maps = ExpertMaps::Each { list: "block_sparse_moe.experts", maps: ["w1", "w3", "w2"] };
        let experts = ExpertNames {
            router: "block_sparse_moe.gate",
            choice_bias: "block_sparse_moe.e_score_correction_bias",
            maps,
            ..ExpertNames::USUAL
        };
        TensorNames { experts, ..llama::NAMES }
    }
}
