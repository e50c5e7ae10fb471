//! The header of a table: columns without a name, and names that occur twice.

use std::collections::BTreeMap;

/// Which columns of a file are kept.
pub(super) struct Header {
    /// Their places, in order.
    pub kept: Vec<usize>,
    /// Names of several columns whose cells differ; none of these is kept.
    pub repeated: Vec<String>,
    /// What was left out, for people.
    pub notes: Vec<String>,
}

impl Header {
    /// Columns without a name are left out: the first is often the index that a data frame was written with.
    /// Of columns with one name the first is kept if all hold the same, else none.
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
                    notes.push(format!("column {name} occurs twice with other cells; both are left out"));
                    repeated.push(name.clone());
                }
            }
        }
        Self { kept, repeated, notes }
    }
}
