//! Tests through the real binary that reports show the numbers of their input files in every format, and that
//! unusable inputs give errors.

use std::path::Path;
use std::process::{Command, Output};

fn surmise(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).args(arguments).output().expect("the binary")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

const PREDICTIONS: &str = "target_model,corpus,unit,y_hat,low,high,measured,baseline_size,baseline_mean\n\
                           a_1,colours,nats,0.5,0.25,0.75,0.625,0.125,1.0\n\
                           b,colours,nats,1.0,0.5,1.5,2.0,2.5,1.0\n";

#[test]
fn predictions_are_summarised_like_by_hand_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("predictions.csv"), PREDICTIONS).expect("a file");
    let out = folder.path().join("report");
    let made = || {
        stdout(&surmise(&["report", "predictions", text(folder.path()), "-o", text(&out)]));
        let mut files: Vec<_> =
            std::fs::read_dir(&out).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files
            .into_iter()
            .map(|file| {
                (
                    file.file_name().map(|n| n.to_string_lossy().into_owned()),
                    std::fs::read(file).expect("a file"),
                )
            })
            .collect::<Vec<_>>()
    };
    let files = made();
    let names: Vec<_> = files.iter().flat_map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["predictions.csv", "predictions.md", "predictions.pdf", "predictions.svg", "predictions.tex"]
    );
    assert!(files == made(), "the same files give the same bytes");
    let of = |at: usize| String::from_utf8_lossy(&files[at].1).into_owned();
    // The errors are -.125 and -1, so the mean absolute error is .5625. The absolute errors of the size line
    // are .5 and .5, and the absolute errors of the mean are .375 and 1.
    let caption = "n = 2 predictions of 2 models; mean absolute error 0.562 nats, size line 0.500, mean \
                   0.688; 1 of 2 measurements inside their interval.";
    assert!(of(1).ends_with(&format!("\n{caption}\n")), "{}", of(1));
    assert!(of(4).contains(&format!("% {caption}\n")));
    assert!(
        of(0).lines().nth(2).expect("a row").starts_with("b,colours,nats,1,0.5,1.5,2,-1,no,"),
        "{}",
        of(0)
    );
    assert!(
        of(4).contains("\\toprule") && of(4).contains("a\\_1 & colours & nats & 0.500 & 0.250"),
        "{}",
        of(4)
    );
    assert!(files[2].1.starts_with(b"%PDF-"));
    // Each prediction is a disc. The interval of b misses the measurement, so a white disc lies on the disc
    // of b. The legend contains a disc for each of a and b, and an open point, which is two discs.
    let dots = of(3).matches("<circle").count();
    assert!(of(3).starts_with("<svg width=\"86mm\"") && dots == 2 + 1 + 2 + 2, "{dots} circles");
    // The size line has a smaller error, .5, and is drawn: one mark for each point and one in the legend. The
    // mean is not drawn.
    assert!(of(3).contains("baseline: size") && !of(3).contains("baseline: mean"));
    assert_eq!(of(3).matches("<polygon").count(), 3);
    assert_eq!(stdout(&surmise(&["report", "predictions", text(folder.path()), "--format", "md"])), of(1));
}

#[test]
fn predictions_of_a_card_have_its_unit_with_refusals_and_coverage() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("p.csv");
    let head = "target_model,corpus,target,unit,y_hat,low,high,level,backtest_coverage,regime,measured\n";
    let rows = "a,x,q,BLEU,20,10,30,0.9,0.75,extrapolation,26\nb,x,q,BLEU,,,,0.9,,extrapolation,\n";
    std::fs::write(&file, format!("{head}{rows}")).expect("a file");
    let csv = stdout(&surmise(&["report", "predictions", text(&file)]));
    let lines: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "a,x,BLEU,20,10,30,26,-6,yes,,,0.9,0.75,extrapolation,q,,ok,",
            "b,x,BLEU,,,,,,,,,0.9,,refused,q,,unsupported,"
        ]
    );
    let shown = stdout(&surmise(&["report", "predictions", text(&file), "--format", "md"]));
    let caption = "n = 1 predictions for 2 rows of 2 models, the other rows refused; mean absolute error \
                   6.000 BLEU; 1 of 1 measurements inside their interval.";
    assert!(shown.contains(caption) && !shown.contains("nats"), "{shown}");
    // Errors in BLEU and in shares have no common mean.
    std::fs::write(&file, format!("{head}{rows}c,x,r,,0.2,0.1,0.3,0.9,0.9,interpolation,0.1\n"))
        .expect("a file");
    let refused = surmise(&["report", "predictions", text(&file)]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(2) && told.contains("a separate report for each"), "{told}");
}

