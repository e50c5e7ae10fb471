//! Granite with windows: three of four blocks slide, every head has a sink, and each block has a rotary base
//! of its own or none.

use super::{Architecture, Config, TensorNames, granite, llama, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{Norm, Spec};

pub(super) struct GraniteSwa;

/// Gives a Granite its windows, sinks and rotary bases.
///
/// # Errors
/// If a list is not one entry for each block.
pub(super) fn set_attention(spec: &mut Spec, config: &Config) -> Result<()> {
    spec.sinks = true;
    rotate_by_block(spec, config)?;
    let window = config.optional("sliding_window", Some(128), Config::size)?;
    let sliding = sliding_window::slides(config, spec.n_layers, |l| l % 4 != 0)?;
    sliding_window::set_windows(spec, window, &sliding);
    Ok(())
}

/// `layer_rope_theta`: the base of each block, 0 for one without positions.
fn rotate_by_block(spec: &mut Spec, config: &Config) -> Result<()> {
    if config.get("layer_rope_theta").is_none() {
        return Ok(());
    }
    let list = config.list("layer_rope_theta")?;
    let thetas: Option<Vec<f64>> = list.iter().map(|theta| theta.as_f64().filter(|t| *t >= 0.0)).collect();
    let Some(thetas) = thetas.filter(|thetas| thetas.len() == spec.n_layers) else {
        let n = spec.n_layers;
        return Err(config.fault(format!("layer_rope_theta is not one base for each of {n} blocks")));
    };
    let mut distinct: Vec<f64> = thetas.iter().copied().filter(|theta| *theta > 0.0).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let described = [config.object("rope_scaling")?, config.object("rope_parameters")?];
    let mut ropes = vec![];
    for theta in &distinct {
        let own = described.iter().flatten().map(|source| source.with("rope_theta", (*theta).into()));
        let own: Vec<Config> = own.collect();
        let config = config.with("rope_theta", (*theta).into());
        ropes.push(rotary::table(spec, &config, &own.iter().collect::<Vec<_>>(), rotary::USUAL)?);
    }
    spec.ropes = ropes;
    for (layer, theta) in spec.layers.iter_mut().zip(&thetas) {
        layer.rope = distinct.iter().position(|other| other == theta);
    }
    Ok(())
}

impl Architecture for GraniteSwa {
    fn model_type(&self) -> &'static str {
        "granite_swa"
    }

    fn summary(&self) -> &'static str {
        "Granite with sliding windows (attention sinks, a rotary base for each block)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = granite::base(config)?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        spec.tied = config.flag_or("tie_word_embeddings", true)?;
        set_attention(&mut spec, config)?;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
