//! A process that collects in batches and is killed at any moment loses no answer and creates no batch twice.

use rand::Rng;
use serde_json::Value;
use surmise::seed;

use crate::collect::batch::{WIRES, case, summary};
use crate::support::batch_server::{BatchServer, Script};

/// Number of kills over all wire formats; SURMISE_KILLS sets another number for each wire format.
const KILLS: usize = 51;
/// Number of items, which is too small for a check of answers before the first batch.
const ITEMS: usize = 192;

#[test]
fn killed_at_random_moments_every_request_is_part_of_one_batch() {
    let given = std::env::var("SURMISE_KILLS").ok().and_then(|n| n.parse().ok());
    let kills: usize = given.unwrap_or(KILLS / WIRES.len());
    let mut during = 0;
    for (w, wire) in (0..).zip(WIRES) {
        let script = Script { polls: 2, error_every: Some(9), cuts: 2, ..Script::default() };
        let wait = std::time::Duration::from_millis(3);
        let server = BatchServer::start(Script { wait, ..script });
        let case = case(&server, ITEMS);
        let arguments = [
            "--provider",
            wire,
            "--batch",
            "--batch-size",
            "8",
            "--backoff-s",
            "0.01",
            "--max-wait-s",
            "0.05",
            "--budget-usd",
            "1",
            "--prices",
            "prices.toml",
        ];
        let mut rng = seed::stream("test", "batch kills", w);
        for _ in 0..kills {
            let seen = server.n_calls();
            let mut child = case.command(&arguments).spawn().expect("the binary");
            let some = rng.random_range(0..14);
            while server.n_calls() < seen + some && child.try_wait().expect("a state").is_none() {
                std::thread::sleep(std::time::Duration::from_micros(300));
            }
            std::thread::sleep(std::time::Duration::from_micros(rng.random_range(0..8_000)));
            during += usize::from(child.try_wait().expect("a state").is_none());
            // On Unix this is SIGKILL, after which the process executes nothing.
            child.kill().expect("a signal");
            child.wait().expect("an end");
        }
        let before_last = server.state().sizes.len();
        case.ends(0, &arguments);
        assert_eq!(
            (case.score("n_scored"), case.score("accuracy")),
            (ITEMS.to_string(), "1.0".into()),
            "{wire}"
        );
        // Every question has exactly one answer.
        let outcomes = case.outcomes();
        let is_answer = |record: &&Value| record["outcome"] != "failed";
        assert_eq!(outcomes.iter().filter(is_answer).count(), ITEMS, "{wire}");
        // A request is part of a second batch only after an error.
        let errors = outcomes.iter().filter(|record| record["class"] == "rejected").count() as u64;
        let state = server.state();
        assert_eq!(state.asked.len(), ITEMS);
        let n_asked: u64 = state.asked.values().map(|n| u64::from(*n)).sum();
        let summary = summary(&case);
        let doubles = summary["routes"]["batch"]["n_possibly_paid"].as_u64().expect("a count");
        assert_eq!(n_asked, ITEMS as u64 + errors, "{wire}: {doubles} counted as possibly billed");
        assert_eq!(doubles, 0, "{wire}: the list shows every batch");
        let n_batches = state.sizes.len();
        eprintln!("{wire}: {kills} kills, {n_batches} batches ({before_last} before the last run)");
    }
    eprintln!("{during} kills while it ran");
    assert!(during > kills, "too few kills while it ran: {during}");
}
