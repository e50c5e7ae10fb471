//! Row 31 of FAULTS.md: the key is stored and printed nowhere, whatever a server sends or a user enters.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use surmise::seed;

use super::faults_answers::with_w0;
use crate::support::collect_case::{Case, KEY};
use crate::support::fault_server::{Reply, Server, chat};

#[test]
fn fault_31_an_echoed_key_is_stored_nowhere() {
    // After every run, `Case` searches all files and outputs for the key, which the servers of these tests
    // send.
    let message = format!("Incorrect API key provided: {KEY}. Or zk-Secre***{}", &KEY[KEY.len() - 14..]);
    let error =
        json!({"error": {"message": message, "type": "invalid_request_error", "code": "invalid_api_key"}})
            .to_string();
    let sent = error.clone();
    let server = Server::start(move |_| Reply::new(401, sent.clone()).with("x-request-id", KEY));
    let case = Case::new(&server, 2);
    case.ends(5, &[]).says("the server refuses the key").says("[REDACTED]").says("OPENAI_API_KEY");
    assert!(case.records().iter().any(|r| r["redacted"] == true));
    // The key is in an answer, in an HTML page, and in a header of a redirect.
    let (case, _) = with_w0(0, |_| Reply::say(&format!("your key is {KEY}")));
    assert!(case.file("items.csv").contains("your key is"));
    with_w0(3, |_| Reply::new(500, format!("<html>Authorization: Bearer {KEY}</html>")));
    with_w0(1, |_| Reply::new(302, "").with("location", &format!("https://elsewhere.example/?key={KEY}")));
    let case = Case::of(
        &format!("{}/v1?token={KEY}", server.url),
        "{\"id\":\"a\",\"prompt\":\"a\",\"answer\":\"a\"}\n",
    );
    case.ends(2, &[]).says("contains the key");
    let case =
        Case::of(&format!("{}/{KEY}/v1", server.url), "{\"id\":\"a\",\"prompt\":\"a\",\"answer\":\"a\"}\n");
    case.ends(2, &[]).says("contains the key");
    case.ends(2, &["--dry-run"]).says("contains the key");
    assert!(!case.out().exists());
    let case = Case::of(
        &format!("{}/v1?key=another", server.url),
        "{\"id\":\"a\",\"prompt\":\"a\",\"answer\":\"a\"}\n",
    );
    case.ends(2, &[]).says("contains a key in its query");
    // The error about a missing key names only its variable.
    let lines = "{\"id\":\"a\",\"prompt\":\"a\",\"answer\":\"a\"}\n";
    let case = Case::of("https://surmise-test.invalid/v1", lines);
    let ran = case.ran(&case.command(&[]).env_remove("OPENAI_API_KEY").output().expect("the binary"));
    assert_eq!(ran.code, Some(5));
    ran.says("set the environment variable OPENAI_API_KEY");
    assert!(!case.out().exists());
}

#[test]
fn fault_31_an_escaped_or_partial_key_is_stored_nowhere() {
    let escaped: String = KEY.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let inner = &KEY[2..KEY.len() - 2];
    for hidden in [escaped.as_str(), inner, &escaped[12..escaped.len() - 12]] {
        // The key is in every string of an answer that is stored or printed.
        let body =
            chat("HIDDEN", "stop").to_string().replace("m-2026-01-01", "m-HIDDEN").replace("HIDDEN", hidden);
        let sent = body.clone();
        let (case, _) = with_w0(0, move |_| Reply::new(200, sent.clone()));
        for name in ["items.csv", "scores.csv", "summary.json", "journal.jsonl"] {
            assert!(!case.file(name).contains(inner) && case.file(name).contains("[REDACTED]"), "{name}");
        }
        let server = Server::start(move |_| Reply::new(200, body.clone()));
        let ran = Case::new(&server, 1).ends(1, &["--require-model-snapshot", "m-1"]);
        assert!(!ran.says("[REDACTED] answered").stderr.contains(inner));
        let error = r#"{"error":{"message":"HIDDEN","type":"invalid_request_error",
            "code":"unsupported_parameter","param":"stop"}}"#;
        let error = error.replace("HIDDEN", hidden);
        let server = Server::start(move |_| Reply::new(400, error.clone()));
        let case = Case::new(&server, 1);
        let ran = case.ends(1, &["--stop", "x"]);
        assert!(!ran.says("does not support `stop` (status 400: [REDACTED])").stderr.contains(inner));
        assert!(!case.file("journal.jsonl").contains(inner));
    }
    // The key is divided between two strings that a reader joins.
    let (first, second) = KEY.split_at(7);
    let mut body = chat("", "stop");
    body["choices"][0]["message"]["content"] =
        json!([{"type": "text", "text": first}, {"type": "text", "text": second}]);
    let body = body.to_string();
    let (case, _) = with_w0(0, move |_| Reply::new(200, body.clone()));
    assert!(!case.file("items.csv").contains(second));
}

