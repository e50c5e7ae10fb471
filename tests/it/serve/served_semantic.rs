//! Tests semantic emergence over the API: a served model gives the accuracy, log-probability and output share
//! that `measure` computes in process.

use std::collections::BTreeMap;

use surmise::corpus::{Category, DesignSettings, FactorialDesign};
use surmise::emergence::semantic::{SemanticSettings, WithError, measure, tokenize};
use surmise::model::Model;

use super::server::Serving;
use crate::support::collect_case::{Case, KEY, Ran};

const CORPORA: [&str; 2] = ["countries", "numbers"];
const SHOTS: [usize; 3] = [0, 1, 3];
const SETS: usize = 5;
const QUERIES: usize = 6;

type Row = BTreeMap<String, String>;

fn collect(case: &Case, model: &str, arguments: &[&str]) -> Ran {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"));
    command.args(["collect", "semantic", "--base-url", &case.url, "--api-model", model, "-o", "out"]);
    command.args(["--sets", &SETS.to_string(), "--queries", &QUERIES.to_string(), "--shots", "3,1,0"]);
    command.args(CORPORA.iter().flat_map(|corpus| ["--corpus", corpus]));
    // The embedded tokenizers support only lower case.
    command.args(["--ignore-case", "--no-budget"]).args(arguments);
    case.ran(
        &command.env("OPENAI_API_KEY", KEY).current_dir(case.folder.path()).output().expect("the binary"),
    )
}

fn rows(case: &Case) -> Vec<Row> {
    let text = case.file("semantic.csv");
    csv::Reader::from_reader(text.as_bytes()).into_deserialize().map(|row| row.expect("a row")).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is {:?}", row[column]))
}

fn design(corpus: &str) -> FactorialDesign {
    let settings =
        DesignSettings { sets: SETS, queries: QUERIES, shots: SHOTS.into(), ..DesignSettings::default() };
    FactorialDesign::draw(&Category::load(corpus).expect("embedded"), &settings).expect("a design")
}

/// Whether two cells contain the same text, or the same number to the bit.
fn same(a: &str, b: &str) -> bool {
    a == b || a.parse::<f64>().is_ok_and(|a| b.parse::<f64>() == Ok(a))
}

/// Checks that the report of a folder shows its semantic.csv, and that tables that cannot be compared give an
/// error.
fn reported(case: &Case, name: &str) {
    let report = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"));
        command.args(["report", "answers"]).args(arguments).current_dir(case.folder.path());
        case.ran(&command.output().expect("the binary"))
    };
    let shown = report(&["out", "-q"]);
    let shown: Vec<Row> = csv::Reader::from_reader(shown.stdout.as_bytes())
        .into_deserialize()
        .map(|row| row.unwrap())
        .collect();
    let held = rows(case);
    assert_eq!(shown.len(), held.len());
    for (shown, held) in shown.iter().zip(held) {
        assert_eq!(shown["model"], name);
        for column in ["corpus", "shots", "accuracy", "output_share", "answer_share", "n_answered"] {
            assert!(same(&shown[column], &held[column]), "{column}: {shown:?}");
        }
        assert!(same(&shown["logprob_stderr_nats"], &held["logprob_nats_stderr"]), "{shown:?}");
    }
    let written = report(&["out", "-o", "figures"]);
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    for file in ["answers.tex", "answers.svg", "answers-output.svg", "answers-accuracy.pdf"] {
        assert!(case.folder.path().join("figures").join(file).is_file(), "{file}");
    }
    let refused = |arguments: &[&str], word: &str| {
        let ran = report(arguments);
        assert!(ran.code != Some(0) && ran.stderr.contains(word), "{word}: {}", ran.stderr);
    };
    refused(&["out", "out"], "twice");
    refused(&["out", "--noise-scale", "0.2"], "no noise");
    refused(&["out", "--model", "another"], "unknown model `another`");
}

