//! Faults in the answers of a server, in the order of FAULTS.md. The number in the name of a test is its row
//! in this table.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::collect_case::Case;
use crate::support::fault_server::{How, Posted, Reply, Server, chat};

/// Collects one faulty item and two normal items. Returns the case, and how often the faulty item was asked.
pub fn with_w0(code: i32, reply: impl Fn(&Posted) -> Reply + Send + Sync + 'static) -> (Case, usize) {
    let server = Server::wrong_for_w0(reply);
    let case = Case::new(&server, 3);
    case.ends(code, &[]);
    (case, server.count("w0"))
}

/// Checks that only this column of scores.csv counts the faulty item.
fn is_counted(case: &Case, column: &str) {
    for name in ["n_refused", "n_filtered", "n_truncated", "n_empty", "n_unreadable", "n_error"] {
        assert_eq!(case.score(name), if name == column { "1" } else { "0" }, "{name}");
    }
}

#[test]
fn fault_22_a_truncated_body_without_length_is_kept_as_unreadable() {
    let (case, asked) = with_w0(0, |_| Reply::say("w0").how(How::CloseDelimited(60)));
    is_counted(&case, "n_unreadable");
    assert_eq!(asked, 1, "the answer was paid for");
    let kept = case.outcomes().into_iter().find(|r| r["outcome"] == "unreadable").expect("an outcome");
    assert_eq!(kept["body"].as_str(), Some(&chat("w0", "stop").to_string()[..60]));
}

#[test]
fn fault_23_invalid_json_is_read_leniently_or_kept() {
    let body = chat("w0", "stop").to_string();
    let good = [
        body.replace("\"created\":1", "\"created\":NaN"),
        body.replace("\"created\":1", "\"created\":-Infinity"),
        body.replace("\"created\":1", "\"created\":1e999"),
        body.replace("\"id\":\"chatcmpl-1\"", "\"id\":\"\\ud83d\""),
        format!("\u{feff}{body}"),
        body.replace("chatcmpl-1", "chat\u{1}cmpl"),
    ];
    for text in good {
        let sent = text.clone();
        let (case, asked) = with_w0(0, move |_| Reply::new(200, sent.clone()));
        assert_eq!(
            (asked, case.score("accuracy"), case.score("n_scored")),
            (1, "1.0".into(), "3".into()),
            "{text}"
        );
        assert!(case.outcomes().iter().any(|r| r["body"] == text.as_str()), "the bytes must be kept");
    }
    for text in ["<html>welcome</html>".into(), "".into(), body[..body.len() - 1].to_owned()] {
        let sent = text.clone();
        let (case, asked) = with_w0(0, move |_| Reply::new(200, sent.clone()));
        is_counted(&case, "n_unreadable");
        assert_eq!(asked, 1, "{text}");
    }
}

#[test]
fn fault_23_an_answer_that_is_not_utf8_is_counted() {
    let body = chat("W", "stop").to_string();
    let (head, tail) = body.split_once("\"W\"").expect("a text");
    let bytes = [head.as_bytes(), b"\"caf\xe9\"", tail.as_bytes()].concat();
    let server = Server::wrong_for_w0(move |_| Reply::new(200, bytes.clone()));
    let case = Case::new(&server, 2);
    case.ends(0, &[]).says("1 answers are not UTF-8");
    let summary: Value = serde_json::from_str(&case.file("summary.json")).expect("JSON");
    assert_eq!(summary["n_not_utf8"], 1);
}

#[test]
fn fault_24_the_content_decides_and_not_the_content_type() {
    let cafe = |posted: &Posted| {
        Reply::new(200, chat(&format!("caf\u{e9} {}", posted.word()), "stop").to_string())
            .with("content-type", "text/html; charset=iso-8859-1")
    };
    let server = Server::start(cafe);
    let case = Case::of(&server.url, "{\"id\":\"a\",\"prompt\":\"say w0\",\"answer\":\"caf\u{e9} w0\"}\n");
    case.ends(0, &[]);
    assert_eq!(case.score("accuracy"), "1.0");
    // Bytes that are not UTF-8 are kept unchanged.
    let mut bytes = chat("w0", "stop").to_string().into_bytes();
    let at = bytes.iter().position(|b| *b == b'1').expect("a digit");
    bytes[at] = 0xff;
    let sent = bytes.clone();
    let (case, _) = with_w0(0, move |_| Reply::new(200, sent.clone()));
    let kept = case
        .outcomes()
        .into_iter()
        .find_map(|r| r["body_base64"].as_str().map(str::to_owned))
        .expect("base64");
    use base64::Engine;
    assert_eq!(base64::engine::general_purpose::STANDARD.decode(kept).expect("base64"), bytes);
}

