//! Counts the parameters of a checkpoint from its headers.

use super::arch::{TensorNames, TensorPrefixes};
use super::spec::Spec;
use super::weights::Checkpoint;

/// Number of parameters in the blocks, and in the embeddings, norms, projections and head around them.
/// Weights that the embedding and the head share count once. Other parts of a model, such as an image
/// encoder, do not count.
pub(super) fn n_params(names: &TensorNames, spec: &Spec, checkpoint: &Checkpoint) -> usize {
    let TensorPrefixes { prefix, head } =
        names.place(&|name| checkpoint.shapes().any(|(other, _)| other == name));
    let around = [names.embedding, names.embedding_norm, names.positions, names.final_norm];
    let is_around = |module: &str| {
        (!spec.tied && module == head)
            || module.strip_prefix(&prefix).is_some_and(|module| {
                !module.is_empty() && (around.contains(&module) || names.projections.contains(&module))
            })
    };
    let blocks = format!("{prefix}{}.", names.blocks);
    let further: Vec<String> =
        (spec.n_layers..spec.n_layers + spec.n_further_blocks).map(|l| format!("{blocks}{l}.")).collect();
    let counts = |name: &str| {
        let module = name.strip_suffix(".weight").or_else(|| name.strip_suffix(".bias")).unwrap_or(name);
        let is_further = further.iter().any(|block| name.starts_with(block));
        (name.starts_with(&blocks) && !is_further) || is_around(module)
    };
    let parameters = checkpoint.parameters().filter(|(name, _)| counts(name));
    parameters.map(|(_, shape)| shape.iter().product::<usize>()).sum()
}
