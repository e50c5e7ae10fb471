//! Results of a folder: every kind of answer is counted, the columns have a fixed order, and no file is
//! incomplete.

use std::collections::BTreeMap;
use std::path::Path;

use surmise::collect::grading::NORMALISATION_VERSION;
use surmise::collect::tasks;
use surmise::collect::tasks::{Rendering, TaskOptions};
use surmise::collect::{Grading, Replicate, Results, Task};
use surmise::provider::{self, Headers};

fn task(folder: &Path, name: &str, lines: &[&str], grader: &str) -> Task {
    let path = folder.join(name);
    std::fs::write(&path, lines.join("\n")).expect("a file");
    let options = TaskOptions {
        shots: 0,
        items: 1,
        seed: 0,
        rendering: Rendering::Text,
        grader: grader.parse().expect("a grader"),
    };
    let mut name = path.to_string_lossy().into_owned();
    if !lines.iter().any(|line| line.contains("answer")) {
        name = format!("texts:{name}");
    }
    tasks::load(&[name], &options).expect("a task").remove(0)
}

/// The answers in the golden bodies.
fn replicate(provider: &str, bodies: &[&str]) -> Replicate {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/providers").join(provider);
    let read = |body: &&str| {
        let bytes = std::fs::read(folder.join(format!("{body}.body"))).expect("a golden body");
        let status = body[..3].parse().expect("a status");
        provider::read(provider::find(provider).expect("a provider"), status, &Headers::default(), &bytes)
    };
    Replicate {
        answers: bodies.iter().map(read).collect(),
        collected_at: Some("2026-01-01T00:00:00Z".into()),
    }
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).expect("a CSV file").deserialize().map(|row| row.expect("a row")).collect()
}

