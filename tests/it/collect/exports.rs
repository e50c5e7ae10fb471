//! Tests exports of a collection: the importers read the files back and give the scores of the collection.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde_json::{Value, json};
use surmise::collect::Score;
use surmise::import::{ImportOptions, Imported, import};

use super::batch;
use crate::support::batch_server::{BatchServer, Script};
use crate::support::collect_case::Case;
use crate::support::fault_server::{Reply, Server, chat};

/// A collection with right, wrong, empty, truncated and filtered answers to twelve items.
fn collected() -> Case {
    // The first answer to one question is empty, and the second is right.
    let is_first = AtomicBool::new(true);
    let server = Server::start(move |posted| match posted.word() {
        "w11" if is_first.swap(false, Relaxed) => Reply::say(""),
        "w3" => Reply::say("another"),
        "w5" => Reply::say(""),
        "w7" => Reply::new(200, chat("I think that", "length").to_string()),
        "w9" => Reply::new(200, chat("", "content_filter").to_string()),
        word => Reply::say(word),
    });
    let case = Case::new(&server, 12);
    case.ends(0, &["--replicates", "2"]);
    case
}

fn export(case: &Case, to: &str, out: &str) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_surmise"))
        .current_dir(case.folder.path())
        .args(["scores", "export", "out", "--to", to, "-o", out])
        .output()
        .expect("a run")
}

fn round_trip(case: &Case, to: &str) -> Imported {
    let ran = export(case, to, to);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let folder = case.folder.path().join(to);
    import(&[folder], &ImportOptions::default()).unwrap_or_else(|error| panic!("{}", error.chain()))
}

fn scores(case: &Case) -> Vec<Score> {
    let mut reader = csv::Reader::from_path(case.out().join("scores.csv")).expect("scores");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// The columns that do not depend on how a tool names graders and dates.
fn brief(score: &Score) -> (Value, Value) {
    let counts = json!([
        score.n_items,
        score.n_scored,
        score.n_refused,
        score.n_filtered,
        score.n_truncated,
        score.n_empty,
        score.n_unreadable,
        score.n_error
    ]);
    (json!([score.provider, score.model, score.task, score.shots, score.accuracy]), counts)
}

#[test]
fn exported_files_are_read_back() {
    let case = collected();
    let own = scores(&case);
    assert_eq!(own.len(), 1);
    assert!(own[0].n_truncated == 1 && own[0].n_filtered == 1 && own[0].n_empty == 1, "{own:?}");
    for to in ["inspect-json", "every-eval-ever"] {
        let back = round_trip(&case, to);
        assert_eq!(back.scores.iter().map(brief).collect::<Vec<_>>(), [brief(&own[0])], "{to}");
        assert_eq!(back.scores[0].collected_at, own[0].collected_at, "{to}");
        assert_eq!(back.items.len(), 24, "{to}");
        assert!(back.faults.is_empty(), "{:?}", back.faults);
        let right = &back.items.iter().find(|item| item.row.id == "q0").expect("an item").row;
        assert_eq!((right.answer.as_str(), right.gold.as_str()), ("w0", "[\"w0\"]"), "{to}");
    }
    // The harness has one grade per item, the mean over its answers.
    let back = round_trip(&case, "lm-eval");
    assert_eq!(back.scores.len(), 1);
    assert_eq!(back.scores[0].accuracy_all_as_wrong, own[0].accuracy_all_as_wrong);
    // Eight of nine scored items are right. One of the eight has a right and an empty answer, so it counts as
    // half if missing answers count as wrong.
    assert_eq!((own[0].accuracy, own[0].accuracy_all_as_wrong), (Some(8.0 / 9.0), Some(7.5 / 12.0)));
    assert_eq!((back.scores[0].n_items, back.scores[0].shots), (12, 0));
}

#[test]
fn one_answer_to_an_item_keeps_its_kind_in_every_format() {
    let server = Server::start(|posted| match posted.word() {
        "w1" => Reply::new(200, chat("I think", "length").to_string()),
        "w2" => Reply::say("no"),
        word => Reply::say(word),
    });
    let case = Case::new(&server, 5);
    case.ends(0, &[]);
    let own = scores(&case);
    for to in ["inspect-json", "every-eval-ever", "lm-eval"] {
        let back = round_trip(&case, to);
        assert_eq!(back.scores.iter().map(brief).collect::<Vec<_>>(), [brief(&own[0])], "{to}");
    }
    // The same folder gives the same bytes, and no file is replaced.
    let files = |folder: &Path| {
        let mut paths = vec![];
        let mut open = vec![folder.to_path_buf()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() { open.push(path) } else { paths.push(path) }
            }
        }
        paths.sort();
        paths.iter().map(|path| std::fs::read(path).expect("a file")).collect::<Vec<_>>()
    };
    assert!(export(&case, "inspect-json", "again").status.success());
    let at = |name: &str| files(&case.folder.path().join(name));
    assert_eq!(at("inspect-json"), at("again"));
    let ran = export(&case, "inspect-json", "again");
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.code() == Some(2) && stderr.contains("would replace"), "{stderr}");
    // Questions that have changed cannot be exported.
    std::fs::write(
        case.folder.path().join("items.jsonl"),
        "{\"id\":\"a\",\"prompt\":\"p\",\"answer\":\"b\"}\n",
    )
    .expect("a file");
    let ran = export(&case, "lm-eval", "changed");
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.code() == Some(2) && stderr.contains("the tasks"), "{stderr}");
}

