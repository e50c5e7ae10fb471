//! Reads the rows of the data dictionary.

use serde::Deserialize;

/// The dictionary as CSV.
const ROWS: &str = include_str!("columns.csv");

/// A column or member, or the heading of the table to which the following entries belong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// The file, or the object inside a JSON file.
    pub table: String,
    /// The column or member; `*` stands for any text. Empty for a table.
    pub name: String,
    /// The unit. For a table, its format: CSV, JSON, JSON Lines, or `object` for a part of a JSON file.
    pub unit: String,
    /// One sentence that describes the content.
    pub meaning: String,
    /// For a member that contains objects, the table that describes these objects; a leading `*` means that
    /// the names of the objects are arbitrary. For a table, the place where the file is written.
    pub holds: String,
}

impl Entry {
    /// Whether the entry is a table.
    pub fn is_table(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether the entry describes the column with this name.
    pub fn is_named(&self, column: &str) -> bool {
        match self.name.split_once('*') {
            Some((begin, end)) => {
                column.len() > begin.len() + end.len() && column.starts_with(begin) && column.ends_with(end)
            }
            None => self.name == column,
        }
    }
}

/// All entries, in the order of the page. Each table is followed by its columns or members.
pub fn entries() -> Vec<Entry> {
    let mut reader = csv::Reader::from_reader(ROWS.as_bytes());
    reader.deserialize().map(|row| row.expect("a row of columns.csv")).collect()
}
