//! Converts the tensors of a GGUF file to the names and layouts of the architecture's safetensors files.

use super::form::GgufForm;
use super::kind;
use crate::error::{Error, Result};
use crate::model::arch::tensor_names::{ExpertMaps, ExpertNames, MlpIn, Qkv, TensorNames};
use crate::model::spec::{BlockForm, Norm, Spec};
use crate::model::weights::gguf::{Gguf, Placed};
use crate::model::weights::{Checkpoint, Layout, Precision};

/// Rotary tables, which are not parameters. The converted config describes the rotary positions.
const TABLES: [&str; 4] = ["rope_freqs", "rope_factors_long", "rope_factors_short", "attn_rot_embd"];

/// The weights of a GGUF file, as a checkpoint with the tensor names of the architecture's safetensors files.
///
/// # Errors
/// [`Error::Tensor`] for a parameter that the architecture does not have, or that has a wrong shape.
pub(in crate::model) fn checkpoint(
    gguf: &Gguf,
    spec: &Spec,
    names: &TensorNames,
    precision: Precision,
) -> Result<Checkpoint> {
    let has_two_norms = gguf.shape("blk.0.attn_norm_2.weight").is_some();
    let table = Table { form: kind::form(gguf)?, spec, names, has_two_norms };
    let mut placed = vec![];
    for name in gguf.names() {
        let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
        let part = stem.rsplit('.').next().unwrap_or(stem);
        if TABLES.contains(&part) {
            continue;
        }
        let of_block = stem.strip_prefix("blk.").and_then(|rest| rest.split_once('.'));
        let found = match of_block {
            Some((block, part)) if block.parse::<usize>().is_ok_and(|block| block < spec.n_layers) => {
                let prefix = format!("{}{}.{block}.", names.prefixes[0], names.blocks);
                table.within_block(part).map(|modules| (prefix, modules))
            }
            Some(_) => None,
            None if stem == "output" => Some((String::new(), vec![Module::whole(names.head)])),
            None => table.around(stem).map(|module| (names.prefixes[0].to_owned(), vec![module])),
        };
        let Some((prefix, modules)) = found.filter(|_| matches!(end, "weight" | "bias")) else {
            return Err(Error::Tensor {
                path: gguf.path().into(),
                tensor: name.to_owned(),
                reason: format!(
                    "is not a parameter of `{}` with this metadata: the states would be \
                     wrong; use another model",
                    table.form.name
                ),
            });
        };
        for Module { name: module, rows, layout } in modules {
            // The published name of the attention sinks has no suffix.
            let is_whole = module == names.sinks;
            placed.push(Placed {
                from: name.to_owned(),
                rows,
                name: if is_whole { format!("{prefix}{module}") } else { format!("{prefix}{module}.{end}") },
                layout: table.layout(part, end, layout),
            });
        }
    }
    gguf.checkpoint(&placed, precision)
}

/// A map or norm with its published name, and the part of a tensor in the GGUF file that contains it.
struct Module {
    name: &'static str,
    rows: Option<[usize; 2]>,
    layout: Layout,
}

impl Module {
    fn whole(name: &'static str) -> Self {
        Self { name, rows: None, layout: Layout::Published }
    }
}

struct Table<'a> {
    form: &'static GgufForm,
    spec: &'a Spec,
    names: &'a TensorNames,
    /// Whether each of the parallel branches has its own norm (Falcon 40B).
    has_two_norms: bool,
}

