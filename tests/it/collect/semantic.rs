//! `surmise collect semantic` with a server that answers from the embedded table: the written columns, the
//! empty cells and their reasons, and errors before the first request.

use std::collections::BTreeMap;

use serde_json::json;
use surmise::corpus::Category;

use crate::support::collect_case::{Case, KEY, Ran};
use crate::support::fault_server::{Posted, Reply, Server};

const SMALL: [&str; 6] = ["--sets", "4", "--queries", "3", "--shots", "1"];
const TARGET: [&str; 6] = ["--provider", "openai-chat", "--api-model", "m", "-o", "out"];
const FREE: [&str; 4] = ["--logprobs-from", "none", "--no-budget", "--backoff-s=0.05"];

fn run(case: &Case, arguments: &[&[&str]]) -> Ran {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.args(["collect", "semantic", "--base-url", &case.url]).args(arguments.concat());
    case.ran(
        &command.env("OPENAI_API_KEY", KEY).current_dir(case.folder.path()).output().expect("the binary"),
    )
}

fn rows(case: &Case) -> Vec<BTreeMap<String, String>> {
    let text = case.file("semantic.csv");
    csv::Reader::from_reader(text.as_bytes()).into_deserialize().map(|row| row.expect("a row")).collect()
}

/// The entity and the answer of the last example of a list, and the query of the list.
fn list(posted: &Posted) -> (String, String, String) {
    let text = posted.prompt.rsplit("\n\n").next().unwrap_or_default();
    let (examples, query) = text.rsplit_once(", ").unwrap_or(("", text));
    let (entity, answer) =
        examples.rsplit(", ").next().and_then(|e| e.split_once(" -> ")).unwrap_or_default();
    (entity.into(), answer.into(), query.trim_end_matches(" ->").into())
}

/// The right answer to the query of a list.
fn right(posted: &Posted) -> String {
    let category = Category::load("nations").expect("embedded");
    let (entity, answer, query) = list(posted);
    let row = |name: &str| category.entities.iter().position(|entity| entity == name);
    let Some((shown, asked)) = row(&entity).zip(row(&query)) else { return "yes".into() };
    let relation = category.relations.iter().find(|relation| relation.answers[shown] == answer);
    relation.expect("a relation").answers[asked].clone()
}

fn oracle() -> Server {
    Server::start(|posted| Reply::say(&right(posted)))
}

fn n_prompts() -> usize {
    3 * 4 * Category::load("nations").expect("embedded").relations.len()
}

#[test]
fn answers_that_tell_the_relation_reach_the_ceiling_and_copied_ones_stay_low() {
    let share = |server: &Server| {
        let case = Case::of(&server.url, "");
        let ran = run(&case, &[&["--corpus", "nations"], &SMALL, &TARGET, &FREE]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stderr.contains("without log-probabilities, accuracy"), "{}", ran.stderr);
        let row = rows(&case).remove(0);
        for column in ["accuracy", "logprob_nats", "output_share", "output_share_stderr"] {
            assert_eq!(row[column], "", "{column}");
        }
        assert_eq!((&row["n_prompts"], &row["n_answered"]), (&n_prompts().to_string(), &row["n_prompts"]));
        assert_eq!((row["form"].as_str(), row["logprobs_from"].as_str()), ("chat", "none"));
        (row["answer_share"].parse::<f64>().expect("a share"), row["answer_accuracy"].clone())
    };
    // Each answer is compared with the answers for three other example sets. With half a count added per
    // relation, the estimated probabilities are 3.5 / 4 and 0.5 / 4.
    let ceiling = 1.0 - (1.0_f64 + 1.0 / 7.0).log2();
    let (known, accuracy) = share(&oracle());
    assert!((known - ceiling).abs() < 1e-9, "{known} and {ceiling}");
    assert_eq!(accuracy, "1.0");
    let (copied, accuracy) = share(&Server::start(|posted| Reply::say(&list(posted).1)));
    assert!(copied < 0.3 * ceiling, "{copied}");
    assert!(accuracy.parse::<f64>().expect("an accuracy") < 0.5);
    // The same answer to every question carries no information.
    assert_eq!(share(&Server::start(|_| Reply::say("yes"))).0, 0.0);
}

#[test]
fn lost_answers_are_left_out_and_asked_again_and_paid_answers_are_kept() {
    let broken = Server::start(|posted| match posted.before {
        5..8 => Reply::error(400, "it_is_broken"),
        _ => Reply::say(&right(posted)),
    });
    let case = Case::of(&broken.url, "");
    let arguments: [&[&str]; 5] =
        [&["--corpus", "nations", "--concurrency", "1"], &SMALL, &TARGET, &FREE, &["--redo", "failed"]];
    let ran = run(&case, &arguments);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("3 of ") && ran.stderr.contains("have no answer"), "{}", ran.stderr);
    let row = rows(&case).remove(0);
    assert_eq!(row["n_answered"], (n_prompts() - 3).to_string());
    assert_ne!(row["answer_share"], "");
    let sent = broken.count_all();
    let again = run(&case, &arguments);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(broken.count_all() - sent, 3);
    assert_eq!(rows(&case).remove(0)["n_answered"], n_prompts().to_string());
}

