//! Prints text on a terminal safely. Names, cells and answers come from foreign files and servers, so control
//! characters are escaped.

use std::borrow::Cow;
use std::io::Write;

/// Number of characters that [`shortened`] keeps.
const LONGEST: usize = 1000;

/// Writes a line to stderr. Ignores a closed stderr.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stderr(), "{}", escaped(line)).unwrap_or_default();
}

/// The text with every control character escaped, as in `\u{1b}`. Line feeds and tabs are kept.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_command) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_command(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// The first 1000 characters of a text, followed by an ellipsis if the text is longer. For messages that
/// quote a foreign file or program.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Whether a terminal may act on the character instead of showing it: control characters, and marks that
/// reorder or hide the text around them.
fn is_command(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_to_a_terminal_are_written_out_and_text_is_left_alone() {
        let plain = "lines\n\tand \u{e9}, \u{4e2d}\u{6587}, \u{1f469}\u{200d}\u{1f680}";
        assert!(matches!(escaped(plain), Cow::Borrowed(text) if text == plain));
        assert_eq!(escaped("\x1b]0;x\x07\r\u{9b}31m"), r"\u{1b}]0;x\u{7}\u{d}\u{9b}31m");
        assert_eq!(shortened(&"\u{e9}".repeat(1001)).chars().count(), 1001);
        assert_eq!(shortened(plain), plain);
        assert_eq!(escaped("a\u{202e}b\u{2028}\u{7f}\0"), r"a\u{202e}b\u{2028}\u{7f}\u{0}");
    }
}
