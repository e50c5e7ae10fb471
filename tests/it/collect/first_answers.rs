//! Runs with unexpected answers stop, show the answers, and continue with the right flag.

use std::process::Command;

use serde_json::json;

use crate::support::collect_case::{Case, KEY};
use crate::support::fault_server::{Reply, Server};

#[test]
fn a_run_without_a_right_answer_stops_and_the_same_command_with_another_grader_goes_on() {
    let server = Server::start(|posted| Reply::say(&format!("It is\u{1b}[31m {}.", posted.word())));
    let case = Case::new(&server, 60);
    let ran = case.ends(3, &["--concurrency", "1"]);
    ran.says("none of 20 graded answers is right").says("It is\\u{1b}[31m w0.").says("--grader contains");
    ran.says("--keep-going");
    assert!(!ran.stderr.contains('\u{1b}'));
    let sent = server.count_all();
    assert!((21..=24).contains(&sent), "{sent}");
    // The same cause ends the next run before it sends anything.
    case.ends(3, &["--concurrency", "1"]).says("none of 20 graded answers is right");
    assert_eq!(server.count_all(), sent);
    case.ends(0, &["--grader", "contains"]).says("graded: 60 right");
    assert_eq!((server.count_all(), case.score("accuracy")), (61, "1.0".into()));
    // No question is left. With the default grader, all answers are wrong again, and a message reports this.
    case.ends(3, &[]).says("none of 60 graded answers is right");
    case.ends(0, &["--keep-going"]).says("note: none of 60").says("graded: 60 wrong");
    assert_eq!(server.count_all(), 61);
}

#[test]
fn answers_in_another_case_lead_to_ignore_case_and_unasked_questions_are_no_errors() {
    let server = Server::start(|posted| Reply::say(&format!(" {} ", posted.word().to_uppercase())));
    let case = Case::new(&server, 60);
    let ran = case.ends(3, &["--concurrency", "1"]);
    ran.says("try --ignore-case, with which 20 of the first 20 answers are right");
    assert!(!ran.stderr.contains("--grader contains"), "{}", ran.stderr);
    // 39 questions were not asked. They are counted as not asked, and have no grade.
    ran.says("not asked");
    let graded = ran.stderr.lines().find(|line| line.contains("; graded: ")).expect("the grades");
    assert!(graded.contains(" wrong") && !graded.contains("error"), "{graded}");
    // The proposed flag grades the answers again and continues.
    case.ends(0, &["--ignore-case"]).says("graded: 60 right");
}

#[test]
fn unreadable_answers_and_truncated_reasoning_stop_a_run() {
    let unreadable = Server::start(|_| Reply::say("I cannot tell."));
    let lines: String = (0..40)
        .map(|i| format!("{{\"id\":\"q{i}\",\"prompt\":\"What is {i} + 1?\",\"answer\":\"{}\"}}\n", i + 1))
        .collect();
    let case = Case::of(&unreadable.url, &lines);
    let number = ["--grader", "number", "--concurrency", "1"];
    case.ends(3, &number).says("none of 20 answers could be graded (20 unreadable)").says("I cannot tell.");
    assert!(unreadable.count_all() <= 24);
    case.ends(0, &["--grader", "number", "--keep-going"]).says("graded: 40 unreadable");

    let thinking = Server::start(|_| Reply::say("<think>The user wants"));
    let case = Case::new(&thinking, 40);
    let ran = case.ends(3, &["--concurrency", "1"]);
    ran.says("20 of the first 20 answers were truncated").says("<think>The user wants").says("--max-tokens");
    // A few truncated answers do not end the run.
    let some = Server::start(|posted| match posted.before {
        3 => Reply::say("<think>hm"),
        _ => Reply::say(posted.word()),
    });
    Case::new(&some, 40).ends(0, &[]).says("39 right, 1 truncated");
    // The check needs 20 answers, and this run has only 19.
    let wrong = Server::start(|_| Reply::say("no"));
    Case::new(&wrong, 19).ends(0, &[]).says("graded: 19 wrong");
}

#[test]
fn formulas_in_items_csv_are_quoted_except_with_raw_csv() {
    let server = Server::start(|posted| match posted.word() {
        "w0" => Reply::say("=HYPERLINK(\"http://example.org\")"),
        "w1" => Reply::say("-3"),
        word => Reply::say(word),
    });
    let case = Case::new(&server, 4);
    let answers = |case: &Case| -> Vec<(String, String, String)> {
        let text = case.file("items.csv");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names = reader.headers().expect("a header").clone();
        let at = |name: &str| names.iter().position(|column| column == name).expect("a column");
        let (id, answer, credit) = (at("id"), at("answer"), at("credit"));
        let row = |row: csv::StringRecord| (row[id].into(), row[answer].into(), row[credit].into());
        reader.records().map(|record| row(record.expect("a row"))).collect()
    };
    case.ends(0, &[]);
    let quoted = answers(&case);
    assert_eq!(quoted[0].1, "'=HYPERLINK(\"http://example.org\")");
    assert_eq!((quoted[1].1.as_str(), quoted[1].2.as_str()), ("-3", "0.0"));
    assert_eq!((quoted[2].0.as_str(), quoted[2].2.as_str()), ("q2", "1.0"));
    case.ends(0, &["--raw-csv"]);
    assert_eq!(answers(&case)[0].1, "=HYPERLINK(\"http://example.org\")");
}