#[test]
fn listed_tokens_give_the_accuracy_and_a_message_explains_empty_cells() {
    // The right answer is always the most likely answer, and no other answer is listed.
    let server = Server::start(|posted| {
        let answer = right(posted);
        let start: String = answer.chars().take(3).collect();
        let top = json!([{"token": start, "logprob": -0.5}, {"token": "\u{2026}", "logprob": -3.0}]);
        let tokens = json!([{"token": start, "logprob": -0.5, "top_logprobs": top}]);
        let body = json!({"model": "m-1", "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": answer}, "logprobs": {"content": tokens}}]});
        Reply::new(200, body.to_string())
    });
    let case = Case::of(&server.url, "");
    let ran = run(&case, &[&["--corpus", "nations", "--no-budget"], &SMALL, &TARGET]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("output_share is empty"), "{}", ran.stderr);
    let row = rows(&case).remove(0);
    assert_eq!((row["accuracy"].as_str(), row["logprob_nats"].as_str()), ("1.0", "-0.5"));
    assert_eq!((row["output_share"].as_str(), row["n_output_pairs"].as_str()), ("", "0"));
    assert_eq!((&row["n_logprobs"], row["model_snapshot"].as_str()), (&row["n_prompts"], "m-1"));
    let asked = server.posts();
    assert!(
        asked.iter().all(|posted| posted.body["top_logprobs"] == 20 && posted.body["temperature"] == 0.0)
    );
}

/// Echoes a prompt word by word. The first word of the last answer has the probability that `logprob` gives
/// for a right or wrong answer, and another word has most of the remaining probability.
fn echo(posted: &Posted, logprob: impl Fn(bool) -> f64) -> Reply {
    let text = &posted.prompt;
    let cue = text.rfind(" ->").map_or(0, |at| at + 3);
    let asked = Posted { prompt: text[..cue].to_owned(), ..posted.clone() };
    let expected = right(&asked);
    if posted.body["echo"] != true {
        let answer = format!(" {expected}");
        let body = json!({"choices": [{"index": 0, "text": answer, "finish_reason": "stop"}]});
        return Reply::new(200, body.to_string());
    }
    let starts = std::iter::once(0).chain(text.match_indices(' ').map(|(at, _)| at));
    let starts: Vec<usize> = starts.chain([text.len()]).collect();
    let (mut tokens, mut logprobs, mut top, mut offsets) = (vec![], vec![], vec![], vec![]);
    for (number, ends) in starts.windows(2).enumerate() {
        let token = &text[ends[0]..ends[1]];
        // The values differ between tokens, because equal log-probabilities for all tokens would count as a
        // fault.
        let known = -1.0 - 0.01 * number as f64 - 0.001 * token.len() as f64;
        let own = if ends[0] == cue { logprob(text[cue..].trim() == expected) } else { known };
        tokens.push(json!(token));
        logprobs.push(if number == 0 { json!(null) } else { json!(own) });
        let another = (0.9 * (1.0 - own.exp())).ln();
        top.push(if number == 0 { json!(null) } else { json!({token: own, " another": another}) });
        offsets.push(text[..ends[0]].chars().count());
    }
    let logprobs = json!({"tokens": tokens, "token_logprobs": logprobs, "top_logprobs": top,
        "text_offset": offsets});
    let body =
        json!({"choices": [{"index": 0, "text": text, "finish_reason": "length", "logprobs": logprobs}]});
    Reply::new(200, body.to_string())
}

