//! Tests that the data dictionary contains every column and member that a command writes, and that some
//! command writes every entry of the dictionary.

pub mod rare;
mod runs;

use std::path::Path;

use serde_json::Value;
use surmise::dictionary::{Members, entries};

const CHANGELOG: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/CHANGELOG.md"));

/// The entries that were found so far.
#[derive(Default)]
pub struct Written {
    members: Members,
}

impl Written {
    pub fn value(&mut self, table: &str, value: &Value) {
        let known = self.members.check(table, value);
        known.unwrap_or_else(|member| panic!("{table}: {member} is not in the dictionary"));
    }

    pub fn json(&mut self, table: &str, path: &Path) {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let value: Value = serde_json::from_slice(&bytes).expect("JSON");
        self.value(table, &value);
        let schema = entries().into_iter().find(|entry| entry.table == table && entry.name == "schema");
        if let Some(schema) = schema
            && schema.meaning.starts_with('`')
        {
            let (name, version) = (schema.meaning.trim_matches('`'), &value["schema"]["version"]);
            assert_eq!(value["schema"]["name"], name, "{table}");
            let row = format!("| `{name}` | {version} |");
            assert!(CHANGELOG.contains(&row), "no {row} among the schema versions of CHANGELOG.md");
        }
    }

    pub fn csv(&mut self, table: &str, path: &Path) {
        let mut reader = csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{error}"));
        let columns = reader.headers().expect("a header").clone();
        self.columns(table, &columns, &path.display().to_string());
    }

    fn columns(&mut self, table: &str, columns: &csv::StringRecord, place: &str) {
        let known = self.members.check_columns(table, columns);
        known.unwrap_or_else(|column| panic!("{place}: {column} is not in the dictionary"));
    }

    /// Checks the JSON form of a table.
    pub fn json_table(&mut self, table: &str, path: &Path) {
        self.json("table", path);
        let value: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
        for row in value["rows"].as_array().expect("rows") {
            let columns: csv::StringRecord = row.as_object().expect("a row").keys().collect();
            self.columns(table, &columns, &path.display().to_string());
        }
    }

    /// Checks each line of a journal by its record type.
    pub fn journal(&mut self, path: &Path) {
        for line in std::fs::read_to_string(path).expect("a journal").lines() {
            let value: Value = serde_json::from_str(line).expect("JSON");
            let record = value["record"].as_str().expect("a record");
            self.value(&format!("journal: {record}"), &value);
        }
    }

    /// Calls `look_up` for every file with this name below a folder.
    pub fn each(&mut self, folder: &Path, name: &str, look_up: &mut dyn FnMut(&mut Self, &Path)) {
        let mut found = 0;
        let mut open = vec![folder.to_path_buf()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    open.push(path);
                } else if path.file_name().is_some_and(|own| own == name) {
                    look_up(self, &path);
                    found += 1;
                }
            }
        }
        assert!(found > 0, "no {name} below {}", folder.display());
    }
}

#[test]
fn the_dictionary_matches_what_the_commands_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut written = Written::default();
    runs::measured(&mut written, folder.path());
    runs::estimated(&mut written, folder.path());
    runs::studied(&mut written, folder.path());
    runs::hidden(&mut written, folder.path());
    runs::asked(&mut written, folder.path());
    runs::listed(&mut written, folder.path());
    rare::round_trips(&mut written);
    let unseen = written.members.unseen();
    assert!(unseen.is_empty(), "no command writes {unseen:#?}");
}
