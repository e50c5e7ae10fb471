//! Formats lists and numbers for sentences.

use std::collections::BTreeSet;
use std::fmt::Display;

/// Joins items with commas and `and`: `a, b and c`.
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Lists the distinct values in sorted order.
pub(super) fn distinct<T: Display + Ord>(items: impl IntoIterator<Item = T>) -> String {
    list(items.into_iter().collect::<BTreeSet<T>>())
}

/// Lists the distinct numbers in ascending order.
pub(super) fn numbers(items: impl IntoIterator<Item = f64>) -> String {
    let mut items: Vec<f64> = items.into_iter().collect();
    items.sort_by(f64::total_cmp);
    items.dedup();
    list(items)
}

/// Formats distinct numbers of examples: `1 example`, `1 and 4 examples`.
pub(super) fn examples(shots: impl IntoIterator<Item = usize>) -> String {
    let shots: BTreeSet<usize> = shots.into_iter().collect();
    let what = if shots.len() == 1 && shots.contains(&1) { "example" } else { "examples" };
    format!("{} {what}", list(shots))
}

/// Formats a number of parameters with three digits: `14.5 thousand`, `135 million`, `7.24 billion`.
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

/// Formats a range of model sizes, such as `1.00 million to 2.00 million parameters`.
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

/// Formats a fraction such as 0.9 in percent.
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
