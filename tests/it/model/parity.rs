//! Compares residual streams and logits with the values of PyTorch transformers, for the tiny checkpoints of
//! tests/golden.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use candle_core::safetensors::BufferedSafetensors;
use candle_core::{DType, Device, Tensor};
use surmise::model::arch::{self, Architecture, Config};
use surmise::model::batch::{Batch, Trie};
use surmise::model::cache::Cache;
use surmise::model::decoder::Decoder;
use surmise::model::ops::Ops;
use surmise::model::spec::Spec;
use surmise::model::weights::{Checkpoint, Init, ParameterSource, RandomInit};
use surmise::model::{Model, States};

pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The tensors of a file, without boolean masks, which candle cannot read.
pub fn tensors(path: &Path) -> std::collections::HashMap<String, Tensor> {
    let file = BufferedSafetensors::new(std::fs::read(path).expect("a golden file")).expect("safetensors");
    let views = file.tensors().into_iter().filter(|(_, view)| view.dtype() != safetensors::Dtype::BOOL);
    views.map(|(name, _)| (name.clone(), file.load(&name, &Device::Cpu).expect("a tensor"))).collect()
}

/// The names of all golden checkpoints.
pub fn all() -> Vec<String> {
    let entries = std::fs::read_dir(golden("")).expect("tests/golden").map(|entry| entry.expect("an entry"));
    let folders = entries.filter(|entry| entry.path().join("oracle.safetensors").exists());
    let mut names: Vec<_> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The architecture and the spec that a config of a golden checkpoint describes.
pub fn spec(name: &str, config: &str) -> (&'static dyn Architecture, Spec) {
    let path = golden(name).join(config);
    let config = Config::parse(&path, &std::fs::read(&path).expect("a golden file")).expect("a config");
    arch::read(&config).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The `model_type` of a golden checkpoint's config.
pub fn model_type(name: &str) -> String {
    let config = std::fs::read(golden(name).join("config.json")).expect("a golden file");
    let config: serde_json::Value = serde_json::from_slice(&config).expect("JSON");
    config["model_type"].as_str().expect("a name").to_owned()
}

/// The decoder of a golden checkpoint. `config` is the name of one of the two config files.
pub fn decoder(name: &str, config: &str, ops: Ops) -> Decoder {
    let (architecture, spec) = spec(name, config);
    let path = golden(name).join("model.safetensors");
    let bytes = Cow::Owned(std::fs::read(&path).expect("a golden file"));
    let checkpoint = Checkpoint::new(&path, bytes).expect("weights");
    let parts = architecture.parameters(&spec, &checkpoint).unwrap_or_else(|error| panic!("{name}: {error}"));
    Decoder::new(spec, parts, ops)
}

/// The token ids and the reference arrays of a golden checkpoint.
fn oracle(name: &str) -> (Vec<Vec<u32>>, std::collections::HashMap<String, Tensor>) {
    let oracle = tensors(&golden(name).join("oracle.safetensors"));
    let ids = oracle["input_ids"].to_dtype(DType::U32).and_then(|t| t.to_vec2()).expect("ids");
    (ids, oracle)
}

pub fn assert_close(ours: &Tensor, reference: &Tensor, what: &str) {
    let (ours, reference) = (flat(ours), flat(reference));
    assert_eq!(ours.len(), reference.len(), "{what}");
    let top = reference.iter().fold(0f32, |top, v| top.max(v.abs()));
    let worst = ours.iter().zip(&reference).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
    println!("{what}: {worst:.1e} of {top:.1}");
    assert!(worst <= 1e-4 * top, "{what}: off by {worst}, the largest value is {top}");
}

pub fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("f32")
}

#[test]
fn every_block_and_the_logits_agree_with_transformers() {
    for name in all() {
        let (ids, oracle) = oracle(&name);
        for config in ["config.json", "config.hub.json"] {
            for ops in [Ops::Fused, Ops::Composed] {
                let decoder = decoder(&name, config, ops);
                let mut seen = 0;
                let mut see = |l: usize, h: &Tensor| {
                    assert_close(h, &oracle[&format!("h_{l}")], &format!("{name} {config} {ops:?} h_{l}"));
                    seen += 1;
                    Ok(())
                };
                let last = decoder.forward(&Batch::windows(&ids), &mut see).expect("a forward pass");
                assert_eq!(seen, decoder.spec().n_layers + 1);
                assert!(!oracle.contains_key(&format!("h_{seen}")));
                let logits = decoder.logits(&last).expect("logits");
                assert_close(&logits, &oracle["logits"], &format!("{name} {config} {ops:?} logits"));
            }
        }
    }
}

#[test]
fn both_configs_of_a_checkpoint_give_the_same_spec_and_every_architecture_has_a_checkpoint() {
    let mut seen = std::collections::BTreeSet::new();
    for name in all() {
        let (architecture, ours) = spec(&name, "config.json");
        assert_eq!(ours, spec(&name, "config.hub.json").1, "{name}");
        seen.insert(architecture.model_type().to_owned());
        seen.insert(model_type(&name));
    }
    let whole = arch::MULTIMODAL.iter().map(|whole| whole.model_type);
    let known = arch::ALL.iter().map(|a| a.model_type()).chain(whole).map(str::to_owned).collect();
    assert_eq!(seen, known);
}

/// Records the name and shape of each tensor that is requested from a source.
struct Noting<'a> {
    source: &'a dyn ParameterSource,
    asked: std::sync::Mutex<std::collections::BTreeMap<String, Vec<usize>>>,
}

