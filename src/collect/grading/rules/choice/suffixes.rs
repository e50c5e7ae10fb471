//! Endings that some languages put behind a letter: Turkish "B'dir", Finnish "B:n".

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

const SUFFIX: &str = concat!(
    r"\b([A-Z])'(?:[dt][ıiuü]r|[yn]?[ıiea]|s[ıi]|n[ıi]n|[dt][ae]n?|yd[ıi]|ymış)\b|",
    r"\b([A-Z]):(?:n|ssa|sta|ksi|t)\b",
);
static SUFFIXES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SUFFIX).ok());

/// A text without them.
pub(in crate::collect::grading::rules) fn remove(text: &str) -> Cow<'_, str> {
    match SUFFIXES.as_ref().filter(|_| text.contains(['\'', ':'])) {
        Some(suffixes) => suffixes.replace_all(text, "$1$2"),
        None => Cow::Borrowed(text),
    }
}
