//! Tests the common rules of flags: every earlier spelling works and warns once, every table exists as CSV
//! and JSON, and names are matched without regard to case.

use std::process::Output;

use serde_json::Value;

use super::command::{done, rows};
use crate::support::tidy::{OBSERVATIONS, folder, surmise, table, write};

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs both spellings. They must give the same stdout and exit code, and only the earlier spelling must give
/// a warning, which names the present spelling.
fn same(earlier: &[&str], present: &[&str], says: &str) {
    let (earlier, present) = (surmise(earlier), surmise(present));
    let warned = stderr(&earlier);
    // Other warnings are about models and do not begin with a flag.
    let warnings: Vec<&str> = warned.lines().filter(|line| line.starts_with("warning: `")).collect();
    assert_eq!(warnings, [format!("warning: {says}")], "{warned}");
    assert!(!stderr(&present).contains("warning: `"), "{}", stderr(&present));
    assert_eq!((earlier.status.code(), earlier.stdout), (present.status.code(), present.stdout), "{says}");
    assert!(matches!(earlier.status.code(), Some(0 | 3)), "{warned}");
}

#[test]
fn earlier_spellings_work_like_the_present_ones_and_warn_once() {
    let (_keep, at) = folder();
    write(&at("t.csv"), &table(24));
    let t = at("t.csv");
    let is_now = "`--observations` is now TABLE, without a flag";
    same(&["calibrate", "--observations", &t, "--target", "y"], &["calibrate", &t, "--target", "y"], is_now);
    let card = at("card.json");
    done(&["calibrate", &t, "--target", "y", "-q", "-o", &card]);
    same(
        &["predict", "--calibration", &card, "--observations", &t],
        &["predict", &t, "--calibration", &card],
        is_now,
    );
    // Neither a missing table nor two tables are accepted.
    for wrong in
        [&["calibrate", "--target", "y"][..], &["calibrate", &t, "--observations", &t, "--target", "y"]]
    {
        assert_eq!(surmise(wrong).status.code(), Some(2), "{wrong:?}");
    }

    let series = ["minigpt-1", "--corpus", "colours", "--windows", "60"];
    let measure =
        |flag: &'static str| [&["measure", "--estimand=positional"], &series[..], &[flag, "2"]].concat();
    let is_now = "`--shots` is now `--entities` for the positional estimand";
    same(&measure("--shots"), &measure("--entities"), is_now);
    let states = |flag: &'static str| [&["states"], &series[..], &[flag, "2", "-o", "-"]].concat();
    same(&states("--shots"), &states("--entities"), "`--shots` is now `--entities`");
    let both = [&measure("--shots")[..], &["--entities", "2"]].concat();
    assert!(stderr(&surmise(&both)).contains("--shots applies to the semantic estimand"));
    let semantic =
        ["measure", "minigpt-1", "--corpus", "colours", "--estimand", "semantic", "--entities", "2"];
    assert!(stderr(&surmise(&semantic)).contains("--entities applies to the positional estimand"));

    let json = |words: &[&str]| surmise(words).stdout;
    assert_eq!(json(&["model", "--json", "minigpt-1"]), json(&["model", "minigpt-1", "--json"]));
    same(
        &["model", "--json", "minigpt-1"],
        &["model", "minigpt-1", "--json", "-"],
        "`--json MODEL` is now `MODEL --json`, because --json takes a file",
    );
    // A quiet command prints no warning.
    assert!(stderr(&surmise(&["calibrate", "-q", "--observations", &t, "--target", "y"])).is_empty());
}

#[test]
fn the_number_of_shots_of_texts_has_no_effect_and_gives_a_warning() {
    let (_keep, at) = folder();
    let lines = |words: [&str; 3]| {
        let text =
            |i: usize| format!("{} {} {} ", words[i % 3], words[(i + 1) % 3], words[(i / 2) % 3]).repeat(4);
        (0..40).map(|i| text(i).trim_end().to_owned()).collect::<Vec<_>>()
    };
    let mut csv = "group,text\n".to_owned();
    for (group, words) in [("a", ["red", "blue", "green"]), ("b", ["lion", "tiger", "bear"])] {
        lines(words).iter().for_each(|line| csv.push_str(&format!("{group},{line}\n")));
    }
    std::fs::write(at("t.csv"), csv).expect("texts");
    let texts = at("t.csv");
    let compare = ["compare", "minigpt-1", "--texts", &texts, "--window-tokens", "6", "--permutations", "19"];
    let earlier = [&compare[..], &["--shots", "2"]].concat();
    same(&earlier, &compare, "`--shots` is now without effect: texts have no entities");
    let both = done(&[&compare[..], &["-q", "-o", &at("c.csv"), "--json", "-"]].concat());
    let json: Value = serde_json::from_str(&both).expect("JSON");
    let csv = std::fs::read_to_string(at("c.csv")).expect("a table");
    assert_eq!(json["rows"].as_array().expect("rows").len(), rows(&csv).len());
    assert_eq!(json["rows"][0]["model"], "minigpt-1");
}

