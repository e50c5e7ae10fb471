//! Rate limits and failures that a server reports, in the order of FAULTS.md. The number in the name of a
//! test is its row in this table. All requests pause together, and every pause ends.

use std::net::TcpListener;
use std::time::Instant;

use serde_json::json;

use crate::support::collect_case::Case;
use crate::support::fault_server::{Reply, Server, seconds};

#[test]
fn fault_07_many_429_give_one_pause_for_all_and_use_up_no_attempt() {
    let began = std::sync::Mutex::new(None::<Instant>);
    let server = Server::start(move |posted| {
        if posted.is_probe() {
            return Reply::say("yes");
        }
        let began = *began.lock().expect("a time").get_or_insert(posted.at);
        if posted.at < began + seconds(2.5) {
            return Reply::error(429, "rate_limit_exceeded").with("retry-after", "1");
        }
        Reply::say(posted.word())
    });
    let case = Case::new(&server, 40);
    let ran = case.ends(0, &["--retries", "0", "--unknown-retries", "0", "--concurrency", "16"]);
    ran.says("rejects requests (429); all requests wait 1.");
    let posts: Vec<_> = server.posts().into_iter().filter(|posted| !posted.is_probe()).collect();
    let first = posts[0].at;
    let during = posts.iter().filter(|p| p.at > first + seconds(0.3) && p.at < first + seconds(0.95)).count();
    assert_eq!(during, 0, "no request may be sent during the pause");
    // Three episodes of rate limiting reduce the limit from 8 requests at a time to 4, 2 and 1.
    assert!(posts.len() <= 40 + 8 + 4 + 2 + 1, "{} posts", posts.len());
    assert_eq!(case.score("accuracy"), "1.0");
}

#[test]
fn fault_08_a_429_without_a_wait_gives_a_longer_pause_each_time() {
    let server = Server::wrong_for_w0(|posted| {
        if posted.same < 4 { Reply::error(429, "rate_limit_exceeded") } else { Reply::say("w0") }
    });
    let case = Case::new(&server, 1);
    case.ends(0, &["--backoff-s", "0.2"]);
    let posts = server.posts();
    let gaps: Vec<f64> = posts[1..].windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect();
    // The waits are 0.2, 0.4, 0.8 and 1.6 s, each reduced by up to a half.
    for (gap, most) in gaps.iter().zip([0.2, 0.4, 0.8, 1.6]) {
        assert!((most / 2.0..most + 0.3).contains(gap), "{gaps:?}");
    }
    // Gemini states the wait in the body; other servers state the end of the window in a header.
    let details = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.2s"}]);
    let body = json!({"error": {"code": 429, "message": "wait", "status": "RESOURCE_EXHAUSTED",
        "details": details}});
    let replies = [
        Reply::new(429, body.to_string()),
        Reply::error(429, "rate_limit_exceeded")
            .with("x-ratelimit-remaining-requests", "0")
            .with("x-ratelimit-reset-requests", "1s200ms"),
    ];
    for reply in replies {
        let server = Server::wrong_for_w0(
            move |posted| if posted.same < 1 { reply.clone() } else { Reply::say("w0") },
        );
        let case = Case::new(&server, 1);
        case.ends(0, &[]);
        let posts = server.posts();
        let gap = (posts[2].at - posts[1].at).as_secs_f64();
        assert!((1.2..2.0).contains(&gap), "{gap}");
    }
}

#[test]
fn fault_09_an_absurd_retry_after_is_capped_or_ignored() {
    for value in ["86400", "-1", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "NaN", "1e999"] {
        let server = Server::wrong_for_w0(move |posted| {
            if posted.same < 1 {
                Reply::error(429, "rate_limit_exceeded").with("retry-after", value)
            } else {
                Reply::say("w0")
            }
        });
        let case = Case::new(&server, 1);
        let began = Instant::now();
        let ran = case.ends(0, &["--max-wait-s", "0.5"]);
        assert!(began.elapsed() < seconds(5.0), "{value}");
        if value == "86400" {
            ran.says("it asks for 86400 s; --max-wait-s limits every wait");
        }
    }
}

#[test]
fn fault_10_a_quota_that_is_used_up_ends_the_run_at_once_and_keeps_everything() {
    let spend = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "limit",
        "details": {"error_code": "enforced_spend_limit_reached"}}});
    let per_day = json!({"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED",
        "details": [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "22s"}]}});
    for reply in [
        Reply::error(429, "insufficient_quota"),
        Reply::new(429, spend.to_string()),
        Reply::new(429, per_day.to_string()),
        Reply::error(402, "billing_error"),
    ] {
        let server = Server::start(
            move |posted| if posted.before < 6 { Reply::say(posted.word()) } else { reply.clone() },
        );
        let case = Case::new(&server, 20);
        case.ends(5, &["--concurrency", "1"]).says("the account's quota is used up");
        assert_eq!(server.posts().len(), 7, "one request gets the error, none may follow");
        assert_eq!((case.score("n_scored"), case.score("n_error")), ("5".into(), "15".into()));
    }
}

