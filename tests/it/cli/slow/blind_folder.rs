//! The folder of a blind test as an input of the other verbs, and its flag for the estimator.

use serde_json::Value;

use super::blind::{blind, done, family, number, read, refused, rows, run, surmise, text};

#[test]
fn the_folder_is_an_input_of_the_verbs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (family, out) = (family(folder.path(), 5), folder.path().join("blind"));
    run(&family, &out, &[]);
    let at = |file: &str| text(&out.join(file)).to_owned();
    let header = |csv: &str| csv.lines().next().expect("a header").split(',').map(String::from).collect();

    // `calibrate` on the observations of a back-test makes its card, to the byte.
    let calibrate = |file: &str, more: &[&str]| {
        let (table, fixed) = (at(file), ["--target", "emergence_nats", "--unit", "nats", "--for-api"]);
        let features = ["--features", "surprisal_few", "--link", "identity"];
        let arguments = ["calibrate", "-q", "--observations", &table];
        surmise(&[&arguments[..], &fixed, &features, more].concat())
    };
    let card = calibrate("observations/minigpt-3.csv", &["--ignore", "params_b,family"]);
    assert_eq!(String::from_utf8_lossy(&card.stdout), read(&out, "cards/minigpt-3.json"));

    // So can be calibrated on the table of all members, which `predict` reads too.
    let all = rows(&read(&out, "observations.csv"));
    assert_eq!(all.len(), 8);
    assert!(all.iter().all(|row| !row["emergence_nats"].is_empty() && row["status"] == "ok"));
    let card = calibrate("observations.csv", &["--ignore", "family"]);
    assert!(matches!(card.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&card.stderr));
    let card: Value = serde_json::from_slice(&card.stdout).expect("a card");
    assert_eq!(card["rows"]["n"], 8);

    // Its columns are those that `observations` makes of the same profiles and scores, and a few more.
    let joined = surmise(&[
        "observations",
        "-q",
        "--profiles",
        &at("profiles"),
        "--scores",
        &at("scores.csv"),
        "--noise-scale",
        "0.25",
    ]);
    assert!(joined.status.success(), "{}", String::from_utf8_lossy(&joined.stderr));
    let joined = String::from_utf8(joined.stdout).expect("UTF-8");
    let (own, theirs): (Vec<String>, Vec<String>) =
        (header(&read(&out, "observations.csv")), header(&joined));
    let added = ["context_nats", "surprisal_zero", "surprisal_few", "accuracy_zero", "accuracy_few"];
    let shared: Vec<String> = own.into_iter().filter(|name| !added.contains(&name.as_str())).collect();
    assert_eq!(shared, theirs);
    // Each value is the mean of those of the corpora.
    let per_corpus = rows(&joined);
    let of_model: Vec<_> = per_corpus.iter().filter(|row| row["target_model"] == "minigpt-3").collect();
    let row = all.iter().find(|row| row["target_model"] == "minigpt-3").expect("a row");
    assert_eq!(of_model.len(), 2);
    for column in ["emergence_nats", "learned_nats", "ie_max_nats", "accuracy_logit", "accuracy_slope"] {
        let mean = of_model.iter().map(|row| number(row, column)).sum::<f64>() / 2.0;
        assert!((number(row, column) - mean).abs() < 1e-12, "{column}");
    }

    // `report predictions` reads the predictions beside their measurements.
    let reported = rows(&done(&["report", "predictions", &at(""), "-q"]));
    let [blind] = rows(&read(&out, "blind.csv")).try_into().expect("a row");
    let [reported] = reported.try_into().expect("a row");
    for column in ["y_hat", "measured", "baseline_size"] {
        assert!((number(&reported, column) - number(&blind, column)).abs() < 1e-12, "{column}");
    }
}

#[test]
fn another_estimator_is_the_same_flag_as_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let (family, out) = (family(folder.path(), 5), folder.path().join("blind"));
    let arguments = blind(&family, &out, &["--estimator", "plugin"]);
    let output = surmise(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    // Without noise every model's information is that of the contexts, so that there may be nothing to tell.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
    let [row] = rows(&String::from_utf8_lossy(&output.stdout)).try_into().expect("one row");
    assert_eq!((row["estimator"].as_str(), row["noise_scale"].as_str()), ("plugin", ""));
    let refuse = |more: &[&str]| {
        let arguments = blind(&family, &folder.path().join("other"), more);
        refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 2)
    };
    let said = refuse(&["--estimator", "plugin", "--noise-scale", "0.25"]);
    assert!(said.contains("plugin adds no noise"), "{said}");
    assert!(refuse(&["--estimator", "knn"]).contains("knn"));
    let said = refuse(&["--features", "reading_nats"]);
    assert!(said.contains("reading_less_control_nats"), "{said}");
}