/// Checks that the CSV and the JSON of a table have the same cells; returns the CSV form.
fn both_forms(arguments: &[&str]) -> String {
    let csv = surmise(&[arguments, &["-q", "--csv", "-"]].concat());
    let json = surmise(&[arguments, &["-q", "--json"]].concat());
    assert!(matches!(csv.status.code(), Some(0 | 3)), "{arguments:?}: {}", stderr(&csv));
    let csv = String::from_utf8(csv.stdout).expect("UTF-8");
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert!(json["schema"]["version"].is_u64() && json["schema"]["tool_version"].is_string(), "{json}");
    let (table, objects) = (rows(&csv), json["rows"].as_array().expect("rows").clone());
    assert!(!table.is_empty() && table.len() == objects.len(), "{arguments:?}");
    for (row, object) in table.iter().zip(&objects) {
        assert_eq!(row.len(), object.as_object().expect("an object").len(), "{arguments:?}");
        for (column, cell) in row {
            let same = match &object[column] {
                Value::Null => cell.is_empty(),
                Value::String(text) => text == cell,
                Value::Number(number) => cell.parse::<f64>().is_ok_and(|cell| Some(cell) == number.as_f64()),
                other => other.as_bool().is_some_and(|value| cell.parse() == Ok(value)),
            };
            assert!(same, "{arguments:?}, {column}: {cell:?} and {}", object[column]);
        }
    }
    csv
}

#[test]
fn every_listing_and_table_has_a_csv_and_a_json_form() {
    let (_keep, at) = folder();
    for what in [
        "models",
        "architectures",
        "estimators",
        "corpora",
        "providers",
        "importers",
        "exporters",
        "tasks",
        "graders",
        "reports",
        "candidates",
    ] {
        let csv = both_forms(&["list", what]);
        assert_eq!(rows(&csv).len(), done(&["list", what]).lines().count(), "{what}");
    }
    let models = rows(&both_forms(&["list", "models"]));
    assert_eq!((models[0]["name"].as_str(), models[0]["n_params"].as_str()), ("minigpt-1", "16928"));

    let card = at("card.json");
    done(&[
        "calibrate",
        OBSERVATIONS,
        "--target",
        "pt_gsm8k_5shot",
        "--features",
        "bench_mmlu,bench_arc_c",
        "-q",
        "-o",
        &card,
    ]);
    let candidates = both_forms(&["card", &card]);
    assert!(candidates.contains("pcr-1"), "{candidates}");
    assert_eq!(done(&["report", "calibration", &card, "-q"]), candidates);
    both_forms(&["report", "calibration", &card]);
    both_forms(&["predict", OBSERVATIONS, "--calibration", &card]);
    let profiles = at("p");
    let series = ["--corpus", "colours", "--windows", "60", "--entities", "2", "-o", &profiles];
    done(&[&["measure", "--estimand=positional", "minigpt-1", "minigpt-2", "-q"], &series[..]].concat());
    both_forms(&["measure", "minigpt-1", "--corpus", "colours", "--estimand=positional", "--windows", "60"]);
    let observations = ["observations", "--profiles", &profiles, "--noise-scale", "0.4"];
    let csv = both_forms(&observations);
    assert_eq!(rows(&csv)[0]["proxy_model"], "minigpt-1");
    both_forms(&["report", "depth", &profiles]);

    std::fs::write(at("x.csv"), "a\n1\n2\n4\n3\n7\n5\n9\n8\n11\n10\n13\n12\n").expect("samples");
    std::fs::write(at("y.csv"), "b\n2\n1\n4\n4\n6\n5\n8\n9\n10\n11\n12\n14\n").expect("samples");
    let (x, y) = (at("x.csv"), at("y.csv"));
    let mi = ["mi", "--x", &x, "--y", &y, "--estimator", "Gaussian"];
    let [row] = rows(&done(&[&mi[..], &["--csv", "-"]].concat())).try_into().expect("a row");
    let json: Value = serde_json::from_str(&done(&[&mi[..], &["--json"]].concat())).expect("JSON");
    assert_eq!(row["estimator"], "gaussian");
    assert_eq!(row["mi_nats"].parse::<f64>().ok(), json["mi_nats"].as_f64());
    // Without --csv and --json, `mi` prints the JSON report, as in earlier versions.
    let before: Value = serde_json::from_str(&done(&mi)).expect("JSON");
    assert_eq!(before["mi_nats"], json["mi_nats"]);

    let json: Value = serde_json::from_str(&done(&["model", "minigpt-1", "--json"])).expect("JSON");
    let [row] = rows(&done(&["model", "minigpt-1", "--csv"])).try_into().expect("a row");
    assert_eq!(row["n_params"], json["n_params"].to_string());
}

