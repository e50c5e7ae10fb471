//! Gemma 3 for text: Gemma 2 with query-key normalisation (QK norm), without softcaps, and with separate
//! rotary angles in sliding-window blocks.

use super::{Architecture, Config, TensorNames, gemma, gemma2, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{QkNorm, Spec};

pub(super) struct Gemma3;

impl Architecture for Gemma3 {
    fn model_type(&self) -> &'static str {
        "gemma3_text"
    }

    fn summary(&self) -> &'static str {
        "Gemma 3 text (Gemma 2 with QK norm and two rotary bases)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        // Gemma 3 has two rotary tables, which are read below. Remove their keys, because `gemma::base`
        // supports only one table.
        let mut spec = gemma::base(&config.without(&rotary::DESCRIPTIONS))?;
        gemma2::sandwich(&mut spec, config, [None, None])?;
        if let Some(cap) = spec.attention_softcap {
            return config.unsupported("attn_logit_softcapping", cap);
        }
        spec.qk_norm = Some(QkNorm::Head);
        let window = config.optional("sliding_window", Some(4096), Config::size)?;
        let pattern = config
            .size_or(config.present_alias(&["sliding_window_pattern", "_sliding_window_pattern"]), 6)?;
        let sliding =
            sliding_window::slides(config, spec.n_layers, |l| pattern == 0 || (l + 1) % pattern != 0)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        let local = config.positive_or("rope_local_base_freq", 10_000.0)?;
        let defaults = [1e6, local].map(|theta| rotary::Defaults { theta, ..rotary::USUAL });
        rotary::rotate_by_kind(&mut spec, config, defaults, &sliding)?;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        gemma2::NAMES
    }
}
