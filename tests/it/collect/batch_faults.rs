//! Tests batches that are refused for their size, cannot be fetched, or take too long. The other batches are
//! not affected.

use std::time::Duration;

use serde_json::json;

use super::batch::{BUDGET, WIRES, case, ends, is_counted, is_right, summary};
use crate::support::batch_server::{BatchServer, Script};

#[test]
fn a_batch_is_split_as_often_as_needed() {
    for wire in WIRES {
        let server = BatchServer::start(Script { most_requests: Some(3), ..Script::default() });
        let case = case(&server, 40);
        let ran = ends(&case, 0, wire, &[]);
        ran.says("batches of at most 20").says("of at most 5").says("of at most 3").says("--batch-size 3");
        is_right(&case, &server, 40);
        assert!(server.state().sizes.iter().all(|n| *n <= 3), "{:?}", server.state().sizes);
    }
    // This server accepts a large batch. Only the response to a poll states that the batch has failed.
    let server = BatchServer::start(Script { most_polled: Some(3), ..Script::default() });
    let case = case(&server, 40);
    ends(&case, 0, "openai-chat", &BUDGET).says("of at most 5").says("of at most 3");
    assert_eq!((case.score("n_scored"), case.score("accuracy")), ("40".into(), "1.0".into()));
    assert_eq!(summary(&case)["n_possibly_paid"], 0);
}

#[test]
fn a_refusal_for_size_is_known_by_its_text() {
    for (wire, text) in [
        ("openai-chat", "File is too large. Max allowed size is 209715200 bytes."),
        ("openai-chat", "Too many tasks in the batch"),
        ("anthropic", "requests: List should have at most 100000 items after validation, not 100001"),
        ("gemini", "Request payload size exceeds the limit: 20971520 bytes."),
    ] {
        let script = Script { most_requests: Some(6), size_refusal: Some((400, text)), ..Script::default() };
        let server = BatchServer::start(script);
        let case = case(&server, 20);
        ends(&case, 0, wire, &[]).says("batches of at most 10").says(text);
        is_right(&case, &server, 20);
    }
    let script = Script { most_requests: Some(6), size_refusal: Some((400, "no")), ..Script::default() };
    let server = BatchServer::start(script);
    let case = case(&server, 20);
    ends(&case, 1, "openai-chat", &[]).says("the batch is refused");
    assert!(server.state().sizes.is_empty());
}

#[test]
fn a_batch_that_cannot_be_fetched_does_not_hold_up_the_others() {
    let gone = json!({"error": {"message": "gone", "type": "not_found_error"}});
    let calls = [
        ("openai-chat", "GET /batches/b0", 404, gone.clone(), "the server has no batch b0"),
        ("anthropic", "GET /v1/messages/batches/b0", 404, gone.clone(), "the server has no batch b0"),
        ("gemini", "GET /v1beta/batches/b0", 404, gone.clone(), "the server has no batch batches/b0"),
        ("anthropic", "GET /v1/messages/batches/b0/results", 404, gone, "the results of batch b0 are gone"),
        ("openai-chat", "GET /files/b0.results/content", 200, json!({"id": "r"}), "lack some requests"),
    ];
    for (wire, call, status, body, told) in calls {
        let server = BatchServer::start(Script { polls: 1, ..Script::default() });
        let case = case(&server, 30);
        ends(&case, 3, wire, &["--batch-size", "10", "--batch-timeout", "0s"]);
        server.state().fixed = vec![(call.to_owned(), status, body)];
        ends(&case, 1, wire, &["--batch-size", "10", "--retries", "1"]).says(told);
        let sums = summary(&case);
        assert_eq!(sums["outcomes"], json!({"answered": 20, "in_batch": 10}), "{wire} {call}");
        assert_eq!((&sums["n_in_batches"], server.state().sizes.len()), (&json!(10), 3));
        server.state().fixed.clear();
        ends(&case, 0, wire, &[]);
        is_right(&case, &server, 30);
    }
}

