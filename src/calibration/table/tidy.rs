//! The tidy table that is read: CSV with a header, one observation per row, an empty cell where a value is
//! missing.

use std::path::{Path, PathBuf};

use super::condition::Condition;
use crate::disk;
use crate::disk::Lines;
use crate::error::{Error, Result};
use crate::names;

/// A table with named columns, its cells as they stand in the file.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    columns: Vec<String>,
    rows: Vec<TableRow>,
}

/// One row and where it stands in the file.
#[derive(Debug, Clone)]
struct TableRow {
    line: u64,
    cells: Vec<String>,
}

/// The column and the value of an indicator, `column=value`.
pub(super) fn indicator(feature: &str) -> Option<(&str, &str)> {
    feature.split_once('=')
}

impl Table {
    /// Reads a CSV file (RFC 4180, UTF-8, with a header).
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Csv`] for a row of another length than the header, a header that names a
    /// column twice or not at all, or no row.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Self::from_bytes(path, &bytes)
    }

    /// The table in some bytes; `path` is what messages call it.
    ///
    /// # Errors
    /// As [`Self::read`], without [`Error::Read`].
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let fault = |line: u64, reason: String| Error::Csv { path: path.into(), line, reason };
        // Spreadsheets put a byte order mark before the first name.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let wrong = |error: csv::Error| fault(Lines::at(bytes, error.position()), error.to_string());
        let columns: Vec<String> = reader.headers().map_err(wrong)?.iter().map(Into::into).collect();
        for (at, name) in columns.iter().enumerate() {
            if name.is_empty() {
                return Err(fault(1, format!("column {} has no name; every column needs one", at + 1)));
            }
            if columns[..at].contains(name) {
                return Err(fault(1, format!("column {name} occurs twice; rename one")));
            }
        }
        let (mut rows, mut lines) = (vec![], Lines::new(bytes));
        for record in reader.records() {
            let record = record.map_err(wrong)?;
            let line = lines.of(record.position());
            rows.push(TableRow { line, cells: record.iter().map(Into::into).collect() });
        }
        if rows.is_empty() {
            return Err(fault(1, "the table has no rows".into()));
        }
        Ok(Self { path: path.into(), columns, rows })
    }

    /// The file it came from.
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

    /// Whether a filter has left nothing.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// 1-based line of a row in the file.
    pub fn line(&self, row: usize) -> u64 {
        self.rows[row].line
    }

    /// The error for a cell or row that is at fault.
    pub(crate) fn fault(&self, row: usize, reason: String) -> Error {
        Error::Csv { path: self.path.clone(), line: self.line(row), reason }
    }

    /// Whether there is a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    /// Only the rows that meet all conditions.
    ///
    /// # Errors
    /// [`Error::Csv`] for a condition on a column that is not there, or on the size of a cell that is no
    /// number.
    pub fn filter(mut self, conditions: &[Condition]) -> Result<Self> {
        for condition in conditions {
            let at = self.index(&condition.column)?;
            let mut kept = vec![];
            for row in std::mem::take(&mut self.rows) {
                let holds = condition.holds(&row.cells[at]).map_err(|reason| Error::Csv {
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
        Ok(self)
    }

    /// Only the rows at some places, in that order.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        let rows = places.iter().map(|&at| self.rows[at].clone()).collect();
        Self { path: self.path.clone(), columns: self.columns.clone(), rows }
    }

    /// The table without some columns, as if its file lacked them.
    ///
    /// # Errors
    /// [`Error::Csv`] for a column that is not there.
    pub fn without(mut self, columns: &[String]) -> Result<Self> {
        for column in columns {
            let at = self.index(column)?;
            self.columns.remove(at);
            self.rows.iter_mut().for_each(|row| drop(row.cells.remove(at)));
        }
        Ok(self)
    }

    fn index(&self, column: &str) -> Result<usize> {
        let columns = self.columns.iter().enumerate();
        names::find(column, columns, |(_, name)| name).map(|(at, _)| at).ok_or_else(|| {
            let near = names::suggestion(column, self.columns.iter().map(String::as_str));
            let reason =
                format!("there is no column `{column}`; {near}the columns are {}", self.columns.join(", "));
            Error::Csv { path: self.path.clone(), line: 1, reason }
        })
    }

    /// The column that a name means, which may differ from it in case; the name itself if there is none.
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

    /// The cells of a column as numbers, `None` where the cell is empty. `column=value` is the indicator of a
    /// value of a column of text.
    ///
    /// # Errors
    /// [`Error::Csv`] if there is no such column, or naming the line of a cell that is text, NaN or infinite.
    pub fn numbers(&self, column: &str) -> Result<Vec<Option<f64>>> {
        if let Some((name, value)) = indicator(column).filter(|_| !self.has(column)) {
            let of = |cell: &str| (!cell.is_empty()).then(|| f64::from(u8::from(cell == value)));
            return Ok(self.text(name)?.into_iter().map(of).collect());
        }
        let at = self.index(column)?;
        let cells = self.rows.iter().map(|row| {
            let cell = row.cells[at].as_str();
            if cell.is_empty() {
                return Ok(None);
            }
            let fault = |what: &str| Error::Csv {
                path: self.path.clone(),
                line: row.line,
                reason: format!("column {column} holds `{cell}`, {what}; a missing value is an empty cell"),
            };
            let value: f64 = cell.parse().map_err(|_| fault("which is not a number"))?;
            if value.is_finite() { Ok(Some(value)) } else { Err(fault("which is not a finite number")) }
        });
        cells.collect()
    }

    /// Whether every cell of a column is a number or empty, and one at least a number.
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
        let read = table("a,b\n1,x\n,y\n").unwrap();
        assert_eq!(read.numbers("a").unwrap(), [Some(1.0), None]);
        assert!(read.is_numeric("a") && !read.is_numeric("b"));
        for cell in ["nan", "inf", "1,5", "n/a"] {
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
            let read = of(&["a,b", "1,x", "", "2,\"two", "lines\"", "n/a,y"]).unwrap();
            assert_eq!([read.line(0), read.line(1), read.line(2)], [2, 4, 6]);
            assert!(read.numbers("a").unwrap_err().to_string().contains("line 6"));
            assert!(of(&["a,b", "1,x", "2"]).unwrap_err().to_string().contains("line 3"));
        }
    }

    #[test]
    fn headers_that_cannot_be_told_apart_and_ragged_rows_are_refused() {
        assert!(table("a,a\n1,2\n").unwrap_err().to_string().contains("twice"));
        assert!(table("a,\n1,2\n").unwrap_err().to_string().contains("no name"));
        assert!(table("a,b\n1\n").is_err() && table("a,b\n").is_err() && table("").is_err());
    }

    #[test]
    fn conditions_compare_numbers_as_numbers_and_a_missing_cell_meets_only_inequality() {
        let read = table("a,b\n9,x\n10,y\n,z\n").unwrap();
        let of = |text: &str| read.clone().filter(&[text.parse().unwrap()]).unwrap().len();
        assert_eq!((of("a<=9"), of("a>9"), of("a!=9"), of("b=y"), of("a="), of("a=9.0")), (1, 1, 2, 1, 1, 1));
        assert!(read.filter(&["b>1".parse().unwrap()]).unwrap_err().to_string().contains("line 2"));
    }
}
