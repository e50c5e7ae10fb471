//! HunYuan without experts: a Llama with query-key normalisation (QK norm) after rotary positions, and with a
//! rotary base that a constant `alpha` scales.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Norm, QkNorm, Spec};

pub(super) struct HunYuanDense;

/// The tensor names of all HunYuan models.
pub(super) const NAMES: TensorNames =
    TensorNames { qk_norms: ["self_attn.query_layernorm", "self_attn.key_layernorm"], ..llama::NAMES };

/// The spec that all HunYuan models have in common.
pub(super) fn base(config: &Config) -> Result<Spec> {
    let mut spec = llama::base(&stretched(config)?, rotary::USUAL)?;
    spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
    spec.qk_norm = Some(QkNorm::Head);
    spec.qk_norm_after_rope = true;
    Ok(spec)
}

/// Returns the config with the scaled rotary base. If the description of rotary positions has the type
/// `dynamic` and an `alpha`, the base becomes `theta * alpha^(d / (d - 2))` for heads of width `d`. In other
/// models with the type `dynamic`, the base depends on the length of the window; here it does not.
fn stretched(config: &Config) -> Result<Config> {
    let mut descriptions = vec![];
    for key in rotary::DESCRIPTIONS {
        descriptions.extend(config.object(key)?);
    }
    let Some(holder) = descriptions.iter().find(|description| description.get("alpha").is_some()) else {
        return Ok(config.clone());
    };
    let kind = holder.text_or(holder.present_alias(&["rope_type", "type"]), "default")?;
    if !["dynamic", "ntk_alpha"].contains(&kind) {
        return Ok(config.clone());
    }
    let alpha = holder.positive("alpha")?;
    let width = match config.get("head_dim") {
        Some(_) => config.count("head_dim")?,
        None => config.share(config.size("hidden_size")?, config.count("num_attention_heads")?)?,
    };
    if width <= 2 {
        return Err(config.fault(format!("heads of width {width} are too narrow to scale the rotary base")));
    }
    let own = descriptions.iter().find(|description| description.get("rope_theta").is_some());
    let theta = own.unwrap_or(config).positive_or("rope_theta", rotary::USUAL.theta)?;
    let theta = theta * alpha.powf(width as f64 / (width - 2) as f64);
    Ok(config.without(&rotary::DESCRIPTIONS).with("rope_theta", theta.into()))
}

impl Architecture for HunYuanDense {
    fn model_type(&self) -> &'static str {
        "hunyuan_v1_dense"
    }

    fn summary(&self) -> &'static str {
        "HunYuan 0.5B to 7B (Llama with QK norm after rotary positions)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        base(config)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        NAMES
    }
}
