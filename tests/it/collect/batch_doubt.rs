//! Tests batches for which it is unknown whether they exist or have ended. Every request that may be billed
//! is counted.

use serde_json::json;

use super::batch::{BUDGET, WIRES, case, ends, is_counted, is_right, summary};
use crate::support::batch_server::{BatchServer, Script};

/// Short waits for runs without `--batch`.
const SHORT: [&str; 4] = ["--max-wait-s", "0.1", "--backoff-s", "0.01"];

#[test]
fn a_batch_that_a_late_list_does_not_show_counts_as_possibly_billed() {
    for wire in WIRES {
        for is_cancelled in [false, true] {
            let script = Script { lost_creations: 1, empty_lists: 99, ..Script::default() };
            let server = BatchServer::start(script);
            let case = case(&server, 7);
            ends(&case, 1, wire, &[&BUDGET[..], &["--on-unknown", "fail"]].concat());
            assert_eq!((server.state().sizes.clone(), &summary(&case)["n_in_batches"]), (vec![7], &json!(7)));
            let told = "it is unknown whether a batch of 7 requests was created";
            if is_cancelled {
                ends(&case, 3, wire, &[&BUDGET[..], &["--cancel"]].concat()).says(told);
                assert_eq!(summary(&case)["outcomes"], json!({"failed": 7}));
            }
            let ran = case.ends(0, &[&BUDGET[..], &SHORT, &["--provider", wire]].concat());
            assert!(is_cancelled || ran.stderr.contains(told), "{}", ran.stderr);
            let sums = summary(&case);
            assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(0), &json!(7)), "{wire}");
            // The requests are booked at their maximum cost, 43e-6 USD each.
            assert_eq!(sums["routes"]["batch"]["possibly_paid_usd"], json!(301e-6));
            assert_eq!(case.score("n_scored"), "7");
        }
    }
}

#[test]
fn a_refusal_after_an_unclear_creation_leaves_it_possibly_billed() {
    for wire in WIRES {
        for (status, text) in [(400, "a hard limit is reached"), (413, "too large"), (404, "no such path")] {
            let script =
                Script { later_refusal: Some((status, text)), lost_creations: 1, ..Script::default() };
            let server = BatchServer::start(Script { empty_lists: 99, ..script });
            let case = case(&server, 7);
            let ran = ends(&case, 1, wire, &BUDGET);
            ran.says("an earlier attempt had no clear answer, and the last attempt was refused");
            let sums = summary(&case);
            assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(0), &json!(7)), "{status}");
        }
    }
}

#[test]
fn a_batch_that_was_certainly_not_created_is_not_billed() {
    for (wire, call) in
        WIRES.into_iter().zip(["/batches", "/v1/messages/batches", "/v1beta/models/m:batchGenerateContent"])
    {
        let server = BatchServer::start(Script::default());
        let case = case(&server, 7);
        let busy = json!({"error": {"message": "slow down", "type": "rate_limit_error"}});
        server.state().fixed = vec![(format!("POST {call}"), 429, busy)];
        ends(&case, 1, wire, &[&BUDGET[..], &["--idle-timeout-s", "0.5"]].concat()).says("slow down");
        server.state().fixed.clear();
        ends(&case, 3, wire, &[&BUDGET[..], &["--cancel"]].concat());
        let sums = summary(&case);
        assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(0), &json!(0)), "{wire}");
        ends(&case, 0, wire, &BUDGET);
        is_right(&case, &server, 7);
    }
}

#[test]
fn a_batch_without_a_name_is_known_by_its_file() {
    let script = Script { has_no_names: true, has_foreign: true, lost_creations: 1, ..Script::default() };
    let server = BatchServer::start(script);
    let case = case(&server, 9);
    ends(&case, 0, "openai-chat", &[]).says("created before its id could be stored");
    is_right(&case, &server, 9);
    assert_eq!(summary(&case)["n_possibly_paid"], 0);
    // If the batch was created twice, the file of its requests also identifies the duplicate.
    let server = BatchServer::start(Script { empty_lists: 7, ..script });
    let case = self::case(&server, 9);
    ends(&case, 0, "openai-chat", &[]).says("was created twice");
    assert_eq!((server.state().sizes.clone(), &summary(&case)["n_possibly_paid"]), (vec![9, 9], &json!(9)));
    // If the list states neither names nor files, the batch cannot be found.
    let server = BatchServer::start(Script { has_no_files: true, ..script });
    let case = self::case(&server, 9);
    ends(&case, 3, "openai-chat", &[]).says("it is unknown whether a batch of 9 requests was created");
    assert_eq!((server.state().sizes.clone(), &summary(&case)["n_possibly_paid"]), (vec![9], &json!(9)));
}

