//! The blind test through the real binary: what it predicts from and what not, that it says the same twice,
//! and what it refuses.

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

/// Rows of predictions.csv as they were before the model was measured.
fn without_measurement(rows: &[BTreeMap<String, String>]) -> Vec<BTreeMap<String, String>> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        row.remove("measured").expect("a column");
        row.remove("baseline_size").expect("a column");
    }
    rows
}

/// The three smallest members of one family and some of the other.
pub fn family(folder: &Path, others: usize) -> String {
    let members = (1..=3).map(|n| ("minigpt", n)).chain((1..=others).map(|n| ("minillama", n)));
    let rows: String = members.map(|(family, n)| format!("{family}-{n},{family}\n")).collect();
    let path = folder.join("family.csv");
    std::fs::write(&path, format!("model,family\n{rows}")).expect("a file");
    text(&path).to_owned()
}

/// A small blind test of `minigpt-3`.
pub fn blind(family: &str, folder: &Path, more: &[&str]) -> Vec<String> {
    let fixed = "blind -q --hide minigpt-3 --corpus colours --corpus cities --windows 120 --items 2 \
                 --task-shots 2 --context-windows 60 --features surprisal_few";
    let mut arguments: Vec<String> = fixed.split(' ').map(Into::into).collect();
    arguments.extend(["--family", family, "-o", text(folder)].map(Into::into));
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    arguments
}

pub fn run(family: &str, folder: &Path, more: &[&str]) -> String {
    let arguments = blind(family, folder, more);
    done(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn what_is_said_of_a_hidden_member_is_what_the_files_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let (family, out) = (family(folder.path(), 5), folder.path().join("blind"));
    let said = run(&family, &out, &[]);
    assert_eq!(said, read(&out, "blind.csv"));
    let [row] = rows(&said).try_into().expect("one row");
    assert_eq!((row["target_model"].as_str(), row["n_others"].as_str()), ("minigpt-3", "7"));

    // Measured: the mean headline, as `measure` has it.
    let profiles = folder.path().join("profiles");
    done(&[
        "measure",
        "--estimand=positional",
        "-q",
        "minigpt-3",
        "--corpus",
        "colours",
        "--corpus",
        "cities",
        "--windows",
        "120",
        "-o",
        text(&profiles),
    ]);
    let headline = |corpus: &str| {
        let file = profile_file(&profiles, "minigpt-3", corpus);
        let profile: Value = serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON");
        profile["headline"]["emergence_nats"].as_f64().expect("a number")
    };
    assert!((number(&row, "measured") - (headline("colours") + headline("cities")) / 2.0).abs() < 1e-12);

    // Predicted: what `predict` makes of the card and the last row, which lacks its answer.
    let (card, table) = (out.join("cards/minigpt-3.json"), out.join("observations/minigpt-3.csv"));
    let observations = rows(&read(&out, "observations/minigpt-3.csv"));
    let (hidden, others) = observations.split_last().expect("rows");
    assert_eq!(
        (hidden["target_model"].as_str(), hidden["emergence_nats"].as_str(), others.len()),
        ("minigpt-3", "", 7)
    );
    let again =
        surmise(&["predict", "-q", "--calibration", text(&card), "--observations", text(&table), "-o", "-"]);
    let again = rows(&String::from_utf8(again.stdout).expect("UTF-8")).pop().expect("a row");
    let predicted = rows(&read(&out, "predictions.csv")).pop().expect("a row");
    // What is measured afterwards stands beside it, and so does the line that is told the size.
    let known_before = |row: &BTreeMap<String, String>| without_measurement(std::slice::from_ref(row));
    assert_eq!(known_before(&again), known_before(&predicted));
    assert_eq!((again["measured"].as_str(), &predicted["measured"]), ("", &row["measured"]));
    assert_eq!(predicted["baseline_size"], row["baseline_size"]);
    assert_eq!((&row["y_hat"], &row["low"], &row["high"]), (&again["y_hat"], &again["low"], &again["high"]));
    let (low, high) = (number(&row, "low"), number(&row, "high"));
    assert!(low < number(&row, "y_hat") && number(&row, "y_hat") < high);
    assert_eq!(row["inside"] == "true", (low..=high).contains(&number(&row, "measured")));

    // Baselines: the mean of the seven, and their least squares line.
    let record: Value = serde_json::from_str(&read(&out, "blind.json")).expect("JSON");
    let sizes: BTreeMap<&str, f64> = record["members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|member| {
            (member["id"].as_str().expect("an id"), member["n_params"].as_f64().expect("a number").log10())
        })
        .collect();
    assert!((10f64.powf(sizes["minigpt-3"]) - number(&row, "n_params")).abs() < 1e-6);
    let y: Vec<f64> = others.iter().map(|other| number(other, "emergence_nats")).collect();
    let x: Vec<f64> = others.iter().map(|other| sizes[other["target_model"].as_str()]).collect();
    let n = y.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let product: f64 = x.iter().zip(&y).map(|(x, y)| (x - mx) * (y - my)).sum();
    let slope = product / x.iter().map(|x| (x - mx).powi(2)).sum::<f64>();
    assert!((number(&row, "baseline_mean") - my).abs() < 1e-12);
    assert!((number(&row, "baseline_size") - (my + slope * (sizes["minigpt-3"] - mx))).abs() < 1e-9);

    // The score that is a feature is what the client wrote of the answers.
    let likelihood = rows(&read(&out, "answers/minigpt-3/likelihood/scores.csv"));
    let few: Vec<f64> = likelihood
        .iter()
        .filter(|score| score["shots"] != "0")
        .map(|score| (-number(score, "mean_logprob")).ln())
        .collect();
    assert_eq!(few.len(), 4, "two corpora at one and two shots");
    assert!((number(hidden, "surprisal_few") - few.iter().sum::<f64>() / 4.0).abs() < 1e-9);
    for file in [
        "scores.csv",
        "settings.json",
        "blind.json",
        "answers/minigpt-3/context/journal.jsonl",
        "answers/minigpt-3/texts/texts.jsonl",
    ] {
        assert!(out.join(file).is_file(), "{file}");
    }
}

