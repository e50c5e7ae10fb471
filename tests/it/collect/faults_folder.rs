//! Faults of the folder, the budget and the user's input, in the order of FAULTS.md. The number in the name
//! of a test is its row in this table.

use std::process::Stdio;

use serde_json::Value;
use surmise::collect::journal::{
    Index, Journal, NOT_ASKED, OutcomeRecord, QuestionKey, QuestionState, Record,
};

use crate::support::collect_case::Case;
use crate::support::fault_server::{How, Reply, Server, seconds};

#[test]
fn fault_02_an_incomplete_last_line_is_moved_aside_at_every_length() {
    let server = Server::right();
    let case = Case::new(&server, 3);
    case.ends(0, &["--concurrency", "1"]);
    let whole = std::fs::read(case.out().join("journal.jsonl")).expect("a journal");
    let ends: Vec<usize> = (1..=whole.len()).filter(|n| whole[n - 1] == b'\n').collect();
    let torn = tempfile::tempdir().expect("a folder");
    for n in ends[ends.len() - 3]..whole.len() {
        let folder = torn.path().join(n.to_string());
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("journal.jsonl"), &whole[..n]).expect("a file");
        let journal = Journal::open(&folder, (true, false), |_| {}).expect("a journal");
        assert_eq!(journal.torn.is_some(), !ends.contains(&n), "{n} bytes");
        drop(journal);
        let kept = std::fs::read(folder.join("journal.jsonl")).expect("a journal");
        let end = *ends.iter().rev().find(|end| **end <= n).expect("an end");
        assert_eq!(kept, whole[..end], "{n} bytes");
        if end < n {
            assert_eq!(std::fs::read(folder.join("journal.torn-1")).expect("a file"), whole[end..n]);
        }
    }
    // The command reports the incomplete line and continues.
    std::fs::write(case.out().join("journal.jsonl"), &whole[..whole.len() - 5]).expect("a file");
    case.ends(0, &[]).says("1 incomplete record moved").says("may have been billed");
    assert_eq!((server.questions(), case.score("n_scored")), (4, "3".into()));
}

#[test]
fn fault_03_corruption_in_the_middle_is_refused_and_repaired() {
    let server = Server::right();
    let case = Case::new(&server, 5);
    case.ends(0, &["--concurrency", "1"]);
    let path = case.out().join("journal.jsonl");
    let mut bytes = std::fs::read(&path).expect("a journal");
    let lines: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect();
    bytes[lines[4] + 30] ^= 4;
    std::fs::write(&path, &bytes).expect("a journal");
    case.ends(6, &[])
        .says(&format!("line 6 (byte {})", lines[4]))
        .says("checksum")
        .says("surmise collect repair");
    assert_eq!(std::fs::read(&path).expect("a journal"), bytes, "a damaged file must not be changed");
    let command = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"));
        command.current_dir(case.folder.path()).args(arguments).output().expect("the binary")
    };
    assert!(command(&["collect", "repair", "out"]).status.success());
    assert_eq!(std::fs::read_to_string(&path).expect("a journal").lines().count(), lines.len() - 1);
    let aside = std::fs::read(case.out().join("journal.damaged-1")).expect("a file");
    assert_eq!(aside, bytes[lines[4]..lines[5]]);
    case.ends(0, &[]);
    assert_eq!(case.score("n_scored"), "5");
}

/// Changes one byte in each of these lines of a journal. Returns the damaged journal.
fn damaged(case: &Case, lines: &[usize]) -> Vec<u8> {
    let path = case.out().join("journal.jsonl");
    let mut all: Vec<Vec<u8>> = std::fs::read(&path)
        .expect("a journal")
        .split_inclusive(|byte| *byte == b'\n')
        .map(Into::into)
        .collect();
    for line in lines {
        all[*line][30] ^= 4;
    }
    let bytes = all.concat();
    std::fs::write(&path, &bytes).expect("a journal");
    bytes
}

fn repaired(case: &Case) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.current_dir(case.folder.path()).args(["collect", "repair", "out"]);
    assert!(command.output().expect("the binary").status.success());
}

#[test]
fn fault_03_damaged_complete_lines_at_the_end_are_not_moved_aside() {
    let server = Server::right();
    let case = Case::new(&server, 5);
    case.ends(0, &["--concurrency", "1"]);
    let n = case.records().len();
    for lines in [vec![n - 1], (n - 6..n).collect()] {
        let bytes = damaged(&case, &lines);
        case.ends(6, &[]).says(&format!("line {} ", lines[0] + 1)).says("surmise collect repair");
        assert_eq!(
            std::fs::read(case.out().join("journal.jsonl")).expect("a journal"),
            bytes,
            "a damaged file must not be changed"
        );
        assert_eq!(server.questions(), 5, "no question may be paid for again");
        damaged(&case, &lines);
    }
}

