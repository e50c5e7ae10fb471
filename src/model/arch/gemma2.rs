//! Gemma 2: Gemma with norms before and after each branch, softcaps of attention scores and logits, and a
//! window in every other block.

use super::{Architecture, Config, TensorNames, gemma, llama, sliding_window};
use crate::error::Result;
use crate::model::spec::{BlockForm, Spec};

pub(super) struct Gemma2;

/// The tensor names. A block has four norms.
pub(super) const NAMES: TensorNames = TensorNames {
    attention_post_norm: "post_attention_layernorm",
    mlp_norm: "pre_feedforward_layernorm",
    mlp_post_norm: "post_feedforward_layernorm",
    ..llama::NAMES
};

/// Adds the settings that distinguish Gemma 2 and 3 from Gemma 1. `scores` and `logits` are the default
/// softcaps of attention scores and of logits.
pub(super) fn sandwich(spec: &mut Spec, config: &Config, [scores, logits]: [Option<f64>; 2]) -> Result<()> {
    spec.form = BlockForm::Sandwich;
    spec.activation = config.activation("hidden_activation", "gelu_pytorch_tanh")?;
    spec.attention_scale = config.positive_or("query_pre_attn_scalar", 256.0)?.powf(-0.5) as f32;
    let cap = config.optional("attn_logit_softcapping", scores, Config::positive)?;
    spec.attention_softcap = cap.map(|cap| cap as f32);
    spec.logit_softcap = config.optional("final_logit_softcapping", logits, Config::positive)?;
    Ok(())
}

impl Architecture for Gemma2 {
    fn model_type(&self) -> &'static str {
        "gemma2"
    }

    fn summary(&self) -> &'static str {
        "Gemma 2 (Gemma with sandwich norms, soft caps, windows in every other block)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = gemma::base(config)?;
        sandwich(&mut spec, config, [Some(50.0), Some(30.0)])?;
        let window = config.optional("sliding_window", Some(4096), Config::size)?;
        let sliding = sliding_window::slides(config, spec.n_layers, |l| l % 2 == 0)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        NAMES
    }
}
