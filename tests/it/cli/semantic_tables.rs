//! Tests that reports and observations of semantic profiles contain the numbers of the tables that `measure`
//! writes, and that a calibration can use them.

use std::path::Path;

use super::command::{done, rows};
use crate::support::tidy::surmise;

type Row = std::collections::BTreeMap<String, String>;

/// Measures profiles of `models` into the folder `name`, and returns its path.
fn measured(folder: &Path, name: &str, models: &[&str], more: &[&str]) -> String {
    let out = folder.join(name).to_str().expect("UTF-8").to_owned();
    let how = ["--corpus", "countries", "--shots", "0,1,2", "--queries", "5", "-q", "-o", &out];
    let sets: &[&str] = if more.contains(&"--sets") { &[] } else { &["--sets", "6"] };
    done(&[&["measure"], models, &how[..], sets, more].concat());
    out
}

fn read(folder: &str, file: &str) -> Vec<Row> {
    rows(&std::fs::read_to_string(Path::new(folder).join(file)).expect(file))
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {:?}", row[column]))
}

/// Whether two cells contain the same number to the bit, or are both empty.
fn same(a: &str, b: &str) -> bool {
    a == b || a.parse::<f64>().is_ok_and(|a| b.parse::<f64>() == Ok(a))
}

fn refused(arguments: &[&str], words: &[&str]) {
    let output = surmise(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
    words.iter().for_each(|word| assert!(said.contains(word), "{word}: {said}"));
}

#[test]
fn reports_show_the_values_of_the_tables_of_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = measured(folder.path(), "run", &["minigpt-2", "minillama-2"], &[]);
    let (summaries, profiles) = (read(&run, "summaries.csv"), read(&run, "profiles.csv"));
    let of = |row: &Row, table: &[Row], keys: &[&str]| -> Row {
        let found: Vec<&Row> =
            table.iter().filter(|other| keys.iter().all(|key| other[*key] == row[*key])).collect();
        assert_eq!(found.len(), 1, "{row:?}");
        found[0].clone()
    };

    let shown = rows(&done(&["report", "shots", &run, "-q"]));
    assert_eq!(shown.len(), 2 * 3);
    for row in &shown {
        let own = of(row, &summaries, &["model", "corpus", "shots"]);
        for (column, source) in [
            ("accuracy", "accuracy"),
            ("output_share", "output_share"),
            ("share_mean", "share_mean"),
            ("share_mean_stderr", "share_mean_stderr"),
            ("random_init_share", "share_mean_random_init"),
            ("micro_nats", "micro_nats_mean"),
            ("emergence_nats", "emergence_nats_mean"),
        ] {
            assert!(same(&row[column], &own[source]), "{column} of {row:?}");
        }
        // Without examples, only the accuracy is measured.
        assert_eq!(row["share_mean"].is_empty(), row["shots"] == "0");
        assert!(!row["accuracy"].is_empty());
        // The mean over blocks from the second on, computed here from the table of blocks.
        let blocks = profiles.iter().filter(|block| {
            block["model"] == row["model"] && block["shots"] == row["shots"] && block["block"] != "1"
        });
        let shares: Vec<f64> = blocks.map(|block| number(block, "macro_share")).collect();
        if row["shots"] != "0" {
            let mean = shares.iter().sum::<f64>() / shares.len() as f64;
            assert!((mean - number(row, "share_mean")).abs() < 1e-12, "{row:?}");
        }
    }
    let shown = rows(&done(&["report", "depth", &run, "-q"]));
    assert_eq!(shown.len(), profiles.len());
    for row in &shown {
        let own = of(row, &profiles, &["model", "corpus", "shots", "block"]);
        for column in ["macro_share", "macro_share_stderr", "output_share"] {
            assert!(same(&row[column], &own[column]), "{column} of {row:?}");
        }
        assert!((number(row, "depth") - number(&own, "block") / number(&own, "blocks")).abs() < 1e-12);
    }
    let out = folder.path().join("out");
    let out = out.to_str().expect("UTF-8");
    let said = surmise(&["report", "profiles", &run, "--model", "minigpt-2", "-o", out]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    for words in [
        "S = 6, X = 5, b = 0.2",
        "standard error",
        "permuted relations",
        "With random init, the largest share",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let svg =
        std::fs::read_to_string(Path::new(out).join("profiles-minigpt-2-countries.svg")).expect("a map");
    assert!(svg.starts_with("<svg width=\"86mm\""));
    // The tables without the JSON profiles give the same reports.
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).expect("a folder");
    for file in ["profiles.csv", "summaries.csv"] {
        std::fs::copy(Path::new(&run).join(file), copy.join(file)).expect("copied");
    }
    for name in ["profiles", "depth", "shots"] {
        let of_tables = done(&["report", name, copy.to_str().expect("UTF-8"), "-q", "--format", "md"]);
        assert_eq!(of_tables, done(&["report", name, &run, "-q", "--format", "md"]), "{name}");
    }
    std::fs::remove_file(copy.join("summaries.csv")).expect("removed");
    refused(&["report", "shots", copy.to_str().expect("UTF-8")], &["summaries.csv"]);
}

#[test]
fn values_that_cannot_be_compared_are_not_in_one_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = measured(folder.path(), "run", &["minigpt-1"], &["--random-init", "off"]);
    let wide = measured(folder.path(), "wide", &["minigpt-2"], &["--random-init", "off", "--sets", "8"]);
    refused(&["report", "shots", &run, &wide], &["6 sets", "8 sets", "a separate report for each"]);
    let again = measured(folder.path(), "again", &["minigpt-1"], &["--random-init", "off", "--seed", "1"]);
    refused(&["report", "depth", &run, &again], &["two profiles", "seed: 0 and 1", "--select"]);
    assert!(!done(&["report", "depth", &run, &again, "--select", "seed=1", "-q"]).is_empty());
    refused(&["report", "depth", &run, "--noise-scale", "0.4"], &["--noise-scale", "readings.csv"]);
    refused(
        &["report", "depth", &run, "--model", "minigpt-9"],
        &["unknown model", "did you mean minigpt-1?"],
    );
    let positional = folder.path().join("positional").to_str().expect("UTF-8").to_owned();
    let measure = ["measure", "minigpt-1", "--estimand", "positional", "--corpus", "countries", "--windows"];
    done(&[&measure[..], &["60", "-q", "-o", &positional]].concat());
    refused(&["report", "depth", &run, &positional], &["one report of the semantic profiles"]);
    refused(&["observations", "--profiles", &run, "--profiles", &positional], &["of another estimand"]);
    refused(&["observations", "--profiles", &positional, "--shots", "2"], &["--shots", "semantic"]);
}

