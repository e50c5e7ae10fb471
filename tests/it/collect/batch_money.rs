//! Tests the cost of batches that are created twice, withdrawn, cancelled or incomplete, and the checks
//! before a batch is paid.

use serde_json::json;

use super::batch::{BUDGET, WIRES, case, ends, is_right, summary};
use crate::support::batch_server::{BatchServer, Script};

#[test]
fn a_batch_without_a_name_that_was_created_twice_unseen_counts_twice() {
    let lost = Script { lost_creations: 1, ..Script::default() };
    // The server's list of batches is empty for the first 9 reads: one before each of the two creations, and
    // seven searches between them.
    for (ends_lost, told) in [(true, "was created twice"), (false, "may have been created twice")] {
        let server = BatchServer::start(Script { empty_lists: 9, ends_lost, ..lost });
        let case = case(&server, 7);
        ends(&case, 0, "anthropic", &BUDGET).says(told).says("possibly billed a second time");
        assert_eq!(server.state().sizes, [7, 7]);
        let summary = summary(&case);
        assert_eq!(summary["routes"]["batch"]["n_possibly_paid"], 7);
        assert_eq!(summary["outcomes"], json!({"answered": 7}));
        assert_eq!(server.count("cancel"), 0);
    }
    // If the list shows the batch before the searches end, no second batch is created.
    for n in [4, 8] {
        let server = BatchServer::start(Script { empty_lists: n, ..lost });
        let case = case(&server, 7);
        ends(&case, 0, "anthropic", &[]).says("was probably created before its id could be stored");
        is_right(&case, &server, 7);
        assert_eq!(summary(&case)["n_possibly_paid"], 0, "{n}");
    }
    // A batch of another client with the same number of requests is not a duplicate.
    let server = BatchServer::start(Script { empty_lists: 9, has_foreign: true, ends_lost: true, ..lost });
    let case = case(&server, 7);
    ends(&case, 0, "anthropic", &[]);
    assert_eq!(summary(&case)["n_possibly_paid"], 7);
}

#[test]
fn a_batch_that_may_belong_to_another_client_is_not_cancelled() {
    let script = Script { lost_creations: 1, has_foreign: true, is_endless: true, ..Script::default() };
    let server = BatchServer::start(script);
    let case = case(&server, 5);
    ends(&case, 3, "anthropic", &["--batch-timeout", "0s"]);
    let ran = ends(&case, 3, "anthropic", &["--cancel"]);
    ran.says("batch theirs is not cancelled").says("5 questions are in a batch");
    assert_eq!(server.count("cancel"), 0);
    assert_eq!(summary(&case)["n_in_batches"], 5);
    // At OpenAI, the name identifies our batch, so the batch is cancelled.
    let server = BatchServer::start(script);
    let case = self::case(&server, 5);
    ends(&case, 3, "openai-chat", &["--batch-timeout", "0s"]);
    ends(&case, 3, "openai-chat", &["--cancel"]).says("batch b0 is being cancelled");
    assert_eq!(server.count("cancel"), 1);
}

#[test]
fn requests_of_a_partly_withdrawn_batch_are_asked_once() {
    let server = BatchServer::start(Script { lost_uploads: 2, ..Script::default() });
    let case = case(&server, 6);
    ends(&case, 1, "openai-chat", &["--retries", "1"]);
    assert!(server.state().sizes.is_empty());
    ends(&case, 3, "openai-chat", &["--cancel"]);
    // Changes the journal to its state after a run that was killed when it had closed three of six requests.
    let path = case.folder.path().join("out/journal.jsonl");
    let text = std::fs::read_to_string(&path).expect("a journal");
    let mut n = 0;
    let is_kept = |line: &&str| {
        n += u32::from(line.contains("the batch was not sent"));
        n <= 3 && !line.contains("\"ended\"")
    };
    let kept: String = text.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
    assert!(kept.len() < text.len() && kept.contains("the batch was not sent"), "{text}");
    std::fs::write(&path, kept).expect("a journal");
    ends(&case, 0, "openai-chat", &[]);
    is_right(&case, &server, 6);
    assert_eq!(summary(&case)["n_possibly_paid"], 0);
}