#[test]
fn fault_31_a_key_in_any_encoding_is_stored_nowhere() {
    let each = |form: fn(char) -> String| KEY.chars().map(form).collect::<String>();
    let header = format!("Authorization: Bearer {KEY}");
    let encoded = STANDARD.encode(&header);
    for echo in [
        seed::hex(KEY.as_bytes()),
        seed::hex(KEY.as_bytes()).to_uppercase(),
        URL_SAFE_NO_PAD.encode(&header),
        format!("{}\\r\\n{}", &encoded[..40], &encoded[40..]),
        encoded,
        each(|c| format!("%{:02X}", u32::from(c))),
        each(|c| format!("\\u{:04x}", u32::from(c))),
        each(|c| format!("{c}\u{200b}")),
        each(|c| format!("{c}\\u00ad")),
    ] {
        // The key is in an answer and its graded text, in the name of the model, and in an error and the
        // message about it.
        let body = chat("it is HIDDEN.", "stop")
            .to_string()
            .replace("m-2026-01-01", "m-HIDDEN")
            .replace("HIDDEN", &echo);
        let (case, _) = with_w0(0, move |_| Reply::new(200, body.clone()));
        for (name, before) in [("items.csv", "it is "), ("scores.csv", "m-")] {
            let file = case.file(name);
            assert!(
                file.contains(before) && file.contains("[REDACTED]") && !file.contains(&echo),
                "{echo}: {file}"
            );
        }
        let error = json!({"error": {"message": "MESSAGE", "type": "invalid_request_error",
            "code": "invalid_api_key"}});
        let error = error.to_string().replace("MESSAGE", &format!("no such key: {echo}."));
        let server = Server::start(move |_| Reply::new(401, error.clone()).with("x-request-id", "r"));
        let case = Case::new(&server, 1);
        case.ends(5, &[]).says("no such key: ").says("[REDACTED]");
        assert!(case.records().iter().any(|record| record["redacted"] == true), "{echo}");
    }
    // Grading replaces full-width letters by ASCII letters. An answer that would then contain the key is not
    // stored.
    let wide: String = each(|c| char::from_u32(u32::from(c) + 0xfee0).map_or(String::new(), String::from));
    let body = chat(&wide, "stop").to_string();
    let (case, _) = with_w0(0, move |_| Reply::new(200, body.clone()));
    assert!(!case.file("items.csv").contains(KEY) && !case.file("journal.jsonl").contains(&wide));
    // An answer in which removed characters interrupt the key is not stored either.
    for mark in ["\u{200b}", "<pad>", "\u{ad}"] {
        let broken = format!("{}{mark}{}", &KEY[..9], &KEY[9..]);
        let body = chat(&broken, "stop").to_string();
        let (case, _) = with_w0(0, move |_| Reply::new(200, body.clone()));
        assert!(!case.file("items.csv").contains(KEY), "{mark:?}");
        assert!(!case.file("journal.jsonl").contains(&broken), "{mark:?}");
    }
    // If a key contains words of the wire format, members with these names are still read, and the cost is
    // counted.
    for key in ["completion_tokens", "prompt_tokens-0123456789", "zk-prompt_tokens_finish_reason-9"] {
        let server = Server::right();
        let case = Case::new(&server, 2);
        let prices = "date = 2026-11-01\n[models.m]\ninput_usd_per_million_tokens = \
                      1\noutput_usd_per_million_tokens = 1\n";
        std::fs::write(case.folder.path().join("prices.toml"), prices).expect("a file");
        let mut command = case.command(&["--budget-usd", "1", "--prices", "prices.toml"]);
        let ran = case.ran(&command.env("OPENAI_API_KEY", key).output().expect("the binary"));
        assert_eq!((ran.code, case.score("accuracy")), (Some(0), "1.0".into()), "{}", ran.stderr);
        let summary: Value = serde_json::from_str(&case.file("summary.json")).expect("JSON");
        assert_eq!(summary["spent_usd"], json!(18e-6), "{key}");
    }
}

