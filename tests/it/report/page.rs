//! Tests the page of a results folder: its numbers equal the numbers of the files, text from a file never
//! becomes markup, the same folder gives the same bytes, and missing or damaged files are reported.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest, Sha256};
use surmise::report::html;

pub fn surmise(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).args(arguments).output().expect("the binary")
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Measures profiles of two models and writes them to the subfolder `profiles`.
pub fn measured(folder: &Path) {
    let out = folder.join("profiles");
    let models = ["factgpt-4", "factllama-1"];
    let shots = ["--corpus", "moons", "--shots", "1,4", "--sets", "4", "--queries", "6", "-q"];
    let output = surmise(&[&["measure"], &models[..], &shots[..], &["-o", text(&out)]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).expect("a file").deserialize().map(|row| row.expect("a row")).collect()
}

/// The data of a page, as a browser reads it.
pub fn data(html: &str) -> Value {
    let (_, rest) = html.split_once("id=\"data\">").expect("the data");
    let (json, _) = rest.split_once("</script>").expect("their end");
    serde_json::from_str(json).expect("JSON")
}

fn page(folder: &Path) -> String {
    String::from_utf8(html::page(folder).expect("a page").to_bytes()).expect("UTF-8")
}

fn is_close(shown: &Value, cell: &str) -> bool {
    match (shown.as_f64(), cell.parse::<f64>().ok()) {
        (Some(shown), Some(exact)) => (shown - exact).abs() <= 5.1e-6 * exact.abs(),
        (shown, exact) => shown.is_none() && exact.is_none(),
    }
}

#[test]
fn the_numbers_of_every_cell_are_those_of_the_csv_files() {
    let folder = tempfile::tempdir().expect("a folder");
    measured(folder.path());
    let data = data(&page(folder.path()));
    let profiles = data["profiles"]["list"].as_array().expect("profiles");
    assert_eq!(profiles.len(), 2);
    let of = |model: &str| profiles.iter().find(|p| p["model"] == model).expect("the profile");
    let at = |profile: &Value, row: &BTreeMap<String, String>| {
        let columns = profile["columns"].as_array().expect("columns");
        let shots: u64 = row["shots"].parse().expect("a number");
        let column = columns.iter().position(|c| *c == shots).expect("a column");
        (row["block"].parse::<usize>().expect("a block") - 1) * columns.len() + column
    };
    let mut n = 0;
    for row in rows(&folder.path().join("profiles/profiles.csv")) {
        let profile = of(&row["model"]);
        let values = &profile["scales"][0]["values"];
        assert!(is_close(&profile["scales"][0]["b"], &row["noise_scale"]));
        let cell = at(profile, &row);
        for (name, column) in [
            ("share", "macro_share"),
            ("share_stderr", "macro_share_stderr"),
            ("random_init", "macro_share_random_init"),
            ("output_share", "output_share"),
            ("micro_nats", "micro_nats"),
            ("emergence_nats", "emergence_nats"),
        ] {
            assert!(is_close(&values[name][cell], &row[column]), "{name}: {} {}", values[name], row[column]);
        }
        // The flags follow from the numbers of the file.
        let number = |column: &str| row[column].parse::<f64>().expect("a number");
        let (share, stderr) = (number("macro_share"), number("macro_share_stderr"));
        let both = stderr.hypot(number("macro_share_random_init_stderr"));
        let expected = [
            ("not above chance", share <= 1.96 * stderr),
            ("not above random init", share - number("macro_share_random_init") <= 1.96 * both),
        ];
        let names = profile["flag_names"].as_array().expect("names");
        let bits = values["flags"][cell].as_u64().expect("bits");
        for (flag, is_set) in expected {
            let found = names.iter().position(|name| name == flag).is_some_and(|at| bits & (1 << at) != 0);
            assert_eq!(found, is_set, "{flag}: {row:?}");
        }
        n += 1;
    }
    let trained = |row: &&BTreeMap<String, String>| row["init"] == "trained" && row["control"].is_empty();
    let readings = rows(&folder.path().join("profiles/readings.csv"));
    for row in readings.iter().filter(trained) {
        let profile = of(&row["model"]);
        let mut scales = profile["scales"].as_array().expect("scales").iter();
        let scale = scales.find(|scale| is_close(&scale["b"], &row["noise_scale"])).expect("the scale");
        assert!(is_close(&scale["values"]["share"][at(profile, row)], &row["macro_share"]));
        n += 1;
    }
    // The models have 4 and 3 blocks and two numbers of examples, so each noise scale has 14 cells.
    assert!(n >= 2 * 14 && n % 14 == 0, "{n}");
}

const HOSTILE: [&str; 3] = ["<script>alert(1)</script>", "\"--></script><b>", "<!--<script>&amp;' ] ]>"];

#[test]
fn nothing_of_a_file_becomes_markup() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    let quoted: Vec<String> =
        HOSTILE.iter().map(|text| format!("\"{}\"", text.replace('"', "\"\""))).collect();
    let predictions = quoted.iter().map(|id| format!("{id},m,0.5,0.2,0.8,0.4,share\n")).collect::<String>();
    write("predictions.csv", &format!("target_model,corpus,y_hat,low,high,measured,unit\n{predictions}"));
    let study = serde_json::json!({"name": HOSTILE[1], "settings": {HOSTILE[0]: HOSTILE[2]}});
    write("study.json", &study.to_string());
    write("study.toml", HOSTILE[2]);
    let head = "task,shots,id,question,replicate,kind,credit,credit_per_byte,logprob_nats,answer,gold,\
                finish_reason,model_snapshot,system_fingerprint,prompt_tokens,completion_tokens,collected_at";
    let items = quoted.iter().map(|text| format!("t,1,{text},q,0,scored,0,,,{text},[],,,,,,\n"));
    write("items.csv", &format!("{head}\n{}", items.collect::<String>()));
    let html = page(folder.path());
    // The page contains two scripts, as the template does: the data and the drawing script.
    assert_eq!(html.matches("<script").count(), 2);
    assert_eq!(html.matches("</script").count(), 2);
    assert!(!html.contains("<!--") && !html.contains("<b>"));
    let data = data(&html);
    assert_eq!(data["title"], HOSTILE[1]);
    let answers = data["answers"]["items"]["rows"].as_array().expect("rows");
    let shown: Vec<&str> = answers.iter().map(|row| row[6].as_str().expect("a text")).collect();
    assert_eq!(shown, HOSTILE);
    assert_eq!(data["predictions"][0]["table"]["rows"][0][0], HOSTILE[0]);
    // The policy of the page allows only this script.
    let (_, script) = html.rsplit_once("<script>").expect("the script");
    let (script, _) = script.split_once("</script>").expect("its end");
    let hash = Sha256::digest(script.as_bytes());
    use base64::Engine;
    let hash = base64::engine::general_purpose::STANDARD.encode(hash);
    assert!(html.contains(&format!("script-src 'sha256-{hash}'")) && html.contains("connect-src 'none'"));
    assert!(!html.contains("http://") || !html.contains("src=\"http"), "the page may load nothing");
}

