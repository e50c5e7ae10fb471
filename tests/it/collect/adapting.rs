//! Parameters that a server does not support: they are adapted for the whole run, recorded and reported once,
//! or end the run with an error that names them. Additional parameters are sent unchanged.

use serde_json::{Value, json};

use crate::support::collect_case::Case;
use crate::support::fault_server::{Posted, Reply, Server, chat};

fn refused(message: &str) -> Reply {
    let body =
        json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}});
    Reply::new(400, body.to_string())
}

/// A server that refuses the parameters that new reasoning models do not support.
fn reasoning_model(posted: &Posted) -> Reply {
    let has = |name: &str| !posted.body[name].is_null();
    if has("max_tokens") {
        return refused(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
             'max_completion_tokens' instead.",
        );
    }
    if has("temperature") {
        return refused("`temperature` is deprecated for this model.");
    }
    if has("stop") {
        return refused("Unsupported parameter: \u{201c}stop\u{201d} is not supported with this model.");
    }
    if posted.body["max_completion_tokens"].as_u64().is_some_and(|tokens| tokens > 600) {
        return refused("max_completion_tokens is too large: 2048. This model supports at most 600.");
    }
    Reply::say(posted.word())
}

#[test]
fn unsupported_parameters_are_left_out_of_all_requests_and_reported_once() {
    let server = Server::start(reasoning_model);
    let case = Case::new(&server, 5);
    let arguments = ["--stop", "END", "--max-tokens", "2048"];
    let ran = case.ends(0, &arguments);
    assert_eq!(ran.stderr.matches("does not support all parameters").count(), 1, "{}", ran.stderr);
    ran.says("`max_tokens` is sent as `max_completion_tokens`, `temperature` is omitted, `stop` is omitted")
        .says("`max_completion_tokens` is 512 (recorded in summary.json");
    let questions: Vec<_> = server.posts().into_iter().filter(|posted| !posted.is_probe()).collect();
    assert_eq!(questions.len(), 5, "no question may be paid for twice");
    let first = &questions[0].body;
    assert!(questions.iter().all(|posted| posted.body["max_completion_tokens"] == 512), "{first}");
    let summary: Value = serde_json::from_str(&case.file("summary.json")).expect("JSON");
    assert_eq!(summary["configuration"]["without"], json!(["max_tokens", "temperature", "stop"]));
    assert_eq!(summary["configuration"]["lowered"].as_array().map(Vec::len), Some(2));
    // The same command sends no further request.
    let n = server.count_all();
    case.ends(0, &arguments);
    assert_eq!(server.count_all(), n);
}

#[test]
fn a_parameter_that_cannot_be_adapted_ends_the_run_by_name() {
    let server = Server::start(reasoning_model);
    let case = Case::new(&server, 5);
    case.ends(1, &["--no-adapt-params"]).says("does not support `max_tokens`").says("--no-adapt-params");
    assert_eq!((server.count_all(), server.questions()), (1, 0));
    // This server refuses the parameter in any form.
    let server = Server::start(|_| refused("`temperature` is deprecated for this model."));
    let case = Case::new(&server, 50);
    case.ends(1, &[]).says("does not support `temperature`").says("cannot be omitted or changed further");
    assert_eq!((server.count_all(), server.questions()), (2, 0));
}

#[test]
fn a_refusal_of_a_parameter_for_one_question_fails_only_that_question() {
    let server = Server::wrong_for_w0(|_| refused("temperature does not support 0.0 with this model"));
    let case = Case::new(&server, 20);
    let ran = case.ends(3, &["--concurrency", "1"]);
    ran.says("refuses it for one question").says("1 of 20 questions have no answer");
    assert_eq!((server.count("w0"), case.score("n_scored")), (1, "19".into()));
}

#[test]
fn a_wrong_key_is_tried_once_and_a_refusal_by_a_firewall_does_not_count_as_one() {
    let server = Server::start(|_| Reply::error(401, "unauthorized"));
    let case = Case::new(&server, 500);
    case.ends(5, &["--concurrency", "64"]).says("refuses the key");
    assert_eq!(server.count_all(), 1);
    // The answer to the probe is stored, so in the second run the first question shows that the key is no
    // longer valid.
    let server = Server::start(|posted| match posted.before {
        0 => Reply::say("yes"),
        1 => Reply::error(402, "insufficient_quota"),
        _ => Reply::error(401, "unauthorized"),
    });
    let case = Case::new(&server, 500);
    case.ends(5, &["--concurrency", "1"]);
    case.ends(5, &["--concurrency", "64"]).says("refuses the key");
    assert!(server.count_all() <= 4, "{}", server.count_all());
    let server = Server::wrong_for_w0(|_| Reply::new(403, "<html>Request blocked</html>"));
    let case = Case::new(&server, 20);
    case.ends(3, &["--concurrency", "1"]).says("1 of 20 questions have no answer");
    assert_eq!(case.score("n_scored"), "19");
}

#[test]
fn any_number_of_filtered_and_too_large_questions_does_not_end_the_run() {
    let filtered = json!({"error": {"message": "Content Exists Risk", "code": "invalid_request_error"}});
    let large = json!({"error": {"message": "Request too large for m on tokens per min (TPM): Limit 30000, \
        Requested 61337. The input or output tokens must be reduced.", "code": "rate_limit_exceeded"}});
    for (status, body, column, code) in [(400, filtered, "n_filtered", 0), (429, large, "n_error", 3)] {
        let body = body.to_string();
        let server = Server::start(move |posted| match posted.word().trim_start_matches('w').parse() {
            Ok(2..20) => Reply::new(status, body.clone()),
            _ => Reply::say(posted.word()),
        });
        let case = Case::new(&server, 30);
        case.ends(code, &["--concurrency", "1"]);
        assert_eq!((case.score(column), case.score("n_scored")), ("18".into(), "12".into()));
        assert_eq!(server.questions(), 30, "each question must be asked once");
    }
}

