//! VaultGemma: a Gemma 2 without norms after the branches.

use super::{Architecture, Config, TensorNames, gemma, gemma2, llama, sliding_window};
use crate::error::Result;
use crate::model::spec::{BlockForm, Spec};

pub(super) struct VaultGemma;

impl Architecture for VaultGemma {
    fn model_type(&self) -> &'static str {
        "vaultgemma"
    }

    fn summary(&self) -> &'static str {
        "VaultGemma (Gemma 2 without norms after the branches)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = gemma::base(config)?;
        gemma2::sandwich(&mut spec, config, [Some(50.0), Some(30.0)])?;
        spec.form = BlockForm::Pre;
        let window = config.optional("sliding_window", Some(4096), Config::size)?;
        let sliding = sliding_window::slides(config, spec.n_layers, |l| l % 2 == 0)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames { mlp_norm: "pre_feedforward_layernorm", ..llama::NAMES }
    }
}
