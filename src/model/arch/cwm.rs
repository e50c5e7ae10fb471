//! Code World Model: a Llama 3 with a window in three of four blocks.

use super::{Architecture, Config, TensorNames, llama, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{Biases, Norm, Spec};

pub(super) struct Cwm;

impl Architecture for Cwm {
    fn model_type(&self) -> &'static str {
        "cwm"
    }

    fn summary(&self) -> &'static str {
        "CWM (Llama 3 with a sliding window in three of every four blocks)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        // Without a description of rotary positions, the reference implementation uses hard-coded settings,
        // which are not supported here.
        if rotary::DESCRIPTIONS.iter().all(|key| config.get(key).is_none()) {
            return Err(config.fault("neither key `rope_parameters` nor `rope_scaling` is present"));
        }
        let defaults = rotary::Defaults { theta: 1e6, ..rotary::USUAL };
        let mut spec = llama::base(&config.with_default("head_dim", 128), defaults)?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        spec.biases = Biases { mlp: config.flag_or("mlp_bias", false)?, ..Biases::default() };
        // A window of 0 means no window.
        let window =
            config.optional("sliding_window", Some(8192), Config::size)?.filter(|window| *window > 0);
        let sliding = sliding_window::slides(config, spec.n_layers, |l| l % 4 != 0)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