#[test]
fn observations_of_shares_can_be_calibrated() {
    let folder = tempfile::tempdir().expect("a folder");
    let models = ["minigpt-1", "minigpt-2", "minigpt-3", "minigpt-4", "minigpt-5", "minigpt-6"];
    let run = measured(folder.path(), "run", &models, &["--corpus", "animals", "--random-init", "off"]);
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    // A closed model has answers but no profile.
    let answers = "provider,model,corpus,shots,form,sets,queries,seed,accuracy,logprob_nats,output_share,\
                   answer_accuracy,answer_share\n\
                   x,closed,countries,2,arrow,6,5,0,0.5,-1.5,0.25,0.375,0.125\n";
    std::fs::write(at("semantic.csv"), answers).expect("written");
    std::fs::write(at("models.csv"), "model,family,params_b\nclosed,minigpt,\n").expect("written");
    let (table, answers, published) = (at("t.csv"), at("semantic.csv"), at("models.csv"));
    let join =
        ["observations", "--profiles", &run, "--answers", &answers, "--models", &published, "-q", "-o"];
    done(&[&join[..], &[&table]].concat());
    let (joined, summaries) =
        (read(folder.path().to_str().expect("UTF-8"), "t.csv"), read(&run, "summaries.csv"));
    // The smallest model is the proxy; the closed model has a row on each corpus.
    assert_eq!(joined.len(), 2 * (models.len() - 1) + 2);
    let summary = |model: &str, corpus: &str| -> Row {
        let is_wanted = |row: &&Row| {
            (row["model"].as_str(), row["corpus"].as_str(), row["shots"].as_str()) == (model, corpus, "2")
        };
        summaries.iter().find(is_wanted).expect("a summary").clone()
    };
    for row in &joined {
        let proxy = summary("minigpt-1", &row["corpus"]);
        assert_eq!((row["proxy_model"].as_str(), row["shots"].as_str()), ("minigpt-1", "2"));
        assert!(same(&row["proxy_semantic_share_mean"], &proxy["share_mean"]));
        if row["target_model"] == "closed" {
            assert!(row["semantic_share_mean"].is_empty() && row["semantic_onset"].is_empty());
            let is_asked = row["corpus"] == "countries";
            assert_eq!(row["semantic_answer_share"], if is_asked { "0.125" } else { "" });
            assert_eq!(row["semantic_accuracy"], if is_asked { "0.5" } else { "" });
            continue;
        }
        let own = summary(&row["target_model"], &row["corpus"]);
        for name in ["share_mean", "share_quarter", "share_half", "share_three_quarters", "onset"] {
            assert!(same(&row[&format!("semantic_{name}")], &own[name]), "{name}");
        }
        for name in ["share_mean_stderr", "micro_nats_mean", "accuracy", "logprob_nats", "output_share"] {
            assert!(same(&row[&format!("semantic_{name}")], &own[name]), "{name}");
        }
    }
    // The measurements of the target are responses and must not become features.
    let card = at("card.json");
    let calibrate = ["calibrate", &table, "--target", "semantic_share_mean", "-q", "-o", &card];
    let calibrated = surmise(&calibrate);
    // Five models are too few for predictions of other models, so the exit code may be 3.
    let said = String::from_utf8_lossy(&calibrated.stderr);
    assert!(calibrated.status.success() || calibrated.status.code() == Some(3), "{said}");
    let json = std::fs::read_to_string(&card).expect("a card");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let text = json.to_string();
    for response in ["semantic_share_half", "semantic_onset", "semantic_micro_nats_mean"] {
        assert!(!text.contains(&format!("\"{response}\":{{")), "{response}");
    }
    let features = json["columns"]["features"].as_array().expect("features").clone();
    let names: Vec<&str> = features.iter().filter_map(serde_json::Value::as_str).collect();
    assert!(names.contains(&"semantic_logprob_nats"), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("semantic_share")), "{names:?}");
    assert!(json["columns"]["same"]["form"].is_array() && json["columns"]["same"]["sets"].is_array());
    let predicted = surmise(&["predict", "--calibration", &card, &table, "-o", &at("p.csv")]);
    let said = String::from_utf8_lossy(&predicted.stderr);
    assert!(predicted.status.success() || predicted.status.code() == Some(3), "{said}");
    // Answers to the prompts of another design are an error.
    std::fs::write(&answers, "model,corpus,shots,form\nclosed,countries,2,colon\n").expect("written");
    refused(&join[..join.len() - 1], &["another design", "form: colon, but arrow"]);
    refused(&["observations", "--profiles", &run, "--shots", "3"], &["3 examples", "1, 2"]);
    refused(&["observations", "--profiles", &run, "--readings", &run], &["--readings", "positional"]);
}
