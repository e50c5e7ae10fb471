//! Parses numbers as people and spreadsheets write them: `45.3%`, `0,453`, `1,234`, a Unicode minus, `1.3B`,
//! `$2.50`, `3.1 ± 0.2`; also the words for a missing value, and for true and false.

use serde::{Deserialize, Serialize};

/// The decimal separator: a point or a comma. The other of these two characters may group thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecimalSign {
    /// `1,234.5`
    Point,
    /// `1.234,5`
    Comma,
}

/// Words that stand for a missing value.
const MISSING: [&str; 27] = [
    "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "nat", "null", "none", "nil", "-", "--", "---", "–",
    "—", "−", "?", ".", "..", "\\n", "missing", "unknown", "tbd", "#div/0!", "#value!", "#ref!",
];
/// Pairs of words for 0 and 1. A column may use only one pair.
const TRUTH: [[&str; 2]; 5] = [["false", "true"], ["no", "yes"], ["f", "t"], ["n", "y"], ["off", "on"]];
/// Suffixes of counts and the powers of ten that they stand for.
const SUFFIXES: [(&str, i32); 13] = [
    ("k", 3),
    ("thousand", 3),
    ("m", 6),
    ("mn", 6),
    ("mio", 6),
    ("million", 6),
    ("b", 9),
    ("bn", 9),
    ("g", 9),
    ("billion", 9),
    ("t", 12),
    ("tn", 12),
    ("trillion", 12),
];
const CURRENCIES: [char; 6] = ['$', '€', '£', '¥', '₹', '₩'];
/// Signs that group digits and are never decimal signs: blanks (also narrow ones), apostrophes, underscores.
const GROUPS: [char; 7] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '’', '_'];

/// Largest power of ten that is accepted, so that values stay finite and do not become 0.
const MOST_EXPONENT: i32 = 290;

/// Whether a cell is empty or contains a word for a missing value.
pub(super) fn is_missing(cell: &str) -> bool {
    cell.is_empty() || MISSING.contains(&cell.to_lowercase().as_str())
}

/// Whether a cell of a text column is missing. Fewer words count than in [`is_missing`], because `none` and
/// signs may be categories.
pub(super) fn is_missing_text(cell: &str) -> bool {
    cell.is_empty() || ["na", "n/a", "#n/a", "<na>", "nan", "null"].contains(&cell.to_lowercase().as_str())
}

/// If a cell is a word of [`TRUTH`], returns the index of the word's pair and the value of the word, 0 or 1.
pub(super) fn truth(cell: &str) -> Option<(usize, f64)> {
    let cell = cell.to_lowercase();
    let found = |words: &[&str; 2]| words.iter().position(|word| *word == cell);
    TRUTH.iter().enumerate().find_map(|(pair, words)| found(words).map(|value| (pair, value as f64)))
}

/// The number in a cell, parsed without the other cells of the column: in plain notation, in another
/// notation such as `12.5 %`, or as a word for true or false.
pub(super) fn alone(cell: &str) -> Option<f64> {
    let plain = cell.parse().ok().filter(|value: &f64| value.is_finite());
    let dressed = || Dressed::parse(cell).and_then(|dressed| dressed.value(DecimalSign::Point, 0));
    plain.or_else(dressed).or_else(|| truth(cell).map(|(_, value)| value))
}

/// The parts of a number in plain or another notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dressed {
    is_negative: bool,
    /// Digits, decimal sign and grouping signs.
    mantissa: String,
    exponent: i32,
    pub is_percent: bool,
    /// The power of ten of a suffix.
    pub suffix: Option<i32>,
    pub currency: Option<char>,
}