#[test]
fn the_export_of_a_collection_that_is_not_complete_says_so() {
    let server = BatchServer::start(Script { polls: 9, ..Script::default() });
    let case = batch::case(&server, 20);
    let given = ["--batch-size", "10", "--batch-timeout", "0s"];
    batch::ends(&case, 3, "openai-chat", &given);
    // Only the first of the two batches ends, so 10 of the 20 questions have an answer.
    server.state().batches[0].polls = 99;
    batch::ends(&case, 3, "openai-chat", &given);
    assert_eq!(batch::summary(&case)["outcomes"], json!({"answered": 10, "in_batch": 10}));
    let ran = case.ends(3, &[]);
    ran.says("10 of them are in a batch that has not ended").says("--batch waits for it");
    assert!(!ran.stderr.contains("transient") && !ran.stderr.contains("--redo"), "{}", ran.stderr);
    for to in ["inspect-json", "every-eval-ever", "lm-eval"] {
        let ran = export(&case, to, to);
        let stderr = String::from_utf8_lossy(&ran.stderr);
        let told = "10 questions have no answer yet, 10 of them in a batch that has not ended";
        assert!(ran.status.success() && stderr.contains(told), "{to}: {stderr}");
        let folder = [case.folder.path().join(to)];
        // The export is marked as incomplete, so the import needs the option `limited`.
        assert!(import(&folder, &ImportOptions::default()).is_err(), "{to}");
        let limited = ImportOptions { limited: true, ..ImportOptions::default() };
        let back = import(&folder, &limited).unwrap_or_else(|error| panic!("{}", error.chain()));
        let score = &back.scores[0];
        assert_eq!((score.n_items, score.n_scored, score.accuracy), (10, 10, Some(1.0)), "{to}");
        assert_eq!(score.accuracy_all_as_wrong, Some(1.0), "{to}");
    }
    let record = format!("{}/data/surmise/*/*/*.json", case.folder.path().join("every-eval-ever").display());
    let record = glob::glob(&record).expect("a pattern").next().expect("a record").expect("a path");
    let record: Value = serde_json::from_slice(&std::fs::read(record).expect("a file")).expect("JSON");
    assert_eq!(record["eval_library"]["additional_details"]["n_without_answer_yet"], "10");
    let files = |folder: &str| -> Vec<String> {
        let pattern = std::fs::read_dir(case.folder.path().join(folder)).expect("a folder");
        pattern
            .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("a log"))
            .collect()
    };
    let log: Value = serde_json::from_str(&files("inspect-json")[0]).expect("JSON");
    assert_eq!((&log["status"], log["samples"].as_array().map(Vec::len)), (&json!("started"), Some(10)));
    assert_eq!(log["results"]["completed_samples"], 10);
    // Once the collection is complete, the export has no note about missing answers.
    server.state().batches[1].polls = 99;
    batch::ends(&case, 0, "openai-chat", &given);
    let ran = export(&case, "inspect-json", "whole");
    assert!(!String::from_utf8_lossy(&ran.stderr).contains("no answer yet"), "{ran:?}");
    let log: Value = serde_json::from_str(&files("whole")[0]).expect("JSON");
    assert_eq!((&log["status"], log["samples"].as_array().map(Vec::len)), (&json!("success"), Some(20)));
}

#[test]
fn a_failed_request_is_no_model_snapshot() {
    let server = Server::start(|posted| match posted.word() {
        "w1" => Reply::new(422, json!({"error": {"message": "no"}}).to_string()),
        word => Reply::say(word),
    });
    let case = Case::new(&server, 5);
    case.ends(3, &[]);
    let own = scores(&case);
    assert!(own[0].n_error == 1 && !own[0].model_snapshot.is_empty(), "{own:?}");
    for to in ["inspect-json", "every-eval-ever"] {
        let back = round_trip(&case, to);
        assert_eq!(back.scores[0].model_snapshot, own[0].model_snapshot, "{to}");
        assert_eq!(back.scores.iter().map(brief).collect::<Vec<_>>(), [brief(&own[0])], "{to}");
    }
    let log = std::fs::read_dir(case.folder.path().join("inspect-json")).expect("a folder").next();
    let text = std::fs::read_to_string(log.expect("a log").expect("an entry").path()).expect("a log");
    let log: Value = serde_json::from_str(&text).expect("JSON");
    let failed =
        log["samples"].as_array().expect("samples").iter().find(|sample| sample["error"].is_object());
    assert_eq!(failed.expect("a failed sample")["output"]["model"], "");
}
