//! Tables in common notations, through the real binary: numbers that are not in plain notation, text, names
//! with commas, index columns, duplicate columns. Equal numbers give equal predictions in every notation.

use surmise::calibration::Card;

use crate::support::tidy::{
    Rows, calibrated, described, folder, predicted, rows, surmise, table, with, write,
};

/// The usual table with `a` and `b` as shares between 0 and 1.
fn shares() -> Rows {
    let mut rows = table(24);
    for row in &mut rows {
        for name in ["a", "b"] {
            let value: f64 = row[name].parse().expect("a number");
            row.insert(name, format!("{:.4}", 0.5 + 0.4 * value));
        }
    }
    rows
}

/// The card and the messages for a table in which a column has another notation.
fn card_of(rows: &Rows, flags: &[&str]) -> (Card, String) {
    let (_keep, at) = folder();
    let output = calibrated(rows, flags, &at("card.json"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    (Card::read(at("card.json").as_ref()).expect("the card"), said)
}

#[test]
fn a_column_in_another_notation_gives_the_same_fit_and_one_note() {
    let (plain, _) = card_of(&shares(), &[]);
    let number = |i: usize| shares()[i]["a"].parse::<f64>().expect("a number");
    let percent = |i: usize| format!("{:.2}%", 100.0 * number(i));
    let comma = |i: usize| shares()[i]["a"].replace('.', ",");
    let missing = |i: usize| if i == 3 { "n/a".into() } else { shares()[i]["a"].clone() };
    let cases: [(&dyn Fn(usize) -> String, &str); 3] =
        [(&percent, "% `"), (&comma, "is read as 0."), (&missing, "`n/a` is read as missing")];
    for (value, says) in cases {
        let mut rows = shares();
        rows.iter_mut().enumerate().for_each(|(i, row)| drop(row.insert("a", value(i))));
        let (card, said) = card_of(&rows, &[]);
        let says = says.trim_end_matches(" `");
        assert_eq!(said.matches("note: column a: ").count(), 1, "{said}");
        assert!(said.contains(says), "{says}: {said}");
        assert_eq!(card.columns.features, ["a", "b"]);
        if value(3) != "n/a" {
            for (ours, theirs) in card.fit.basis.mean.iter().zip(&plain.fit.basis.mean) {
                assert!((ours - theirs).abs() < 1e-12, "{said}");
            }
        }
    }
}

#[test]
fn columns_with_mixed_or_ambiguous_notations_are_named_and_left_out() {
    let percent = |i: usize| format!("{}.5%", i + 20);
    let half_percent = |i: usize| if i.is_multiple_of(2) { percent(i) } else { format!("0.{}", i + 20) };
    let unclear = |i: usize| format!("{},{}", i % 9 + 1, 101 + (i * 37) % 800);
    let half_comma = |i: usize| format!("0{}{}", [",", "."][i % 2], i + 20);
    let cases: [(&dyn Fn(usize) -> String, &str); 3] = [
        (&half_percent, "some cells are percent"),
        (&unclear, "no other cell shows which"),
        (&half_comma, "decimal sign"),
    ];
    for (value, says) in cases {
        let (card, said) = card_of(&with(24, "c", value), &[]);
        assert!(card.columns.features == ["a", "b"] && said.contains("column c is left out"), "{said}");
        assert!(said.contains(says), "{says}: {said}");
    }
}

#[test]
fn a_query_of_one_row_is_read_like_the_training_rows() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let value = |i: usize| format!("{},{}", i % 3, 101 + (i * 37) % 800);
    assert!(calibrated(&with(24, "c", value), &[], &card).status.success());
    let mut query = table(24)[4].clone();
    query.insert("c", "1,234".into());
    let mut plain = query.clone();
    plain.insert("c", "1.234".into());
    assert_eq!(predicted(&card, &[query])[0]["y_hat"], predicted(&card, &[plain])[0]["y_hat"]);
}

#[test]
fn booleans_and_text_become_categories_and_an_unseen_value_is_reported() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let mut rows = table(24);
    for (i, row) in rows.iter_mut().enumerate() {
        row.extend([
            ("instruct", "False".into()),
            ("kind", ["base", "chat", "code"][(i * i) % 3].into()),
            ("open", ["yes", "no"][(i / 2) % 2].into()),
            ("url", format!("https://{i}.org")),
        ]);
    }
    let output = calibrated(&rows, &[], &card);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let read = Card::read(card.as_ref()).expect("the card");
    assert!(read.columns.features.contains(&"open".into()), "{:?}", read.columns.features);
    assert!(read.columns.features.iter().any(|name| name.starts_with("kind=")), "{said}");
    assert_eq!(read.columns.kinds["instruct"], ["False"]);
    assert!(
        said.contains("column instruct is constant") && said.contains("column url is text with too many"),
        "{said}"
    );
    let mut query = vec![rows[4].clone(); 4];
    query[1].insert("instruct", "true".into());
    query[2].insert("kind", "agent".into());
    query[3].insert("instruct", "0".into());
    let told = predicted(&card, &query);
    let kinds = [0, 1, 2, 3].map(|at| told[at]["note"].contains("ANOTHER KIND"));
    assert!(kinds[1] && !kinds[0] && !kinds[3], "{told:?}");
    assert!(told[1]["note"].contains("instruct is true, but False in all training rows"), "{told:?}");
    assert!(told[2]["missing_features"].contains("kind="), "{told:?}");
}

