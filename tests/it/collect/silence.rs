//! A request without a response is repeated long before the time limit, delays no other request, and counts
//! as possibly billed.

use std::time::Instant;

use serde_json::Value;

use crate::support::collect_case::Case;
use crate::support::fault_server::{How, Reply, Server, seconds};

#[test]
fn one_silent_request_is_asked_again_after_four_times_the_slowest_answer() {
    let server = Server::wrong_for_w0(|posted| match posted.same {
        0 => Reply::say("w0").how(How::Late(seconds(60.0))),
        _ => Reply::say("w0"),
    });
    let case = Case::new(&server, 40);
    let began = Instant::now();
    case.ends(0, &["--concurrency", "4"]);
    assert!(began.elapsed() < seconds(30.0), "{:?}", began.elapsed());
    assert_eq!((server.count("w0"), case.score("accuracy")), (2, "1.0".into()));
    let lost: Vec<_> = case.outcomes().into_iter().filter(|record| record["class"] == "unknown").collect();
    assert_eq!(lost.len(), 1);
    assert!(
        lost[0]["error"]
            .as_str()
            .is_some_and(|why| why.contains("four times the duration of the slowest answer")),
        "{}",
        lost[0]
    );
    let summary: Value = serde_json::from_str(&case.file("summary.json")).expect("JSON");
    assert_eq!(summary["n_possibly_paid"], 1);
}

#[test]
fn a_long_answer_of_a_slow_server_is_not_asked_for_twice() {
    // The server needs 0.2 s for five tokens, so an answer of up to 2048 tokens may take 13 s.
    let server = Server::start(|posted| {
        let wait = if posted.word() == "w0" { 13.0 } else { 0.2 };
        let mut reply = Reply::say(posted.word()).how(How::Late(seconds(wait)));
        let text = String::from_utf8_lossy(&reply.body)
            .replace("\"completion_tokens\":1", "\"completion_tokens\":5");
        reply.body = text.into_bytes();
        reply
    });
    let case = Case::new(&server, 12);
    case.ends(0, &["--max-tokens", "2048"]);
    assert_eq!((server.count("w0"), case.score("accuracy")), (1, "1.0".into()));
}
