//! Searches a text for fragments.

/// Whether a text contains any of the fragments.
pub(super) fn contains(text: &str, fragments: &[&str]) -> bool {
    fragments.iter().any(|fragment| text.contains(fragment))
}
