//! Tests refusals with the real binary: rows that have a reason instead of a prediction.

use std::collections::BTreeMap;

use surmise::calibration::{Backtest, Card, Regime};

use crate::support::tidy::{OBSERVATIONS, calibrated, folder, predicted, rows, surmise, table, with, write};

#[test]
fn unsupported_predictions_have_a_reason_and_no_number() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let predicted = |query: &[BTreeMap<&'static str, String>]| {
        write(&at("q.csv"), query);
        let output = surmise(&["predict", "--calibration", &card, &at("q.csv"), "-o", &at("p.csv")]);
        (output.status.code(), rows(&at("p.csv")))
    };
    let empty = |row: &BTreeMap<String, String>| {
        row["y_hat"].is_empty() && row["low"].is_empty() && row["high"].is_empty()
    };

    // Four models are too few for a prediction.
    assert_eq!(calibrated(&table(4), &[], &card).status.code(), Some(3));
    let (code, few) = predicted(&table(6));
    assert_eq!(code, Some(3));
    assert!(few.iter().all(|row| empty(row)
        && row["status"] == "unsupported"
        && row["note"].contains("come from 4 models; at least 5 are needed; add models")));

    // Two families are too few for a prediction of a third family.
    let two: Vec<_> = table(24)
        .into_iter()
        .enumerate()
        .map(|(i, mut row)| {
            row.insert("family", format!("f{}", i % 2));
            row
        })
        .collect();
    assert!(calibrated(&two, &[], &card).status.success());
    let mut other = vec![two[10].clone(), two[10].clone(), two[10].clone()];
    other[1].insert("family", "another".into());
    other[2].extend([("family", "another".into()), ("params_b", "900".into())]);
    let (_, rows) = predicted(&other);
    let advice = "needs at least 3; add models of 1 other family";
    assert!(rows[0]["status"] == "ok" && empty(&rows[1]) && rows[1]["note"].ends_with(advice), "{rows:?}");
    assert!(
        rows[2]["regime"] == "extrapolation" && empty(&rows[2]) && rows[2]["note"].contains("2 families"),
        "{rows:?}"
    );

    // If the target depends only on the size, the size line makes the predictions.
    let mut noise = table(24);
    for (i, row) in noise.iter_mut().enumerate() {
        row.insert(
            "y",
            (row["params_b"].parse::<f64>().expect("a size").log10() + 0.01 * (i as f64).sin()).to_string(),
        );
    }
    let output = calibrated(&noise, &["--features", "a,b"], &card);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (code, rows) = predicted(&noise);
    assert_eq!(code, Some(0));
    for (row, known) in rows.iter().zip(&noise) {
        let error = row["y_hat"].parse::<f64>().expect("y") - known["y"].parse::<f64>().expect("y");
        assert!(error.abs() < 0.1, "{row:?}");
    }
}

#[test]
fn families_of_one_row_each_are_calibrated_and_a_row_without_any_feature_is_refused() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let mut single = table(24);
    for (i, row) in single.iter_mut().enumerate() {
        row.insert("family", format!("f{i}"));
    }
    let output = calibrated(&single, &[], &card);
    // Every model is its own family, so a new family is the same as a new model and is not tested twice.
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && told.contains("every family in column family has one model"),
        "{told}"
    );
    assert!(told.contains("a new family, within the range: the figures for a new model"), "{told}");
    let read = Card::read(card.as_ref()).expect("the card");
    assert_eq!(read.scores.leave_family_out, read.scores.leave_model_out);
    let of =
        |regime: Regime| regime.coverage(&read.backtest).map(|coverage| (&coverage.levels, coverage.width));
    assert!(of(Regime::NewFamily).is_some() && of(Regime::NewFamily) == of(Regime::Interpolation));
    let mut relatives = vec![single[12].clone(), single[12].clone()];
    relatives[1].insert("family", "another".into());
    let rows = predicted(&card, &relatives);
    assert_eq!([0, 1].map(|at| rows[at]["regime"].as_str()), ["interpolation", "new_family"]);
    assert!(
        ["y_hat", "low", "high", "backtest_coverage"].iter().all(|name| rows[0][*name] == rows[1][*name]),
        "{rows:?}"
    );
    // Without a family column, a note warns that related models may be on both sides of a fold.
    single.iter_mut().for_each(|row| drop(row.remove("family")));
    let told = calibrated(&single, &[], &at("other.json")).stderr;
    assert!(String::from_utf8_lossy(&told).contains("no column of families"));
    single.iter_mut().enumerate().for_each(|(i, row)| drop(row.insert("family", format!("f{i}"))));
    let mut query = vec![single[12].clone(), single[12].clone()];
    query[1].insert("a", String::new());
    query[1].insert("b", String::new());
    write(&at("q.csv"), &query);
    let output = surmise(&["predict", "--calibration", &card, &at("q.csv"), "-o", &at("p.csv")]);
    assert_eq!(output.status.code(), Some(3));
    let rows = crate::support::tidy::rows(&at("p.csv"));
    assert_eq!((rows[0]["status"].as_str(), rows[1]["status"].as_str()), ("ok", "unsupported"));
    assert_eq!(rows[1]["missing_features"], "a b");
}

