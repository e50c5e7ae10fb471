//! Lists kinds of files that come from other tools.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kinds::{Kind, MEASURE, MODEL, files, items, root};
use crate::hostile::archive;

/// A template in the style of published models.
const TEMPLATE: &str = r#"{%- macro turn(role, content) -%}
<|{{ role }}|>{{ content | trim }}{{ eos_token or '' }}
{%- endmacro -%}
{%- set ns = namespace(system='', n=0) -%}
{%- for message in messages -%}
  {%- if message['role'] == 'system' -%}
    {%- set ns.system = ns.system ~ message.content -%}
  {%- elif loop.index0 > 40 or message.role not in ['user', 'assistant'] -%}
    {{- raise_exception('a role of no kind: ' + message.role) -}}
  {%- else -%}
    {%- set ns.n = ns.n + 1 -%}
    {{- turn(message.role, (ns.system + ', ' if loop.first else '') + message.content) -}}
  {%- endif -%}
{%- endfor -%}
{%- for i in range(ns.n) -%}{{ 'red, ' * 2 }}{{ '%d' | format(i) }}{%- endfor -%}
{{- messages | map(attribute='role') | join(',') | upper | replace('USER', 'blue') -}}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}
"#;

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// A bundled model with a chat template.
pub fn chat_template() -> Kind {
    let mut all = files("calibration/minigpt-1", &MODEL, "m/");
    all.insert("m/chat_template.jinja".into(), text(TEMPLATE));
    Kind { name: "chat template", files: all, damaged: &["m/chat_template.jinja"], commands: &[] }
}

/// A model whose tokenizer is a sentencepiece file.
fn sentencepiece() -> BTreeMap<String, Vec<u8>> {
    let mut all = files("tests/golden/llama-gqa", &["config.json", "model.safetensors"], "m/");
    let bytes = std::fs::read(root().join("tests/golden/tokenizers/bpe-rules.model")).expect("a model");
    all.insert("m/tokenizer.model".into(), bytes);
    all
}

/// A model whose tokenizer is in several files.
fn older_tokenizer() -> BTreeMap<String, Vec<u8>> {
    let mut all = files("tests/golden/gpt2", &MODEL, "m/");
    let json = all.remove("m/tokenizer.json").expect("a tokenizer");
    let json: Value = serde_json::from_slice(&json).expect("JSON");
    let merges = json["model"]["merges"].as_array().expect("merges").iter().map(|merge| match merge {
        Value::String(merge) => format!("{merge}\n"),
        pair => format!("{} {}\n", pair[0].as_str().expect("a piece"), pair[1].as_str().expect("a piece")),
    });
    all.insert("m/merges.txt".into(), merges.collect::<String>().into_bytes());
    all.insert("m/vocab.json".into(), text(&json["model"]["vocab"].to_string()));
    let settings = json!({"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": false, "bos_token": "red",
                          "added_tokens_decoder": {"0": {"content": "blue", "special": true}}});
    all.insert("m/tokenizer_config.json".into(), text(&settings.to_string()));
    all
}

/// The archive of a log, and the same log as JSON.
fn logs() -> BTreeMap<String, Vec<u8>> {
    let json = std::fs::read(root().join("tests/golden/inspect/capitals.json")).expect("a log");
    let mut header: Value = serde_json::from_slice(&json).expect("JSON");
    let samples = header["samples"].take();
    header.as_object_mut().expect("a log").remove("samples");
    let mut entries = vec![("header.json".to_owned(), header.to_string())];
    for (at, sample) in samples.as_array().expect("samples").iter().enumerate() {
        entries.push((format!("samples/{at}_epoch_1.json"), sample.to_string()));
    }
    let entries: Vec<(&str, &[u8])> =
        entries.iter().map(|(name, bytes)| (name.as_str(), bytes.as_bytes())).collect();
    [("log.eval".into(), archive::stored(&entries)), ("log.json".into(), json)].into()
}

/// A matrix of twenty rows and two columns.
fn matrix(shift: f32) -> Vec<u8> {
    let mut head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (20, 2), }".to_vec();
    head.resize(117, b' ');
    head.push(b'\n');
    let values = (0..40_u8).flat_map(|i| (f32::from(i) * 0.7 + shift).sin().to_le_bytes());
    [&b"\x93NUMPY\x01\x00"[..], &118_u16.to_le_bytes(), &head, &values.collect::<Vec<u8>>()].concat()
}

const PRICES: &str = r#"date = 2026-11-01
batch_factor = 0.5
[models."m"]
input_usd_per_million_tokens = 0.4
output_usd_per_million_tokens = 1.6
cached_input_usd_per_million_tokens = 0.1
[models."m".tiers.priority]
input_usd_per_million_tokens = 0.8
output_usd_per_million_tokens = 3.2
"#;

