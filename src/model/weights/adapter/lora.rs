//! Merges a LoRA. For a linear map `W`, a LoRA has two low-rank maps `A` and `B`, and the merged map is `W +
//! scale B A`.

use std::collections::BTreeMap;
use std::path::Path;

use super::settings::LoraSettings;
use super::{CONFIG, WEIGHTS};
use crate::disk;
use crate::error::{Error, Result};
use crate::model::weights::bytes::Bytes;
use crate::model::weights::entry::TensorEntry;
use crate::model::weights::format::entries;
use crate::model::weights::values;
use crate::numeric::kernels;

/// The two low-rank maps of one module.
#[derive(Debug, Default)]
struct Pair {
    a: Option<TensorEntry>,
    b: Option<TensorEntry>,
}

/// A change to the weights of one tensor.
#[derive(Debug)]
struct Change {
    module: String,
    /// `(rank, in)`
    a: TensorEntry,
    /// `(out, rank)`
    b: TensorEntry,
    scale: f64,
}

/// A LoRA to be merged into a checkpoint.
#[derive(Debug)]
pub(in crate::model::weights) struct Adapter {
    file: Bytes,
    /// The changes, by the name of the changed tensor.
    changes: BTreeMap<String, Change>,
}

impl Adapter {
    /// Opens the adapter in a folder. `names` and `shape_of` describe the tensors of the checkpoint.
    /// `is_copy` returns whether a tensor of the checkpoint has the given shape and values.
    ///
    /// # Errors
    /// [`Error::Config`] for an unsupported adapter; [`Error::Tensor`] if the file contains anything other
    /// than pairs of maps, or belongs to another checkpoint; and an error for any fault in the files.
    pub(in crate::model::weights) fn open<'a>(
        folder: &Path,
        shape_of: impl Fn(&str) -> Option<&'a [usize]>,
        names: &(impl Iterator<Item = &'a str> + Clone),
        is_copy: impl Fn(&str, &[usize], &[f32]) -> Result<bool>,
    ) -> Result<Self> {
        let path = folder.join(CONFIG);
        let bytes = disk::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let settings = LoraSettings::parse(&path, &bytes)?;
        let name = WEIGHTS.into_iter().find(|name| folder.join(name).exists()).unwrap_or(WEIGHTS[0]);
        let file = Bytes::open(&folder.join(name))?;
        let mut changes = BTreeMap::new();
        let (pairs, others) = tensors(&file)?;
        for (name, module, entry) in others {
            // If the LoRA changes the embedding or the head, peft also stores unchanged copies of both in the
            // file. These copies can be ignored.
            let copy = target(&module, names).filter(|_| entry.stored.block().is_some());
            let is_same = copy.map(|target| is_copy(&target, &entry.shape, &values::read(&file, &entry)?));
            if !is_same.transpose()?.unwrap_or(false) {
                let reason = "is not part of a LoRA over linear layers, so surmise cannot merge it; merge \
                              the adapter with peft (`model.merge_and_unload().save_pretrained(folder)`) and \
                              give the folder of the merged model";
                return Err(Error::Tensor { path: file.path().into(), tensor: name, reason: reason.into() });
            }
        }
        for (module, pair) in pairs {
            let fault = |tensor: &str, reason: String| Error::Tensor {
                path: file.path().into(),
                tensor: tensor.to_owned(),
                reason,
            };
            let (Some(a), Some(b)) = (pair.a, pair.b) else {
                let reason = "has only one of its two LoRA maps; download or save the adapter again";
                return Err(fault(&module, reason.into()));
            };
            let Some(target) = target(&module, names) else {
                let reason = if module.ends_with("lm_head") {
                    "changes a head that is tied to the embedding, which surmise cannot merge; merge the \
                     adapter with peft and give the folder of the merged model"
                } else {
                    "changes a map that the checkpoint does not have: the adapter belongs to another model; \
                     name that model with --base"
                };
                return Err(fault(&module, reason.into()));
            };
            let shapes = (a.shape.as_slice(), b.shape.as_slice());
            let ([rank, d_in], [d_out, again]) = shapes else {
                let reason = format!(
                    "has maps of shapes {:?} and {:?}, but only matrices can be merged; merge the adapter \
                     with peft and give the folder of the merged model",
                    a.shape, b.shape
                );
                return Err(fault(&module, reason));
            };
            let shape = shape_of(&target).unwrap_or_default();
            if rank != again || *rank == 0 || (shape != [*d_out, *d_in] && shape != [*d_in, *d_out]) {
                let reason = format!(
                    "has maps of shapes {:?} and {:?}, but the checkpoint's {target} has shape {shape:?}: \
                     the adapter belongs to another model; name that model with --base",
                    a.shape, b.shape
                );
                return Err(fault(&module, reason));
            }
            let scale = settings.scale(&module, *rank);
            changes.insert(target, Change { module, a, b, scale });
        }
        if changes.is_empty() {
            return Err(file.fault("contains no LoRA maps; use another adapter"));
        }
        Ok(Self { file, changes })
    }

    /// Number of tensors that the adapter changes, and its largest rank.
    pub(in crate::model::weights) fn size(&self) -> (usize, usize) {
        let ranks = self.changes.values().map(|change| change.a.shape[0]);
        (self.changes.len(), ranks.max().unwrap_or(0))
    }