#[test]
fn a_row_with_other_settings_is_refused_even_in_the_training_table() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let mut both = with(24, "corpus_sha256", |i| if i == 11 { "other".into() } else { "one".into() });
    both[11].insert("y", String::new());
    assert!(calibrated(&both, &["--same", "corpus_sha256", "--features", "a,b"], &card).status.success());
    let rows = predicted(&card, &both[10..13]);
    assert_eq!(["ok", "unsupported", "ok"], [0, 1, 2].map(|at| rows[at]["status"].as_str()));
    let note = "corpus_sha256 is other, but the card is valid only for one; measure the row with one";
    assert!(rows[1]["note"].starts_with(note) && rows[1]["y_hat"].is_empty(), "{rows:?}");
}

#[test]
fn a_row_is_predicted_from_its_known_cells_and_a_missing_proxy_does_not_affect_other_rows() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let mut wide = table(24);
    for (i, row) in wide.iter_mut().enumerate() {
        let y: f64 = row["y"].parse().expect("y");
        let names = ["c", "d", "e", "f"];
        names.iter().enumerate().for_each(|(j, name)| {
            row.insert(*name, (y + 0.1 * (i as f64 * (j as f64 + 1.7)).sin()).to_string());
        });
    }
    assert!(calibrated(&wide, &["--features", "a,b,c,d,e,f"], &card).status.success());
    let mut query = vec![wide[12].clone(), wide[12].clone(), wide[12].clone()];
    ["c", "d", "e"].iter().for_each(|name| drop(query[1].insert(*name, String::new())));
    for name in ["a", "b", "c", "d", "e", "f", "params_b"] {
        query[2].insert(name, String::new());
    }
    let rows = predicted(&card, &query);
    let number = |row: usize, name: &str| rows[row][name].parse::<f64>().expect("a number");
    assert!(
        rows[1]["status"] == "ok" && rows[1]["note"].contains("missing features, which were imputed: c d e"),
        "{rows:?}"
    );
    let truth: f64 = wide[12]["y"].parse().expect("y");
    assert!(
        (number(0, "y_hat") - truth).abs() < 0.15 && (number(1, "y_hat") - truth).abs() < 0.25,
        "{rows:?}"
    );
    // The back-test error of a row is measured on rows that lack the same cells.
    assert!(number(1, "backtest_mae") >= number(0, "backtest_mae"), "{rows:?}");
    assert!(
        rows[2]["y_hat"].is_empty()
            && rows[2]["note"].starts_with("none of the features is known; fill in at least one of them"),
        "{rows:?}"
    );

    // If only the gain over the proxy predicts the target, only the row without a proxy is refused.
    let mut proxied = with(24, "p", |i| (i as f64 * 0.77).sin().to_string());
    for (i, row) in proxied.iter_mut().enumerate() {
        let p: f64 = row["p"].parse().expect("p");
        row.insert("y", (p + 0.5 + 0.02 * (i as f64 * 3.1).sin()).to_string());
    }
    let output = calibrated(&proxied, &["--features", "a,b", "--proxy", "p"], &card);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut query = proxied[12..14].to_vec();
    query[0].insert("p", String::new());
    let rows = predicted(&card, &query);
    assert!(
        rows[0]["y_hat"].is_empty() && !rows[0]["note"].is_empty() && rows[1]["status"] == "ok",
        "{rows:?}"
    );
    // If the features predict the target, the proxy is not needed.
    let spare = with(24, "p", |i| (i as f64 * 0.77).sin().to_string());
    assert!(calibrated(&spare, &["--features", "a,b", "--proxy", "p"], &card).status.success());
    assert_eq!(predicted(&card, &table(24)[12..13])[0]["status"], "ok");
}

#[test]
fn a_row_weaker_than_all_training_rows_has_the_back_test_of_weaker_rows() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &[], &card).status.success());
    let mut query = vec![table(24)[12].clone(), table(24)[12].clone()];
    query[0].insert("params_b", "0.2".into());
    query[1].insert("params_b", "40".into());
    let rows = predicted(&card, &query);
    let of = |row: usize| ["regime", "status", "interval_method"].map(|name| rows[row][name].as_str());
    assert_eq!(of(0), ["below_range", "ok", "maximum_below"], "{rows:?}");
    assert_eq!(of(1), ["extrapolation", "ok", "maximum"], "{rows:?}");
}

