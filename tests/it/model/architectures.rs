//! Tests configs. Published configs give the same number of parameters as in PyTorch transformers, every
//! setting of a golden checkpoint affects the states, and a setting that the decoder does not support gives
//! an error that names the key.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use surmise::model::arch::{self, Config};
use surmise::model::batch::Batch;
use surmise::model::decoder::Decoder;
use surmise::model::ops::Ops;
use surmise::model::random_init;
use surmise::model::spec::{Activation, BlockForm, ExpertWeights, Norm, Spec};
use surmise::model::weights::{Checkpoint, Init, ParameterSource};

use super::parity::{all, golden, spec};

/// A source of any tensor with the requested shape. The tensors need no memory, because one zero is
/// broadcast.
struct Shapes;

impl ParameterSource for Shapes {
    fn has(&self, _name: &str) -> bool {
        false
    }

    fn tensor(&self, _name: &str, shape: &[usize], _init: Init) -> surmise::Result<Tensor> {
        Ok(Tensor::zeros((), DType::F32, &Device::Cpu)?.broadcast_as(shape)?)
    }
}

#[test]
fn configs_in_the_published_dialect_give_as_many_parameters_as_transformers() {
    let text = std::fs::read_to_string(golden("published.json")).expect("published.json");
    for row in serde_json::from_str::<Vec<Value>>(&text).expect("JSON") {
        let name = row["model"].as_str().expect("a name");
        let config = Config::parse(Path::new(name), row["config"].to_string().as_bytes()).expect("a config");
        let (architecture, spec) = arch::read(&config).unwrap_or_else(|error| panic!("{error}"));
        let decoder = random_init(architecture, &spec, &Shapes, Ops::Composed).expect("a decoder");
        assert_eq!(Some(decoder.n_params() as u64), row["n_params"].as_u64(), "{name}");
    }
}

/// The last residual stream, followed by the logits, of a golden checkpoint. `change` modifies the spec after
/// the tensors are read.
fn run(name: &str, change: impl Fn(&mut Spec)) -> Vec<f32> {
    let (architecture, mut spec) = spec(name, "config.json");
    let path = golden(name).join("model.safetensors");
    let checkpoint = Checkpoint::new(&path, std::fs::read(&path).expect("weights").into()).expect("weights");
    let parts = architecture.parameters(&spec, &checkpoint).expect("parts");
    change(&mut spec);
    let decoder = Decoder::new(spec, parts, Ops::Fused);
    let windows = [[3u32, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], [9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4]];
    let h = decoder.forward(&Batch::windows(&windows), &mut |_, _| Ok(())).expect("states");
    let flat = |tensor: &Tensor| tensor.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("f32");
    [flat(&h), flat(&decoder.logits(&h).expect("logits"))].concat()
}

