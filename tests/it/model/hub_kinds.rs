//! Tests special kinds of repositories (adapters, shards, GGUF files, older tokenizers), and which files are
//! downloaded from them.

use std::process::Command;

use serde_json::{Value, json};

use super::hub::{Home, of_id, of_weights, refused, said};
use super::parity::golden;
use crate::support::gguf::GgufFile;
use crate::support::hub_server::{Asked, COMMIT, ID, Reply, Repository, Server, WEIGHTS};

fn verb(home: &Home, server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.args(arguments).current_dir(home.path(""));
    for (key, value) in home.command(&server.url, ID, &[]).get_envs() {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    command
}

fn done(home: &Home, server: &Server, arguments: &[&str]) -> (String, String) {
    let (code, stdout, stderr) = said(&verb(home, server, arguments).output().expect("the binary"));
    assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
    (stdout, stderr)
}

fn targets(server: &Server) -> Vec<String> {
    server.take().into_iter().map(|asked| format!("{} {}", asked.method, asked.target)).collect()
}

#[test]
fn a_model_is_described_from_its_config_and_header_only() {
    let home = Home::new();
    let hub = Server::start(|asked, _| Repository::golden().answer(asked));
    let described = done(&home, &hub, &["model", ID, "--json"]).0;
    let asked = hub.take();
    assert!(asked.iter().all(|a| !a.target.contains("tokenizer")), "{asked:?}");
    let gets: Vec<_> = asked.iter().filter(|a| a.method == "GET" && a.target.contains(WEIGHTS)).collect();
    assert!(gets.iter().all(|asked| asked.headers["range"] == "bytes=0-65535"), "{gets:?}");
    assert!(!home.cache("snapshots").join(COMMIT).join(WEIGHTS).exists());
    assert!(!home.cache("refs/main").exists());
    // The first run stores the description of the model. Later runs use this description, even if the hub is
    // unreachable.
    assert_eq!(done(&home, &hub, &["model", ID, "--json"]).0, described);
    assert_eq!(hub.take().len(), 1);
    let away = Server::start(|_, _| Reply { status: 503, ..Reply::default() });
    let (again, note) = done(&home, &away, &["model", ID, "--json"]);
    assert_eq!((again.as_str(), away.take().len()), (described.as_str(), 1));
    assert!(note.contains(&format!("using the stored file headers of commit {COMMIT}")), "{note}");
    assert_eq!(done(&home, &away, &["model", ID, "--json", "--offline"]).0, described);
    assert!(away.take().is_empty());
    // The description is the same for the id, for a folder, and after the model is downloaded.
    let of = |text: &str| -> Value {
        let mut value: Value = serde_json::from_str(text).expect("JSON");
        value["id"] = ID.into();
        value
    };
    let folder = golden("gpt2");
    let own = done(&home, &hub, &["model", folder.to_str().expect("UTF-8"), "--json"]).0;
    assert_eq!(of(&described), of(&own));
    done(
        &home,
        &hub,
        &[
            "measure",
            "--estimand=positional",
            ID,
            "--corpus",
            "corpus.csv",
            "--windows",
            "60",
            "--entities",
            "3",
        ],
    );
    assert_eq!(done(&home, &hub, &["model", ID, "--json"]).0, described);
}

#[test]
fn the_oldest_ids_have_no_owner() {
    let home = Home::new();
    let hub = Server::start(|asked, _| {
        let target = asked.target.replace("/gpt2/", "/tiny/gpt2/");
        Repository::golden().answer(&Asked { target, ..asked.clone() })
    });
    let rows = done(
        &home,
        &hub,
        &[
            "measure",
            "--estimand=positional",
            "gpt2",
            "--corpus",
            "corpus.csv",
            "--windows",
            "60",
            "--entities",
            "3",
        ],
    )
    .0;
    assert!(rows.contains("\ngpt2,"), "{rows}");
    assert_eq!(targets(&hub)[0], "GET /api/models/gpt2/revision/main");
    assert!(home.path("hf/hub/models--gpt2/refs/main").is_file());
    // A name without an owner, other than a few names of old models such as `gpt2`, is unknown, and no
    // request is sent.
    refused(&mut verb(&home, &hub, &["model", "gpt3"]), 2, &["unknown model `gpt3`"]);
    assert!(hub.take().is_empty());
}

#[test]
fn chat_templates_are_fetched_as_they_are_read_from_a_folder() {
    let home = Home::new();
    let hub = Server::start(|asked, _| {
        let repository = Repository::golden().with("chat_template.jinja", b"{{ messages }}");
        repository.with("additional_chat_templates/tools.jinja", b"x").with("README.md", b"x").answer(asked)
    });
    home.done(&hub, &[]);
    let snapshot = home.cache("snapshots").join(COMMIT);
    for name in ["chat_template.jinja", "additional_chat_templates/tools.jinja"] {
        assert!(snapshot.join(name).is_file(), "{name}");
    }
    assert!(!snapshot.join("README.md").exists());
}

#[test]
fn token_ids_need_no_tokenizer_and_texts_are_refused_before_the_weights_are_fetched() {
    let home = Home::new();
    let hub = Server::start(|asked, _| {
        Repository::golden().without("tokenizer.json").without("tokenizer_config.json").answer(asked)
    });
    home.refused(&hub.url, &[], 1, &["has no tokenizer.json, nor vocab.json with merges.txt"]);
    assert_eq!(of_weights(&hub.take(), "GET"), 0);
    let tokens = golden("gpt2").join("oracle.safetensors");
    let tokens = tokens.to_str().expect("UTF-8");
    done(&home, &hub, &["states", ID, "--tokens", tokens, "-o", "states.safetensors"]);
    home.refused(&hub.url, &["--offline"], 1, &["tokenizer.json: is missing"]);
}

#[test]
fn an_older_tokenizer_is_fetched_if_there_is_no_newer_one() {
    let home = Home::new();
    let read = |name: &str| std::fs::read(golden("tokenizers/byte-level").join(name)).expect("a file");
    let [vocab, merges] = ["vocab.json", "merges.txt"].map(read);
    let hub = Server::start(move |asked, _| {
        let repository = Repository::golden().with("vocab.json", &vocab).with("merges.txt", &merges);
        repository.without("tokenizer.json").without("tokenizer_config.json").answer(asked)
    });
    let rows = home.done(&hub, &[]);
    let folder = golden("gpt2");
    let own = home.command(&hub.url, folder.to_str().expect("UTF-8"), &[]).output().expect("the binary");
    // The golden folder has the same tokenizer in tokenizer.json.
    assert_eq!(of_id(&said(&own).1), rows);
}

#[test]
fn shards_in_a_folder_are_opened() {
    let home = Home::new();
    let hub = Server::start(|asked, _| {
        let bytes = Repository::golden().files[WEIGHTS].clone();
        let names: serde_json::Map<String, Value> = safetensors::SafeTensors::deserialize(&bytes)
            .expect("weights")
            .names()
            .into_iter()
            .map(|name| (name.to_owned(), "shards/model-1.safetensors".into()))
            .collect();
        let index = json!({"weight_map": names}).to_string();
        let repository = Repository::golden().without(WEIGHTS);
        let repository = repository.with("model.safetensors.index.json", index.as_bytes());
        repository.with("shards/model-1.safetensors", &bytes).answer(asked)
    });
    let described = done(&home, &hub, &["model", ID]).0;
    home.done(&hub, &[]);
    assert_eq!(done(&home, &hub, &["model", ID]).0, described);
}

#[test]
fn an_adapter_by_its_id_is_merged_into_the_given_model() {
    let home = Home::new();
    let hub = Server::start(|asked, _| {
        let read = |name: &str| std::fs::read(golden("adapters/gpt2").join(name)).expect("a file");
        let mut repository = Repository::golden();
        repository.files.clear();
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            repository = repository.with(name, &read(name));
        }
        repository.answer(asked)
    });
    let says = ["is an adapter of gpt2", "there is no such model", "--base gpt2"];
    home.refused(&hub.url, &[], 1, &says);
    let base = golden("gpt2");
    let rows = home.done(&hub, &["--base", base.to_str().expect("UTF-8")]);
    assert!(rows.contains(&format!("\n{ID},")), "{rows}");
    assert_ne!(rows, home.done(&hub, &["--base", base.to_str().expect("UTF-8"), "--seed", "1"]));
}

