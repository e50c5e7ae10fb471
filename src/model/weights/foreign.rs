//! Weights that are there and cannot be read: files of other tools, and weights that are quantised. Each is
//! known by its name, and the reason says what to do.

/// Reads with transformers what the first argument says, and saves it in a form that is read here.
const CONVERT: &str = "save it as safetensors with transformers 4";

/// Files of other tools by their name, in order of what they are likely to be for a language model.
pub(in crate::model) const FILES: [(&[&str], &str, &str); 10] = [
    (&["tf_model.h5", ".ckpt.index", "tf_model.h5.index.json"], "TensorFlow's", "from_tf=True"),
    (&["flax_model.msgpack", "flax_model.msgpack.index.json"], "Flax's", "from_flax=True"),
    (&[".onnx", ".onnx_data"], "ONNX", ""),
    (&["rust_model.ot"], "rust-bert's", ""),
    (&[".distcp"], "those of a distributed checkpoint of PyTorch (DCP)", "dcp"),
    (&["zero_to_fp32.py", "_model_states.pt"], "DeepSpeed's", "zero"),
    (&[".nemo"], "NeMo's", ""),
    (&["weights.npz", ".npz"], "MLX's", ""),
    (&[".tflite", ".mlmodel", ".mlpackage", ".task", ".litertlm", ".engine"], "made for inference alone", ""),
    (&[".pth", ".pt", ".ckpt"], "those of a PyTorch program of its own", ""),
];

/// Why files of these names, none of which is a published name of weights, are no model; `None` if nothing is
/// recognised.
pub(in crate::model) fn reason(names: &[&str]) -> Option<String> {
    let some = |end: &str| names.iter().find(|name| name.ends_with(end)).copied();
    if some(".gguf").is_some() {
        return None;
    }
    if let Some(last) = last_checkpoint(names) {
        return Some(format!(
            "is the parent of checkpoints of a training run; give one of them, {last} perhaps"
        ));
    }
    if let Some(name) = names.iter().find(|name| file_name(name).starts_with("consolidated.")) {
        return Some(format!(
            "has its weights in {name} alone, as Meta and Mistral publish them before they are converted; \
             take the repository in the format of transformers (its name ends in -hf, or the files are \
             beside these), or convert it with transformers (convert_llama_weights_to_hf.py, \
             convert_mistral_weights_to_hf.py)"
        ));
    }
    for (ends, whose, how) in FILES {
        let Some(name) = ends.iter().find_map(|end| some(end)) else { continue };
        let what = match how {
            "" => "take a repository of the model with model.safetensors".to_owned(),
            "dcp" => "make pytorch_model.bin of them with `python -m \
                      torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER pytorch_model.bin`"
                .to_owned(),
            "zero" => {
                "make pytorch_model.bin of them with the zero_to_fp32.py that is beside them".to_owned()
            }
            flag => format!(
                "{CONVERT} (`AutoModelForCausalLM.from_pretrained(folder, {flag}).save_pretrained(out)`)"
            ),
        };
        return Some(format!("has weights, {name}, that are {whose} and not read; {what}"));
    }
    let orphan = some(".safetensors").or_else(|| names.iter().find(|name| is_bin(name)).copied())?;
    let published = if orphan.ends_with(".bin") { "pytorch_model.bin" } else { "model.safetensors" };
    Some(format!(
        "has no weights of a published name; if {orphan} holds the whole model, call it {published}"
    ))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Training state and arguments end in `.bin` as well.
fn is_bin(name: &str) -> bool {
    let others = ["training_args.bin", "optimizer.bin", "scheduler.bin"];
    name.ends_with(".bin") && !name.contains("adapter") && !others.contains(&file_name(name))
}

/// The last of the folders `checkpoint-N`.
fn last_checkpoint<'a>(names: &[&'a str]) -> Option<&'a str> {
    let folder = |name: &&'a str| {
        let folder = name.split_once('/').map_or(*name, |(folder, _)| folder);
        let step: u64 = folder.strip_prefix("checkpoint-")?.parse().ok()?;
        Some((step, folder))
    };
    names.iter().filter_map(folder).max().map(|(_, folder)| folder)
}

/// What the name of a tensor says of how weights are quantised: its end, and the method.
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

/// The method by which weights of these names are quantised, with the tensor that shows it.
pub(super) fn quantised<'a>(names: impl Iterator<Item = &'a str>) -> Option<(&'static str, &'a str)> {
    let mark = |name: &'a str| {
        let at = MARKS.iter().position(|(end, _)| name.ends_with(end))?;
        Some((at, name))
    };
    // The first mark of the list says most; of its tensors the first, so that the message is the same each
    // time.
    names.filter_map(mark).min().map(|(at, name)| (MARKS[at].1, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_tools_are_named_with_what_to_do() {
        for (names, says) in [
            (&["config.json", "tf_model.h5"][..], "TensorFlow's and not read; save it as safetensors"),
            (&["flax_model.msgpack"], "from_flax=True"),
            (&["onnx/model.onnx"], "onnx/model.onnx, that are ONNX"),
            (&["consolidated.00.pth", "params.json"], "as Meta and Mistral publish them"),
            (&["consolidated.safetensors", "params.json"], "convert_mistral_weights_to_hf.py"),
            (&[".metadata", "__0_0.distcp"], "dcp_to_torch"),
            (&["global_step5/mp_rank_00_model_states.pt"], "zero_to_fp32.py"),
            (&["checkpoint-500/config.json", "checkpoint-1000/config.json"], "checkpoint-1000 perhaps"),
            (&["lit_model.pth"], "a PyTorch program of its own"),
            (&["weights.safetensors"], "call it model.safetensors"),
            (&["model-f16.bin", "training_args.bin"], "if model-f16.bin holds the whole model"),
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
