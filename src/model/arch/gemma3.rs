//! Gemma 3, text: Gemma 2 with norms of query and key heads, without caps, and with rotary angles of their
//! own in blocks that slide.

use super::{Architecture, Config, TensorNames, gemma, gemma2, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{QkNorm, Spec};

pub(super) struct Gemma3;

/// Two tables: one for blocks that see everything, one for blocks that slide. Transformers 5 nests them in
/// `rope_parameters`; before, `rope_theta` and `rope_scaling` were for the first kind and
/// `rope_local_base_freq` for the second.
fn ropes(spec: &mut Spec, config: &Config) -> Result<()> {
    let (whole, local) = (
        rotary::Defaults { theta: 1e6, ..rotary::USUAL },
        rotary::Defaults { theta: config.positive_or("rope_local_base_freq", 10_000.0)?, ..rotary::USUAL },
    );
    let nested = config.object("rope_parameters")?;
    let nested =
        |key: &str| nested.as_ref().map(|nested| nested.object(key)).transpose().map(Option::flatten);
    let (scaling, full, slides) =
        (config.object("rope_scaling")?, nested("full_attention")?, nested("sliding_attention")?);
    let sources: Vec<&Config> = [scaling.as_ref(), full.as_ref()].into_iter().flatten().collect();
    let full = rotary::table(spec, config, &sources, whole)?;
    let config = config.without(&["rope_theta"]);
    let slides = rotary::table(spec, &config, &slides.iter().collect::<Vec<_>>(), local)?;
    spec.ropes = vec![full, slides];
    Ok(())
}

impl Architecture for Gemma3 {
    fn model_type(&self) -> &'static str {
        "gemma3_text"
    }

    fn summary(&self) -> &'static str {
        "Gemma 3 text (Gemma 2 with norms of query and key heads, two rotary bases)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        // The rotary settings of Gemma 3 are two: hidden from what reads the one of its relatives.
        let mut spec = gemma::base(&config.without(&["rope_parameters", "rope_scaling"]))?;
        gemma2::sandwich(&mut spec, config, [None, None])?;
        if let Some(cap) = spec.attention_softcap {
            return config.unsupported("attn_logit_softcapping", cap);
        }
        spec.qk_norm = Some(QkNorm::Head);
        ropes(&mut spec, config)?;
        let window = config.optional("sliding_window", Some(4096), Config::size)?;
        let pattern = config
            .size_or(config.present_alias(&["sliding_window_pattern", "_sliding_window_pattern"]), 6)?;
        let sliding =
            sliding_window::slides(config, spec.n_layers, |l| pattern == 0 || (l + 1) % pattern != 0)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        for (layer, slides) in spec.layers.iter_mut().zip(sliding) {
            layer.rope = Some(usize::from(slides));
        }
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        gemma2::NAMES
    }
}
