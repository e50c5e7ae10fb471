//! Checks that a regular expression of a tokenizer stays small and fast. The compiled form of a bounded
//! repetition, such as `a{100}`, contains a copy of the repeated element for each repetition. An expression
//! with look-around or back-references is matched by backtracking, which takes exponential time if unbounded
//! repetitions are nested.

/// Maximum length of an expression in bytes. Published expressions have a few hundred.
const LONGEST: usize = 20_000;
/// Maximum number of letters in a compiled expression. Each takes about a hundred bytes of memory.
pub(super) const MOST_COPIES: usize = 100_000;
/// Number of letters that a class, such as `[a-z]`, counts as.
const CLASS: usize = 20;
/// Maximum depth of nested groups.
const DEEPEST: usize = 100;

/// A group that is being parsed.
#[derive(Default)]
struct Group {
    /// Number of letters in the compiled group.
    size: usize,
    /// Number of letters in the last element of the group, which a quantifier would repeat.
    last: usize,
    /// Depth of nested unbounded repetitions in the group.
    nested: usize,
    /// Depth of nested unbounded repetitions in the last element of the group.
    last_nested: usize,
}

impl Group {
    fn add(&mut self, size: usize, nested: usize) {
        self.size = self.size.saturating_add(size);
        self.last = size;
        self.nested = self.nested.max(nested);
        self.last_nested = nested;
    }

    fn repeat(&mut self, times: usize) {
        self.size = self.size.saturating_add(self.last.saturating_mul(times.saturating_sub(1)));
        self.last = self.last.saturating_mul(times);
    }
}

/// The number of letters in the compiled expression.
///
/// # Errors
/// The reason why the expression would be too large or too slow.
pub(super) fn copies(regex: &str) -> Result<usize, String> {
    if regex.len() > LONGEST {
        return Err(format!("it has {} bytes, which exceeds the limit of {LONGEST}", regex.len()));
    }
    let mut groups = vec![Group::default()];
    let mut is_tried = false;
    let mut rest = regex;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '\\' => {
                let next = rest[1..].chars().next();
                is_tried |= next.is_some_and(|next| matches!(next, '1'..='9' | 'k' | 'g' | 'G' | 'K'));
                length += next.map_or(0, char::len_utf8);
                // A class such as `\p{L}` includes the name in braces.
                if rest.starts_with("\\p{") || rest.starts_with("\\P{") {
                    length = rest.find('}').map_or(rest.len(), |end| end + 1);
                }
                let is_class = next.is_some_and(|next| next.is_ascii_alphabetic());
                top(&mut groups).add(if is_class { CLASS } else { 1 }, 0);
            }
            '[' => {
                length = class(rest);
                top(&mut groups).add(CLASS, 0);
            }
            '(' => {
                is_tried |= ["(?=", "(?!", "(?<=", "(?<!", "(?>", "(?(", "(?R", "(?&", "(?P>", "(?P="]
                    .iter()
                    .any(|start| rest.starts_with(start));
                groups.push(Group::default());
                if groups.len() > DEEPEST {
                    return Err(format!("its groups are nested more than {DEEPEST} deep"));
                }
            }
            ')' if groups.len() > 1 => {
                let group = groups.pop().unwrap_or_default();
                top(&mut groups).add(group.size.max(1), group.nested);
            }
            '*' | '+' => {
                let group = top(&mut groups);
                let nested = group.last_nested + 1;
                (group.last_nested, group.nested) = (nested, group.nested.max(nested));
                // A plus after a repetition makes the repetition possessive. The plus still counts as a
                // nested repetition, which is stricter than necessary.
            }
            '{' => {
                if let Some((times, is_bounded, taken)) = counted(rest) {
                    let group = top(&mut groups);
                    group.repeat(times);
                    if !is_bounded {
                        group.last_nested += 1;
                        group.nested = group.nested.max(group.last_nested);
                    }
                    length = taken;
                }
            }
            _ => top(&mut groups).add(1, 0),
        }
        if top(&mut groups).size > MOST_COPIES {
            return Err(format!("with all repetitions expanded, it has more than {MOST_COPIES} letters"));
        }
        rest = &rest[length..];
    }
    if is_tried && groups.iter().any(|group| group.nested > 1) {
        return Err(
            "it has nested unbounded repetitions, which take exponential time together with look-around \
                    or back-references"
                .into(),
        );
    }
    Ok(groups.iter().map(|group| group.size).sum())
}

fn top(groups: &mut Vec<Group>) -> &mut Group {
    if groups.is_empty() {
        groups.push(Group::default());
    }
    let last = groups.len() - 1;
    &mut groups[last]
}

/// The length in bytes of the character class at the beginning of `rest`.
fn class(rest: &str) -> usize {
    let (mut deep, mut escaped) = (0_usize, false);
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => deep += 1,
            ']' => {
                deep -= 1;
                if deep == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    rest.len()
}

/// Parses a repetition such as `{2,5}` at the beginning of `rest`. Returns the larger number, whether the
/// repetition is bounded, and its length in bytes.
fn counted(rest: &str) -> Option<(usize, bool, usize)> {
    let (inner, _) = rest[1..].split_once('}')?;
    let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
    let number = |text: &str| {
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_digits.then(|| text.parse().unwrap_or(usize::MAX))
    };
    let (least, most) = (least.trim(), most.trim());
    let times = match (number(least), number(most)) {
        (Some(least), Some(most)) => least.max(most),
        (Some(least), None) if most.is_empty() => least,
        (None, Some(most)) if least.is_empty() => most,
        _ => return None,
    };
    Some((times.max(1), !most.is_empty(), inner.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_expressions_are_read() {
        for regex in [
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*",
            r"\s*[\r\n]+|\s+(?!\S)|\s+",
            r" ?[^(\s|[.,!?…。，、।۔،])]+",
            r"\d{1,3}(?=(?:\d{3})*\b)",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}]*[\p{Ll}\p{M}]+(?i:'s|'t)?|\s+(?!\S)",
            " {2,}",
            r"\{1000000\}",
        ] {
            assert!(copies(regex).is_ok_and(|copies| copies < 1000), "{regex}");
        }
    }

    #[test]
    fn what_grows_without_end_is_refused() {
        for regex in [
            "(?=a){4000000000}",
            "((x{100}){100}){100}",
            "(?:(?:a|b)+)+(?=c)",
            r"(a{2,}){2,}\1",
            &"(".repeat(1000),
            &"a".repeat(50_000),
        ] {
            assert!(copies(regex).is_err(), "{regex:.40}");
        }
    }

    #[test]
    fn copies_of_classes_count_more_than_those_of_letters() {
        assert_eq!(copies("(ab){10}"), Ok(20));
        assert_eq!(copies(r"\p{L}{10}"), Ok(10 * CLASS));
        assert_eq!(copies(r"[a-z]{10}\."), Ok(10 * CLASS + 1));
    }
}
