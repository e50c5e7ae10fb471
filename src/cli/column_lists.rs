//! Parses comma-separated lists of columns. A column name may contain a comma itself, such as the column
//! `acc,none` of the lm-evaluation-harness.

use crate::names;

/// Returns the column names in comma-separated lists. A quoted name is taken literally. If adjacent names,
/// joined by commas, form the name of a column, they count as this one name, unless each of them is a column
/// itself. The longest such name is used.
pub(super) fn listed(typed: &[String], columns: &[String]) -> Vec<String> {
    typed.iter().flat_map(|list| names_in(list, columns)).collect()
}

fn names_in(list: &str, columns: &[String]) -> Vec<String> {
    let parts = split(list);
    let is_column = |name: &str| columns.iter().any(|column| names::is_same(column, name));
    let mut found = vec![];
    let mut at = 0;
    while at < parts.len() {
        let joined = |end: usize| {
            let text: Vec<&str> = parts[at..end].iter().map(|part| part.text.as_str()).collect();
            text.join(",")
        };
        let is_one = |end: &usize| {
            let parts = &parts[at..*end];
            let is_whole = parts.iter().all(|part| !part.is_quoted);
            is_whole && is_column(&joined(*end)) && !parts.iter().all(|part| is_column(&part.text))
        };
        let end = (at + 2..=parts.len()).rev().find(is_one).unwrap_or(at + 1);
        found.push(joined(end).trim().to_owned());
        at = end;
    }
    found
}

struct Part {
    text: String,
    is_quoted: bool,
}

/// Splits a list at the commas outside quotes.
fn split(list: &str) -> Vec<Part> {
    let mut parts = vec![Part { text: String::new(), is_quoted: false }];
    let mut in_quotes = false;
    for c in list.chars() {
        let last = parts.last_mut().filter(|_| c != ',' || in_quotes);
        match (last, c) {
            (Some(part), '"') if in_quotes || part.text.is_empty() => {
                in_quotes = !in_quotes;
                part.is_quoted = true;
            }
            (Some(part), c) => part.text.push(c),
            (None, _) => parts.push(Part { text: String::new(), is_quoted: false }),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_are_found_quoted_or_not() {
        let columns: Vec<String> = ["mmlu", "acc,none", "acc", "a", "b", "a,b"].map(Into::into).to_vec();
        let names = |list: &str| names_in(list, &columns);
        assert_eq!(names("mmlu,acc,none"), ["mmlu", "acc,none"]);
        assert_eq!(names("\"acc,none\",mmlu"), ["acc,none", "mmlu"]);
        assert_eq!(names("ACC,None"), ["ACC,None"]);
        assert_eq!(names("acc,mmlu,bench_*"), ["acc", "mmlu", "bench_*"]);
        // If each part is a column, the parts are separate names unless they are quoted.
        assert_eq!(names("a,b"), ["a", "b"]);
        assert_eq!(names("\"a,b\""), ["a,b"]);
    }
}
