//! Tests gpt-oss with experts in MXFP4. States and logits agree with PyTorch transformers, which dequantises
//! the experts. If values have no matching scales, the error names the tensor.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use candle_core::{DType, Tensor};
use serde_json::{Value, json};

use super::parity::{flat, golden, tensors};

type Weights = HashMap<String, Tensor>;

fn surmise(args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).args(args).output().expect("the binary")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn experts_in_mxfp4_give_the_states_of_transformers_whole_or_block_by_block() {
    let folder = golden("forms/mxfp4");
    let oracle = folder.join("oracle.safetensors");
    let reference = tensors(&oracle);
    let out = tempfile::tempdir().expect("a folder");
    let run = |name: &str, more: &[&str]| {
        let out = out.path().join(name);
        let args = ["states", text(&folder), "--logits", "--tokens", text(&oracle), "-o", text(&out)];
        let output = surmise(&[&args, more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read(&out).expect("states")
    };
    let whole = run("whole", &[]);
    assert_eq!(run("streamed", &["--max-memory", "140K"]), whole, "the same bytes block by block");
    let ours = tensors(&out.path().join("whole"));
    for (name, reference) in reference.iter().filter(|(name, _)| *name != "input_ids") {
        let (ours, reference) = (flat(&ours[name]), flat(reference));
        let top = reference.iter().fold(0f32, |top, value| top.max(value.abs()));
        let distance = ours.iter().zip(&reference).fold(0f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(distance < 1e-4 * top, "{name}: {distance} of {top}");
    }
    let described = surmise(&["model", text(&folder), "--json"]);
    let described: Value = serde_json::from_slice(&described.stdout).expect("JSON");
    assert_eq!(described["stored_dtype"], "F32+MXFP4");
}

#[test]
fn values_without_the_scales_that_belong_to_them_are_refused_by_name() {
    let name = "model.layers.0.mlp.experts.down_proj";
    let scales = format!("{name}_scales");
    let changed = |change: &dyn Fn(&mut Weights), config: &dyn Fn(&mut Value)| {
        let folder = tempfile::tempdir().expect("a folder");
        let mut weights = tensors(&golden("forms/mxfp4").join("model.safetensors"));
        change(&mut weights);
        candle_core::safetensors::save(&weights, folder.path().join("model.safetensors")).expect("a file");
        let bytes = std::fs::read(golden("forms/mxfp4").join("config.json")).expect("a config");
        let mut value: Value = serde_json::from_slice(&bytes).expect("JSON");
        config(&mut value);
        std::fs::write(folder.path().join("config.json"), value.to_string()).expect("a config");
        let output = surmise(&["model", text(folder.path())]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let gone = changed(&|weights| drop(weights.remove(&scales)), &|_| ());
    assert!(gone.contains(&format!("whose scales `{scales}` are missing")), "{gone}");
    let short = changed(
        &|weights| {
            let cut = weights[&scales].narrow(1, 0, 8).and_then(|t| t.contiguous()).expect("rows");
            weights.insert(scales.clone(), cut);
        },
        &|_| (),
    );
    assert!(short.contains("_scales` of shape [4, 8, 2]"), "{short}");
    // Values or scales that have another type or fewer dimensions are not MXFP4.
    for (kind, end) in [(DType::F32, "_blocks"), (DType::F32, "_scales"), (DType::I64, "_blocks")] {
        let other = changed(
            &|weights| {
                let tensor = weights.get_mut(&format!("{name}{end}")).expect("a tensor");
                *tensor = tensor.to_dtype(kind).expect("another type");
            },
            &|_| (),
        );
        assert!(other.contains("must both have the type U8"), "{end} as {kind:?}: {other}");
    }
    let flat = changed(
        &|weights| {
            for end in ["_blocks", "_scales"] {
                let tensor = weights.get_mut(&format!("{name}{end}")).expect("a tensor");
                *tensor = tensor.flatten_all().and_then(|t| t.to_dtype(DType::F32)).expect("one dimension");
            }
        },
        &|_| (),
    );
    assert!(flat.contains("must both have the type U8"), "{flat}");
    let experts = changed(&|_| (), &|config| config["num_local_experts"] = json!(5));
    assert!(experts.contains("router.weight` has shape [4, 32], but"), "{experts}");
    let width = changed(&|_| (), &|config| config["intermediate_size"] = json!(32));
    assert!(width.contains("but config.json requires [4, 32, 64]"), "{width}");
    let method = changed(&|_| (), &|config| config["quantization_config"] = json!({"quant_method": "gptq"}));
    assert!(method.contains("quantization_config={..}"), "{method}");
}
