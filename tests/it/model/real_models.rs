//! Tests two published models, as GGUF files that `scripts/real-models FOLDER` downloads. Run the tests with
//! `SURMISE_REAL_MODELS=FOLDER cargo test --release --test it model::real_models -- --ignored`.
//!
//! `tests/golden/gguf/make_real.py` writes the reference values.

use std::path::PathBuf;

use candle_core::Tensor;
use serde_json::{Value, json};
use surmise::model::batch::Batch;
use surmise::model::{Bos, Model, ModelOptions};

use super::checkpoints::hub;
use super::gguf::file;
use super::parity::flat;

const NAMES: [&str; 2] = ["smollm2", "gemma3"];

fn real(name: &str) -> String {
    let folder = std::env::var_os("SURMISE_REAL_MODELS").expect(
        "SURMISE_REAL_MODELS is not set; download the models with `scripts/real-models FOLDER` and set the \
         variable to FOLDER",
    );
    PathBuf::from(folder).join(format!("{name}.gguf")).to_str().expect("UTF-8").to_owned()
}

fn truth() -> Value {
    serde_json::from_slice(&std::fs::read(file("real.json")).expect("real.json")).expect("JSON")
}

fn open(name: &str, bos: Bos) -> Model {
    Model::load_with(&real(name), ModelOptions { bos, ..ModelOptions::default() }, &hub()).expect("a model")
}

#[test]
#[ignore = "needs two real models: scripts/real-models"]
fn token_ids_of_real_files_are_those_of_the_python_tokenizers() {
    let truth = truth();
    for name in NAMES {
        let model = open(name, Bos::Off);
        let texts =
            truth["texts"].as_array().expect("texts").iter().map(|text| text.as_str().expect("a text"));
        for (text, ids) in texts.zip(truth[name]["token_ids"].as_array().expect("ids")) {
            let ours = model.tokenizer.encode_any(text, true).expect("ids").0;
            assert_eq!(json!(ours), *ids, "{name}: {text:?}");
            let plain: String = model.tokenizer.decode(&ours);
            assert_eq!(plain, text, "{name}");
        }
    }
    assert_eq!(open("gemma3", Bos::Auto).tokenizer.prefix(), [2]);
    assert!(open("smollm2", Bos::Auto).tokenizer.prefix().is_empty());
    assert_eq!(open("smollm2", Bos::On).tokenizer.prefix(), [1]);
}

#[test]
#[ignore = "needs two real models: scripts/real-models"]
fn states_and_logits_of_real_files_are_those_of_transformers() {
    let truth = truth();
    let ids: Vec<u32> = serde_json::from_value(truth["ids"].clone()).expect("ids");
    for name in NAMES {
        let model = open(name, Bos::Off);
        let mut compare = |l: usize, h: &Tensor| {
            let Some(state) = truth[name]["states"].get(l.to_string()) else { return Ok(()) };
            let h = flat(&h.narrow(0, ids.len() - 1, 1)?);
            let norm = h.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            let of_truth = state["norm"].as_f64().expect("a norm");
            assert!((norm - of_truth).abs() <= 1e-5 * of_truth, "{name} h_{l}: {norm} for {of_truth}");
            for (ours, value) in h.iter().zip(state["first"].as_array().expect("values")) {
                let value = value.as_f64().expect("a value");
                assert!(
                    (f64::from(*ours) - value).abs() <= 1e-5 * of_truth,
                    "{name} h_{l}: {ours} for {value}"
                );
            }
            Ok(())
        };
        let batch = Batch::windows(std::slice::from_ref(&ids));
        let last = model.decoder.forward(&batch, &mut compare).expect("a forward pass");
        let last = last.narrow(0, ids.len() - 1, 1).expect("the last position");
        let logits = flat(&model.decoder.logits(&last).expect("logits"));
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
        assert_eq!(json!(order[..5]), truth[name]["top"], "{name}");
        let of_truth = truth[name]["logits"][0].as_f64().expect("a logit");
        let ours = f64::from(logits[order[0]]);
        // The tolerance is relative to the largest logit, because the compared logit may be near 0.
        let scale = logits.iter().map(|logit| f64::from(logit.abs())).fold(0.0, f64::max);
        assert!((ours - of_truth).abs() <= 1e-5 * scale, "{name}: {ours} for {of_truth}, scale {scale}");
    }
}