#[test]
fn each_row_has_the_skill_against_mean_and_size_and_no_skill_is_flagged() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &[], &card).status.success());
    let number = |row: &BTreeMap<String, String>, name: &str| row[name].parse::<f64>().expect("a number");
    let row = predicted(&card, &table(24)[12..13]).remove(0);
    let read = Card::read(card.as_ref()).expect("the card");
    let chosen = read.fit.within_range.as_ref().expect("a candidate").name();
    let score =
        read.scores.leave_model_out.iter().find(|score| score.candidate == chosen).expect("its score");
    assert_eq!(
        (number(&row, "skill_mean"), Some(number(&row, "skill_size"))),
        (score.skill_mean, score.skill_size)
    );

    // The targets of weak models are nearly equal, so a size line extrapolates wrongly, and the mean is hard
    // to beat.
    let mut flat = table(30);
    for (i, row) in flat.iter_mut().enumerate() {
        let (size, a) = (1.0 + i as f64, row["a"].parse::<f64>().expect("a"));
        let sharp = if i % 6 == 5 { 2.0 } else { 0.0 };
        row.insert("y", (0.02 * a + sharp * (i as f64 * 2.1).sin() + 0.3 * (size / 15.0).sin()).to_string());
    }
    calibrated(&flat, &["--features", "a,b"], &card);
    let words = surmise(&["card", &card]);
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    let read = Card::read(card.as_ref()).expect("the card");
    let rows = predicted(&card, &flat);
    for row in rows.iter().filter(|row| row["status"] == "ok") {
        let flagged = row["note"].contains("no better than the mean");
        assert_eq!(flagged, number(row, "skill_mean") <= 0.0, "{row:?}");
    }
    let supported = Regime::ALL.into_iter().filter(|regime| {
        read.support.iter().any(|support| support.regime == *regime && support.unsupported.is_none())
    });
    let any = supported.into_iter().any(|regime| {
        let chosen = regime.selected(&read.fit).expect("a candidate").name();
        regime.scores(&read.scores).iter().any(|score| score.candidate == chosen && score.skill_mean <= 0.0)
    });
    assert_eq!(words.contains("NO BETTER THAN THE MEAN"), any, "{words}");
}

#[test]
fn a_note_says_that_few_families_support_no_level_for_a_new_one() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let grouped = |n: usize| {
        let mut rows = table(24);
        rows.iter_mut().enumerate().for_each(|(i, row)| drop(row.insert("family", format!("f{}", i % n))));
        rows
    };
    for (n, few) in [(4, true), (8, true), (9, false)] {
        assert!(calibrated(&grouped(n), &[], &card).status.success());
        let mut query = vec![grouped(n)[12].clone(), grouped(n)[12].clone()];
        query[1].insert("family", "another".into());
        let rows = predicted(&card, &query);
        let said = format!("come from {n} families");
        assert!(!rows[0]["note"].contains("families"), "{rows:?}");
        assert!(rows[1]["status"] == "ok" && rows[1]["note"].contains(&said) == few, "{rows:?}");
        assert_eq!(rows[1]["note"].contains("needs at least 9 families"), few, "{rows:?}");
        let words = surmise(&["card", &card]);
        assert_eq!(String::from_utf8_lossy(&words.stdout).contains("FAMILIES, too few for intervals"), few);
    }
}