impl ParameterSource for Noting<'_> {
    fn has(&self, name: &str) -> bool {
        self.source.has(name)
    }

    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> surmise::Result<Tensor> {
        self.asked.lock().expect("a map").insert(name.to_owned(), shape.to_vec());
        self.source.tensor(name, shape, init)
    }
}

#[test]
fn every_parameter_of_a_file_is_read_and_random_init_has_the_same_ones() {
    for name in all() {
        let (architecture, spec) = spec(&name, "config.json");
        let path = golden(&name).join("model.safetensors");
        let file = tensors(&path);
        let checkpoint =
            Checkpoint::new(&path, Cow::Owned(std::fs::read(&path).expect("weights"))).expect("weights");
        let note = |source| {
            let noting = Noting { source, asked: Default::default() };
            let parts = architecture.parameters(&spec, &noting).expect("parts");
            (
                noting.asked.into_inner().expect("a map"),
                Decoder::new(spec.clone(), parts, Ops::Fused).n_params(),
            )
        };
        let ((read, n_params), (made, n_made)) = (note(&checkpoint), note(&RandomInit { seed: 0 }));
        // Buffers (attention masks and rotary tables) are not parameters.
        let buffer = |key: &str| {
            [".attn.bias", ".attention.bias", ".masked_bias", ".inv_freq"]
                .iter()
                .any(|buffer| key.ends_with(buffer))
        };
        // The image part of a model is not read.
        let image = |key: &str| {
            ["vision", "visual", "multi_modal_projector", "connector"].iter().any(|part| key.contains(part))
        };
        assert_eq!(
            file.keys().any(|key| image(key)),
            model_type(&name) != architecture.model_type(),
            "{name}"
        );
        let parameters = file.iter().filter(|(key, _)| !buffer(key) && !image(key));
        let mut unread: Vec<_> = parameters.clone().filter(|(key, _)| !read.contains_key(*key)).collect();
        unread.sort_by_key(|(key, _)| key.as_str());
        assert!(unread.is_empty(), "{name}: {unread:?}");
        assert_eq!(n_params, parameters.map(|(_, tensor)| tensor.elem_count()).sum::<usize>(), "{name}");
        assert_eq!(n_params, n_made, "{name}");
        // RandomInit has no file in which a prefix can be detected, so the names requested from it have the
        // published prefix.
        let bare = |asked: &std::collections::BTreeMap<String, Vec<usize>>| -> Vec<(String, Vec<usize>)> {
            let bare = |key: &str| {
                ["transformer.", "language_model.", "text_model.", "model."]
                    .iter()
                    .fold(key.to_owned(), |key, prefix| key.replace(prefix, ""))
            };
            let mut asked: Vec<_> = asked.iter().map(|(key, shape)| (bare(key), shape.clone())).collect();
            asked.sort();
            asked
        };
        assert_eq!(bare(&read), bare(&made), "{name}");
    }
}