#[test]
fn keys_and_passwords_in_a_file_are_hidden() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = format!("sk-proj-{}", "a1B2c3D4".repeat(6));
    let study = serde_json::json!({
        "name": "s", "settings": {"note": key},
        "targets": [{"id": "a", "base_url": "https://me:secret-word@example.org/v1"}],
    });
    std::fs::write(folder.path().join("study.json"), study.to_string()).expect("a file");
    let html = page(folder.path());
    assert!(!html.contains(&key) && !html.contains("secret-word"));
    assert!(html.contains("https://***@example.org/v1"));
}

#[test]
fn the_same_folder_gives_the_same_bytes_at_any_path() {
    let [here, there] = [0, 1].map(|_| tempfile::tempdir().expect("a folder"));
    for parent in [&here, &there] {
        let folder = parent.path().join("run");
        std::fs::create_dir(&folder).expect("a folder");
        let rows = "a,0.5,0.4,share\nb,,0.7,share\n";
        std::fs::write(folder.join("predictions.csv"), format!("target_model,y_hat,measured,unit\n{rows}"))
            .expect("a file");
    }
    let [first, second] = [&here, &there].map(|parent| page(&parent.path().join("run")));
    assert!(first == second && first == page(&here.path().join("run")));
    // A page that was written into the folder does not change the next page.
    html::write(&here.path().join("run"), &here.path().join("run/report.html")).expect("a page");
    assert!(first == page(&here.path().join("run")));
}

