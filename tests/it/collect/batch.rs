//! Tests batches with three wire formats: their cost, results in any order, creations whose responses are
//! lost, and batches that expire, are refused, never end or are cancelled.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::batch_server::{BatchServer, Script};
use crate::support::collect_case::{Case, Ran};

/// The wire formats to test, one for each kind of batch API.
pub const WIRES: [&str; 3] = ["openai-chat", "anthropic", "gemini"];

const PRICES: &str = "date = 2026-11-01\nbatch_factor = 0.5\n[models.m]\ninput_usd_per_million_tokens = \
                      1.0\noutput_usd_per_million_tokens = 2.0\n";

/// Creates a case with a file of prices and `n` items, whose prompts are "say w0", "say w1" and so on.
pub fn case(server: &BatchServer, n: usize) -> Case {
    let lines: String = (0..n)
        .map(|i| json!({"id": format!("q{i}"), "prompt": format!("say w{i}"), "answer": format!("w{i}")}))
        .map(|line| line.to_string() + "\n")
        .collect();
    let case = Case::of(&server.url, &lines);
    std::fs::write(case.folder.path().join("prices.toml"), PRICES).expect("a file");
    case
}

pub fn summary(case: &Case) -> Value {
    serde_json::from_str(&case.file("summary.json")).expect("JSON")
}

/// Runs a collection in batches with short waits.
pub fn ends(case: &Case, code: i32, wire: &str, more: &[&str]) -> Ran {
    let given = ["--provider", wire, "--batch", "--max-wait-s", "0.1", "--backoff-s", "0.01"];
    case.ends(code, &[&given[..], more].concat())
}

pub const BUDGET: [&str; 4] = ["--budget-usd", "1", "--prices", "prices.toml"];

/// Checks that every question has its right answer and was asked once.
pub fn is_right(case: &Case, server: &BatchServer, n: usize) {
    assert_eq!(case.score("n_scored"), n.to_string(), "{}", case.file("items.csv"));
    assert_eq!(case.score("accuracy"), "1.0");
    let state = server.state();
    assert_eq!(state.asked.len(), n);
    assert!(state.asked.values().all(|times| *times == 1), "{:?}", state.asked);
}

/// Checks that every request that the server billed has an answer, counts as possibly billed, or is in an
/// open batch, and that the cost of the closed batches is booked.
pub fn is_counted(case: &Case, server: &BatchServer) {
    let is_answer = |outcome: &&Value| outcome["batch"].is_string() && outcome["outcome"] != "failed";
    let n_answers = case.outcomes().iter().filter(is_answer).count() as u64;
    let sums = summary(case);
    let (lost, open) = (&sums["routes"]["batch"]["n_possibly_paid"], &sums["n_in_batches"]);
    let n_counted = n_answers + lost.as_u64().expect("a number") + open.as_u64().expect("a number");
    let n_billed = server.n_billed();
    assert!(n_counted >= n_billed as u64, "{n_counted} of {n_billed} billed requests: {sums}");
    if let (Some(spent_usd), Some(0)) = (sums["routes"]["batch"]["spent_usd"].as_f64(), open.as_u64()) {
        let is_priced = sums["spent_usd"].is_number();
        assert!(!is_priced || spent_usd > 3.5e-6 * n_billed as f64 - 1e-9, "{n_billed}: {sums}");
    }
}

#[test]
fn batches_give_the_same_answers_at_half_the_price() {
    for wire in WIRES {
        let server = BatchServer::start(Script { polls: 1, ..Script::default() });
        let case = case(&server, 20);
        ends(&case, 0, wire, &[&BUDGET[..], &["--batch-size", "8"]].concat());
        is_right(&case, &server, 20);
        assert_eq!(server.state().sizes, [8, 8, 4]);
        let summary = summary(&case);
        // A request has 5 prompt tokens at 1 and one answer token at 2 USD per million. Only the probe is
        // sent outside the batch, at the full price.
        let routes = &summary["routes"];
        assert_eq!(
            (&routes["direct"]["n_requests"], &routes["direct"]["spent_usd"]),
            (&json!(1), &json!(7e-6))
        );
        assert_eq!(
            (&routes["batch"]["n_requests"], &routes["batch"]["spent_usd"]),
            (&json!(20), &json!(70e-6))
        );
        assert_eq!((&summary["spent_usd"], &summary["n_in_batches"]), (&json!(77e-6), &json!(0)), "{wire}");
        assert_eq!(summary["outcomes"], json!({"answered": 20}));
        assert!(case.file("summary.json").contains("\"reserved_usd\": 0.0"), "{summary}");
        // No request is sent after all questions are answered.
        let n = server.n_calls();
        ends(&case, 0, wire, &BUDGET);
        assert_eq!(server.n_calls(), n);
    }
}

