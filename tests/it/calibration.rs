//! Calibrations through the real binary: a table of public scores as it is, tables made wrong, cards made wrong, and what is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use surmise::calibration::{Card, Table};

const OBSERVATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/calibration/obs_tidy.csv");

fn surmise(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).args(arguments).output().expect("the binary")
}

/// Rows of a table, by column.
type Rows = Vec<BTreeMap<&'static str, String>>;

fn folder() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().to_path_buf();
    (folder, move |name: &str| root.join(name).to_str().expect("UTF-8").to_owned())
}

fn rows(path: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).expect(path).deserialize().map(|row| row.expect("a row")).collect()
}

/// A table of `n` models in families of three whose score rises with size and with two features.
fn table(n: usize) -> Rows {
    let row = |i: usize| {
        let (size, a, b) = (1.0 + i as f64, (i as f64 * 0.37).sin(), (i as f64 * 0.91).cos());
        let y = 0.3 * size.log10() + 0.8 * a - 0.4 * b + 0.05 * (i as f64 * 2.3).sin();
        [
            ("model", format!("m{i:02}")),
            ("family", format!("f{}", i / 3)),
            ("params_b", size.to_string()),
            ("a", a.to_string()),
            ("b", b.to_string()),
            ("y", y.to_string()),
        ]
        .into()
    };
    (0..n).map(row).collect()
}

fn write(path: &str, rows: &[BTreeMap<&'static str, String>]) {
    let mut writer = csv::Writer::from_path(path).expect("a file");
    writer.write_record(rows[0].keys()).expect("a header");
    rows.iter().for_each(|row| writer.write_record(row.values()).expect("a row"));
    writer.flush().expect("a file");
}

/// Calibrates a table that is wrong; the message, and that nothing was written.
fn refused(rows: &[BTreeMap<&'static str, String>], flags: &[&str]) -> String {
    let (_keep, at) = folder();
    write(&at("t.csv"), rows);
    let (file, card) = (at("t.csv"), at("card.json"));
    let mut arguments = vec!["calibrate", "--observations", &file, "--target", "y", "-o", &card];
    arguments.extend(flags);
    let output = surmise(&arguments);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(1 | 2)), "{stderr}");
    assert!(!Path::new(&card).exists() && output.stdout.is_empty(), "{stderr}");
    assert_eq!(std::fs::read_dir(PathBuf::from(&card).parent().expect("a folder")).expect("it").count(), 1);
    stderr
}

fn calibrated(rows: &[BTreeMap<&'static str, String>], flags: &[&str], card: &str) -> Output {
    let (_keep, at) = folder();
    write(&at("t.csv"), rows);
    let file = at("t.csv");
    let mut arguments = vec!["calibrate", "--observations", &file, "--target", "y", "-o", card];
    arguments.extend(flags);
    surmise(&arguments)
}

#[test]
fn public_scores_are_calibrated_as_they_are_and_predicted_in_order_without_the_target_column() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let arguments = |threads: &'static str| {
        let mut all = vec!["calibrate", "--observations", OBSERVATIONS, "--target", "pt_gsm8k_5shot", "--where"];
        all.extend(["flops_1e21<=84", "--features", "bench_mmlu,bench_arc_c,bench_hellaswag,bench_xwinograd"]);
        all.extend(["--threads", threads]);
        all
    };
    let one = surmise(&arguments("1"));
    assert!(one.status.success(), "{}", String::from_utf8_lossy(&one.stderr));
    assert!(surmise(&arguments("2")).stdout == one.stdout, "another card on two threads");
    std::fs::write(&card, &one.stdout).expect("a card");
    let text = String::from_utf8_lossy(&one.stdout).into_owned();
    assert!(!text.contains("null") && !text.contains("NaN"));

    // Without the target's column and in another order the same rows get the same numbers.
    let known = rows(OBSERVATIONS);
    let header = ["model", "family", "params_b", "bench_arc_c", "bench_xwinograd", "bench_mmlu", "bench_hellaswag"];
    let mut writer = csv::Writer::from_path(at("q.csv")).expect("a file");
    writer.write_record(header).expect("a header");
    for row in known.iter().rev() {
        writer.write_record(header.map(|name| row[name].as_str())).expect("a row");
    }
    writer.flush().expect("a file");
    let predict = |from: &str, to: &str| {
        let output = surmise(&["predict", "--calibration", &card, "--observations", from, "-o", to]);
        // Rows that lack much of the formula are refused.
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        rows(to)
    };
    let (first, mut second) = (predict(OBSERVATIONS, &at("p.csv")), predict(&at("q.csv"), &at("r.csv")));
    second.reverse();
    assert_eq!(first, second);
    assert_eq!(first.len(), known.len());
    for (prediction, row) in first.iter().zip(&known) {
        assert_eq!(prediction["target_model"], row["model"]);
        if prediction["status"] != "ok" {
            let lacks = !prediction["missing_features"].is_empty() && prediction["note"].contains("missing");
            assert!(lacks || prediction["regime"] == "below_range", "{prediction:?}");
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
    assert!(words.contains("45 targets") && words.contains("skill") && words.contains("back-tested"), "{words}");
}

#[test]
fn the_library_predicts_from_the_file_what_the_binary_does_to_the_last_digit() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &[], &card).status.success());
    write(&at("q.csv"), &table(30));
    surmise(&["predict", "--calibration", &card, "--observations", &at("q.csv"), "-o", &at("p.csv")]);
    let read = Card::read(card.as_ref()).expect("the card");
    let ours = read.predict(&Table::read(at("q.csv").as_ref()).expect("the table"), 0.9).expect("predictions");
    for (row, ours) in rows(&at("p.csv")).iter().zip(ours) {
        assert_eq!(row["y_hat"].parse::<f64>().ok(), ours.y_hat);
        assert_eq!(row["low"].parse::<f64>().ok(), ours.low);
    }
}

