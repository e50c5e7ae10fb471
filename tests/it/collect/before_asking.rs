//! Protection of files and money: outputs never replace inputs, an answer counts until it is replaced, the
//! cost of earlier runs is booked, and an expensive question does not stop the others.

use std::process::Command;

use serde_json::Value;
use surmise::Error;
use surmise::import::check_apart;

use crate::support::collect_case::{Case, KEY};
use crate::support::fault_server::{Reply, Server, chat};

const PRICES: &str = "date = 2026-11-01\n[models.m]\ninput_usd_per_million_tokens = \
                      0.4\noutput_usd_per_million_tokens = 1.6\n";

fn summary(case: &Case) -> Value {
    serde_json::from_str(&case.file("summary.json")).expect("JSON")
}

#[test]
fn a_file_of_questions_is_never_replaced() {
    let server = Server::right();
    let case = Case::new(&server, 2);
    std::fs::create_dir(case.out()).expect("a folder");
    let csv = "id,prompt,answer\na,say wa,wa\n";
    let jsonl = "{\"id\":\"b\",\"prompt\":\"say wb\"}\n";
    for (name, task, text) in [
        ("items.csv", "out/items.csv", csv),
        ("scores.csv", "./out/../out/scores.csv", csv),
        ("texts.jsonl", "texts:out/texts.jsonl", jsonl),
    ] {
        std::fs::write(case.out().join(name), text).expect("a file");
        for more in [&["--dry-run"][..], &[]] {
            case.ends(2, &[&[task], more].concat()).says("would overwrite the input file");
        }
        assert_eq!(case.file(name), text);
    }
    assert!(server.count_all() == 0 && !case.out().join("journal.jsonl").exists());
    // An import does not replace its input files either.
    let folder = case.folder.path();
    let at = |name: &str| folder.join(name);
    std::fs::write(at("results_t.json"), "{}").expect("a file");
    std::fs::write(at("samples_a.jsonl"), "{}").expect("a file");
    for output in ["results_t.json", "results_t", "samples_a.jsonl", "out/../results_t.json"] {
        let refused = check_apart(&[at("results_t.json")], &at(output));
        assert!(matches!(refused, Err(Error::Parameter { name: "-o", .. })), "{output}");
    }
    assert!(check_apart(&[at("results_t.json")], &at("scores.csv")).is_ok());
}

#[test]
fn a_key_between_punctuation_is_stored_nowhere() {
    let spread: String = KEY.chars().map(|c| format!("{c}.")).collect();
    let bare: String = KEY.chars().filter(char::is_ascii_alphanumeric).collect();
    let server = Server::start(move |posted| match posted.word() {
        "w0" => Reply::say(&format!("it is {spread}")),
        word => Reply::say(word),
    });
    let case = Case::new(&server, 2);
    case.ends(0, &["--ignore-punctuation"]);
    let items = case.file("items.csv");
    assert!(
        !items.contains(&bare) && items.contains("the answer contained the key, split over several strings"),
        "{items}"
    );
    assert_eq!((case.score("n_unreadable"), case.score("accuracy")), ("1".into(), "1.0".into()));
}

#[test]
fn an_answer_counts_until_it_is_replaced() {
    let server = Server::start(|posted| match (posted.word(), posted.same) {
        ("w0", 0) => Reply::new(200, chat("w0", "content_filter").to_string()),
        ("w0", 1 | 2) => Reply::error(400, "bad"),
        (word, _) => Reply::say(word),
    });
    let case = Case::new(&server, 3);
    case.ends(0, &[]);
    let scores = case.file("scores.csv");
    assert_eq!(case.score("n_filtered"), "1");
    case.ends(0, &["--redo", "filtered"]);
    assert_eq!((server.count("w0"), case.file("scores.csv")), (2, scores.clone()));
    case.ends(0, &[]);
    assert_eq!(
        (server.count("w0"), case.file("scores.csv")),
        (2, scores.clone()),
        "this answer was not requested"
    );
    let again = ["--redo", "filtered", "--redo", "failed"];
    case.ends(0, &again);
    assert_eq!((server.count("w0"), case.file("scores.csv")), (3, scores));
    case.ends(0, &again);
    assert_eq!(
        (server.count("w0"), case.score("n_filtered"), case.score("n_scored")),
        (4, "0".into(), "3".into())
    );
}

