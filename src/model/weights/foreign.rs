//! Recognises weights that surmise cannot read: files of other tools by their file names, and quantised
//! weights by their tensor names. The error messages include advice.

/// Advice for files that transformers can read and save in a supported format.
const CONVERT: &str = "save the model as safetensors with transformers 4";

/// Files of other tools: endings of the file names, the tool, and how to convert the files. The most likely
/// files of a language model come first.
pub(in crate::model) const FILES: [(&[&str], &str, &str); 10] = [
    (&["tf_model.h5", ".ckpt.index", "tf_model.h5.index.json"], "TensorFlow", "from_tf=True"),
    (&["flax_model.msgpack", "flax_model.msgpack.index.json"], "Flax", "from_flax=True"),
    (&[".onnx", ".onnx_data"], "ONNX", ""),
    (&["rust_model.ot"], "rust-bert", ""),
    (&[".distcp"], "a distributed checkpoint of PyTorch, DCP", "dcp"),
    (&["zero_to_fp32.py", "_model_states.pt"], "DeepSpeed", "zero"),
    (&[".nemo"], "NeMo", ""),
    (&["weights.npz", ".npz"], "MLX", ""),
    (
        &[".tflite", ".mlmodel", ".mlpackage", ".task", ".litertlm", ".engine"],
        "a format for inference only",
        "",
    ),
    (&[".pth", ".pt", ".ckpt"], "custom PyTorch code", ""),
];

/// The reason why surmise cannot read the model in files with these names; `None` if no name is recognised.
/// The names must not include a name in `PUBLISHED`.
pub(in crate::model) fn reason(names: &[&str]) -> Option<String> {
    let some = |end: &str| names.iter().find(|name| name.ends_with(end)).copied();
    if some(".gguf").is_some() {
        return None;
    }
    if let Some(last) = last_checkpoint(names) {
        return Some(format!(
            "contains several checkpoints of a training run; give one of them, for example {last}"
        ));
    }
    if let Some(name) = names.iter().find(|name| file_name(name).starts_with("consolidated.")) {
        return Some(format!(
            "has its weights only in {name}, the original format of Meta and Mistral; \
             use the files in the format of transformers (in the same repository, or in the repository \
             whose name ends in -hf), or convert the weights with transformers \
             (convert_llama_weights_to_hf.py, convert_mistral_weights_to_hf.py)"
        ));
    }
    for (ends, whose, how) in FILES {
        let Some(name) = ends.iter().find_map(|end| some(end)) else { continue };
        let what = match how {
            "" => "use a repository of the model that has model.safetensors".to_owned(),
            "dcp" => "convert them to pytorch_model.bin with `python -m \
                      torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER pytorch_model.bin`"
                .to_owned(),
            "zero" => {
                "convert them to pytorch_model.bin with the zero_to_fp32.py in the same folder".to_owned()
            }
            flag => format!(
                "{CONVERT} (`AutoModelForCausalLM.from_pretrained(folder, {flag}).save_pretrained(out)`)"
            ),
        };
        return Some(format!("has weights in an unsupported format, {name} ({whose}); {what}"));
    }
    let orphan = some(".safetensors").or_else(|| names.iter().find(|name| is_bin(name)).copied())?;
    let published = if orphan.ends_with(".bin") { "pytorch_model.bin" } else { "model.safetensors" };
    Some(format!(
        "has no weight file with a standard name; if {orphan} contains the whole model, rename it to \
         {published}"
    ))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file with this name may contain PyTorch weights. The names of files with the state of a training
/// run also end in `.bin`.
fn is_bin(name: &str) -> bool {
    let others = ["training_args.bin", "optimizer.bin", "scheduler.bin"];
    name.ends_with(".bin") && !name.contains("adapter") && !others.contains(&file_name(name))
}

/// The folder `checkpoint-N` with the largest N.
fn last_checkpoint<'a>(names: &[&'a str]) -> Option<&'a str> {
    let folder = |name: &&'a str| {
        let folder = name.split_once('/').map_or(*name, |(folder, _)| folder);
        let step: u64 = folder.strip_prefix("checkpoint-")?.parse().ok()?;
        Some((step, folder))
    };
    names.iter().filter_map(folder).max().map(|(_, folder)| folder)
}

/// Endings of tensor names that show quantised weights, and the quantisation method.
pub(in crate::model) const MARKS: [(&str, &str); 13] = [
    (".g_idx", "GPTQ"),
    (".qweight", "GPTQ or AWQ"),
    (".qzeros", "GPTQ or AWQ"),
    (".absmax", "bitsandbytes"),
    (".quant_map", "bitsandbytes"),
    (".SCB", "bitsandbytes"),
    (".weight_packed", "compressed-tensors"),
    (".weight_scale_inv", "FP8"),
    (".weight_scale", "FP8 or compressed-tensors"),
    (".W_q", "HQQ"),
    (".codebooks", "AQLM"),
    (".scales", "MLX"),
    (".input_scale", "FP8"),
];

/// The quantisation method of the weights, and the tensor name that shows it; `None` if the weights are not
/// quantised.
pub(super) fn quantised<'a>(names: impl Iterator<Item = &'a str>) -> Option<(&'static str, &'a str)> {
    let mark = |name: &'a str| {
        let at = MARKS.iter().position(|(end, _)| name.ends_with(end))?;
        Some((at, name))
    };
    // The first mark in the list is the most specific. If several tensors have this mark, the one with the
    // smallest name is returned, so that the message is always the same.
    names.filter_map(mark).min().map(|(at, name)| (MARKS[at].1, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_tools_are_named_with_what_to_do() {
        for (names, says) in [
            (&["config.json", "tf_model.h5"][..], "(TensorFlow); save the model as safetensors"),
            (&["flax_model.msgpack"], "from_flax=True"),
            (&["onnx/model.onnx"], "onnx/model.onnx (ONNX)"),
            (&["consolidated.00.pth", "params.json"], "the original format of Meta and Mistral"),
            (&["consolidated.safetensors", "params.json"], "convert_mistral_weights_to_hf.py"),
            (&[".metadata", "__0_0.distcp"], "dcp_to_torch"),
            (&["global_step5/mp_rank_00_model_states.pt"], "zero_to_fp32.py"),
            (&["checkpoint-500/config.json", "checkpoint-1000/config.json"], "for example checkpoint-1000"),
            (&["lit_model.pth"], "custom PyTorch code"),
            (&["weights.safetensors"], "rename it to model.safetensors"),
            (&["model-f16.bin", "training_args.bin"], "if model-f16.bin contains the whole model"),
        ] {
            let reason = reason(names).unwrap_or_else(|| panic!("{names:?}"));
            assert!(reason.contains(says), "{reason}");
        }
        for names in [&["config.json"][..], &["training_args.bin"], &["model.gguf", "x.onnx"], &[]] {
            assert_eq!(reason(names), None, "{names:?}");
        }
    }

    #[test]
    fn quantised_weights_are_known_by_what_stands_beside_them() {
        let names = ["model.layers.0.self_attn.q_proj.qweight", "model.layers.0.self_attn.q_proj.scales"];
        assert_eq!(quantised(names.into_iter()), Some(("GPTQ or AWQ", names[0])));
        let names = ["a.weight", "a.weight.absmax", "a.weight.quant_map"];
        assert_eq!(quantised(names.into_iter()).map(|(method, _)| method), Some("bitsandbytes"));
        assert_eq!(quantised(["a.weight", "a.bias", "ln.scale"].into_iter()), None);
    }
}