#[test]
fn fault_11_a_permanent_server_error_on_one_item_is_limited_and_on_all_ends_the_run() {
    let server = Server::wrong_for_w0(|_| Reply::error(500, "server_error"));
    let case = Case::new(&server, 30);
    case.ends(3, &[]).says("1 of 30 questions have no answer");
    assert_eq!(server.count("w0"), 5);
    assert_eq!(
        (case.score("n_error"), case.score("n_scored"), case.score("accuracy")),
        ("1".into(), "29".into(), "1.0".into())
    );
    // Another run repeats only the questions that failed for a temporary reason.
    case.ends(3, &["--retries", "0"]);
    assert_eq!((server.count("w0"), server.questions()), (6, 29 + 6));
    // A question that would fail in the same way is asked again only on request.
    let server =
        Server::wrong_for_w0(
            |posted| if posted.same < 2 { Reply::error(400, "null") } else { Reply::say("w0") },
        );
    let case = Case::new(&server, 3);
    case.ends(3, &[]);
    case.ends(3, &[]);
    assert_eq!(server.count("w0"), 1);
    case.ends(3, &["--redo", "failed"]);
    case.ends(0, &["--redo", "failed"]);
    assert_eq!((server.count("w0"), server.questions(), case.score("n_scored")), (3, 5, "3".into()));

    let server = Server::start(|posted| {
        if posted.is_probe() { Reply::say("yes") } else { Reply::new(500, "<html>oops</html>") }
    });
    let case = Case::new(&server, 1000);
    case.ends(1, &["--concurrency", "4"]).says("10 consecutive questions failed in the same way");
    assert!(server.questions() < 60, "{} posts", server.questions());
}

#[test]
fn fault_12_an_overloaded_server_gets_longer_pauses() {
    for status in [503, 529] {
        let server = Server::wrong_for_w0(move |posted| {
            if posted.same < 3 { Reply::error(status, "overloaded_error") } else { Reply::say("w0") }
        });
        let case = Case::new(&server, 1);
        case.ends(0, &["--backoff-s", "0.1", "--retries", "0"]).says("is overloaded; all requests wait");
        let posts = server.posts();
        let waited = (posts[4].at - posts[1].at).as_secs_f64();
        assert!(waited > 0.5 * (0.4 + 0.8 + 1.6), "{waited}");
    }
}

#[test]
fn fault_13_a_missing_server_gives_one_message_and_no_failed_item() {
    // No server listens on this port.
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    for url in [format!("http://127.0.0.1:{port}/v1"), "https://surmise-test.invalid/v1".into()] {
        let lines: String = (0..1000)
            .map(|i| json!({"id": i.to_string(), "prompt": i.to_string(), "answer": "x"}).to_string() + "\n")
            .collect();
        let case = Case::of(&url, &lines);
        case.ends(1, &["--idle-timeout-s", "0.5"]).says("cannot be reached").says(&url);
        assert_eq!(case.outcomes().len(), 0, "no item may have an outcome");
        let rows = case.score("n_error");
        assert_eq!(rows, "1000");
    }
    // A server starts on the port while the command runs.
    let lines = "{\"id\":\"a\",\"prompt\":\"say w0\",\"answer\":\"w0\"}\n";
    let case = Case::of(&format!("http://127.0.0.1:{port}/v1"), lines);
    let child = case.command(&[]).spawn().expect("the binary");
    std::thread::sleep(seconds(0.5));
    let server = Server::at(&format!("127.0.0.1:{port}"), |posted| Reply::say(posted.word()));
    assert_eq!(case.wait(child).code, Some(0));
    assert_eq!(server.posts().len(), 2);
}

#[test]
fn fault_35_only_times_of_the_server_are_compared_and_waits_use_a_monotonic_clock() {
    // The clocks of this machine and of the server may differ by years, because only the difference of two
    // times of the server is used. Waits use a monotonic clock, which does not jump. This is not tested,
    // because a test would have to set the clock of the machine.
    let server = Server::wrong_for_w0(|posted| {
        if posted.same > 0 {
            return Reply::say("w0");
        }
        Reply::error(429, "rate_limit_exceeded")
            .with("date", "Tue, 01 Jan 2030 00:00:00 GMT")
            .with("retry-after", "Tue, 01 Jan 2030 00:00:01 GMT")
    });
    let case = Case::new(&server, 1);
    case.ends(0, &[]);
    let posts = server.posts();
    let gap = (posts[2].at - posts[1].at).as_secs_f64();
    assert!((1.0..2.0).contains(&gap), "{gap}");
}
