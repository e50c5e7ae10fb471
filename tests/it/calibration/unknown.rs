//! Tests, with the real binary, tables with missing information: the families of some or all rows are
//! unknown, or the sizes are unknown.

use surmise::calibration::{Card, Regime};

use crate::support::tidy::{Rows, calibrated, folder, predicted, surmise, table, with};

/// 24 models of `families` families; the families of the first `blank` models are unknown.
fn blanked(families: usize, blank: usize) -> Rows {
    let mut rows = table(24);
    for (i, row) in rows.iter_mut().enumerate() {
        row.insert("family", if i < blank { String::new() } else { format!("f{}", i % families) });
    }
    rows
}

#[test]
fn rows_of_unknown_family_count_as_no_family_and_are_in_no_family_fold() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let ask = |rows: &Rows| {
        let mut query = vec![rows[20].clone(), rows[20].clone(), rows[20].clone()];
        query.iter_mut().for_each(|row| drop(row.insert("model", "asked".into())));
        query[1].insert("family", "another".into());
        query[2].insert("family", String::new());
        predicted(&card, &query)
    };
    // Two families and rows of unknown family do not count as three families.
    assert!(calibrated(&blanked(2, 1), &["--features", "a,b"], &card).status.success());
    let rows = ask(&blanked(2, 1));
    assert!(rows[0]["status"] == "ok" && !rows[0]["note"].contains("unknown"), "{rows:?}");
    for row in &rows[1..] {
        assert!(row["y_hat"].is_empty() && row["note"].contains("come from 2 families"), "{row:?}");
    }

    let output = calibrated(&blanked(5, 8), &["--features", "a,b"], &card);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("column family is empty in 8 of 24 rows"), "{told}");
    assert!(told.contains("in 5 families (the family of 8 rows is unknown)"), "{told}");
    let read = Card::read(card.as_ref()).expect("the card");
    assert_eq!((read.rows.families.len(), read.rows.n_without_family), (5, 8));
    let chosen = read.fit.within_range.as_ref().expect("a candidate");
    assert!(
        chosen.residuals.leave_family_out.held_out.len() == 16
            && chosen.residuals.leave_family_out.held_out.iter().all(|row| !row.family.is_empty())
    );
    assert_eq!(chosen.residuals.leave_model_out.held_out.len(), 24);
    let tried = Regime::NewFamily.coverage(&read.backtest).expect("a coverage").levels.len();
    let refused = read.backtest.refused.leave_family_out.expect("folds");
    assert!((tried as f64 - 16.0 * (1.0 - refused)).abs() < 1e-9, "{tried} and {refused}");
    let rows = ask(&blanked(5, 8));
    assert!(!rows[0]["note"].contains("unknown"), "{rows:?}");
    for row in &rows[1..] {
        assert!(
            row["status"] == "ok"
                && row["note"].contains("the families of 8 of the 24 training rows are unknown"),
            "{row:?}"
        );
    }

    // If most families are unknown, the known families support no prediction for a new family, neither within
    // the training range nor beyond it.
    assert!(calibrated(&blanked(4, 13), &["--features", "a,b"], &card).status.success());
    let rows = ask(&blanked(4, 13));
    assert_eq!(["ok", "unsupported", "unsupported"], [0, 1, 2].map(|at| rows[at]["status"].as_str()));
    assert!(rows[1]["note"].contains("families of 13 of 24 rows are unknown"), "{rows:?}");
    let mut larger = blanked(4, 13)[20].clone();
    larger.extend([("family", "another".into()), ("params_b", "30".into())]);
    let rows = predicted(&card, &[larger]);
    assert!(
        rows[0]["regime"] == "extrapolation" && rows[0]["note"].contains("13 of 24 rows are unknown"),
        "{rows:?}"
    );
}

#[test]
fn an_empty_family_column_counts_as_missing() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let output = calibrated(&blanked(1, 24), &["--features", "a,b"], &card);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("column family is empty in every row with a target"), "{told}");
    assert!(told.contains("no column of families") && !told.contains("every family in column"), "{told}");
    let words = surmise(&["card", &card]);
    assert!(!String::from_utf8_lossy(&words.stdout).contains("every family in column"));
    let rows = predicted(&card, &table(24)[12..14]);
    assert!(rows.iter().all(|row| row["note"].contains("families are unknown: related")), "{rows:?}");
}

#[test]
fn an_unused_size_causes_no_refusal_and_a_used_unknown_size_is_reported() {
    let (_keep, at) = folder();
    let card = at("card.json");
    // Models of increasing strength; only the weakest four have known sizes.
    let wave = |i: usize, times: f64| 0.05 * (i as f64 * times).sin();
    let mut rows = with(40, "a", |i| (i as f64 / 20.0 - 1.0 + wave(i, 0.37)).to_string());
    for (i, row) in rows.iter_mut().enumerate() {
        row.insert("b", (i as f64 / 20.0 - 1.0 + wave(i, 0.91)).to_string());
        row.insert("y", (i as f64 / 10.0 - 2.0 + wave(i, 2.3)).to_string());
        row.insert("params_b", if i < 4 { (i + 1).to_string() } else { String::new() });
    }
    assert!(calibrated(&rows, &["--features", "a,b"], &card).status.success());
    let mut query = vec![rows[20].clone(); 3];
    query[0].insert("params_b", "2".into());
    query[1].insert("params_b", "1e6".into());
    let told = predicted(&card, &query);
    // The sizes of most models are unknown, so no candidate uses sizes.
    assert_eq!(["ok"; 3], [0, 1, 2].map(|at| told[at]["status"].as_str()), "{told:?}");
    assert!(told[1]["y_hat"] == told[2]["y_hat"] && !told[2]["note"].contains("SIZE"), "{told:?}");

    // If candidates use sizes, the note states up to which size the prediction is valid.
    assert!(calibrated(&table(24), &["--features", "a,b"], &card).status.success());
    let read = Card::read(card.as_ref()).expect("the card");
    let held = &read.fit.beyond_range.as_ref().expect("a candidate").residuals.forward.held_out;
    let reach = held.iter().filter_map(|row| row.log10_size_gap).fold(f64::MIN, f64::max);
    let mut unsized_row = table(24)[12].clone();
    unsized_row.insert("params_b", String::new());
    let told = predicted(&card, &[unsized_row]);
    let said = format!(
        "if the true size is more than {reach:.1} decades beyond the largest training size (24.00 in \
         params_b), this prediction is not valid"
    );
    assert!(told[0]["note"].contains(&said), "{said}: {told:?}");
}