#[test]
fn results_whose_files_are_late_are_waited_for() {
    let late = Script { late_files: 2, ..Script::default() };
    let server = BatchServer::start(late);
    let case = case(&server, 6);
    ends(&case, 0, "openai-chat", &[]).says("lack some requests");
    is_right(&case, &server, 6);
    assert_eq!(summary(&case)["n_possibly_paid"], 0);
    // According to the counts of the expired batch, four requests were answered.
    let server = BatchServer::start(Script { expires_after: Some(4), ..late });
    let case = self::case(&server, 6);
    ends(&case, 0, "openai-chat", &[]);
    assert_eq!((case.score("n_scored"), server.state().sizes.clone()), ("6".into(), vec![6, 2]));
    let server = BatchServer::start(Script { expires_after: Some(4), late_files: 99, ..late });
    let case = self::case(&server, 6);
    let ran = ends(&case, 1, "openai-chat", &["--retries", "1"]);
    ran.says("run the same command again").says("--cancel abandons them");
    let sums = summary(&case);
    assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(6), &json!(0)));
    // Only the four requests that the server counts as answered are booked as possibly billed.
    ends(&case, 3, "openai-chat", &["--retries", "1", "--cancel"]).says("no result for 4 of its requests");
    let sums = summary(&case);
    assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(0), &json!(4)));
    assert_eq!(server.state().sizes, [6]);
    // The same command fetches the late results and pays for no request again.
    let server = BatchServer::start(Script { late_files: 5, ..Script::default() });
    let case = self::case(&server, 6);
    ends(&case, 1, "openai-chat", &["--retries", "1"]).says("lack some requests");
    assert_eq!(summary(&case)["n_in_batches"], 6);
    ends(&case, 0, "openai-chat", &[]);
    is_right(&case, &server, 6);
}

#[test]
fn a_paid_batch_is_fetched_even_if_the_first_answers_are_wrong() {
    let server = BatchServer::start(Script { is_wrong: true, polls: 4, ..Script::default() });
    let case = case(&server, 240);
    ends(&case, 3, "openai-chat", &[]).says("none of 20 graded answers is right");
    ends(&case, 3, "openai-chat", &["--keep-going", "--batch-timeout", "0s"]);
    assert_eq!(summary(&case)["n_in_batches"], 220);
    // Without --keep-going, wrong answers end the run, and each run polls the batch once.
    let ran = ends(&case, 3, "openai-chat", &[]);
    ran.says("none of 20 graded answers is right").says("220 questions are still in a batch");
    ran.says("a run without --batch fetches their answers");
    for _ in 0..4 {
        ends(&case, 3, "openai-chat", &[]);
    }
    let sums = summary(&case);
    assert_eq!((&sums["n_in_batches"], &sums["n_possibly_paid"]), (&json!(0), &json!(0)));
    assert_eq!((&sums["outcomes"], &server.state().sizes), (&json!({"answered": 240}), &vec![220]));
}

#[test]
fn requests_outside_an_open_batch_stay_within_the_budget() {
    let server = BatchServer::start(Script { is_endless: true, ..Script::default() });
    let case = case(&server, 300);
    // The batch contains only some of the questions, but reserves the whole budget.
    let given = ["--budget-usd", "0.004", "--prices", "prices.toml", "--max-tokens", "64"];
    let first = ["--keep-going", "--batch-timeout", "0s"];
    ends(&case, 3, "openai-chat", &[&given[..], &first].concat());
    let sums = summary(&case);
    let n_open = sums["n_in_batches"].as_u64().expect("a number");
    assert!((1..=100).contains(&n_open), "{sums}");
    // No budget is left for the questions that are sent individually before a batch.
    let ran = ends(&case, 4, "openai-chat", &given);
    ran.says("are reserved for batches that have not ended");
    let now = summary(&case);
    assert_eq!((&now["spent_usd"], &now["n_in_batches"]), (&sums["spent_usd"], &sums["n_in_batches"]));
}

