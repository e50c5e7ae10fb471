//! Reads the cells of one column as numbers. All cells of a column share one notation: one cell with a
//! decimal comma decides the meaning of the commas in all cells. Contradictory cells are reported.

use std::collections::BTreeMap;

use super::number::{DecimalSign, Dressed, is_missing, truth};

/// In a column with suffixed numbers (7B), a plain number of at least this size is a count. The unit of a
/// smaller plain number is unclear: it may be thousands, millions or billions.
const LEAST_COUNT: f64 = 1e5;

/// How a column is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    /// Numbers and empty cells.
    Plain,
    /// Numbers, some of them in another notation, and perhaps words for a missing value.
    Dressed {
        sign: DecimalSign,
        /// Whether any cell contains a comma.
        has_commas: bool,
        /// The power of ten of the unit in the column's name: 9 for billions.
        unit: i32,
        /// How the cells were read, in words for a note.
        said: String,
    },
    /// Words for true and false.
    Truth { said: String },
    /// At least one cell is neither a number nor missing.
    Text,
    /// Numbers in contradictory or ambiguous notations.
    Unclear { line: u64, reason: String },
}

impl Reading {
    /// Determines how to read a column, given as the line and text of each cell. `known` is the decimal sign
    /// of the rows that a card was trained on. This sign is used if the cells are ambiguous.
    pub(super) fn of<'a>(
        name: &str,
        cells: impl Iterator<Item = (u64, &'a str)> + Clone,
        known: Option<DecimalSign>,
    ) -> Self {
        if cells.clone().all(|(_, cell)| cell.is_empty() || plain(cell).is_some()) {
            return Self::Plain;
        }
        let missing: Vec<&str> =
            cells.clone().map(|(_, cell)| cell).filter(|cell| !cell.is_empty() && is_missing(cell)).collect();
        let filled = cells.filter(|(_, cell)| !is_missing(cell));
        let mut pairs = filled.clone().map(|(_, cell)| truth(cell).map(|(pair, _)| pair));
        let first = pairs.next().flatten();
        if first.is_some() && pairs.all(|pair| pair == first) {
            let said = joined([said_of_truth(filled.map(|(_, cell)| cell)), said_of_missing(&missing)]);
            return Self::Truth { said };
        }
        let parsed: Option<Vec<Cell>> =
            filled.map(|(line, text)| Some(Cell { line, text, dressed: Dressed::parse(text)? })).collect();
        match parsed {
            None => Self::Text,
            Some(parsed) => dressed(&parsed, &missing, unit(name), known)
                .unwrap_or_else(|(line, reason)| Self::Unclear { line, reason }),
        }
    }

    /// The number in a cell: `Ok(None)` if it is missing, `Err` with the reason if it is not a finite number.
    pub(super) fn number(&self, cell: &str) -> Result<Option<f64>, &'static str> {
        if cell.is_empty() {
            return Ok(None);
        }
        if let Some(value) = plain(cell).filter(|_| !self.has_decimal_comma()) {
            return Ok(Some(value));
        }
        if is_missing(cell) {
            return Ok(None);
        }
        let value = match self {
            Self::Dressed { sign, unit, .. } => {
                Dressed::parse(cell).and_then(|dressed| dressed.value(*sign, *unit))
            }
            Self::Truth { .. } => truth(cell).map(|(_, value)| value),
            _ => None,
        };
        let is_infinite = cell.parse::<f64>().is_ok();
        let fault = if is_infinite { "which is not a finite number" } else { "which is not a number" };
        value.map(Some).ok_or(fault)
    }

    fn has_decimal_comma(&self) -> bool {
        matches!(self, Self::Dressed { sign: DecimalSign::Comma, .. })
    }
}

/// A finite number in plain notation.
fn plain(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A cell with a value.
struct Cell<'a> {
    line: u64,
    text: &'a str,
    dressed: Dressed,
}

/// The power of ten that the last word of a name stands for, as in `params_b` and `#Params (B)`.
fn unit(name: &str) -> i32 {
    let last = name.rsplit(|c: char| !c.is_ascii_alphanumeric()).find(|word| !word.is_empty());
    match last.filter(|last| last.len() < name.len()).map(str::to_ascii_lowercase).as_deref() {
        Some("k") => 3,
        Some("m") => 6,
        Some("b" | "bn") => 9,
        Some("t") => 12,
        _ => 0,
    }
}

