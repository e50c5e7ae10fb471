//! Tests that output to a terminal contains no control character from a file, a name or a server.

use super::bounded::run;
use crate::support::collect_case::Case;
use crate::support::fault_server::{Reply, Server, chat};

const ESCAPES: &str = "\u{1b}]0;pwned\u{7}\u{1b}[31mred\u{1b}[2J\r\u{8}\u{9b}31m\u{202e}evil";

fn is_plain(what: &str, text: &str) {
    let is_command = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
    assert!(!text.contains(is_command), "{what}: {text:?}");
}

#[test]
fn messages_about_files_contain_no_control_characters() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    put("x.csv", &format!("a,b\n1,{ESCAPES}\n"));
    put("p.csv", &format!("target_model,y_hat\n{ESCAPES},{ESCAPES}\n"));
    put("o.csv", &format!("model,{ESCAPES},y\n{ESCAPES},1,{ESCAPES}\n"));
    put("card.json", &format!("{{\"schema\": {}}}", serde_json::json!({ "name": ESCAPES, "version": 1 })));
    put("study.toml", &format!("[{ESCAPES}]\nname = 1\n"));
    put("items.jsonl", &format!("{}\n", serde_json::json!({ "id": ESCAPES, ESCAPES: 1 })));
    put(&format!("{ESCAPES}.csv"), "a\n");
    let name = format!("{ESCAPES}.csv");
    for arguments in [
        &["mi", "--x", "x.csv", "--y", "x.csv"][..],
        &["mi", "--x", &name, "--y", &name],
        &["report", "predictions", "p.csv"],
        &["report", "profiles", &name],
        &["calibrate", "o.csv", "--target", ESCAPES, "-o", "c.json"],
        &["calibrate", "o.csv", "--target", "y", "-o", "c.json"],
        &["card", "card.json"],
        &["plan", "study.toml"],
        &["model", ESCAPES],
        &["measure", "minigpt-1", "--corpus", ESCAPES, "-o", "out"],
        &[
            "collect",
            "items.jsonl",
            "--provider",
            "openai-chat",
            "--api-model",
            "m",
            "--no-budget",
            "-o",
            "out",
        ],
        &[ESCAPES],
        &["mi", ESCAPES],
        &["list", ESCAPES],
        &["mi", "--estimator", ESCAPES, "--x", "x.csv", "--y", "x.csv"],
    ] {
        let ended = run(folder.path(), arguments).orderly(&format!("{arguments:?}"));
        assert_ne!(ended.code, Some(0), "{arguments:?}");
        is_plain(&format!("{arguments:?}"), &ended.stderr);
    }
}

#[test]
fn messages_about_servers_contain_no_control_characters() {
    let named = |field: &str| {
        let mut body = chat("x", "stop");
        match field {
            "finish_reason" => body["choices"][0]["finish_reason"] = ESCAPES.into(),
            "content" => body["choices"][0]["message"]["content"] = ESCAPES.into(),
            field => body[field] = ESCAPES.into(),
        }
        body.to_string()
    };
    let error = serde_json::json!({"error": {"message": ESCAPES, "type": ESCAPES, "code": ESCAPES,
                                             "param": ESCAPES}});
    let page = format!("<html>{ESCAPES}</html>");
    for (status, body) in [
        (200, named("model")),
        (200, named("system_fingerprint")),
        (200, named("finish_reason")),
        (200, named("content")),
        (200, page.clone()),
        (400, error.to_string()),
        (401, error.to_string()),
        (404, error.to_string()),
        (502, page),
    ] {
        let server = Server::start(move |_| Reply::new(status, body.clone()));
        let case = Case::new(&server, 3);
        let ran = case.run(&["--patience-s", "1"]);
        is_plain(&format!("{status}"), &ran.stderr);
    }
}

/// Runs a shell command on a terminal. Returns whether it succeeded, and its output.
#[cfg(target_os = "linux")]
fn on_a_terminal(folder: &std::path::Path, command: &str) -> (bool, String) {
    let output = std::process::Command::new("script")
        .args(["-qec", command, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::null())
        .current_dir(folder)
        .output()
        .expect("script, of util-linux");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn usage_errors_on_a_terminal_contain_no_escape_sequences() {
    let folder = tempfile::tempdir().expect("a folder");
    let title = "\u{1b}]0;pwned\u{7}";
    std::fs::write(folder.path().join(format!("-{title}.csv")), "a\n").expect("a file");
    for arguments in [
        format!("'x{title}'"),
        format!("view . '--n{title}'"),
        format!("list 'q{title}'"),
        format!("--threads '{title}' list"),
        format!("run s.toml '--only{title}'"),
        format!("measure minigpt-1 --corpus nations -o out '--limit{title}'"),
        format!("serve --port '{title}' minigpt-1"),
        format!("measure '{title}' --corpus nations -o out"),
        format!("completions '{title}'"),
        "report profiles *".to_owned(),
    ] {
        let (is_done, said) =
            on_a_terminal(folder.path(), &format!("{} {arguments}", env!("CARGO_BIN_EXE_surmise")));
        assert!(!is_done && said.contains(": "), "{arguments}: {said}");
        assert!(!said.contains(title) && !said.contains('\u{7}'), "{arguments}: {said:?}");
    }
}

/// On a terminal, a dry run of many questions shows its progress.
#[cfg(target_os = "linux")]
#[test]
fn a_dry_run_shows_its_progress() {
    let folder = tempfile::tempdir().expect("a folder");
    let items: String = (0..200_000)
        .map(|i| format!("{{\"id\":\"q{i}\",\"prompt\":\"What is {i}?\",\"answer\":\"y\"}}\n"))
        .collect();
    std::fs::write(folder.path().join("items.jsonl"), items).expect("a file");
    let command = format!(
        "{} collect items.jsonl --provider openai-chat --api-model m --base-url http://127.0.0.1:1 \
         --no-budget --max-tokens 9 --dry-run -o out",
        env!("CARGO_BIN_EXE_surmise")
    );
    let (is_done, said) = on_a_terminal(folder.path(), &command);
    assert!(is_done && said.contains("planning"), "{said}");
}
