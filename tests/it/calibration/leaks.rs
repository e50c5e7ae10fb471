//! Tests, with the real binary, features that contain the target: they are left out and named, even if the
//! user selected them.

use surmise::calibration::Card;

use crate::support::tidy::{Rows, calibrated, folder, refused, table};

const BENCHMARKS: [&str; 5] = ["b0", "b1", "b2", "b3", "y"];

/// A table with five benchmarks, rounded to one decimal, and the column `name`. The benchmark `y` is the
/// target. `own` computes the value of `name` from the benchmarks of the row.
fn scores(name: &'static str, own: impl Fn(&[f64]) -> String) -> Rows {
    let score = |i: usize, j: usize| {
        let value = 50.0 + 20.0 * (i as f64 * 0.7).sin() + 9.0 * ((i * (j + 2)) as f64 * 1.3).sin();
        (value * 10.0).round() / 10.0
    };
    let row = |i: usize| {
        let mut row = table(30)[i].clone();
        ["a", "b"].iter().for_each(|name| drop(row.remove(name)));
        let scores: Vec<f64> = (0..5).map(|j| score(i, j)).collect();
        BENCHMARKS.iter().zip(&scores).for_each(|(name, score)| drop(row.insert(name, score.to_string())));
        row.insert(name, own(&scores));
        row
    };
    (0..30).map(row).collect()
}

fn calibrate(rows: &Rows, flags: &[&str]) -> (Vec<String>, String) {
    let (_keep, at) = folder();
    let output = calibrated(rows, flags, &at("card.json"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    (Card::read(at("card.json").as_ref()).expect("the card").columns.features, said)
}

#[test]
fn averages_and_sums_with_the_target_are_left_out_and_named() {
    let mean = |row: &[f64]| row.iter().sum::<f64>() / row.len() as f64;
    type Own<'a> = dyn Fn(&[f64]) -> String + 'a;
    type Case<'a> = (&'static str, &'a Own<'a>, &'static str);
    let cases: [Case; 4] = [
        ("average", &|row| format!("{:.2}", mean(row)), "the average of b0, b1, b2, b3 and y"),
        ("suite", &|row| format!("{:.1}", mean(&[row[1], row[4]])), "of b1 and y"),
        ("points", &|row| format!("{:.1}", row.iter().sum::<f64>()), "the sum of b0, b1, b2, b3 and y"),
        ("gain", &|row| format!("{:.1}", row[4] - row[0]), "a difference of b0 and y"),
    ];
    for (name, own, says) in cases {
        let rows = scores(name, own);
        for flags in [vec![], vec!["--features".into(), format!("b0,b1,b2,b3,{name}")]] {
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            let (features, said) = calibrate(&rows, &flags);
            assert_eq!(features, ["b0", "b1", "b2", "b3"], "{said}");
            assert!(said.contains(&format!("column {name} is")) && said.contains(says), "{says}: {said}");
        }
    }
    // A mean that does not include the target is a feature. If a column is named like a mean but its parts
    // are not in the table, a note reports this.
    let (features, _) = calibrate(&scores("suite", |row| format!("{:.3}", mean(&row[..3]))), &[]);
    assert!(features.contains(&"suite".into()));
    let (features, said) =
        calibrate(&scores("average", |row| format!("{:.3}", row[4] * 0.3 + row[1].sin() * 9.0)), &[]);
    assert!(
        features.contains(&"average".into()) && said.contains("column average is named like a mean"),
        "{said}"
    );
}

#[test]
fn standard_errors_of_the_target_are_left_out_by_name_even_if_selected() {
    for name in ["y.stderr", "y_stderr,none", "y se", "y_ci_upper", "y (standard error)"] {
        let rows = scores(name, |row| (row[4] * (100.0 - row[4]) / 40.0).sqrt().to_string());
        let quoted = format!("b0,b1,\"{name}\"");
        let (features, said) = calibrate(&rows, &[]);
        assert_eq!(features, ["b0", "b1", "b2", "b3"], "{said}");
        assert!(said.contains(&format!("column {name} is")), "{said}");
        let (features, said) = calibrate(&rows, &["--features", &quoted]);
        assert!(features == ["b0", "b1"] && said.contains("of the target and is left out"), "{said}");
        assert!(refused(&rows, &["--features", &format!("\"{name}\"")]).contains("can be a feature"));
    }
}
