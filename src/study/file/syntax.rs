//! Finds syntax errors in a study file. A text without quotes is common and easy to repair, so the mistakes
//! after it are found too. Any other syntax error ends the search, because it may cause the errors after it.

use std::ops::Range;

use toml::de::DeTable;

use super::finding::{Finding, Findings};

/// Maximum number of repairs. The file is parsed again after each repair.
const MOST_REPAIRS: usize = 30;

/// The text of a study file with its unquoted texts in quotes, and the mistakes found.
pub(super) struct Repaired {
    pub text: String,
    pub found: Vec<Finding>,
    /// Whether the repaired text is valid TOML.
    pub is_toml: bool,
}

impl Repaired {
    pub(super) fn of(text: &str) -> Self {
        let (mut text, mut found) = (text.to_owned(), vec![]);
        loop {
            let (_, faults) = DeTable::parse_recoverable(&text);
            let at = |fault: &toml::de::Error| fault.span().map_or(0, |span| span.start);
            let Some(first) = faults.iter().min_by_key(|fault| at(fault)) else {
                return Self { text, found, is_toml: true };
            };
            let (start, line) = (at(first), Findings::new(&text).line_at(at(first)));
            let Some(word) = bare_word(&text, start).filter(|_| found.len() < MOST_REPAIRS) else {
                found.push(Finding { line, reason: first.message().into() });
                return Self { text, found, is_toml: false };
            };
            let typed = text[word.clone()].to_owned();
            let lower = typed.to_lowercase();
            let is_switch = ["true", "false"].contains(&lower.as_str());
            let (reason, repaired) = if is_switch {
                (format!("`{typed}`: write `{lower}`"), lower)
            } else {
                let reason =
                    format!("`{typed}`: text needs quotes, \"{typed}\", and a number is written in digits");
                (reason, format!("\"{typed}\""))
            };
            found.push(Finding { line, reason });
            text.replace_range(word, &repaired);
        }
    }
}

/// The text without quotes at a byte offset: the value of a key up to the end of the line or a comment, or an
/// item of a list. `None` if the fault is of another kind.
fn bare_word(text: &str, at: usize) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric() || "_-./:@*?~+".contains(c);
    let start = text
        .get(..at)?
        .rfind(|c| !is_part(c))
        .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
    let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
    let line_end = text[end..].find('\n').map_or(text.len(), |length| end + length);
    let before = text[..start].trim_end();
    let range = if before.ends_with('=') {
        let value = text[start..line_end].split('#').next().unwrap_or_default().trim_end();
        start..start + value.len()
    } else {
        // The bracket of a list follows an equals sign; the bracket of a table header begins a line.
        let line = before.rsplit('\n').next().unwrap_or_default();
        let is_list = before.ends_with(',') || before.ends_with('[') && line.contains('=');
        let is_key = text[end..line_end].trim_start().starts_with('=');
        (is_list && !is_key).then_some(start..end)?
    };
    let word = &text[range.clone()];
    let has_letter = word.chars().any(char::is_alphabetic);
    (has_letter && word.chars().all(|c| is_part(c) || c == ' ')).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> (Vec<String>, bool) {
        let Repaired { found, is_toml, .. } = Repaired::of(text);
        (found.into_iter().map(|finding| format!("{}: {}", finding.line, finding.reason)).collect(), is_toml)
    }

    #[test]
    fn texts_without_quotes_are_found_together_and_other_faults_alone() {
        let (found, is_toml) = said(
            "[design]\ncorpora = [moons, \"guilds\"]\nform = arrow # or colon\nsets = ten\n\
             random_init = True\n[[open]]\nfamily = my models\nmodels = [\n  models/a-1.gguf,\n]\n",
        );
        assert!(is_toml);
        let words: Vec<&str> = found.iter().map(|line| line.split_inclusive('`').nth(1).unwrap()).collect();
        assert_eq!(words, ["moons`", "arrow`", "ten`", "True`", "my models`", "models/a-1.gguf`"]);
        assert!(found[0].starts_with("2: `moons`: text needs quotes, \"moons\""), "{found:?}");
        assert!(found[3].starts_with("5: `True`: write `true`") && found[5].starts_with("9: "), "{found:?}");
        // A missing bracket or quote causes errors in later lines, so only the first error is reported.
        for text in [
            "[design\ncorpora = [\n",
            "[design]\ncorpora = [\"moons\",\nshots = [1]\nsets = 4\n[[open]]\nfamily = \"f\"\n",
            "[design]\ncorpora = \"moons\nshots = [1]\nsets = 4\n",
        ] {
            let (found, is_toml) = said(text);
            assert!(!is_toml && found.len() == 1, "{text}: {found:?}");
        }
        assert_eq!(said("a = 1\nb = true\nc = 1e5\nd = \"x\"\n"), (vec![], true));
    }

    #[test]
    fn the_repaired_text_is_valid_and_has_the_same_lines() {
        let repaired = Repaired::of("a = x y # z\nb = 8G\nc = [1, f]\n");
        assert_eq!(repaired.text, "a = \"x y\" # z\nb = \"8G\"\nc = [1, \"f\"]\n");
        // `Repaired::of` ends without a panic for any text.
        for text in ["=", "[", "a = é", "a = b = c", "[a]\n[a]\n", "a = \u{0}", "a = \"", "x", ","] {
            Repaired::of(text);
        }
    }
}
