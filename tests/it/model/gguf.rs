//! Tests GGUF files. Values are compared with the `gguf` package, states and logits with PyTorch
//! transformers, and token ids with the Python tokenizers. `tests/golden/gguf/make_gguf.py` creates the
//! files.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};
use serde_json::{Value, json};
use surmise::model::arch::Config;
use surmise::model::batch::Batch;
use surmise::model::tokenizer::TokenizerFiles;
use surmise::model::weights::Gguf;
use surmise::model::{Bos, Description, LoadedDecoder, Model, ModelOptions, Tokenizer};

use super::checkpoints::{done, hub};
use super::parity::{assert_close, flat, golden, tensors};
use crate::support::gguf::{BOOL, GgufFile, I32, LIST, TEXT, U32, numbers, text, texts};

pub fn file(name: &str) -> PathBuf {
    golden("gguf").join(name)
}

/// The names of the golden models.
pub fn models() -> Vec<String> {
    let entries = std::fs::read_dir(golden("gguf")).expect("tests/golden/gguf");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let models = names.filter_map(|name| name.strip_suffix(".gguf").map(str::to_owned));
    let mut models: Vec<_> = models.filter(|name| name != "types" && !name.starts_with("tokens-")).collect();
    models.sort();
    models
}

fn load(path: &Path) -> surmise::Result<LoadedDecoder> {
    LoadedDecoder::load(path.to_str().expect("UTF-8"), &ModelOptions::default(), &hub())
}

#[test]
fn values_of_every_type_are_those_of_the_gguf_package_to_the_bit() {
    let gguf = Gguf::open(&file("types.gguf")).expect("a file");
    let truth = tensors(&file("types.safetensors"));
    assert_eq!(truth.len(), 14);
    for (name, truth) in truth {
        let ours = gguf.values(&name).expect("values").unwrap_or_else(|| panic!("{name} is there"));
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&ours), bits(&flat(&truth)), "{name}");
        assert_eq!(gguf.shape(&name), Some(truth.dims()), "{name}");
    }
}

#[test]
fn every_block_and_the_logits_of_every_architecture_agree_with_transformers() {
    let models = models();
    assert!(models.len() >= 49, "{models:?}");
    for name in models {
        let own = file(&format!("{name}.safetensors"));
        let truth = if own.exists() { own } else { golden(&name).join("oracle.safetensors") };
        let truth = tensors(&truth);
        let ids = truth["input_ids"].to_dtype(DType::U32).and_then(|t| t.to_vec2::<u32>()).expect("ids");
        let loaded = load(&file(&format!("{name}.gguf"))).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(loaded.info.id, name);
        assert_eq!(loaded.info.ignored_config_keys, [""; 0], "{name}");
        let mut n = 0;
        let mut see = |l: usize, h: &Tensor| {
            assert_close(h, &truth[&format!("h_{l}")], &format!("{name} h_{l}"));
            n += 1;
            Ok(())
        };
        let last = loaded.decoder.forward(&Batch::windows(&ids), &mut see).expect("a forward pass");
        assert_eq!(n, loaded.decoder.spec().n_layers + 1);
        assert_close(&loaded.decoder.logits(&last).expect("logits"), &truth["logits"], &name);
    }
}

/// The tokenizer files of a GGUF file that contains a tokenizer but no model.
struct InFile(Gguf);

impl TokenizerFiles for InFile {
    fn path(&self, _file: &str) -> PathBuf {
        self.0.path().join("beside")
    }

    fn read(&self, _file: &str) -> surmise::Result<Option<Cow<'static, [u8]>>> {
        Ok(None)
    }

    fn gguf(&self) -> Option<&Gguf> {
        Some(&self.0)
    }
}

#[test]
fn token_ids_are_those_of_the_python_tokenizers() {
    let truth: Value =
        serde_json::from_slice(&std::fs::read(file("tokens.json")).expect("a file")).expect("JSON");
    let texts = truth["texts"].as_array().expect("texts");
    let kinds = truth["ids"].as_object().expect("kinds");
    assert_eq!(kinds.len(), 8);
    let config = json!({ "vocab_size": 1000, "model_type": "llama" }).to_string();
    let config = Config::parse(Path::new("config.json"), config.as_bytes()).expect("a config");
    for (kind, ids) in kinds {
        let gguf = Gguf::open(&file(&format!("tokens-{kind}.gguf"))).expect("a file");
        let tokenizer = Tokenizer::open(&InFile(gguf), &config, Bos::Off).expect("a tokenizer");
        for (text, ids) in texts.iter().zip(ids.as_array().expect("ids")) {
            let text = text.as_str().expect("a text");
            let ours = tokenizer.encode_any(text, true).expect("ids").0;
            assert_eq!(json!(ours), *ids, "{kind}: {text:?}");
        }
    }
}

