//! Represents the value of a number, and compares numbers.

use std::fmt;

/// Maximum relative difference of equal numbers.
const RELATIVE: f64 = 1e-9;
/// Number of decimal digits that a float represents exactly.
const EXACT_DIGITS: usize = 15;

/// A number in a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    /// The value. For a percentage, the number before the sign.
    pub(super) number: f64,
    /// The digits without separators, with a decimal point; `None` for fractions and powers.
    pub(super) digits: Option<String>,
    /// Whether the number is a percentage.
    pub(super) is_percent: bool,
}

/// The maximum difference between a number and the right number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tolerance {
    /// An absolute difference.
    Absolute(f64),
    /// A share of the right number.
    Relative(f64),
}

impl Default for Tolerance {
    fn default() -> Self {
        Self::Relative(RELATIVE)
    }
}

impl Tolerance {
    /// Reads `0.5` or `1%`.
    ///
    /// # Errors
    /// Returns what is wrong with the text, as a phrase that follows the name of the grader.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (digits, is_relative) = match text.strip_suffix('%') {
            Some(digits) => (digits.trim(), true),
            None => (text, false),
        };
        match digits.parse::<f64>() {
            Ok(number) if number >= 0.0 && number.is_finite() => {
                Ok(if is_relative { Self::Relative(number / 100.0) } else { Self::Absolute(number) })
            }
            _ => Err(format!("needs a tolerance of at least 0, such as 0.5 or 1%, but has {text:?}")),
        }
    }
}

/// Checks the tolerance of an item.
///
/// # Errors
/// Returns the errors of [`Tolerance::read`].
pub(crate) fn check_tolerance(text: &str) -> Result<(), String> {
    Tolerance::read(text).map(drop)
}

impl Value {
    /// Whether the number of an answer equals this right number. A percentage also equals the corresponding
    /// fraction of 1.
    pub(super) fn equals(&self, answer: &Self, tolerance: Tolerance) -> bool {
        let is_long = |value: &Self| {
            let digits = value.digits.as_deref().unwrap_or_default();
            digits.trim_start_matches(['-', '0', '.']).len() > EXACT_DIGITS
        };
        if tolerance == Tolerance::default()
            && self.is_percent == answer.is_percent
            && (is_long(self) || is_long(answer))
            && let (Some(a), Some(b)) = (&self.digits, &answer.digits)
        {
            return canonical(a) == canonical(b);
        }
        let is_close = |right: f64, other: f64| {
            let most = match tolerance {
                Tolerance::Absolute(most) => most * (1.0 + RELATIVE),
                Tolerance::Relative(share) => share * right.abs() * (1.0 + RELATIVE),
            };
            right == other || (right - other).abs() <= most
        };
        is_close(self.number, answer.number)
            || answer.is_percent && !self.is_percent && is_close(self.number, answer.number / 100.0)
            || self.is_percent && !answer.is_percent && is_close(self.number / 100.0, answer.number)
    }
}

/// Digits without insignificant zeros.
fn canonical(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let digits = digits.trim_start_matches('0');
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    if digits.is_empty() { "0".into() } else { format!("{sign}{digits}") }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.digits {
            Some(digits) => f.write_str(digits)?,
            None => write!(f, "{}", self.number)?,
        }
        f.write_str(if self.is_percent { "%" } else { "" })
    }
}
