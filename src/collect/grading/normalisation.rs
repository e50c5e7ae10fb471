//! The normalisation of texts before they are compared.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Differences between texts that are ignored. Every result records the version of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Normalisation {
    /// Lower case.
    pub ignore_case: bool,
    /// Without ASCII punctuation.
    pub ignore_punctuation: bool,
}

/// Version 1: Unicode NFKC; white space trimmed and runs of it collapsed; one final punctuation mark removed.
pub const NORMALISATION_VERSION: u32 = 1;

impl Normalisation {
    /// A text as it is compared.
    pub fn apply(self, text: &str) -> String {
        let mut text: String = text.nfkc().collect();
        if self.ignore_case {
            text = text.to_lowercase();
        }
        if self.ignore_punctuation {
            text.retain(|c| !c.is_ascii_punctuation());
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shorter = text.strip_suffix(['.', ',', ';', ':', '!', '?', '。']).map(str::trim_end);
        // A text of punctuation only is unchanged.
        shorter.filter(|shorter| !shorter.is_empty()).map_or(text.clone(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalisation_makes_equal_what_reads_the_same() {
        let plain = Normalisation::default();
        for (text, normal) in [
            (" Paris.\n", "Paris"),
            ("Ｐａｒｉｓ！", "Paris"),
            ("New\u{a0} York", "New York"),
            ("ﬁne", "fine"),
            ("e\u{301}", "\u{e9}"),
            ("?", "?"),
            ("U.S.", "U.S"),
            ("", ""),
        ] {
            assert_eq!(plain.apply(text), normal);
        }
        assert_eq!(
            Normalisation { ignore_case: true, ignore_punctuation: true }.apply("\"Saint-Denis\"?!"),
            "saintdenis"
        );
    }
}
