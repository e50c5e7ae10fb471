//! Scores of answers that a server sends: filtered and refused answers, choices compared by log-probability,
//! and shots.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::collect_case::Case;
use crate::support::fault_server::{Posted, Reply, Server};

/// The golden body with this name. The name begins with the HTTP status.
fn golden(provider: &str, name: &str) -> Reply {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/providers").join(provider);
    let body = std::fs::read(path.join(format!("{name}.body"))).expect("a golden body");
    Reply::new(name[..3].parse().expect("a status"), body)
}

#[test]
fn a_filter_or_refusal_of_each_provider_is_not_a_wrong_answer() {
    for (name, body, column) in [
        ("openai-chat", "200-refused", "n_refused"),
        ("openai-chat", "400-filtered-azure", "n_filtered"),
        ("openai-responses", "200-filtered", "n_filtered"),
        ("anthropic", "200-refused", "n_refused"),
        ("anthropic", "400-filtered", "n_filtered"),
        ("gemini", "200-prompt-blocked", "n_filtered"),
        ("gemini", "200-filtered-safety", "n_filtered"),
    ] {
        let server = Server::start(move |posted: &Posted| {
            golden(name, if posted.body.to_string().contains("q-odd") { body } else { "200-answered" })
        });
        let lines = "{\"id\":\"1\",\"prompt\":\"q-odd\",\"answer\":\"Paris\"}\n{\"id\":\"2\",\
            \"prompt\":\"q\",\"answer\":\"Paris\"}\n";
        let case = Case::of(&server.url, lines);
        case.ends(0, &["--provider", name]);
        let counts =
            [column, "n_scored", "accuracy", "accuracy_all_as_wrong"].map(|column| case.score(column));
        assert_eq!(counts, ["1", "1", "1.0", "0.5"], "{name}, {body}");
    }
}

/// Echoes a prompt like vLLM: one token per word, one more generated token, and log-probabilities that make
/// one word likely.
fn echo(posted: &Posted) -> Reply {
    let prompt = posted.body["prompt"].as_str().unwrap_or_default();
    let (mut tokens, mut offsets, mut logprobs, mut at) = (vec![], vec![], vec![], 0);
    for piece in prompt
        .split_inclusive(' ')
        .flat_map(|word| word.strip_suffix(' ').map_or(vec![word], |word| vec![word, " "]))
    {
        // A space belongs to the following word.
        match tokens.last_mut() {
            Some(last) if *last == " " => {
                *last = format!(" {piece}");
            }
            _ => {
                tokens.push(piece.to_owned());
                offsets.push(at);
            }
        }
        at += piece.chars().count();
    }
    for token in &tokens {
        let likely = if token == " Paris" { -0.5 } else { -2.0 };
        logprobs.push(if logprobs.is_empty() { Value::Null } else { json!(likely) });
    }
    tokens.push(" and".into());
    offsets.push(at);
    logprobs.push(json!(-0.1));
    let body = json!({"id": "cmpl-1", "object": "text_completion", "model": "m-1", "choices": [{"index": 0,
        "text": format!("{prompt} and"),
        "logprobs": {"tokens": tokens, "token_logprobs": logprobs, "top_logprobs": null,
            "text_offset": offsets}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": tokens.len(), "completion_tokens": 1}});
    Reply::new(200, body.to_string())
}

#[test]
fn choices_are_read_back_with_their_log_probabilities() {
    let server = Server::start(echo);
    let line = |id: &str, gold: &str| {
        json!({"id": id, "prompt": "The capital of Fran\u{e7}a is", "answer": gold, "choices": ["Rome",
            "Paris", "San Marino"]})
        .to_string()
    };
    let case = Case::of(&server.url, &format!("{}\n{}\n", line("1", "Paris"), line("2", "San Marino")));
    case.ends(0, &["--provider", "openai-completions", "--grader", "logprob"]);
    assert_eq!(["n_scored", "accuracy"].map(|column| case.score(column)), ["2", "0.5"]);
    // The log-probability is -0.5 for " Paris", and -2 - 2 for " San Marino".
    assert_eq!(case.score("mean_logprob"), "-2.25");
    // Both items have the same three prompts, so each prompt is sent once.
    let asked: Vec<_> = server
        .posts()
        .into_iter()
        .filter(|posted| posted.body["echo"] == true && posted.prompt.contains("Fran"))
        .collect();
    assert_eq!(asked.len(), 3);
    assert!(
        asked.iter().all(|posted| posted.body["logprobs"] == 1 && posted.body["max_tokens"] == 1),
        "{asked:?}"
    );
}

#[test]
fn in_context_questions_are_asked_at_every_number_of_shots() {
    // If the prompt has a shot, the server answers "Nowhere", which is right for half of the entities.
    // Otherwise its answer is not a capital.
    let server = Server::start(|posted: &Posted| {
        let shown = posted.prompt.matches("->").count() > 1;
        let text = if shown { " Nowhere, and so on" } else { " I cannot tell what is asked\n" };
        let body = json!({"model": "m-1", "choices": [{"index": 0, "text": text, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1}});
        Reply::new(200, body.to_string())
    });
    let case = Case::of(&server.url, "");
    let csv: String =
        (0..12).map(|i| format!("land{i},{}\n", if i % 2 == 0 { "Nowhere" } else { "Elsewhere" })).collect();
    std::fs::write(case.folder.path().join("items.jsonl"), format!("entity,capital\n{csv}")).expect("a file");
    case.ends(0, &["--provider", "openai-completions", "--shots", "2", "--items", "30"]);
    let rows: Vec<std::collections::HashMap<String, String>> =
        csv::Reader::from_reader(case.file("scores.csv").as_bytes())
            .deserialize()
            .map(|row| row.expect("a row"))
            .collect();
    let shots: Vec<_> = rows.iter().map(|row| (row["shots"].as_str(), row["n_scored"].as_str())).collect();
    assert_eq!(shots, [("0", "30"), ("1", "30"), ("2", "30")]);
    let accuracy: Vec<f64> = rows.iter().map(|row| row["accuracy"].parse().expect("a share")).collect();
    assert!(accuracy[0] == 0.0 && accuracy[1] > 0.2 && accuracy[1] < 0.8, "{accuracy:?}");
    let gains = case.file("gains.csv");
    assert_eq!(gains.lines().count(), 1 + 3, "{gains}");
    // Nothing follows the cue in the prompt, and the stop sequences are sent.
    assert!(
        server
            .posts()
            .iter()
            .filter(|posted| !posted.is_probe())
            .all(|posted| posted.body["prompt"].as_str().is_some_and(|p| p.ends_with("->")))
    );
    assert!(
        server
            .posts()
            .iter()
            .filter(|posted| !posted.is_probe())
            .all(|posted| posted.body["stop"] == json!([",", "\n"]))
    );
}
