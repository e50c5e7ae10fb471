//! Tests invalid tables with the real binary: the error names the column and the row, and no card is written.

use surmise::calibration::Card;

use crate::support::tidy::{Rows, calibrated, described, folder, refused, surmise, table, with, write};

#[test]
fn invalid_tables_are_refused_by_column_and_row() {
    let with = |column: &'static str, value: &dyn Fn(usize) -> String| {
        let mut rows = table(24);
        rows.iter_mut().enumerate().for_each(|(i, row)| {
            row.insert(column, value(i));
        });
        rows
    };
    let cases: [(Rows, &[&str], &[&str]); 11] = [
        (
            with("y", &|i| if i == 4 { "high".into() } else { i.to_string() }),
            &[],
            &["line 6", "column y", "high"],
        ),
        (with("c", &|_| "3".into()), &["--features", "a,c"], &["feature c is constant"]),
        (with("params_b", &|_| "7".into()), &["--size", "params_b"], &["all sizes", "params_b"]),
        (with("params_b", &|i| (i as f64 - 2.0).to_string()), &[], &["line 2", "params_b", "above 0"]),
        (
            with("a", &|i| if i == 7 { "inf".into() } else { i.to_string() }),
            &["--features", "a"],
            &["line 9", "inf"],
        ),
        (
            with("c", &|i| if i < 20 { String::new() } else { i.to_string() }),
            &["--features", "c"],
            &["c is missing in 20"],
        ),
        (with("y", &|_| String::new()), &[], &["column y is empty"]),
        (with("y", &|_| "0.5".into()), &[], &["y has the same value in every row"]),
        (table(24), &["--features", "nothing"], &["nothing", "columns are"]),
        (table(24), &["--link", "logit"], &["outside 0 to 1"]),
        (table(24), &["--level", "1.5"], &["--level", "1.5"]),
    ];
    for (rows, flags, words) in cases {
        let message = refused(&rows, flags);
        for word in words {
            assert!(message.contains(word), "{flags:?}: {message}");
        }
    }
    let mut closed = with("ie_final_nats", &|i| (i as f64 * 1.7).sin().to_string());
    closed[3].insert("y", String::new());
    let message = refused(&closed, &["--features", "a,ie_final_nats", "--for-api"]);
    assert!(message.contains("ie_final_nats") && message.contains("API"), "{message}");
}

#[test]
fn an_unusable_column_is_named_and_a_pattern_over_bad_cells_is_an_error() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let wave = |i: usize| (i as f64 * 1.3).sin();
    let bad = with(24, "bench_c", |i| if i == 7 { "high".into() } else { wave(i).to_string() });
    let message = refused(&bad, &["--features", "a,bench_*"]);
    assert!(
        message.contains("line 9") && message.contains("bench_c") && message.contains("high"),
        "{message}"
    );
    let output = calibrated(&bad, &[], &card);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && told.contains("bench_c is left out") && told.contains("line 9"),
        "{told}"
    );
    // The standard error of the target and the ends of its interval reveal the target.
    for name in ["y_stderr", "se", "y_ci_low", "y_high", "y_stderr_nats"] {
        calibrated(&with(24, name, |i| wave(i).to_string()), &[], &card);
        let read = Card::read(card.as_ref()).expect("the card");
        assert_eq!(read.columns.features, ["a", "b"], "{name}");
        assert!(read.notes.iter().any(|note| note.contains(name)), "{:?}", read.notes);
    }
}

/// Calibrates the bytes of a table on its column `y`. Returns the exit code, stderr, and the card if there is
/// one.
fn of_bytes(bytes: &[u8], flags: &[&str]) -> (Option<i32>, String, Option<Vec<u8>>) {
    let (_keep, at) = folder();
    std::fs::write(at("t.csv"), bytes).expect("a table");
    let (file, card) = (at("t.csv"), at("card.json"));
    let output = surmise(&[&["calibrate", &file, "--target", "y", "-o", &card], flags].concat());
    let output = described(output, &card);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned(), std::fs::read(&card).ok())
}