#[test]
fn the_base_that_an_adapter_names_is_fetched_by_its_id() {
    let home = Home::new();
    let hub = Server::start(|asked, _| {
        if !asked.target.contains("/tiny/gpt2/") {
            let target = asked.target.replace("/gpt2/", "/tiny/gpt2/");
            return Repository::golden().answer(&Asked { target, ..asked.clone() });
        }
        let read = |name: &str| std::fs::read(golden("adapters/gpt2").join(name)).expect("a file");
        let mut repository = Repository::golden();
        repository.files.clear();
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            repository = repository.with(name, &read(name));
        }
        repository.answer(asked)
    });
    let folder = golden("gpt2");
    let given = home.done(&hub, &["--base", folder.to_str().expect("UTF-8")]);
    assert_eq!(home.done(&hub, &[]), given);
    let told = verb(&home, &hub, &["model", ID]).output().expect("the binary");
    let stderr = said(&told).2;
    assert!(stderr.contains("adapter of gpt2, which is used as the base model"), "{stderr}");
    // A local folder with only the adapter works in the same way.
    let alone = home.path("alone");
    std::fs::create_dir(&alone).expect("a folder");
    for name in ["adapter_config.json", "adapter_model.safetensors"] {
        std::fs::copy(golden("adapters/gpt2").join(name), alone.join(name)).expect("a copy");
    }
    done(&home, &hub, &["model", "alone"]);
}

