//! A process that is killed at any moment loses no answer, and repeats only requests that were in flight.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng;
use serde_json::{Value, json};
use surmise::seed;

use crate::support::collect_case::Case;
use crate::support::fault_server::{How, Reply, Server, chat};

const CONCURRENCY: usize = 4;

/// Number of kills unless SURMISE_KILLS sets another number.
const KILLS: usize = 20;

/// Right, wrong, empty, refused and truncated answers, depending on the question.
fn answer(word: &str) -> Reply {
    let n: u64 = word.trim_start_matches('w').parse().unwrap_or(0);
    let mut body = match n % 11 {
        3 => chat("something else", "stop"),
        5 => chat("", "stop"),
        7 => chat(word, "length"),
        9 => chat("no", "content_filter"),
        _ => chat(word, "stop"),
    };
    // A long record is more likely to be truncated.
    if n.is_multiple_of(20) {
        body["padding"] = "x".repeat(100_000).into();
    }
    Reply::new(200, body.to_string()).how(How::Late(Duration::from_millis(n % 7)))
}

/// The rows of a CSV file without the time of each answer.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize::<BTreeMap<String, String>>();
    let mut rows: Vec<_> = rows.map(|row| row.expect("a row")).collect();
    rows.iter_mut().for_each(|row| drop(row.remove("collected_at")));
    rows
}

#[test]
fn fault_01_a_run_killed_at_random_moments_ends_like_an_undisturbed_run() {
    let kills = std::env::var("SURMISE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let n_items = 30 * kills;
    let concurrency = CONCURRENCY.to_string();
    let arguments =
        ["--concurrency", &concurrency, "--keep-truncated", "--retries", "0", "--unknown-retries", "0"];

    let undisturbed = Server::start(|posted| answer(posted.word()));
    let reference = Case::new(&undisturbed, n_items);
    reference.ends(0, &arguments);
    assert_eq!(undisturbed.posts().len(), n_items + 1);

    let server = Server::start(|posted| answer(posted.word()));
    let case = Case::new(&server, n_items);
    let mut rng = seed::stream("test", "kills", kills as u64);
    let (mut torn, mut during) = (0, 0);
    for _ in 0..kills {
        let seen = server.count_all();
        let mut child = case.command(&arguments).spawn().expect("the binary");
        // One kill in ten comes at a random time after the start. The other nine come at a random time after
        // a random number of requests.
        let some = if rng.random_bool(0.9) { rng.random_range(1..50) } else { 0 };
        while server.count_all() < seen + some && child.try_wait().expect("a state").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(rng.random_range(0..20_000)));
        during += usize::from(child.try_wait().expect("a state").is_none());
        // On Unix this is SIGKILL, after which the process executes nothing.
        child.kill().expect("a signal");
        child.wait().expect("an end");
        let journal = std::fs::read(case.out().join("journal.jsonl")).unwrap_or_default();
        torn += usize::from(journal.last().is_some_and(|byte| *byte != b'\n'));
    }
    let before_last = server.posts().len();
    case.ends(0, &arguments);

    // The scores and the grade of every item equal the results of an undisturbed run.
    assert_eq!(rows(&case.file("scores.csv")), rows(&reference.file("scores.csv")));
    assert_eq!(rows(&case.file("items.csv")), rows(&reference.file("items.csv")));
    // Every item is asked once, and repeated only if a kill may have interrupted its request.
    let posts = server.posts().len();
    assert!(posts <= n_items + 1 + kills * CONCURRENCY, "{posts} posts");
    // Each interrupted request is booked as possibly billed, although some of them may never have been sent.
    let crashed = case.records().iter().filter(|record| record["crashed"] == true).count();
    let summary: Value = serde_json::from_str(&case.file("summary.json")).expect("JSON");
    assert_eq!(summary["n_possibly_paid"], json!(crashed));
    assert!(
        posts - (n_items + 1) <= crashed && crashed <= kills * CONCURRENCY,
        "{posts} posts, {crashed} crashed"
    );
    // Every question has exactly one answer.
    let answers = case.outcomes().iter().filter(|record| record["outcome"] != "failed").count();
    assert_eq!(answers, n_items);
    eprintln!(
        "{kills} kills, {during} of them while it ran, {torn} torn tails; {posts} posts for {n_items} items \
         and a probe, {before_last} before the last run; {crashed} booked as possibly paid"
    );
}
