//! Tests mixtures of experts. A router with a wrong number of experts gives an error that names the router,
//! equal experts give the states of one MLP, and every weight matrix of a mixture has a gradient.

use std::collections::HashMap;

use candle_core::{Tensor, Var};
use serde_json::{Value, json};
use surmise::model::arch::{self, Config};
use surmise::model::batch::Batch;
use surmise::model::decoder::Decoder;
use surmise::model::ops::Ops;
use surmise::model::weights::{Checkpoint, Init, ParameterSource};

use super::parity::{flat, golden, tensors};

type Weights = HashMap<String, Tensor>;

/// Opens a golden checkpoint after `change` has modified its weights and `config` its config.
fn open(
    name: &str,
    change: impl Fn(&mut Weights),
    config: impl Fn(&mut Value),
    ops: Ops,
) -> surmise::Result<Decoder> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut weights = tensors(&golden(name).join("model.safetensors"));
    change(&mut weights);
    let path = folder.path().join("model.safetensors");
    candle_core::safetensors::save(&weights, &path).expect("a file");
    let bytes = std::fs::read(golden(name).join("config.json")).expect("a config");
    let mut value: Value = serde_json::from_slice(&bytes).expect("JSON");
    config(&mut value);
    let read = Config::parse("config.json".as_ref(), value.to_string().as_bytes())?;
    let (architecture, spec) = arch::read(&read)?;
    let checkpoint = Checkpoint::new(&path, std::fs::read(&path).expect("weights").into())?;
    let parts = architecture.parameters(&spec, &checkpoint)?;
    Ok(Decoder::new(spec, parts, ops))
}

fn windows() -> [[u32; 12]; 2] {
    [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], [9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4]]
}

fn states(decoder: &Decoder) -> Vec<f32> {
    flat(&decoder.forward(&Batch::windows(&windows()), &mut |_, _| Ok(())).expect("states"))
}

#[test]
fn a_minimum_sum_of_expert_weights_that_would_change_them_is_refused() {
    let with = |least: f64| {
        open("ernie4.5-moe", |_| (), |config| config["moe_norm_min"] = json!(least), Ops::Composed)
    };
    assert!(with(1e-12).is_ok());
    let refused = with(0.9).expect_err("a refusal").to_string();
    assert!(refused.contains("moe_norm_min=0.9"), "{refused}");
}

