//! gpt-oss: a mixture of experts with clamped gates and biases, learned attention sinks, a window in every
//! other block, and YaRN. The published weights are quantised (MXFP4).

use super::tensor_names::{ExpertMaps, ExpertNames};
use super::{Architecture, Config, TensorNames, llama, mixture, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{Activation, Biases, Norm, Spec};

pub(super) struct GptOss;

impl Architecture for GptOss {
    fn model_type(&self) -> &'static str {
        "gpt_oss"
    }

    fn summary(&self) -> &'static str {
        "gpt-oss (mixture of experts, optionally in MXFP4, attention sinks, windows in every other block)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        // Without a description of rotary positions, the reference implementation uses YaRN with hard-coded
        // numbers, which are not supported here.
        if rotary::DESCRIPTIONS.iter().all(|key| config.get(key).is_none()) {
            return Err(config.fault("neither key `rope_parameters` nor `rope_scaling` is present"));
        }
        // The details of MXFP4 in `quantization_config` are not needed, because the tensor names show which
        // weights are quantised.
        if let Some(quantised) = config.object("quantization_config")?
            && quantised.text_or("quant_method", "")? != "mxfp4"
        {
            return config.unsupported("quantization_config", "{..}");
        }
        let defaults = rotary::Defaults { theta: 150_000.0, ..rotary::USUAL };
        let mut spec = llama::base(&config.with_default("head_dim", 64), defaults)?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        let bias = config.flag_or("attention_bias", true)?;
        spec.biases = Biases { qkv: bias, output: bias, ..Biases::default() };
        spec.sinks = true;
        spec.activation = Activation::ClampedSwiGlu {
            alpha: config.positive_or("swiglu_alpha", 1.702)? as f32,
            limit: config.positive_or("swiglu_limit", 7.0)? as f32,
        };
        let window = config.optional("sliding_window", Some(128), Config::size)?;
        let sliding = sliding_window::slides(config, spec.n_layers, |l| l % 2 == 0)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        let mut experts = mixture::base(config, &["num_local_experts", "num_experts"], spec.d_mlp)?;
        experts.router_bias = true;
        mixture::set(&mut spec, experts, |_| true);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        let maps = ExpertMaps::Alternating(["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]);
        let experts = ExpertNames { router: "mlp.router", maps, ..ExpertNames::USUAL };
        TensorNames { experts, ..llama::NAMES }
    }
}