#[test]
fn a_gguf_file_is_described_from_its_header_only() {
    let mut gguf = GgufFile::llama();
    // The embedding has 6.4 MB, so the file is larger than the first request. The header is at the beginning
    // of the file.
    gguf.tensors.clear();
    gguf.data.clear();
    gguf.push("token_embd.weight", &[8, 200_000]);
    for (name, dims) in [
        ("output_norm.weight", &[8][..]),
        ("blk.0.attn_norm.weight", &[8]),
        ("blk.0.attn_q.weight", &[8, 8]),
        ("blk.0.attn_k.weight", &[8, 4]),
        ("blk.0.attn_v.weight", &[8, 4]),
        ("blk.0.attn_output.weight", &[8, 8]),
        ("blk.0.ffn_norm.weight", &[8]),
        ("blk.0.ffn_gate.weight", &[8, 8]),
        ("blk.0.ffn_up.weight", &[8, 8]),
        ("blk.0.ffn_down.weight", &[8, 8]),
    ] {
        gguf.push(name, dims);
    }
    let bytes = gguf.bytes();
    let home = Home::new();
    std::fs::write(home.path("tiny.gguf"), &bytes).expect("a file");
    let hub = Server::start(move |asked, _| Repository::golden().with("tiny.gguf", &bytes).answer(asked));
    let id = format!("{ID}:tiny.gguf");
    let described = done(&home, &hub, &["model", &id, "--json"]).0;
    let asked = hub.take();
    let gets: Vec<_> = asked.iter().filter(|a| a.method == "GET" && a.target.contains("tiny.gguf")).collect();
    assert!(gets.iter().all(|asked| asked.headers["range"] == "bytes=0-4194303"), "{gets:?}");
    assert_eq!(gets.len(), 1);
    let of = |text: &str| -> Value {
        let mut value: Value = serde_json::from_str(text).expect("JSON");
        value["id"] = ID.into();
        value
    };
    assert_eq!(of(&described), of(&done(&home, &hub, &["model", "tiny.gguf", "--json"]).0));
    assert_eq!(done(&home, &hub, &["model", &id, "--json", "--offline"]).0, described);
}

#[test]
fn quantised_weights_are_detected_in_their_header() {
    let home = Home::new();
    let hub = Server::start(|asked, _| {
        let bytes = Repository::golden().files[WEIGHTS].clone();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("weights");
        let renamed =
            tensors.iter().map(|(name, view)| (name.replace("c_attn.weight", "c_attn.qweight"), view));
        let bytes = safetensors::serialize(renamed, None).expect("weights");
        let config = Repository::golden().files["config.json"].clone();
        let mut config: Value = serde_json::from_slice(&config).expect("JSON");
        config["quantization_config"] = json!({"quant_method": "gptq"});
        let repository = Repository::golden().with(WEIGHTS, &bytes);
        repository.with("config.json", config.to_string().as_bytes()).answer(asked)
    });
    home.refused(&hub.url, &[], 1, &["qweight", "quantised (GPTQ or AWQ)", "GGUF"]);
    let asked = hub.take();
    let gets: Vec<_> = asked.iter().filter(|a| a.method == "GET" && a.target.contains(WEIGHTS)).collect();
    assert!(gets.iter().all(|asked| asked.headers.contains_key("range")), "{gets:?}");
    let described = verb(&home, &hub, &["model", ID]).output().expect("the binary");
    assert!(said(&described).2.contains("quantised (GPTQ or AWQ)"));
}

#[test]
fn one_gguf_file_of_a_repository_is_a_model() {
    let home = Home::new();
    let hub = Server::start(|asked, _| {
        let repository = Repository::golden().without(WEIGHTS).without("config.json");
        let bytes = GgufFile::llama().bytes();
        repository.with("tiny.Q8_0.gguf", &bytes).with("tiny.F32.gguf", &bytes).answer(asked)
    });
    let all = ["has only GGUF files", "owner/name:FILE", "tiny.F32.gguf, tiny.Q8_0.gguf"];
    home.refused(&hub.url, &[], 1, &all);
    let id = format!("{ID}:tiny.Q8_0.gguf");
    hub.take();
    let described = done(&home, &hub, &["model", &id, "--json"]).0;
    let described: Value = serde_json::from_str(&described).expect("JSON");
    assert_eq!((&described["id"], &described["architecture"]), (&json!(id), &json!("llama")));
    let asked = targets(&hub);
    assert!(asked.iter().all(|target| !target.contains("F32") && !target.contains("token")), "{asked:?}");
    // The cached file is used without a request.
    done(&home, &hub, &["model", &id, "--offline"]);
    assert!(hub.take().is_empty());
    let missing = format!("{ID}:other.gguf");
    let says = ["has no file other.gguf", "tiny.F32.gguf, tiny.Q8_0.gguf"];
    refused(&mut verb(&home, &hub, &["model", &missing]), 1, &says);
    let wrong = format!("{ID}:model.safetensors");
    refused(&mut verb(&home, &hub, &["model", &wrong]), 2, &["`model.safetensors` after the colon"]);
}