#[test]
fn predictions_and_refusals_are_those_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let head = "target_model,corpus,target,unit,y_hat,low,high,measured,level,status,note\n";
    let rows = "a,x,q,share,0.5,0.25,0.75,0.625,0.9,ok,\nb,x,q,share,,,,0.3,0.9,unsupported,too far\n\
                c,x,q,share,,,,,0.9,unsupported,too far\nd,x,other,nats,1.5,1,2,,0.9,ok,\n";
    std::fs::write(folder.path().join("predictions.csv"), format!("{head}{rows}")).expect("a file");
    let data = data(&page(folder.path()));
    let sections = data["predictions"].as_array().expect("sections");
    // Predictions in shares and in nats have no common error.
    let targets: Vec<&Value> = sections.iter().map(|section| &section["target"]).collect();
    assert_eq!(targets, ["other", "q"]);
    let shares = &sections[1];
    assert_eq!(shares["table"]["rows"].as_array().expect("rows").len(), 3);
    assert_eq!(shares["refusals"][0]["reason"], "too far");
    assert_eq!(shares["refusals"][0]["n"], 2);
    let sentence = shares["sentences"][0].as_str().expect("a sentence");
    assert!(
        sentence.contains("n = 1 predictions for 3 rows") && sentence.contains("error 0.125 share"),
        "{sentence}"
    );
    // The figure has one point, for the row with a prediction and a measurement.
    assert_eq!(shares["points"].as_array().expect("points").len(), 1);
    assert_eq!(shares["points"][0][2], 0);
    assert_eq!(sections[0]["points"].as_array().map(Vec::len), Some(0));
}

#[test]
fn missing_or_damaged_files_are_reported_and_other_folders_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |arguments: &[&str], code: i32, says: &[&str]| {
        let output = surmise(&[&["report", "html"], arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        says.iter().for_each(|words| assert!(stderr.contains(words), "{words:?} is not in {stderr}"));
    };
    let here = text(folder.path());
    refused(&[here], 2, &["contains no results", "study.json", "predictions.csv"]);
    refused(&[text(&folder.path().join("none"))], 1, &["cannot read", "none"]);
    let predictions = folder.path().join("predictions.csv");
    std::fs::write(&predictions, "target_model,y_hat\na,1\n").expect("a file");
    refused(&[text(&predictions)], 1, &["predictions.csv"]);
    refused(&[here, here], 2, &["one results folder"]);
    refused(&[here, "--model", "a"], 2, &["--model", "contains its own filters"]);
    refused(&[here, "-o", text(&predictions)], 2, &["would replace", "predictions.csv"]);
    let output = surmise(&["report", "html", here]);
    assert!(output.status.success() && folder.path().join("report.html").is_file());
    // A damaged file is left out; the page and the command report it.
    std::fs::create_dir(folder.path().join("cards")).expect("a folder");
    std::fs::write(folder.path().join("cards/a.json"), "{\"schema\": 1}").expect("a file");
    std::fs::create_dir_all(folder.path().join("answers/m")).expect("a folder");
    std::fs::write(folder.path().join("answers/m/scores.csv"), "provider,model\nx\n").expect("a file");
    // A table of another kind would otherwise be read as rows without numbers.
    std::fs::write(folder.path().join("blind.csv"), "model,family\nx,y\n").expect("a file");
    refused(
        &[here],
        3,
        &["cards/a.json is left out", "answers/m/scores.csv is left out", "blind.csv is left out"],
    );
    let html = std::fs::read_to_string(folder.path().join("report.html")).expect("a page");
    let problems = data(&html)["problems"].as_array().map(Vec::len);
    assert_eq!(problems, Some(3));
    assert_eq!(data(&html)["predictions"][0]["table"]["rows"][0][0], "a");
    let listed = surmise(&["list", "reports"]);
    assert!(String::from_utf8_lossy(&listed.stdout).lines().any(|line| line.starts_with("html\t")));
}