#[test]
fn reordered_duplicate_foreign_and_truncated_results_are_handled() {
    for wire in WIRES {
        let script = Script {
            is_reversed: true,
            is_doubled: true,
            has_stranger: true,
            cuts: 1,
            silent_cuts: 1,
            ..Script::default()
        };
        let server = BatchServer::start(script);
        let case = case(&server, 30);
        let ran = ends(&case, 0, wire, &[]);
        ran.says("has 30 result(s) that occur twice").says("has 1 result(s) for requests that are not in");
        if wire != "gemini" {
            ran.says("are fetched again");
        }
        is_right(&case, &server, 30);
        // Every request has exactly one outcome, although each result comes twice and in another order.
        assert_eq!(case.outcomes().len(), 30, "{wire}");
        assert_eq!(summary(&case)["n_possibly_paid"], 0);
    }
}

#[test]
fn errors_inside_are_not_billed_and_asked_again() {
    for wire in WIRES {
        let server = BatchServer::start(Script { error_every: Some(4), ..Script::default() });
        let case = case(&server, 16);
        ends(&case, 0, wire, &BUDGET);
        assert_eq!(case.score("n_scored"), "16");
        assert_eq!(server.state().sizes, [16, 4]);
        let summary = summary(&case);
        assert_eq!(summary["routes"]["batch"]["spent_usd"], json!(56e-6), "{wire}: {summary}");
        assert_eq!(summary["n_possibly_paid"], 0);
    }
}

#[test]
fn results_without_ids_are_paired_by_position_if_none_is_missing() {
    let server = BatchServer::start(Script { has_no_ids: true, ..Script::default() });
    let case = case(&server, 12);
    ends(&case, 0, "gemini", &[]);
    is_right(&case, &server, 12);
    // If a result is missing, the other results cannot be matched with their requests by position.
    let server = BatchServer::start(Script { has_no_ids: true, lacks_last: true, ..Script::default() });
    let case = self::case(&server, 12);
    ends(&case, 1, "gemini", &["--retries", "1"]).says("--cancel abandons the missing results");
    let sums = summary(&case);
    assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(12), &json!(0)));
}

#[test]
fn an_expired_batch_is_completed_by_another_or_by_single_requests() {
    for wire in WIRES {
        let server = BatchServer::start(Script { expires_after: Some(6), ..Script::default() });
        let case = case(&server, 10);
        let ran = ends(&case, 0, wire, &BUDGET);
        ran.says("not processed and are not billed");
        assert_eq!(case.score("n_scored"), "10");
        assert_eq!(server.state().sizes, [10, 4], "{wire}");
        assert_eq!(summary(&case)["routes"]["batch"]["n_requests"], 10);
        assert_eq!(summary(&case)["spent_usd"], json!(42e-6));

        // If a batch expires without any answer, the run ends, because another batch could expire, too. The
        // user decides what to do.
        let server = BatchServer::start(Script { expires_after: Some(0), ..Script::default() });
        let case = self::case(&server, 5);
        ends(&case, 3, wire, &[]);
        let ran = case.ends(0, &["--provider", wire]);
        assert!(!ran.stderr.contains("batch"), "{}", ran.stderr);
        assert_eq!(case.score("n_scored"), "5");
        assert_eq!(server.state().sizes, [5]);
    }
}

#[test]
fn a_batch_refused_for_its_size_is_split_with_a_message() {
    for wire in WIRES {
        let server = BatchServer::start(Script { most_requests: Some(6), ..Script::default() });
        let case = case(&server, 20);
        let ran = ends(&case, 0, wire, &[]);
        ran.says("a batch of 20 requests is refused for its size").says("batches of at most 10");
        is_right(&case, &server, 20);
        assert!(server.state().sizes.iter().all(|n| *n <= 6), "{:?}", server.state().sizes);
        let server = BatchServer::start(Script { most_requests: Some(0), ..Script::default() });
        let case = self::case(&server, 2);
        ends(&case, 1, wire, &[]).says("a batch of one request is refused as too large");
        assert!(server.state().sizes.is_empty());
    }
}

