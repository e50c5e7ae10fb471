//! Writes tidy tables for tests of the real binary: a table that can be calibrated, and variants of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Public scores of 155 models.
pub const OBSERVATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/calibration/obs_tidy.csv");

pub fn surmise(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise")).args(arguments).output().expect("the binary")
}

/// Rows of a table, by column.
pub type Rows = Vec<BTreeMap<&'static str, String>>;

pub fn folder() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().to_path_buf();
    (folder, move |name: &str| root.join(name).to_str().expect("UTF-8").to_owned())
}

pub fn rows(path: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path).expect(path).deserialize().map(|row| row.expect("a row")).collect()
}

/// The path of the profile whose file name begins with this model and corpus. The folder must contain exactly
/// one such profile.
pub fn profile_file(folder: &Path, model: &str, corpus: &str) -> PathBuf {
    let start = format!("{model}--{corpus}--");
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let found: Vec<PathBuf> = entries
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start)))
        .collect();
    assert_eq!(found.len(), 1, "{start}: {found:?}");
    found[0].clone()
}

/// A table of `n` models in families of three. The score rises with size and with two features.
pub fn table(n: usize) -> Rows {
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

pub fn write(path: &str, rows: &[BTreeMap<&'static str, String>]) {
    let mut writer = csv::Writer::from_path(path).expect("a file");
    writer.write_record(rows[0].keys()).expect("a header");
    rows.iter().for_each(|row| writer.write_record(row.values()).expect("a row"));
    writer.flush().expect("a file");
}

/// Calibrates an invalid table. Returns the error message, and checks that nothing was written.
pub fn refused(rows: &[BTreeMap<&'static str, String>], flags: &[&str]) -> String {
    let (_keep, at) = folder();
    write(&at("t.csv"), rows);
    let (file, card) = (at("t.csv"), at("card.json"));
    let mut arguments = vec!["calibrate", &file, "--target", "y", "-o", &card];
    arguments.extend(flags);
    let output = surmise(&arguments);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(1 | 2)), "{stderr}");
    assert!(!Path::new(&card).exists() && output.stdout.is_empty(), "{stderr}");
    assert_eq!(std::fs::read_dir(PathBuf::from(&card).parent().expect("a folder")).expect("it").count(), 1);
    stderr
}

/// Calibrates a table. In stderr, the description of the card replaces the summary.
pub fn calibrated(rows: &[BTreeMap<&'static str, String>], flags: &[&str], card: &str) -> Output {
    let (_keep, at) = folder();
    write(&at("t.csv"), rows);
    let file = at("t.csv");
    let mut arguments = vec!["calibrate", &file, "--target", "y", "-o", card];
    arguments.extend(flags);
    described(surmise(&arguments), card)
}

/// The output of `calibrate`, with the description of its card in place of the summary.
pub fn described(output: Output, card: &str) -> Output {
    match output.status.code() {
        Some(0) => Output { stderr: surmise(&["card", card]).stdout, ..output },
        _ => output,
    }
}

/// A table with an additional or replaced column.
pub fn with(n: usize, column: &'static str, value: impl Fn(usize) -> String) -> Rows {
    let mut rows = table(n);
    rows.iter_mut().enumerate().for_each(|(i, row)| drop(row.insert(column, value(i))));
    rows
}

pub fn predicted(card: &str, query: &[BTreeMap<&'static str, String>]) -> Vec<BTreeMap<String, String>> {
    let (_keep, at) = folder();
    write(&at("q.csv"), query);
    surmise(&["predict", "--calibration", card, &at("q.csv"), "-o", &at("p.csv")]);
    rows(&at("p.csv"))
}
