//! Compares logits with a second reference in addition to PyTorch: candle-transformers, for Llama and Qwen3.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{llama, qwen3};
use surmise::model::batch::Batch;
use surmise::model::ops::Ops;

use super::parity::{decoder, golden, tensors};

/// Compares the logits at the last position of every prefix of the golden windows, because the models of
/// candle return only these logits.
fn agrees(name: &str, mut theirs: impl FnMut(&Tensor) -> candle_core::Result<Tensor>) {
    let oracle = tensors(&golden(name).join("oracle.safetensors"));
    let ids: Vec<Vec<u32>> = oracle["input_ids"].to_dtype(DType::U32).and_then(|t| t.to_vec2()).expect("ids");
    let ours = decoder(name, "config.json", Ops::Fused);
    for row in &ids {
        for t in 1..=row.len() {
            let window = &row[..t];
            let last = ours.forward(&Batch::windows(&[window]), &mut |_, _| Ok(())).expect("states");
            let last = last.narrow(0, t - 1, 1).and_then(|h| h.contiguous()).expect("a row");
            let ours: Vec<f32> =
                ours.logits(&last).expect("logits").flatten_all().and_then(|t| t.to_vec1()).expect("f32");
            let input = Tensor::new(window, &Device::Cpu).and_then(|t| t.unsqueeze(0)).expect("ids");
            let theirs: Vec<f32> = theirs(&input).and_then(|t| t.flatten_all()?.to_vec1()).expect("logits");
            assert_eq!(ours.len(), theirs.len());
            let top = theirs.iter().fold(0_f32, |top, v| top.max(v.abs()));
            let worst = ours.iter().zip(&theirs).fold(0_f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst <= 1e-4 * top, "{name}, {t} tokens: off by {worst}, the largest value is {top}");
        }
    }
}

fn weights(name: &str) -> VarBuilder<'static> {
    let bytes = std::fs::read(golden(name).join("model.safetensors")).expect("weights");
    VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu).expect("safetensors")
}

fn config<T: serde::de::DeserializeOwned>(name: &str) -> T {
    // candle reads only the older form of configs. For the newer form, it would use its default rotary base
    // of 10000.
    let bytes = std::fs::read(golden(name).join("config.hub.json")).expect("a config");
    serde_json::from_slice(&bytes).expect("a config candle reads")
}

#[test]
fn llama_agrees_with_candle_transformers() {
    let config = config::<llama::LlamaConfig>("llama-gqa").into_config(false);
    let model = llama::Llama::load(weights("llama-gqa"), &config).expect("a model");
    agrees("llama-gqa", |ids| {
        let mut cache = llama::Cache::new(false, DType::F32, &config, &Device::Cpu)?;
        model.forward(ids, 0, &mut cache)
    });
}

#[test]
fn qwen3_agrees_with_candle_transformers() {
    let config = config::<qwen3::Config>("qwen3");
    let mut model = qwen3::ModelForCausalLM::new(&config, weights("qwen3")).expect("a model");
    agrees("qwen3", |ids| {
        model.clear_kv_cache();
        model.forward(ids, 0)
    });
}