#[test]
fn a_batch_that_has_ended_is_not_cancelled() {
    for wire in WIRES {
        let server = BatchServer::start(Script { polls: 1, ..Script::default() });
        let case = case(&server, 6);
        ends(&case, 3, wire, &["--batch-timeout", "0s"]);
        ends(&case, 0, wire, &["--cancel"]);
        assert_eq!(server.count("cancel"), 0, "{wire}");
        is_right(&case, &server, 6);
        // If a batch ends between the poll and the cancellation, the server refuses the cancellation.
        let server = BatchServer::start(Script { polls: 3, refuses_cancel: true, ..Script::default() });
        let case = self::case(&server, 6);
        ends(&case, 3, wire, &["--batch-timeout", "0s"]);
        let ran = ends(&case, 0, wire, &["--cancel"]);
        assert!(!ran.stderr.contains("the call is repeated"), "{}", ran.stderr);
        assert_eq!(server.count("cancel"), 1, "{wire}");
        is_right(&case, &server, 6);
    }
}

#[test]
fn a_batch_that_the_server_refuses_to_show_is_abandoned_on_request() {
    for (wire, call) in WIRES.into_iter().zip(["/batches", "/v1/messages/batches", "/v1beta/batches"]) {
        for status in [400, 422] {
            let server = BatchServer::start(Script { is_endless: true, ..Script::default() });
            let case = case(&server, 3);
            ends(&case, 3, wire, &["--batch-timeout", "0s"]);
            let no = json!({"error": {"message": "no batch of this form", "type": "invalid_request_error"}});
            server.state().fixed = vec![(format!("GET {call}/b0"), status, no)];
            ends(&case, 1, wire, &[]).says("batch ").says("cannot be polled").says("--cancel abandons");
            assert_eq!(summary(&case)["n_in_batches"], 3);
            ends(&case, 3, wire, &["--cancel"]).says("count as possibly billed");
            let sums = summary(&case);
            assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(0), &json!(3)), "{wire}");
        }
    }
}

#[test]
fn a_creation_that_a_gateway_answers_with_an_error_may_have_succeeded() {
    for wire in WIRES {
        for status in [503, 409, 502, 500] {
            let lost = Script { lost_creations: 1, lost_status: Some(status), ..Script::default() };
            let server = BatchServer::start(lost);
            let case = case(&server, 7);
            ends(&case, 0, wire, &BUDGET).says("created before its id could be stored");
            is_right(&case, &server, 7);
            assert_eq!(summary(&case)["n_possibly_paid"], 0, "{wire} {status}");
            // The journal never states that the batch was not created.
            assert!(!case.file("journal.jsonl").contains("not_created"), "{wire} {status}");
            // If the list shows the batch too late, the batch is created again, and its requests count twice.
            // Anthropic's list is also read before each creation, so it must be empty more often.
            let empty_lists = if wire == "anthropic" { 9 } else { 7 };
            let server = BatchServer::start(Script { empty_lists, ends_lost: true, ..lost });
            let case = self::case(&server, 7);
            ends(&case, 0, wire, &BUDGET).says("was created twice");
            assert_eq!((server.n_billed(), server.state().sizes.len()), (14, 2), "{wire} {status}");
            is_counted(&case, &server);
        }
    }
}

#[test]
fn every_creation_that_may_have_succeeded_counts_as_possibly_billed() {
    for wire in WIRES {
        let script = Script { lost_creations: 99, empty_lists: 999, ..Script::default() };
        let server = BatchServer::start(script);
        let case = case(&server, 7);
        ends(&case, 1, wire, &BUDGET).says("no attempt to create the batch got a clear answer");
        let n_created = server.state().sizes.len();
        assert!(n_created > 1 && server.n_billed() == 7 * n_created, "{n_created}");
        let ran = ends(&case, 3, wire, &[&BUDGET[..], &["--cancel"]].concat());
        ran.says(&format!("{n_created} times, because each of {n_created} attempts may have succeeded"));
        let sums = summary(&case);
        assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(0), &json!(7 * n_created)));
        is_counted(&case, &server);
    }
}
