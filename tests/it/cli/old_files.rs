//! Tests that files of earlier versions give errors, which state the old and the new names.

use std::process::Output;

use serde_json::Value;

use crate::support::tidy::{folder, profile_file, surmise, table, with, write};

fn refused(output: &Output, words: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word} is not in: {stderr}");
    }
}

#[test]
fn an_old_profile_and_an_old_profiles_csv_give_the_new_names() {
    let (_keep, at) = folder();
    let measure = [
        "measure",
        "--estimand=positional",
        "minigpt-1",
        "--corpus",
        "colours",
        "--windows",
        "60",
        "--entities",
        "2",
        "-o",
    ];
    let output = surmise(&[&measure[..], &[&at("p")]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let csv = std::fs::read_to_string(at("p/profiles.csv")).expect("profiles.csv");
    let old = csv.replacen("noise_scale", "setting", 1).replacen("random_init_nats", "twin_nats", 1);
    std::fs::write(at("profiles.csv"), old).expect("a file");
    refused(
        &surmise(&["report", "depth", &at("profiles.csv")]),
        &["profiles.csv", "column setting is called noise_scale now"],
    );

    let json = profile_file(at("p").as_ref(), "minigpt-1", "colours");
    let mut profile: Value = serde_json::from_slice(&std::fs::read(&json).expect("a profile")).expect("JSON");
    for version in [1, 2] {
        profile["schema"]["version"] = version.into();
        std::fs::write(&json, profile.to_string()).expect("a file");
        let says = format!("version {version}");
        let says = [says.as_str(), "`settings`", "noise_scale", "random_init_nats", "reading_index"];
        refused(&surmise(&["observations", "--profiles", &at("p")]), &says);
        refused(&surmise(&[&measure[..], &[&at("p")]].concat()), &says);
    }
}

#[test]
fn old_observations_and_comparisons_are_refused_if_a_condition_would_be_unchecked() {
    let (_keep, at) = folder();
    let mut rows = with(24, "corpus_sha256", |_| "c".into());
    for row in &mut rows {
        row.extend([("n_windows", "60".into()), ("shots", "2".into()), ("scale", "spread".into())]);
        row.extend([("setting", "0.4".into()), ("twin_nats", "1.0".into())]);
    }
    write(&at("t.csv"), &rows);
    let calibrate = ["calibrate", &at("t.csv"), "--target", "y", "-o", &at("card.json")];
    refused(&surmise(&calibrate), &["column setting is called noise_scale now"]);
    assert!(!std::path::Path::new(&at("card.json")).exists());
    write(&at("old.csv"), &rows);
    let mut rows = with(24, "recipe", |_| "r".into());
    for row in &mut rows {
        row.remove("family");
        row.insert("context_nats", "1.0".into());
    }
    write(&at("t.csv"), &rows);
    refused(&surmise(&calibrate), &["column `recipe` is now called `family`"]);
    // A table from another source may have a column called `setting`.
    write(&at("t.csv"), &with(24, "setting", |i| i.to_string()));
    assert!(surmise(&calibrate).status.success());
    // `predict` returns the same error for the old table.
    let predict = ["predict", "--calibration", &at("card.json"), &at("old.csv")];
    refused(&surmise(&predict), &["column setting is called noise_scale now"]);

    let measure = [
        "measure",
        "--estimand=positional",
        "minigpt-1",
        "--corpus",
        "colours",
        "--windows",
        "60",
        "--entities",
        "2",
        "-o",
    ];
    assert!(surmise(&[&measure[..], &[&at("p")]].concat()).status.success());
    std::fs::write(at("comparisons.csv"), "model,group_a,group_b,setting\nm,a,b,0.4\n").expect("a file");
    let join = ["observations", "--profiles", &at("p"), "--noise-scale", "0.4", "--readings"];
    refused(
        &surmise(&[&join[..], &[&at("comparisons.csv")]].concat()),
        &["comparisons.csv", "column setting is called noise_scale now"],
    );
}

#[test]
fn old_predictions_and_an_old_card_give_the_new_names() {
    let (_keep, at) = folder();
    let old = "target_model,corpus,emergence_nats,low_nats,high_nats\nm,c,1,0,2\n";
    std::fs::write(at("predictions.csv"), old).expect("a file");
    refused(&surmise(&["report", "predictions", &at("predictions.csv")]), &["emergence_nats", "y_hat"]);

    // A current table that has a column with an old name, here `emergence_nats`, is not treated as an old
    // table.
    let other = "target_model,corpus_sha256,emergence_nats\nm,c,1\n";
    std::fs::write(at("observations.csv"), other).expect("a file");
    refused(&surmise(&["report", "predictions", &at("observations.csv")]), &["no column `y_hat`"]);

    let old = "target_model,family,n_params,predicted_nats,low_nats,high_nats,measured_nats,size_line_nats,\
               mean_nats,setting,level,regime,note\n";
    std::fs::write(at("blind.csv"), old).expect("a file");
    let words = ["predicted_nats is called y_hat", "size_line_nats is called baseline_size"];
    refused(&surmise(&["report", "blind", &at("blind.csv")]), &words);

    write(&at("t.csv"), &table(24));
    let calibrate = ["calibrate", &at("t.csv"), "--target", "y", "-o", &at("card.json")];
    assert!(surmise(&calibrate).status.success());
    let card = std::fs::read_to_string(at("card.json")).expect("a card");
    let old = card.replacen("\"version\": 11", "\"version\": 8", 1);
    assert_ne!(card, old);
    std::fs::write(at("card.json"), old).expect("a file");
    refused(&surmise(&["card", &at("card.json")]), &["version 8", "interval_method"]);
}
