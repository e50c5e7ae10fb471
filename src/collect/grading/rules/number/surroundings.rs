//! Checks whether a number is part of a larger expression, contrasts with the result, or states a precision.

/// Whether a number is part of a quantity that cannot be read as a number: a root, a multiple of π, a pair of
/// coordinates, or a bound ("> 5").
pub(super) fn is_part(before: &str, behind: &str) -> bool {
    let is_root = before.trim_end_matches(['(', '{', '[', ' ']).ends_with('\u{221a}');
    let factor = behind.trim_start();
    let is_factor = factor.starts_with(['\u{221a}', '\u{3c0}']);
    is_root || is_factor || is_bound(before) || is_coordinate(before, behind)
}

/// Whether a number contrasts with the result before it: "42, not 41", "42 rather than 41", "42 ± 1".
pub(super) fn is_set_apart(before: &str) -> bool {
    const WORDS: [&str; 8] =
        ["not", "isn't", "rather than", "instead of", "\u{b1}", "+/-", "plus or minus", "unlike"];
    let before = before.trim_end_matches([' ', '$', '*', '(']);
    WORDS.iter().any(|word| {
        let begins = before.len().checked_sub(word.len()).filter(|at| before.is_char_boundary(*at));
        begins.is_some_and(|at| {
            before[at..].eq_ignore_ascii_case(word)
                && !before[..at].ends_with(char::is_alphanumeric)
                && before[..at].contains(|c: char| c.is_ascii_digit())
        })
    })
}

/// Whether a number states the precision of another number: "3.14 (rounded to 2 decimals)".
pub(super) fn is_precision(behind: &str) -> bool {
    let behind = behind.trim_start_matches([' ', '-']);
    ["decimal", "d.p.", "significant", "s.f."].iter().any(|word| behind.starts_with(word))
}

/// Whether a number follows a sign for "greater" or "less" that is not part of an arrow or tag.
fn is_bound(before: &str) -> bool {
    let bare = before.trim_end();
    let Some(sign) = bare.chars().next_back().filter(|c| "<>\u{2264}\u{2265}".contains(*c)) else {
        return false;
    };
    let rest = &bare[..bare.len() - sign.len_utf8()];
    rest.is_empty() || rest.ends_with(' ')
}

/// Number of characters on each side of a number that are searched for brackets.
const NEAR: usize = 48;

/// Whether a number is one of several numbers in brackets: "(3, 4)".
fn is_coordinate(before: &str, behind: &str) -> bool {
    let is_part = |c: &char| c.is_ascii_digit() || matches!(c, ' ' | ',' | '.' | '-' | '/');
    let backwards: String = before.chars().rev().take(NEAR).take_while(is_part).collect();
    let forwards: String = behind.chars().take(NEAR).take_while(is_part).collect();
    (backwards.contains(" ,") || forwards.starts_with(", "))
        && before[..before.len() - backwards.len()].ends_with(['(', '['])
        && behind[forwards.len()..].starts_with([')', ']'])
}