#[test]
fn tables_made_wrong_are_refused_by_column_and_row() {
    let with = |column: &'static str, value: &dyn Fn(usize) -> String| {
        let mut rows = table(24);
        rows.iter_mut().enumerate().for_each(|(i, row)| {
            row.insert(column, value(i));
        });
        rows
    };
    let own = |column: &'static str| move |i: usize| table(24)[i][column].clone();
    let cases: [(Rows, &[&str], &[&str]); 13] = [
        (with("y", &|i| if i == 4 { "high".into() } else { i.to_string() }), &[], &["line 6", "column y", "high"]),
        (with("c", &own("y")), &["--features", "a,c"], &["feature c is the target"]),
        (with("c", &|_| "3".into()), &["--features", "a,c"], &["feature c is constant"]),
        (with("c", &own("a")), &["--features", "a,c"], &["features a and c are one column twice"]),
        (with("params_b", &|_| "7".into()), &["--size", "params_b"], &["all sizes", "params_b"]),
        (with("params_b", &|i| (i as f64 - 2.0).to_string()), &[], &["line 2", "params_b", "above 0"]),
        (with("a", &|i| if i == 7 { "NaN".into() } else { i.to_string() }), &["--features", "a"], &["line 9", "NaN"]),
        (
            with("c", &|i| if i < 20 { String::new() } else { i.to_string() }),
            &["--features", "c"],
            &["c is missing in 20"],
        ),
        (with("y", &|_| String::new()), &[], &["column y is empty"]),
        (with("y", &|_| "0.5".into()), &[], &["y is the same in every row"]),
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
fn what_the_data_do_not_carry_has_a_reason_and_no_number() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let predicted = |query: &[BTreeMap<&'static str, String>]| {
        write(&at("q.csv"), query);
        let output = surmise(&["predict", "--calibration", &card, "--observations", &at("q.csv"), "-o", &at("p.csv")]);
        (output.status.code(), rows(&at("p.csv")))
    };
    let empty =
        |row: &BTreeMap<String, String>| row["y_hat"].is_empty() && row["low"].is_empty() && row["high"].is_empty();

    // Four targets carry nothing.
    assert_eq!(calibrated(&table(4), &[], &card).status.code(), Some(3));
    let (code, few) = predicted(&table(6));
    assert_eq!(code, Some(3));
    assert!(
        few.iter().all(|row| empty(row) && row["status"] == "unsupported" && row["note"].contains("5 are the least"))
    );

    // Two families say nothing of a third.
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
    assert!(rows[0]["status"] == "ok" && empty(&rows[1]) && rows[1]["note"].contains("families"), "{rows:?}");
    assert!(
        rows[2]["regime"] == "extrapolation" && empty(&rows[2]) && rows[2]["note"].contains("2 families"),
        "{rows:?}"
    );

    // Features that say less than size are no calibration.
    let mut noise = table(24);
    for (i, row) in noise.iter_mut().enumerate() {
        row.insert(
            "y",
            (row["params_b"].parse::<f64>().expect("a size").log10() + 0.01 * (i as f64).sin()).to_string(),
        );
    }
    let output = calibrated(&noise, &["--features", "a,b"], &card);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let (_, rows) = predicted(&noise);
    assert!(rows.iter().all(|row| empty(row) && row["note"].contains("size line")));
}