#[test]
fn a_prediction_does_not_depend_on_the_profile_of_the_hidden_member() {
    let folder = tempfile::tempdir().expect("a folder");
    let (family, out) = (family(folder.path(), 5), folder.path().join("blind"));
    run(&family, &out, &[]);
    let parts = ["predictions.csv", "cards/minigpt-3.json", "observations/minigpt-3.csv"];
    let made = || {
        let [predictions, card, observations] = parts.map(|file| read(&out, file));
        (without_measurement(&rows(&predictions)), card, observations)
    };
    let forget = || parts.iter().for_each(|file| std::fs::remove_file(out.join(file)).expect("a file"));
    let (first, measured) = (made(), number(&rows(&read(&out, "blind.csv"))[0], "measured"));
    let profile = |member: &str| profile_file(&out.join("profiles"), member, "cities");
    let shifted = |member: &str| {
        let mut read: Value =
            serde_json::from_slice(&std::fs::read(profile(member)).expect("a file")).expect("JSON");
        for row in read["blocks"].as_array_mut().expect("rows") {
            row["emergence_nats"] = (row["emergence_nats"].as_f64().expect("a number") + 1.0).into();
        }
        std::fs::write(profile(member), read.to_string()).expect("a file");
    };

    forget();
    std::fs::remove_file(profile("minigpt-3")).expect("a file");
    run(&family, &out, &[]);
    assert_eq!(made(), first, "deleted");

    forget();
    shifted("minigpt-3");
    run(&family, &out, &[]);
    assert_eq!(made(), first, "another");
    let then = number(&rows(&read(&out, "blind.csv"))[0], "measured");
    assert!(
        (then - measured - 0.5).abs() < 1e-9,
        "one of two corpora is what the damaged file says: {then}, {measured}"
    );

    forget();
    std::fs::write(profile("minigpt-3"), "{").expect("a file");
    let arguments = blind(&family, &out, &[]);
    let said = refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    assert!(said.contains("minigpt-3--cities--"), "{said}");
    assert_eq!(made(), first, "broken: the prediction is on disk before the profile is looked at");

    // Of a member that is known it does depend.
    std::fs::remove_file(profile("minigpt-3")).expect("a file");
    forget();
    shifted("minigpt-2");
    run(&family, &out, &[]);
    let now = made();
    assert!(now.0 != first.0 && now.1 != first.1 && now.2 != first.2);
}

#[test]
fn the_same_command_gives_the_same_bytes_on_one_thread_or_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let family = family(folder.path(), 5);
    let made = |name: &str, threads: &str| {
        let out = folder.path().join(name);
        run(&family, &out, &["--threads", threads]);
        [
            "predictions.csv",
            "blind.csv",
            "blind.json",
            "scores.csv",
            "cards/minigpt-3.json",
            "observations/minigpt-3.csv",
        ]
        .map(|file| read(&out, file))
    };
    let first = made("a", "1");
    assert_eq!(first, made("b", "1"));
    assert_eq!(first, made("c", "2"));
    // What is there is neither asked nor measured again.
    let journal = folder.path().join("a/answers/minigpt-3/context/journal.jsonl");
    let before = std::fs::read(&journal).expect("a journal");
    assert_eq!(first, made("a", "2"));
    assert_eq!(before, std::fs::read(&journal).expect("a journal"));
}

