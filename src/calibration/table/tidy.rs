//! Reads a tidy table: CSV with a header, one observation per row, an empty cell where a value is missing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::condition::Condition;
use super::header::Header;
use super::number::{DecimalSign, is_missing_text};
use super::reading::Reading;
use crate::disk;
use crate::disk::Lines;
use crate::error::{Error, Result};
use crate::names;

/// A table with named columns. The cells keep their text from the file.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    columns: Vec<String>,
    /// How each column is read as numbers. All rows of the table determine the notation, and a selection of
    /// rows keeps this notation.
    readings: Vec<Reading>,
    /// Names that several columns with different cells share.
    repeated: Vec<String>,
    /// Columns that number the rows.
    indices: Vec<String>,
    rows: Vec<TableRow>,
    /// Notes on the columns that were left out.
    notes: Vec<String>,
}

/// One row and its line in the file.
#[derive(Debug, Clone)]
struct TableRow {
    line: u64,
    cells: Vec<String>,
}

/// The column and the value of an indicator, `column=value`.
pub(crate) fn indicator(feature: &str) -> Option<(&str, &str)> {
    feature.split_once('=')
}

/// The column of a logarithm, `log10(column)`.
pub(crate) fn logarithm(feature: &str) -> Option<&str> {
    feature.strip_prefix("log10(")?.strip_suffix(')')
}

/// Minimum number of rows to detect a column of row numbers. In a smaller table, a column may equal the row
/// numbers by chance.
const LEAST_COUNTED: usize = 8;

/// The separator of the cells: the first of comma, semicolon and tab that occurs in the header.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |sign: &u8| header.contains(sign);
    [b',', b';', b'\t'].into_iter().find(has).unwrap_or(b',')
}