#[test]
fn fault_03_an_answer_whose_intent_is_damaged_is_kept_with_its_cost() {
    let server = Server::right();
    let case = Case::new(&server, 5);
    case.ends(0, &["--concurrency", "1"]);
    let intent = case.records().iter().rposition(|r| r["record"] == "intent").expect("an intent");
    damaged(&case, &[intent]);
    repaired(&case);
    case.ends(0, &[]);
    let summary: Value = serde_json::from_str(&case.file("summary.json")).expect("JSON");
    assert_eq!(
        (server.questions(), &summary["n_requests"], case.score("n_scored")),
        (5, &6.into(), "5".into())
    );
}

#[test]
fn fault_03_a_folder_with_a_damaged_configuration_accepts_no_other_without_a_flag() {
    let server = Server::right();
    let case = Case::new(&server, 3);
    case.ends(0, &["--concurrency", "1"]);
    damaged(&case, &[0]);
    repaired(&case);
    case.ends(2, &["--max-tokens", "7"])
        .says("the record of their configuration is damaged")
        .says("--new-config");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"));
    let output = command.current_dir(case.folder.path()).args(["collect", "rescore", "out"]).output();
    assert!(
        String::from_utf8_lossy(&output.expect("the binary").stderr)
            .contains("the record of their configuration is damaged")
    );
    case.ends(0, &["--new-config"]);
    assert_eq!((server.questions(), case.score("n_scored")), (3, "3".into()));
}

#[test]
fn fault_10_a_request_not_sent_before_the_end_of_the_run_counts_as_not_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = QuestionKey::new("p", "e", "m", b"", 0);
    let mut arrival = OutcomeRecord::crashed(key, 1, false, None);
    (arrival.class, arrival.crashed, arrival.possibly_paid) = (Some(NOT_ASKED.into()), false, false);
    let journal = Journal::open(folder.path(), (true, false), |_| {}).expect("a journal");
    let writer = journal.writer();
    writer.append(&Record::Outcome(Box::new(arrival))).expect("a writer");
    drop(writer);
    journal.close();
    let index = Index::read(folder.path()).expect("a journal");
    assert_eq!((index.n_requests, index.state(&key).and_then(QuestionState::failure)), (0, None));
}