fn bytes(rows: &Rows) -> String {
    let (_keep, at) = folder();
    write(&at("t.csv"), rows);
    std::fs::read_to_string(at("t.csv")).expect("a table")
}

#[test]
fn a_target_that_is_text_is_named_with_its_line() {
    let message = refused(&with(24, "y", |_| "good".into()), &[]);
    assert!(
        message.contains("column y") && message.contains("line 2") && message.contains("`good`"),
        "{message}"
    );
}

#[test]
fn a_feature_that_is_the_target_in_another_unit_is_left_out_with_a_message_even_if_named() {
    let copy = with(24, "c", |i| (3.0 - 2.0 * table(24)[i]["y"].parse::<f64>().expect("y")).to_string());
    assert!(refused(&copy, &["--features", "c"]).contains("column c is the target y in another unit"));
    assert!(refused(&copy, &["--features", "a,y"]).contains("is the target itself"));
    for flags in [&[][..], &["--features", "a,b,c*"], &["--features", "a,b,c"]] {
        let (code, told, card) = of_bytes(bytes(&copy).as_bytes(), flags);
        assert!(
            code == Some(0) && told.contains("column c is the target y in another unit and is left out"),
            "{told}"
        );
        let (_keep, at) = folder();
        std::fs::write(at("card.json"), card.expect("a card")).expect("a file");
        assert_eq!(Card::read(at("card.json").as_ref()).expect("the card").columns.features, ["a", "b"]);
    }
}

#[test]
fn named_constant_columns_are_errors_and_copies_are_always_left_out() {
    let constant = with(24, "c", |_| "3".into());
    assert!(refused(&constant, &["--features", "a,c"]).contains("feature c is constant"));
    assert!(of_bytes(bytes(&constant).as_bytes(), &[]).1.contains("column c is constant and is left out"));
    let twice = with(24, "c", |i| (1.0 - 5.0 * table(24)[i]["a"].parse::<f64>().expect("a")).to_string());
    for flags in [&[][..], &["--features", "a,c"]] {
        let (code, told, _) = of_bytes(bytes(&twice).as_bytes(), flags);
        assert!(code == Some(0) && told.contains("column c is a in another unit and is left out"), "{told}");
    }
}

#[test]
fn sizes_that_are_all_equal_or_not_above_0_are_errors() {
    let equal = with(24, "params_b", |_| "7".into());
    assert!(refused(&equal, &["--size", "params_b"]).contains("all sizes in column params_b are equal"));
    // If the user does not name the column of equal sizes, the column is left out, and skill is compared with
    // the mean.
    let (code, told, _) = of_bytes(bytes(&equal).as_bytes(), &[]);
    assert!(
        code == Some(0) && told.contains("params_b does not vary") && told.contains("against the mean"),
        "{told}"
    );
    for size in ["0", "-7"] {
        let message =
            refused(&with(24, "params_b", |i| if i == 3 { size.into() } else { (i + 1).to_string() }), &[]);
        assert!(
            message.contains("line 5") && message.contains("params_b") && message.contains("above 0"),
            "{message}"
        );
    }
}

#[test]
fn cells_of_infinity_are_named_with_their_line() {
    for cell in ["inf", "-Infinity", "1e999"] {
        let wrong =
            |column| with(24, column, move |i| if i == 9 { cell.into() } else { ((i * i) % 17).to_string() });
        let message = refused(&wrong("a"), &["--features", "a"]);
        assert!(
            message.contains("line 11") && message.contains("column a") && message.contains(cell),
            "{message}"
        );
        let message = refused(&wrong("y"), &[]);
        assert!(message.contains("line 11") && message.contains("column y"), "{message}");
    }
}