#[test]
fn fault_31_a_key_in_what_is_asked_is_refused_before_anything_is_written() {
    let server = Server::right();
    let body = json!({"user": KEY}).to_string();
    let item = |prompt: &str| json!({"id": "a", "prompt": prompt, "answer": "a"}).to_string() + "\n";
    for (line, arguments, says) in [
        (
            format!("{}{}", item("x").replace("\"a\",\"prompt", "\"z\",\"prompt"), item(KEY)),
            vec![],
            "item 2 of items.jsonl",
        ),
        (item("x").replace("\"id\":\"a\"", &format!("\"id\":\"{KEY}\"")), vec![], "item 1 of items.jsonl"),
        (item("x"), vec!["--stop", KEY], "--stop"),
        (item("x"), vec!["--body-json", &body], "--body-json"),
        (item("x"), vec!["--require-model-snapshot", KEY], "--require-model-snapshot"),
    ] {
        let case = Case::of(&server.url, "");
        let output = {
            std::fs::write(case.folder.path().join("items.jsonl"), line).expect("a file");
            case.command(&arguments).output().expect("the binary")
        };
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains(says) && stderr.contains("contains the key") && !stderr.contains(&KEY[..12]),
            "{stderr}"
        );
        assert!(!case.out().exists());
    }
    // No task, price file or certificate has the key as its name, so each command fails. The message does not
    // contain the key.
    let case = Case::of(&server.url, &item("x"));
    for arguments in
        [vec![KEY], vec!["--budget-usd", "1", "--prices", KEY], vec!["--ca-cert", KEY], vec![&KEY[3..]]]
    {
        let ran = case.run(&arguments);
        assert!(ran.code != Some(0) && ran.says("[REDACTED]").code != Some(101), "{}", ran.stderr);
    }
    let percent: String = KEY.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let case = Case::of(&format!("{}/{percent}/v1", server.url), &item("x"));
    case.ends(2, &[]).says("contains the key");
    assert_eq!(server.count_all(), 0);
    // A very short key, or a short key without digits, counts as a placeholder. It is not redacted, because
    // redacting it could remove words from answers.
    for key in ["EMPTY", "completion", "sk-test"] {
        let case = Case::of(&server.url, &item("x"));
        let ran = case.ran(&case.command(&[]).env("OPENAI_API_KEY", key).output().expect("the binary"));
        assert_eq!(ran.code, Some(0));
        let summary = std::fs::read_to_string(case.out().join("summary.json")).expect("a summary");
        assert!(!summary.contains("REDACTED"), "{summary}");
    }
}

#[test]
fn fault_31_the_key_is_sent_in_the_chosen_header() {
    let server = Server::right();
    let case = Case::new(&server, 1);
    case.ends(0, &["--key-header", "api-key"]);
    for posted in server.posts() {
        assert_eq!(posted.headers.get("api-key").map(String::as_str), Some(KEY));
        assert!(!posted.headers.contains_key("authorization"));
    }
}