/// Arguments for a collection from the server at URL, with few retries and short waits.
const fn ask(provider: &'static str) -> [&'static str; 28] {
    [
        "collect",
        "items.jsonl",
        "--provider",
        provider,
        "--base-url",
        "URL",
        "--api-model",
        "m",
        "--no-budget",
        "--max-tokens",
        "9",
        "--retries",
        "0",
        "--unknown-retries",
        "0",
        "--backoff-s",
        "0.01",
        "--max-wait-s",
        "0.01",
        "--idle-timeout-s",
        "1",
        "--timeout-s",
        "10",
        "--keep-going",
        "--keep-truncated",
        "-q",
        "-o",
        "out",
    ]
}

const ASK_OPENAI: &[&str] = &ask("openai-chat");
const ASK_ANTHROPIC: &[&str] = &ask("anthropic");
const ASK_GEMINI: &[&str] = &ask("gemini");

pub fn kinds() -> Vec<Kind> {
    let helm = ["run_spec.json", "per_instance_stats.json", "scenario_state.json", "stats.json"];
    let simple = "mmlu_gpt-4o-mini_20260131_120000";
    let simple = [format!("{simple}_allresults.json"), format!("{simple}.html")];
    let simple = simple.each_ref().map(String::as_str);
    let named = |name: &str, bytes: Vec<u8>| BTreeMap::from([(name.to_owned(), bytes)]);
    let import = |from: &str, name: &str, to: &str| {
        named(to, std::fs::read(root().join("tests/golden").join(from).join(name)).expect("a golden file"))
    };
    let asked = |provider: &str, body: &str| {
        let path = format!("tests/golden/providers/{provider}/200-{body}.body");
        let answer = std::fs::read(root().join(path)).expect("an answer");
        BTreeMap::from([("items.jsonl".to_owned(), items()), ("answer.json".to_owned(), answer)])
    };
    vec![
        Kind {
            name: "sentencepiece",
            files: sentencepiece(),
            damaged: &["m/tokenizer.model"],
            commands: &[MEASURE],
        },
        Kind {
            name: "older tokenizer",
            files: older_tokenizer(),
            damaged: &["m/vocab.json", "m/merges.txt", "m/tokenizer_config.json"],
            commands: &[MEASURE],
        },
        Kind {
            name: "arrays",
            files: [("x.npy".into(), matrix(0.0)), ("y.npy".into(), matrix(1.0))].into(),
            damaged: &["x.npy", "y.npy"],
            commands: &[&["mi", "--x", "x.npy", "--y", "y.npy", "-q"]],
        },
        Kind {
            name: "prices",
            files: [("items.jsonl".into(), items()), ("prices.toml".into(), text(PRICES))].into(),
            damaged: &["prices.toml"],
            commands: &[&[
                "collect",
                "items.jsonl",
                "--provider",
                "openai-chat",
                "--base-url",
                "http://127.0.0.1:1",
                "--api-model",
                "m",
                "--prices",
                "prices.toml",
                "--budget-usd",
                "1",
                "--dry-run",
                "-q",
                "-o",
                "out",
            ]],
        },
        Kind {
            name: "answers of OpenAI",
            files: asked("openai-chat", "answered"),
            damaged: &["answer.json"],
            commands: &[ASK_OPENAI],
        },
        Kind {
            name: "answers of Anthropic",
            files: asked("anthropic", "thinking"),
            damaged: &["answer.json"],
            commands: &[ASK_ANTHROPIC],
        },
        Kind {
            name: "answers of Gemini",
            files: asked("gemini", "parts"),
            damaged: &["answer.json"],
            commands: &[ASK_GEMINI],
        },
        Kind {
            name: "Inspect",
            files: logs(),
            damaged: &["log.eval", "log.json"],
            commands: &[
                &["scores", "import", "log.eval", "-o", "out.csv"],
                &["scores", "import", "log.json", "-o", "out.csv"],
            ],
        },
        Kind {
            name: "HELM",
            files: files("tests/golden/helm/simple_mcqa", &helm, "run/"),
            damaged: &[
                "run/run_spec.json",
                "run/per_instance_stats.json",
                "run/scenario_state.json",
                "run/stats.json",
            ],
            commands: &[&["scores", "import", "run", "-o", "out.csv"]],
        },
        Kind {
            name: "OpenAI evals",
            files: import("openai_evals", "match.jsonl", "record.jsonl"),
            damaged: &["record.jsonl"],
            commands: &[&["scores", "import", "record.jsonl", "-o", "out.csv"]],
        },
        Kind {
            name: "simple-evals",
            files: files("tests/golden/simple_evals", &simple, ""),
            damaged: &[
                "mmlu_gpt-4o-mini_20260131_120000_allresults.json",
                "mmlu_gpt-4o-mini_20260131_120000.html",
            ],
            commands: &[&["scores", "import", ".", "-o", "out.csv"]],
        },
        Kind {
            name: "Every Eval Ever",
            files: import("every_eval_ever", "42e2a02c-94dc-474d-819e-1d08a446ed2f.json", "record.json"),
            damaged: &["record.json"],
            commands: &[&["scores", "import", "record.json", "-o", "out.csv"]],
        },
    ]
}