fn dressed(
    cells: &[Cell],
    missing: &[&str],
    unit: i32,
    known: Option<DecimalSign>,
) -> Result<Reading, (u64, String)> {
    one_notation(cells, unit)?;
    let sign = decimal_sign(cells, known)?;
    // The example is the first in text order, so that the order of the rows does not matter.
    let example = cells.iter().filter(|cell| plain(cell.text) != cell.dressed.value(sign, unit));
    let example = example.min_by_key(|cell| cell.text);
    let said = example.and_then(|cell| {
        let value = cell.dressed.value(sign, unit)?;
        Some(format!("`{}` is read as {value}", cell.text))
    });
    Ok(Reading::Dressed {
        sign,
        has_commas: cells.iter().any(|cell| cell.dressed.has_comma()),
        unit,
        said: joined([said.unwrap_or_default(), said_of_missing(missing)]),
    })
}

/// Returns an error for percentages mixed with plain numbers, small numbers mixed with suffixed numbers, and
/// two currencies.
fn one_notation(cells: &[Cell], unit: i32) -> Result<(), (u64, String)> {
    let clash = |one: &Cell, other: &Cell, why: &str| {
        let reason = format!("contains `{}` and, in line {}, `{}`: {why}", one.text, other.line, other.text);
        Err((one.line, reason))
    };
    let is_zero = |cell: &&Cell| plain(cell.text) == Some(0.0);
    let find = |holds: &dyn Fn(&Dressed) -> bool| cells.iter().find(|cell| holds(&cell.dressed));
    if let Some(percent) = find(&|dressed| dressed.is_percent)
        && let Some(other) = cells.iter().find(|cell| !cell.dressed.is_percent && !is_zero(cell))
    {
        return clash(
            percent,
            other,
            "some cells are percentages and some are not; write all cells in the same notation",
        );
    }
    let suffixed = find(&|dressed| dressed.suffix.is_some()).filter(|_| unit == 0);
    let small = |cell: &&Cell| {
        let value = plain(cell.text).map_or(0.0, f64::abs);
        cell.dressed.suffix.is_none() && !is_zero(cell) && value < LEAST_COUNT
    };
    if let (Some(suffixed), Some(other)) = (suffixed, cells.iter().find(small)) {
        return clash(suffixed, other, "the unit of the second number is unclear; write it with a suffix");
    }
    let currencies: BTreeMap<char, &Cell> =
        cells.iter().filter_map(|cell| Some((cell.dressed.currency?, cell))).collect();
    let mut currencies = currencies.values();
    match (currencies.next(), currencies.next()) {
        (Some(one), Some(other)) => {
            clash(one, other, "the cells are in two currencies; convert them to one currency")
        }
        _ => Ok(()),
    }
}

/// The decimal sign that fits all cells.
fn decimal_sign(cells: &[Cell], known: Option<DecimalSign>) -> Result<DecimalSign, (u64, String)> {
    use DecimalSign::{Comma, Point};
    let against = |sign| cells.iter().find(|cell| cell.dressed.value(sign, 0).is_none());
    match (against(Point), against(Comma)) {
        (None, Some(_)) => return Ok(Point),
        (Some(_), None) => return Ok(Comma),
        (Some(one), Some(other)) => {
            let reason = format!(
                "contains `{}` and, in line {}, `{}`: no decimal sign fits both; write all cells in the same \
                 notation",
                one.text, other.line, other.text
            );
            return Err((one.line, reason));
        }
        (None, None) => {}
    }
    let Some(comma) = cells.iter().find(|cell| cell.dressed.has_comma()) else { return Ok(Point) };
    // In a column with short integers, a comma in a number that ends in 0 groups thousands: 1,400 does not
    // mean 1.4.
    let is_short = |cell: &Cell| cell.dressed.is_short_integer();
    if cells.iter().any(is_short) && cells.iter().any(|cell| cell.dressed.ends_in_zero()) {
        return Ok(Point);
    }
    known.ok_or_else(|| {
        let value = |sign| comma.dressed.value(sign, 0).unwrap_or(f64::NAN);
        let (one, other) = (value(Point), value(Comma));
        (
            comma.line,
            format!(
                "contains `{}`, which may be {one} or {other}; no other cell shows which value is meant; \
                 write decimals with a point",
                comma.text
            ),
        )
    })
}