#[test]
fn a_trie_of_shared_prefixes_gives_the_states_of_whole_windows() {
    for name in all() {
        let name = name.as_str();
        let (ids, _) = oracle(name);
        // The windows share prefixes of different lengths, and one window is a duplicate.
        let mut windows: Vec<Vec<u32>> = vec![];
        for row in &ids {
            for cut in [1, 3, 7, 12] {
                let mut window = row[..cut].to_vec();
                window.extend(ids[0].iter().rev().take(12 - cut));
                windows.push(window);
            }
        }
        windows.push(windows[2].clone());
        for ops in [Ops::Fused, Ops::Composed] {
            let decoder = decoder(name, "config.json", ops);
            let whole =
                decoder.forward(&Batch::windows(&windows), &mut |_, _| Ok(())).expect("whole windows");
            let whole = whole.reshape((windows.len(), 12, ())).expect("a shape");
            let trie = Trie::new(&windows);
            assert!(trie.len() < windows.len() * 12);
            for size in [5, 1000] {
                for (owned, batch) in trie.batches(size) {
                    let shared = decoder.forward(&batch, &mut |_, _| Ok(())).expect("a batch of the trie");
                    let first = batch.len() - owned.len();
                    for w in 0..windows.len() {
                        for t in (0..12).filter(|t| owned.contains(&trie.node(w, *t))) {
                            let row = first + (trie.node(w, t) - owned.start) as usize;
                            let (ours, reference) = (shared.get(row), whole.get(w).and_then(|h| h.get(t)));
                            assert_close(&ours.expect("a row"), &reference.expect("a row"), "trie");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_sequence_that_grows_in_a_cache_has_the_states_of_the_whole_sequence() {
    for name in all() {
        let (ids, oracle) = oracle(&name);
        let decoder = decoder(&name, "config.json", Ops::Fused);
        let layers = decoder.spec().n_layers;
        let reference = oracle[&format!("h_{layers}")].to_vec3::<f32>().expect("f32");
        let mut cache = Cache::new(decoder.spec());
        let stray = cache.take(5);
        // The three sequences begin with 1, 4 and 7 tokens and grow together, one token at a time. Rows of
        // the cache are reused.
        let mut rows: Vec<Vec<u32>> = [1, 4, 7].iter().map(|n| cache.take(*n)).collect();
        cache.free_rows(&stray);
        let mut done = [0; 3];
        while rows[0].len() <= 12 {
            let growing: Vec<usize> = (0..3).filter(|w| rows[*w].len() <= 12).collect();
            let batch = Batch::decode_step(
                growing.iter().map(|w| (&ids[*w][done[*w]..rows[*w].len()], &rows[*w][..])),
            );
            let h =
                decoder.advance(&batch, &mut cache).and_then(|h| Ok(h.to_vec2::<f32>()?)).expect("states");
            let mut h = h.iter();
            for w in growing {
                for t in done[w]..rows[w].len() {
                    let top = reference[w].iter().flatten().fold(0_f32, |top, v| top.max(v.abs()));
                    let ours = h.next().expect("a row");
                    assert!(
                        ours.iter().zip(&reference[w][t]).all(|(a, b)| (a - b).abs() <= 1e-4 * top),
                        "{name} {w} {t}"
                    );
                }
                done[w] = rows[w].len();
                rows[w].extend(cache.take(1));
            }
        }
        assert_eq!(done, [12; 3]);
    }
}

#[test]
fn states_are_bit_equal_for_equal_prefixes_and_for_any_number_of_threads() {
    let (ids, _) = oracle("llama-gqa");
    let decoder = decoder("llama-gqa", "config.json", Ops::Fused);
    let windows: Vec<Vec<u32>> =
        (0..300).map(|i| (0..12).map(|t| ids[i % 3][(i / 7 + t) % 12]).collect()).collect();
    let points: Vec<_> = (0..300).flat_map(|w| [(w, 3), (w, 11)]).collect();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let states = pool.install(|| States::of(&decoder, "llama-gqa", &windows, &points)).expect("states");
        (0..=3).map(|l| states.rows(l, &points).expect("rows")).collect::<Vec<_>>()
    };
    let (one, two) = (on(1), on(2));
    let bits =
        |rows: &[ndarray::Array2<f32>]| -> Vec<u32> { rows.iter().flatten().map(|v| v.to_bits()).collect() };
    assert_eq!(bits(&one), bits(&two));
    let alike: Vec<usize> = (1..300).filter(|w| windows[*w][..4] == windows[0][..4]).collect();
    assert!(!alike.is_empty());
    for layer in &one {
        assert!(alike.iter().all(|w| layer.row(0) == layer.row(2 * w)));
    }
}

#[test]
fn half_precision_weights_are_widened_exactly() {
    for (dtype, name) in [(DType::F16, "f16"), (DType::BF16, "bf16")] {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["config.json", "tokenizer.json"] {
            std::fs::copy(golden("llama-gqa").join(file), folder.path().join(file)).expect("a copy");
        }
        let full = tensors(&golden("llama-gqa").join("model.safetensors"));
        let half: std::collections::HashMap<String, Tensor> =
            full.iter().map(|(k, v)| (k.clone(), v.to_dtype(dtype).expect("rounding"))).collect();
        candle_core::safetensors::save(&half, folder.path().join("model.safetensors")).expect("a file");
        let ours = Model::load(&folder.path().to_string_lossy()).expect("a model");
        // The weights of the reference are rounded by candle and stored in f32.
        let rounded = folder.path().join("rounded.safetensors");
        let wide: std::collections::HashMap<String, Tensor> =
            half.iter().map(|(k, v)| (k.clone(), v.to_dtype(DType::F32).expect("widening"))).collect();
        candle_core::safetensors::save(&wide, &rounded).expect("a file");
        std::fs::rename(&rounded, folder.path().join("model.safetensors")).expect("a file");
        let reference = Model::load(&folder.path().to_string_lossy()).expect("a model");
        let (ids, _) = oracle("llama-gqa");
        let run = |model: &Model| {
            flat(&model.decoder.forward(&Batch::windows(&ids), &mut |_, _| Ok(())).expect("states"))
        };
        assert_eq!(run(&ours), run(&reference), "{name}");
        assert_ne!(ours.info.weights_sha256, reference.info.weights_sha256);
    }
}

#[test]
fn the_norms_epsilon_is_the_configs() {
    // The parity tests might not detect a wrong epsilon: a tenfold epsilon changes the states by only 1e-5 to
    // 1e-2 of their size.
    let (ids, oracle) = oracle("llama-gqa");
    let folder = golden("llama-gqa");
    let text = std::fs::read_to_string(folder.join("config.json")).expect("a config");
    let changed = text.replace("1e-05", "1e-04");
    assert_ne!(text, changed);
    let last = |text: &str| {
        let config = Config::parse(Path::new("config.json"), text.as_bytes()).expect("a config");
        let (architecture, spec) = arch::read(&config).expect("llama");
        let path = folder.join("model.safetensors");
        let checkpoint =
            Checkpoint::new(&path, Cow::Owned(std::fs::read(&path).expect("weights"))).expect("weights");
        let decoder = Decoder::new(
            spec.clone(),
            architecture.parameters(&spec, &checkpoint).expect("parts"),
            Ops::Fused,
        );
        flat(&decoder.forward(&Batch::windows(&ids), &mut |_, _| Ok(())).expect("states"))
    };
    let reference = flat(&oracle["h_3"]);
    let distance =
        |ours: &[f32]| ours.iter().zip(&reference).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
    assert!(distance(&last(&text)) * 3.0 < distance(&last(&changed)));
}