#[test]
fn a_served_model_gives_from_outside_what_measure_computes_in_process() {
    // One model answers few questions right, and the other answers nearly all questions right.
    let names = ["minigpt-2", "minillama-5"];
    let server = Serving::start(&names);
    let mut shares = vec![];
    for name in names {
        let model = Model::load(name).expect("a model");
        let case = Case::of(&format!("http://{}/v1", server.address), "");
        let ran = collect(&case, name, &["--provider", "openai-completions"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let found = rows(&case);
        assert_eq!(found.len(), CORPORA.len() * SHOTS.len());
        let mut found = found.iter();
        for corpus in CORPORA {
            let design = design(corpus);
            let prompts = tokenize(&model, &design).expect("prompts");
            let settings = SemanticSettings::new(0, None);
            let profile = measure(&model, &design, &prompts, &settings).expect("a profile");
            let left_out: usize = profile.corpus.left_out.iter().map(|left_out| left_out.queries).sum();
            for inside in &profile.shots {
                let row = found.next().expect("a row");
                assert_eq!((&row["corpus"], &row["shots"]), (&corpus.into(), &inside.shots.to_string()));
                assert_eq!(row["prompts_sha256"], profile.corpus.prompts_sha256);
                assert_eq!(row["n_output_left_out"], left_out.to_string());
                assert_eq!((&row["n_answered"], &row["n_logprobs"]), (&row["n_prompts"], &row["n_prompts"]));
                for (column, value) in [
                    ("accuracy", inside.accuracy),
                    ("logprob_nats", inside.logprob_nats),
                    ("output_share", inside.output_share),
                ] {
                    // Without examples, the prompts do not show which relation is meant, so there is no
                    // output share.
                    let Some(WithError { value, stderr }) = value else {
                        assert_eq!((inside.shots, column), (0, "output_share"));
                        assert!([column, "output_share_stderr"].iter().all(|column| row[*column].is_empty()));
                        continue;
                    };
                    // The last digits of a log-probability depend on the other sequences of its batch.
                    let close = |a: f64, b: f64| (a - b).abs() < 1e-4;
                    assert!(
                        close(number(row, column), value)
                            && close(number(row, &format!("{column}_stderr")), stderr.expect("an error")),
                        "{column} of {name} on {corpus}, {} shots: {} and {value}",
                        inside.shots,
                        row[column]
                    );
                }
                if inside.shots > 0 {
                    shares.push(number(row, "answer_share"));
                } else {
                    assert!(row["answer_share"].is_empty() && row["n_answer_pairs"] == "0");
                }
            }
        }

        reported(&case, name);
        // Existing answers are not requested again, and grading them again gives the same bytes.
        let kept = case.file("semantic.csv");
        let journal = case.file("journal.jsonl");
        assert_eq!(collect(&case, name, &["--provider", "openai-completions"]).code, Some(0));
        assert_eq!((case.file("semantic.csv"), case.file("journal.jsonl")), (kept.clone(), journal));
        std::fs::remove_file(case.out().join("semantic.csv")).expect("a file");
        let again = std::process::Command::new(env!("CARGO_BIN_EXE_surmise"))
            .args(["collect", "rescore", "out"])
            .current_dir(case.folder.path())
            .output()
            .expect("the binary");
        assert!(again.status.success());
        assert_eq!(case.file("semantic.csv"), kept);

        // A chat endpoint gives log-probabilities of only the most likely tokens. The embedded models have no
        // chat template, so the prompts and the short answers are the same as with the completions endpoint.
        let chat = Case::of(&case.url, "");
        let ran = collect(&chat, name, &["--provider", "openai-chat", "--form", "arrow"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        for (chat, row) in rows(&chat).iter().zip(rows(&case)) {
            assert_eq!(chat["logprobs_from"], "top");
            for column in ["accuracy", "answer_accuracy", "answer_share", "answer_share_stderr", "n_answered"]
            {
                assert_eq!(chat[column], row[column], "{column} of {name}");
            }
            let all_listed = chat["n_logprobs"] == chat["n_prompts"];
            assert_eq!(chat["logprob_nats"].is_empty(), !all_listed, "{chat:?}");
            assert!(all_listed || ran.stderr.contains("logprob_nats is empty"), "{}", ran.stderr);
        }
    }
    // The answers to some designs contain all the information that this number of sets can show; the answers
    // to other designs contain less.
    let ceiling = 1.0 - (1.0_f64 + 1.0 / (2 * SETS - 1) as f64).log2();
    assert!(shares.iter().all(|share| *share < ceiling + 1e-9), "{shares:?}");
    assert!(shares.iter().any(|share| *share > ceiling - 1e-9), "{shares:?}");
    assert!(shares.iter().any(|share| *share < 0.8 * ceiling), "{shares:?}");
}