#[test]
fn deleted_results_and_results_with_other_ids_are_given_up() {
    for wire in ["openai-chat", "anthropic"] {
        let server = BatchServer::start(Script { has_no_results: true, ..Script::default() });
        let case = case(&server, 4);
        ends(&case, 1, wire, &[]).says("are gone").says("--cancel abandons them");
        assert_eq!(summary(&case)["n_in_batches"], 4);
        ends(&case, 3, wire, &["--cancel"]).says("count as possibly billed");
        let summary = summary(&case);
        assert_eq!((&summary["n_in_batches"], &summary["n_possibly_paid"]), (&json!(0), &json!(4)), "{wire}");
        // The id of our batch is known, so results with unknown ids do not cause a search or another
        // creation.
        let server = BatchServer::start(Script { has_strange_ids: true, ..Script::default() });
        let case = self::case(&server, 4);
        ends(&case, 1, wire, &["--retries", "1"]).says("--cancel abandons them");
        assert_eq!(self::summary(&case)["n_in_batches"], 4);
        ends(&case, 3, wire, &["--retries", "1", "--cancel"]).says("count as possibly billed");
        assert_eq!(server.state().sizes, [4], "{wire}");
        // The batch has ended, so its requests cannot be cancelled and count as possibly billed.
        assert_eq!(self::summary(&case)["n_possibly_paid"], 4);
    }
}

#[test]
fn answers_that_are_never_right_end_a_run_before_it_is_paid() {
    for wire in WIRES {
        let server = BatchServer::start(Script { is_wrong: true, ..Script::default() });
        let case = case(&server, 240);
        let ran = ends(&case, 3, wire, &BUDGET);
        ran.says("20 of 240 questions are sent individually first")
            .says("none of 20 graded answers is right");
        assert!(server.state().sizes.is_empty(), "{wire}");
        // The same command ends before it sends a request.
        let n = server.n_calls();
        ends(&case, 3, wire, &BUDGET);
        assert_eq!(server.n_calls(), n);
        ends(&case, 0, wire, &[&BUDGET[..], &["--keep-going"]].concat());
        assert_eq!(server.state().sizes, [220]);
    }
    // With so few questions, no answer is checked before the first batch. The answers of the first batch are
    // checked before the next batch.
    let server = BatchServer::start(Script { is_wrong: true, error_every: Some(8), ..Script::default() });
    let case = case(&server, 40);
    ends(&case, 3, "openai-chat", &[]);
    assert_eq!(server.state().sizes, [40]);
    let server = BatchServer::start(Script::default());
    let case = self::case(&server, 220);
    ends(&case, 0, "openai-chat", &BUDGET);
    assert_eq!((case.score("n_scored"), server.state().sizes.clone()), ("220".into(), vec![200]));
}

#[test]
fn a_batch_without_a_price_is_reserved_once_there_is_one() {
    let server = BatchServer::start(Script { polls: 3, ..Script::default() });
    let case = case(&server, 20);
    ends(&case, 3, "openai-chat", &["--batch-timeout", "0s"]);
    let sums = summary(&case);
    // The probe has no price either, so 21 requests are unpriced.
    assert_eq!((&sums["n_in_batches"], &sums["n_unpriced"]), (&json!(20), &json!(21)));
    // Adds twenty questions.
    let path = case.folder.path().join("items.jsonl");
    let mut lines = std::fs::read_to_string(&path).expect("items");
    for i in 20..40 {
        let item = json!({"id": format!("q{i}"), "prompt": format!("say w{i}"), "answer": format!("w{i}")});
        lines.push_str(&format!("{item}\n"));
    }
    std::fs::write(&path, lines).expect("a file");
    // The maximum cost of the batch of 20 requests is half of the full price: one prompt token per byte at 1
    // USD, and 640 answer tokens at 2 USD per million.
    let bytes: usize = case
        .records()
        .iter()
        .filter(|r| r["record"] == "intent" && r["batch"].is_string())
        .map(|r| r["body"].as_str().expect("a body").len())
        .sum();
    let most_usd = (bytes as f64 + 1280.0) / 2.0 * 1e-6;
    let budget = |usd: f64| format!("{usd:.6}");
    let (tight, wide) = (budget(most_usd + 40e-6), budget(most_usd + 860e-6));
    let given = ["--prices", "prices.toml", "--new-config", "--backoff-s", "0.01"];
    let ran = case.ends(4, &[&["--budget-usd", &tight][..], &given].concat());
    ran.says("are reserved for batches that have not ended");
    assert_eq!(server.count("POST /chat/completions"), 1, "{}", ran.stderr);
    // The reservation is released when the batch ends, so a budget slightly above it allows another batch.
    ends(&case, 0, "openai-chat", &[&["--budget-usd", &wide][..], &given[..3]].concat());
    let sums = summary(&case);
    assert_eq!(sums["outcomes"], json!({"answered": 40}));
    assert_eq!((&sums["routes"]["batch"]["spent_usd"], &sums["reserved_usd"]), (&json!(140e-6), &json!(0.0)));
}