impl Table<'_> {
    /// The published name of a tensor outside the blocks.
    fn around(&self, stem: &str) -> Option<Module> {
        let name = match stem {
            "token_embd" => self.names.embedding,
            "token_embd_norm" => self.names.embedding_norm,
            "position_embd" => self.names.positions,
            "output_norm" => self.names.final_norm,
            _ => "",
        };
        (!name.is_empty()).then(|| Module::whole(name))
    }

    /// The maps and norms that a tensor of a block contains.
    fn within_block(&self, part: &str) -> Option<Vec<Module>> {
        let (names, is_after) = (self.names, self.spec.form == BlockForm::PostBranch);
        let name = match (part, names.mlp_in) {
            ("attn_q" | "attn_k" | "attn_v" | "attn_qkv", _) => return self.of_qkv(part),
            // If parallel branches have two norms, the second norm belongs to attention.
            ("attn_norm_2", _) => names.attention_norm,
            ("attn_norm", _) if self.has_two_norms => names.mlp_norm,
            ("attn_norm", _) if !is_after => names.attention_norm,
            ("ffn_norm", _) if !is_after => names.mlp_norm,
            ("post_attention_norm", _) if is_after => names.attention_norm,
            ("post_ffw_norm", _) if is_after => names.mlp_norm,
            ("post_attention_norm", _) if self.spec.form == BlockForm::Sandwich => names.attention_post_norm,
            ("post_attention_norm", _) => names.mlp_norm,
            ("post_ffw_norm", _) => names.mlp_post_norm,
            ("attn_q_norm", _) => names.qk_norms[0],
            ("attn_k_norm", _) => names.qk_norms[1],
            ("attn_output", _) => names.output,
            ("attn_sinks", _) if self.spec.sinks => names.sinks,
            ("ffn_down", _) => names.mlp_out,
            ("ffn_up", MlpIn::Concat(both)) => both,
            ("ffn_up", MlpIn::Split { up, .. }) => up,
            ("ffn_gate", MlpIn::Split { gate, .. }) => gate,
            _ if self.spec.mixture.is_some() => return self.of_experts(part),
            _ => "",
        };
        (!name.is_empty()).then(|| vec![Module::whole(name)])
    }

    /// The published name of a tensor of the router, the experts or the shared expert.
    fn of_experts(&self, part: &str) -> Option<Vec<Module>> {
        let ExpertNames { router, maps, shared, shared_gate, .. } = self.names.experts;
        let all = match maps {
            ExpertMaps::Apart { maps, .. } => maps,
            _ => return None,
        };
        let module = match part {
            "ffn_gate_inp" => Module::whole(router),
            "ffn_gate_exps" => Module::whole(all[0]),
            "ffn_up_exps" => Module::whole(all[1]),
            "ffn_down_exps" => Module::whole(all[2]),
            "ffn_gate_shexp" => Module::whole(shared[0]),
            "ffn_up_shexp" => Module::whole(shared[1]),
            "ffn_down_shexp" => Module::whole(shared[2]),
            "ffn_gate_inp_shexp" => Module { name: shared_gate, rows: None, layout: Layout::Row },
            _ => return None,
        };
        Some(vec![module])
    }

    /// The queries, keys or values that a tensor contains. If one tensor contains all three, they are in this
    /// order.
    fn of_qkv(&self, part: &str) -> Option<Vec<Module>> {
        let Spec { n_heads, n_kv_heads, head_dim, .. } = *self.spec;
        let rotated = |n_heads: usize| match self.form.is_interleaved {
            true => Layout::Swapped { outer: n_heads, a: head_dim / 2, b: 2 },
            false => Layout::Published,
        };
        let whole = |name, layout| Some(vec![Module { name, rows: None, layout }]);
        match (part, self.names.qkv) {
            ("attn_q", Qkv::Split([query, _, _])) => whole(query, rotated(n_heads)),
            ("attn_k", Qkv::Split([_, key, _])) => whole(key, rotated(n_kv_heads)),
            ("attn_v", Qkv::Split([_, _, value])) => whole(value, Layout::Published),
            ("attn_qkv", Qkv::Concat(name)) => whole(name, Layout::Published),
            ("attn_qkv", Qkv::Split([query, key, value])) => {
                let (of_query, of_key) = (n_heads * head_dim, n_kv_heads * head_dim);
                let module = |name, first, n, layout| Module { name, rows: Some([first, n]), layout };
                Some(vec![
                    module(query, 0, of_query, rotated(n_heads)),
                    module(key, of_query, of_key, rotated(n_kv_heads)),
                    module(value, of_query + of_key, of_key, Layout::Published),
                ])
            }
            _ => None,
        }
    }

    /// How the values of a tensor are converted. `layout` applies except to norm weights that safetensors
    /// files store minus 1, and to maps that safetensors files store transposed.
    fn layout(&self, part: &str, end: &str, layout: Layout) -> Layout {
        let has_offset =
            matches!(self.spec.norm, Norm::Rms { offset: true, .. }) || self.names.norms_less_one;
        let is_map = matches!(part, "attn_qkv" | "attn_output" | "ffn_up" | "ffn_down");
        match end {
            "weight" if has_offset && part.ends_with("norm") => Layout::PlusOne,
            "weight" if self.names.transposed && is_map => Layout::Transposed,
            _ => layout,
        }
    }
}