#[test]
fn every_setting_of_every_golden_checkpoint_has_an_effect() {
    type Change = fn(&mut Spec);
    let changes: &[(&str, Change)] = &[
        ("embedding scale", |spec| spec.embedding_scale = 1.0),
        ("residual scale", |spec| spec.residual_scale = 1.0),
        ("attention scale", |spec| spec.attention_scale *= 1.1),
        ("attention softcap", |spec| spec.attention_softcap = None),
        ("alibi", |spec| spec.alibi = None),
        ("rounded alibi", |spec| spec.alibi.iter_mut().for_each(|alibi| alibi.is_rounded = false)),
        ("sinks", |spec| spec.sinks = false),
        ("clamped gate", |spec| {
            if matches!(spec.activation, Activation::ClampedSwiGlu { .. }) {
                spec.activation = Activation::Silu;
            }
        }),
        ("a chosen expert", |spec| spec.mixture.iter_mut().for_each(|mixture| mixture.n_chosen -= 1)),
        ("weights of experts", |spec| {
            // In a block with norms after its branches, the norm cancels a common factor of the expert
            // weights, so this change would have no effect.
            let is_normed = spec.form == BlockForm::PostBranch;
            if let Some(mixture) = spec.mixture.as_mut().filter(|_| !is_normed) {
                mixture.weights = match mixture.weights {
                    ExpertWeights::SoftmaxOfAll => ExpertWeights::SoftmaxOfChosen,
                    ExpertWeights::SoftmaxOfChosen => ExpertWeights::SoftmaxOfAll,
                    ExpertWeights::Sigmoid => ExpertWeights::NormalisedSigmoid,
                    ExpertWeights::NormalisedSigmoid => ExpertWeights::Sigmoid,
                };
            }
        }),
        ("scale of experts", |spec| spec.mixture.iter_mut().for_each(|mixture| mixture.scale = 1.0)),
        ("bias of the choice", |spec| {
            spec.mixture.iter_mut().for_each(|mixture| mixture.choice_bias = false);
        }),
        ("groups of experts", |spec| spec.mixture.iter_mut().for_each(|mixture| mixture.groups = None)),
        ("late norms of heads", |spec| spec.qk_norm_after_rope = false),
        ("clip", |spec| spec.clip_qkv = None),
        ("window", |spec| spec.layers.iter_mut().for_each(|layer| layer.window = None)),
        ("a window of one token less", |spec| {
            spec.layers.iter_mut().for_each(|layer| layer.window = layer.window.map(|window| window - 1));
        }),
        ("rotary table", |spec| spec.layers.iter_mut().for_each(|layer| layer.rope = layer.rope.map(|_| 0))),
        ("blocks without positions", |spec| {
            let rope = (!spec.ropes.is_empty()).then_some(0);
            spec.layers.iter_mut().for_each(|layer| layer.rope = layer.rope.or(rope));
        }),
        ("interleaved", |spec| spec.ropes.iter_mut().for_each(|rope| rope.interleaved = false)),
        ("attention factor", |spec| spec.ropes.iter_mut().for_each(|rope| rope.attention_factor = 1.0)),
        ("logit scale", |spec| spec.logit_scale = 1.0),
        ("logit softcap", |spec| spec.logit_softcap = None),
        ("position offset", |spec| spec.learned_positions = spec.learned_positions.map(|_| 0)),
        ("block form", |spec| {
            if spec.form != (BlockForm::Parallel { shared_norm: true }) {
                spec.form = BlockForm::Pre;
            }
        }),
        ("norm kind", |spec| {
            spec.norm = match spec.norm {
                Norm::Rms { eps, .. } => Norm::Layer { eps, affine: true },
                Norm::Layer { eps, .. } => Norm::Rms { eps, offset: false },
            };
        }),
    ];
    let mut used = std::collections::BTreeSet::new();
    for name in all() {
        let (_, original) = spec(&name, "config.json");
        let whole = run(&name, |_| {});
        let top = whole.iter().fold(0f32, |top, value| top.max(value.abs()));
        for (what, change) in changes {
            let mut changed = original.clone();
            change(&mut changed);
            if changed != original {
                let moved =
                    run(&name, change).iter().zip(&whole).fold(0f32, |most, (a, b)| most.max((a - b).abs()));
                assert!(moved > 1e-3 * top, "{name}: without its {what} the states move by {moved} of {top}");
                used.insert(*what);
            }
        }
    }
    for (what, _) in changes {
        assert!(used.contains(what), "no golden checkpoint has the setting {what}");
    }
}

