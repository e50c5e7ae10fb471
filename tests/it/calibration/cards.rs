//! Calibrations through the real binary: an unmodified table of public scores, predictions that need only the
//! card and a table, and invalid cards.

use std::collections::BTreeMap;

use surmise::calibration::{Card, Table};

use crate::support::tidy::{
    OBSERVATIONS, Rows, calibrated, folder, refused, rows, surmise, table, with, write,
};

#[test]
fn unmodified_public_scores_are_calibrated_and_predicted_without_the_target_column() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let arguments = |threads: &'static str| {
        let mut all = vec!["calibrate", OBSERVATIONS, "--target", "pt_gsm8k_5shot", "--where"];
        all.extend([
            "flops_1e21<=84",
            "--features",
            "bench_mmlu,bench_arc_c,bench_hellaswag,bench_xwinograd",
        ]);
        // The query table below lacks these columns, so the card must not record their values as kinds.
        all.extend(["--ignore", "kind,obs_evaluated_family,preregistered_new", "--threads", threads]);
        all
    };
    let one = surmise(&arguments("1"));
    assert!(one.status.success(), "{}", String::from_utf8_lossy(&one.stderr));
    assert!(surmise(&arguments("2")).stdout == one.stdout, "two threads gave another card");
    std::fs::write(&card, &one.stdout).expect("a card");
    let text = String::from_utf8_lossy(&one.stdout).into_owned();
    assert!(!text.contains("null") && !text.contains("NaN"));

    // Without the target column and in another order, the same rows get the same predictions.
    let known = rows(OBSERVATIONS);
    let header =
        ["model", "family", "params_b", "bench_arc_c", "bench_xwinograd", "bench_mmlu", "bench_hellaswag"];
    let mut writer = csv::Writer::from_path(at("q.csv")).expect("a file");
    writer.write_record(header).expect("a header");
    for row in known.iter().rev() {
        writer.write_record(header.map(|name| row[name].as_str())).expect("a row");
    }
    writer.flush().expect("a file");
    let predict = |from: &str, to: &str| {
        let output = surmise(&["predict", "--calibration", &card, from, "-o", to]);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
        rows(to)
    };
    let (mut first, mut second) = (predict(OBSERVATIONS, &at("p.csv")), predict(&at("q.csv"), &at("r.csv")));
    second.reverse();
    // The predictions from the two tables differ only in the column `measured`.
    let measured: Vec<String> = first.iter().map(|row| row["measured"].clone()).collect();
    let is_as_measured = |(measured, row): (&String, &BTreeMap<String, String>)| {
        measured.parse::<f64>().ok() == row["pt_gsm8k_5shot"].parse::<f64>().ok()
    };
    assert!(measured.iter().zip(&known).all(is_as_measured));
    assert!(second.iter().all(|row| row["measured"].is_empty()));
    first.iter_mut().for_each(|row| drop(row.insert("measured".into(), String::new())));
    assert_eq!(first, second);
    assert_eq!(first.len(), known.len());
    for (prediction, row) in first.iter().zip(&known) {
        assert_eq!(prediction["target_model"], row["model"]);
        if prediction["status"] != "ok" {
            assert!(!prediction["note"].is_empty(), "{prediction:?}");
            continue;
        }
        let number = |name: &str| prediction[name].parse::<f64>().expect(name);
        assert!(number("low") <= number("y_hat") && number("y_hat") <= number("high"));
        assert!((0.0..=1.0).contains(&number("backtest_coverage")) && number("level") == 0.9);
    }
    let regimes: std::collections::BTreeSet<&str> = first.iter().map(|row| row["regime"].as_str()).collect();
    assert_eq!(
        regimes.into_iter().collect::<Vec<_>>(),
        ["below_range", "extrapolation", "interpolation", "new_family"]
    );

    let words = surmise(&["card", &card]);
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(
        words.contains("45 models") && words.contains("skill") && words.contains("back-tested"),
        "{words}"
    );
}

