//! Tests the blind test through the real binary: its values, its reproducibility, and its errors.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::tidy::profile_file;

pub fn surmise(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).args(arguments).output().expect("the binary")
}

pub fn done(arguments: &[&str]) -> String {
    let output = surmise(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

pub fn refused(arguments: &[&str], code: i32) -> String {
    let output = surmise(arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.stdout.is_empty());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

pub fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

pub fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is {:?}", row[column]))
}

pub fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Rows of predictions.csv without the columns that are filled after the measurement.
fn without_measurement(rows: &[BTreeMap<String, String>]) -> Vec<BTreeMap<String, String>> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        row.remove("measured").expect("a column");
        row.remove("baseline_size").expect("a column");
    }
    rows
}

/// Three members of one family, and two members of each of three other families.
const MEMBERS: &str = "model,family,run,step\n\
                       factllama-2,factllama,,\n\
                       factllama-3-step1000,factllama,factllama-3,1000\n\
                       factllama-3,factllama,factllama-3,\n\
                       factgpt-3,factgpt,,\n\
                       factgpt-4,factgpt,,\n\
                       factneox-3,factneox,,\n\
                       factneox-4,factneox,,\n\
                       factqwen-3,factqwen,,\n\
                       factqwen-4,factqwen,,\n";

pub fn family(folder: &Path) -> String {
    let path = folder.join("family.csv");
    std::fs::write(&path, MEMBERS).expect("a file");
    text(&path).to_owned()
}

/// A small blind test of `factllama-3`.
pub fn blind(family: &str, folder: &Path, more: &[&str]) -> Vec<String> {
    let fixed = "blind -q --corpus guilds --corpus potions --sets 5 --queries 4 --shots 1,2 \
                 --features corpus,semantic_output_share";
    let mut arguments: Vec<String> = fixed.split(' ').map(Into::into).collect();
    if !more.contains(&"--hide") {
        arguments.extend(["--hide", "factllama-3"].map(Into::into));
    }
    arguments.extend(["--family", family, "-o", text(folder)].map(Into::into));
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    arguments
}

