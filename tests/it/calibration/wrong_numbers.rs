//! Tests inputs that would give a wrong number, with the real binary: files that are both input and output,
//! proxies that equal the target, and rows far outside the training range.

use surmise::calibration::{Card, Regime};

use crate::support::tidy::{Rows, calibrated, folder, predicted, refused, surmise, table, with, write};

#[test]
fn an_output_that_is_an_input_is_refused_and_the_input_stays_unchanged() {
    let (_keep, at) = folder();
    let (file, card) = (at("t.csv"), at("card.json"));
    write(&file, &table(24));
    assert!(calibrated(&table(24), &[], &card).status.success());
    let before = [&file, &card].map(|path| std::fs::read(path).expect("a file"));
    // An output that is an input under another path is refused as well.
    let (folder, name) = file.rsplit_once('/').expect("a folder");
    let other = format!("{folder}/./{name}");
    let calibrate = ["calibrate", &file, "--target", "y", "-o"];
    let predict = ["predict", "--calibration", &card, &file, "-o"];
    for (arguments, output) in
        [(&calibrate, &file), (&calibrate, &other), (&predict, &file), (&predict, &card)]
    {
        let answer = surmise(&[&arguments[..], &[output.as_str()]].concat());
        let told = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert!(answer.status.code() == Some(2) && told.contains("-o would replace"), "{told}");
    }
    assert_eq!(before, [&file, &card].map(|path| std::fs::read(path).expect("a file")));
}

#[test]
fn a_proxy_that_equals_the_target_is_refused_and_one_with_the_same_ranks_is_reported() {
    let of = |value: &dyn Fn(f64) -> f64| {
        with(24, "p", |i| value(table(24)[i]["y"].parse::<f64>().expect("y")).to_string())
    };
    assert!(
        refused(&table(24), &["--features", "a,b", "--proxy", "y"])
            .contains("--proxy y is the target itself")
    );
    for copy in [of(&|y| y), of(&|y| 2.0 * y), of(&|y| 1.0 - 0.5 * y)] {
        let told = refused(&copy, &["--features", "a,b", "--proxy", "p"]);
        assert!(told.contains("--proxy p is the target y in another unit"), "{told}");
    }
    let (_keep, at) = folder();
    let bent =
        calibrated(&of(&|y| (5.0 * y).exp()), &["--features", "a,b", "--proxy", "p"], &at("card.json"));
    let told = String::from_utf8_lossy(&bent.stderr).into_owned();
    assert!(told.contains("--proxy p RANKS THE ROWS AS THE TARGET y DOES"), "{told}");
}

#[test]
fn a_row_farther_out_than_the_back_tests_has_no_number() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &["--features", "a,b"], &card).status.success());
    let read = Card::read(card.as_ref()).expect("the card");
    let held = &read.fit.beyond_range.as_ref().expect("a candidate").residuals.forward.held_out;
    let reach = held.iter().filter_map(|row| row.log10_size_gap).fold(f64::MIN, f64::max);
    let largest = read.range.distances.last().expect("distances");
    let mut query = vec![table(24)[12].clone(); 5];
    // The largest size of the training rows is 24.
    for (row, gap) in query.iter_mut().zip([reach - 0.01, reach + 0.5]) {
        row.insert("params_b", (24.0 * 10f64.powf(gap)).to_string());
    }
    query[2].insert("a", "900".into());
    query[4].insert("a", "-900".into());
    query[3].insert("params_b", "1e9".into());
    let rows = predicted(&card, &query);
    assert!(rows[0]["status"] == "ok" && rows[0]["regime"] == "extrapolation", "{rows:?}");
    for at in [1, 3] {
        assert!(rows[at]["status"] == "unsupported" && rows[at]["y_hat"].is_empty(), "{rows:?}");
        let said = format!("times the largest distance in back-tests ({reach:.1})");
        assert!(
            rows[at]["note"].contains("decades beyond the training range")
                && rows[at]["note"].contains(&said)
                && rows[at]["note"].ends_with("; add larger models"),
            "{rows:?}"
        );
    }
    // One of the two distant rows is stronger than all training rows; the other is weaker.
    let far = [&rows[2], &rows[4]];
    for row in far {
        let distance: f64 = row["mahalanobis"].parse().expect("a distance");
        assert!(distance > 3.0 * largest && row["y_hat"].is_empty(), "{row:?}");
    }
    // The note states the kind of distance and its limit, the feature, and which models to add.
    let says = |row: &std::collections::BTreeMap<String, String>, until: &str| {
        row["note"].contains("Mahalanobis distance")
            && row["note"].contains("the limit is 3 times this distance")
            && row["note"].ends_with(&format!("; check a, or add models with a {until}"))
    };
    let mut kinds = [
        (far[0]["regime"].as_str(), says(far[0], "up to 900.0")),
        (far[1]["regime"].as_str(), says(far[1], "down to -900.0")),
    ];
    kinds.sort_unstable();
    assert_eq!(kinds, [("below_range", true), ("extrapolation", true)], "{rows:?}");
}

