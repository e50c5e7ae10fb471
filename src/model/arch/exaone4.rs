//! EXAONE 4: a Llama with norms after the branches and query-key normalisation (QK norm). If some blocks have
//! a sliding window, the other blocks have no rotary positions.

use super::{Architecture, Config, TensorNames, llama, olmo2, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{BlockForm, Norm, QkNorm, Spec};

pub(super) struct Exaone4;

impl Architecture for Exaone4 {
    fn model_type(&self) -> &'static str {
        "exaone4"
    }

    fn summary(&self) -> &'static str {
        "EXAONE 4 (Llama with norms after each branch, QK norm, windows, and blocks without positions)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        spec.form = BlockForm::PostBranch;
        spec.qk_norm = Some(QkNorm::Head);
        config.mark_inert(&["sliding_window_pattern", "layer_types"]);
        if let Some(window) = config.optional("sliding_window", Some(4096), Config::size)? {
            // Some files give the pattern as a string with one letter per block, such as "LLLG".
            let pattern = match config.get("sliding_window_pattern").and_then(|value| value.as_str()) {
                Some(letters) => letters.len(),
                None => config.size_or("sliding_window_pattern", 4)?,
            };
            let sliding =
                sliding_window::slides(config, spec.n_layers, |l| pattern == 0 || (l + 1) % pattern != 0)?;
            sliding_window::set_windows(&mut spec, Some(window), &sliding);
            for layer in &mut spec.layers {
                layer.rope = layer.rope.filter(|_| layer.window.is_some());
            }
        }
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        olmo2::NAMES
    }
}