    pub(in crate::model::weights) fn sha256(&self) -> Result<String> {
        self.file.sha256()
    }

    /// Whether the adapter changes a tensor.
    pub(in crate::model::weights) fn changes(&self, name: &str) -> bool {
        self.changes.contains_key(name)
    }

    /// Adds the adapter's change to the values of a tensor. `is_conv1d` states that the tensor is stored as
    /// `(in, out)` instead of `(out, in)`; the shape of a square matrix does not show this.
    ///
    /// # Errors
    /// [`Error::Tensor`] if a map has an unsupported type or contains NaN or infinity; [`Error::Read`] if the
    /// file cannot be read.
    pub(in crate::model::weights) fn merge(
        &self,
        name: &str,
        shape: &[usize],
        is_conv1d: bool,
        values: &mut [f32],
    ) -> Result<()> {
        let Some(Change { module, a, b, scale }) = self.changes.get(name) else { return Ok(()) };
        let read = |entry: &TensorEntry, which: &str| -> Result<Vec<f32>> {
            let fault = |reason: String| Error::Tensor {
                path: self.file.path().into(),
                tensor: format!("{module}.lora_{which}"),
                reason,
            };
            if entry.stored.block().is_none() {
                let name = entry.stored.name();
                return Err(fault(format!("has type {name}; save the adapter again as f32, f16 or bf16")));
            }
            let values = values::read(&self.file, entry)?;
            if values.iter().any(|value| !value.is_finite()) {
                return Err(fault("contains NaN or infinity; download or save the adapter again".into()));
            }
            Ok(values)
        };
        // `B` is `(out, rank)` and `A` is `(rank, in)`.
        let ([d_out, rank], d_in) = ([b.shape[0], b.shape[1]], a.shape[1]);
        let mut product = vec![0.0; d_out * d_in];
        kernels::matmul(d_out, d_in, rank, &read(b, "B")?, &read(a, "A")?, &mut product);
        product.iter_mut().for_each(|value| *value *= *scale as f32);
        if *shape != [d_out, d_in] || (is_conv1d && shape[0] == shape[1]) {
            product = kernels::transpose(d_out, d_in, &product);
        }
        values.iter_mut().zip(product).for_each(|(value, change)| *value += change);
        Ok(())
    }
}

/// The maps of each module, by the name of the module in the model; and the name, module and entry of each
/// tensor that is not a LoRA map.
type Tensors = (BTreeMap<String, Pair>, Vec<(String, String, TensorEntry)>);

fn tensors(file: &Bytes) -> Result<Tensors> {
    let (mut pairs, mut others): Tensors = (BTreeMap::new(), vec![]);
    for (name, entry) in entries(file, 0)? {
        let stem = name.trim_end_matches(".weight").trim_end_matches(".default");
        let stem = stem.strip_prefix("base_model.model.").unwrap_or(stem);
        if let Some(module) = stem.strip_suffix(".lora_A") {
            pairs.entry(module.to_owned()).or_default().a = Some(entry);
        } else if let Some(module) = stem.strip_suffix(".lora_B") {
            pairs.entry(module.to_owned()).or_default().b = Some(entry);
        } else {
            let module = stem.trim_end_matches(".base_layer").to_owned();
            others.push((name, module, entry));
        }
    }
    others.sort_by(|a, b| a.0.cmp(&b.0));
    Ok((pairs, others))
}

/// The name of the checkpoint's tensor for a module of the adapter. Either name may have an additional
/// prefix, such as `transformer.`.
fn target<'a>(module: &str, names: &(impl Iterator<Item = &'a str> + Clone)) -> Option<String> {
    let modules = || names.clone().filter_map(|name| name.strip_suffix(".weight"));
    let ends = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let longest = modules().filter(|name| ends(module, name)).max_by_key(|name| name.len());
    let found = longest.or_else(|| {
        let mut longer = modules().filter(|name| ends(name, module));
        // If there are several candidates, none of them is chosen.
        longer.next().filter(|_| longer.next().is_none())
    });
    found.map(|name| format!("{name}.weight"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_found_with_and_without_the_prefix_of_the_whole_model() {
        let find = |module: &str, names: &[&str]| target(module, &names.iter().copied());
        let llama = ["model.layers.0.self_attn.q_proj.weight", "model.layers.1.self_attn.q_proj.weight"];
        for module in ["model.layers.1.self_attn.q_proj", "layers.1.self_attn.q_proj"] {
            assert_eq!(find(module, &llama).as_deref(), Some(llama[1]), "{module}");
        }
        let gpt2 = ["h.0.attn.c_attn.weight", "h.10.attn.c_attn.weight"];
        assert_eq!(find("transformer.h.0.attn.c_attn", &gpt2).as_deref(), Some(gpt2[0]));
        assert_eq!(find("transformer.h.1.attn.c_attn", &gpt2), None);
        let two = ["text.layers.0.fc.weight", "vision.layers.0.fc.weight"];
        assert_eq!(find("layers.0.fc", &two), None);
        assert_eq!(find("text.layers.0.fc", &two).as_deref(), Some(two[0]));
    }
}