#[test]
fn families_of_one_row_each_are_calibrated_and_a_row_without_any_feature_is_refused() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let mut single = table(24);
    for (i, row) in single.iter_mut().enumerate() {
        row.insert("family", format!("f{i}"));
    }
    assert!(calibrated(&single, &[], &card).status.success());
    let mut query = vec![single[12].clone(), single[12].clone()];
    query[1].insert("a", String::new());
    query[1].insert("b", String::new());
    write(&at("q.csv"), &query);
    let output = surmise(&["predict", "--calibration", &card, "--observations", &at("q.csv"), "-o", &at("p.csv")]);
    assert_eq!(output.status.code(), Some(3));
    let rows = rows(&at("p.csv"));
    assert_eq!((rows[0]["status"].as_str(), rows[1]["status"].as_str()), ("ok", "unsupported"));
    assert_eq!(rows[1]["missing_features"], "a b");
}

/// A table with a column more, or another in its place.
fn with(n: usize, column: &'static str, value: impl Fn(usize) -> String) -> Rows {
    let mut rows = table(n);
    rows.iter_mut().enumerate().for_each(|(i, row)| drop(row.insert(column, value(i))));
    rows
}

fn predicted(card: &str, query: &[BTreeMap<&'static str, String>]) -> Vec<BTreeMap<String, String>> {
    let (_keep, at) = folder();
    write(&at("q.csv"), query);
    surmise(&["predict", "--calibration", card, "--observations", &at("q.csv"), "-o", &at("p.csv")]);
    rows(&at("p.csv"))
}

#[test]
fn a_row_measured_otherwise_is_refused_also_where_it_stands_in_the_table_that_was_fitted_on() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let mut both = with(24, "corpus_sha256", |i| if i == 11 { "other".into() } else { "one".into() });
    both[11].insert("y", String::new());
    assert!(calibrated(&both, &["--same", "corpus_sha256", "--features", "a,b"], &card).status.success());
    let rows = predicted(&card, &both[10..13]);
    assert_eq!(["ok", "unsupported", "ok"], [0, 1, 2].map(|at| rows[at]["status"].as_str()));
    assert!(rows[1]["note"].contains("corpus_sha256 is other") && rows[1]["y_hat"].is_empty(), "{rows:?}");
}

#[test]
fn a_column_that_is_no_feature_by_itself_is_named_and_a_pattern_over_bad_cells_is_an_error() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let wave = |i: usize| (i as f64 * 1.3).sin();
    let bad = with(24, "bench_c", |i| if i == 7 { "NaN".into() } else { wave(i).to_string() });
    let message = refused(&bad, &["--features", "a,bench_*"]);
    assert!(message.contains("line 9") && message.contains("bench_c") && message.contains("NaN"), "{message}");
    let output = calibrated(&bad, &[], &card);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("bench_c is left out") && told.contains("line 9"), "{told}");
    // The target's own error and the ends of its interval know the target.
    for name in ["y_stderr", "se", "y_ci_low", "y_high", "y_stderr_nats"] {
        calibrated(&with(24, name, |i| wave(i).to_string()), &[], &card);
        let read = Card::read(card.as_ref()).expect("the card");
        assert_eq!(read.columns.features, ["a", "b"], "{name}");
        assert!(read.notes.iter().any(|note| note.contains(name)), "{:?}", read.notes);
    }
}