#[test]
fn open_batches_are_polled_before_another_is_paid() {
    let server = BatchServer::start(Script { is_endless: true, ..Script::default() });
    let case = case(&server, 40);
    // The budget allows only a batch with some of the questions.
    let budget = ["--budget-usd", "0.0005", "--prices", "prices.toml", "--batch-timeout", "0s"];
    ends(&case, 3, "openai-chat", &budget);
    assert_eq!(server.state().sizes, [11]);
    let gone = json!({"error": {"message": "gone", "type": "not_found_error"}});
    server.state().fixed = vec![("GET /batches/b0".to_owned(), 404, gone)];
    ends(&case, 1, "openai-chat", &BUDGET).says("the server has no batch b0");
    assert_eq!(server.state().sizes, [11]);
    server.state().fixed.clear();
    ends(&case, 3, "openai-chat", &[&BUDGET[..], &["--batch-timeout", "0s"]].concat());
    assert_eq!(server.state().sizes, [11, 29]);
}

#[test]
fn the_timeout_is_that_of_all_rounds_and_of_polls_that_fail() {
    let server = BatchServer::start(Script { is_endless: true, ..Script::default() });
    let case = case(&server, 6);
    ends(&case, 3, "openai-chat", &["--batch-timeout", "0s"]);
    let busy = json!({"error": {"message": "overloaded"}});
    server.state().fixed = vec![("GET /batches/b0".to_owned(), 503, busy)];
    ends(&case, 3, "openai-chat", &["--batch-timeout", "0.5s"]).says("after 0 s of --batch-timeout");
    assert_eq!(summary(&case)["n_in_batches"], 6);
    // Each of the two rounds takes less time than the timeout, but both together take longer.
    let wait = Duration::from_millis(200);
    let server = BatchServer::start(Script { polls: 2, error_every: Some(2), wait, ..Script::default() });
    let case = self::case(&server, 6);
    ends(&case, 3, "openai-chat", &["--batch-timeout", "1.2s"]).says("of --batch-timeout");
}

#[test]
fn errors_inside_a_batch_are_asked_again_although_unknown_requests_are_left() {
    for wire in WIRES {
        let server = BatchServer::start(Script { error_every: Some(4), ..Script::default() });
        let case = case(&server, 16);
        ends(&case, 0, wire, &[&BUDGET[..], &["--on-unknown", "fail"]].concat());
        assert_eq!(
            (case.score("n_scored"), server.state().sizes.clone()),
            ("16".into(), vec![16, 4]),
            "{wire}"
        );
        assert_eq!(summary(&case)["n_possibly_paid"], 0);
    }
}

#[test]
fn the_dry_run_leaves_out_the_first_questions_if_the_run_does() {
    let server = BatchServer::start(Script::default());
    let case = case(&server, 240);
    let cost = |more: &[&str]| -> f64 {
        let arguments = ["--dry-run", "--prices", "prices.toml"];
        let text = case.ends(0, &[&arguments[..], more].concat()).stdout;
        let line = text.lines().find(|line| line.starts_with("batch_cost_usd\t")).expect("a line");
        line.split('\t').next_back().expect("a bound").parse().expect("a number")
    };
    // 20 of 240 questions are sent individually and cost twice as much. The probe is always sent
    // individually.
    let (with, without) = (cost(&[]), cost(&["--keep-going"]));
    assert!(with > without * 1.05 && with < without * 1.1, "{with} {without}");
}

/// For each wire format, the call that lists the batches and the call that polls the first batch.
const POLLS: [(&str, &str, &str); 3] = [
    ("openai-chat", "GET /batches", "GET /batches/b0"),
    ("anthropic", "GET /v1/messages/batches", "GET /v1/messages/batches/b0"),
    ("gemini", "GET /v1beta/batches", "GET /v1beta/batches/b0"),
];

