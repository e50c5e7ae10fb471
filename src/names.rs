//! Matches names that users type (models, corpora, estimators) without regard to case, and suggests the
//! nearest known names for an unknown name.

use crate::error::Error;

/// Largest edit distance at which a name is suggested, as a share of the longer name's length.
const LARGEST_ERROR: f64 = 0.4;
/// Largest number of suggestions.
const MOST_SUGGESTED: usize = 3;

/// Whether two names are equal, ignoring case.
pub fn is_same(typed: &str, name: &str) -> bool {
    // Column lookups call this function for every row, so ASCII names are compared without allocation.
    typed.eq_ignore_ascii_case(name)
        || !(typed.is_ascii() && name.is_ascii()) && typed.to_lowercase() == name.to_lowercase()
}

/// Returns the member of a table with this exact name. If no name matches exactly, but exactly one name
/// matches when case is ignored, returns the member with that name.
pub fn find<T>(typed: &str, all: impl IntoIterator<Item = T>, name: impl Fn(&T) -> &str) -> Option<T> {
    let mut other = vec![];
    for member in all {
        if name(&member) == typed {
            return Some(member);
        }
        if is_same(typed, name(&member)) {
            other.push(member);
        }
    }
    if other.len() == 1 { other.pop() } else { None }
}

/// Returns "did you mean NAME? " with the nearest known names, or an empty string if no name is near.
pub fn suggestion<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(typed, known).as_slice() {
        [] => String::new(),
        near => format!("did you mean {}? ", near.join(" or ")),
    }
}

/// The known names at the smallest edit distance, at most three. Empty if no name is near.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let near = known.into_iter().filter_map(|name| {
        let distance = strsim::damerau_levenshtein(&typed, &name.to_lowercase());
        let longest = typed.chars().count().max(name.chars().count());
        (distance as f64 <= LARGEST_ERROR * longest as f64).then_some((distance, name))
    });
    let mut near: Vec<(usize, &str)> = near.collect();
    let nearest = near.iter().map(|(distance, _)| *distance).min();
    near.retain(|(distance, _)| Some(*distance) == nearest);
    near.dedup();
    near.into_iter().take(MOST_SUGGESTED).map(|(_, name)| name).collect()
}

/// Sorts the names that the argument parser found similar to a typed name, nearest first. If the distance of
/// the first name is at most half the distance of the second name, returns only the first name.
pub fn by_distance(typed: &str, similar: &[String]) -> Vec<String> {
    let typed = typed.to_lowercase();
    let distance = |name: &String| strsim::damerau_levenshtein(&typed, &name.to_lowercase());
    let mut sorted: Vec<(usize, &String)> = similar.iter().map(|name| (distance(name), name)).collect();
    sorted.sort();
    let is_clear = sorted.len() > 1 && 2 * sorted[0].0 <= sorted[1].0;
    sorted.truncate(if is_clear { 1 } else { sorted.len() });
    sorted.into_iter().map(|(_, name)| name.clone()).collect()
}

/// The error for an unknown name: the nearest names, then `hint`, which describes the valid names.
pub fn unknown<'a>(
    kind: &'static str,
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
    hint: &str,
) -> Error {
    Error::Unknown { kind, name: typed.into(), hint: suggestion(typed, known) + hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_unless_names_differ_in_it_alone() {
        let known = ["ksg", "t-copula", "MINE"];
        let found = |typed: &str| find(typed, known, |name| *name);
        assert_eq!(found("KSG"), Some("ksg"));
        assert_eq!(found("mine"), Some("MINE"));
        assert_eq!(found("T-Copula"), Some("t-copula"));
        assert_eq!(found("copula"), None);
        let twice = ["a", "A", "b"];
        assert_eq!(find("A", twice, |name| *name), Some("A"));
        assert_eq!(find("a", twice, |name| *name), Some("a"));
        assert_eq!(find("Ä", ["ä", "Ä1"], |name| *name), Some("ä"));
    }

    #[test]
    fn the_nearest_names_are_suggested_and_none_that_is_far() {
        let known = ["countries", "cities", "colours", "animals"];
        assert_eq!(suggestion("countrys", known), "did you mean countries? ");
        assert_eq!(suggestion("COLORS", known), "did you mean colours? ");
        assert_eq!(suggestion("minerals", known), "");
        assert_eq!(suggestion("", known), "");
        assert_eq!(suggestion("m-1x", ["m-12", "m-13"]), "did you mean m-12 or m-13? ");
        let similar = ["slurm", "serve", "merge", "measure"].map(String::from);
        assert_eq!(by_distance("mesure", &similar), ["measure"]);
        assert_eq!(by_distance("serge", &similar[1..]), ["merge", "serve", "measure"]);
        let error = unknown("corpus", "citys", known, "there are others").to_string();
        assert_eq!(error, "unknown corpus `citys`: did you mean cities? there are others");
    }
}