#[test]
fn a_router_with_too_many_or_too_few_experts_is_refused_by_name() {
    let rows = |n: usize| {
        move |weights: &mut Weights| {
            for (name, tensor) in weights.iter_mut().filter(|(name, _)| name.ends_with("mlp.gate.weight")) {
                assert_eq!(tensor.dims(), [4, 32], "{name}");
                let twice = Tensor::cat(&[&*tensor, &*tensor], 0).expect("rows");
                *tensor = twice.narrow(0, 0, n).and_then(|t| t.contiguous()).expect("rows");
            }
        }
    };
    let count = |n: usize| move |config: &mut Value| config["num_experts"] = json!(n);
    let cases: [(&str, surmise::Result<Decoder>); 5] = [
        (
            "`model.layers.0.mlp.gate.weight` has shape [4, 32], but config.json requires [6, 32]",
            open("qwen3-moe", |_| {}, count(6), Ops::Fused),
        ),
        (
            "`model.layers.0.mlp.gate.weight` has shape [4, 32], but config.json requires [3, 32]",
            open("qwen3-moe", |_| {}, count(3), Ops::Fused),
        ),
        ("mlp.experts.4.gate_proj.weight` is missing", open("qwen3-moe", rows(6), count(6), Ops::Fused)),
        (
            "mlp.experts.3.down_proj.weight` is not a parameter of this architecture",
            open("qwen3-moe", rows(3), count(3), Ops::Fused),
        ),
        (
            "router.layer.weight` has shape [4, 32], but config.json requires [5, 32]",
            open("granite-moe", |_| {}, |config| config["num_local_experts"] = json!(5), Ops::Fused),
        ),
    ];
    for (says, result) in cases {
        let message = result.expect_err(says).to_string();
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn impossible_groups_and_biases_of_the_router_are_refused_by_name() {
    let set = |key: &'static str, n: usize| move |config: &mut Value| config[key] = json!(n);
    let bias = "model.layers.0.mlp.gate.e_score_correction_bias";
    let without = |weights: &mut Weights| drop(weights.remove(bias));
    let longer = |weights: &mut Weights| {
        let own = weights[bias].clone();
        weights.insert(bias.into(), Tensor::cat(&[&own, &own], 0).expect("a longer bias"));
    };
    let open = |change: &dyn Fn(&mut Weights), config: &dyn Fn(&mut Value)| {
        open("glm4-moe", change, config, Ops::Fused)
    };
    let cases = [
        ("from 2 of 4 groups, which is impossible with 6 experts", open(&|_| {}, &set("n_group", 4))),
        ("from 4 of 3 groups", open(&|_| {}, &set("topk_group", 4))),
        ("from 2 of 6 groups", open(&|_| {}, &set("n_group", 6))),
        ("uses 5 experts from 2 of 3 groups", open(&|_| {}, &set("num_experts_per_tok", 5))),
        ("experts per token is 7, not from 1 to 6", open(&|_| {}, &set("num_experts_per_tok", 7))),
        ("e_score_correction_bias` is missing", open(&without, &|_| {})),
        ("e_score_correction_bias` has shape [12], but config.json requires [6]", open(&longer, &|_| {})),
    ];
    for (says, result) in cases {
        let message = result.expect_err(says).to_string();
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn blocks_that_predict_tokens_further_on_change_no_state() {
    let more = |weights: &mut Weights| {
        let last: Vec<(String, Tensor)> = weights
            .iter()
            .map(|(name, tensor)| (name.replace("layers.1.", "layers.2."), tensor.clone()))
            .collect();
        weights.extend(last);
        weights.insert("model.layers.2.eh_proj.weight".into(), weights["lm_head.weight"].clone());
    };
    let plain = open("glm4-moe", |_| {}, |_| {}, Ops::Fused).expect("a decoder");
    let beside = open("glm4-moe", more, |_| {}, Ops::Fused).expect("a decoder");
    assert!(states(&plain) == states(&beside) && plain.n_params() == beside.n_params());
    let none = |config: &mut Value| config["num_nextn_predict_layers"] = json!(0);
    let refused = open("glm4-moe", more, none, Ops::Fused).expect_err("a block too many").to_string();
    assert!(refused.contains("layers.2."), "{refused}");
}

#[test]
fn equal_experts_act_as_one_mlp() {
    let alike = |weights: &mut Weights| {
        for layer in 0..2 {
            for map in ["gate_proj", "up_proj", "down_proj"] {
                let name = |expert: usize| format!("model.layers.{layer}.mlp.experts.{expert}.{map}.weight");
                let first = weights[&name(0)].clone();
                (1..4).for_each(|expert| _ = weights.insert(name(expert), first.clone()));
            }
        }
    };
    let dense = |weights: &mut Weights| {
        weights.retain(|name, _| !name.contains("mlp.gate.weight"));
        let names: Vec<String> = weights.keys().filter(|name| name.contains(".experts.")).cloned().collect();
        for name in names {
            let tensor = weights.remove(&name).expect("a tensor");
            if name.contains(".experts.0.") {
                weights.insert(name.replace(".experts.0.", "."), tensor);
            }
        }
    };
    for ops in [Ops::Fused, Ops::Composed] {
        for n_chosen in 1..=4 {
            let config = |config: &mut Value| config["num_experts_per_tok"] = json!(n_chosen);
            let mixture = open("qwen3-moe", alike, config, ops).expect("a mixture");
            let plain = |config: &mut Value| {
                config["model_type"] = json!("qwen3");
                config["intermediate_size"] = json!(16);
            };
            let one = open("qwen3-moe", dense, plain, ops).expect("a dense model");
            let (mixture, one) = (states(&mixture), states(&one));
            let top = one.iter().fold(0f32, |top, value| top.max(value.abs()));
            let worst = mixture.iter().zip(&one).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst <= 1e-5 * top, "{ops:?}, {n_chosen} experts: off by {worst} of {top}");
        }
    }
}

#[test]
fn states_of_a_window_do_not_depend_on_other_tokens_of_an_expert() {
    let decoder = open("qwen2-moe", |_| {}, |_| {}, Ops::Fused).expect("a decoder");
    let [first, second] = windows();
    let of = |windows: &[[u32; 12]]| {
        decoder.forward(&Batch::windows(windows), &mut |_, _| Ok(())).expect("states")
    };
    let alone = flat(&of(&[first]));
    let many = of(&[second, first, second]);
    let among = flat(&many.narrow(0, 12, 12).expect("rows"));
    let top = alone.iter().fold(0f32, |top, value| top.max(value.abs()));
    let worst = alone.iter().zip(&among).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
    assert!(worst <= 1e-5 * top, "off by {worst} of {top}");
}

/// A source that provides the tensors of a file as trainable parameters.
struct Trainable {
    file: Weights,
    vars: std::sync::Mutex<Vec<(String, Var)>>,
}

impl ParameterSource for Trainable {
    fn has(&self, name: &str) -> bool {
        self.file.contains_key(name)
    }

    fn tensor(&self, name: &str, _shape: &[usize], _init: Init) -> surmise::Result<Tensor> {
        let var = Var::from_tensor(&self.file[name])?;
        let tensor = var.as_tensor().clone();
        self.vars.lock().expect("a lock").push((name.to_owned(), var));
        Ok(tensor)
    }
}

#[test]
fn every_map_that_a_token_uses_has_the_gradient_of_pytorch() {
    // The loss is the mean square of the last states. The expected numbers are its gradient with respect to
    // the first value of each tensor, from transformers 5.24 and torch 2.15.
    for (name, tensor, pytorch) in [
        ("qwen2-moe", "model.layers.0.mlp.gate.weight", -0.617_693_6),
        ("gpt-oss", "model.layers.0.self_attn.sinks", -0.010_554_1),
    ] {
        let bytes = std::fs::read(golden(name).join("config.json")).expect("a config");
        let config = Config::parse("config.json".as_ref(), &bytes).expect("a config");
        let (architecture, spec) = arch::read(&config).expect("a spec");
        let file = tensors(&golden(name).join("model.safetensors"));
        let source = Trainable { file, vars: Default::default() };
        let parts = architecture.parameters(&spec, &source).expect("parts");
        let decoder = Decoder::new(spec, parts, Ops::Composed);
        let h = decoder.forward(&Batch::windows(&windows()), &mut |_, _| Ok(())).expect("states");
        let loss = h.sqr().and_then(|square| square.mean_all()).expect("a loss");
        let gradients = loss.backward().expect("gradients");
        let vars = source.vars.into_inner().expect("vars");
        for (name, var) in vars.iter().filter(|(name, _)| name.contains(".layers.")) {
            let gradient = gradients.get(var.as_tensor()).map(flat);
            // The router sends no token to this expert.
            if name.contains("layers.2.mlp.experts.4.") {
                assert_eq!(gradient, None, "{name}");
                continue;
            }
            let gradient = gradient.unwrap_or_else(|| panic!("{name} has no gradient"));
            assert!(gradient.iter().any(|g| *g != 0.0) && gradient.iter().all(|g| g.is_finite()), "{name}");
        }
        let (_, var) = vars.iter().find(|(other, _)| other == tensor).expect("the tensor");
        let ours = flat(gradients.get(var.as_tensor()).expect("a gradient"))[0];
        assert!((ours / pytorch - 1.0f32).abs() <= 1e-3, "{tensor}: {ours}, but PyTorch gives {pytorch}");
    }
}