pub fn run(family: &str, folder: &Path, more: &[&str]) -> String {
    let arguments = blind(family, folder, more);
    done(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn the_values_of_a_hidden_member_match_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let (family, out) = (family(folder.path()), folder.path().join("blind"));
    let said = run(&family, &out, &[]);
    assert_eq!(said, read(&out, "blind.csv"));
    let said = rows(&said);
    let keys: Vec<_> = said.iter().map(|row| (row["corpus"].as_str(), row["shots"].as_str())).collect();
    assert_eq!(keys, [("guilds", "1"), ("guilds", "2"), ("potions", "1"), ("potions", "2")]);

    // `measured` equals the mean share that `measure` writes.
    let profiles = folder.path().join("profiles");
    let design = ["--sets", "5", "--queries", "4", "--shots", "1,2", "--random-init", "off"];
    let corpora = ["--corpus", "guilds", "--corpus", "potions"];
    let measure = ["measure", "-q", "factllama-3", "-o", text(&profiles)];
    done(&[&measure[..], &design, &corpora].concat());
    let summaries = rows(&read(&profiles, "summaries.csv"));
    let own: BTreeMap<_, _> = summaries
        .iter()
        .map(|row| ((row["corpus"].clone(), row["shots"].clone()), number(row, "share_mean")))
        .collect();
    for row in &said {
        let measured = own[&(row["corpus"].clone(), row["shots"].clone())];
        assert!((number(row, "measured") - measured).abs() < 1e-12, "{row:?}");
        // The training rows include the earlier checkpoint of the hidden run and the smaller member of the
        // hidden family.
        assert_eq!((row["n_others"].as_str(), row["proxy_model"].as_str()), ("8", "factllama-2"));
        let (low, high) = (number(row, "low"), number(row, "high"));
        assert!(low <= number(row, "y_hat") && number(row, "y_hat") <= high, "{row:?}");
        assert_eq!(row["inside"] == "true", (low..=high).contains(&measured), "{row:?}");
    }

    // The predictions equal the output of `predict` for the card and the hidden member's rows, which lack the
    // target.
    let (card, table) = (out.join("cards/factllama-3.json"), out.join("observations/factllama-3.csv"));
    let observations = rows(&read(&out, "observations/factllama-3.csv"));
    let (hidden, others): (Vec<_>, Vec<_>) =
        observations.iter().partition(|row| row["target_model"] == "factllama-3");
    assert_eq!((hidden.len(), others.len()), (4, 32));
    assert!(hidden.iter().all(|row| row["semantic_share_mean"].is_empty() && row["params_b"].is_empty()));
    let again = surmise(&["predict", "-q", "--calibration", text(&card), text(&table), "-o", "-"]);
    let again = rows(&String::from_utf8(again.stdout).expect("UTF-8"));
    let again: Vec<_> = again.into_iter().filter(|row| row["target_model"] == "factllama-3").collect();
    let predicted = rows(&read(&out, "predictions.csv"));
    assert_eq!(without_measurement(&again), without_measurement(&predicted));
    for (row, predicted) in said.iter().zip(&predicted) {
        for column in ["y_hat", "low", "high", "measured", "baseline_size"] {
            assert_eq!(row[column], predicted[column], "{column}");
        }
    }

    // The baselines equal the mean of the other members and their least-squares line in log parameters.
    let record: Value = serde_json::from_str(&read(&out, "blind.json")).expect("JSON");
    let members = record["members"].as_array().expect("members");
    let sizes: BTreeMap<&str, f64> = members
        .iter()
        .map(|member| {
            (member["id"].as_str().expect("an id"), member["n_params"].as_f64().expect("a number").log10())
        })
        .collect();
    for row in &said {
        let corpus: Vec<_> = others.iter().filter(|other| other["corpus"] == row["corpus"]).collect();
        let alike: Vec<_> = corpus.iter().filter(|other| other["shots"] == row["shots"]).collect();
        let y: Vec<f64> = alike.iter().map(|other| number(other, "semantic_share_mean")).collect();
        let x: Vec<f64> = alike.iter().map(|other| sizes[other["target_model"].as_str()]).collect();
        assert_eq!((corpus.len(), y.len()), (16, 8));
        let n = y.len() as f64;
        let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
        let product: f64 = x.iter().zip(&y).map(|(x, y)| (x - mx) * (y - my)).sum();
        let slope = product / x.iter().map(|x| (x - mx).powi(2)).sum::<f64>();
        let of_corpus = corpus.iter().map(|other| number(other, "semantic_share_mean")).sum::<f64>() / 16.0;
        assert!((number(row, "baseline_mean") - of_corpus).abs() < 1e-12);
        assert!((number(row, "baseline_shots") - my).abs() < 1e-12);
        let line = my + slope * (sizes["factllama-3"] - mx);
        assert!((number(row, "baseline_size") - line).abs() < 1e-9);
        assert!(number(row, "baseline_outside").is_finite());
    }

    // The columns of answers equal the columns that the client computed from the answers.
    let answers = rows(&read(&out, "answers/factllama-3/semantic.csv"));
    for (row, answer) in hidden.iter().zip(&answers) {
        assert_eq!((&row["corpus"], &row["shots"]), (&answer["corpus"], &answer["shots"]));
        for column in ["accuracy", "logprob_nats", "output_share", "answer_share"] {
            let own = number(row, &format!("semantic_{column}"));
            assert!((own - number(answer, column)).abs() < 1e-12, "{column}");
        }
    }
    for file in ["settings.json", "observations.csv", "answers/factllama-3/journal.jsonl"] {
        assert!(out.join(file).is_file(), "{file}");
    }
}

#[test]
fn a_prediction_does_not_depend_on_the_profile_of_the_hidden_member() {
    let folder = tempfile::tempdir().expect("a folder");
    let (family, out) = (family(folder.path()), folder.path().join("blind"));
    run(&family, &out, &[]);
    let parts = ["predictions.csv", "cards/factllama-3.json", "observations/factllama-3.csv"];
    let made = || {
        let [predictions, card, observations] = parts.map(|file| read(&out, file));
        (without_measurement(&rows(&predictions)), card, observations)
    };
    let forget = || parts.iter().for_each(|file| std::fs::remove_file(out.join(file)).expect("a file"));
    let measured = || number(&rows(&read(&out, "blind.csv"))[2], "measured");
    let (first, before) = (made(), measured());
    let profile = |member: &str| profile_file(&out.join("profiles"), member, "potions");
    let shifted = |member: &str| {
        let mut read: Value =
            serde_json::from_slice(&std::fs::read(profile(member)).expect("a file")).expect("JSON");
        for summary in read["shots"].as_array_mut().expect("summaries") {
            let share = &mut summary["share_mean"]["value"];
            *share = (share.as_f64().expect("a number") - 0.05).into();
        }
        std::fs::write(profile(member), read.to_string()).expect("a file");
    };

    forget();
    std::fs::remove_file(profile("factllama-3")).expect("a file");
    run(&family, &out, &[]);
    assert_eq!(made(), first, "deleted");

    forget();
    shifted("factllama-3");
    run(&family, &out, &[]);
    assert_eq!(made(), first, "another");
    assert!((measured() - before + 0.05).abs() < 1e-9, "the changed file must have an effect");

    forget();
    std::fs::write(profile("factllama-3"), "{").expect("a file");
    let arguments = blind(&family, &out, &[]);
    let said = refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    assert!(said.contains("factllama-3--potions--"), "{said}");
    assert_eq!(made(), first, "the profile is damaged, but the prediction must be on disk before it is read");

    // The prediction depends on the profile of a training member.
    std::fs::remove_file(profile("factllama-3")).expect("a file");
    forget();
    shifted("factllama-2");
    run(&family, &out, &[]);
    let now = made();
    assert!(now.0 != first.0 && now.1 != first.1 && now.2 != first.2);
}

#[test]
fn the_same_command_gives_the_same_bytes_on_one_thread_or_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let family = family(folder.path());
    let made = |name: &str, threads: &str| {
        let out = folder.path().join(name);
        run(&family, &out, &["--threads", threads]);
        ["predictions.csv", "blind.csv", "blind.json", "cards/factllama-3.json", "observations.csv"]
            .map(|file| read(&out, file))
    };
    let first = made("a", "1");
    assert_eq!(first, made("b", "2"));
    // Existing answers are not requested again, and existing measurements are not repeated.
    let journal = folder.path().join("a/answers/factllama-3/journal.jsonl");
    let before = std::fs::read(&journal).expect("a journal");
    assert_eq!(first, made("a", "2"));
    assert_eq!(before, std::fs::read(&journal).expect("a journal"));
}

