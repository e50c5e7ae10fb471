//! Formats numbers for messages and tables.

/// Formats a number with fixed decimals and without a sign before a zero: -0.001 with two decimals is `0.00`.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|c| c == b'0' || c == b'.') => zero.to_owned(),
        _ => text,
    }
}

/// Formats a count with its noun: `1 model`, `2 models`; `1 family`, `2 families`.
pub(crate) fn count(n: usize, what: &str) -> String {
    let stem = what.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    match (n, stem) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{n} {stem}ies"),
        (_, None) => format!("{n} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_has_no_sign_and_one_has_no_plural() {
        assert_eq!([-0.001, -0.0, 0.004, -0.006].map(|x| fixed(x, 2)), ["0.00", "0.00", "0.00", "-0.01"]);
        assert_eq!([(-0.4, 0), (-1.0, 0)].map(|(x, decimals)| fixed(x, decimals)), ["0", "-1"]);
        assert_eq!([fixed(f64::NAN, 2), fixed(f64::NEG_INFINITY, 2)], ["NaN", "-inf"]);
        assert_eq!([0, 1, 2].map(|n| count(n, "shot")), ["0 shots", "1 shot", "2 shots"]);
        assert_eq!([0, 1, 2].map(|n| count(n, "family")), ["0 families", "1 family", "2 families"]);
    }
}