/// 24 models whose target is the proxy's value plus a gain that grows with the size ratio.
fn gains(unit: impl Fn(f64) -> f64) -> Rows {
    let mut rows = table(24);
    for (i, row) in rows.iter_mut().enumerate() {
        let (p, size) = ((i as f64 * 0.77).sin(), row["params_b"].parse::<f64>().expect("a size"));
        row.extend([("proxy_b", "0.5".into()), ("p", unit(p).to_string())]);
        row.insert("y", unit(p + 0.8 * (size / 0.5).log10() + 0.02 * (i as f64 * 3.1).sin()).to_string());
    }
    rows
}

const GAIN: [&str; 6] = ["--features", "a,b", "--proxy", "p", "--proxy-size", "proxy_b"];

#[test]
fn a_proxy_or_a_size_ratio_farther_out_than_the_back_tests_has_no_number() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let rows = gains(|eta| eta);
    assert!(calibrated(&rows, &GAIN, &card).status.success());
    let read = Card::read(card.as_ref()).expect("the card");
    let held = &read.fit.beyond_range.as_ref().expect("a candidate").residuals.forward.held_out;
    let reach = held.iter().filter_map(|row| row.proxy_gaps).map(|gaps| gaps[0]).fold(f64::MIN, f64::max);
    let largest = rows.iter().map(|row| row["p"].parse::<f64>().expect("p")).fold(f64::MIN, f64::max);
    assert!(reach > 0.0);
    let mut query = vec![rows[12].clone(); 7];
    let values = [largest, largest + 0.9 * reach, largest + reach + 0.1, 1000.0, -50.0];
    query.iter_mut().zip(values).for_each(|(row, value)| drop(row.insert("p", value.to_string())));
    query[5].insert("proxy_b", "1e-9".into());
    query[6].insert("proxy_b", "1e6".into());
    let told = predicted(&card, &query);
    assert!(told[0]["status"] == "ok" && told[0]["regime"] == "interpolation", "{told:?}");
    assert!(told[1]["status"] == "ok" && told[1]["regime"] == "extrapolation", "{told:?}");
    assert!(
        told[0]["out_of_range_features"].is_empty() && told[1]["out_of_range_features"] == "p",
        "{told:?}"
    );
    for (at, column, said) in [
        (2, "p", format!("above the training range; back-tests reached only {reach:.2}")),
        (3, "p", "above the training range".into()),
        (4, "p", "below the training range".into()),
        (5, "proxy_b", "size ratio to the proxy".into()),
        (6, "proxy_b", "size ratio to the proxy".into()),
    ] {
        let row = &told[at];
        // The row may be predicted from its size, but not from the proxy.
        assert!(row["y_hat"].is_empty() || row["answered_by"] == "size", "{row:?}");
        assert!(row["out_of_range_features"] == column && row["note"].contains(&said), "{said}: {row:?}");
        assert_eq!(row["regime"], "extrapolation");
    }
}

#[test]
fn a_proxy_outside_the_bounds_of_the_target_is_an_error_in_training_and_a_refusal_in_a_row() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let rows = gains(|eta| 1.0 / (1.0 + (-eta).exp()));
    assert!(calibrated(&rows, &GAIN, &card).status.success());
    let read = Card::read(card.as_ref()).expect("the card");
    assert!(read.link.is_bounded());
    let mut query = vec![rows[12].clone(); 3];
    query[1].insert("p", "40".into());
    query[2].insert("p", "-3".into());
    let told = predicted(&card, &query);
    assert_eq!(told[0]["status"], "ok");
    for (row, value) in told[1..].iter().zip(["40", "-3"]) {
        assert!(
            row["y_hat"].is_empty() && row["note"].contains(&format!("p is {value}, outside 0 to 1")),
            "{row:?}"
        );
    }
    let mut percent = rows;
    percent.iter_mut().for_each(|row| {
        let share: f64 = row["p"].parse().expect("p");
        row.insert("p", (100.0 * share).to_string());
    });
    let message = refused(&percent, &GAIN);
    assert!(message.contains("line 2: column p contains") && message.contains("outside 0 to 1"), "{message}");
}