#[test]
fn the_library_gives_the_predictions_of_the_binary_to_the_last_digit() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &[], &card).status.success());
    write(&at("q.csv"), &table(30));
    surmise(&["predict", "--calibration", &card, &at("q.csv"), "-o", &at("p.csv")]);
    let read = Card::read(card.as_ref()).expect("the card");
    let ours =
        read.predict(&Table::read(at("q.csv").as_ref()).expect("the table"), 0.9).expect("predictions");
    for (row, ours) in rows(&at("p.csv")).iter().zip(ours) {
        assert_eq!(row["y_hat"].parse::<f64>().ok(), ours.y_hat);
        assert_eq!(row["low"].parse::<f64>().ok(), ours.low);
    }
}

#[test]
fn values_in_nats_are_not_shares_and_a_target_has_one_family() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let small = |i: usize| (0.4 + 0.2 * table(24)[i]["y"].parse::<f64>().expect("y")).to_string();
    let nats: Rows = with(24, "gain_nats", small);
    write(&at("t.csv"), &nats);
    for (target, link) in [("gain_nats", "identity"), ("gain", "logit")] {
        let renamed = std::fs::read_to_string(at("t.csv")).expect("a table").replace("gain_nats", target);
        std::fs::write(at("u.csv"), renamed).expect("a table");
        let table = at("u.csv");
        surmise(&["calibrate", &table, "--target", target, "--features", "a,b", "-o", &card]);
        assert_eq!(Card::read(card.as_ref()).expect("the card").link.name(), link);
    }
    let mut torn = table(24);
    torn[5].insert("model", "m00".into());
    let message = refused(&torn, &[]);
    assert!(["m00", "f0", "f1", "two families"].iter().all(|word| message.contains(word)), "{message}");
}

#[test]
fn the_hash_of_the_table_covers_its_column_names_and_its_proxies() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let hash = |rows: &[BTreeMap<&'static str, String>], flags: &[&str]| {
        calibrated(rows, flags, &card);
        Card::read(card.as_ref()).expect("the card").rows.observations_sha256
    };
    let proxied = |shift: f64| with(24, "p", move |i| (shift + (i as f64 * 0.7).sin()).to_string());
    let flags = ["--features", "a,b", "--proxy", "p"];
    assert_ne!(hash(&proxied(0.0), &flags), hash(&proxied(1.0), &flags));
    let renamed = with(24, "z", |i| table(24)[i]["b"].clone());
    assert_ne!(hash(&renamed, &["--features", "a,b"]), hash(&renamed, &["--features", "a,z"]));
}