#[test]
fn curves_and_heat_maps_show_the_values_of_profiles_csv() {
    let folder = tempfile::tempdir().expect("a folder");
    let (run, out) = (folder.path().join("run"), folder.path().join("out"));
    let measure = [
        "measure",
        "--estimand=positional",
        "minigpt-3",
        "minillama-2",
        "--corpus",
        "colours",
        "--windows",
        "80",
        "--entities",
        "3",
        "-q",
    ];
    stdout(&surmise(&[&measure[..], &["-o", text(&run)]].concat()));
    let read = |path: &Path| -> Vec<std::collections::BTreeMap<String, String>> {
        csv::Reader::from_path(path).expect("a file").deserialize().map(|row| row.expect("a row")).collect()
    };
    let rows = read(&run.join("profiles.csv"));
    for name in ["profiles", "shots", "depth"] {
        stdout(&surmise(&["report", name, text(&run), "-o", text(&out), "-q"]));
    }
    let number = |row: &std::collections::BTreeMap<String, String>, column: &str| {
        row[column].parse::<f64>().expect("a number")
    };
    // The report must equal the mean over blocks 2 and 3 of minigpt-3, computed from the rows of
    // profiles.csv.
    for shot in read(&out.join("shots.csv")).iter().filter(|row| row["model"] == "minigpt-3") {
        let of = |column: &str| {
            let own = rows.iter().filter(|row| {
                row["model"] == "minigpt-3"
                    && row["role"] == "entity"
                    && row["noise_scale"] == "0.25"
                    && row["reading_index"] == shot["reading_index"]
                    && row["block"] != "1"
            });
            let values: Vec<f64> = own.map(|row| number(row, column)).collect();
            assert_eq!(values.len(), 2);
            values.iter().sum::<f64>() / 2.0
        };
        for (column, source) in [
            ("emergence_nats", "emergence_nats"),
            ("variance_nats2", "variance_nats2"),
            ("random_init_nats", "random_init_nats"),
        ] {
            assert!((number(shot, column) - of(source)).abs() < 1e-12, "{column}");
        }
    }
    let depth = read(&out.join("depth.csv"));
    assert_eq!(
        depth.len(),
        rows.iter()
            .filter(|r| r["role"] == "entity" && r["reading_index"] == "3" && r["noise_scale"] == "0.25")
            .count()
    );
    assert!(depth.iter().all(|row| number(row, "depth") > 0.0 && number(row, "depth") <= 1.0));
    for file in [
        "profiles-minigpt-3-colours.svg",
        "profiles-minillama-2-colours.pdf",
        "shots.svg",
        "shots-variance.pdf",
        "depth.pdf",
    ] {
        assert!(out.join(file).is_file(), "{file}");
    }
    // The figure contains a background, two maps of 3 blocks by 3 entities, each with a frame and a colour
    // scale of 64 steps, and two legend marks for block 1 and for flagged cells.
    let svg = std::fs::read_to_string(out.join("profiles-minigpt-3-colours.svg")).expect("a figure");
    assert_eq!(svg.matches("<rect").count(), 1 + 2 * (9 + 1 + 64) + 2);
    let few =
        stdout(&surmise(&["report", "shots", text(&run), "--model", "minillama-2", "--noise-scale", "0.4"]));
    assert_eq!(few.lines().count(), 1 + 3);
}

#[test]
fn unusable_inputs_of_a_report_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |arguments: &[&str], code: i32, says: &[&str]| {
        let output = surmise(&[&["report"], arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty());
        says.iter().for_each(|words| assert!(stderr.contains(words), "{words:?} is not in {stderr}"));
    };
    let file = folder.path().join("predictions.csv");
    std::fs::write(&file, PREDICTIONS.replace("2.0,2.5", "two,2.5")).expect("a file");
    refused(&["predictions", text(&file)], 1, &["predictions.csv, line 3", "\"two\"", "`measured`"]);
    std::fs::write(&file, "a,b\n1,2\n").expect("a file");
    refused(&["predictions", text(&file)], 1, &["line 1", "no column `target_model`"]);
    std::fs::write(&file, PREDICTIONS).expect("a file");
    refused(
        &["predictions", text(&file), "--corpus", "x"],
        2,
        &["unknown corpus `x`", "the inputs contain colours"],
    );
    refused(&["predictions", text(&file), "--corpus", "color"], 2, &["did you mean colours?"]);
    // An unknown name next to a known name is an error. Otherwise the model would be missing from the report
    // without a message.
    refused(&["predictions", text(&file), "--model", "b", "--model", "c_1"], 2, &["did you mean a_1?"]);
    refused(&["profiles", text(&file)], 1, &["predictions.csv", "no column `model`", "profiles.csv"]);
    // The error for a file of an earlier version states the new name of the column.
    let earlier = folder.path().join("earlier.csv");
    std::fs::write(&earlier, PREDICTIONS.replace("y_hat,low", "emergence_nats,low_nats")).expect("a file");
    refused(&["predictions", text(&earlier)], 1, &["column emergence_nats is called y_hat now"]);
    refused(&["profile", text(&file)], 2, &["unknown report `profile`", "profiles, shots, depth"]);
    refused(&["shots", text(folder.path())], 1, &["cannot read", "profiles.csv"]);
    refused(&["calibration", text(&file)], 1, &["predictions.csv", "is not a card"]);
    refused(&["shots"], 2, &["<INPUT>"]);
    // The table of a report would have the name of its input file, so the command returns an error.
    let here = ["predictions", text(folder.path()), "-o", text(folder.path())];
    refused(&here, 2, &["-o would replace", "predictions.csv"]);
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), PREDICTIONS);
}

#[test]
fn an_edited_card_gives_no_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let card = folder.path().join("card.json");
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/calibration/obs_tidy.csv");
    let output = surmise(&[
        "calibrate",
        table,
        "--target",
        "pt_gsm8k_5shot",
        "--features",
        "bench_mmlu,bench_arc_c",
        "-o",
        text(&card),
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = stdout(&surmise(&["report", "calibration", text(&card), "--format", "md"]));
    assert!(told.contains("Back-tested errors of pt_gsm8k_5shot: n = ") && told.contains("pcr-1"), "{told}");
    let written = std::fs::read_to_string(&card).expect("a card");
    let edited = written.replacen("\"mae\": 0", "\"mae\": 9", 1);
    assert_ne!(edited, written);
    std::fs::write(&card, edited).expect("a card");
    let output = surmise(&["report", "calibration", text(folder.path())]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(1) && output.stdout.is_empty() && told.contains("its hash"),
        "{told}"
    );
}