#[test]
fn members_of_body_json_are_sent_and_are_part_of_the_question() {
    let server = Server::right();
    let case = Case::new(&server, 2);
    let json = "{\"provider\":{\"order\":[\"a\"]},\"top_k\":1}";
    case.ends(0, &["--body-json", json, "--temperature", "none", "--reasoning-effort", "low"]);
    for posted in server.posts() {
        let body = &posted.body;
        assert_eq!((&body["provider"]["order"][0], &body["top_k"]), (&json!("a"), &json!(1)));
        assert_eq!((&body["reasoning_effort"], &body["stream"]), (&json!("low"), &json!(false)));
        assert!(body["temperature"].is_null(), "{body}");
    }
    case.ends(2, &["--body-json", "{\"top_k\":2}"])
        .says("answers that were collected with another configuration");
    for (wrong, says) in [
        ("[1]", "must be a JSON object"),
        ("{\"messages\":[]}", "which is the prompt"),
        ("{\"temperature\":1}", "must not replace `temperature`"),
        ("{\"api_key\":\"x\"}", "looks like a secret"),
    ] {
        Case::new(&server, 1).ends(2, &["--body-json", wrong]).says(says);
    }
    Case::new(&server, 1).ends(2, &["--temperature", "warm"]).says("or `none`");
    Case::new(&server, 1)
        .ends(2, &["--provider", "openai-completions", "--reasoning-effort", "low"])
        .says("--body-json");
    Case::new(&server, 1)
        .ends(2, &["--provider", "gemini", "--reasoning-effort", "max"])
        .says("must be one of none, minimal, low, medium, high for gemini");
}

#[test]
fn a_server_on_this_machine_needs_no_key() {
    let server = Server::right();
    let case = Case::new(&server, 2);
    let mut command = case.command(&[]);
    command.env_remove("OPENAI_API_KEY");
    let ran = case.ran(&command.output().expect("the binary"));
    assert_eq!((ran.code, case.score("accuracy")), (Some(0), "1.0".into()), "{}", ran.stderr);
    let elsewhere =
        Case::of("https://surmise-test.invalid/v1", "{\"id\":\"a\",\"prompt\":\"x\",\"answer\":\"x\"}\n");
    let mut command = elsewhere.command(&[]);
    command.env_remove("OPENAI_API_KEY");
    let ran = elsewhere.ran(&command.output().expect("the binary"));
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    ran.says("set the environment variable OPENAI_API_KEY");
}

#[test]
fn log_probabilities_that_cannot_be_used_end_the_run_at_the_probe() {
    let line = json!({"id": "1", "prompt": "Red is", "answer": "blood", "choices": ["sky", "blood"]});
    let echo = |text: fn(&str) -> String, logprobs: fn(&str) -> Value| {
        Server::start(move |posted| {
            let prompt = posted.body["prompt"].as_str().unwrap_or_default();
            let body = json!({"model": "m", "choices": [{"text": text(prompt), "finish_reason": "length",
                "logprobs": logprobs(prompt)}], "usage": {"prompt_tokens": 8, "completion_tokens": 1}});
            Reply::new(200, body.to_string())
        })
    };
    let whole = |prompt: &str| format!("{prompt} x");
    let zeros = |prompt: &str| {
        json!({"tokens": [&prompt[..3], &prompt[3..], " x"], "token_logprobs": [null, 0.0, 0.0],
        "text_offset": [0, 3, prompt.len()]})
    };
    let generated = |_: &str| json!({"content": [{"token": " x", "logprob": -0.5}]});
    let empty = |_: &str| json!({"tokens": [], "token_logprobs": [], "text_offset": []});
    for (server, says) in [
        (echo(whole, zeros), "the log-probability 0 for every token"),
        (echo(|_| " x".into(), generated), "does not return the log-probabilities of a prompt"),
        (echo(|_| String::new(), empty), "does not return the log-probabilities of a prompt"),
    ] {
        let case = Case::of(&server.url, &format!("{line}\n"));
        let arguments = ["--provider", "openai-completions", "--grader", "logprob"];
        case.ends(1, &arguments).says(says).says("--grader letter");
        case.ends(1, &arguments).says(says);
        assert_eq!(server.count_all(), 1, "the stored probe ends the second run");
    }
    // A chat lists three tokens with probability 1 at one position.
    let server = Server::start(|posted| {
        let mut body = chat(posted.word(), "stop");
        let top = ["A", "B", "C"].map(|token| json!({"token": token, "logprob": 0.0}));
        body["choices"][0]["logprobs"] =
            json!({"content": [{"token": "A", "logprob": 0.0, "top_logprobs": top}]});
        Reply::new(200, body.to_string())
    });
    Case::new(&server, 3).ends(1, &["--logprobs", "3"]).says("sum to 3.00").says("omit --logprobs");
    // If a server ignores the request for log-probabilities, a message reports this.
    let server = Server::right();
    let ran = Case::new(&server, 3).ends(0, &["--logprobs", "3"]);
    assert_eq!(ran.stderr.matches("ignores `logprobs`").count(), 1, "{}", ran.stderr);
}