#[test]
fn nothing_is_predicted_without_back_tested_coverage_and_the_distance_of_a_distant_row_is_finite() {
    let (_keep, at) = folder();
    let card = at("card.json");
    for n in [5, 6, 8, 12, 24] {
        calibrated(&table(n), &[], &card);
        let mut query = table(n + 4);
        query[1].insert("a", "1e300".into());
        query[2].insert("family", "another".into());
        query[n + 3].insert("family", "another".into());
        let rows = predicted(&card, &query);
        for row in &rows {
            let made = row["status"] == "ok";
            assert_eq!(
                (made, made),
                (!row["backtest_coverage"].is_empty(), !row["backtest_n"].is_empty()),
                "{row:?}"
            );
            let few = row["backtest_n"].parse::<usize>().is_ok_and(|n| n < 10);
            assert!(
                !few || row["note"].contains(&format!("on only {} predictions of", row["backtest_n"])),
                "{row:?}"
            );
            assert!(!row.values().any(|cell| cell == "inf" || cell == "NaN"), "{row:?}");
        }
        assert!(rows[1]["y_hat"].is_empty() && rows[1]["mahalanobis"].is_empty(), "{:?}", rows[1]);
        let read = Card::read(card.as_ref()).expect("the card");
        // Rows of a split are either back-tested or counted as refused.
        for (regime, n_models) in [(Regime::Interpolation, n), (Regime::NewFamily, n)] {
            let tried = regime.coverage(&read.backtest).map_or(0, |coverage| coverage.levels.len());
            let refused = regime.refused(&read.backtest).expect("folds");
            assert!(
                (tried as f64 - (1.0 - refused) * n_models as f64).abs() < 1e-9,
                "{n}: {tried} and {refused}"
            );
        }
        // The coverage reported for a new family beyond the training range is the lowest of three: forward
        // folds, left-out families, and forward folds with families left out.
        let new_family = &rows[n + 3];
        if new_family["status"] == "ok" {
            assert_eq!(new_family["regime"], "extrapolation");
            let Backtest { leave_family_out, forward, forward_new_family, .. } = &read.backtest;
            let tried = [leave_family_out, forward, forward_new_family].into_iter().flatten();
            let own =
                tried.filter(|coverage| coverage.interval_method == Regime::Extrapolation.interval_method());
            let lowest = own.map(|coverage| coverage.at(0.9)).fold(1.0, f64::min);
            assert_eq!(new_family["backtest_coverage"].parse(), Ok(lowest));
        }
    }
}

#[test]
fn a_refusal_names_the_failed_split_and_no_candidate_that_needs_more_rows() {
    let (_keep, at) = folder();
    let card = at("card.json");
    // The target depends on neither features nor size, but one of two dozen candidates may seem to predict
    // it.
    let mut reasons = vec![];
    for seed in 0..3 {
        use rand::Rng;
        let mut random = crate::support::truth::generator(seed);
        let mut noise = table(15);
        for row in &mut noise {
            row.insert("y", random.random_range(0.1..0.9f64).to_string());
        }
        calibrated(&noise, &["--features", "a,b"], &card);
        let read = Card::read(card.as_ref()).expect("the card");
        reasons.extend(read.support.into_iter().filter_map(|support| support.unsupported));
    }
    assert!(reasons.len() >= 6, "{reasons:?}");
    for reason in &reasons {
        assert!(
            reason.contains("are left out")
                || reason.contains("and the other trains on the")
                || reason.contains("hardly beats")
                || reason.contains("no better than a constant"),
            "{reason}"
        );
        assert!(
            reason.ends_with("; add features that are related to the target, or more models"),
            "{reason}"
        );
        assert!(!reason.contains("sigmoid"), "{reason}");
        let skill = reason.split("a skill of ").nth(1).and_then(|rest| rest.split(' ').next());
        assert!(skill.is_none_or(|skill| skill.parse::<f64>().is_ok_and(|skill| skill <= 0.0)), "{reason}");
    }
}

#[test]
fn intervals_with_a_coverage_far_below_their_level_are_marked_in_row_status_and_card() {
    let (_keep, at) = folder();
    let (card, predictions) = (at("card.json"), at("p.csv"));
    let target = ["--target", "em_ipa_transliterate_bleu", "--features", "bench_*", "-o", &card];
    let output = surmise(&[&["calibrate", OBSERVATIONS][..], &target].concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("90 % intervals HELD ONLY"), "{told}");
    let ask = ["predict", "--calibration", &card, OBSERVATIONS, "-o", &predictions];
    let mut n_short = 0;
    // The amount by which the coverage is below the nominal level depends on the level.
    for level in [0.5, 0.9, 0.95, 0.99] {
        let status = surmise(&[&ask[..], &["--level", &level.to_string()]].concat()).stderr;
        let mut short = 0;
        for row in rows(&predictions).iter().filter(|row| row["status"] == "ok") {
            // Rows of an unseen kind have no coverage, because no back-test left out a kind.
            let Ok(held) = row["backtest_coverage"].parse::<f64>() else {
                assert!(row["note"].contains("ANOTHER KIND"), "{row:?}");
                continue;
            };
            let is_short = held < level - 0.1 - 1e-9;
            assert_eq!(is_short, row["note"].contains("INTERVALS HELD ONLY"), "{level}: {row:?}");
            short += usize::from(is_short);
        }
        let told = String::from_utf8_lossy(&status).into_owned();
        let words = format!("{short} of these rows have intervals whose back-tested coverage is WELL BELOW");
        assert_eq!(short > 0, told.contains(&words), "{told}");
        n_short += short;
    }
    assert!(n_short > 0);
}
