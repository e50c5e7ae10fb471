//! Rejects numbers that a table or figure cannot show: a value such as 1e308 next to 1, or a block index far
//! beyond the blocks of any model.

use serde::Serialize;
use serde_json::Value;

/// The largest absolute value that is shown. Its square is still finite.
const MOST: f64 = 1e100;
/// The largest count. All smaller integers are exact as `f64`.
const MOST_COUNT: u64 = 1 << 53;
/// The column with seeds, which are identifiers and may be large.
const SEED: &str = "seed";
/// Maximum grid cells per row of the table.
const CELLS_PER_ROW: usize = 16;
/// A grid with at most this number of cells is always allowed.
const FEW_CELLS: usize = 65_536;

/// Describes the first column of a row with a number that cannot be shown; `None` if there is none. `record`
/// is the header and line of the table from which the row was read, if any. `record` distinguishes an empty
/// cell from a number that is not finite.
pub(super) fn odd<T: Serialize>(
    row: &T,
    record: Option<(&csv::StringRecord, &csv::StringRecord)>,
) -> Option<String> {
    // JSON writes NaN, infinity and missing values all as null.
    let Ok(Value::Object(fields)) = serde_json::to_value(row) else { return None };
    let cell = |name: &str| {
        let (header, record) = record?;
        let at = header.iter().position(|column| column == name)?;
        record.get(at).map(str::trim).filter(|cell| !cell.is_empty())
    };
    fields.iter().filter(|(name, _)| *name != SEED).find_map(|(name, value)| {
        let is_odd = match value {
            Value::Null => cell(name).is_some_and(|cell| cell.parse::<f64>().is_ok()),
            Value::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(count), _) => count > MOST_COUNT,
                (None, Some(value)) => value.abs() > MOST,
                (None, None) => true,
            },
            _ => false,
        };
        let shown = || cell(name).map_or_else(|| value.to_string(), str::to_owned);
        is_odd.then(|| {
            let shown: String = shown().chars().take(40).collect();
            format!("column `{name}` contains {shown}, which no table or figure can show; correct the file")
        })
    })
}

/// Whether a grid of blocks and columns has a plausible size for this number of rows. A far larger grid
/// indicates a wrong index.
pub(super) fn fill_grid(rows: usize, blocks: usize, columns: usize) -> bool {
    let most = rows.saturating_mul(CELLS_PER_ROW).max(FEW_CELLS);
    blocks.checked_mul(columns).is_some_and(|cells| cells <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row {
        name: &'static str,
        seed: u64,
        n: usize,
        nats: f64,
        other: Option<f64>,
    }

    #[test]
    fn odd_numbers_are_named_and_missing_ones_are_not() {
        let row = |n, nats, other| Row { name: "1e308", seed: u64::MAX, n, nats, other };
        let header = csv::StringRecord::from(vec!["name", "nats", "other"]);
        let odd_in = |row: &Row, nats: &str, other: &str| {
            odd(row, Some((&header, &csv::StringRecord::from(vec!["nan", nats, other]))))
        };
        assert_eq!(odd(&row(1, -1e99, None), None), None);
        assert_eq!(odd_in(&row(1, 1.0, None), "1", " "), None);
        assert_eq!(odd_in(&row(1, f64::NAN, None), "", ""), None, "a column that is missing");
        for (found, column) in [
            (odd(&row(usize::MAX, 0.0, None), None), "n"),
            (odd(&row(1, -1e101, None), None), "nats"),
            (odd_in(&row(1, f64::NAN, None), "NaN", ""), "nats"),
            (odd_in(&row(1, 0.0, Some(f64::INFINITY)), "0", "inf"), "other"),
        ] {
            let found = found.unwrap_or_default();
            assert!(found.starts_with(&format!("column `{column}` contains ")), "{column}: {found}");
        }
    }

    #[test]
    fn a_grid_is_bounded_by_its_rows() {
        assert!(fill_grid(1, 200, 64));
        assert!(fill_grid(1_000_000, 1000, 1000));
        assert!(!fill_grid(100, 1_000_000, 10));
        assert!(!fill_grid(100, usize::MAX, usize::MAX));
    }
}