#[test]
fn answers_without_a_price_are_booked_at_the_first_known_price() {
    let server = Server::start(|posted| match posted.word().trim_start_matches('w').parse() {
        Ok(10..) => Reply::error(402, "insufficient_quota"),
        _ => Reply::say(posted.word()),
    });
    let case = Case::new(&server, 20);
    case.ends(5, &["--concurrency", "1"]);
    assert_eq!((&summary(&case)["n_unpriced"], &summary(&case)["spent_usd"]), (&11.into(), &Value::Null));
    std::fs::write(case.folder.path().join("prices.toml"), PRICES).expect("a file");
    // 11 requests at 5 * 0.4 + 1.6 millionths of a dollar cost 39.6 millionths. Of the budget of 90, 50.4
    // remain, which is less than the maximum cost of any question.
    let n = server.count_all();
    let ran = case.ends(4, &["--budget-usd", "0.00009", "--prices", "prices.toml"]);
    ran.says("11 earlier request(s) had no price; at the price in --prices they cost 0.000040 USD")
        .says("0.000040 of --budget-usd 0.00009 are spent");
    assert_eq!(server.count_all(), n);
}

#[test]
fn a_question_that_is_too_expensive_does_not_stop_the_others() {
    let server = Server::right();
    let mut lines =
        format!("{{\"id\":\"a\",\"prompt\":\"{} wa\",\"answer\":\"wa\"}}\n", "long ".repeat(2000));
    lines += &(0..3)
        .map(|i| format!("{{\"id\":\"{i}\",\"prompt\":\"say w{i}\",\"answer\":\"w{i}\"}}\n"))
        .collect::<String>();
    let case = Case::of(&server.url, &lines);
    std::fs::write(case.folder.path().join("prices.toml"), PRICES).expect("a file");
    let ran = case.ends(4, &["--budget-usd", "0.001", "--prices", "prices.toml", "--concurrency", "1"]);
    // Four requests are paid. The expensive request would have at least 1251 prompt tokens.
    ran.says("0.000014 of --budget-usd 0.001 are spent, and the remaining questions would cost 0.000502 to");
    ran.says("1 of 4 questions have no answer");
    assert_eq!((server.questions(), server.count("wa"), case.score("n_scored")), (3, 0, "3".into()));
}

#[test]
fn unreadable_answers_end_the_run_like_failures() {
    let server = Server::start(|_| Reply::new(200, "<html><body>Welcome to the portal</body></html>"));
    let case = Case::new(&server, 200);
    case.ends(1, &["--concurrency", "2"])
        .says("10 consecutive answers cannot be read")
        .says("--redo unreadable");
    assert!((10..=12).contains(&server.count_all()), "{}", server.count_all());
    // Unreadable answers do not end the run if readable answers come between them.
    let server = Server::start(|posted| match posted.before % 5 {
        4 => Reply::say(posted.word()),
        _ => Reply::new(200, "<html></html>"),
    });
    Case::new(&server, 60).ends(0, &["--concurrency", "1"]);
}

#[test]
fn refused_commands_write_nothing_and_a_dry_run_checks_the_configuration() {
    let server = Server::right();
    let case = Case::new(&server, 2);
    case.ends(0, &[]);
    let before = case.file("summary.json");
    let rescore = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
        command.current_dir(case.folder.path()).args(["collect", "rescore", "out"]).args(arguments);
        command.output().expect("the binary")
    };
    let output = rescore(&["--grader", "letter", "--ignore-case"]);
    assert_eq!((output.status.code(), case.file("summary.json")), (Some(2), before));
    assert!(String::from_utf8_lossy(&output.stderr).contains("letter needs other prompts than exact"));
    case.ends(2, &["--dry-run", "--max-tokens", "7"])
        .says("contains answers that were collected with another configuration");
    let dry = case.ends(0, &["--dry-run", "--max-tokens", "7", "--new-config"]);
    assert!(dry.stdout.contains("calls\t3\ncached\t0\n"), "{}", dry.stdout);
    let dry = case.ends(0, &["--dry-run"]);
    assert!(dry.stdout.contains("calls\t0\ncached\t2\n"), "{}", dry.stdout);
}