#[test]
fn members_that_cannot_be_hidden_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let (table, out) = (family(folder.path()), folder.path().join("blind"));
    let refuse = |family: &str, more: &[&str], code: i32| {
        let arguments = blind(family, &out, more);
        refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    let said = refuse(&table, &["--hide", "gpt-9"], 2);
    assert!(said.contains("gpt-9") && said.contains("factgpt, factllama") && said.contains("factneox-4"));
    let said = refuse(&table, &["--target", "iq"], 2);
    assert!(said.contains("iq") && said.contains("semantic_share_mean"), "{said}");
    let said = refuse(&table, &["--features", "iq"], 2);
    assert!(said.contains("iq") && said.contains("semantic_output_share"), "{said}");
    assert!(refuse(&table, &["--features", "params_b"], 2).contains("--sizes"));
    let said = refuse(&table, &["--features", "semantic_share_half"], 2);
    assert!(said.contains("cannot be measured through an API"), "{said}");
    assert!(refuse(&table, &["--sets", "1"], 2).contains("--sets"));
    let few = folder.path().join("few.csv");
    let write = |rows: &str| std::fs::write(&few, format!("model,family,run,step\n{rows}")).expect("a file");
    write("factgpt-1,a,,\nfactllama-3,a,,\nfactneox-1,b,,\n");
    assert!(refuse(text(&few), &[], 2).contains("leaves at most 2 other members"));
    write("factgpt-1,a,,\nfactgpt-1,b,,\n");
    assert!(refuse(text(&few), &[], 2).contains("two members with the id factgpt-1"));
    write("factgpt-1,a,,500\n");
    assert!(refuse(text(&few), &[], 1).contains("line 2: has step 500 but no run"));
    write("factgpt-1,,,\n");
    assert!(refuse(text(&few), &[], 1).contains("line 2: has an empty cell"));
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).expect("a folder");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/factgpt-1");
    for entry in std::fs::read_dir(source).expect("a folder") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, copy.join(path.file_name().expect("a name"))).expect("a copy");
    }
    write(&format!("factgpt-1,a,,\n{},b,,\n", text(&copy)));
    let said = refuse(text(&few), &[], 2);
    assert!(said.contains("factgpt-1 and copy") && said.contains("same weights"), "{said}");
    // A checkpoint without a tokenizer cannot be served.
    std::fs::remove_file(copy.join("tokenizer.json")).expect("a file");
    write(&format!("{},b,,\n", text(&copy)));
    assert!(refuse(text(&few), &[], 1).contains("tokenizer"));
    assert!(!out.exists());

    // A model whose vocabulary lacks words of the questions, or that has no positions left for an answer,
    // cannot be asked either.
    let spelt = folder.path().join("spelt.csv");
    std::fs::write(&spelt, format!("{MEMBERS}minigpt-3,minigpt,,\n")).expect("a file");
    assert!(refuse(text(&spelt), &[], 1).contains("minigpt-3"));
    let said = refuse(&table, &["--shots", "12"], 2);
    assert!(said.contains("--shots") && said.contains("64 positions"), "{said}");
    assert!(!out.exists());

    let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = busy.local_addr().expect("an address").port().to_string();
    let said = refuse(&table, &["--port", &port], 1);
    assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
    assert!(!out.join("blind.csv").exists() && !out.join("predictions.csv").exists());
    // The folder now belongs to the settings of the previous command, so another seed is an error.
    let said = refuse(&table, &["--seed", "7"], 2);
    assert!(said.contains("other settings (seed: 0 in the folder, 7 now)"), "{said}");
}