#[test]
fn a_modified_card_is_refused() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &[], &card).status.success());
    write(&at("q.csv"), &table(24));
    let text = std::fs::read_to_string(&card).expect("the card");
    let predict = |text: &str, table: &str| {
        std::fs::write(at("other.json"), text).expect("a file");
        let output = surmise(&["predict", "--calibration", &at("other.json"), table]);
        assert!(output.status.code() == Some(1) && output.stdout.is_empty());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let edited = text.replacen("\"level\": 0.9", "\"level\": 0.8", 1);
    assert_ne!(edited, text);
    assert!(predict(&edited, &at("q.csv")).contains("hash"));
    assert!(
        predict(&text.replacen("\"version\": 11", "\"version\": 12", 1), &at("q.csv")).contains("version 12")
    );
    let added = text.replacen("\"level\": 0.9", "\"levle\": 0.8,\n  \"level\": 0.9", 1);
    assert!(predict(&added, &at("q.csv")).contains("hash"));
    assert!(predict("{}", &at("q.csv")).contains("no schema"));
    assert!(predict(&text[..200], &at("q.csv")).contains("JSON"));
    // A table that lacks a column of the card is an error.
    let mut lacking = table(24);
    lacking.iter_mut().for_each(|row| drop(row.remove("b")));
    write(&at("l.csv"), &lacking);
    let told = predict(&text, &at("l.csv"));
    assert!(told.contains("needs the column b, which the table lacks"), "{told}");
    assert!(told.contains("add b, with empty cells where the value is unknown"), "{told}");
    lacking.iter_mut().for_each(|row| drop(row.remove("params_b")));
    write(&at("l.csv"), &lacking);
    assert!(predict(&text, &at("l.csv")).contains("needs the columns b, params_b, which"));
    // The advice of the error works: if the columns are added with empty cells, `predict` reads the table.
    lacking.iter_mut().for_each(|row| row.extend([("b", String::new()), ("params_b", String::new())]));
    write(&at("l.csv"), &lacking);
    std::fs::write(at("other.json"), &text).expect("a file");
    let output = surmise(&["predict", "--calibration", &at("other.json"), &at("l.csv")]);
    assert!(matches!(output.status.code(), Some(0 | 3)) && !output.stdout.is_empty(), "{output:?}");
    // A table in place of a card is an error.
    let told = predict("model,a,b\nm,1,2\n", &at("q.csv"));
    assert!(
        told.contains("is not a card; `surmise calibrate TABLE --target COL -o card.json` makes"),
        "{told}"
    );
    let output = surmise(&["predict", &at("q.csv")]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && told.contains("--calibration <CARD>"), "{told}");
    assert!(told.contains("`surmise calibrate TABLE --target COL -o card.json` makes a card"), "{told}");
}

#[test]
fn a_calibration_ends_with_a_summary_and_the_name_of_the_card() {
    let (_keep, at) = folder();
    let (file, card) = (at("t.csv"), at("card.json"));
    // This table causes more notes than the summary shows. The warning comes first.
    let mut noted = table(24);
    for (i, row) in noted.iter_mut().enumerate() {
        let y: f64 = row["y"].parse().expect("y");
        row.extend([("c", "3".into()), ("p", (5.0 * y).exp().to_string()), ("index", (i + 1).to_string())]);
        row.insert("half", if i < 8 { (i * i % 7).to_string() } else { String::new() });
    }
    write(&file, &noted);
    let run = surmise(&["calibrate", &file, "--target", "y", "--proxy", "p", "-o", &card]);
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    let lines: Vec<&str> = told.lines().collect();
    assert!(run.status.success() && run.stdout.is_empty() && lines.len() <= 10, "{told}");
    assert!(lines[0].starts_with("y: fitted on 24 rows of 24 models in 8 families, with "), "{told}");
    assert_eq!(
        lines[1..5].iter().filter(|line| line.contains("skill ") || line.contains("UNSUPPORTED")).count(),
        4
    );
    assert!(lines[5].starts_with("note: ") && lines[5].contains("RANKS THE ROWS"), "{told}");
    assert!(lines[8].starts_with("and ") && lines[8].contains(" more note"), "{told}");
    assert_eq!(*lines.last().expect("a line"), format!("wrote {card}; `surmise card {card}` describes it"));
    // `card` shows all notes, including the reason why a column with values in a third of the rows is left
    // out.
    let rest = String::from_utf8_lossy(&surmise(&["card", &card]).stdout).into_owned();
    let read = Card::read(card.as_ref()).expect("the card");
    assert!(read.notes.len() > 3 && read.notes.iter().all(|note| rest.contains(&format!("note: {note}"))));
    assert!(rest.contains("column half is missing in more than half of the rows with a target"), "{rest}");
    assert!(rest.contains("column c is constant"), "{rest}");
    let run = surmise(&["calibrate", &file, "--target", "y", "--proxy", "p"]);
    assert!(String::from_utf8_lossy(&run.stderr).contains("the card is on stdout") && !run.stdout.is_empty());
}

