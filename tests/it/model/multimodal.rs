//! Tests models of images and text. Published configs omit many keys, so the text part must have the defaults
//! of its config class. Keys and tensors of the image part are not read.

use serde_json::{Value, json};
use surmise::model::Model;
use surmise::model::arch::{self, Config, UnreadKeys};
use surmise::model::spec::Spec;
use surmise::model::weights::Checkpoint;

use super::parity::{golden, tensors};

fn read(config: &Value) -> (&'static str, Spec, UnreadKeys) {
    let config = Config::parse("config.json".as_ref(), config.to_string().as_bytes()).expect("a config");
    let (architecture, spec) = arch::read(&config).unwrap_or_else(|error| panic!("{error}"));
    (architecture.model_type(), spec, arch::unread_keys(&config, &[]).expect("keys"))
}

#[test]
fn a_key_missing_from_a_text_config_has_the_default_of_its_class() {
    // The published config of LLaVA 1.5 7B.
    let (kind, spec, unread) = read(&json!({
        "model_type": "llava", "image_token_index": 32000, "pad_token_id": 32001, "vocab_size": 32064,
        "projector_hidden_act": "gelu", "torch_dtype": "float16", "vision_feature_layer": -2,
        "text_config": {
            "_name_or_path": "lmsys/vicuna-7b-v1.5", "architectures": ["LlamaForCausalLM"],
            "max_position_embeddings": 4096, "model_type": "llama", "rms_norm_eps": 1e-05,
            "torch_dtype": "float16", "vocab_size": 32064
        },
        "vision_config": {"model_type": "clip_vision_model", "hidden_size": 1024, "rope_theta": 1.0}
    }));
    assert_eq!((kind, spec.d_model, spec.d_mlp, spec.n_layers), ("llama", 4096, 11008, 32));
    assert_eq!((spec.n_heads, spec.n_kv_heads, spec.vocab_size, spec.tied), (32, 32, 32064, false));
    assert_eq!((unread.keys, unread.flags), (vec!["vocab_size".into()], vec!["text_part_of:llava".into()]));

    // The published config of Gemma 3 4B.
    let (kind, spec, unread) = read(&json!({
        "model_type": "gemma3", "boi_token_index": 255999, "eoi_token_index": 256000,
        "image_token_index": 262144, "mm_tokens_per_image": 256, "initializer_range": 0.02,
        "text_config": {
            "hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text",
            "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
            "sliding_window": 1024
        },
        "vision_config": {"hidden_size": 1152, "model_type": "siglip_vision_model"}
    }));
    assert_eq!((kind, spec.n_heads, spec.n_kv_heads, spec.head_dim), ("gemma3_text", 8, 4, 256));
    assert_eq!((spec.vocab_size, spec.tied, spec.ropes.len()), (262_208, true, 2));
    assert_eq!(spec.layers.iter().filter(|layer| layer.window == Some(1024)).count(), 29);
    assert_eq!(unread.flags, ["text_part_of:gemma3"]);
}

#[test]
fn a_text_config_may_stand_at_the_top() {
    // The published config of Qwen2-VL 2B.
    let mut config = json!({
        "model_type": "qwen2_vl", "hidden_size": 1536, "intermediate_size": 8960, "num_attention_heads": 12,
        "num_hidden_layers": 28, "num_key_value_heads": 2, "max_window_layers": 28, "rope_theta": 1e6,
        "sliding_window": 32768, "tie_word_embeddings": true, "use_sliding_window": false,
        "vocab_size": 151_936, "rms_norm_eps": 1e-06, "vision_start_token_id": 151_652,
        "vision_config": {"depth": 32, "embed_dim": 1280},
        "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}
    });
    let (kind, spec, unread) = read(&config);
    assert_eq!((kind, spec.d_model, spec.tied, spec.biases.qkv), ("qwen2", 1536, true, true));
    assert_eq!((unread.keys.len(), unread.flags.len()), (0, 1));
    config["use_rope_of_next_year"] = json!(true);
    let (_, same, unread) = read(&config);
    assert_eq!(same, spec);
    assert_eq!(unread.keys, ["use_rope_of_next_year"]);
    assert!(unread.flags.contains(&"unread_key:use_rope_of_next_year".to_owned()));
}

#[test]
fn an_unread_key_within_a_text_config_is_named_with_its_place() {
    let bytes = std::fs::read(golden("llava").join("config.json")).expect("a config");
    let mut config: Value = serde_json::from_slice(&bytes).expect("JSON");
    config["text_config"]["next_year"] = json!(1);
    assert_eq!(read(&config).2.keys, ["text_config.next_year"]);
    // An unsupported value of a key that transformers reads is an error in `text_config`, too.
    config["text_config"]["hidden_act"] = json!("quick_gelu");
    let config = Config::parse("config.json".as_ref(), config.to_string().as_bytes()).expect("a config");
    let message = arch::read(&config).err().expect("a refusal").to_string();
    assert!(message.contains("hidden_act=quick_gelu"), "{message}");
}

#[test]
fn tensors_of_images_are_not_read_and_those_of_text_are_all_read() {
    for name in ["llava", "qwen2-vl", "qwen3-vl", "smolvlm"] {
        let open = |change: &dyn Fn(&str) -> Option<f64>| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("model.safetensors");
            let mut weights = tensors(&golden(name).join("model.safetensors"));
            for (key, tensor) in &mut weights {
                if let Some(factor) = change(key) {
                    *tensor = (&*tensor * factor).expect("a product");
                }
            }
            candle_core::safetensors::save(&weights, &path).expect("a file");
            let bytes = std::fs::read(golden(name).join("config.json")).expect("a config");
            let config = Config::parse("config.json".as_ref(), &bytes).expect("a config");
            let (architecture, spec) = arch::read(&config).expect("a spec");
            let bytes = std::fs::read(&path).expect("weights");
            let checkpoint = Checkpoint::new(&path, bytes.into()).expect("a checkpoint");
            architecture.parameters(&spec, &checkpoint).map(|_| ())
        };
        let of_images =
            |key: &str| ["vision", "visual", "projector", "connector"].iter().any(|p| key.contains(p));
        open(&|key| of_images(key).then_some(f64::NAN)).expect("text without images");
        let message = open(&|key| key.contains("layers.1.mlp.up_proj").then_some(f64::NAN)).err();
        let message = message.expect("a damaged tensor").to_string();
        assert!(message.contains("layers.1.mlp.up_proj"), "{message}");
    }
}

#[test]
fn the_tokenizer_of_a_multimodal_model_is_that_of_its_text_part() {
    for name in ["llava", "qwen2-vl"] {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["config.json", "model.safetensors"] {
            std::fs::copy(golden(name).join(file), folder.path().join(file)).expect("a copy");
        }
        std::fs::copy(golden("gpt2").join("tokenizer.json"), folder.path().join("tokenizer.json"))
            .expect("a copy");
        let model = Model::load(&folder.path().to_string_lossy()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((model.info.vocab_size, model.ends.as_slice()), (64, &[0][..]), "{name}");
        let random = model.random_init(7).expect("initial weights");
        assert_eq!(random.n_params(), model.info.n_params);
    }
}
