//! Tests `surmise mi` through the real binary: the three file formats, the output, and every kind of invalid
//! input.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ndarray::Array2;
use safetensors::tensor::{Dtype, TensorView, serialize};
use surmise::mi::ALL;

use crate::support::truth::gaussian;

fn surmise(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).args(arguments).output().expect("the binary")
}

/// A folder with input files for the binary.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).expect("a file");
        text(&self.path(name))
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// Pairs with an information of `-0.5 log(1 - .64) = .511` nats.
fn pairs(n: usize) -> (Array2<f32>, Array2<f32>) {
    let (x, noise) = (gaussian(n, 1, 1), gaussian(n, 1, 2));
    let y = 0.8 * &x + 0.6 * &noise;
    (x, y)
}

fn bytes(values: &Array2<f32>) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn safetensors(arrays: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let views = arrays.iter().map(|(name, dtype, shape, data)| {
        (*name, TensorView::new(*dtype, shape.clone(), data).expect("a shape that fits"))
    });
    serialize(views, None).expect("a file")
}

fn both(x: &Array2<f32>, y: &Array2<f32>) -> Vec<u8> {
    let array = |name, values: &Array2<f32>| (name, Dtype::F32, values.shape().to_vec(), bytes(values));
    safetensors(&[array("x", x), array("y", y)])
}

fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{header}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn json(arguments: &[&str]) -> serde_json::Value {
    let output = surmise(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Asserts that the command fails with this code, that stderr contains these words, and that stdout is empty.
fn fails(arguments: &[&str], code: i32, words: &[&str]) {
    let output = surmise(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    for word in words {
        assert!(stderr.contains(word), "{arguments:?}: `{word}` is not in: {stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn one_safetensors_file_two_npy_files_and_csv_give_the_same_number() {
    let files = Files::new();
    let (x, y) = pairs(400);
    let single = files.put("both.safetensors", &both(&x, &y));
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (400, 1), }";
    let (a, b) = (files.put("a.npy", &npy(header, &bytes(&x))), files.put("b.npy", &npy(header, &bytes(&y))));
    let csv = |values: &Array2<f32>| {
        let lines: Vec<String> = values.iter().map(|value| format!("{value}\n")).collect();
        format!("value\n{}", lines.concat())
    };
    let (c, d) = (files.put("c.csv", csv(&x).as_bytes()), files.put("d.csv", csv(&y).as_bytes()));
    let mut found = vec![];
    for (x, y) in [(&single, &single), (&a, &b), (&c, &d)] {
        let report = json(&["mi", "--x", x, "--y", y, "--estimator", "gaussian"]);
        assert_eq!(report["schema"]["name"], "mi");
        assert_eq!((&report["n"], &report["dims"]), (&400.into(), &serde_json::json!([1, 1])));
        for key in ["lower_nats", "upper_nats"] {
            assert!(report[key].is_null(), "{key}");
        }
        assert!(report["seconds"].as_f64().is_some() && report["ceiling_nats"].as_f64().is_some());
        assert_eq!((&report["kind"], &report["n_distinct"]), (&"parametric".into(), &400.into()));
        found.push(report["mi_nats"].as_f64().expect("a number"));
    }
    assert!((found[0] - found[1]).abs() < 1e-12 && (found[0] - found[2]).abs() < 1e-6, "{found:?}");
    // The tolerance is five standard errors of .8 / sqrt(400).
    assert!((found[0] - 0.511).abs() < 0.2, "{found:?}");
}

#[test]
fn every_estimator_of_the_list_can_be_chosen_and_the_same_seed_gives_the_same_number() {
    let files = Files::new();
    let (x, y) = pairs(120);
    let round = |a: &Array2<f32>| a.mapv(|value| value.clamp(-1.4, 1.4).round());
    let smooth = files.put("smooth.safetensors", &both(&x, &y));
    let coarse = files.put("coarse.safetensors", &both(&round(&x), &round(&y)));
    let list = String::from_utf8(surmise(&["list", "estimators"]).stdout).expect("UTF-8");
    let names: Vec<&str> = list.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(names, ALL.iter().map(|estimator| estimator.name()).collect::<Vec<_>>());
    assert!(list.lines().all(|line| line.split('\t').count() == 6), "{list}");
    for name in names {
        let file = if name == "plugin" { &coarse } else { &smooth };
        let run = || json(&["-q", "mi", "--x", file, "--y", file, "--estimator", name, "--seed", "3"]);
        let (mut first, mut second) = (run(), run());
        assert_eq!((first["estimator"].as_str(), first["seed"].as_u64()), (Some(name), Some(3)));
        for report in [&mut first, &mut second] {
            report["seconds"] = 0.into();
        }
        assert_eq!(first, second, "{name}");
    }
}

#[test]
fn the_printed_table_shows_no_negative_information() {
    let files = Files::new();
    let (x, _) = pairs(300);
    let file = files.put("both.safetensors", &both(&x, &gaussian(300, 1, 9)));
    let report = json(&["mi", "--x", &file, "--y", &file, "--estimator", "gaussian"]);
    let output = surmise(&["mi", "--x", &file, "--y", &file, "--estimator", "gaussian", "--table"]);
    let table = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(table.contains("MI/nats") && table.contains("300 rows"), "{table}");
    assert!(!table.contains("-0."), "{table}");
    assert!(report["mi_nats"].as_f64().expect("a number").abs() < 0.03, "{report}");
}

#[test]
fn random_pairings_have_no_information_and_the_pairs_do() {
    let files = Files::new();
    let (x, y) = pairs(200);
    let file = files.put("both.safetensors", &both(&x, &y));
    let arguments =
        ["mi", "--x", &file, "--y", &file, "--estimator", "ksg", "--permutations", "19", "--self-check"];
    let report = json(&arguments);
    // With 19 permutations, the smallest possible p-value is 1/20.
    assert!(
        (report["permutation_test"]["p_value"].as_f64().expect("a number") - 0.05).abs() < 1e-12,
        "{report}"
    );
    assert!(report["permutation_test"]["mean_nats"].as_f64().expect("a number").abs() < 0.06, "{report}");
    for (check, truth) in report["self_check"].as_array().expect("checks").iter().zip([0.0, 1.0, 3.0]) {
        assert_eq!(check["true_nats"].as_f64(), Some(truth));
        assert!((check["mi_nats"].as_f64().expect("a number") - truth).abs() < 0.4, "{check}");
    }
    let torn = files.put("torn.safetensors", &both(&x, &gaussian(200, 1, 77)));
    let report = json(&["mi", "--x", &torn, "--y", &torn, "--estimator", "ksg", "--permutations", "19"]);
    assert!(report["permutation_test"]["p_value"].as_f64().expect("a number") > 0.05, "{report}");
    let channel = ["mi", "--x", &file, "--y", &file, "--estimator", "channel", "--permutations", "3"];
    fails(&channel, 2, &["--permutations", "channel"]);
}

#[test]
fn rows_of_a_series_are_flagged_in_every_output_and_permutations_are_shifts() {
    let files = Files::new();
    let series = |seed| {
        let mut state = 0.0;
        gaussian(500, 1, seed).mapv(|value| {
            state = 0.95 * state + value;
            state
        })
    };
    let file = files.put("series.safetensors", &both(&series(5), &series(6)));
    let arguments = ["mi", "--x", &file, "--y", &file, "--estimator", "ksg", "--permutations", "19"];
    let output = surmise(&arguments);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        stderr.contains("dependent_rows: rows depend") && stderr.contains("neighbouring rows"),
        "{stderr}"
    );
    let report = json(&arguments);
    assert!(report["flags"].as_array().expect("flags").contains(&"dependent_rows".into()), "{report}");
    assert_eq!(report["permutation_test"]["pairing"], "circular_shifts");
    assert!(report["row_dependence"]["effective_rows"].as_f64().expect("rows") < 60.0, "{report}");
    let table = surmise(&[&arguments[..], &["--table"]].concat());
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    for words in ["dependent_rows: rows depend", "19 random shifts of y", "rows count as about"] {
        assert!(table.contains(words), "{words}: {table}");
    }
    // For independent rows, the report has neither the member `row_dependence` nor the flag.
    let (x, y) = pairs(500);
    let file = files.put("pairs.safetensors", &both(&x, &y));
    let report = json(&["mi", "--x", &file, "--y", &file, "--estimator", "ksg", "--permutations", "3"]);
    assert!(report.get("row_dependence").is_none() && report["flags"] == serde_json::json!([]), "{report}");
    assert_eq!(report["permutation_test"]["pairing"], "shuffled");
}

#[test]
fn y_that_is_x_is_null_in_json_and_infinite_in_the_table() {
    let files = Files::new();
    let (x, _) = pairs(100);
    let file = files.put("both.safetensors", &both(&x, &x));
    let report = json(&["mi", "--x", &file, "--y", &file, "--estimator", "gaussian"]);
    assert!(report["mi_nats"].is_null(), "{report}");
    assert_eq!(report["flags"], serde_json::json!(["infinite"]));
    let table = surmise(&["mi", "--x", &file, "--y", &file, "--estimator", "gaussian", "--table"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("infinite"));
}

#[test]
fn files_without_a_matrix_are_refused_by_name() {
    let files = Files::new();
    let (x, y) = pairs(60);
    let good = files.put("good.safetensors", &both(&x, &y));
    let missing = text(&files.path("missing.npy"));
    let check = |x: &str, words: &[&str]| {
        fails(&["mi", "--x", x, "--y", &good], 1, words);
    };
    check(&missing, &["missing.npy", "cannot read"]);
    check(&files.put("empty.csv", b""), &["empty.csv", "is empty"]);
    check(&files.put("names.csv", b"a,b\n"), &["names.csv", "no row of numbers"]);
    check(&files.put("word.csv", b"1,2\n3,four\n"), &["word.csv", "line 2", "`four` is not a number"]);
    check(&files.put("hole.csv", b"1,2\n3,\n"), &["hole.csv", "line 2", "missing values"]);
    check(&files.put("blank.csv", b"1,2\n3,4\n\n5,6\n"), &["blank.csv", "line 3", "the line is blank"]);
    check(&files.put("first.csv", b"\n1\n2\n"), &["first.csv", "line 1", "the line is blank"]);
    check(
        &files.put("last.csv", b"1\r\n2\r\n\r\n"),
        &["last.csv", "line 3", "the line after the last row is blank"],
    );
    check(&files.put("spaces.csv", b"1 2\n3 4\n"), &["spaces.csv", "line 2", "separate values with commas"]);
    check(&files.put("missing.csv", b"NA\n1\n2\n"), &["missing.csv", "line 1", "missing values"]);
    check(&files.put("ragged.csv", b"1,2\n3\n"), &["ragged.csv", "line 2", "1 cells"]);
    check(&files.put("binary.csv", b"1,2\n\xff\xfe,3\n"), &["binary.csv", "line 2"]);
    let data = bytes(&x);
    let array = |name, shape: Vec<usize>| (name, Dtype::F32, shape, data.clone());
    check(&files.put("z.safetensors", &safetensors(&[array("z", vec![60, 1])])), &["no array `x`", "`z`"]);
    check(
        &files.put("cube.safetensors", &safetensors(&[array("x", vec![6, 2, 5])])),
        &["[6, 2, 5]", "matrix"],
    );
    let flags = safetensors(&[("x", Dtype::BOOL, vec![240, 1], data.clone())]);
    check(&files.put("bool.safetensors", &flags), &["BOOL"]);
    let whole = both(&x, &y);
    check(
        &files.put("cut.safetensors", &whole[..whole.len() - 7]),
        &["cut.safetensors", "not a valid safetensors"],
    );
}

#[test]
fn an_estimate_is_printed_even_if_random_pairings_are_refused() {
    let files = Files::new();
    // The table has many values. Each pair occurs five times, but after random re-pairing almost every pair
    // occurs only once. The rows are in random order, so they are not treated as a series.
    let key = |row: &usize| {
        let mixed = (*row as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31);
        mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9)
    };
    let mut order: Vec<usize> = (0..500).collect();
    order.sort_by_key(key);
    let side =
        |step: usize| order.iter().map(|row| format!("{}\n", row / 5 * step % 101)).collect::<String>();
    let (x, y) = (files.put("x.csv", side(1).as_bytes()), files.put("y.csv", side(7).as_bytes()));
    let output = surmise(&["-q", "mi", "--x", &x, "--y", &y, "--estimator", "plugin", "--permutations", "3"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no p-value"));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!((report["mi_nats"].as_f64().expect("nats") - 100.0_f64.ln()).abs() < 0.2, "{report}");
    assert!(report.get("permutation_test").is_none(), "{report}");
}

#[test]
fn npy_headers_are_checked_against_the_file() {
    let files = Files::new();
    let (x, y) = pairs(60);
    let good = files.put("good.safetensors", &both(&x, &y));
    let data = bytes(&x);
    let header = |descr: &str, order: &str, shape: &str| {
        format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}")
    };
    let check = |name: &str, content: &[u8], words: &[&str]| {
        let file = files.put(name, content);
        fails(&["mi", "--x", &file, "--y", &good], 1, words);
    };
    check(
        "huge.npy",
        &npy(&header("<f4", "False", "(18446744073709551615, 18446744073709551615)"), &data),
        &["declares"],
    );
    check("product.npy", &npy(&header("<f8", "False", "(4294967296, 4294967296)"), &data), &["declares"]);
    check(
        "beyond.npy",
        &npy(&header("<f4", "False", "(99999999999999999999999,)"), &data),
        &["valid `shape`"],
    );
    check("negative.npy", &npy(&header("<f4", "False", "(-60, 1)"), &data), &["valid `shape`"]);
    check("long.npy", &npy(&header("<f4", "False", "(61, 1)"), &data), &["declares", "240 bytes"]);
    check("nothing.npy", &npy(&header("<f4", "False", "(0, 4)"), &[]), &["without values"]);
    check("big-endian.npy", &npy(&header(">f4", "False", "(60, 1)"), &data), &[">f4", "little-endian"]);
    check("objects.npy", &npy(&header("|O", "False", "(60, 1)"), &data), &["|O"]);
    check("order.npy", &npy(&header("<f4", "Maybe", "(60, 1)"), &data), &["fortran_order"]);
    check("no-header.npy", b"\x93NUMPY\x01\x00\xff\xff{'descr'", &["truncated"]);
    check("only-magic.npy", b"\x93NUMPY", &["truncated"]);
    check("version.npy", b"\x93NUMPY\x09\x00\x00\x00", &["version 9"]);
    check("empty-header.npy", &npy("", &data), &["descr"]);

    // The array is column-major, as NumPy writes a transposed array, and its doubles are far from zero.
    let (x, y) = (gaussian(60, 2, 1), gaussian(60, 2, 2));
    let columns: Vec<u8> = x.t().iter().flat_map(|v| (1e9 + f64::from(*v)).to_le_bytes()).collect();
    let turned = files.put("turned.npy", &npy(&header("<f8", "True", "(60, 2)"), &columns));
    let plain = files.put("plain.safetensors", &both(&x, &y));
    let number = |x: &str| {
        let report = json(&["mi", "--x", x, "--y", &plain, "--estimator", "gaussian"]);
        report["mi_nats"].as_f64().expect("a number")
    };
    assert!((number(&turned) - number(&plain)).abs() < 1e-5);
}

#[test]
fn samples_that_cannot_be_paired_or_measured_are_refused_and_nothing_is_printed() {
    let files = Files::new();
    let (x, mut y) = pairs(60);
    let good = files.put("good.safetensors", &both(&x, &y));
    let short = files.put("short.csv", b"1\n2\n3\n");
    fails(&["mi", "--x", &good, "--y", &short], 1, &["60 rows", "y has 3"]);
    y[[4, 0]] = f32::NAN;
    y[[9, 0]] = f32::INFINITY;
    let holes = files.put("holes.safetensors", &both(&x, &y));
    fails(&["mi", "--x", &good, "--y", &holes], 1, &["y contains 2 NaN or infinite", "row 4, column 0"]);
    let infinite = files.put("infinite.csv", b"1\ninf\n3\n");
    fails(
        &["mi", "--x", &infinite, "--y", &short, "--estimator", "gaussian"],
        1,
        &["x contains 1 NaN", "row 1"],
    );
    fails(&["mi", "--x", &short, "--y", &short, "--estimator", "gaussian"], 1, &["too few"]);
    let wide = files.put("wide.safetensors", &both(&gaussian(20, 12, 1), &gaussian(20, 12, 2)));
    fails(
        &["mi", "--x", &wide, "--y", &wide, "--estimator", "gaussian"],
        1,
        &["20 rows are too few for 12 + 12"],
    );
    fails(
        &["mi", "--x", &good, "--y", &good, "--estimator", "mime"],
        2,
        &["unknown estimator `mime`", "ksg"],
    );
    fails(&["mi", "--x", &good, "--y", &good, "--permutations", "0"], 2, &["--permutations"]);
    fails(&["mi", "--x", &good], 2, &["--y"]);

    let constant = files.put("constant.safetensors", &both(&x, &Array2::from_elem((60, 1), 5.0)));
    let report = json(&["mi", "--x", &constant, "--y", &constant]);
    assert_eq!((report["mi_nats"].as_f64(), &report["constant_y"]), (Some(0.0), &serde_json::json!([0])));
    assert_eq!(report["flags"], serde_json::json!(["constant"]));
}