#[test]
fn fault_25_a_success_with_an_error_or_without_text_counts_as_its_contents() {
    let limited = json!({"error": {"message": "slow down", "code": 429}}).to_string();
    let (case, asked) =
        with_w0(
            0,
            move |posted| if posted.same == 0 { Reply::new(200, limited.clone()) } else { Reply::say("w0") },
        );
    assert_eq!((asked, case.score("accuracy")), (2, "1.0".into()));
    let body = chat("w0", "stop");
    let mut lists = body.clone();
    lists["choices"][0]["message"]["content"] = json!([{"type": "text", "text": "w0"}]);
    let (case, _) = with_w0(0, move |_| Reply::new(200, lists.to_string()));
    assert_eq!(case.score("accuracy"), "1.0");
    for (path, value) in
        [("/choices/0/message/content", json!(null)), ("/choices", json!([])), ("/choices", json!(null))]
    {
        let mut body = body.clone();
        *body.pointer_mut(path).expect("a member") = value;
        let (case, asked) = with_w0(0, move |_| Reply::new(200, body.to_string()));
        assert_eq!((asked, case.score("n_scored")), (1, "2".into()), "{path}");
    }
}

#[test]
fn fault_26_to_28_empty_refused_and_filtered_answers_are_counted_and_asked_once() {
    let (case, asked) = with_w0(0, |_| Reply::say(""));
    is_counted(&case, "n_empty");
    assert_eq!(asked, 1);

    let mut refusal = chat("", "stop");
    refusal["choices"][0]["message"] =
        json!({"role": "assistant", "content": null, "refusal": "I can't help with that."});
    let (case, asked) = with_w0(0, move |_| Reply::new(200, refusal.to_string()));
    is_counted(&case, "n_refused");
    assert_eq!(asked, 1);
    assert!(case.file("items.csv").contains("I can't help with that."));

    let prompt = json!({"error": {"code": "content_filter", "status": 400, "message": "filtered",
        "innererror": {"code": "ResponsibleAIPolicyViolation",
        "content_filter_result": {"hate": {"filtered": true, "severity": "medium"}}}}});
    for reply in
        [Reply::new(400, prompt.to_string()), Reply::new(200, chat("w", "content_filter").to_string())]
    {
        let server = Server::wrong_for_w0(move |_| reply.clone());
        let case = Case::new(&server, 3);
        case.ends(0, &[]);
        is_counted(&case, "n_filtered");
        assert_eq!(
            (case.score("accuracy"), case.score("accuracy_all_as_wrong")),
            ("1.0".into(), (2.0 / 3.0).to_string())
        );
        // The question is asked again only on request, and its new answer has its own key.
        case.ends(0, &["--redo", "filtered"]);
        assert_eq!((server.count("w0"), server.questions()), (2, 4));
        let keys: std::collections::BTreeSet<_> =
            case.outcomes().iter().map(|r| r["key"].to_string()).collect();
        assert_eq!(keys.len(), 4);
    }
}

#[test]
fn fault_29_truncated_answers_end_the_run_early() {
    let server = Server::start(|posted| {
        Reply::new(200, chat(posted.word(), if posted.same == 0 { "length" } else { "stop" }).to_string())
    });
    let case = Case::new(&server, 100);
    case.ends(3, &["--concurrency", "1"])
        .says("20 of the first 20 answers were truncated")
        .says("--max-tokens")
        .says("--keep-truncated");
    assert_eq!(server.questions(), 20);
    case.ends(3, &["--concurrency", "1"]).says("20 of the first 20 answers were truncated");
    assert_eq!(server.questions(), 20, "the next run must stop as well");
    case.ends(0, &["--keep-truncated"]);
    assert_eq!((case.score("n_truncated"), server.questions()), ("100".into(), 100));
}

#[test]
fn fault_30_an_unsupported_parameter_is_left_out_of_all_requests_or_none() {
    let refuses = |posted: &Posted| {
        for (param, code) in [("temperature", "unsupported_value"), ("max_tokens", "unsupported_parameter")] {
            if !posted.body[param].is_null() {
                let error = json!({"error": {"message": format!("Unsupported: '{param}'"),
                    "type": "invalid_request_error", "param": param, "code": code}});
                return Reply::new(400, error.to_string());
            }
        }
        Reply::say(posted.word())
    };
    let server = Server::start(refuses);
    let case = Case::new(&server, 6);
    let refuse = ["--no-adapt-params"];
    case.ends(1, &refuse).says("does not support `temperature`").says("omit --no-adapt-params");
    let error = r#"{"error":{"message":"no","type":"invalid_request_error","code":"unsupported_parameter",
        "param":"messages"}}"#;
    let never = Server::start(move |_| Reply::new(400, error));
    let ran = Case::new(&never, 1).ends(1, &[]);
    assert!(!ran.says("the error names `messages`").stderr.contains("--no-adapt-params"));
    assert_eq!(server.posts().len(), 1, "only a probe is sent");
    case.ends(0, &[]).says("`temperature` is omitted");
    let bodies: std::collections::BTreeSet<String> = server.posts()[1..]
        .iter()
        .filter(|p| !p.is_probe())
        .map(|p| {
            let mut body = p.body.clone();
            body["messages"] = Value::Null;
            body.to_string()
        })
        .collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(
        bodies.iter().all(|body| body.contains("max_completion_tokens") && !body.contains("temperature"))
    );
    assert!(case.file("summary.json").contains("\"temperature\""), "the change must be recorded");
    let posts = server.posts().len();
    // `--adapt-params` is still accepted, although this behaviour is now the default.
    case.ends(0, &["--adapt-params"]);
    assert_eq!(server.posts().len(), posts, "the result must be remembered");
}

