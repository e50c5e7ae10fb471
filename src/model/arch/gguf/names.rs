//! Names the tensors of a converted GGUF file. The names equal the names in the architecture's safetensors
//! files, except for maps that GGUF splits or joins differently.

use crate::model::arch::tensor_names::{ExpertMaps, ExpertNames, Qkv, TensorNames};
use crate::model::weights::Gguf;

/// Queries, keys and values, if the GGUF file has three tensors for them but safetensors files have one.
const APART: Qkv = Qkv::Split(["attn_q", "attn_k", "attn_v"]);

/// The names of an architecture's tensors in the converted checkpoint.
pub(in crate::model) fn tensor_names(gguf: &Gguf, published: TensorNames) -> TensorNames {
    let has_one_map = gguf.shape("blk.0.attn_qkv.weight").is_some();
    let qkv = match published.qkv {
        // Safetensors files group queries, keys and values by head. GGUF files store all queries, then all
        // keys, then all values.
        Qkv::Grouped(name) if has_one_map => Qkv::Concat(name),
        Qkv::Grouped(_) => APART,
        Qkv::Concat(_) if !has_one_map => APART,
        other => other,
    };
    let maps = ["ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"];
    let has_biases = matches!(published.experts.maps, ExpertMaps::Alternating(_));
    let experts = ExpertNames {
        maps: ExpertMaps::Apart { maps, has_biases },
        shared: ["ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp"],
        ..published.experts
    };
    TensorNames { qkv, experts, ..published }
}
