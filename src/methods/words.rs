//! Lists and numbers as they stand in a sentence.

use std::collections::BTreeSet;
use std::fmt::Display;

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The distinct values, sorted, as a list.
pub(super) fn distinct<T: Display + Ord>(items: impl IntoIterator<Item = T>) -> String {
    list(items.into_iter().collect::<BTreeSet<T>>())
}

/// Distinct numbers, in rising order, as a list.
pub(super) fn numbers(items: impl IntoIterator<Item = f64>) -> String {
    let mut items: Vec<f64> = items.into_iter().collect();
    items.sort_by(f64::total_cmp);
    items.dedup();
    list(items)
}

/// `1 example`, `1 and 4 examples`, of distinct numbers.
pub(super) fn examples(shots: impl IntoIterator<Item = usize>) -> String {
    let shots: BTreeSet<usize> = shots.into_iter().collect();
    let what = if shots.len() == 1 && shots.contains(&1) { "example" } else { "examples" };
    format!("{} {what}", list(shots))
}

/// A number of parameters with three digits: `14.5 thousand`, `135 million`, `7.24 billion`.
pub(super) fn size(n_params: f64) -> String {
    let (scaled, unit) = match n_params {
        n if n >= 1e9 => (n / 1e9, " billion"),
        n if n >= 1e6 => (n / 1e6, " million"),
        n if n >= 1e3 => (n / 1e3, " thousand"),
        n => (n, ""),
    };
    let digits = if unit.is_empty() { 0 } else { 2 - (scaled.log10().floor() as usize).min(2) };
    format!("{scaled:.digits$}{unit}")
}

/// `from A to B parameters`, or one number.
pub(super) fn sizes(n_params: impl IntoIterator<Item = f64>) -> String {
    let mut all: Vec<f64> = n_params.into_iter().collect();
    all.sort_by(f64::total_cmp);
    match (all.first(), all.last()) {
        (Some(least), Some(most)) if least < most => {
            format!("{} to {} parameters", size(*least), size(*most))
        }
        (Some(one), _) => format!("{} parameters", size(*one)),
        _ => String::new(),
    }
}

/// A level such as .9 in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_numbers_read_as_in_a_sentence() {
        assert_eq!(list(["a"]), "a");
        assert_eq!(distinct(["c", "a", "b", "a"]), "a, b and c");
        assert_eq!(numbers([0.4, 0.2, 0.4]), "0.2 and 0.4");
        assert_eq!((examples([1, 1]), examples([4, 1])), ("1 example".into(), "1 and 4 examples".into()));
        assert_eq!(size(14_464.0), "14.5 thousand");
        assert_eq!(size(134_515_008.0), "135 million");
        assert_eq!(size(7_241_732_096.0), "7.24 billion");
        assert_eq!(size(40.0), "40");
        assert_eq!(sizes([2e6, 1e3]), "1.00 thousand to 2.00 million parameters");
        assert_eq!((percent(0.9), percent(0.955)), ("90 %".into(), "95.5 %".into()));
    }
}