#[test]
fn a_header_alone_and_one_row_are_too_little() {
    let whole = bytes(&table(24));
    let lines = |n: usize| whole.lines().take(n).map(|line| format!("{line}\n")).collect::<String>();
    let (code, told, card) = of_bytes(lines(1).as_bytes(), &[]);
    assert!(code == Some(1) && told.contains("the table has no rows") && card.is_none(), "{told}");
    for flags in [&[][..], &["--features", "a,b"]] {
        let (code, told, card) = of_bytes(lines(2).as_bytes(), flags);
        assert!(code == Some(1) && card.is_none(), "{told}");
        assert!(told.contains("1 of 1 rows has a value of y; at least 5 are needed"), "{told}");
    }
    // With three rows, an error about the constant column `a` would be misleading, so the error gives the
    // number of rows.
    let mut few = table(24);
    for (i, row) in few.iter_mut().enumerate() {
        row.insert("a", "1".into());
        if i >= 3 {
            row.insert("y", String::new());
        }
    }
    let message = refused(&few, &["--features", "a,b"]);
    assert!(message.contains("3 of 24 rows have a value of y; at least 5 are needed"), "{message}");
    let (code, told, card) = of_bytes(b"", &[]);
    assert!(code == Some(1) && card.is_none() && !told.contains("panicked"), "{told}");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing_and_a_ragged_row_is_named() {
    let whole = bytes(&table(24));
    let card = |bytes: &[u8]| of_bytes(bytes, &[]).2.expect("a card");
    let plain = card(whole.as_bytes());
    let windows = [b"\xef\xbb\xbf", whole.replace('\n', "\r\n").as_bytes()].concat();
    assert!(card(&windows) == plain, "the same rows gave another card");
    let spaced = whole.replace(',', " , ");
    assert!(card(spaced.as_bytes()) == plain, "blanks around the cells gave another card");
    let mut lines: Vec<&str> = whole.lines().collect();
    lines[6] = "1,2,3";
    let (code, told, none) = of_bytes(lines.join("\n").as_bytes(), &[]);
    assert!(code == Some(1) && none.is_none() && told.contains("line 7"), "{told}");
}

#[test]
fn rows_in_another_order_give_the_same_card() {
    let mut rows = table(24);
    let card = |rows: &Rows| of_bytes(bytes(rows).as_bytes(), &[]).2.expect("a card");
    let first = card(&rows);
    rows.reverse();
    assert!(card(&rows) == first, "the order of rows changes the card");
}

#[test]
fn a_feature_that_ranks_the_rows_like_the_target_is_left_out_or_if_named_reported() {
    let bent = |i: usize| (5.0 * table(24)[i]["y"].parse::<f64>().expect("y")).exp().to_string();
    let copy = with(24, "c", bent);
    for flags in [&[][..], &["--features", "a,b,c*"]] {
        let (code, told, card) = of_bytes(bytes(&copy).as_bytes(), flags);
        assert!(code == Some(0) && told.contains("column c ranks the rows as the target y does"), "{told}");
        let card = String::from_utf8(card.expect("a card")).expect("text");
        assert!(!card.contains("\"c\""), "c is a feature");
    }
    // A feature named by the user may be intended, such as the step of a run next to its loss. The feature is
    // kept, with a prominent warning.
    let (code, told, _) = of_bytes(bytes(&copy).as_bytes(), &["--features", "a,b,c"]);
    assert!(code == Some(0) && told.contains("feature c RANKS THE ROWS AS THE TARGET y DOES"), "{told}");
    // Over only ten rows, a good feature may rank all rows like the target. The feature is kept, with a note.
    let (_, told, card) = of_bytes(bytes(&with(10, "c", bent)).as_bytes(), &[]);
    assert!(
        told.contains("feature c RANKS THE ROWS")
            && String::from_utf8(card.expect("a card")).expect("text").contains("\"c\"")
    );
    // A good feature that is not a copy causes no note.
    let good = with(24, "c", |i| {
        (table(24)[i]["y"].parse::<f64>().expect("y") + 0.05 * (i as f64 * 1.7).sin()).to_string()
    });
    let (_, told, _) = of_bytes(bytes(&good).as_bytes(), &[]);
    assert!(!told.to_lowercase().contains("ranks the rows"), "{told}");
}