#[test]
fn a_batch_that_never_ends_is_left_open_polled_again_and_cancelled() {
    for wire in WIRES {
        let server = BatchServer::start(Script { is_endless: true, ..Script::default() });
        let case = case(&server, 8);
        let wait = [&BUDGET[..], &["--batch-timeout", "0.3s"]].concat();
        let ran = ends(&case, 3, wire, &wait);
        ran.says("--batch-timeout").says("0 of 8 requests done").says("or with --cancel to end them");
        // The requests in the batch are counted once.
        ran.says("9 requests: 8 in a batch that has not ended;");
        let summary = summary(&case);
        assert_eq!((&summary["n_in_batches"], &summary["n_possibly_paid"]), (&json!(8), &json!(0)));
        // For each request, 43e-6 USD are reserved: half the price of 22 prompt tokens (6 for the bytes, 16
        // for the message) at 1 and 32 answer tokens at 2 USD per million.
        assert_eq!(summary["reserved_usd"], json!(344e-6));
        assert_eq!(summary["spent_usd"], json!(7e-6));
        ends(&case, 3, wire, &wait);
        // Without --batch, none of these questions is asked again.
        let ran = case.ends(3, &[&BUDGET[..], &["--provider", wire]].concat());
        ran.says("8 questions are in a batch that has not ended and are not asked again");
        assert_eq!(server.state().sizes, [8]);
        let ran = ends(&case, 3, wire, &[&BUDGET[..], &["--cancel"]].concat());
        ran.says("is being cancelled").says("4 of 8 requests were not processed and are not billed");
        assert_eq!(case.score("n_scored"), "4");
        let summary = self::summary(&case);
        assert_eq!((&summary["n_in_batches"], &summary["spent_usd"]), (&json!(0), &json!(21e-6)), "{wire}");
        ends(&case, 3, wire, &[&BUDGET[..], &["--cancel"]].concat()).says("so there is nothing to cancel");
        case.ends(0, &[&BUDGET[..], &["--provider", wire]].concat());
        assert_eq!(case.score("n_scored"), "8");
    }
}

#[test]
fn a_creation_whose_answer_is_lost_is_found_in_the_list() {
    for wire in WIRES {
        let server = BatchServer::start(Script { lost_creations: 1, ..Script::default() });
        let case = case(&server, 9);
        ends(&case, 0, wire, &[]).says("created before its id could be stored");
        is_right(&case, &server, 9);
        assert_eq!(summary(&case)["n_possibly_paid"], 0, "{wire}");
    }
}

#[test]
fn a_batch_of_another_client_is_not_used() {
    let script = Script { lost_creations: 1, has_foreign: true, ..Script::default() };
    let server = BatchServer::start(script);
    let case = case(&server, 9);
    ends(&case, 0, "anthropic", &[]);
    is_right(&case, &server, 9);
    assert_eq!(summary(&case)["n_possibly_paid"], 0);
}

#[test]
fn a_batch_that_was_created_twice_unseen_counts_twice() {
    // The list shows the first batch only after the second one is created.
    for wire in ["openai-chat", "gemini"] {
        let script = Script { lost_creations: 1, empty_lists: 7, ..Script::default() };
        let server = BatchServer::start(script);
        let case = case(&server, 7);
        ends(&case, 0, wire, &BUDGET).says("was created twice").says("possibly billed a second time");
        assert_eq!(server.state().sizes, [7, 7]);
        let summary = summary(&case);
        assert_eq!(summary["routes"]["batch"]["n_possibly_paid"], 7, "{wire}");
        assert_eq!(summary["outcomes"], json!({"answered": 7}));
        // The requests of the duplicate are booked at their maximum cost, 43e-6 USD each.
        assert_eq!(summary["routes"]["batch"]["possibly_paid_usd"], json!(301e-6));
    }
    // Without a list, the batch cannot be found, so its requests count as possibly billed before they are
    // asked again.
    for wire in WIRES {
        let server = BatchServer::start(Script { lost_creations: 1, has_no_list: true, ..Script::default() });
        let case = case(&server, 7);
        ends(&case, 3, wire, &[]).says("has no list of batches");
        assert_eq!(summary(&case)["n_possibly_paid"], 7, "{wire}");
        ends(&case, 0, wire, &[]);
        assert_eq!(
            (case.score("n_scored"), summary(&case)["n_possibly_paid"].clone()),
            ("7".into(), json!(7))
        );
    }
}