#[test]
fn a_setting_that_the_decoder_does_not_support_is_refused_by_name() {
    let scaling = |kind: &str| json!({"rope_type": kind, "factor": 2.0});
    let cases = [
        ("gpt2", "add_cross_attention", json!(true), "add_cross_attention=true"),
        ("gpt2", "scale_attn_by_inverse_layer_idx", json!(true), "scale_attn_by_inverse_layer_idx=true"),
        ("gpt2", "activation_function", json!("quick_gelu"), "activation_function=quick_gelu"),
        ("llama-gqa", "quantization_config", json!({"bits": 4}), "quantization_config={..}"),
        ("llama-gqa", "rope_scaling", scaling("ntk"), "rope_type=ntk"),
        ("llama-gqa", "rope_parameters", json!({"full_attention": {"rope_theta": 1.0}}), "full_attention"),
        ("llama-gqa", "rope_scaling", json!({"type": "linear"}), "key `factor` is missing"),
        ("llama-gqa", "rope_scaling", json!({"type": "linear", "factor": 0}), "key `factor` is 0"),
        ("llama3-rope", "partial_rotary_factor", json!(0.5), "partial_rotary_factor=0.5"),
        ("qwen2", "is_causal", json!(false), "is_causal=false"),
        ("phi3-longrope", "partial_rotary_factor", json!(1.0), ""),
        ("gemma2", "layer_types", json!(["full_attention", "chunked"]), "layer_types=\"chunked\""),
        ("gemma2", "layer_types", json!(["full_attention"]), "layer_types has 1 entries for 2 blocks"),
        ("gemma", "use_bidirectional_attention", json!(true), "use_bidirectional_attention=true"),
        ("gemma3", "attn_logit_softcapping", json!(50.0), "attn_logit_softcapping=50"),
        ("falcon", "num_ln_in_parallel_attn", json!(2), "num_ln_in_parallel_attn=2"),
        ("falcon-40b", "num_ln_in_parallel_attn", json!(3), "num_ln_in_parallel_attn=3"),
        ("falcon-40b", "parallel_attn", json!(false), "parallel_attn=false"),
        ("mpt", "attn_config", json!({"alibi": false}), "attn_config.alibi=false"),
        ("mpt", "attn_config", json!({"qk_ln": true}), "attn_config.qk_ln=true"),
        (
            "mpt",
            "attn_config",
            json!({"attn_type": "multiquery_attention"}),
            "attn_type=multiquery_attention",
        ),
        ("mpt", "attn_config", json!({"alibi_bias_max": 16}), "attn_config.alibi_bias_max=16"),
        ("olmoe", "clip_qkv", json!(8.0), "clip_qkv=8"),
        ("qwen2-moe", "num_experts_per_tok", json!(9), "experts per token is 9, not from 1 to 5"),
        ("qwen2-moe", "num_experts_per_tok", json!(0), "experts per token is 0, not from 1 to 5"),
        ("qwen2-moe", "num_experts", json!(0), "a mixture of experts has no experts"),
        ("qwen2-moe", "num_experts", json!(4_000_000_000u32), "above the limit of 65536"),
        ("qwen2-moe", "shared_expert_intermediate_size", json!(0), "experts of width 0"),
        ("qwen3-moe", "decoder_sparse_step", json!(0), "`decoder_sparse_step` is 0"),
        ("qwen3-moe", "mlp_only_layers", json!([-1]), "`mlp_only_layers` contains -1"),
        ("mixtral", "num_local_experts", Value::Null, "key `num_local_experts` is missing"),
        ("gpt-oss", "rope_parameters", Value::Null, "neither key `rope_parameters` nor `rope_scaling`"),
        ("llava", "text_config", Value::Null, "key `text_config` is missing"),
        (
            "llava",
            "text_config",
            json!({"model_type": "lfm2"}),
            "`lfm2` is not supported: it mixes attention",
        ),
        ("llava", "quantization_config", json!({"bits": 4}), "quantization_config={..}"),
        ("llama-gqa", "model_type", json!("qwen3_next"), "it mixes attention with recurrence"),
        ("llama-gqa", "model_type", json!("mamba2"), "computes its states by recurrence"),
        ("opt", "_remove_final_layer_norm", json!(true), "_remove_final_layer_norm=true"),
        (
            "bloom",
            "apply_residual_connection_post_layernorm",
            json!(true),
            "apply_residual_connection_post_layernorm",
        ),
        ("phi", "qk_layernorm", json!(true), "qk_layernorm=true"),
        ("gpt-neo", "attention_types", json!([[["global", "sparse"], 1]]), "attention_types=\"sparse\""),
        ("gpt-neo", "attention_types", json!([[["global"], 1_000_000_000]]), "4 entries for 3 blocks"),
        ("smollm3", "no_rope_layers", json!([1]), "no_rope_layers has 1 entries for 2 blocks"),
        ("gptj", "rotary_dim", json!(9), "9 of the 8 values of a head"),
        ("pythia", "num_hidden_layers", json!(4_000_000_000u32), "above the limit of 65536"),
        ("llama-gqa", "model_type", json!("of_next_year"), "model_type `of_next_year` is not supported; use"),
    ];
    for (name, key, value, says) in cases {
        let path = golden(name).join("config.json");
        let mut config: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("a config")).expect("JSON");
        config[key] = value;
        let config = Config::parse(&path, config.to_string().as_bytes()).expect("a config");
        let result = arch::read(&config);
        match result {
            // Only one case is accepted: `partial_rotary_factor` at the top level is the older form of the
            // key, and the newer form in `rope_parameters` takes precedence.
            Ok(_) => assert!(says.is_empty(), "{name}: {key} is not refused"),
            Err(error) => {
                let message = error.to_string();
                assert!(
                    message.contains(says) && message.contains("config.json"),
                    "{name}: {key}: {message}"
                );
            }
        }
    }
}

