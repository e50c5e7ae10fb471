//! CSV of numbers: a row for each sample, with or without a line of names, which may be `0,1,2` where no
//! value is written as a whole number.

use std::path::Path;

use super::values::Values;
use crate::disk::Lines;
use crate::error::{Error, Result};

/// The shape and the values, row by row.
///
/// # Errors
/// [`Error::Csv`] with the line of what is no number, or of a row that is longer or shorter than those
/// before.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<(Vec<usize>, Values)> {
    let fault = |line: u64, reason: String| Error::Csv { path: path.into(), line, reason };
    // A byte order mark is none of the first number.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let (mut values, mut columns, mut n): (Vec<f64>, usize, usize) = (vec![], 0, 0);
    let mut lines = Lines::new(bytes);
    let mut before = 0;
    // Names may be the numbers of the columns, as of a data frame that was given none.
    let mut is_numbered = false;
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| {
            let line = Lines::at(bytes, error.position());
            fault(line, "is no text in UTF-8; give a safetensors, npy or CSV file".to_owned())
        })?;
        let line = lines.of(record.position());
        let length: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
        // A row that is left out here would shift all that follow against the other file's.
        if line > before + 1 {
            return Err(fault(
                before + 1,
                "is blank before a row; leave the row out of both files".to_owned(),
            ));
        }
        before = line + length as u64;
        let numbers: Vec<Option<f64>> = record.iter().map(|cell| cell.parse().ok()).collect();
        let is_missing =
            |cell: &str| ["", "na", "n/a", "null", "none"].contains(&cell.to_lowercase().as_str());
        if index == 0 && numbers.iter().all(Option::is_none) && !record.iter().any(is_missing) {
            // A line of names.
            columns = record.len();
            continue;
        }
        if columns == 0 {
            columns = record.len();
            is_numbered =
                index == 0 && record.iter().enumerate().all(|(column, cell)| cell == column.to_string());
        } else {
            is_numbered &= record.iter().all(|cell| cell.contains(['.', 'e', 'E']));
        }
        if record.len() != columns {
            return Err(fault(
                line,
                format!("has {} cells, and the lines before have {columns}", record.len()),
            ));
        }
        for (column, (number, cell)) in numbers.into_iter().zip(&record).enumerate() {
            let number = number.ok_or_else(|| {
                let separated = cell.split([';', '\t', ' ', '|']).filter(|part| !part.is_empty());
                let advice = if cell.contains([';', '\t', ' ', '|'])
                    && separated.clone().all(|part| part.parse::<f64>().is_ok())
                {
                    "separate values by commas"
                } else {
                    "leave out rows with missing values"
                };
                fault(line, format!("column {}: `{cell}` is no number; {advice}", column + 1))
            })?;
            values.push(number);
        }
        n += 1;
    }
    // A value that is missing at the end of a column would do as much where another is missing at the other
    // file's beginning.
    let ends = bytes
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .filter(|byte| **byte == b'\n')
        .count();
    if columns == 1 && ends > 1 {
        return Err(fault(
            before + 1,
            "is blank after the last row; leave the row out of both files".to_owned(),
        ));
    }
    if is_numbered && n > 1 {
        values.drain(..columns);
        n -= 1;
    }
    if n == 0 {
        return Err(Error::Array {
            path: path.into(),
            reason: "holds no row of numbers; give a matrix as safetensors, npy or CSV".into(),
        });
    }
    Ok((vec![n, columns], Values::Double(values)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_columns_are_names_where_no_value_is_a_whole_number() {
        let shape = |text: &str| read(Path::new("x.csv"), text.as_bytes()).expect("numbers").0;
        assert_eq!(shape("0,1\n0.5,1.0\n1e-3,2.5\n"), [2, 2]);
        assert_eq!(shape("0\n0.5\n"), [1, 1]);
        for values in ["0,1\n0.5,1\n1e-3,2.5\n", "0,2\n0.5,1.0\n", "0.0,1.0\n0.5,1.0\n", "0,1\n"] {
            assert_eq!(shape(values), [values.lines().count(), 2], "{values}");
        }
    }
}
