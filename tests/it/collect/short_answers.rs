//! The token limit of questions from a category: a model that does not reason gets a low limit. Thus a small
//! model that never stops does not use 2048 tokens per answer, and its truncated answers do not end the run.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::collect_case::KEY;
use crate::support::fault_server::{Posted, Reply, Server, chat};

/// Collects answers about countries, such as capitals. Returns the exit code and stderr.
fn countries(server: &Server, folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.current_dir(folder).env("OPENAI_API_KEY", KEY).args(["collect", "countries", "--items", "2"]);
    command.args(["--provider", "openai-chat", "--base-url", &server.url, "--api-model", "m", "--no-budget"]);
    let output = command.args(["-o", "out"]).args(more).output().expect("the binary");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The token limits of the probes and of the questions, each once.
fn limits(server: &Server) -> (Vec<u64>, Vec<u64>) {
    let posts = server.posts.lock().expect("the log");
    let of = |is_probe: bool| {
        let asked = posts.iter().filter(|posted| is_probe_of(posted) == is_probe);
        let mut limits: Vec<u64> = asked.filter_map(|posted| posted.body["max_tokens"].as_u64()).collect();
        limits.sort_unstable();
        limits.dedup();
        limits
    };
    (of(true), of(false))
}

fn is_probe_of(posted: &Posted) -> bool {
    posted.body["messages"].to_string().contains("Reply with the word yes")
}

/// The continent of the last country of a prompt.
fn continent(prompt: &str) -> &'static str {
    let rows =
        include_str!("../../../data/countries.csv").lines().map(|line| line.split(',').collect::<Vec<_>>());
    rows.filter_map(|row| Some((prompt.rfind(row[0])?, row[2]))).max().map_or("none", |(_, name)| name)
}

fn recorded(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("out/summary.json")).expect("a file");
    let summary: Value = serde_json::from_str(&text).expect("JSON");
    summary["configuration"]["short_answers"].clone()
}

#[test]
fn a_model_that_does_not_reason_gets_a_low_token_limit() {
    // Five of six answers name the right continent. The other answers do not stop before the token limit.
    let server = Server::start(|posted| {
        let body = match (is_probe_of(posted), posted.before % 6) {
            (true, _) => chat("Yes, of course.", "stop"),
            (_, 3) => chat(&"la ".repeat(128), "length"),
            _ => chat(continent(&posted.prompt), "stop"),
        };
        Reply::new(200, body.to_string())
    });
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = countries(&server, folder.path(), &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("short answers are limited to 128 tokens").count(), 1, "{said}");
    assert_eq!((limits(&server), recorded(folder.path())), ((vec![2048], vec![128]), json!(true)));
    // The folder is continued with the same limit, and no question is asked again.
    let asked = server.count_all();
    let (code, said) = countries(&server, folder.path(), &["--keep-going"]);
    assert!(code == Some(0) && !said.contains("short answers are limited"), "{said}");
    assert_eq!(server.count_all(), asked);
    // Another token limit changes the questions, so the command does not continue the folder.
    let (code, said) = countries(&server, folder.path(), &["--max-tokens", "2048"]);
    assert!(code == Some(2) && said.contains("settings.max_tokens"), "{said}");
    let (code, _) =
        countries(&server, folder.path(), &["--max-tokens", "300", "--new-config", "--keep-going"]);
    assert_eq!((code, limits(&server).1), (Some(0), vec![128, 300]));
}

#[test]
fn a_model_that_reasons_or_may_reason_keeps_the_high_token_limit() {
    let reasoning = |change: fn(&mut Value)| {
        let server = Server::start(move |posted| {
            let mut body = chat(if is_probe_of(posted) { "yes" } else { "Europe" }, "stop");
            if is_probe_of(posted) {
                change(&mut body);
            }
            Reply::new(200, body.to_string())
        });
        let folder = tempfile::tempdir().expect("a folder");
        let (code, said) = countries(&server, folder.path(), &["--keep-going"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains("short answers are limited"), "{said}");
        assert_eq!((limits(&server).1, recorded(folder.path())), (vec![2048], Value::Null));
    };
    reasoning(|body| body["choices"][0]["message"]["reasoning_content"] = json!("The user wants yes."));
    reasoning(|body| body["choices"][0]["message"]["content"] = json!("<think>hm</think>yes"));
    reasoning(|body| body["usage"]["completion_tokens_details"] = json!({"reasoning_tokens": 64}));
    reasoning(|body| body["usage"]["completion_tokens"] = json!(70));
    reasoning(|body| body["choices"][0]["message"]["content"] = json!(""));
}
