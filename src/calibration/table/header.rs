//! Reads the header of a table: leaves out columns without a name, and resolves names that occur repeatedly.

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
    /// Leaves out columns without a name; the first column is often the unnamed index of a data frame. If
    /// several columns have the same name, keeps the first if all have the same cells, otherwise none of
    /// them.
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
            let n = same_name.len();
            if n > 1 && at == first {
                let times = if n == 2 { "twice".to_owned() } else { format!("{n} times") };
                if is_same() {
                    let left_out = if n == 2 { "one is" } else { "all but the first are" };
                    notes.push(format!(
                        "column {name} occurs {times} with the same cells; {left_out} left out"
                    ));
                } else {
                    let left_out = if n == 2 { "both are" } else { "all are" };
                    notes.push(format!(
                        "column {name} occurs {times} with different cells; {left_out} left out"
                    ));
                    repeated.push(name.clone());
                }
            }
        }
        Self { kept, repeated, notes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_are_noted_with_their_number_and_what_is_left_out() {
        let row = |cells: &str| -> Vec<String> { cells.split(',').map(Into::into).collect() };
        let (names, rows) =
            (row(",a,a,b,b,c,c,c,a,d,d"), [row("0,1,1,2,3,1,1,2,1,5,5"), row("1,2,2,2,2,1,1,1,2,6,6")]);
        let header = Header::of(&names, &rows.each_ref().map(Vec::as_slice));
        assert_eq!((header.kept, header.repeated), (vec![1, 9], vec!["b".to_owned(), "c".to_owned()]));
        assert_eq!(
            header.notes,
            [
                "column 1 has no name and is left out",
                "column a occurs 3 times with the same cells; all but the first are left out",
                "column b occurs twice with different cells; both are left out",
                "column c occurs 3 times with different cells; all are left out",
                "column d occurs twice with the same cells; one is left out",
            ]
        );
    }
}