#[test]
fn a_file_and_a_folder_with_one_are_opened_and_described() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tiny-Q8.GGUF");
    std::fs::write(&path, GgufFile::llama().bytes()).expect("a file");
    std::fs::write(folder.path().join("mmproj-tiny.gguf"), b"not read").expect("a file");
    let name = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let model = Model::load_with(&name(&path), ModelOptions::default(), &hub()).expect("a model");
    assert_eq!(model.info.id, "tiny-Q8");
    assert_eq!(model.tokenizer.encode_any("abc", true).expect("ids").0, [15, 3]);
    let in_folder = Model::load_with(&name(folder.path()), ModelOptions::default(), &hub()).expect("a model");
    assert_eq!(in_folder.info.weights_sha256, model.info.weights_sha256);
    let described = Description::of(&name(&path), &[], &hub()).expect("a description");
    assert_eq!((described.info, described.stored.as_str()), (model.info, "F32"));
    let on = ModelOptions { bos: Bos::On, ..ModelOptions::default() };
    let model = Model::load_with(&name(&path), on, &hub()).expect("a model");
    assert_eq!(model.tokenizer.prefix(), [0]);
    let text = done(&["model", &name(&path)]);
    assert!(text.contains("architecture\tllama\n"), "{text}");
}

#[test]
fn settings_of_texts_and_chats_in_the_metadata_are_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tiny.gguf");
    let name = path.to_str().expect("UTF-8");
    let open = |change: fn(&mut GgufFile), bos: Bos| {
        let mut gguf = GgufFile::llama();
        change(&mut gguf);
        std::fs::write(&path, gguf.bytes()).expect("a file");
        Model::load_with(name, ModelOptions { bos, ..ModelOptions::default() }, &hub()).expect("a model")
    };
    let model = open(|f| f.set("tokenizer.chat_template", TEXT, text("{{ messages }}")), Bos::Auto);
    assert!(model.tokenizer.prefix().is_empty() && model.ends.is_empty());
    assert_eq!(model.chat.settings["chat_template"], "{{ messages }}");
    assert_eq!(model.chat.settings["bos_token"], "<s>");
    let begins = open(|f| f.set("tokenizer.ggml.add_bos_token", BOOL, vec![1]), Bos::Auto);
    assert_eq!(begins.tokenizer.prefix(), [0]);
    // For Llama 3, the beginning-of-sequence token is added if the file has no setting for it.
    let begins = open(|f| f.set("tokenizer.ggml.pre", TEXT, text("llama-bpe")), Bos::Auto);
    assert_eq!(begins.tokenizer.prefix(), [0]);
    let ends = open(|f| f.set("tokenizer.ggml.eos_token_id", U32, 3_u32.to_le_bytes().to_vec()), Bos::Auto);
    assert_eq!(ends.ends, [3]);
    // A token of type `user-defined` is recognised in a text although no merge produces it. A control token
    // is not recognised.
    let marked = open(
        |f| {
            let letters = "<s> a b c d e f g h i j k l m gh ab".split(' ').collect::<Vec<_>>();
            f.set("tokenizer.ggml.tokens", LIST, texts(&letters));
            let kind = |i| [if i == 0 { 3 } else { 1 + 3 * u8::from(i == 14) }, 0, 0, 0];
            let kinds: Vec<[u8; 4]> = (0..16).map(kind).collect();
            f.set("tokenizer.ggml.token_type", LIST, numbers(I32, &kinds));
        },
        Bos::Auto,
    );
    assert_eq!(marked.tokenizer.encode_any("abgha", true).expect("ids").0, [15, 14, 1]);
    assert!(marked.tokenizer.encode("<s>").is_err());
    let unread = open(|f| f.set("llama.rope.new_scale", U32, 7_u32.to_le_bytes().to_vec()), Bos::Auto);
    assert_eq!(unread.info.ignored_config_keys, ["llama.rope.new_scale"]);
    assert_eq!(unread.info.flags, ["unread_key:llama.rope.new_scale"]);
}

#[test]
fn a_tokenizer_json_in_the_same_folder_is_read_if_it_has_the_same_tokens() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut gguf = GgufFile::llama();
    gguf.remove("tokenizer.ggml.merges");
    let path = folder.path().join("tiny.gguf");
    std::fs::write(&path, gguf.bytes()).expect("a file");
    let name = path.to_str().expect("UTF-8");
    let refused =
        || Model::load_with(name, ModelOptions::default(), &hub()).err().expect("no merges").to_string();
    assert!(refused().contains("put the model's tokenizer.json in the same folder"), "{}", refused());
    let letters = "<s> a b c d e f g h i j k l m n ab";
    let vocab: serde_json::Map<String, Value> =
        letters.split(' ').zip(0..).map(|(text, id)| (text.to_owned(), json!(id))).collect();
    let tokenizer = |vocab: Value| {
        json!({
            "version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null,
            "post_processor": null, "decoder": null,
            "model": { "type": "BPE", "vocab": vocab, "merges": ["a b"] }
        })
    };
    let beside = folder.path().join("tokenizer.json");
    std::fs::write(&beside, tokenizer(vocab.clone().into()).to_string()).expect("a file");
    let model = Model::load_with(name, ModelOptions::default(), &hub()).expect("a model");
    assert_eq!(model.tokenizer.encode_any("abc", true).expect("ids").0, [15, 3]);
    let other: serde_json::Map<String, Value> =
        vocab.into_iter().map(|(text, id)| (text, json!(15 - id.as_u64().expect("an id")))).collect();
    std::fs::write(&beside, tokenizer(other.into()).to_string()).expect("a file");
    assert!(refused().contains("without merges"), "{}", refused());
}
