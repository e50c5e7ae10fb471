//! Tests through the real binary that docs/demo.md shows the output of the demonstration, and that the single
//! commands give the files of its folder, step by step.

use std::path::Path;

use crate::cli::command::{done, files, rows};
use crate::support::tidy::surmise;

#[test]
fn the_demonstration_prints_the_documented_csv() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/demo.md");
    let page = std::fs::read_to_string(page).expect("docs/demo.md");
    let block = page.split("```csv\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a CSV block");
    let output = surmise(&["demo"]);
    // In the back-test, the calibration of the demonstration hardly beats the mean, so every row is refused.
    assert_eq!(output.status.code(), Some(3));
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(printed.lines().next(), block.lines().next());
    let (printed, claimed) = (rows(&printed), rows(block));
    assert_eq!(printed.len(), 20);
    assert_eq!(printed.len(), claimed.len());
    for (ours, theirs) in printed.iter().zip(&claimed) {
        for (column, value) in ours {
            match (value.parse::<f64>(), theirs[column].parse::<f64>()) {
                // Other processors round differently; the page states the allowed difference.
                (Ok(a), Ok(b)) => assert!((a - b).abs() <= 0.02, "{column}: {a} printed, {b} in the page"),
                _ => assert_eq!(value, &theirs[column]),
            }
        }
    }
    assert!(printed.iter().all(|row| row["status"] == "unsupported" && row["y_hat"].is_empty()));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("hardly beats the mean"), "{stderr}");
    assert!(stderr.contains("not a calibration for real closed models"));
}

#[test]
fn the_single_commands_give_the_folder_of_the_demonstration() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("run");
    let at = |file: &str| out.join(file).to_str().expect("UTF-8").to_owned();
    let demo = |verb: &str| surmise(&[verb, "--windows", "600", "--entities", "2", "-o", &at("")]);
    let output = demo("demo");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    // With so few windows, the calibration may refuse every prediction.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{stderr}");
    let made = files(&out);
    let tables: Vec<&str> = made.keys().map(String::as_str).filter(|name| !name.contains("--")).collect();
    assert_eq!(tables, ["card.json", "observations.csv", "predictions.csv", "profiles.csv", "scores.csv"]);
    assert_eq!(made.len(), 5 + 14 * 5);
    let text = |file: &str| String::from_utf8(made[file].clone()).expect("UTF-8");
    assert_eq!(rows(&text("observations.csv")).len(), 12 * 5);

    // `line`, the earlier name of the command, gives the same output.
    assert_eq!(demo("line").stdout, output.stdout);
    assert!(files(&out) == made);

    // `observations` gives the same table from the profiles and scores of the demonstration, at the noise
    // scale that the demonstration chose.
    let noise_scale = stderr.split("Noise scale b = ").nth(1).and_then(|rest| rest.split(". ").next());
    let joined = surmise(&[
        "observations",
        "-q",
        "--profiles",
        &at(""),
        "--scores",
        &at("scores.csv"),
        "--noise-scale",
        noise_scale.expect("a noise scale"),
    ]);
    assert!(joined.status.success(), "{}", String::from_utf8_lossy(&joined.stderr));
    assert_eq!(String::from_utf8_lossy(&joined.stdout), text("observations.csv"));

    // `calibrate` on the smaller models gives the same card.
    let card = surmise(&[
        "calibrate",
        "-q",
        &at("observations.csv"),
        "--target",
        "emergence_nats",
        "--unit",
        "nats",
        "--where",
        "params_b<0.0003",
        "--features",
        &surmise::study::demo::CALIBRATION_FEATURES.join(","),
        "--ignore",
        &surmise::study::demo::IGNORED_COLUMNS.join(","),
        "--for-api",
    ]);
    assert_eq!(String::from_utf8_lossy(&card.stdout), text("card.json"));

    // `predict` for the larger models gives the same predictions; the demonstration adds the size line.
    let again = surmise(&[
        "predict",
        "-q",
        "--calibration",
        &at("card.json"),
        &at("observations.csv"),
        "--where",
        "params_b>0.0003",
    ]);
    let (again, predictions) =
        (rows(&String::from_utf8_lossy(&again.stdout)), rows(&text("predictions.csv")));
    assert_eq!((again.len(), predictions.len()), (20, 20));
    for (again, row) in again.iter().zip(&predictions) {
        assert!(again.iter().all(|(column, cell)| column == "baseline_size" || *cell == row[column]));
        assert!(!row["measured"].is_empty());
    }

    // The demonstration prints these predictions, rounded, and `report` reads them.
    let printed = rows(&String::from_utf8_lossy(&output.stdout));
    for (printed, row) in printed.iter().zip(&predictions) {
        for (column, cell) in printed {
            match (cell.parse::<f64>(), row[column].parse::<f64>()) {
                (Ok(a), Ok(b)) => assert!((a - b).abs() <= 5.1e-5, "{column}: {a} and {b}"),
                _ => assert_eq!(cell, &row[column], "{column}"),
            }
        }
    }
    let reported = rows(&done(&["report", "predictions", &at(""), "-q"]));
    for (reported, row) in reported.iter().zip(&predictions) {
        for column in ["y_hat", "measured", "baseline_mean"] {
            assert_eq!(reported[column].parse::<f64>().ok(), row[column].parse::<f64>().ok());
        }
    }
    done(&["report", "profiles", &at(""), "-q", "--model", "minigpt-1"]);
}
