//! Reads mixtures of experts from configs.

use super::config::Config;
use crate::error::Result;
use crate::model::spec::{ExpertGroups, ExpertWeights, Mixture, SharedExpert, Spec};

/// Reads a mixture without a shared expert. `n_experts` lists the possible keys for the number of experts.
///
/// # Errors
/// If a number is missing or invalid.
pub(super) fn base(config: &Config, n_experts: &[&str], d_expert: usize) -> Result<Mixture> {
    Ok(Mixture {
        n_experts: config.count(config.present_alias(n_experts))?,
        n_chosen: config.count(config.present_alias(&["num_experts_per_tok", "moe_topk", "moe_k"]))?,
        d_expert,
        weights: ExpertWeights::SoftmaxOfChosen,
        scale: 1.0,
        choice_bias: false,
        groups: None,
        router_bias: false,
        shared: None,
    })
}

/// Reads a mixture as in DeepSeek 3: sigmoid weights, a bias in the choice of experts, groups of experts, and
/// shared experts that are stored as one wide MLP. `is_normalised` and `n_shared` are the defaults of
/// `norm_topk_prob` and `n_shared_experts`.
///
/// # Errors
/// If a number is missing or invalid.
pub(super) fn sigmoid(config: &Config, is_normalised: bool, n_shared: usize) -> Result<Mixture> {
    let d_expert = config.size("moe_intermediate_size")?;
    let mut mixture = base(config, &["n_routed_experts", "num_local_experts"], d_expert)?;
    mixture.weights = match config.flag_or("norm_topk_prob", is_normalised)? {
        true => ExpertWeights::NormalisedSigmoid,
        false => ExpertWeights::Sigmoid,
    };
    mixture.scale = config.positive_or("routed_scaling_factor", 1.0)?;
    mixture.choice_bias = true;
    let groups =
        ExpertGroups { n: config.count_or("n_group", 1)?, n_chosen: config.count_or("topk_group", 1)? };
    mixture.groups = Some(groups).filter(|groups| *groups != ExpertGroups { n: 1, n_chosen: 1 });
    mixture.shared = shared(config.count_or("n_shared_experts", n_shared)?, d_expert);
    Ok(mixture)
}

/// `n` shared experts of width `d_expert`, stored as one MLP; `None` if `n` is 0.
pub(super) fn shared(n: usize, d_expert: usize) -> Option<SharedExpert> {
    (n > 0).then_some(SharedExpert { d_mlp: n.saturating_mul(d_expert), gated: false })
}

/// Reads from `norm_topk_prob` whether the weights of the chosen experts are normalised to a sum of 1.
///
/// # Errors
/// If the value is neither true nor false.
pub(super) fn weights(config: &Config) -> Result<ExpertWeights> {
    let normalised = config.flag_or("norm_topk_prob", false)?;
    Ok(if normalised { ExpertWeights::SoftmaxOfChosen } else { ExpertWeights::SoftmaxOfAll })
}

/// Sets the mixture of a spec. Block `l` has the mixture if `has(l)` is true.
pub(super) fn set(spec: &mut Spec, mixture: Mixture, has: impl Fn(usize) -> bool) {
    spec.mixture = Some(mixture);
    spec.layers.iter_mut().enumerate().for_each(|(l, layer)| layer.mixture = has(l));
}

/// Whether each block has experts: every `decoder_sparse_step`-th block has experts, unless `mlp_only_layers`
/// contains the number of the block.
///
/// # Errors
/// If the values are not counts.
pub(super) fn sparse_blocks(config: &Config, n_layers: usize) -> Result<Vec<bool>> {
    let step = config.count_or("decoder_sparse_step", 1)?;
    if step == 0 {
        return Err(config.fault("key `decoder_sparse_step` is 0"));
    }
    let mut sparse: Vec<bool> = (0..n_layers).map(|l| (l + 1) % step == 0).collect();
    if config.get("mlp_only_layers").is_some() {
        for layer in config.list("mlp_only_layers")? {
            let index = layer.as_u64().and_then(|l| usize::try_from(l).ok());
            let Some(index) = index else {
                return Err(config.fault(format!(
                    "key `mlp_only_layers` contains {layer}, which is not the number of a block"
                )));
            };
            sparse.iter_mut().skip(index).take(1).for_each(|sparse| *sparse = false);
        }
    }
    Ok(sparse)
}