#[test]
fn every_kind_of_answer_is_counted_as_its_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let bodies = [
        "200-answered",
        "200-finish-eos",
        "200-utf-8",
        "200-refused",
        "200-filtered",
        "400-filtered-azure",
        "200-truncated",
        "200-thinking-took-it-all",
        "200-empty",
        "200-no-choices",
        "200-html",
        "500-server",
        "",
    ];
    let lines: Vec<String> = (0..bodies.len())
        .map(|i| format!("{{\"id\":\"{i}\",\"prompt\":\"Capital of France?\",\"answer\":\"Paris\"}}"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let task = task(folder.path(), "capitals.jsonl", &lines, "exact");
    let begin =
        || Results::begin(folder.path(), "openai-chat", "gpt-4", Grading::default()).expect("results");
    let fill = |mut results: Results| {
        for (item, body) in task.items.iter().map(|item| item.expect("an item")).zip(bodies) {
            let asked: Vec<Replicate> =
                if body.is_empty() { vec![] } else { vec![replicate("openai-chat", &[body])] };
            results.add(&task, &item, &asked).expect("an item");
        }
        results
    };
    // Results that are dropped before they are finished leave no file.
    drop(fill(begin()));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    let summary = fill(begin()).write(0).expect("files");
    let outcomes: Vec<_> = summary.outcomes.into_iter().collect();
    assert_eq!(
        outcomes,
        [
            ("answered", 3),
            ("empty", 1),
            ("failed", 2),
            ("filtered", 2),
            ("refused", 1),
            ("truncated", 2),
            ("unreadable", 2)
        ]
    );
    let text = std::fs::read_to_string(folder.path().join("scores.csv")).expect("scores.csv");
    let header = "provider,model,model_snapshot,task,shots,n_items,n_scored,n_refused,n_filtered,\
                  n_truncated,n_empty,n_unreadable,n_error,accuracy,accuracy_low,accuracy_high,\
                  accuracy_all_as_wrong,mean_logprob,collected_at,grader,normalisation,ignore_case,\
                  ignore_punctuation,rendering,task_sha256,seed,settings_sha256";
    assert_eq!(text.lines().next(), Some(header));
    let [row] = rows(&folder.path().join("scores.csv")).try_into().expect("one row");
    let counts = [
        "n_items",
        "n_scored",
        "n_refused",
        "n_filtered",
        "n_truncated",
        "n_empty",
        "n_unreadable",
        "n_error",
    ];
    assert_eq!(counts.map(|name| row[name].as_str()), ["13", "3", "1", "2", "2", "1", "2", "2"]);
    let number = |name: &str| row[name].parse::<f64>().expect(name);
    assert!(
        (number("accuracy") - 2.0 / 3.0).abs() < 1e-12
            && (number("accuracy_all_as_wrong") - 2.0 / 13.0).abs() < 1e-12
    );
    // The Wilson interval of 2 right answers of 3, computed by hand: z = 1.959964, centre (2/3 + z^2/6) / (1
    // + z^2/3), half-width z sqrt(2/27 + z^2/36) / (1 + z^2/3).
    assert!(
        (number("accuracy_low") - 0.207_66).abs() < 1e-5 && (number("accuracy_high") - 0.938_51).abs() < 1e-5,
        "{row:?}"
    );
    assert_eq!((row["model_snapshot"].as_str(), row["mean_logprob"].as_str()), ("gpt-4-0613", ""));
    assert_eq!(
        (row["provider"].as_str(), row["task"].as_str(), row["shots"].as_str()),
        ("openai-chat", "capitals", "0")
    );
    let items = rows(&folder.path().join("items.csv"));
    assert_eq!(items.len(), bodies.len());
    assert_eq!((items[2]["answer"].as_str(), items[2]["credit"].as_str()), ("café 🙂", "0.0"));
    assert_eq!((items[12]["kind"].as_str(), items[12]["answer"].as_str()), ("error", "not asked"));
    assert_eq!((row["grader"].as_str(), row["normalisation"].as_str()), ("exact", "2"));
    assert_eq!(NORMALISATION_VERSION, 2);
}

#[test]
fn choices_are_compared_by_their_log_probabilities() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |gold: &str| {
        format!(
            "{{\"id\":\"{gold}\",\"prompt\":\"The capital of France \
             is\",\"answer\":\"{gold}\",\"choices\":[\"Paris.\",\"Rome.\"]}}"
        )
    };
    let (paris, rome) = (line("Paris."), line("Rome."));
    let task = task(folder.path(), "choices.jsonl", &[&paris, &rome], "logprob");
    // The golden echo belongs to the first choice. The echo of the second choice has the same
    // log-probabilities, except at the last token.
    let folder_of =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/providers/openai-completions/200-echo.body");
    let echo = std::fs::read_to_string(folder_of).expect("a golden body");
    let other = echo.replace(" Paris", " Rome").replace("-0.59", "-2.5").replace("30]", "29]");
    let read = |body: &str| {
        provider::read(
            provider::find("openai-completions").expect("a provider"),
            200,
            &Headers::default(),
            body.as_bytes(),
        )
    };
    let replicate = Replicate { answers: vec![read(&echo), read(&other)], collected_at: None };
    let grading = Grading { grader: "logprob".parse().expect("a grader"), ..Grading::default() };
    let mut results = Results::begin(folder.path(), "openai-completions", "m", grading).expect("results");
    for item in task.items.iter().map(|item| item.expect("an item")) {
        results.add(&task, &item, std::slice::from_ref(&replicate)).expect("an item");
    }
    results.write(0).expect("files");
    let [row] = rows(&folder.path().join("scores.csv")).try_into().expect("one row");
    assert_eq!((row["n_scored"].as_str(), row["accuracy"].as_str()), ("2", "0.5"));
    // The log-probability is -0.59 - 0.83 for the first choice, and -2.5 - 0.83 for the second choice. The
    // token that is generated after the prompt is excluded.
    assert!(
        (row["mean_logprob"].parse::<f64>().expect("a mean") - (-1.42 - 3.33) / 2.0).abs() < 1e-12,
        "{row:?}"
    );
}

#[test]
fn complete_texts_are_stored_with_their_prompts() {
    let folder = tempfile::tempdir().expect("a folder");
    let task = task(
        folder.path(),
        "mine.jsonl",
        &["{\"id\":\"1\",\"prompt\":\"Write.\"}", "{\"id\":\"2\",\"prompt\":\"Write!\"}"],
        "exact",
    );
    let mut results =
        Results::begin(folder.path(), "openai-chat", "gpt-4", Grading::default()).expect("results");
    let bodies = ["200-truncated", "200-filtered"];
    for (item, body) in task.items.iter().map(|item| item.expect("an item")).zip(bodies) {
        results.add(&task, &item, &[replicate("openai-chat", &[body])]).expect("an item");
    }
    results.write(0).expect("files");
    let text = std::fs::read_to_string(folder.path().join("texts.jsonl")).expect("texts.jsonl");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(
        (lines[0]["text"].as_str(), lines[0]["outcome"].as_str()),
        (Some("The capital of"), Some("truncated"))
    );
    assert_eq!((lines[0]["prompt"].as_str(), lines[1]["text"].is_null()), (Some("Write."), true));
    assert!(!folder.path().join("scores.csv").exists());
}
