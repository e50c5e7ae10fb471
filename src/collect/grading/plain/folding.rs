//! Replaces typographic variants of characters by the plain character. Superscripts, subscripts and fractions
//! are kept, because their plain forms would change the meaning: `10⁶` would become 106, and `5½` would
//! become 51⁄2.

use unicode_normalization::UnicodeNormalization;

use super::invisible;

/// Converts a text to plain characters, in Unicode NFC.
pub fn fold(text: &str) -> String {
    let text = &*invisible::remove(text);
    if text.is_ascii() {
        return if text.contains('&') { entities(text) } else { text.to_owned() };
    }
    let mut folded = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if matches!(c, '\u{2212}' | '\u{2013}')
            && chars.peek() == Some(&' ')
            && is_sign_behind(c, &folded)
            && chars.clone().find(|c| *c != ' ').is_some_and(|c| c.is_ascii_digit())
        {
            // The dash is the minus sign of the number rather than a bullet: "− 5".
            while chars.next_if_eq(&' ').is_some() {}
        }
        match c {
            '\u{2018}'..='\u{201b}'
            | '\u{2032}'
            | '\u{2035}'
            | '\u{2039}'
            | '\u{203a}'
            | '\u{2bc}'
            | '\u{b4}'
            | '\u{ff07}' => folded.push('\''),
            '\u{201c}'..='\u{201f}'
            | '\u{2033}'
            | '\u{2036}'
            | '\u{ab}'
            | '\u{bb}'
            | '\u{300c}'..='\u{300f}'
            | '\u{301d}'..='\u{301f}'
            | '\u{ff02}' => folded.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => folded.push('-'),
            '\u{2026}' => folded.push_str("..."),
            c if c.is_whitespace() && c != '\n' && c != '\r' => folded.push(' '),
            // Typographic forms: ligatures, full-width and half-width forms, mathematical alphabets, circled
            // letters.
            '\u{fb00}'..='\u{fb4f}'
            | '\u{ff00}'..='\u{ffef}'
            | '\u{1d400}'..='\u{1d7ff}'
            | '\u{249c}'..='\u{24e9}'
            | '\u{1f110}'..='\u{1f129}'
            | '\u{1f130}'..='\u{1f149}' => folded.extend(std::iter::once(c).nfkc()),
            // White letters on black, which Unicode does not decompose.
            '\u{1f150}'..='\u{1f169}' => folded.push(nth_letter(c, '\u{1f150}')),
            '\u{1f170}'..='\u{1f189}' => folded.push(nth_letter(c, '\u{1f170}')),
            c => folded.push(c),
        }
    }
    let folded: String = folded.nfc().collect();
    if folded.contains('&') { entities(&folded) } else { folded }
}

/// The capital letter for `c` in a range of letters that begins with `first`.
fn nth_letter(c: char, first: char) -> char {
    let n = u32::from(c).saturating_sub(u32::from(first)).min(25);
    char::from_u32(u32::from('A') + n).unwrap_or(c)
}

/// Whether a dash after a text is the sign of the following number, rather than a mark between two numbers or
/// words.
fn is_sign_behind(dash: char, before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default().trim_end();
    let word = line.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let is_free = !line.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ')' | ']' | '%'));
    // "It is − 5" has a sign; "x − 5" and "5 km – 6" have none.
    let is_words = word.chars().count() > 1 && !line.contains(|c: char| c.is_ascii_digit());
    is_free || dash == '\u{2212}' && is_words && word.chars().all(char::is_alphabetic)
}

/// Decodes HTML character references that servers leave in texts.
fn entities(text: &str) -> String {
    const ENTITIES: [(&str, &str); 7] = [
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        // This entry is last, so that nothing is decoded twice.
        ("&amp;", "&"),
    ];
    ENTITIES.iter().fold(text.to_owned(), |text, (written, meant)| text.replace(written, meant))
}