#[test]
fn an_echo_gives_all_columns_and_an_echo_that_contradicts_the_answers_none() {
    let target = ["--provider", "openai-completions", "--api-model", "m", "-o", "out", "--no-budget"];
    let collect = |server: &Server| {
        let case = Case::of(&server.url, "");
        let ran = run(&case, &[&["--corpus", "nations"], &SMALL, &target]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        (rows(&case).remove(0), ran.stderr)
    };
    let (row, said) =
        collect(&Server::start(|posted| echo(posted, |is_right| if is_right { -0.05 } else { -3.05 })));
    let value = |column: &str| row[column].parse::<f64>().expect("a number");
    assert_eq!((value("accuracy"), value("answer_accuracy")), (1.0, 1.0));
    assert!((value("logprob_nats") + 0.05).abs() < 1e-9, "{}", value("logprob_nats"));
    let exact = 1.0 - (1.0 + (-3.0_f64).exp()).log2();
    assert!((value("output_share") - exact).abs() < 1e-9, "{} and {exact}", value("output_share"));
    assert!(!said.contains("contradict"), "{said}");
    // The answer is never the most likely token.
    let (row, said) = collect(&Server::start(|posted| echo(posted, |_| -2.0)));
    assert_eq!((row["accuracy"].as_str(), row["output_share"].as_str()), ("", ""));
    assert!(said.contains("contradict its answer") && said.contains("--logprobs-from top"), "{said}");
    assert_eq!(row["answer_accuracy"], "1.0");
}

#[test]
fn a_server_without_echo_is_detected_by_the_probe() {
    let server = Server::start(|_| {
        let body =
            json!({"choices": [{"index": 0, "text": " yes", "finish_reason": "length", "logprobs": null}]});
        Reply::new(200, body.to_string())
    });
    let case = Case::of(&server.url, "");
    let target = ["--provider", "openai-completions", "--api-model", "m", "-o", "out", "--no-budget"];
    let ran = run(&case, &[&["--corpus", "nations"], &SMALL, &target]);
    assert_ne!(ran.code, Some(0));
    assert!(ran.stderr.contains("`echo`") && ran.stderr.contains("log-probabilities"), "{}", ran.stderr);
    assert_eq!(server.count_all(), 2);
    // The server is not asked again.
    let again = run(&case, &[&["--corpus", "nations"], &SMALL, &target]);
    assert!(again.stderr.contains("`echo`"), "{}", again.stderr);
    assert_eq!(server.count_all(), 2);
}

#[test]
fn a_dry_run_counts_every_request_and_sends_none() {
    let server = oracle();
    let case = Case::of(&server.url, "");
    let n_relations = Category::load("nations").expect("embedded").relations.len();
    for (provider, calls) in [
        ("openai-chat", n_prompts() + 1),
        // With log-probabilities from echoes, there is a second probe, and each prompt needs one more request
        // for each relation.
        ("openai-completions", n_prompts() * (1 + n_relations) + 2),
    ] {
        let target = ["--provider", provider, "--api-model", "m", "-o", "out", "--dry-run"];
        let ran = run(&case, &[&["--corpus", "nations"], &SMALL, &target]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stdout.starts_with(&format!("calls\t{calls}\n")), "{}", ran.stdout);
    }
    assert_eq!(server.count_all(), 0);
}

#[test]
fn a_category_without_a_design_is_refused_before_the_first_request() {
    let server = oracle();
    let case = Case::of(&server.url, "");
    let write = |name: &str, text: &str| std::fs::write(case.folder.path().join(name), text).expect("a file");
    let table = |row: fn(usize) -> String| (0..8).map(row).collect::<String>();
    write("one.csv", &format!("entity,a\n{}", table(|i| format!("e{i},a{i}\n"))));
    write("empty.csv", &format!("entity,a,b\n{}", table(|i| format!("e{i},a{i},\n"))));
    write("few.csv", "entity,a,b\nx,1,2\ny,3,4\n");
    write("equal.csv", &format!("entity,a,b\n{}", table(|i| format!("e{i},a{i},a{i}\n"))));
    let completions = ["--provider", "openai-completions", "--api-model", "m", "-o", "out"];
    let cases: [(&[&str], &[&str], &str); 9] = [
        (&["--corpus", "one.csv"], &TARGET, "1 relation, a"),
        (&["--corpus", "empty.csv"], &TARGET, "empty cells in total: 8"),
        (&["--corpus", "few.csv"], &TARGET, "has 2 entities"),
        (&["--corpus", "equal.csv"], &TARGET, "same answers"),
        (&["--corpus", "nations", "--corpus", "nations"], &TARGET, "given twice"),
        (&["--corpus", "nations", "--form", "chat"], &completions, "--form"),
        (&["--corpus", "nations", "--logprobs-from", "echo"], &TARGET, "use --logprobs-from top"),
        (&["--corpus", "nations", "--shots", "0"], &TARGET, "such as --shots 0,1"),
        (&["--corpus", "nations", "--max-tokens", "0"], &TARGET, "--max-tokens"),
    ];
    for (arguments, target, words) in cases {
        let sizes: &[&str] = if arguments.contains(&"--shots") { &SMALL[..4] } else { &SMALL };
        let ran = run(&case, &[arguments, sizes, target, &["--no-budget"]]);
        assert!(ran.code.is_some_and(|code| code == 1 || code == 2), "{arguments:?}: {:?}", ran.code);
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    }
    assert_eq!(server.count_all(), 0);
    assert!(!case.out().join("journal.jsonl").exists());
}
