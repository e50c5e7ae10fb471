//! Removes the prefixes that wrappers add to tensor names. `torch.compile`, data-parallel training and peft
//! save the usual tensors under names with such prefixes.

use std::collections::HashMap;

use super::entry::TensorEntry;

/// Prefixes or inner parts of names that `torch.compile`, `DataParallel`, FSDP, DeepSpeed and PEFT add.
const WRAPPERS: [&str; 5] =
    ["_orig_mod.", "_fsdp_wrapped_module.", "_forward_module.", "base_model.model.", "module."];

/// Removes the wrappers from the names of the entries. If another entry already has the name without
/// wrappers, the wrapped name is kept.
pub(super) fn stripped(entries: HashMap<String, TensorEntry>) -> HashMap<String, TensorEntry> {
    if !entries.keys().any(|name| bare(name).is_some()) {
        return entries;
    }
    let (wrapped, mut plain): (HashMap<_, _>, HashMap<_, _>) =
        entries.into_iter().partition(|(name, _)| bare(name).is_some());
    let mut wrapped: Vec<_> = wrapped.into_iter().collect();
    wrapped.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, entry) in wrapped {
        let name = bare(&name).filter(|bare| !plain.contains_key(bare)).unwrap_or(name);
        plain.insert(name, entry);
    }
    plain
}

/// A name without its wrappers, if it has any.
fn bare(name: &str) -> Option<String> {
    let mut rest = name;
    while let Some(inner) = WRAPPERS.iter().find_map(|wrapper| rest.strip_prefix(wrapper)) {
        rest = inner;
    }
    // These two wrappers never occur in the names of a model, so they can be removed anywhere in a name.
    let inner = rest.replace("._orig_mod.", ".").replace("._fsdp_wrapped_module.", ".");
    (inner != name).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn wrappers_are_stripped_in_any_order() {
        for name in ["_orig_mod.module.model.norm.weight", "module._orig_mod.model.norm.weight"] {
            assert_eq!(bare(name).as_deref(), Some("model.norm.weight"));
        }
        let compiled = bare("model.layers.0._orig_mod.mlp.up_proj.weight");
        assert_eq!(compiled.as_deref(), Some("model.layers.0.mlp.up_proj.weight"));
        assert_eq!(bare("model.norm.weight"), None);
    }
}
