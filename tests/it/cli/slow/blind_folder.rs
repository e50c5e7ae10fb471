//! Tests that other commands can read the folder of a blind test, and tests its report.

use std::collections::BTreeSet;

use super::blind::{done, family, number, read, refused, rows, run, surmise, text};

#[test]
fn the_folder_is_an_input_of_other_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    let (family, out) = (family(folder.path()), folder.path().join("blind"));
    run(&family, &out, &[]);
    let at = |file: &str| text(&out.join(file)).to_owned();

    // `calibrate` on the observations of a back-test gives its card, to the byte.
    let table = at("observations/factllama-3.csv");
    let calibrate = ["calibrate", "-q", &table, "--target", "semantic_share_mean"];
    let features = "corpus,semantic_output_share";
    let how = ["--features", features, "--unit", "share", "--for-api", "--range=-0.1,1.1"];
    let card = surmise(&[&calibrate[..], &how, &["--ignore", "params_b"]].concat());
    assert!(matches!(card.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&card.stderr));
    assert_eq!(String::from_utf8_lossy(&card.stdout), read(&out, "cards/factllama-3.json"));

    // The rows equal the rows that `observations` makes from the same profiles and answers.
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

    // `report predictions` reads the predictions with their measurements.
    let reported = rows(&done(&["report", "predictions", &at(""), "-q"]));
    let own = rows(&read(&out, "blind.csv"));
    assert_eq!((reported.len(), own.len()), (4, 4));
    for (reported, own) in reported.iter().zip(&own) {
        for column in ["y_hat", "measured", "baseline_size"] {
            assert!((number(reported, column) - number(own, column)).abs() < 1e-12, "{column}");
        }
    }
}

const BLIND: &str = "target_model,family,n_params,corpus,shots,target,unit,y_hat,low,high,measured,inside,\
                     baseline_mean,baseline_shots,baseline_size,baseline_outside,level,regime,note\n\
                     a-1,a,100,c,1,t,share,0.5,0.25,0.75,0.625,true,1.0,1.0,0.125,0.5,0.9,interpolation,\n\
                     b_1,b,200,c,1,t,share,1.0,0.5,1.5,2.0,false,1.0,1.0,2.5,1.5,0.9,extrapolation,\n\
                     b_2,b,300,c,1,t,share,,,,2.0,,1.0,1.0,9.0,9.0,0.9,extrapolation,nothing beats it\n";

#[test]
fn the_report_summarises_predictions_and_names_refused_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("blind.csv"), BLIND).expect("a file");
    let out = folder.path().join("report");
    done(&["report", "-q", "blind", text(folder.path()), "-o", text(&out)]);
    let written = read(&out, "blind.md");
    // The errors of the predictions are -.125 and -1, of the mean .375 and -1, of the size line -.5 and .5,
    // and of the regression on answers -.125 and -.5. The refused row does not count.
    for part in [
        "t; all: 2 of 3 rows of 3 hidden members predicted; mean absolute error 0.562 share",
        "mean 0.688 (skill 0.18",
        "size 0.500 (skill -0.12",
        "outside 0.312 (skill -0.80",
        "1 of 2 measurements lie inside their 90 % interval",
        "Refused: 1 of 3 rows; the first is b_2 on c (nothing beats it).",
    ] {
        assert!(written.contains(part), "{part}: {written}");
    }
    let csv = rows(&read(&out, "blind.csv"));
    let cells = |at: usize| ["error", "inside", "regime"].map(|column| csv[at][column].clone());
    assert_eq!(cells(0), ["-0.125", "yes", "interpolation"]);
    assert_eq!(cells(1), ["-1", "no", "extrapolation"]);
    assert_eq!(cells(2), ["", "", "refused"]);
    assert!(
        read(&out, "blind.tex").contains("\\toprule") && read(&out, "blind.tex").contains("b\\_1 & b & 200")
    );
    // The figure has a dot for each prediction and for each family in the legend, and dots of the baselines
    // with smaller errors.
    let figure = read(&out, "blind.svg");
    assert!(figure.matches("<circle").count() > 4 && figure.contains("size"), "{figure}");
    assert!(std::fs::read(out.join("blind.pdf")).expect("a file").starts_with(b"%PDF-"));
    let said = refused(&["report", "blind", text(folder.path()), "--model", "c"], 2);
    assert!(said.contains("unknown model `c`"), "{said}");
    let twice = BLIND.replace("b_1,b,200", "a-1,a,200");
    std::fs::write(folder.path().join("blind.csv"), twice).expect("a file");
    let said = refused(&["report", "blind", text(folder.path())], 2);
    assert!(said.contains("a-1 on c with 1 example twice"), "{said}");
}
