//! Writes a listing or table as CSV or JSON, to files or to stdout.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::output::print;
use crate::disk::{self, Schema};
use crate::error::{Error, Result};

/// The path that means stdout.
const STDOUT: &str = "-";
/// Version of the JSON format of tables.
const VERSION: u32 = 1;

/// The flags of every listing and table.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct TableFlags {
    /// Write the table as CSV to this file; `-` is stdout
    #[arg(long, value_name = "FILE|-", num_args = 0..=1, default_missing_value = STDOUT)]
    pub(super) csv: Option<PathBuf>,
    /// Write the table as JSON to this file; `-`, or no file, is stdout
    #[arg(long, value_name = "FILE|-", num_args = 0..=1, default_missing_value = STDOUT)]
    pub(super) json: Option<PathBuf>,
}

/// A table as CSV and as JSON.
pub(super) struct TableBytes {
    pub(super) csv: Vec<u8>,
    pub(super) json: Vec<u8>,
}

/// A table as JSON.
#[derive(Debug, serde::Serialize)]
struct JsonTable<'a, T> {
    schema: Schema,
    rows: &'a [T],
}

/// A row as a JSON object with its members in column order.
struct JsonRow<'a> {
    columns: &'a [String],
    cells: &'a [Value],
}

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            map.serialize_entry(column, cell)?;
        }
        map.end()
    }
}

impl TableBytes {
    /// Formats `rows` as the table `name`.
    pub(super) fn of_rows<T: Serialize>(name: &str, rows: &[T]) -> Result<Self> {
        Ok(Self { csv: disk::csv_bytes(name.as_ref(), rows)?, json: json_bytes(name, rows)? })
    }

    /// Formats cells as the table `name`. A missing value is `null` in JSON and empty in CSV.
    pub(super) fn of_cells(name: &str, columns: &[&str], rows: &[Vec<Value>]) -> Result<Self> {
        let text = |cell: &Value| match cell {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Number(number) if number.is_f64() => number.as_f64().unwrap_or_default().to_string(),
            other => other.to_string(),
        };
        let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        let mut lines = vec![columns.clone()];
        lines.extend(rows.iter().map(|row| row.iter().map(text).collect()));
        let objects: Vec<JsonRow> = rows.iter().map(|cells| JsonRow { columns: &columns, cells }).collect();
        Ok(Self { csv: disk::csv_bytes(name.as_ref(), &lines)?, json: json_bytes(name, &objects)? })
    }
}

fn json_bytes<T: Serialize>(name: &str, rows: &[T]) -> Result<Vec<u8>> {
    disk::json_bytes(name.as_ref(), &JsonTable { schema: Schema::new(name, VERSION), rows })
}

/// Whether a path means stdout.
pub(super) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == STDOUT
}

impl TableFlags {
    /// Whether `--csv` or `--json` was given.
    pub(super) fn is_given(&self) -> bool {
        self.csv.is_some() || self.json.is_some()
    }

    fn files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        [("--csv", &self.csv), ("--json", &self.json)]
            .into_iter()
            .filter_map(|(flag, path)| Some((flag, path.as_ref()?)))
    }

    /// Checks the outputs before anything is computed: no two outputs may share a file, no output may replace
    /// an input, and every file must be writable. `output` is the file of `-o`.
    ///
    /// # Errors
    /// [`Error::Parameter`], [`Error::Write`]
    pub(super) fn check<'a>(
        &self,
        output: Option<&PathBuf>,
        inputs: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Result<()> {
        let inputs: Vec<&PathBuf> = inputs.into_iter().collect();
        let mut places: Vec<(&str, &PathBuf)> = vec![];
        for (flag, path) in output.map(|path| ("-o", path)).into_iter().chain(self.files()) {
            if let Some((other, _)) = places.iter().find(|(_, known)| *known == path) {
                let place = if is_stdout(path) { "stdout".into() } else { path.display().to_string() };
                let reason =
                    format!("and {other} both write to {place}; choose another file for one of the two");
                return Err(Error::Parameter { name: flag, reason });
            }
            places.push((flag, path));
            if is_stdout(path) {
                continue;
            }
            if let Some(input) = inputs.iter().find(|input| disk::is_same(input, path)) {
                let reason =
                    format!("would replace {}, which is an input; choose another file", input.display());
                return Err(Error::Parameter { name: flag, reason });
            }
            drop(disk::Partial::begin(path)?);
        }
        Ok(())
    }

    /// Writes the table to the files given by the flags. Without these flags, prints `otherwise` to stdout.
    ///
    /// # Errors
    /// [`Error::Write`]
    pub(super) fn write(&self, table: &TableBytes, otherwise: &[u8]) -> Result<()> {
        if !self.is_given() {
            return print(otherwise);
        }
        for (flag, path) in self.files() {
            put(path, if flag == "--csv" { &table.csv } else { &table.json })?;
        }
        Ok(())
    }

    /// Writes the table as CSV to `output`, and to the files given by the flags. Without any of these files,
    /// prints the CSV to stdout.
    ///
    /// # Errors
    /// [`Error::Write`]
    pub(super) fn write_to(&self, output: Option<&PathBuf>, table: &TableBytes) -> Result<()> {
        match output {
            Some(path) if self.is_given() => {
                put(path, &table.csv)?;
                self.write(table, &[])
            }
            Some(path) => put(path, &table.csv),
            None => self.write(table, &table.csv),
        }
    }
}

/// Writes bytes to a file, or to stdout for the path `-`.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    if is_stdout(path) { print(bytes) } else { disk::write(path, bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_their_type_and_order_in_both_forms() {
        let rows = [vec!["a,b".into(), 1.5.into(), Value::Null], vec!["1".into(), 2.into(), true.into()]];
        let table = TableBytes::of_cells("t", &["z", "a", "m"], &rows).expect("a table");
        assert_eq!(String::from_utf8_lossy(&table.csv), "z,a,m\n\"a,b\",1.5,\n1,2,true\n");
        let json = String::from_utf8(table.json).expect("text");
        let at = |part: &str| json.find(part).unwrap_or_else(|| panic!("no {part} in {json}"));
        assert!(at("\"z\": \"a,b\"") < at("\"a\": 1.5") && at("\"a\": 1.5") < at("\"m\": null"));
        assert!(json.contains("\"z\": \"1\"") && json.contains("\"name\": \"t\""), "{json}");
    }

    #[test]
    fn two_tables_in_one_place_are_refused() {
        let flags = |csv: &str, json: &str| TableFlags { csv: Some(csv.into()), json: Some(json.into()) };
        let refused = flags("-", "-").check(None, []).expect_err("a refusal").to_string();
        assert!(refused.contains("--json and --csv both write to stdout"), "{refused}");
        let own = PathBuf::from("x.csv");
        assert!(flags("x.csv", "-").check(Some(&own), []).is_err());
    }
}
