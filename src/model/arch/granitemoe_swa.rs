//! Granite MoE with windows: the attention of Granite with windows, the experts of Granite MoE with a shared
//! one.

use super::granite_swa::set_attention;
use super::granitemoeshared::GraniteMoeShared;
use super::tensor_names::{ExpertMaps, ExpertNames};
use super::{Architecture, Config, TensorNames};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct GraniteMoeSwa;

impl Architecture for GraniteMoeSwa {
    fn model_type(&self) -> &'static str {
        "granitemoe_swa"
    }

    fn summary(&self) -> &'static str {
        "Granite MoE with sliding windows (attention sinks, a rotary base for each block)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = GraniteMoeShared.spec(config)?;
        set_attention(&mut spec, config)?;
        Ok(spec)
    }

    fn tensor_names(&self, spec: &Spec) -> TensorNames {
        let names = GraniteMoeShared.tensor_names(spec);
        let maps = ExpertMaps::Stacked([
            "block_sparse_moe.experts.gate_up_proj",
            "block_sparse_moe.experts.down_proj",
        ]);
        let experts = ExpertNames { router: "block_sparse_moe.router", maps, ..names.experts };
        TensorNames { experts, ..names }
    }
}
