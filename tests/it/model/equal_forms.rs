//! Tests that a checkpoint gives the same states if it stores the same weights in another way: in double
//! precision, under names with the prefixes of wrappers, with only one of two tied tensors, or with the head
//! of a classifier.

use std::collections::HashMap;

use candle_core::{DType, Tensor};
use surmise::model::batch::Batch;
use surmise::model::hub::Hub;
use surmise::model::{LoadedDecoder, ModelOptions};

use super::parity::{golden, tensors};

type Tensors = HashMap<String, Tensor>;

/// Opens a golden checkpoint after `change` has modified its tensors.
fn opened(name: &str, change: impl Fn(Tensors) -> Tensors) -> LoadedDecoder {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(golden(name).join("config.json"), folder.path().join("config.json")).expect("a copy");
    let changed = change(tensors(&golden(name).join("model.safetensors")));
    candle_core::safetensors::save(&changed, folder.path().join("model.safetensors")).expect("a file");
    let hub = Hub::from_env().expect("settings").offline();
    LoadedDecoder::load(folder.path().to_str().expect("UTF-8"), &ModelOptions::default(), &hub)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn states(loaded: &LoadedDecoder) -> Vec<f32> {
    let batch = Batch::windows(&[[3u32, 1, 4, 1, 5, 9], [2, 6, 5, 3, 5, 8]]);
    let h = loaded.decoder.forward(&batch, &mut |_, _| Ok(())).expect("states");
    h.flatten_all().and_then(|h| h.to_vec1()).expect("f32")
}

fn renamed(all: Tensors, name: impl Fn(&str) -> String) -> Tensors {
    all.into_iter().map(|(old, tensor)| (name(&old), tensor)).collect()
}

#[test]
fn weights_in_double_precision_or_under_a_wrappers_names_give_the_same_states() {
    for name in ["qwen3", "llama-linear-rope", "gpt-neo"] {
        let plain = states(&opened(name, |all| all));
        let double = opened(name, |all| {
            all.into_iter().map(|(name, x)| (name, x.to_dtype(DType::F64).expect("widening"))).collect()
        });
        assert_eq!(double.stored, "F64");
        assert_eq!(states(&double), plain);
        for wrapper in ["_orig_mod.", "module.", "base_model.model.", "module._orig_mod."] {
            let wrapped = opened(name, |all| renamed(all, |old| format!("{wrapper}{old}")));
            assert_eq!(states(&wrapped), plain, "{wrapper}");
        }
    }
}

#[test]
fn either_of_two_tied_tensors_is_enough() {
    for (name, embedding) in [("qwen3", "model.embed_tokens.weight"), ("gpt2", "transformer.wte.weight")] {
        let whole = opened(name, |all| all);
        let as_head = opened(name, |all| {
            renamed(all, |old| if old == embedding { "lm_head.weight".into() } else { old.into() })
        });
        assert_eq!(states(&as_head), states(&whole));
        assert_eq!(as_head.info.n_params, whole.info.n_params);
    }
}

#[test]
fn a_classifier_gives_states_but_no_logits() {
    let whole = opened("llama-linear-rope", |all| all);
    let classifier = opened("llama-linear-rope", |all| {
        renamed(all, |old| if old == "lm_head.weight" { "score.weight".into() } else { old.into() })
    });
    assert_eq!(states(&classifier), states(&whole));
    let h = Tensor::zeros((1, 32), DType::F32, &candle_core::Device::Cpu).expect("zeros");
    let message = classifier.decoder.logits(&h).expect_err("no head").to_string();
    assert!(message.contains("no head (lm_head.weight)"), "{message}");
}