#[test]
fn fault_04_an_intent_is_on_disk_before_its_request_leaves() {
    // The server checks that the intent of each request is in the journal when the request arrives.
    let journal = std::sync::Arc::new(std::sync::OnceLock::<std::path::PathBuf>::new());
    let (path, checks) = (journal.clone(), std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let checked = checks.clone();
    let server = Server::start(move |posted| {
        let text = std::fs::read_to_string(path.get().expect("a path")).expect("a journal");
        // The last line may belong to a record that is being written.
        let intents = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of_this = intents.filter(|r| {
            r["record"] == "intent" && r["body"].as_str().is_some_and(|b| b.contains(&posted.prompt))
        });
        checked.fetch_add(of_this.count(), std::sync::atomic::Ordering::Relaxed);
        Reply::say(posted.word())
    });
    let case = Case::new(&server, 9);
    journal.set(case.out().join("journal.jsonl")).expect("once");
    case.ends(0, &[]);
    assert_eq!(
        checks.load(std::sync::atomic::Ordering::Relaxed),
        10,
        "each request must find its own intent"
    );
}

#[test]
fn fault_37_the_budget_holds_and_the_rest_is_reported() {
    // A request costs 5 * 0.4 + 1.6 = 3.6 microdollars, and reserves at most 90 prompt and 32 answer tokens.
    let server = Server::start(|posted| Reply::say(posted.word()).how(How::Late(seconds(0.02))));
    let case = Case::new(&server, 200);
    let prices = "date = 2026-11-01\n[models.m]\ninput_usd_per_million_tokens = \
                  0.4\noutput_usd_per_million_tokens = 1.6\n";
    std::fs::write(case.folder.path().join("prices.toml"), prices).expect("a file");
    let capped = ["--budget-usd", "0.0003", "--prices", "prices.toml"];
    let ran = case.ends(4, &capped);
    // 180 more requests at 3.6 millionths cost more than the budget of 0.0003 dollars. The forecast is
    // reported once, and the run continues to the limit.
    ran.says(
        "after 20 answers: 180 questions remain, with about 900 prompt tokens and 180 answer tokens, \
         0.000648 USD in addition",
    )
    .says("the run ends at --budget-usd 0.0003");
    assert_eq!(ran.stderr.matches("questions remain").count(), 1);
    ran.says("the budget allows no further request")
        .says("of 200 questions have no answer")
        .says("spent 0.000");
    let summary: Value = serde_json::from_str(&case.file("summary.json")).expect("JSON");
    let spent_usd = summary["spent_usd"].as_f64().expect("a number");
    let posts = server.posts().len();
    assert!((spent_usd - 3.6e-6 * posts as f64).abs() < 1e-9, "{spent_usd} for {posts}");
    assert!(spent_usd <= 0.0003 && spent_usd > 0.0003 - 1.2e-4, "{spent_usd}");
    case.ends(4, &capped);
    assert_eq!(server.posts().len(), posts, "the budget applies to the whole folder");
    case.ends(0, &["--budget-usd", "0.1", "--prices", "prices.toml"]);
    assert_eq!(server.questions(), 200);
    // With unknown prices, or without a budget flag, no request is sent.
    let case = Case::new(&server, 2);
    std::fs::write(case.folder.path().join("prices.toml"), prices.replace("models.m", "models.n"))
        .expect("a file");
    case.ends(2, &capped).says("has no price for `m`");
    let dry = case.ends(0, &["--dry-run"]);
    assert!(dry.stdout.contains("calls\t3\ncached\t0\n") && dry.stdout.contains("say w0"), "{}", dry.stdout);
    assert!(dry.stdout.contains("time_s\tunknown\n"), "{}", dry.stdout);
    assert!(!case.out().exists());
    // The forecast uses the duration of earlier answers, here 0.5 s. Two questions are left, with two
    // requests at a time.
    let slow = Server::start(|posted| match posted.word() {
        "w0" | "w1" => Reply::say(posted.word()).how(How::Late(seconds(0.5))),
        _ if posted.is_probe() => Reply::say("yes").how(How::Late(seconds(0.5))),
        _ => Reply::error(402, "insufficient_quota"),
    });
    let case = Case::new(&slow, 4);
    case.ends(5, &["--concurrency", "1"]);
    let dry = case.ends(0, &["--dry-run", "--concurrency", "2"]);
    assert!(dry.stdout.contains("calls\t2\ncached\t2\n"), "{}", dry.stdout);
    let time_s =
        dry.stdout.lines().find_map(|line| line.strip_prefix("time_s\t")?.parse().ok()).unwrap_or(f64::NAN);
    assert!((0.5..1.5).contains(&time_s), "{}", dry.stdout);
}

#[test]
fn fault_38_an_interrupt_waits_for_requests_in_flight_and_a_second_does_not() {
    for (signals, waits) in
        [(vec!["-INT"], true), (vec!["-TERM"], true), (vec!["-HUP"], true), (vec!["-INT", "-INT"], false)]
    {
        let server = Server::start(|posted| {
            if posted.is_probe() {
                Reply::say("yes")
            } else {
                Reply::say(posted.word()).how(How::Late(seconds(1.5)))
            }
        });
        let case = Case::new(&server, 50);
        let child = case.command(&["--concurrency", "4"]).spawn().expect("the binary");
        while server.questions() < 4 {
            std::thread::sleep(seconds(0.01));
        }
        for signal in signals {
            let done = std::process::Command::new("kill")
                .args([signal, &child.id().to_string()])
                .stderr(Stdio::null())
                .status();
            assert!(done.expect("kill").success());
            std::thread::sleep(seconds(0.2));
        }
        let ran = case.wait(child);
        assert_eq!(ran.code, Some(130), "{}", ran.stderr);
        ran.says("interrupted; answers are saved");
        let came = case.outcomes().iter().filter(|r| r["outcome"] == "answered").count();
        assert_eq!((server.questions(), came), (4, if waits { 4 } else { 0 }));
        let index = Index::read(&case.out()).expect("a valid journal");
        assert_eq!(index.open.len(), if waits { 0 } else { 4 });
        let summary: Value = serde_json::from_str(&case.file("summary.json")).expect("JSON");
        let counts = ["n_requests", "n_possibly_paid"].map(|name| summary[name].as_u64());
        assert_eq!(counts, if waits { [Some(5), Some(0)] } else { [Some(5), Some(4)] });
        assert_eq!(summary["outcomes"]["failed"].as_u64(), None, "{summary}");
    }
}

#[test]
fn fault_39_another_configuration_is_refused_in_the_same_folder() {
    let server = Server::right();
    let case = Case::new(&server, 3);
    case.ends(0, &[]);
    let scores = case.file("scores.csv");
    case.ends(2, &["--max-tokens", "7"])
        .says("settings.max_tokens: 32 in the folder, 7 now")
        .says("--new-config");
    assert_eq!((server.posts().len(), case.file("scores.csv")), (4, scores));
    case.ends(0, &["--max-tokens", "7", "--new-config"]);
    assert_eq!(server.posts().len(), 8, "no old answer may be used for another question");
    std::fs::write(
        case.folder.path().join("items.jsonl"),
        "{\"id\":\"q0\",\"prompt\":\"say w0\",\"answer\":\"w9\"}\n",
    )
    .expect("a file");
    case.ends(2, &["--max-tokens", "7"]).says("tasks");
}

#[test]
fn fault_40_the_same_question_under_two_names_is_paid_once() {
    let server = Server::right();
    let case = Case::of(
        &server.url,
        "{\"id\":\"a\",\"prompt\":\"say w1\",\"answer\":\"w1\"}\n{\"id\":\"b\",\"prompt\":\"say \
         w1\",\"answer\":\"w1\"}\n",
    );
    case.ends(0, &[]);
    assert_eq!(
        (server.questions(), case.score("n_items"), case.score("n_scored")),
        (1, "2".into(), "2".into())
    );
    std::fs::write(
        case.folder.path().join("items.jsonl"),
        "{\"id\":\"a\",\"prompt\":\"x\",\"answer\":\"y\"}\n\
         {\"id\":\"a\",\"prompt\":\"z\",\"answer\":\"y\"}\n",
    )
    .expect("a file");
    case.ends(1, &["--new-config"]).says("items.jsonl, line 2").says("the same id \"a\" as line 1");
}

#[test]
fn replicates_are_sent_only_on_request() {
    let server = Server::start(|posted| Reply::say(if posted.same == 0 { posted.word() } else { "other" }));
    let case = Case::new(&server, 40);
    case.ends(0, &["--repeat-share", "0.25", "--concurrency", "1"])
        .says("repeated items have different answers");
    let summary: Value = serde_json::from_str(&case.file("summary.json")).expect("JSON");
    let repeated = server.questions() - 40;
    assert!((2..=20).contains(&repeated), "{repeated} of 40");
    assert_eq!((&summary["n_repeated"], &summary["n_disagreed"]), (&repeated.into(), &repeated.into()));
    assert_eq!(case.score("n_items"), "40", "an item must count once");
    let posts = server.posts().len();
    case.ends(0, &["--repeat-share", "0.25"]);
    assert_eq!(server.posts().len(), posts, "the same items must be repeated");
}

#[test]
fn texts_are_stored_in_texts_jsonl() {
    let server = Server::start(|posted| Reply::say(&format!("Once there was {}.\nIt ended.", posted.word())));
    let case = Case::of(&server.url, "");
    std::fs::write(case.folder.path().join("prompts.jsonl"), "{\"id\":\"a\",\"prompt\":\"Tell of w7\"}\n")
        .expect("a file");
    let mut command = case.command(&["texts:prompts.jsonl"]);
    // The only task is texts:prompts.jsonl, so items.jsonl is removed from the arguments.
    let arguments: Vec<_> =
        command.get_args().filter(|word| *word != "items.jsonl").map(ToOwned::to_owned).collect();
    let program = command.get_program().to_owned();
    command = std::process::Command::new(program);
    command
        .current_dir(case.folder.path())
        .env("OPENAI_API_KEY", crate::support::collect_case::KEY)
        .args(arguments);
    let ran = case.ran(&command.output().expect("the binary"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let line: Value = serde_json::from_str(case.file("texts.jsonl").trim_end()).expect("one line");
    assert_eq!((&line["id"], &line["text"]), (&"a".into(), &"Once there was w7.\nIt ended.".into()));
}

#[test]
fn a_command_without_questions_or_model_is_refused() {
    let server = Server::right();
    let case = Case::new(&server, 2);
    for (arguments, says) in [
        (["--items", "0"], "--items must be from 1 to 10000"),
        (["--items", "18446744073709551615"], "--items must be from 1 to 10000"),
        (["--concurrency", "0"], "--concurrency must be from 1 to 1024"),
        (["--timeout-s", "0"], "--timeout-s must be above 0"),
        (["--repeat-share", "NaN"], "--repeat-share must be from 0 to 1"),
        (["--replicates", "0"], "--replicates must be from 1 to 1000"),
        (["--temperature", "NaN"], "--temperature must be from 0 to 2"),
        (["--max-tokens", "0"], "--max-tokens must be at least 1"),
    ] {
        case.ends(2, &arguments).says(says);
    }
    let mut command = case.command(&[]);
    let typed: Vec<_> =
        command.get_args().map(|word| if word == "m" { " ".into() } else { word.to_owned() }).collect();
    command = std::process::Command::new(command.get_program());
    let output = command
        .current_dir(case.folder.path())
        .env("OPENAI_API_KEY", "unused-key-000000")
        .args(typed)
        .output();
    case.ran(&output.expect("the binary")).says("--api-model must be the model's name");
    assert!(!case.out().exists() && server.count_all() == 0);
}
