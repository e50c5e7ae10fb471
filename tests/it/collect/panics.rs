//! Simulates a bug in the program: the panic prints no key, loses no received answer, and ends with a
//! documented exit code.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use surmise::cli;
use surmise::collect::client::retry_policy::{Backoff, RetryPolicy};
use surmise::collect::configuration::Configuration;
use surmise::collect::journal::Index;
use surmise::collect::plan::RedoSelection;
use surmise::collect::progress::Progress;
use surmise::collect::results::check::Tolerated;
use surmise::collect::run::Run;
use surmise::collect::secrets::{Secrets, hide_in_panics};

use crate::support::collect_case::{Case, KEY};
use crate::support::fault_server::{Reply, Server};

/// Environment variable that passes the folder to the child process of the test below.
const FOLDER: &str = "SURMISE_TEST_PANIC";

/// Continues the run in the folder. When the run reports that the server rejects requests, the report panics
/// with a message that contains the key.
#[test]
#[ignore = "the child of the test below"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    std::env::set_current_dir(folder.parent().expect("a folder")).expect("a folder");
    let secrets = Arc::new(Secrets::new(KEY));
    hide_in_panics(secrets.clone());
    let record = Index::read(&folder).expect("a journal").configuration.expect("a configuration");
    let run = Run {
        folder,
        configuration: Configuration::from_record(record).expect("a configuration"),
        new_config: false,
        redo: RedoSelection::default(),
        adapt: false,
        tolerated: Tolerated::default(),
        policy: RetryPolicy {
            concurrency: 4,
            retries: 4,
            unknown_retries: 1,
            backoff: Backoff { first_s: 0.05, longest_s: 1.0 },
            idle_timeout: Duration::from_secs(20),
            keep_truncated: false,
            model_snapshot: None,
        },
        timeout: Duration::from_secs(20),
        price: None,
        cap_usd: None,
        batch: None,
        key_header: None,
        ca_cert: None,
        in_process: None,
        is_claimed: false,
        durable: true,
    };
    let progress =
        Progress::new(|line| assert!(!line.contains("rejects requests"), "it held {KEY} and {line}"));
    let ended = run.collect(Ok(secrets), &Arc::new(progress), |_| {}).expect("a run");
    let early = ended.early.expect("a reason");
    cli::status(&format!("it ended: {early}"));
    std::process::exit(early.exit_code().into());
}

#[test]
fn fault_31_a_panic_prints_no_key_and_loses_no_answer() {
    let server = Server::start(|posted| match (posted.before, posted.word(), posted.same) {
        (3, ..) => Reply::error(402, "insufficient_quota"),
        (_, "w20", 0) => Reply::error(429, "rate_limit_exceeded"),
        (_, word, _) => Reply::say(word),
    });
    let case = Case::new(&server, 40);
    case.ends(5, &["--concurrency", "1"]);
    assert_eq!(server.count_all(), 4);
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child.args(["collect::panics::child", "--exact", "--ignored", "--nocapture", "--test-threads", "1"]);
    let ran = case.ran(&child.env(FOLDER, case.out()).output().expect("a child"));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    ran.says("internal error at ").says("it held [REDACTED] and").says("it ended: surmise panicked");
    // All received answers are stored, and the remaining questions are asked once.
    let kept = case.outcomes().iter().filter(|record| record["outcome"] == "answered").count();
    assert!(kept >= 10, "{kept}");
    case.ends(0, &[]).says("1 request(s) were in flight");
    assert_eq!((case.score("n_scored"), case.score("accuracy")), ("40".into(), "1.0".into()));
    assert_eq!(server.count("w20"), 2);
    let summary: Value = serde_json::from_str(&case.file("summary.json")).expect("JSON");
    assert_eq!(summary["n_possibly_paid"], 1);
}