#[test]
fn a_folder_is_graded_again_by_either_version_and_records_which() {
    let server = Server::start(|posted| Reply::say(&format!("**{}**", posted.word())));
    let case = Case::new(&server, 5);
    case.ends(0, &[]);
    let graded = |case: &Case| (case.score("accuracy"), case.score("grader"), case.score("normalisation"));
    assert_eq!(graded(&case), ("1.0".into(), "exact".into(), "2".into()));
    let rescore = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
        command.current_dir(case.folder.path()).args(["collect", "rescore", "out"]).args(arguments);
        let output = command.output().expect("the binary");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = rescore(&["--normalisation", "1"]);
    assert!(
        code == Some(0)
            && said.contains("graded with normalisation version 1; the stored grades used version 2"),
        "{said}"
    );
    assert_eq!(graded(&case), ("0.0".into(), "exact".into(), "1".into()));
    assert_eq!(rescore(&["--grader", "number,contains"]).0, Some(0));
    assert_eq!(graded(&case), ("1.0".into(), "number,contains".into(), "2".into()));
    // Version 1 does not support all graders.
    let (code, said) = rescore(&["--normalisation", "1", "--grader", "contains"]);
    assert!(code == Some(2) && said.contains("1 does not support the grader contains"), "{said}");
    assert_eq!(rescore(&["--normalisation", "3"]).0, Some(2));
    assert_eq!(rescore(&["--grader", "regex:("]).0, Some(2));
    assert_eq!(rescore(&["--grader", "exakt"]).0, Some(2));
}

#[test]
fn a_chat_gets_turns_and_no_stop_sequence_and_a_completion_gets_both_as_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let dry = |provider: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
        command.current_dir(folder.path()).env("OPENAI_API_KEY", KEY).args(["collect", "countries"]);
        command.args(["--provider", provider, "--base-url", "http://127.0.0.1:9", "--api-model", "m"]);
        let output = command.args(["-o", "out", "--dry-run"]).args(more).output().expect("the binary");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let chat = dry("openai-chat", &[]);
    assert!(chat.contains("rendering\tturns\n") && chat.contains("stop\tnone"), "{chat}");
    assert!(chat.contains("\"role\":\"system\"") && !chat.contains("\"stop\""), "{chat}");
    let instructed = dry("openai-chat", &["--rendering", "instructed"]);
    assert!(
        instructed.contains("rendering\tinstructed\n") && !instructed.contains("\"stop\":["),
        "{instructed}"
    );
    assert!(dry("openai-chat", &["--stop", "\n"]).contains("\"stop\":[\"\\n\"]"));
    assert!(dry("openai-chat", &["--shots", "0"]).contains("rendering\tinstructed\n"));
    let text = dry("openai-completions", &[]);
    assert!(text.contains("rendering\ttext\n") && text.contains("\"stop\":[\",\",\"\\n\"]"), "{text}");
}

#[test]
fn scored_prompts_whose_choices_all_tie_stop_a_run() {
    let lines: String = (0..40)
        .map(|i| {
            let line = json!({"id": format!("q{i}"), "prompt": format!("Thing {i} is"), "answer": "red",
                "choices": ["red", "blue"]});
            format!("{line}\n")
        })
        .collect();
    // The last two tokens of every prompt have probability 1.
    let server = Server::start(|posted| {
        let text = format!("{} x", posted.body["prompt"].as_str().unwrap_or_default());
        let token = |(i, word)| if i == 0 { String::from(word) } else { format!(" {word}") };
        let tokens: Vec<String> = text.split(' ').enumerate().map(token).collect();
        let n = tokens.len();
        let value = |i: usize| match i {
            0 => json!(null),
            i if i + 2 >= n => json!(0.0),
            i => json!(-1.0 - tokens[i].len() as f64),
        };
        let values: Vec<_> = (0..n).map(value).collect();
        let offset = |i: usize| tokens[..i].iter().map(String::len).sum::<usize>();
        let offsets: Vec<usize> = (0..n).map(offset).collect();
        let logprobs = json!({"tokens": tokens, "token_logprobs": values, "text_offset": offsets});
        let body = json!({"choices": [{"text": text, "finish_reason": "length", "logprobs": logprobs}]});
        Reply::new(200, body.to_string())
    });
    let case = Case::of(&server.url, &lines);
    let arguments = ["--provider", "openai-completions", "--grader", "logprob", "--concurrency", "1"];
    case.ends(3, &arguments).says("the same for all choices of each of the first 5 questions");
    assert!(server.count_all() <= 15, "{}", server.count_all());
}