#[test]
fn a_row_of_unknown_size_has_the_interval_beyond_the_range_and_a_note() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &["--features", "a,b"], &card).status.success());
    let mut query = vec![table(24)[12].clone(), table(24)[12].clone()];
    query.iter_mut().for_each(|row| drop(row.insert("model", "another".into())));
    query[1].insert("params_b", String::new());
    let rows = predicted(&card, &query);
    assert!(rows.iter().all(|row| row["status"] == "ok" && row["regime"] == "interpolation"), "{rows:?}");
    assert!(!rows[0]["note"].contains("SIZE"), "{rows:?}");
    let note = "SIZE UNKNOWN: only the features determine the regime. The model may be larger";
    assert!(rows[1]["note"].contains(note), "{rows:?}");
    assert_eq!([0, 1].map(|at| rows[at]["interval_method"].as_str()), ["jackknife_plus", "maximum"]);
    // The coverage comes from a back-test of rows whose size was removed.
    let held: f64 = rows[1]["backtest_coverage"].parse().expect("a coverage");
    assert!((0.5..=1.0).contains(&held), "{held}");
}

#[test]
fn a_row_states_that_it_is_a_training_row_and_that_families_are_unknown() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let mut query = vec![table(24)[12].clone(), table(24)[12].clone()];
    query[1].insert("model", "another".into());
    assert!(calibrated(&table(24), &["--features", "a,b"], &card).status.success());
    let rows = predicted(&card, &query);
    assert_eq!([0, 1].map(|at| rows[at]["note"].contains("in the training data")), [true, false], "{rows:?}");
    // A row without a name is identified by its line number. In another file, this line may contain another
    // model.
    let mut nameless = table(24);
    nameless[0].insert("model", String::new());
    assert!(calibrated(&nameless, &["--features", "a,b"], &card).status.success());
    query[1].insert("model", String::new());
    let rows = predicted(&card, &[query[1].clone(), query[0].clone()]);
    assert_eq!(rows[0]["target_model"], "line 2");
    assert_eq!([0, 1].map(|at| rows[at]["note"].contains("in the training data")), [false, true], "{rows:?}");
    assert!(calibrated(&table(24), &["--features", "a,b"], &card).status.success());
    query[1].insert("model", "another".into());
    let rows = predicted(&card, &query);
    assert!(rows.iter().all(|row| !row["note"].contains("families")), "{rows:?}");
    let mut alone = table(24);
    alone.iter_mut().for_each(|row| drop(row.remove("family")));
    assert!(calibrated(&alone, &["--features", "a,b"], &card).status.success());
    let rows = predicted(&card, &query);
    let said = "families are unknown: related training rows were not left out together";
    assert!(rows.iter().all(|row| row["status"] == "ok" && row["note"].contains(said)), "{rows:?}");
}

#[test]
fn the_number_of_independent_models_behind_few_predictions_is_stated() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let mut pairs = table(24);
    for (i, row) in pairs.iter_mut().enumerate() {
        row.extend([("model", format!("m{}", i % 8)), ("family", format!("f{}", i % 4))]);
        row.insert("params_b", (1 + i % 8).to_string());
    }
    let output = calibrated(&pairs, &["--features", "a,b"], &card);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = predicted(&card, &pairs[12..13]);
    assert_eq!(rows[0]["backtest_n"], "24");
    assert!(rows[0]["note"].contains("on only 24 predictions of 8 models"), "{rows:?}");
    let heavy = with(24, "w", |i| if i == 2 { "20".into() } else { "1".into() });
    let output = calibrated(&heavy, &["--features", "a,b", "--weights", "w"], &card);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = predicted(&card, &heavy[12..13]);
    assert!(rows[0]["note"].contains("on only 24 predictions of about 4.4 independent models"), "{rows:?}");
    assert!(rows[0]["note"].contains("too few back-test errors for a 90 % interval"), "{rows:?}");
}

