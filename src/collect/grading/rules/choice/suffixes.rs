//! Removes the endings that some languages append to a letter: Turkish "B'dir", Finnish "B:n".

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

const SUFFIX: &str = concat!(
    r"\b([A-Z])'(?:[dt][ıiuü]r|[yn]?[ıiea]|s[ıi]|n[ıi]n|[dt][ae]n?|yd[ıi]|ymış)\b|",
    r"\b([A-Z]):(?:n|ssa|sta|ksi|t)\b",
);
static SUFFIXES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SUFFIX).ok());

/// In "B's right", 's is a short form of "is", not a genitive.
const SHORT_VERB: &str = r"\b([A-Z])'s (the|my|our|right|correct|best|it)\b";
static SHORT_VERBS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SHORT_VERB).ok());

/// Removes the endings from a text, and replaces the English short form 's by "is".
pub(in crate::collect::grading::rules) fn remove(text: &str) -> Cow<'_, str> {
    let (Some(suffixes), Some(verbs)) = (SUFFIXES.as_ref(), SHORT_VERBS.as_ref()) else {
        return Cow::Borrowed(text);
    };
    if !text.contains(['\'', ':']) {
        return Cow::Borrowed(text);
    }
    let text = suffixes.replace_all(text, "$1$2");
    match verbs.replace_all(&text, "$1 is $2") {
        Cow::Borrowed(_) => text,
        Cow::Owned(written) => Cow::Owned(written),
    }
}