#[test]
fn the_budget_is_reserved_before_a_batch_and_the_rest_is_used_later() {
    let server = BatchServer::start(Script::default());
    let case = case(&server, 40);
    // For each request, 43 microdollars are reserved, but its actual cost is 3.5 microdollars.
    let budget = ["--budget-usd", "0.0005", "--prices", "prices.toml"];
    ends(&case, 0, "openai-chat", &budget);
    assert_eq!(case.score("n_scored"), "40");
    let sizes = server.state().sizes.clone();
    assert!(sizes[0] == 11 && sizes.len() > 1, "{sizes:?}");
    let server = BatchServer::start(Script::default());
    let case = self::case(&server, 40);
    let budget = ["--budget-usd", "0.00012", "--prices", "prices.toml"];
    ends(&case, 4, "openai-chat", &budget).says("the budget allows no further batch");
    let summary = summary(&case);
    assert!(summary["spent_usd"].as_f64().is_some_and(|usd| usd > 0.00006 && usd <= 0.00012), "{summary}");
}

#[test]
fn the_dry_run_shows_the_cost_and_the_savings_of_batches() {
    let server = BatchServer::start(Script::default());
    let case = case(&server, 10);
    let arguments = ["--dry-run", "--provider", "anthropic", "--prices", "prices.toml"];
    let text = case.ends(0, &arguments).stdout;
    let pair = |name: &str| -> Vec<f64> {
        let line = text.lines().find(|line| line.starts_with(name)).expect("a line");
        line.split('\t').skip(1).map(|cell| cell.parse().expect("a number")).collect()
    };
    let (cost, batch, saves) = (pair("cost_usd\t"), pair("batch_cost_usd\t"), pair("batch_saves_usd\t"));
    for i in 0..2 {
        assert!((cost[i] - batch[i] - saves[i]).abs() < 2e-6, "{text}");
        // Only the probe costs the full price.
        assert!(batch[i] > cost[i] / 2.0 && batch[i] < cost[i] * 0.6, "{text}");
    }
    assert!(text.contains("batch_time_s\t86400.0"), "{text}");
    assert_eq!(server.n_calls(), 0);
    let text = case.ends(0, &["--dry-run", "--provider", "ollama", "--prices", "prices.toml"]).stdout;
    assert!(!text.contains("batch"), "{text}");
}

#[test]
fn unsupported_batches_are_refused_before_anything_is_sent() {
    let server = BatchServer::start(Script { wait: Duration::ZERO, ..Script::default() });
    let case = case(&server, 2);
    ends(&case, 2, "ollama", &[]).says("providers with a batch API: openai-chat");
    ends(&case, 2, "openai-chat", &["--batch-size", "0"]).says("--batch-size must be at least 1");
    ends(&case, 2, "openai-chat", &["--batch-timeout", "5"])
        .says("must be a number followed by s, m, h or d");
    std::fs::write(case.folder.path().join("prices.toml"), PRICES.replace("0.5", "5")).expect("a file");
    ends(&case, 2, "openai-chat", &BUDGET).says("batch_factor is 5");
    assert_eq!(server.n_calls(), 0);
}

#[test]
fn a_server_without_the_api_or_the_batch_is_reported() {
    // This server answers only chat requests.
    let server = crate::support::fault_server::Server::start(|posted| {
        use crate::support::fault_server::Reply;
        if posted.path.contains("chat") { Reply::say(posted.word()) } else { Reply::error(404, "not_found") }
    });
    let case = Case::new(&server, 3);
    let ran = case.run(&["--batch", "--backoff-s", "0.01"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    ran.says("has no batch API at this address").says("without --batch");
    assert_eq!(summary(&case)["n_possibly_paid"], 0);
    case.ends(0, &[]);

    let server = BatchServer::start(Script { is_endless: true, ..Script::default() });
    let case = self::case(&server, 3);
    ends(&case, 3, "openai-chat", &["--batch-timeout", "0s"]);
    // If a run continues the folder at another address, the batch stays open at the first address.
    let other = BatchServer::start(Script::default());
    let case = Case { url: other.url.clone(), ..case };
    ends(&case, 0, "openai-chat", &["--new-config"]).says("a batch of 3 requests is open at openai-chat");
    assert_eq!((summary(&case)["n_in_batches"].clone(), other.count("/batches/b0")), (json!(3), 1));
    assert_eq!(other.state().sizes, [3]);

    let server = BatchServer::start(Script { is_endless: true, ..Script::default() });
    let case = self::case(&server, 3);
    ends(&case, 3, "openai-chat", &["--batch-timeout", "0s"]);
    server.forget();
    ends(&case, 1, "openai-chat", &[]).says("the server has no batch b0").says("--cancel abandons the batch");
    ends(&case, 3, "openai-chat", &["--cancel"]);
    let summary = summary(&case);
    assert_eq!((&summary["n_in_batches"], &summary["n_possibly_paid"]), (&json!(0), &json!(3)));
}
