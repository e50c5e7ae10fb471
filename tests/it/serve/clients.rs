//! Tests the server with published clients: the `openai` package and the lm-evaluation-harness. They need a
//! Python with these packages (`SURMISE_PYTHON`, else `python3`), so the tests are marked as ignored. `cargo
//! test --release --test it clients -- --ignored` runs them; a missing package is a failure.

use std::path::Path;
use std::process::{Command, Output};

use candle_core::IndexOp;
use serde_json::{Value, json};
use surmise::import::{ImportOptions, import};
use surmise::model::Model;
use surmise::model::batch::Batch;

use super::server::Serving;

const PROMPT: &str = "france -> paris, egypt -> cairo, peru ->";

/// A command that starts a Python with a package.
fn python(package: &str) -> Command {
    let name = std::env::var("SURMISE_PYTHON").unwrap_or_else(|_| "python3".into());
    let has = Command::new(&name).args(["-c", &format!("import {package}")]).output();
    let has = has.is_ok_and(|output| output.status.success());
    assert!(
        has,
        "{name} has no package {package}; install it, or set SURMISE_PYTHON to a Python that has it"
    );
    Command::new(name)
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Log-probabilities of all tokens of a text except the first, from complete forward passes.
fn logprobs(model: &Model, text: &str) -> Vec<f64> {
    let (ids, _) = model.tokenizer.encode_any(text, true).expect("tokens");
    let h = model
        .decoder
        .forward(&Batch::windows(std::slice::from_ref(&ids)), &mut |_, _| Ok(()))
        .expect("states");
    let logits = model.decoder.logits(&h).expect("logits");
    let logits = candle_nn::ops::log_softmax(&logits, 1).expect("log-probabilities");
    let at = |t: usize| {
        f64::from(logits.i((t - 1, ids[t] as usize)).and_then(|z| z.to_scalar::<f32>()).expect("one"))
    };
    (1..ids.len()).map(at).collect()
}

#[test]
#[ignore = "needs a Python with the package openai"]
fn the_openai_package_gets_the_answers_of_the_model() {
    let mut python = python("openai");
    let server = Serving::start(&["minillama-3"]);
    let model = Model::load("minillama-3").expect("a model");
    let (ids, _) = model.tokenizer.encode_any(PROMPT, true).expect("tokens");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/openai_client.py");
    let (url, ids) = (format!("http://{}/v1", server.address), json!(ids).to_string());
    let told: Value = serde_json::from_str(&text(
        &python.arg(script).args([&url, "minillama-3", PROMPT, &ids]).output().expect("it runs"),
    ))
    .expect("JSON");

    assert_eq!(told["models"], json!(["minillama-3"]));
    let greedy = told["completion"].as_str().expect("text");
    assert!(greedy.starts_with(" lima ,"), "{greedy}");
    let n = told["completion_tokens"].as_u64().expect("a count") as usize;
    assert_eq!(told["finish_reason"], if n == 8 { "length" } else { "stop" });
    assert_eq!(told["top_logprobs"], json!(vec![2; n]));
    for other in ["chat", "chat_tokens", "streamed", "chat_streamed"] {
        assert_eq!(told[other], greedy, "{other}");
    }
    assert_eq!(told["echoed"], PROMPT);
    assert_eq!(told["echoed_by_ids"], told["echoed_logprobs"]);
    let theirs = told["echoed_logprobs"].as_array().expect("log-probabilities");
    let own = logprobs(&model, PROMPT);
    assert_eq!((theirs.len(), &theirs[0]), (own.len() + 1, &Value::Null));
    for (theirs, own) in theirs[1..].iter().zip(&own) {
        assert!((theirs.as_f64().expect("a number") - own).abs() < 1e-4, "{theirs} {own}");
    }
    assert_eq!(told["several"].as_array().map(Vec::len), Some(3));
    assert_eq!(told["unknown_model"], json!(["NotFoundError", 404]));
    for refused in ["id_out_of_range", "too_long", "too_many"] {
        assert_eq!(told[refused], json!(["BadRequestError", 400]), "{refused}");
    }
}

#[test]
#[ignore = "needs a Python with the package lm_eval"]
fn the_lm_evaluation_harness_scores_choices_as_the_model_does_and_its_results_are_imported() {
    let mut python = python("lm_eval");
    let server = Serving::start(&["minillama-3"]);
    let model = Model::load("minillama-3").expect("a model");
    let folder = tempfile::tempdir().expect("a folder");
    let items = [
        json!({"prompt": "france -> paris, peru ->", "choices": ["lima", "oslo"], "label": 0}),
        json!({"prompt": "france -> paris, norway ->", "choices": ["lima", "oslo"], "label": 1}),
        json!({"prompt": "france -> paris, norway ->", "choices": ["lima", "oslo"], "label": 0}),
    ];
    let file = folder.path().join("items.jsonl");
    std::fs::write(&file, items.each_ref().map(Value::to_string).join("\n")).expect("items");
    let task = include_str!("../../clients/capitals.yaml").replace("FILE", &file.display().to_string());
    std::fs::write(folder.path().join("capitals.yaml"), task).expect("a task");
    let tokenizer = Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/minillama-3");
    let settings = format!(
        "model=minillama-3,base_url=http://{}/v1/completions,tokenizer_backend=huggingface,tokenizer={}",
        server.address,
        tokenizer.display()
    );
    let output = folder.path().join("out");
    python.args([
        "-m",
        "lm_eval",
        "--model",
        "local-completions",
        "--model_args",
        &settings,
        "--tasks",
        "capitals",
    ]);
    python.arg("--include_path").arg(folder.path()).arg("--output_path").arg(&output).arg("--log_samples");
    text(
        &python
            .env("HF_HUB_OFFLINE", "1")
            .env("HF_HOME", folder.path().join("hf"))
            .output()
            .expect("it runs"),
    );

    let files = std::fs::read_dir(output.join("minillama-3")).expect("results");
    let files: Vec<_> = files.map(|entry| entry.expect("an entry").path()).collect();
    let begins = |name: &str| {
        let named = |file: &&std::path::PathBuf| {
            file.file_name().is_some_and(|f| f.to_string_lossy().starts_with(name))
        };
        files.iter().find(named).expect("a file").clone()
    };
    let samples = std::fs::read_to_string(begins("samples_")).expect("samples");
    for (line, item) in samples.lines().zip(&items) {
        let sample: Value = serde_json::from_str(line).expect("JSON");
        for (choice, told) in sample["filtered_resps"].as_array().expect("answers").iter().enumerate() {
            let prompt = item["prompt"].as_str().expect("a prompt");
            let whole = format!("{prompt} {}", item["choices"][choice].as_str().expect("a choice"));
            let begun = logprobs(&model, prompt).len();
            let own: f64 = logprobs(&model, &whole)[begun..].iter().sum();
            let theirs: f64 = told[0].as_str().and_then(|z| z.parse().ok()).expect("a log-probability");
            assert!((theirs - own).abs() < 1e-4, "{theirs} {own}");
        }
    }
    // The model knows both capitals, and the label of the third item is wrong, so the accuracy is 2/3.
    let imported = import(&[begins("results_")], &ImportOptions::default()).expect("scores");
    let score = &imported.scores[0];
    assert_eq!((score.n_items, score.accuracy), (3, Some(2.0 / 3.0)));
}