#[test]
fn fault_32_a_redirect_is_not_followed() {
    let other = Server::right();
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/chat/completions", other.url);
        let server = Server::start(move |_| Reply::new(status, "").with("location", &target));
        let case = Case::new(&server, 3);
        case.ends(1, &[])
            .says("redirects to")
            .says(other.url.trim_start_matches("http://"))
            .says("--base-url");
        assert_eq!((server.posts().len(), other.posts().len()), (1, 0), "{status}");
    }
}

#[test]
fn fault_33_another_model_than_before_is_reported_or_refused() {
    let server = Server::start(|posted| {
        let mut body = chat(posted.word(), "stop");
        body["model"] = json!(if posted.before < 3 { "m-1" } else { "m-2" });
        Reply::new(200, body.to_string())
    });
    let case = Case::new(&server, 6);
    case.ends(0, &["--concurrency", "1"]).says("the model snapshot changed during the run: m-1 and m-2");
    assert_eq!(case.score("model_snapshot"), "m-1+m-2");
    let server = Server::right();
    let case = Case::new(&server, 6);
    case.ends(1, &["--require-model-snapshot", "m-2025"]).says("m-2026-01-01 answered").says("m-2025");
    assert_eq!(server.posts().len(), 1);
}

#[test]
fn fault_34_any_text_is_sent_and_received_unchanged() {
    let texts = [
        "\0 nul",
        "a\rb",
        "\u{202e}rtl\u{202c}",
        "\u{1f600}\u{200d}\u{1f525}",
        "a\u{2028}\u{2029}\u{85}b",
        "tab\tand \"quotes\" \\ and \u{7f}",
        "\u{1b}[31mred",
        &"long ".repeat(40_000),
    ];
    let lines: String = texts
        .iter()
        .enumerate()
        .map(|(i, text)| {
            json!({"id": i.to_string(), "prompt": format!("{text} say w0"), "answer": text}).to_string()
                + "\n"
        })
        .collect();
    let server =
        Server::start(|posted| Reply::say(posted.prompt.strip_suffix(" say w0").unwrap_or_default()));
    let case = Case::of(&server.url, &lines);
    let ran = case.ends(0, &[]);
    assert!(!ran.stderr.contains('\u{1b}'));
    for text in texts {
        assert!(server.posts().iter().any(|posted| posted.prompt == format!("{text} say w0")), "{text:?}");
        assert!(
            case.outcomes().iter().any(|r| {
                let body: Value =
                    serde_json::from_str(r["body"].as_str().unwrap_or_default()).unwrap_or_default();
                body["choices"][0]["message"]["content"] == text
            }),
            "{text:?}"
        );
    }
    assert_eq!(case.score("accuracy"), "1.0");
}

#[test]
fn fault_41_wrong_rate_limit_headers_only_slow_down() {
    let server = Server::start(|posted| {
        Reply::say(posted.word())
            .with("x-ratelimit-remaining-requests", "0")
            .with("x-ratelimit-reset-requests", "1h")
    });
    let case = Case::new(&server, 20);
    case.ends(0, &["--max-wait-s", "0.2"]);
    assert_eq!(case.score("accuracy"), "1.0");
}

#[test]
fn fault_42_answers_in_any_order_go_to_their_questions() {
    let server = Server::start(|posted| {
        let n: u64 = posted.word().trim_start_matches('w').parse().unwrap_or(0);
        Reply::say(posted.word()).how(How::Late(Duration::from_millis(n * 37 % 101)))
    });
    let case = Case::new(&server, 200);
    case.ends(0, &["--concurrency", "64"]);
    assert_eq!((case.score("accuracy"), case.score("n_scored")), ("1.0".into(), "200".into()));
    let scores = (case.file("scores.csv"), case.file("items.csv"));
    // Rescoring the same journal writes the same bytes, for any order of its records.
    let rescore = |folder: &Path| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"));
        command
            .current_dir(folder)
            .args(["collect", "rescore", "out"])
            .env_clear()
            .output()
            .expect("the binary")
    };
    let text = case.file("journal.jsonl");
    let (intents, others): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.contains("\"record\":\"intent\""));
    let (first, outcomes) = others.split_at(1);
    let shuffled: Vec<&str> = first.iter().chain(&intents).chain(outcomes.iter().rev()).copied().collect();
    std::fs::write(case.out().join("journal.jsonl"), shuffled.join("\n") + "\n").expect("a file");
    assert!(rescore(case.folder.path()).status.success());
    assert_eq!((case.file("scores.csv"), case.file("items.csv")), scores);
}
