//! Reads numbers from CSV, one row for each sample. The first line may contain column names. A first line
//! `0,1,2` counts as column names if no value in the other lines is written as a whole number.

use std::path::Path;

use super::values::Values;
use crate::disk::Lines;
use crate::error::{Error, Result};

/// Returns the shape and the values in row-major order.
///
/// # Errors
/// [`Error::Csv`] with the line of a cell that is not a number, of a row with a different number of cells, or
/// of a blank line. [`Error::Array`] for a file without numbers.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<(Vec<usize>, Values)> {
    let fault = |line: u64, reason: String| Error::Csv { path: path.into(), line, reason };
    // Remove a byte order mark, which would become part of the first number.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let (mut values, mut columns, mut n): (Vec<f64>, usize, usize) = (vec![], 0, 0);
    let mut lines = Lines::new(bytes);
    let mut before = 0;
    // Whether the first line contains column numbers, as pandas writes them for columns without names.
    let mut is_numbered = false;
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| {
            let line = Lines::at(bytes, error.position());
            fault(line, "is not UTF-8 text; give a safetensors, npy or CSV file".to_owned())
        })?;
        let line = lines.of(record.position());
        let length: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
        // The rows of two files form pairs by their position, so skipping a blank line would shift all later
        // pairs.
        if line > before + 1 {
            return Err(fault(before + 1, "the line is blank; remove this row from both files".to_owned()));
        }
        before = line + length as u64;
        let numbers: Vec<Option<f64>> = record.iter().map(|cell| cell.parse().ok()).collect();
        let is_missing =
            |cell: &str| ["", "na", "n/a", "null", "none"].contains(&cell.to_lowercase().as_str());
        if index == 0 && numbers.iter().all(Option::is_none) && !record.iter().any(is_missing) {
            // This line contains column names.
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
                format!(
                    "has {} cells, but earlier lines have {columns}; give every row the same number of \
                         cells",
                    record.len()
                ),
            ));
        }
        for (column, (number, cell)) in numbers.into_iter().zip(&record).enumerate() {
            let number = number.ok_or_else(|| {
                let separated = cell.split([';', '\t', ' ', '|']).filter(|part| !part.is_empty());
                let advice = if cell.contains([';', '\t', ' ', '|'])
                    && separated.clone().all(|part| part.parse::<f64>().is_ok())
                {
                    "separate values with commas"
                } else {
                    "remove rows with missing values from both files"
                };
                fault(line, format!("column {}: `{cell}` is not a number; {advice}", column + 1))
            })?;
            values.push(number);
        }
        n += 1;
    }
    // In a file with one column, a blank line at the end may be a missing value. Such a line is an error,
    // because ignoring it could shift the pairs of this file and the other file.
    let ends = bytes
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .filter(|byte| **byte == b'\n')
        .count();
    if columns == 1 && ends > 1 {
        return Err(fault(
            before + 1,
            "the line after the last row is blank; remove this row from both files".to_owned(),
        ));
    }
    if is_numbered && n > 1 {
        values.drain(..columns);
        n -= 1;
    }
    if n == 0 {
        return Err(Error::Array {
            path: path.into(),
            reason: "contains no row of numbers; give a matrix as safetensors, npy or CSV".into(),
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
