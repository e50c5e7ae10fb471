//! Tests batches that ended early. The answer to each processed request is fetched, or the request counts as
//! possibly billed. A request that was not processed is never counted in place of a processed request.

use serde_json::json;

use super::batch::{BUDGET, WIRES, case, ends, is_counted, summary};
use crate::support::batch_server::{BatchServer, Script};

const OPENAI: &str = "openai-chat";

/// Arguments for a budget and at most one retry of each call, followed by `more`.
fn given(more: &[&'static str]) -> Vec<&'static str> {
    [&BUDGET[..], &["--retries", "1"], more].concat()
}

#[test]
fn answers_whose_file_is_late_are_waited_for_although_the_errors_are_there() {
    let expired = Script { expires_after: Some(10), ..Script::default() };
    for script in [expired, Script { counts_expired: true, ..expired }] {
        // Each run polls the batch twice. The batch states its file of answers from the fourth poll on, so
        // only the second run can fetch it.
        let server = BatchServer::start(Script { late_output: 3, ..script });
        let case = case(&server, 20);
        ends(&case, 1, OPENAI, &given(&[]))
            .says("do not cover all requests")
            .says("--cancel abandons the missing results");
        assert_eq!((server.state().sizes.clone(), &summary(&case)["n_in_batches"]), (vec![20], &json!(20)));
        is_counted(&case, &server);
        ends(&case, 0, OPENAI, &given(&[])).says("10 of 20 requests were not processed and are not billed");
        let sums = summary(&case);
        assert_eq!((server.state().sizes.clone(), &sums["n_possibly_paid"]), (vec![20, 10], &json!(0)));
        assert_eq!((&sums["outcomes"], server.n_billed()), (&json!({"answered": 20}), 20));
        is_counted(&case, &server);
    }
}

#[test]
fn answers_that_never_come_count_as_possibly_billed_once_they_are_abandoned() {
    let expired = Script { expires_after: Some(10), ..Script::default() };
    for (script, n_lost) in [
        (Script { late_output: 99, ..expired }, 10),
        (Script { late_output: 99, counts_expired: true, ..expired }, 10),
        (Script { late_output: 99, has_no_counts: true, ..expired }, 10),
        (Script { cut_lines: Some(5), ..expired }, 5),
        (Script { cut_lines: Some(5), counts_expired: true, ..expired }, 5),
    ] {
        let server = BatchServer::start(script);
        let case = case(&server, 20);
        ends(&case, 1, OPENAI, &given(&[])).says("do not cover all requests");
        assert_eq!((server.n_billed(), &server.state().sizes), (10, &vec![20]), "{script:?}");
        is_counted(&case, &server);
        let ran = ends(&case, 3, OPENAI, &given(&["--cancel"]));
        ran.says(&format!("no result for {n_lost} of its requests, which count as possibly billed"));
        ran.says("10 of 20 requests were not processed and are not billed");
        let sums = summary(&case);
        assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(0), &json!(n_lost)));
        is_counted(&case, &server);
        // The same command asks the remaining questions.
        ends(&case, 0, OPENAI, &given(&[]));
        assert_eq!(case.score("n_scored"), "20");
        is_counted(&case, &server);
    }
}

#[test]
fn a_cancelled_batch_whose_answers_are_late_counts_as_possibly_billed() {
    let late = Script { is_endless: true, late_output: 99, ..Script::default() };
    for (script, n_lost) in [
        (late, 10),
        // Without a file and without counts, any request may have been processed.
        (Script { late_files: 99, has_zero_counts: true, ..late }, 20),
    ] {
        let server = BatchServer::start(script);
        let case = case(&server, 20);
        ends(&case, 3, OPENAI, &given(&["--batch-timeout", "0s"]));
        let ran = ends(&case, 3, OPENAI, &given(&["--cancel"]));
        ran.says(&format!("no result for {n_lost} of its requests"));
        assert_eq!((server.n_billed(), &summary(&case)["n_possibly_paid"]), (10, &json!(n_lost)));
        is_counted(&case, &server);
    }
}

#[test]
fn missing_answers_of_a_completed_batch_without_counts_are_waited_for() {
    for counts in [
        Script { has_zero_counts: true, ..Script::default() },
        Script { has_no_counts: true, ..Script::default() },
    ] {
        // Each run polls the batch twice, and only the second run finds the files or the answers.
        for script in [Script { late_files: 3, ..counts }, Script { late_output: 3, ..counts }] {
            let server = BatchServer::start(script);
            let case = case(&server, 20);
            ends(&case, 1, OPENAI, &given(&[]))
                .says("do not cover all requests")
                .says("--cancel abandons the missing results");
            assert_eq!((&server.state().sizes, &summary(&case)["n_in_batches"]), (&vec![20], &json!(20)));
            ends(&case, 0, OPENAI, &given(&[]));
            assert_eq!((&server.state().sizes, &summary(&case)["n_possibly_paid"]), (&vec![20], &json!(0)));
            is_counted(&case, &server);
        }
    }
}

#[test]
fn without_counts_a_request_without_a_result_counts_as_possibly_billed() {
    let expired = Script { expires_after: Some(10), has_no_counts: true, ..Script::default() };
    for (cut_lines, sizes, n_lost) in [(None, vec![20, 10], 0), (Some(5), vec![20, 15], 5)] {
        let server = BatchServer::start(Script { cut_lines, ..expired });
        let case = case(&server, 20);
        ends(&case, 0, OPENAI, &given(&[]));
        assert_eq!((&server.state().sizes, &summary(&case)["n_possibly_paid"]), (&sizes, &json!(n_lost)));
        is_counted(&case, &server);
    }
    // Gemini sends all results in one document, which is complete or unreadable, so no result can be missing.
    let server = BatchServer::start(expired);
    let case = case(&server, 20);
    ends(&case, 0, "gemini", &given(&[]));
    assert_eq!((&server.state().sizes, &summary(&case)["n_possibly_paid"]), (&vec![20, 10], &json!(0)));
}

#[test]
fn results_that_are_always_truncated_are_counted_when_they_are_abandoned() {
    for wire in WIRES {
        for counts_expired in [false, true] {
            let script = Script { expires_after: Some(10), silent_cuts: 99, ..Script::default() };
            let server = BatchServer::start(Script { counts_expired, ..script });
            let case = case(&server, 20);
            ends(&case, 1, wire, &given(&[]));
            assert_eq!(server.state().sizes, [20], "{wire}");
            is_counted(&case, &server);
            ends(&case, 3, wire, &given(&["--cancel"])).says("possibly billed");
            assert_eq!(summary(&case)["n_in_batches"], 0, "{wire}");
            is_counted(&case, &server);
        }
    }
}

#[test]
fn expired_requests_that_count_as_failed_are_not_missing() {
    for wire in WIRES {
        let script = Script { expires_after: Some(6), counts_expired: true, ..Script::default() };
        let server = BatchServer::start(script);
        let case = case(&server, 10);
        // Gemini does not list expired requests, but counts them here, so their results seem to be missing.
        let code = if wire == "gemini" { 1 } else { 0 };
        ends(&case, code, wire, &given(&[]));
        is_counted(&case, &server);
        if code == 0 {
            assert_eq!(
                (&server.state().sizes, &summary(&case)["n_possibly_paid"]),
                (&vec![10, 4], &json!(0))
            );
        }
    }
}
