//! Comparison of a folded text with fragments.

/// Whether a text has any of these.
pub(super) fn contains(text: &str, fragments: &[&str]) -> bool {
    fragments.iter().any(|fragment| text.contains(fragment))
}
