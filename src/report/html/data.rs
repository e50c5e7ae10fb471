//! Converts tables and numbers to the JSON data of the page.

use serde_json::{Value, json};

use crate::report::{Cell, Table};

/// A table of the page.
#[derive(Debug, Clone)]
pub(super) struct PageTable {
    name: &'static str,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    /// Number of rows that do not fit, and the file that contains them.
    left_out: Option<(usize, String)>,
}

impl PageTable {
    /// An empty table. `name` is also the name of the file for saving it.
    pub(super) fn new(name: &'static str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { name, columns, rows: vec![], left_out: None }
    }

    /// A table with these rows.
    pub(super) fn of(name: &'static str, columns: Vec<String>, rows: Vec<Vec<Value>>) -> Self {
        Self { name, columns, rows, left_out: None }
    }

    pub(super) fn from_report(name: &'static str, table: &Table) -> Self {
        let rows = table.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        Self::of(name, table.columns.iter().map(|column| (*column).to_owned()).collect(), rows)
    }

    pub(super) fn push(&mut self, row: Vec<Value>) {
        self.rows.push(row);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Keeps as many of the first rows as fit into `bytes`. `file` contains all rows.
    pub(super) fn within(mut self, bytes: usize, file: &str) -> Self {
        let n = self.rows.len();
        let mut taken = 0;
        let fits = |row: &Vec<Value>| {
            taken += size(&json!(row)) + 1;
            taken <= bytes
        };
        let kept = self.rows.iter().map(fits).take_while(|fits| *fits).count();
        self.rows.truncate(kept);
        self.left_out = (kept < n).then(|| (n - kept, file.to_owned()));
        self
    }

    /// The size of the rows in bytes.
    pub(super) fn size(&self) -> usize {
        self.rows.iter().map(|row| size(&json!(row)) + 1).sum()
    }

    pub(super) fn json(&self) -> Value {
        let (n, file) = self.left_out.clone().unwrap_or_default();
        json!({
            "name": self.name, "columns": self.columns, "rows": self.rows,
            "left_out": n, "left_out_file": file,
        })
    }
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => json!(text),
        Cell::Count(count) => json!(count),
        Cell::Number(value, _) | Cell::WithError(value, _) => json!(value),
        Cell::Missing => Value::Null,
    }
}

/// The size of a value on the page in bytes: as JSON, with `<` escaped.
pub(super) fn size(value: &Value) -> usize {
    let text = value.to_string();
    text.len() + (ESCAPED.len() - 1) * text.matches('<').count()
}

/// The escape sequence for `<` in the data. An unescaped `<` could end the script element or start a comment.
pub(super) const ESCAPED: &str = "\\u003c";

/// A number with six significant digits; null for a missing or non-finite number.
pub(super) fn short(value: Option<f64>) -> Value {
    let rounded = value.filter(|value| value.is_finite()).map(|value| format!("{value:.5e}").parse::<f64>());
    rounded.and_then(Result::ok).map_or(Value::Null, |value| {
        // Write integers without a fraction.
        if value.fract() == 0.0 && value.abs() < 1e9 { json!(value as i64) } else { json!(value) }
    })
}

/// Truncates a text to `most` bytes on the page and appends the number of omitted characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    let bytes = |c: char| match c {
        '<' => ESCAPED.len(),
        '"' | '\\' => 2,
        c if c.is_control() => 6,
        c => c.len_utf8(),
    };
    let mut taken = 0;
    let fits = |c: &char| {
        taken += bytes(*c);
        taken <= most
    };
    let kept = text.chars().take_while(fits).count();
    let left = text.chars().skip(kept).count();
    if left == 0 {
        return text.into();
    }
    format!("{}\u{2026} ({left} more characters)", text.chars().take(kept).collect::<String>())
}

/// The remaining bytes of a page for one kind of data.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self { left: bytes }
    }

    /// Subtracts `bytes`.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// The remaining bytes.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Returns the value and subtracts its size if it fits; otherwise returns `None`.
    pub(super) fn take(&mut self, value: Value) -> Option<Value> {
        let bytes = size(&value) + 1;
        (bytes <= self.left).then(|| {
            self.left -= bytes;
            value
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_six_digits_and_none_is_null() {
        let texts = [0.41960783452143374, -1.0 / 3.0, 1e-9, 12.0, 0.0].map(|v| short(Some(v)).to_string());
        assert_eq!(texts, ["0.419608", "-0.333333", "1e-9", "12", "0"]);
        assert_eq!([short(None), short(Some(f64::NAN))], [Value::Null, Value::Null]);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        assert_eq!(cut("four", 4), "four");
        assert_eq!(cut("<<four", 12), "<<\u{2026} (4 more characters)");
        assert_eq!(size(&json!("<<")), json!("<<").to_string().replace('<', ESCAPED).len());
        let mut table = PageTable::new("t", &["a"]);
        (0..10).for_each(|k| table.push(vec![json!(k)]));
        let json = table.within(8, "t.csv").json();
        assert_eq!(json["rows"], json!([[0], [1]]));
        assert_eq!((&json["left_out"], &json["left_out_file"]), (&json!(8), &json!("t.csv")));
        let mut budget = Budget::new(8);
        assert!(budget.take(json!("four")).is_some() && budget.take(json!("four")).is_none());
    }
}
