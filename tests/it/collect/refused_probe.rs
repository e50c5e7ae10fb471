//! Servers that refuse the probe, or consecutive questions, with unknown wordings.

use serde_json::{Value, json};

use crate::support::collect_case::Case;
use crate::support::fault_server::{Posted, Reply, Server};

fn refused(status: u16, body: &Value) -> Reply {
    Reply::new(status, body.to_string())
}

fn has(posted: &Posted, name: &str) -> bool {
    !posted.body[name].is_null()
}

#[test]
fn a_parameter_named_anywhere_in_the_refusal_is_left_out() {
    let tgi = json!({"error": "Input validation error: `temperature` must be strictly positive"});
    let pydantic = json!({"detail": [{"type": "greater_than", "loc": ["body", "temperature"],
        "msg": "Input should be greater than 0", "input": 0}]});
    let param = json!({"error": {"message": "Bad request", "param": "temperature", "code": "invalid_value"}});
    let unnamed = json!({"error": {"message": "Bad request"}});
    for (status, body) in [(422, tgi), (422, pydantic), (400, param), (400, unnamed)] {
        let server = Server::start(move |posted| match has(posted, "temperature") {
            true => refused(status, &body),
            false => Reply::say(posted.word()),
        });
        let case = Case::new(&server, 3);
        case.ends(0, &[]).says("`temperature` is omitted");
        assert_eq!((server.count_all(), server.questions()), (5, 3));
        // The answer to the probe is stored, so the same command sends no further request.
        case.ends(0, &[]);
        assert_eq!(server.count_all(), 5);
        let case = Case::new(&server, 3);
        case.ends(1, &["--no-adapt-params"]).says("--no-adapt-params");
        assert_eq!((server.count_all(), server.questions()), (6, 3));
    }
}

#[test]
fn an_unnamed_parameter_at_fault_is_found_and_the_others_are_sent() {
    let server = Server::start(|posted| match has(posted, "stop") {
        true => refused(400, &json!({"error": {"message": "Bad request"}})),
        false => Reply::say(posted.word()),
    });
    let case = Case::new(&server, 3);
    case.ends(0, &["--stop", "END", "--sampling-seed", "7"]).says("`stop` is omitted");
    let questions: Vec<Posted> = server.posts().into_iter().filter(|posted| !posted.is_probe()).collect();
    assert_eq!(questions.len(), 3);
    assert!(questions.iter().all(|posted| has(posted, "seed") && has(posted, "temperature")));
}

#[test]
fn a_server_that_refuses_every_request_is_asked_a_few_times() {
    let server = Server::start(|_| refused(400, &json!({"error": {"message": "Bad request 17"}})));
    let case = Case::new(&server, 500);
    case.ends(1, &["--sampling-seed", "7"]).says("Bad request 17").says("refuses a short request");
    // The server gets four requests: the probe with all parameters, without the seed, without the
    // temperature, and without both.
    assert_eq!((server.count_all(), server.questions()), (4, 0));
}

#[test]
fn consecutive_refused_questions_end_the_run_only_if_the_probe_is_refused_too() {
    let bad = || refused(400, &json!({"error": {"message": "This question cannot be answered"}}));
    let server = Server::start(move |posted| match posted.word().trim_start_matches('w').parse() {
        Ok(2..20) => bad(),
        _ => Reply::say(posted.word()),
    });
    let case = Case::new(&server, 30);
    case.ends(3, &["--concurrency", "1"]);
    assert_eq!((case.score("n_error"), case.score("n_scored")), ("18".into(), "12".into()));
    assert_eq!((server.count_all(), server.questions()), (32, 30), "the probe is sent twice");

    let server = Server::start(move |posted| match posted.before {
        0..3 => Reply::say(posted.word()),
        _ => bad(),
    });
    let case = Case::new(&server, 500);
    case.ends(1, &["--concurrency", "1"]).says("failed in the same way");
    assert!(server.count_all() <= 15, "{}", server.count_all());
}

#[test]
fn only_the_prompts_that_are_too_large_fail_for_any_wording() {
    for message in [
        "input length and `max_tokens` exceed context limit: 199990 + 64 > 200000",
        "max_tokens exceeds the range of 1..60",
    ] {
        let body = json!({"error": {"message": message}});
        let server = Server::start(move |posted| match posted.word().trim_start_matches('w').parse() {
            Ok(2..20) => refused(400, &body),
            _ => Reply::say(posted.word()),
        });
        let case = Case::new(&server, 30);
        case.ends(3, &["--concurrency", "1"]);
        assert_eq!((case.score("n_error"), case.score("n_scored")), ("18".into(), "12".into()));
        assert_eq!(server.count_all(), 31, "each question must be asked once");
    }
}
