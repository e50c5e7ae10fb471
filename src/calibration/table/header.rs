//! Reads the header of a table: leaves out columns without a name, and resolves names that occur twice.

use std::collections::BTreeMap;

/// Which columns of a file are kept.
pub(super) struct Header {
    /// Positions of these columns, in order.
    pub kept: Vec<usize>,
    /// Names that several columns with different cells share. None of these columns is kept.
    pub repeated: Vec<String>,
    /// Notes on the columns that were left out.
    pub notes: Vec<String>,
}

impl Header {
    /// Leaves out columns without a name; the first column is often the unnamed index of a data frame. Of
    /// columns with the same name, keeps the first if all have the same cells, otherwise none.
    pub(super) fn of(names: &[String], rows: &[&[String]]) -> Self {
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        names.iter().enumerate().for_each(|(at, name)| places.entry(name).or_default().push(at));
        let (mut kept, mut repeated, mut notes) = (vec![], vec![], vec![]);
        for (at, name) in names.iter().enumerate() {
            if name.is_empty() {
                notes.push(format!("column {} has no name and is left out", at + 1));
                continue;
            }
            let same_name = &places[name.as_str()];
            let first = same_name[0];
            let is_same = || same_name.iter().all(|&other| rows.iter().all(|row| row[other] == row[first]));
            if same_name.len() == 1 || (at == first && is_same()) {
                kept.push(at);
            }
            if same_name.len() > 1 && at == first {
                if is_same() {
                    notes.push(format!("column {name} occurs twice with the same cells; one is left out"));
                } else {
                    notes.push(format!("column {name} occurs twice with different cells; both are left out"));
                    repeated.push(name.clone());
                }
            }
        }
        Self { kept, repeated, notes }
    }
}