#[test]
fn a_later_run_waits_for_the_other_batches_of_a_faulty_one() {
    for (wire, _, call) in POLLS {
        for status in [404, 500] {
            let server = BatchServer::start(Script { polls: 4, ..Script::default() });
            let case = case(&server, 30);
            ends(&case, 3, wire, &["--batch-size", "10", "--batch-timeout", "0s"]);
            let broken = json!({"error": {"message": "out of order"}});
            server.state().fixed = vec![(call.to_owned(), status, broken)];
            let ran = ends(&case, 1, wire, &["--batch-size", "10", "--retries", "1"]);
            ran.says("out of order").says("the run ends with this error once the other batches have ended");
            let sums = summary(&case);
            assert_eq!(sums["outcomes"], json!({"answered": 20, "in_batch": 10}), "{wire} {status}");
            // A run without `--batch` polls each batch once and also ends with the error. Then the calls for
            // the batch succeed again.
            case.ends(
                1,
                &["--provider", wire, "--backoff-s", "0.01", "--max-wait-s", "0.1", "--retries", "1"],
            );
            server.state().fixed.clear();
            ends(&case, 0, wire, &[]);
            is_right(&case, &server, 30);
        }
    }
}

#[test]
fn a_faulty_batch_is_given_up_on_request_unless_the_whole_server_is_out_of_order() {
    for (wire, list, call) in POLLS {
        let server = BatchServer::start(Script { polls: 1, ..Script::default() });
        let case = case(&server, 30);
        ends(&case, 3, wire, &["--batch-size", "10", "--batch-timeout", "0s"]);
        let broken = json!({"error": {"message": "out of order"}});
        server.state().fixed =
            [call, list].map(|call| (call.to_owned(), 500, broken.clone())).into_iter().collect();
        ends(&case, 1, wire, &["--retries", "1", "--cancel"]).says("out of order");
        // The other batches are fetched. The faulty batch stays open, because the list cannot be read either.
        let sums = summary(&case);
        assert_eq!(sums["outcomes"], json!({"answered": 20, "in_batch": 10}), "{wire}");
        server.state().fixed.pop();
        ends(&case, 3, wire, &["--retries", "1", "--cancel"]).says("count as possibly billed");
        let sums = summary(&case);
        assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(0), &json!(10)), "{wire}");
        is_counted(&case, &server);
    }
}

#[test]
fn results_that_cannot_be_downloaded_are_given_up_on_request() {
    let calls = [
        ("openai-chat", "GET /files/b0.results/content"),
        ("anthropic", "GET /v1/messages/batches/b0/results"),
    ];
    for (wire, call) in calls {
        let server = BatchServer::start(Script { polls: 1, ..Script::default() });
        let case = case(&server, 20);
        ends(&case, 3, wire, &["--batch-size", "10", "--batch-timeout", "0s"]);
        let broken = json!({"error": {"message": "out of order"}});
        server.state().fixed = vec![(call.to_owned(), 500, broken)];
        ends(&case, 1, wire, &["--retries", "1"]).says("cannot be downloaded completely");
        assert_eq!(summary(&case)["outcomes"], json!({"answered": 10, "in_batch": 10}), "{wire}");
        ends(&case, 3, wire, &["--retries", "1", "--cancel"]).says("count as possibly billed");
        let sums = summary(&case);
        assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(0), &json!(10)), "{wire}");
        is_counted(&case, &server);
    }
}

#[test]
fn the_message_on_a_faulty_batch_names_the_others_that_a_cancellation_ends() {
    let server = BatchServer::start(Script { is_endless: true, ..Script::default() });
    let case = case(&server, 30);
    ends(&case, 3, "openai-chat", &["--batch-size", "10", "--batch-timeout", "0s"]);
    let gone = json!({"error": {"message": "gone", "type": "not_found_error"}});
    server.state().fixed = vec![("GET /batches/b0".to_owned(), 404, gone)];
    let ran = ends(&case, 1, "openai-chat", &["--batch-timeout", "0.5s"]);
    ran.says("the server has no batch b0").says("--cancel also ends the other open batches (2)");
}
