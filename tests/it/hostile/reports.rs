//! Puts extreme numbers into the cells of the tables that reports read. The result is a figure, or an error
//! that names the column.

use std::path::Path;

use rayon::prelude::*;

use super::bounded::{output, run};

const CELLS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "NaN",
    "inf",
    "1e308",
    "-1e308",
    "5e-324",
    "1e17",
    "18446744073709551615",
    "9007199254740993",
    "100000000",
];

/// A table: its header, and rows of cells.
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(path: &Path) -> Self {
        let mut reader = csv::Reader::from_path(path).expect("a table");
        let header = reader.headers().expect("a header").iter().map(str::to_owned).collect();
        let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect());
        Self { header, rows: rows.collect() }
    }

    /// Whether a column has at least one non-empty cell, and all its non-empty cells are numbers.
    fn is_number(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().map(|row| row[column].as_str()).filter(|cell| !cell.is_empty());
        cells.next().is_some_and(|first| first.parse::<f64>().is_ok())
            && cells.all(|cell| cell.parse::<f64>().is_ok())
    }

    /// Writes the table with one cell of a column, or all of its cells, replaced by another value.
    fn write(&self, path: &Path, column: usize, value: &str, one: bool) {
        let mut writer = csv::Writer::from_path(path).expect("a file");
        writer.write_record(&self.header).expect("a header");
        for (at, row) in self.rows.iter().enumerate() {
            let mut row = row.clone();
            if !one || at == self.rows.len() / 2 {
                row[column] = value.to_owned();
            }
            writer.write_record(&row).expect("a row");
        }
        writer.flush().expect("a file");
    }
}

/// Asserts that no written table, figure or text contains NaN or infinity.
fn is_finite(folder: &Path, what: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            let table = Table::read(&path);
            for cell in table.rows.iter().flatten() {
                let is_odd = cell.parse::<f64>().is_ok_and(|number| !number.is_finite());
                assert!(!is_odd, "{what}: {} contains {cell}", path.display());
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension == "svg" || extension == "tex" || extension == "md")
        {
            let text = std::fs::read_to_string(&path).expect("a text");
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            let odd = words.find(|word| ["nan", "inf", "infinity"].contains(&&*word.to_ascii_lowercase()));
            assert!(odd.is_none(), "{what}: {} contains {odd:?}", path.display());
        }
    }
}

fn every_cell(file: &str, table: &Table, verbs: &[&str]) {
    let cases: Vec<(usize, usize)> =
        (0..table.header.len()).flat_map(|column| (0..CELLS.len()).map(move |at| (column, at))).collect();
    let is_drawn = |&(column, at): &(usize, usize)| {
        let (name, value, one) = (&table.header[column], CELLS[at], (column + at) % 2 == 0);
        let folder = tempfile::tempdir().expect("a folder");
        table.write(&folder.path().join(file), column, value, one);
        let verb = verbs[(column * CELLS.len() + at) % verbs.len()];
        let what = format!("report {verb} with {value} in {} of `{name}`", if one { "one" } else { "all" });
        let ended = run(folder.path(), &["report", verb, file, "-q", "-o", "out"]).orderly(&what);
        if ended.code == Some(0) {
            // Columns of names are not checked, because a name may be "NaN".
            if table.is_number(column) {
                is_finite(&folder.path().join("out"), &what);
            }
            return true;
        }
        // Errors in columns of names are not checked, because their messages have other words.
        let words = [name.as_str(), " line ", "rows", value];
        let is_named = words.iter().any(|word| ended.stderr.contains(word));
        assert!(is_named || !table.is_number(column), "{what}: {}", ended.stderr);
        false
    };
    let drawn = cases.par_iter().filter(|case| is_drawn(case)).count();
    let failed = cases.len() - drawn;
    assert!(drawn > 20 && failed > 20, "{file}: {drawn} were drawn, {failed} refused");
}

fn measured(arguments: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8").to_owned();
    let output = output(&[&["measure", "minigpt-2", "-q", "-o", &out], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

#[test]
fn positional_profiles_take_any_number() {
    let folder =
        measured(&["--estimand", "positional", "--corpus", "colours", "--windows", "40", "--entities", "3"]);
    let table = Table::read(&folder.path().join("profiles.csv"));
    every_cell("profiles.csv", &table, &["profiles", "depth", "shots"]);
}

#[test]
fn predictions_take_any_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.csv");
    let text = "target_model,corpus,family,n_params,unit,level,y_hat,low,high,measured,baseline_size,\
                baseline_mean\na,colours,x,1000,nats,0.9,0.5,0.25,0.75,0.625,0.125,1.0\n\
                b,colours,x,2000,nats,0.9,1.0,0.5,1.5,2.0,2.5,1.0\n\
                c,colours,y,3000,nats,0.9,1.1,0.5,1.5,2.0,2.5,1.0\n";
    std::fs::write(&path, text).expect("a file");
    every_cell("predictions.csv", &Table::read(&path), &["predictions"]);
}

#[test]
fn blind_tests_take_any_number() {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/blind.csv");
    let mut table = Table::read(&bundled);
    table.rows.truncate(12);
    every_cell("blind.csv", &table, &["blind"]);
}