#[test]
fn noise_has_no_skill_for_any_number_of_candidates_and_columns() {
    use rand::Rng;
    let mut supported = 0;
    for seed in 0..6 {
        let mut random = crate::support::truth::generator(seed);
        let mut text = format!(
            "model,family,params_b,{},y\n",
            (0..25).map(|j| format!("x{j}")).collect::<Vec<_>>().join(",")
        );
        for i in 0..40 {
            let cells: Vec<String> = (0..26).map(|_| random.random_range(-1.0..1.0f64).to_string()).collect();
            text.push_str(&format!("m{i},f{},{},{}\n", i % 8, 1.0 + i as f64, cells.join(",")));
        }
        let table = Table::from_bytes("noise.csv".as_ref(), text.as_bytes()).expect("a table");
        let plan =
            surmise::calibration::CalibrationSpec { target: "y".into(), level: 0.9, ..Default::default() };
        let card = surmise::calibration::calibrate(&table, &plan).expect("a card");
        supported += card.support.iter().filter(|support| support.unsupported.is_none()).count();
        for score in card.scores.leave_model_out.iter().chain(&card.scores.leave_family_out) {
            assert!(score.skill_mean < 0.15, "{score:?}");
        }
    }
    // Among two dozen candidates, one candidate may beat the mean slightly by chance.
    assert!(supported <= 12, "{supported} of 24 kinds of queries had a prediction");
}

#[test]
fn a_gain_that_grows_with_the_size_ratio_alone_is_a_line_through_the_origin() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let mut rows = with(24, "p", |i| (i as f64 * 0.77).sin().to_string());
    for (i, row) in rows.iter_mut().enumerate() {
        let (p, size) =
            (row["p"].parse::<f64>().expect("p"), row["params_b"].parse::<f64>().expect("a size"));
        row.insert("proxy_b", "0.5".into());
        row.insert("y", (p + 0.8 * (size / 0.5).log10() + 0.02 * (i as f64 * 3.1).sin()).to_string());
    }
    let output = calibrated(&rows, &["--features", "a,b", "--proxy", "p", "--proxy-size", "proxy_b"], &card);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let chosen = Card::read(card.as_ref()).expect("the card").fit.beyond_range.expect("a candidate");
    // The lines with and without a constant fit the gain equally well. The line through the origin gets at
    // least the same weight, so it is named first.
    let said = chosen.description();
    assert!(said == "gain-1" || said.starts_with("blend of gain-1"), "{said}");
    let mut query = rows[12..13].to_vec();
    query[0].insert("model", "another".into());
    let row = &crate::support::tidy::predicted(&card, &query)[0];
    let (y_hat, y) = (row["y_hat"].parse::<f64>().expect("y"), rows[12]["y"].parse::<f64>().expect("y"));
    assert!((y_hat - y).abs() < 0.03, "{row:?}");
}

#[test]
fn the_card_states_the_noise_of_the_target() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let noisy = with(24, "y_stderr", |i| if i % 2 == 0 { "0.03".into() } else { "0.04".into() });
    for flags in [&["--features", "a,b"][..], &["--features", "a,b", "--stderr", "y_stderr"]] {
        assert!(calibrated(&noisy, flags, &card).status.success());
        let noise = Card::read(card.as_ref()).expect("the card").diagnostics.noise.expect("noise");
        assert!(noise.n == 24 && (noise.rms - (0.00125f64).sqrt()).abs() < 1e-12, "{noise:?}");
        let words = surmise(&["card", &card]);
        let words = String::from_utf8_lossy(&words.stdout).into_owned();
        assert!(
            words.contains("standard error of the target (y_stderr) has a root mean square of 0.03536")
                && words.contains("no candidate can"),
            "{words}"
        );
    }
    let below = with(24, "y_stderr", |i| (i as f64 - 1.0).to_string());
    let output = calibrated(&below, &["--features", "a,b", "--stderr", "y_stderr"], &card);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && told.contains("line 2") && told.contains("below 0"), "{told}");
}