impl Table {
    /// Reads a CSV file (RFC 4180, UTF-8, with a header).
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read. [`Error::Csv`] for a row that is longer or shorter than
    /// the header, or a table without rows.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Self::from_bytes(path, &bytes)
    }

    /// Reads a table from bytes. `path` only appears in messages. If the header contains no comma, the
    /// separator is a semicolon or a tab, as in spreadsheets with decimal commas.
    ///
    /// # Errors
    /// Returns the errors of [`Self::read`], except [`Error::Read`].
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let fault = |line: u64, reason: String| Error::Csv { path: path.into(), line, reason };
        // Spreadsheets write a byte order mark before the first name.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).delimiter(delimiter(bytes)).from_reader(bytes);
        let wrong = |error: csv::Error| fault(Lines::at(bytes, error.position()), error.to_string());
        let names: Vec<String> = reader.headers().map_err(wrong)?.iter().map(Into::into).collect();
        let (mut rows, mut lines) = (vec![], Lines::new(bytes));
        for record in reader.records() {
            let record = record.map_err(wrong)?;
            let line = lines.of(record.position());
            rows.push(TableRow { line, cells: record.iter().map(Into::into).collect() });
        }
        if rows.is_empty() {
            return Err(fault(1, "the table has no rows".into()));
        }
        let cells: Vec<&[String]> = rows.iter().map(|row| row.cells.as_slice()).collect();
        let Header { kept, repeated, notes } = Header::of(&names, &cells);
        if kept.len() < names.len() {
            rows.iter_mut()
                .for_each(|row| row.cells = kept.iter().map(|&at| row.cells[at].clone()).collect());
        }
        let columns = kept.iter().map(|&at| names[at].clone()).collect();
        let table =
            Self { path: path.into(), columns, readings: vec![], repeated, indices: vec![], rows, notes };
        let mut table = table.with_decimal_signs(&BTreeMap::new());
        table.indices = table.columns.iter().filter(|name| table.counts_rows(name)).cloned().collect();
        Ok(table)
    }

    /// Reads every column again, from the current rows. `signs` gives the decimal sign of columns whose cells
    /// are ambiguous, as in a table of one row.
    #[must_use]
    pub(crate) fn with_decimal_signs(mut self, signs: &BTreeMap<String, DecimalSign>) -> Self {
        let read = |(at, name): (usize, &String)| {
            let cells = self.rows.iter().map(|row| (row.line, row.cells[at].as_str()));
            Reading::of(name, cells, signs.get(name).copied())
        };
        self.readings = self.columns.iter().enumerate().map(read).collect();
        self
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the columns, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the table has no rows, as after a filter.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// 1-based line of a row in the file.
    pub fn line(&self, row: usize) -> u64 {
        self.rows[row].line
    }

    /// The error for a faulty cell or row.
    pub(crate) fn fault(&self, row: usize, reason: String) -> Error {
        Error::Csv { path: self.path.clone(), line: self.line(row), reason }
    }

    /// Whether there is a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    /// Whether several columns with different cells have this name.
    pub(crate) fn is_repeated(&self, column: &str) -> bool {
        self.repeated.iter().any(|name| name == column)
    }

    /// Keeps only the rows that meet all conditions.
    ///
    /// # Errors
    /// [`Error::Csv`] if the column of a condition does not exist, or if a condition with `<`, `<=`, `>` or
    /// `>=` applies to a cell that is not a number.
    pub fn filter(mut self, conditions: &[Condition]) -> Result<Self> {
        for condition in conditions {
            let at = self.index(&condition.column)?;
            let mut kept = vec![];
            for row in std::mem::take(&mut self.rows) {
                let number = self.readings[at].number(&row.cells[at]).ok().flatten();
                let holds = condition.holds(&row.cells[at], number).map_err(|reason| Error::Csv {
                    path: self.path.clone(),
                    line: row.line,
                    reason: format!("column {}: {reason}", condition.column),
                })?;
                if holds {
                    kept.push(row);
                }
            }
            self.rows = kept;
        }
        Ok(if conditions.is_empty() { self } else { self.with_decimal_signs(&BTreeMap::new()) })
    }

    /// The table with only the rows at `places`, in that order.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        let rows = places.iter().map(|&at| self.rows[at].clone()).collect();
        Self {
            path: self.path.clone(),
            columns: self.columns.clone(),
            readings: self.readings.clone(),
            repeated: self.repeated.clone(),
            indices: self.indices.clone(),
            notes: self.notes.clone(),
            rows,
        }
    }

    /// The table without the given columns, as if its file lacked them.
    ///
    /// # Errors
    /// [`Error::Csv`] for a column that does not exist.
    pub fn without(mut self, columns: &[String]) -> Result<Self> {
        for column in columns {
            let at = self.index(column)?;
            self.columns.remove(at);
            self.readings.remove(at);
            self.rows.iter_mut().for_each(|row| drop(row.cells.remove(at)));
        }
        Ok(self)
    }

    fn index(&self, column: &str) -> Result<usize> {
        if let Some(at) = self.columns.iter().position(|name| name == column) {
            return Ok(at);
        }
        if self.is_repeated(column) {
            let reason =
                format!("column {column} occurs more than once, with different cells; rename all but one");
            return Err(Error::Csv { path: self.path.clone(), line: 1, reason });
        }
        let columns = self.columns.iter().enumerate();
        names::find(column, columns, |(_, name)| name).map(|(at, _)| at).ok_or_else(|| {
            let near = names::suggestion(column, self.columns.iter().map(String::as_str));
            let reason =
                format!("there is no column `{column}`; {near}the columns are {}", self.columns.join(", "));
            Error::Csv { path: self.path.clone(), line: 1, reason }
        })
    }

    /// The column that a typed name refers to, ignoring case. Returns the typed name if there is no such
    /// column.
    pub fn column_of(&self, typed: &str) -> String {
        let found = names::find(typed, &self.columns, |name| name);
        found.map_or_else(|| typed.to_owned(), String::clone)
    }

    /// The cells of a column as text, empty where missing.
    ///
    /// # Errors
    /// [`Error::Csv`] if there is no such column.
    pub fn text(&self, column: &str) -> Result<Vec<&str>> {
        let at = self.index(column)?;
        Ok(self.rows.iter().map(|row| row.cells[at].as_str()).collect())
    }

    /// The cells of a column as numbers, `None` where a cell is missing. `column=value` is the indicator of a
    /// value in a text column. `log10(column)` is the logarithm of a column, `None` where the column is 0 or
    /// below.
    ///
    /// # Errors
    /// [`Error::Csv`] if there is no such column, or with the line of a cell that is text or infinite.
    pub fn numbers(&self, column: &str) -> Result<Vec<Option<f64>>> {
        if let Some((name, value)) = indicator(column).filter(|_| !self.has(column)) {
            let of = |cell: &str| (!is_missing_text(cell)).then(|| f64::from(u8::from(cell == value)));
            return Ok(self.text(name)?.into_iter().map(of).collect());
        }
        if let Some(name) = logarithm(column).filter(|_| !self.has(column)) {
            let of = |cell: Option<f64>| cell.filter(|value| *value > 0.0).map(f64::log10);
            return Ok(self.numbers(name)?.into_iter().map(of).collect());
        }
        let at = self.index(column)?;
        if let Reading::Unclear { line, reason } = &self.readings[at] {
            let reason = format!("column {column} {reason}");
            return Err(Error::Csv { path: self.path.clone(), line: *line, reason });
        }
        let cells = self.rows.iter().map(|row| {
            let cell = row.cells[at].as_str();
            self.readings[at].number(cell).map_err(|what| Error::Csv {
                path: self.path.clone(),
                line: row.line,
                reason: format!(
                    "column {column} contains `{cell}`, {what}; leave the cell empty if the value is missing"
                ),
            })
        });
        cells.collect()
    }

    /// The note on how a column was read, if it is not in plain notation.
    pub(super) fn said(&self, column: &str) -> Option<String> {
        let at = self.columns.iter().position(|name| name == column)?;
        let (Reading::Dressed { said, .. } | Reading::Truth { said }) = &self.readings[at] else {
            return None;
        };
        (!said.is_empty()).then(|| format!("column {column}: {said}"))
    }

    /// The decimal sign of a column that contains commas.
    pub(super) fn decimal_sign(&self, column: &str) -> Option<DecimalSign> {
        let at = self.columns.iter().position(|name| name == column)?;
        match &self.readings[at] {
            Reading::Dressed { sign, has_commas: true, .. } => Some(*sign),
            _ => None,
        }
    }

    /// Whether no cell of a column is a number.
    pub(super) fn is_text(&self, column: &str) -> bool {
        let at = self.columns.iter().position(|name| name == column);
        let number =
            |at: usize, row: &TableRow| matches!(self.readings[at].number(&row.cells[at]), Ok(Some(_)));
        at.is_some_and(|at| {
            self.readings[at] == Reading::Text && !self.rows.iter().any(|row| number(at, row))
        })
    }

    /// Columns that were left out of the table, and why.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Columns that number the rows of the file.
    pub(super) fn indices(&self) -> &[String] {
        &self.indices
    }

    /// Whether the cells of a column are consecutive integers from 0 or 1, each once.
    fn counts_rows(&self, column: &str) -> bool {
        let n = self.len();
        let Ok(cells) = self.numbers(column) else { return false };
        let first = cells.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        if n < LEAST_COUNTED || !(first == 0.0 || first == 1.0) {
            return false;
        }
        let mut seen = vec![false; n];
        cells.into_iter().all(|cell| {
            let at = cell.map(|value| value - first).filter(|at| at.fract() == 0.0 && *at < n as f64);
            at.is_some_and(|at| !std::mem::replace(&mut seen[at as usize], true))
        })
    }

    /// Whether every cell of a column is a number or missing, and at least one is a number.
    pub fn is_numeric(&self, column: &str) -> bool {
        self.numbers(column).is_ok_and(|cells| cells.iter().any(Option::is_some))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table> {
        Table::from_bytes("t.csv".as_ref(), text.as_bytes())
    }

    #[test]
    fn missing_cells_are_empty_and_everything_else_that_is_no_number_is_named_with_its_line() {
        let read = table("a,b\n1,x\n,y\nNA,z\n").unwrap();
        assert_eq!(read.numbers("a").unwrap(), [Some(1.0), None, None]);
        assert!(read.is_numeric("a") && !read.is_numeric("b"));
        for cell in ["high", "inf", "1,5,", "8x7B"] {
            let read = table(&format!("a,b\n1,x\n\"{cell}\",y\n")).unwrap();
            let message = read.numbers("a").unwrap_err().to_string();
            assert!(
                message.contains("line 3") && message.contains("column a") && message.contains(cell),
                "{message}"
            );
        }
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them_whichever_way_they_end() {
        for end in ["\n", "\r\n"] {
            let of = |lines: &[&str]| table(&lines.join(end));
            let read = of(&["a,b", "1,x", "", "2,\"two", "lines\"", "high,y"]).unwrap();
            assert_eq!([read.line(0), read.line(1), read.line(2)], [2, 4, 6]);
            assert!(read.numbers("a").unwrap_err().to_string().contains("line 6"));
            assert!(of(&["a,b", "1,x", "2"]).unwrap_err().to_string().contains("line 3"));
        }
    }

    #[test]
    fn columns_without_a_name_or_with_one_of_two_are_left_out_and_ragged_rows_are_refused() {
        let read = table(",a,a,b,b\n0,1,1,2,3\n1,2,2,2,2\n").unwrap();
        assert_eq!(read.columns(), ["a"]);
        assert_eq!(read.notes().len(), 3, "{:?}", read.notes());
        assert!(read.numbers("b").unwrap_err().to_string().contains("occurs more than once"));
        assert!(table("a,b\n1\n").is_err() && table("a,b\n").is_err() && table("").is_err());
    }

    #[test]
    fn columns_that_count_the_rows_are_found_and_semicolons_separate_where_commas_begin_decimals() {
        let rows: Vec<String> = (0..9).map(|i| format!("{};{};0,{}", i, (i * 4) % 9 + 1, i)).collect();
        let read = table(&format!("a;b;c\n{}\n", rows.join("\n"))).unwrap();
        assert_eq!(read.indices(), ["a", "b"]);
        assert_eq!(read.numbers("c").unwrap()[4], Some(0.4));
        assert_eq!(read.decimal_sign("c"), Some(DecimalSign::Comma));
    }

    #[test]
    fn conditions_compare_numbers_as_numbers_and_a_missing_cell_meets_only_inequality() {
        let read = table("a,b\n9,x\n10,y\n,z\n").unwrap();
        let of = |text: &str| read.clone().filter(&[text.parse().unwrap()]).unwrap().len();
        assert_eq!((of("a<=9"), of("a>9"), of("a!=9"), of("b=y"), of("a="), of("a=9.0")), (1, 1, 2, 1, 1, 1));
        assert!(read.filter(&["b>1".parse().unwrap()]).unwrap_err().to_string().contains("line 2"));
    }
}