/// The note on words for a missing value: the first such word in text order, and the number of cells that
/// contain such a word.
fn said_of_missing(missing: &[&str]) -> String {
    let Some(first) = missing.iter().min() else { return String::new() };
    match missing.len() {
        1 => format!("`{first}` is read as missing"),
        n => format!(
            "`{first}` is read as missing; {n} cells contain this or another word for a missing value"
        ),
    }
}

fn joined(said: [String; 2]) -> String {
    said.into_iter().filter(|said| !said.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The words for true and false in a column, with their values.
fn said_of_truth<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut words: BTreeMap<u8, &str> = BTreeMap::new();
    for cell in cells {
        if let Some((_, value)) = truth(cell) {
            let word = words.entry(u8::from(value > 0.0)).or_insert(cell);
            *word = cell.min(word);
        }
    }
    let said: Vec<String> =
        words.iter().map(|(value, word)| format!("`{word}` is read as {value}")).collect();
    said.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, cells: &[&str]) -> Reading {
        Reading::of(name, cells.iter().enumerate().map(|(at, cell)| (at as u64 + 2, *cell)), None)
    }

    fn numbers(name: &str, cells: &[&str]) -> Vec<Option<f64>> {
        let reading = read(name, cells);
        cells.iter().map(|cell| reading.number(cell).expect(cell)).collect()
    }

    #[test]
    fn a_column_decides_what_its_commas_are() {
        assert_eq!(numbers("x", &["0,453", "1,234"]), [Some(0.453), Some(1.234)]);
        assert_eq!(numbers("x", &["1,234", "987.5"]), [Some(1234.0), Some(987.5)]);
        assert_eq!(numbers("x", &["1.234.567", "1.234"]), [Some(1_234_567.0), Some(1234.0)]);
        assert_eq!(numbers("x", &["300", "1,400"]), [Some(300.0), Some(1400.0)]);
        let Reading::Unclear { line: 2, reason } = read("x", &["1,234", "2,345"]) else { panic!("unclear") };
        assert!(reason.contains("may be 1234 or 1.234"), "{reason}");
        assert!(matches!(read("x", &["0,453", "0.512"]), Reading::Unclear { .. }));
        let known = Reading::of("x", [(2, "1,234")].into_iter(), Some(DecimalSign::Comma));
        assert_eq!(known.number("1,234"), Ok(Some(1.234)));
    }

    #[test]
    fn percent_suffixes_and_currencies_are_read_where_all_cells_agree() {
        assert_eq!(numbers("x", &["57.0%", "0", "NA", ""]), [Some(0.57), Some(0.0), None, None]);
        assert!(matches!(read("x", &["57.0%", "0.33"]), Reading::Unclear { .. }));
        assert_eq!(numbers("params", &["7e9", "1.3B", "125M"]), [Some(7e9), Some(1.3e9), Some(125e6)]);
        assert_eq!(numbers("params_b", &["7", "1.3B", "125M"]), [Some(7.0), Some(1.3), Some(0.125)]);
        assert!(matches!(read("params", &["7", "1.3B"]), Reading::Unclear { .. }));
        assert!(matches!(read("cost", &["$7", "€3"]), Reading::Unclear { .. }));
    }

    #[test]
    fn truth_and_text_are_told_apart_and_infinity_is_no_number() {
        assert_eq!(numbers("x", &["True", "False", "NA"]), [Some(1.0), Some(0.0), None]);
        for cells in [&["True", "no"][..], &["0.5", "high"], &["chat", "base"]] {
            assert_eq!(read("x", cells), Reading::Text, "{cells:?}");
        }
        assert_eq!(numbers("x", &["NA", ""]), [None, None]);
        assert_eq!(read("x", &["1", "inf"]).number("inf"), Err("which is not a finite number"));
    }
}
