//! Normalises texts before they are compared.

use serde::{Deserialize, Serialize};

use super::plain::{ends, folding, markdown, punctuation};
use super::version1::normal;

/// The settings of the normalisation: which differences between texts are ignored. Every result records the
/// version of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Normalisation {
    /// Whether texts are converted to lower case.
    pub ignore_case: bool,
    /// Whether punctuation is removed. Marks inside numbers are kept.
    pub ignore_punctuation: bool,
    /// Version of the rules: 1 or 2.
    #[serde(default = "first_version")]
    pub version: u32,
}

/// The newest version of the rules.
///
/// Version 2: first, reasoning, tool calls, special tokens and invisible characters are removed from an
/// answer ([`super::answer_text`]). Then typographic quotes, dashes, spaces and full-width forms become plain
/// characters (superscripts do not become digits). Markdown is removed, and runs of white space become one
/// blank. Quotes, `\boxed{}`, `\text{}`, `$` and answer tags around the whole text are removed, and so is one
/// final punctuation mark. The comparison is case-sensitive.
///
/// Version 1: Unicode NFKC is applied, runs of white space become one blank, and one final punctuation mark
/// is removed.
pub const NORMALISATION_VERSION: u32 = 2;

/// The version that applies to records without a version.
fn first_version() -> u32 {
    1
}

impl Default for Normalisation {
    fn default() -> Self {
        Self { ignore_case: false, ignore_punctuation: false, version: NORMALISATION_VERSION }
    }
}

impl Normalisation {
    /// Normalises a whole text for comparison.
    pub fn apply(self, text: &str) -> String {
        if self.version == 1 {
            return normal::apply(text, self.ignore_case, self.ignore_punctuation);
        }
        let text = markdown::strip(&folding::fold(text));
        self.finish(ends::trim(&one_line(&text)).to_owned())
    }

    /// Normalises a text of which only the beginning or a part is compared. Quotes, tags and marks around the
    /// text are kept.
    pub fn apply_inside(self, text: &str) -> String {
        let text = markdown::strip(&folding::fold(text));
        self.finish(one_line(&text))
    }

    fn finish(self, mut text: String) -> String {
        if self.ignore_case {
            text = text.to_lowercase();
        }
        if self.ignore_punctuation {
            let kept = one_line(&punctuation::remove(&text));
            // A text that consists only of punctuation is unchanged.
            if !kept.is_empty() {
                text = kept;
            }
        }
        text
    }
}

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_the_same_becomes_equal() {
        for (text, normal) in [
            (" Paris.\n", "Paris"),
            ("Ｐａｒｉｓ！", "Paris"),
            ("New\u{a0} York", "New York"),
            ("ﬁne", "fine"),
            ("e\u{301}", "\u{e9}"),
            ("?", "?"),
            ("...", "..."),
            ("U.S.", "U.S"),
            ("", ""),
            ("**Paris**.", "Paris"),
            ("**Paris.**", "Paris"),
            ("`Paris`", "Paris"),
            ("```text\nParis\n```", "Paris"),
            ("# Paris", "Paris"),
            ("- Paris", "Paris"),
            ("“Paris”.", "Paris"),
            ("‘Paris.’", "Paris"),
            ("«Paris»", "Paris"),
            ("$\\boxed{\\text{Paris}}$.", "Paris"),
            ("\\(Paris\\)", "Paris"),
            ("<answer> Paris </answer>", "Paris"),
            ("<b>Paris</b>", "Paris"),
            ("Paris…", "Paris"),
            ("Côte d’Ivoire", "Côte d'Ivoire"),
            ("1939–1945", "1939-1945"),
            ("−5", "-5"),
            ("Tom &amp; Jerry", "Tom & Jerry"),
            ("[Paris](https://example.org)", "Paris"),
            // Texts with different meanings stay different.
            ("Paris!!", "Paris!"),
            ("paris", "paris"),
            ("10\u{2076}", "10\u{2076}"),
            ("H\u{2082}O", "H\u{2082}O"),
            ("\u{bd}", "\u{bd}"),
            ("2**3", "2**3"),
            ("2 * 3 * 4", "2 * 3 * 4"),
            ("snake_case_name", "snake_case_name"),
            ("C#", "C#"),
            ("\"a\" and \"b\"", "\"a\" and \"b\""),
            ("$5 and $6", "$5 and $6"),
            ("it's", "it's"),
        ] {
            assert_eq!(Normalisation::default().apply(text), normal, "{text}");
        }
    }

    #[test]
    fn punctuation_that_is_part_of_a_number_or_a_name_stays() {
        let normal = Normalisation { ignore_punctuation: true, ignore_case: true, ..Default::default() };
        for (text, plain) in [
            ("\"Saint-Denis\"?!", "saint denis"),
            ("3.14", "3.14"),
            ("-5", "-5"),
            ("1:2", "1:2"),
            ("3/4", "3/4"),
            ("0,1", "0,1"),
            ("2026-01-02", "2026-01-02"),
            ("C++", "c++"),
            ("C#", "c#"),
            ("?!", "?!"),
            ("U.S.", "us"),
            ("Côte d’Ivoire", "côte divoire"),
        ] {
            assert_eq!(normal.apply(text), plain, "{text}");
        }
    }

    #[test]
    fn the_first_version_stays() {
        let first = Normalisation { version: 1, ..Normalisation::default() };
        assert_eq!(
            (first.apply("**Paris**."), first.apply("10\u{2076}")),
            ("**Paris**".into(), "106".into())
        );
        let read: Normalisation =
            serde_json::from_str(r#"{"ignore_case":true,"ignore_punctuation":false}"#).unwrap();
        assert_eq!(read, Normalisation { ignore_case: true, ..first });
    }
}