#[test]
fn columns_over_decades_are_used_as_logarithms_and_a_value_without_one_is_missing() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let mut rows = with(24, "tokens", |i| format!("{}B", 2f64.powi((i as i32 * 5) % 11)));
    rows.iter_mut().enumerate().for_each(|(i, row)| drop(row.insert("flops", format!("{}e18", i * i + 1))));
    let output = calibrated(&rows, &[], &card);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let read = Card::read(card.as_ref()).expect("the card");
    assert_eq!(read.columns.features, ["a", "b", "log10(flops)", "log10(tokens)"], "{said}");
    assert!(said.contains("columns flops, tokens span two decades"), "{said}");
    let mut query = rows[4].clone();
    query.insert("flops", "0".into());
    let told = predicted(&card, &[query]);
    assert_eq!(told[0]["missing_features"], "log10(flops)");
    assert!(told[0]["note"].contains("flops is 0, which has no logarithm"), "{told:?}");
    let (named, _) = card_of(&rows, &["--features", "a,log10(flops)"]);
    assert_eq!(named.columns.features, ["a", "log10(flops)"]);
}

#[test]
fn names_with_commas_index_columns_and_duplicate_names_are_handled() {
    let (_keep, at) = folder();
    write(&at("t.csv"), &table(24));
    let text = std::fs::read_to_string(at("t.csv")).expect("a table");
    let changed: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| match i {
            0 => format!(",{},Unnamed: 0,b,z,z", line.replacen("a,b", "\"acc,none\",b", 1)),
            _ => format!(
                "{},{line},{},{},{},{}",
                i - 1,
                i - 1,
                line.split(',').nth(1).expect("b"),
                i * i % 7,
                i * i % 5
            ),
        })
        .collect();
    std::fs::write(at("u.csv"), changed.join("\n")).expect("a table");
    let run = |features: &[&str]| {
        let (table, card) = (at("u.csv"), at("card.json"));
        let output = surmise(&[&["calibrate", &table, "--target", "y", "-o", &card], features].concat());
        let output = described(output, &card);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        (Card::read(card.as_ref()).expect("the card").columns.features, said)
    };
    let (features, said) = run(&[]);
    assert_eq!(features, ["acc,none", "b"], "{said}");
    for says in [
        "column 1 has no name",
        "column Unnamed: 0 is a numbering of the rows",
        "column b occurs twice with the same",
        "column z occurs twice with different",
    ] {
        assert!(said.contains(says), "{says}: {said}");
    }
    assert_eq!(run(&["--features", "b,acc,none"]).0, ["b", "acc,none"]);
    assert_eq!(run(&["--features", "\"acc,none\""]).0, ["acc,none"]);
}

#[test]
fn seeds_of_one_model_under_an_unusual_name_stay_on_one_side_of_every_fold() {
    let mut seeds = table(24);
    for (i, row) in seeds.iter_mut().enumerate() {
        let first = table(24)[i - i % 3].clone();
        row.extend([("checkpoint", format!("c{}", i / 3)), ("seed", (i % 3).to_string())]);
        row.insert("params_b", first["params_b"].clone());
        row.remove("model");
    }
    let (card, said) = card_of(&seeds, &["--features", "a,b"]);
    assert_eq!((card.rows.n_models, card.columns.id.as_deref()), (8, Some("checkpoint")), "{said}");
    assert!(said.contains("column checkpoint is used for the model names: 8 models in 24 rows"), "{said}");
    for row in &mut seeds {
        let value = row.remove("checkpoint").expect("a name");
        row.insert("laboratory", value);
        row.remove("seed");
    }
    let (card, said) = card_of(&seeds, &["--features", "a,b"]);
    assert!(card.columns.id.is_none() && said.contains("use --id laboratory"), "{said}");
}

#[test]
fn rows_without_a_known_feature_are_counted_and_left_out() {
    let rows: Rows = with(24, "a", |i| if i < 3 { String::new() } else { table(24)[i]["a"].clone() });
    let (card, said) = card_of(&rows, &["--features", "a"]);
    assert_eq!(card.rows.n, 21);
    assert!(said.contains("3 of 24 rows with a target lack all features and are left out"), "{said}");
}

#[test]
fn predictions_of_a_table_with_semicolons_are_those_of_one_with_commas() {
    let (_keep, at) = folder();
    write(&at("t.csv"), &table(24));
    let text = std::fs::read_to_string(at("t.csv")).expect("a table");
    std::fs::write(at("s.csv"), text.replace(',', ";").replace('.', ",")).expect("a table");
    let predictions = ["t", "s"].map(|name| {
        let (file, card, out) = (at(&format!("{name}.csv")), at("card.json"), at("p.csv"));
        let output = surmise(&["calibrate", &file, "--target", "y", "-q", "-o", &card]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        surmise(&["predict", "--calibration", &card, &file, "-q", "-o", &out]);
        rows(&out).into_iter().map(|row| row["y_hat"].clone()).collect::<Vec<String>>()
    });
    assert_eq!(predictions[0], predictions[1]);
}