impl Dressed {
    /// Parses a cell; `None` if it is not a number in any notation.
    pub(super) fn parse(cell: &str) -> Option<Self> {
        let cell = cell.replace(['−', '﹣', '－'], "-");
        // The value may be followed by a standard error, which is ignored.
        let cell = cell.split_once('±').or_else(|| cell.split_once("+/-")).map_or(&*cell, |(head, _)| head);
        let mut rest = cell.trim();
        let (mut is_negative, mut currency, mut is_signed) = (false, None, false);
        while let Some(first) = rest.chars().next().filter(|first| !first.is_ascii_digit()) {
            match first {
                '-' | '–' | '+' if !is_signed => (is_negative, is_signed) = (first != '+', true),
                _ if CURRENCIES.contains(&first) && currency.is_none() => currency = Some(first),
                '.' | ',' => break,
                _ => return None,
            }
            rest = rest[first.len_utf8()..].trim_start();
        }
        let is_percent = rest.ends_with(['%', '％']);
        rest = rest.trim_end_matches(['%', '％']).trim_end();
        if let Some(last) = rest.chars().last().filter(|last| CURRENCIES.contains(last) && currency.is_none())
        {
            currency = Some(last);
            rest = rest[..rest.len() - last.len_utf8()].trim_end();
        }
        let letters = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let mut suffix = None;
        if letters.len() < rest.len() {
            let word = rest[letters.len()..].to_ascii_lowercase();
            suffix = Some(SUFFIXES.iter().find(|(name, _)| *name == word)?.1);
            rest = letters.trim_end();
        }
        let is_exponent = |exponent: &i32| exponent.abs() <= MOST_EXPONENT;
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().ok().filter(is_exponent)?),
            None => (rest, 0),
        };
        let fits = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',') || GROUPS.contains(&c);
        let is_number = mantissa.chars().all(fits) && mantissa.contains(|c: char| c.is_ascii_digit());
        (is_number && !(is_percent && suffix.is_some())).then(|| Self {
            is_negative,
            mantissa: mantissa.into(),
            exponent,
            is_percent,
            suffix,
            currency,
        })
    }

    /// The value, in multiples of `10^unit` if the cell has a suffix. `None` if the cell does not fit the
    /// decimal sign.
    pub(super) fn value(&self, sign: DecimalSign, unit: i32) -> Option<f64> {
        let (decimal, group) = match sign {
            DecimalSign::Point => ('.', ','),
            DecimalSign::Comma => (',', '.'),
        };
        let (whole, decimals) = self.mantissa.split_once(decimal).unwrap_or((&self.mantissa, ""));
        if !decimals.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let groups: Vec<&str> = whole.split(|c| c == group || GROUPS.contains(&c)).collect();
        let [first, others @ ..] = groups.as_slice() else { return None };
        let is_grouped = others.iter().all(|group| group.len() == 3)
            && (others.is_empty() || ((1..=3).contains(&first.len()) && !first.starts_with('0')));
        let power =
            self.exponent - 2 * i32::from(self.is_percent) + self.suffix.map_or(0, |power| power - unit);
        let sign = if self.is_negative { "-" } else { "" };
        let digits = groups.concat();
        if !is_grouped || !digits.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        format!("{sign}{digits}.{decimals}e{power}").parse().ok().filter(|value: &f64| value.is_finite())
    }

    /// Whether the number contains a comma.
    pub(super) fn has_comma(&self) -> bool {
        self.mantissa.contains(',')
    }

    /// Whether the mantissa consists of one to three digits.
    pub(super) fn is_short_integer(&self) -> bool {
        (1..=3).contains(&self.mantissa.len()) && self.mantissa.chars().all(|c| c.is_ascii_digit())
    }

    /// Whether the number has a comma and ends in 0. Such a comma probably groups thousands, because a
    /// trailing decimal 0 is rarely written.
    pub(super) fn ends_in_zero(&self) -> bool {
        self.has_comma() && self.mantissa.ends_with('0')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(cell: &str, sign: DecimalSign) -> Option<f64> {
        Dressed::parse(cell).and_then(|dressed| dressed.value(sign, 0))
    }

    #[test]
    fn numbers_in_other_notations_have_the_values_of_those_in_plain_notation() {
        use DecimalSign::{Comma, Point};
        for (cell, sign, expected) in [
            ("45.3%", Point, 0.453),
            ("45,3 %", Comma, 0.453),
            ("0,453", Comma, 0.453),
            ("−1.291", Point, -1.291),
            ("–0.5", Point, -0.5),
            ("1,234,567", Point, 1_234_567.0),
            ("1,234.5", Point, 1234.5),
            ("1.234,5", Comma, 1234.5),
            ("1 234 567", Point, 1_234_567.0),
            ("12\u{202f}345,6", Comma, 12345.6),
            ("1'234", Point, 1234.0),
            ("1.3B", Point, 1.3e9),
            ("125M", Point, 125e6),
            ("2T", Point, 2e12),
            ("7 billion", Point, 7e9),
            ("350k", Point, 350e3),
            ("7e9", Point, 7e9),
            ("+0.5", Point, 0.5),
            ("$2.50", Point, 2.5),
            ("-$2.50", Point, -2.5),
            ("0,50 €", Comma, 0.5),
            ("3.1 ± 0.2", Point, 3.1),
            (".5%", Point, 0.005),
        ] {
            assert_eq!(value(cell, sign), Some(expected), "{cell}");
        }
        for cell in
            ["0,453", "1.234,5", "1234,567", "12,34", "1.2.3", "8x7B", "m01", "1-2", "", "-", "%", "1,"]
        {
            assert_eq!(value(cell, Point).filter(|_| cell != "1,"), None, "{cell}");
        }
        for cell in ["0.453", "1,234,567", "1,234.5"] {
            assert_eq!(value(cell, Comma), None, "{cell}");
        }
    }

    #[test]
    fn words_for_missing_and_for_truth_are_known_in_any_case() {
        for cell in ["", "NA", "n/a", "None", "NaN", "#N/A", "?", "-", "null"] {
            assert!(is_missing(cell), "{cell}");
        }
        assert!(!is_missing("0") && !is_missing("no") && !is_missing_text("None") && is_missing_text("NA"));
        assert_eq!([truth("True"), truth("no"), truth("2")], [Some((0, 1.0)), Some((1, 0.0)), None]);
        assert_eq!(["0.5", "50%", "TRUE", "m"].map(alone), [Some(0.5), Some(0.5), Some(1.0), None]);
    }
}
