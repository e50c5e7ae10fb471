//! OLMo 3: an OLMo 2 with windows in three of four blocks; in these blocks, the rotary angles are not scaled.

use super::{Architecture, Config, TensorNames, olmo2, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct Olmo3;

impl Architecture for Olmo3 {
    fn model_type(&self) -> &'static str {
        "olmo3"
    }

    fn summary(&self) -> &'static str {
        "OLMo 3 (OLMo 2 with a sliding window in three of every four blocks)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        // OLMo 3 has two rotary tables, which are read below. Remove their keys, because `olmo2::base`
        // supports only one table.
        let mut spec = olmo2::base(&config.without(&rotary::DESCRIPTIONS))?;
        let defaults = rotary::Defaults { theta: 500_000.0, ..rotary::USUAL };
        let window = config.optional("sliding_window", Some(4096), Config::size)?;
        let sliding = sliding_window::slides(config, spec.n_layers, |l| (l + 1) % 4 != 0)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        rotary::rotate_by_kind(&mut spec, config, [defaults; 2], &sliding)?;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        olmo2::NAMES
    }
}