#[test]
fn tables_are_written_to_the_named_files_and_never_to_an_input() {
    let (_keep, at) = folder();
    let (csv, json) = (at("m.csv"), at("m.json"));
    assert!(done(&["list", "corpora", "--csv", &csv, "--json", &json]).is_empty());
    assert_eq!(std::fs::read_to_string(&csv).expect("a table"), done(&["list", "corpora", "--csv"]));
    assert_eq!(std::fs::read_to_string(&json).expect("a table"), done(&["list", "corpora", "--json"]));
    let refused = |arguments: &[&str], says: &[&str]| {
        let output = surmise(arguments);
        let said = stderr(&output);
        assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{arguments:?}: {said}");
        says.iter().for_each(|words| assert!(said.contains(words), "{words}: {said}"));
    };
    refused(&["list", "corpora", "--csv", "--json"], &["--json and --csv both write to stdout"]);
    write(&at("t.csv"), &table(24));
    let (t, card) = (at("t.csv"), at("card.json"));
    done(&["calibrate", &t, "--target", "y", "-q", "-o", &card]);
    let before = std::fs::read(&t).expect("the table");
    refused(&["predict", &t, "--calibration", &card, "--csv", &t], &["--csv would replace", "t.csv"]);
    refused(
        &["predict", &t, "--calibration", &card, "--json", &card],
        &["--json would replace", "card.json"],
    );
    refused(&["predict", &t, "--calibration", &card, "-o", "-", "--json"], &["--json and -o both write"]);
    assert_eq!(std::fs::read(&t).expect("the table"), before);
    refused(&["--csv", &csv, "list", "models"], &["--csv before the command", "after the command"]);
    refused(&["--json", &csv, "list", "models"], &["--json before the command"]);
    // A file that is found in a folder or given as a corpus is an input too, so no output may replace it.
    let predictions = at("predictions.csv");
    surmise(&["predict", &t, "--calibration", &card, "-q", "-o", &predictions]);
    let report = ["report", "predictions", &at(""), "--csv", &predictions];
    refused(&report, &["--csv would replace", "predictions.csv"]);
    std::fs::write(at("corpus.csv"), "entity,a,b\n1,2,3\n").expect("a corpus");
    let corpus = at("corpus.csv");
    refused(&["measure", "minigpt-1", "--corpus", &corpus, "--json", &corpus], &["--json would replace"]);
    refused(&["states", "minigpt-1", "--corpus", &corpus, "-o", &corpus], &["-o would replace"]);
    // If an output file cannot be written, the command returns an error before anything is computed.
    let below = format!("{t}/x.csv");
    let output = surmise(&["measure", "minigpt-1", "--corpus", "colours", "--csv", &below]);
    assert!(
        output.status.code() == Some(1) && stderr(&output).contains("cannot write"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn names_are_matched_without_case_and_the_nearest_is_suggested() {
    let (_keep, at) = folder();
    let lower = done(&["model", "minigpt-1"]);
    assert_eq!(done(&["model", "MiniGPT-1"]), lower);
    let measure = |model: &str, corpus: &str, scale: &str| {
        let flags = ["--windows", "60", "--entities", "2", "--scale", scale];
        done(
            &[&["measure", "--estimand", "Positional", model, "--corpus", corpus, "-q"], &flags[..]].concat(),
        )
    };
    assert_eq!(measure("MINIGPT-1", "Colours", "NORM"), measure("minigpt-1", "colours", "norm"));
    assert_eq!(done(&["list", "Models"]), done(&["list", "models"]));

    let mut upper = table(24);
    for row in &mut upper {
        let y = row.remove("y").expect("a target");
        row.insert("MMLU", y);
    }
    write(&at("t.csv"), &upper);
    let (t, card) = (at("t.csv"), at("card.json"));
    done(&["calibrate", &t, "--target", "mmlu", "--features", "A,b", "-q", "-o", &card]);
    let json: Value = serde_json::from_slice(&std::fs::read(&card).expect("a card")).expect("JSON");
    assert_eq!((&json["target"], &json["columns"]["features"][0]), (&"MMLU".into(), &"a".into()));
    assert!(done(&["report", "Calibration", &card, "-q"]).contains("ridge"));

    let suggested = |arguments: &[&str], name: &str| {
        let output = surmise(arguments);
        let said = stderr(&output);
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        let words = [format!("did you mean {name}?"), format!("similar value exists: '{name}'")];
        assert!(words.iter().any(|words| said.contains(words)), "{arguments:?}: {said}");
    };
    suggested(&["model", "minigtp-7"], "minigpt-7");
    suggested(&["measure", "minigpt-1", "--corpus", "countrys"], "countries");
    suggested(&["mi", "--x", &t, "--y", &t, "--estimator", "gausian"], "gaussian");
    suggested(&["report", "prediction", &t], "predictions");
    suggested(&["calibrate", &t, "--target", "mmul"], "MMLU");
    suggested(&["list", "model"], "models");
    suggested(&["blind", "--target", "semantic_share_men"], "semantic_share_mean");
    suggested(&["blind", "--hide", "factqwem"], "factqwen");
    let collect = |task: &str, provider: &str, grader: &str| {
        let to = ["--api-model", "m", "--no-budget", "--base-url", "http://127.0.0.1:9", "-o", &at("out")];
        let output =
            surmise(&[&["collect", task, "--provider", provider, "--grader", grader], &to[..]].concat());
        stderr(&output)
    };
    assert!(collect("completion", "openai-chats", "exact").contains("did you mean openai-chat?"));
    assert!(collect("completions", "openai-chat", "exact").contains("did you mean completion?"));
    assert!(collect("completion", "openai-chat", "exat").contains("did you mean exact?"));
}

#[test]
fn completion_scripts_contain_every_command_and_no_earlier_spelling() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = done(&["completions", shell]);
        for word in ["calibrate", "observations", "completions", "entities", "api-model"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains("patience-s") && !script.contains("adapt-params]"), "{shell}");
    }
    assert_eq!(surmise(&["completions", "sh"]).status.code(), Some(2));
}

#[test]
fn a_dry_run_is_also_a_table_and_a_collection_is_not() {
    let (_keep, at) = folder();
    std::fs::write(at("items.jsonl"), "{\"id\":\"1\",\"prompt\":\"say a\",\"answer\":\"a\"}\n")
        .expect("items");
    let (items, out) = (at("items.jsonl"), at("out"));
    let collect = |more: &[&str]| {
        let to =
            ["--api-model", "m", "--provider", "openai-chat", "--base-url", "http://127.0.0.1:9", "-o", &out];
        surmise(&[&["collect", &items], &to[..], more].concat())
    };
    let csv = collect(&["--dry-run", "--csv", "-"]);
    let [row] = rows(&String::from_utf8_lossy(&csv.stdout)).try_into().expect("a row");
    assert_eq!(
        (row["cached"].as_str(), row["rendering"].as_str(), row["grader"].as_str()),
        ("0", "turns", "exact")
    );
    let json: Value = serde_json::from_slice(&collect(&["--dry-run", "--json"]).stdout).expect("JSON");
    assert_eq!(json["rows"][0]["calls"].to_string(), row["calls"]);
    let lines = String::from_utf8(collect(&["--dry-run"]).stdout).expect("UTF-8");
    assert!(lines.starts_with(&format!("calls\t{}\ncached\t0\n", row["calls"])), "{lines}");
    let refused = collect(&["--no-budget", "--csv", "-"]);
    assert!(
        refused.status.code() == Some(2) && stderr(&refused).contains("--dry-run"),
        "{}",
        stderr(&refused)
    );
}
