//! One row of the dictionary.

use serde::Deserialize;

/// The dictionary as a table.
const ROWS: &str = include_str!("columns.csv");

/// One column or member, or the table that the next ones belong to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// The file, or the object inside a JSON file.
    pub table: String,
    /// The column or member; `*` in it stands for any text. Empty for the table itself.
    pub name: String,
    /// The unit; of a table its form: CSV, JSON, JSON Lines, or object for a part of a JSON file.
    pub unit: String,
    /// What it holds, in a sentence.
    pub meaning: String,
    /// Of a member that holds objects, the table that describes them; after `*`, the names of members are
    /// free. Of a table, where the file is written.
    pub holds: String,
}

impl Entry {
    /// Whether it is a table, and no column of one.
    pub fn is_table(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether a column of a file is this one.
    pub fn is_named(&self, column: &str) -> bool {
        match self.name.split_once('*') {
            Some((begin, end)) => {
                column.len() > begin.len() + end.len() && column.starts_with(begin) && column.ends_with(end)
            }
            None => self.name == column,
        }
    }
}

/// The entries, in the order of the page: each table is followed by its columns or members.
pub fn entries() -> Vec<Entry> {
    let mut reader = csv::Reader::from_reader(ROWS.as_bytes());
    reader.deserialize().map(|row| row.expect("a row of columns.csv")).collect()
}