#[test]
fn nats_are_no_shares_and_a_target_has_one_family() {
    let (_keep, at) = folder();
    let card = at("card.json");
    let small = |i: usize| (0.4 + 0.2 * table(24)[i]["y"].parse::<f64>().expect("y")).to_string();
    let nats: Rows = with(24, "gain_nats", small);
    write(&at("t.csv"), &nats);
    for (target, link) in [("gain_nats", "identity"), ("gain", "logit")] {
        let renamed = std::fs::read_to_string(at("t.csv")).expect("a table").replace("gain_nats", target);
        std::fs::write(at("u.csv"), renamed).expect("a table");
        let table = at("u.csv");
        surmise(&["calibrate", "--observations", &table, "--target", target, "--features", "a,b", "-o", &card]);
        assert_eq!(Card::read(card.as_ref()).expect("the card").link.name(), link);
    }
    let mut torn = table(24);
    torn[5].insert("model", "m00".into());
    let message = refused(&torn, &[]);
    assert!(["m00", "f0", "f1", "two families"].iter().all(|word| message.contains(word)), "{message}");
}

#[test]
fn the_hash_of_the_table_knows_the_names_of_its_columns_and_its_proxies() {
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
fn a_row_that_lacks_much_is_refused_and_one_that_lacks_a_proxy_does_not_end_the_others() {
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
    let mut query = vec![wide[12].clone(), wide[12].clone()];
    query[0].insert("b", String::new());
    ["c", "d", "e"].iter().for_each(|name| drop(query[1].insert(*name, String::new())));
    let rows = predicted(&card, &query);
    assert!(rows[0]["status"] == "ok" && rows[0]["note"].contains("interval: b"), "{rows:?}");
    assert!(rows[1]["y_hat"].is_empty() && rows[1]["note"].contains("3 of 6 features are missing"), "{rows:?}");

    // The gain over the proxy is all there is to say; a row without one is refused alone.
    let mut proxied = with(24, "p", |i| (i as f64 * 0.77).sin().to_string());
    for (i, row) in proxied.iter_mut().enumerate() {
        let p: f64 = row["p"].parse().expect("p");
        row.insert("y", (p + 0.5 + 0.02 * (i as f64 * 3.1).sin()).to_string());
    }
    let output = calibrated(&proxied, &["--features", "a,b", "--proxy", "p"], &card);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let chosen = Card::read(card.as_ref()).expect("the card").fit.within.expect("a candidate").candidate;
    assert_eq!(chosen, "gain");
    let mut query = proxied[12..14].to_vec();
    query[0].insert("p", String::new());
    let rows = predicted(&card, &query);
    assert!(rows[0]["note"].contains("proxy") && rows[0]["y_hat"].is_empty() && rows[1]["status"] == "ok", "{rows:?}");
    // Where the features say it all, nobody asks for the proxy.
    let spare = with(24, "p", |i| (i as f64 * 0.77).sin().to_string());
    assert!(calibrated(&spare, &["--features", "a,b", "--proxy", "p"], &card).status.success());
    assert_eq!(predicted(&card, &table(24)[12..13])[0]["status"], "ok");
}

#[test]
fn a_row_weaker_than_all_that_were_trained_on_is_refused_and_a_stronger_one_is_not() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &[], &card).status.success());
    let mut query = vec![table(24)[12].clone(), table(24)[12].clone()];
    query[0].insert("params_b", "0.2".into());
    query[1].insert("params_b", "40".into());
    let rows = predicted(&card, &query);
    assert!(rows[0]["regime"] == "below_range" && rows[0]["y_hat"].is_empty(), "{rows:?}");
    assert!(rows[0]["note"].contains("upwards only"), "{rows:?}");
    assert!(rows[1]["regime"] == "extrapolation" && rows[1]["status"] == "ok", "{rows:?}");
}