#[test]
fn settings_that_change_no_state_or_are_off_are_accepted() {
    for name in all() {
        let path = golden(&name).join("config.hub.json");
        let mut config: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("a config")).expect("JSON");
        let (_, plain) = spec(&name, "config.hub.json");
        for (key, value) in [
            ("attention_dropout", json!(0.1)),
            ("torch_dtype", json!("bfloat16")),
            ("use_cache", json!(true)),
            ("task_specific_params", json!({"text-generation": {"do_sample": true}})),
            ("_name_or_path", json!("somewhere")),
            ("add_cross_attention", json!(false)),
            ("is_causal", json!(true)),
            ("num_experts", json!(0)),
            ("a_switch_of_next_year", Value::Null),
        ] {
            let is_unread = key != "num_experts" || plain.mixture.is_none();
            if is_unread {
                config[key] = value;
            }
        }
        let config = Config::parse(&path, config.to_string().as_bytes()).expect("a config");
        assert_eq!(arch::read(&config).unwrap_or_else(|error| panic!("{name}: {error}")).1, plain);
    }
}

#[test]
fn a_key_that_transformers_does_not_read_changes_nothing_and_is_named() {
    let unread = |name: &str, changes: Value, allowed: &[String]| {
        let path = golden(name).join("config.json");
        let mut config: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("a config")).expect("JSON");
        for (key, value) in changes.as_object().expect("changes") {
            config[key] = value.clone();
        }
        let config = Config::parse(&path, config.to_string().as_bytes()).expect("a config");
        let (_, plain) = spec(name, "config.json");
        assert_eq!(arch::read(&config).unwrap_or_else(|error| panic!("{name}: {error}")).1, plain);
        arch::unread_keys(&config, allowed)
    };
    // These keys belong to other architectures or are unknown.
    for (name, key, value, flagged) in [
        ("gpt2", "n_special", json!(0), false),
        ("gpt2", "rope_theta", json!(10000.0), true),
        ("gpt2", "next_year", json!("on"), false),
        ("llama-gqa", "rope_interleaved", json!(false), false),
        ("llama-gqa", "rope_interleaved", json!(true), true),
        ("llama-gqa", "sliding_window", json!(16), true),
        ("llama-gqa", "num_local_experts", json!(8), true),
        ("llama-gqa", "logit_scale", json!(1.0), false),
        ("mistral", "attention_bias", json!(true), false),
        ("qwen2", "mlp_bias", json!(true), false),
        ("pythia", "num_key_value_heads", json!(1), false),
        ("starcoder2", "scale_attn_weights", json!(true), true),
    ] {
        let unread = unread(name, json!({key: value}), &[]).expect("an ignored key");
        assert_eq!(unread.keys, [key], "{name}");
        let flags = if flagged { vec![format!("unread_key:{key}")] } else { vec![] };
        assert_eq!(unread.flags, flags, "{name}: {key}");
    }
    // Keys in the description of rotary positions are reported, too.
    let rope =
        json!({"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1]}});
    let found = unread("llama-gqa", rope, &[]).expect("an ignored key");
    assert_eq!(found.keys, ["rope_parameters.mrope_section"]);
    // If `auto_map` names custom code, each unread key must be allowed. If `auto_map` names a class of
    // transformers, unread keys need not be allowed.
    let map = |class: &str| json!({"auto_map": {"AutoModel": format!("modeling.{class}")}, "next_year": 2});
    let own = unread("llama-gqa", map("LlamaModel"), &[]).expect("own code");
    assert!(own.flags.is_empty() && own.keys == ["next_year"]);
    let refused = unread("llama-gqa", map("LlamaEncoderModel"), &[]).expect_err("foreign code").to_string();
    assert!(refused.contains("--allow-config-key next_year") && refused.contains("LlamaEncoderModel"));
    let allowed = unread("llama-gqa", map("LlamaEncoderModel"), &["next_year".into()]).expect("allowed");
    assert_eq!(allowed.flags, ["foreign_code:LlamaEncoderModel"]);
}

#[test]
fn every_key_that_transformers_writes_is_known() {
    let text = std::fs::read_to_string(golden("written.json")).expect("written.json");
    let configs = serde_json::from_str::<Vec<Value>>(&text).expect("JSON");
    for config in &configs {
        let name = config["model_type"].as_str().expect("a name");
        let config = Config::parse(Path::new(name), config.to_string().as_bytes()).expect("a config");
        arch::read(&config).unwrap_or_else(|error| panic!("{error}"));
    }
    // transformers has no class for InternLM 2, so written.json has no config of this type.
    assert_eq!(configs.len() + 1, arch::ALL.len() + arch::MULTIMODAL.len());
}

#[test]
fn the_epsilon_of_every_norm_is_the_configs() {
    // The parity tests might not detect a wrong epsilon: a tenfold epsilon changes the states by only 1e-5 to
    // 1e-2 of their size.
    for name in all() {
        let path = golden(&name).join("config.json");
        let mut config: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("a config")).expect("JSON");
        let keys = ["rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps"];
        let text = if config.get("text_config").is_some() { &mut config["text_config"] } else { &mut config };
        let found: Vec<_> = keys.into_iter().filter(|key| text.get(key).is_some()).collect();
        for key in &found {
            text[*key] = json!(0.0123);
        }
        let config = Config::parse(&path, config.to_string().as_bytes()).expect("a config");
        let (_, spec) = arch::read(&config).expect("a spec");
        let (Norm::Layer { eps, .. } | Norm::Rms { eps, .. }) = spec.norm;
        // OPT and OLMo 1 have no such key and use the default of PyTorch.
        let expected = if found.is_empty() { 1e-5 } else { 0.0123 };
        assert_eq!(eps, expected, "{name}: {found:?}");
        assert_eq!(found.is_empty(), name.starts_with("opt") || name == "olmo", "{name}");
    }
}

#[test]
fn a_window_beyond_longropes_original_length_is_refused() {
    let (_, spec) = spec("phi3-longrope", "config.json");
    // The config has 128 positions, but the factors for short windows are valid only up to 32.
    assert_eq!(spec.max_positions, 32);
    assert!(spec.ropes[0].attention_factor > 1.1);
}