#[test]
fn recorded_rows_are_training_rows_except_those_of_a_hidden_member() {
    let folder = tempfile::tempdir().expect("a folder");
    let (family, out) = (family(folder.path()), folder.path().join("blind"));
    let before = rows(&run(&family, &out, &[]));
    let recorded = read(&out, "observations.csv");
    let (header, own) = recorded.split_once('\n').expect("a header");
    let renamed = |from: &str, to: &str| -> String {
        let of = own.lines().filter(|line| line.starts_with(&format!("{from},")));
        of.map(|line| format!("{}\n", line.replacen(from, to, 1))).collect()
    };
    let path = folder.path().join("rows.csv");
    let with = |lines: &str| {
        std::fs::write(&path, format!("{header}\n{lines}")).expect("a file");
        blind(&family, &folder.path().join("blind"), &["--rows", text(&path)])
    };
    let n_others = |lines: &str| {
        let arguments = with(lines);
        let said = rows(&done(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
        (said[0]["n_others"].clone(), said[0]["y_hat"].clone())
    };
    // An earlier checkpoint of the run is used for training. A member of the same size as the hidden member
    // is not.
    let earlier = renamed("factllama-3-step1000", "factllama-3-step250");
    let (n, y_hat) = n_others(&earlier);
    assert_eq!(n, "9");
    assert_ne!(y_hat, before[0]["y_hat"]);
    let (n, y_hat) = n_others(&renamed("factllama-3-step1000", "factllama-3b"));
    assert_eq!((n.as_str(), &y_hat), ("8", &before[0]["y_hat"]), "as large as the hidden member");

    let refuse = |lines: &str| {
        let arguments = with(lines);
        refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 2)
    };
    let said = refuse(own);
    assert!(said.contains("--rows") && said.contains("which is also a member"), "{said}");
    let said = refuse(&renamed("factllama-3", "factllama-3-step1500"));
    assert!(
        said.contains("factllama-3-step1500 that are identical to rows of the hidden member factllama-3"),
        "{said}"
    );
    let said = refuse(&earlier.replace(",arrow,5,4,", ",arrow,6,4,"));
    assert!(said.contains("another design on guilds (sets: 6 in the rows, 5 in this test)"), "{said}");
    // Rows of corpora and numbers of examples that are not part of the test are left out. If no row remains,
    // the test returns an error.
    assert_eq!(n_others(&earlier.replace("potions", "tides")).0, "9");
    let said = refuse(&earlier.replace("guilds", "moons").replace("potions", "tides"));
    assert!(said.contains("contains no row with a corpus") && said.contains("moons, tides"), "{said}");
}