#[test]
fn what_cannot_be_hidden_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let (table, out) = (family(folder.path(), 3), folder.path().join("blind"));
    let refuse = |family: &str, more: &[&str], code: i32| {
        let arguments = blind(family, &out, more);
        refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    let said = refuse(&table, &["--hide", "gpt-9"], 2);
    assert!(
        said.contains("gpt-9") && said.contains("minigpt, minillama") && said.contains("minillama-3"),
        "{said}"
    );
    let said = refuse(&table, &["--features", "iq"], 2);
    assert!(said.contains("iq") && said.contains("context_nats"), "{said}");
    let said = refuse(&table, &["--noise-scale", "0.3"], 2);
    assert!(said.contains("--noise-scale") && said.contains("0.25"), "{said}");
    assert!(refuse(&table, &["--windows", "1"], 2).contains("--windows"));
    let few = folder.path().join("few.csv");
    std::fs::write(&few, "model,family\nminigpt-1,a\nminigpt-3,a\nminillama-1,b\n").expect("a file");
    let said = refuse(text(&few), &[], 2);
    assert!(said.contains("leaves 2 others at most"), "{said}");
    std::fs::write(&few, "model\nminigpt-1\n").expect("a file");
    let said = refuse(text(&few), &[], 1);
    assert!(said.contains("few.csv, line 2") && said.contains("family"), "{said}");
    std::fs::write(&few, "model,family\nminigpt-1,a\nminigpt-1,b\n").expect("a file");
    assert!(refuse(text(&few), &[], 2).contains("minigpt-1 twice"));
    assert!(!out.exists());

    let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = busy.local_addr().expect("an address").port().to_string();
    let said = refuse(&table, &["--port", &port], 1);
    assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
    assert!(!out.join("blind.csv").exists() && !out.join("predictions.csv").exists());
    // The folder is now one of these settings.
    let said = refuse(&table, &["--seed", "7"], 2);
    assert!(said.contains("other settings (seed: 0 there, 7 here)"), "{said}");
}

#[test]
fn a_member_of_a_family_that_no_other_is_of_gets_no_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let (family, out) = (family(folder.path(), 5), folder.path().join("blind"));
    let arguments: Vec<String> = blind(&family, &out, &[])
        .into_iter()
        .map(|a| if a == "minigpt-3" { "minigpt-1".into() } else { a })
        .collect();
    let output = surmise(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let [row] = rows(&String::from_utf8_lossy(&output.stdout)).try_into().expect("one row");
    assert_eq!(
        (row["status"].as_str(), row["y_hat"].as_str(), row["inside"].as_str()),
        ("unsupported", "", "")
    );
    assert!(!row["note"].is_empty() && number(&row, "measured").is_finite());
    // Its own family's larger members are none of its business.
    assert_eq!(row["n_others"], "5");
    assert!(!out.join("answers/minigpt-2").exists());
    let profiles = std::fs::read_dir(out.join("profiles")).expect("a folder");
    let names = profiles.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    assert!(names.into_iter().all(|name| !name.starts_with("minigpt-3--")));
}

const BLIND: &str = "target_model,family,n_params,y_hat,low,high,measured,baseline_size,baseline_mean,\
                     noise_scale,level,regime,note\n\
                     a-1,a,100,0.5,0.25,0.75,0.625,0.125,1.0,0.25,0.9,interpolation,\n\
                     b_1,b,200,1.0,0.5,1.5,2.0,2.5,1.0,0.25,0.9,extrapolation,\n\
                     b_2,b,300,,,,2.0,9.0,1.0,0.25,0.9,extrapolation,nothing beats the mean\n";

#[test]
fn the_report_adds_up_what_was_predicted_and_names_what_was_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("blind.csv"), BLIND).expect("a file");
    let out = folder.path().join("report");
    done(&["report", "-q", "blind", text(folder.path()), "-o", text(&out)]);
    // Errors -.125 and -1, of the size line -.5 and .5, of the mean .375 and -1; the refused row counts for
    // none.
    let caption = "n = 2 of 3 hidden members predicted; mean absolute error 0.562 nats, size line 0.500, \
                   mean 0.688; 1 of 2 measurements inside their 90 % interval; b = 0.25. Refused: b_2 \
                   (nothing beats the mean).";
    assert!(read(&out, "blind.md").ends_with(&format!("\n{caption}\n")), "{}", read(&out, "blind.md"));
    let csv = rows(&read(&out, "blind.csv"));
    let cells = |at: usize| ["error", "inside", "regime"].map(|column| csv[at][column].clone());
    assert_eq!(cells(0), ["-0.125", "yes", "interpolation"]);
    assert_eq!(cells(1), ["-1", "no", "extrapolation"]);
    assert_eq!(cells(2), ["", "", "refused"]);
    assert!(
        read(&out, "blind.tex").contains("\\toprule") && read(&out, "blind.tex").contains("b\\_1 & b & 200")
    );
    // A dot for each prediction, and one for each family in the legend.
    assert_eq!(read(&out, "blind.svg").matches("<circle").count(), 4);
    assert!(std::fs::read(out.join("blind.pdf")).expect("a file").starts_with(b"%PDF-"));
    let said = refused(&["report", "blind", text(folder.path()), "--model", "c"], 2);
    assert!(said.contains("leaves no row"), "{said}");
}