#[test]
fn a_coverage_states_the_predictions_that_it_is_based_on() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let wave = |i: usize, times: f64| (i as f64 * times).sin();
    let strength = |i: usize| i as f64 / 12.0 - 1.0;
    let mut rows = with(24, "a", |i| (strength(i) + 0.03 * wave(i, 3.7)).to_string());
    for (i, row) in rows.iter_mut().enumerate() {
        row.insert("family", format!("f{}", i % 6));
        row.insert("b", (strength(i) + 0.03 * wave(i, 9.1)).to_string());
        row.insert("params_b", 10f64.powf(strength(i) + 0.02 * wave(i, 5.9)).to_string());
        row.insert("y", (2.0 * strength(i) + 0.05 * wave(i * i, 4.3)).to_string());
    }
    assert!(calibrated(&rows, &["--features", "a,b"], &card).status.success());
    let read = Card::read(card.as_ref()).expect("the card");
    let tried = Regime::Extrapolation.coverage(&read.backtest).expect("a coverage");
    let mut query = rows[23].clone();
    query.extend([("model", "asked".into()), ("family", "another".into()), ("params_b", "11".into())]);
    query.insert("family", "f1".into());
    let told = predicted(&card, &[query]);
    let n = tried.levels.len();
    assert!(tried.effective_n <= n as f64 + 1e-9);
    assert!(told[0]["regime"] == "extrapolation" && told[0]["backtest_n"] == n.to_string(), "{told:?}");
    let said = told[0]["note"].contains(&format!("coverage was back-tested on only {n} predictions of "));
    assert_eq!(said, tried.effective_n < 10.0 - 1e-6, "{told:?}");
}

#[test]
fn rows_that_differ_only_by_proxy_or_weight_give_the_same_card_in_another_order() {
    let (_keep, at) = folder();
    let card = |rows: &Rows, flags: &[&str]| {
        calibrated(rows, flags, &at("card.json"));
        std::fs::read(at("card.json")).expect("a card")
    };
    for (column, flag) in [("p", "--proxy"), ("w", "--weights")] {
        // Each model has two rows that differ only in `column`.
        let mut rows = with(24, column, |i| (1.0 + (i as f64 * 0.7).sin().abs()).to_string());
        for i in 0..12 {
            let value = rows[i + 12][column].clone();
            rows[i + 12] = rows[i].clone();
            rows[i + 12].insert(column, value);
        }
        let flags = ["--features", "a,b", flag, column];
        let first = card(&rows, &flags);
        rows.reverse();
        assert!(card(&rows, &flags) == first, "with {flag} the order of rows changes the card");
    }
}

#[test]
fn huge_cells_infinite_bounds_and_collinear_columns_are_named() {
    let huge =
        |column| with(24, column, move |i| if i == 5 { "1e300".into() } else { ((i * i) % 17).to_string() });
    for column in ["a", "y"] {
        for flags in [&["--features", "a,b"][..], &[]] {
            let told = refused(&huge(column), flags);
            assert!(
                told.contains("line 7") && told.contains(&format!("column {column} contains 1e300")),
                "{told}"
            );
        }
    }
    let told =
        refused(&with(24, "w", |i| if i == 5 { "1e308".into() } else { "1".into() }), &["--weights", "w"]);
    assert!(told.contains("line 7") && told.contains("column w contains 1e308"), "{told}");
    let tiny = |i: usize| (1e-200 * table(24)[i]["b"].parse::<f64>().expect("b")).to_string();
    for column in ["a", "y"] {
        let told = refused(&with(24, column, tiny), &["--features", "a"]);
        assert!(
            told.contains(&format!("no value of column {column} exceeds")) && told.contains("unit"),
            "{told}"
        );
    }
    let told = refused(&table(24), &["--same", "family,y"]);
    assert!(told.contains("--same names the target y"), "{told}");
    let (_keep, at) = folder();
    let output = calibrated(&table(24), &["--range", "0,inf"], &at("card.json"));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && told.contains("--range is 0,inf"), "{told}");
    let number = |i: usize, name: &str| table(24)[i][name].parse::<f64>().expect("a number");
    let sum = with(24, "c", |i| (number(i, "a") - 2.0 * number(i, "b")).to_string());
    let told = calibrated(&sum, &["--features", "a,b,c"], &at("card.json")).stderr;
    assert!(String::from_utf8_lossy(&told).contains("c is collinear with earlier features"));
    let told = calibrated(&table(24), &["--features", "a,b"], &at("card.json")).stderr;
    assert!(!String::from_utf8_lossy(&told).contains("collinear"));
}