#[test]
fn a_card_that_is_not_as_it_was_written_is_refused() {
    let (_keep, at) = folder();
    let card = at("card.json");
    assert!(calibrated(&table(24), &[], &card).status.success());
    write(&at("q.csv"), &table(24));
    let text = std::fs::read_to_string(&card).expect("the card");
    let predict = |text: &str, table: &str| {
        std::fs::write(at("other.json"), text).expect("a file");
        let output = surmise(&["predict", "--calibration", &at("other.json"), "--observations", table]);
        assert!(output.status.code() == Some(1) && output.stdout.is_empty());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let edited = text.replacen("\"level\": 0.9", "\"level\": 0.8", 1);
    assert_ne!(edited, text);
    assert!(predict(&edited, &at("q.csv")).contains("hash"));
    assert!(predict(&text.replacen("\"version\": 3", "\"version\": 9", 1), &at("q.csv")).contains("version 9"));
    let added = text.replacen("\"level\": 0.9", "\"levle\": 0.8,\n  \"level\": 0.9", 1);
    assert!(predict(&added, &at("q.csv")).contains("no card has"));
    assert!(predict("{}", &at("q.csv")).contains("no schema"));
    assert!(predict(&text[..200], &at("q.csv")).contains("JSON"));
    // A table that lacks a column of the card.
    let mut lacking = table(24);
    lacking.iter_mut().for_each(|row| drop(row.remove("b")));
    write(&at("l.csv"), &lacking);
    assert!(predict(&text, &at("l.csv")).contains("no column `b`"));
}

#[test]
fn profiles_and_scores_become_a_table_that_is_calibrated_for_an_api() {
    let (_keep, at) = folder();
    let measured = surmise(&[
        "measure",
        "minigpt-1",
        "minigpt-2",
        "minigpt-3",
        "minigpt-4",
        "minillama-1",
        "minillama-2",
        "--corpus",
        "colours",
        "--windows",
        "100",
        "-o",
        &at("profiles"),
    ]);
    assert!(measured.status.success(), "{}", String::from_utf8_lossy(&measured.stderr));
    let header = "provider,model,model_snapshot,task,shots,n_items,n_scored,n_refused,n_filtered,n_truncated,n_empty,n_unreadable,n_error,accuracy,accuracy_low,accuracy_high,accuracy_all_as_wrong,mean_logprob,collected_at\n";
    let mut scores = header.to_owned();
    for (model, hits) in
        [("minigpt-2", 40), ("minigpt-3", 60), ("minigpt-4", 70), ("minillama-2", 50), ("closed-1", 90)]
    {
        for shots in [0, 3] {
            let share = f64::from(hits + 2 * shots) / 100.0;
            scores.push_str(&format!("x,{model},,colours,{shots},100,100,0,0,0,0,0,0,{share},,,{share},,\n"));
        }
    }
    std::fs::write(at("scores.csv"), scores).expect("scores");
    let join = |extra: &[&str]| {
        let (profiles, scores, out) = (at("profiles"), at("scores.csv"), at("observations.csv"));
        let mut arguments =
            vec!["observations", "--profiles", &profiles, "--scores", &scores, "--setting", "0.4", "-o", &out];
        arguments.extend(extra);
        surmise(&arguments)
    };
    let output = join(&[]);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("closed-1"),
        "a closed model without a family has no proxy"
    );
    std::fs::write(at("models.csv"), "model,family,params_b\nclosed-1,minigpt,-0.5\n").expect("models");
    let output = join(&["--models", &at("models.csv")]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("closed-1 a params_b of -0.5"));
    std::fs::write(at("models.csv"), "model,family,params_b\nclosed-1,minigpt,0.5\n").expect("models");
    let output = join(&["--models", &at("models.csv")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = rows(&at("observations.csv"));
    let names: Vec<&str> = rows.iter().map(|row| row["target_model"].as_str()).collect();
    assert_eq!(names, ["closed-1", "minigpt-2", "minigpt-3", "minigpt-4", "minillama-2"]);
    assert!(
        rows.iter()
            .all(|row| row["proxy_model"] == if row["family"] == "minillama" { "minillama-1" } else { "minigpt-1" })
    );
    let closed = &rows[0];
    assert!(closed["emergence_nats"].is_empty() && closed["ie_final_nats"].is_empty() && closed["params_b"] == "0.5");
    // (90 + .5) / (10 + .5) at no shots and (96 + .5) / (4 + .5) at three: the mean of the logits, and the slope over log2(shots + 1) = 0 and 2.
    let (a, b) = ((90.5f64 / 10.5).ln(), (96.5f64 / 4.5).ln());
    let number = |name: &str| closed[name].parse::<f64>().expect(name);
    assert!((number("accuracy_logit") - (a + b) / 2.0).abs() < 1e-12);
    assert!((number("accuracy_slope") - (b - a) / 2.0).abs() < 1e-12);
    assert_eq!(closed["score_colours_logit"], closed["accuracy_logit"]);
    let open = &rows[2];
    assert!(!open["emergence_nats"].is_empty() && !open["emergence_stderr_nats"].is_empty());
    let internal = surmise(&[
        "calibrate",
        "--observations",
        &at("observations.csv"),
        "--target",
        "emergence_nats",
        "--features",
        "ie_final_nats",
        "--for-api",
    ]);
    assert!(String::from_utf8_lossy(&internal.stderr).contains("API"));
}
