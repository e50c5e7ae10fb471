//! The folder of a blind test as an input of the other verbs.

use std::collections::BTreeSet;

use super::blind::{done, family, number, read, rows, run, surmise, text};

#[test]
fn the_folder_is_an_input_of_the_verbs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (family, out) = (family(folder.path()), folder.path().join("blind"));
    run(&family, &out, &[]);
    let at = |file: &str| text(&out.join(file)).to_owned();

    // `calibrate` on the observations of a back-test makes its card, to the byte.
    let table = at("observations/factllama-3.csv");
    let calibrate = ["calibrate", "-q", "--observations", &table, "--target", "semantic_share_mean"];
    let features = "corpus,semantic_output_share";
    let how = ["--features", features, "--unit", "share", "--for-api", "--range=-0.1,1.1"];
    let card = surmise(&[&calibrate[..], &how, &["--ignore", "params_b"]].concat());
    assert!(matches!(card.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&card.stderr));
    assert_eq!(String::from_utf8_lossy(&card.stdout), read(&out, "cards/factllama-3.json"));

    // The rows are those that `observations` makes of the same profiles and answers.
    let all = rows(&read(&out, "observations.csv"));
    assert_eq!(all.len(), 9 * 4);
    let models = folder.path().join("models.csv");
    let published: String = all
        .iter()
        .map(|row| format!("{},{},,{}\n", row["target_model"], row["family"], row["proxy_model"]))
        .collect();
    std::fs::write(&models, format!("model,family,params_b,proxy\n{published}")).expect("a file");
    let members: BTreeSet<&str> = all.iter().map(|row| row["target_model"].as_str()).collect();
    let answers: Vec<String> =
        members.iter().map(|member| at(&format!("answers/{member}/semantic.csv"))).collect();
    let (profiles, models) = (at("profiles"), text(&models).to_owned());
    let mut arguments = vec!["observations", "-q", "--profiles", &profiles, "--models", &models];
    arguments.extend(["--shots", "1,2", "--answers"]);
    arguments.extend(answers.iter().map(String::as_str));
    assert_eq!(rows(&done(&arguments)), all);

    // `report predictions` reads the predictions beside their measurements.
    let reported = rows(&done(&["report", "predictions", &at(""), "-q"]));
    let own = rows(&read(&out, "blind.csv"));
    assert_eq!((reported.len(), own.len()), (4, 4));
    for (reported, own) in reported.iter().zip(&own) {
        for column in ["y_hat", "measured", "baseline_size"] {
            assert!((number(reported, column) - number(own, column)).abs() < 1e-12, "{column}");
        }
    }
}
