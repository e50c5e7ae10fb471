//! Removes invisible characters: zero-width characters, direction marks, byte-order marks, variation
//! selectors and control characters.

use std::borrow::Cow;

/// Whether a character is invisible.
fn is_invisible(c: char) -> bool {
    // The most common characters are tested first.
    !(' '..='~').contains(&c)
        && matches!(c,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        && c != '\r'
        && c != '\u{85}'
}

/// Removes the invisible characters of a text.
pub fn remove(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_invisible) {
        Cow::Owned(text.chars().filter(|c| !is_invisible(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}
