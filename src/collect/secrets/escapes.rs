//! Decodes one layer of JSON escapes and percent-encoding and removes invisible characters. It keeps the
//! original position of every byte.

use std::ops::Range;

/// Invisible characters: zero-width space, non-joiner and joiner, word joiner, byte-order mark, soft hyphen.
const INVISIBLE: [char; 6] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{ad}'];

/// Bytes with one layer of escapes decoded, and the original positions of every byte and of the end.
pub(super) struct Unescaped {
    pub(super) bytes: Vec<u8>,
    positions: Vec<u32>,
}

impl Unescaped {
    /// The span of the original text that corresponds to a span of these bytes. It never ends within an
    /// escape.
    pub(super) fn original(&self, span: &Range<usize>) -> Range<usize> {
        // All bytes of one decoded character have the same position.
        let last = self.positions[span.end - 1];
        let behind = self.positions.partition_point(|position| *position <= last);
        self.positions[span.start] as usize..self.positions[behind] as usize
    }

    /// Extends a span of the original text so that it does not begin or end within an escape.
    pub(super) fn widen(&self, span: &Range<usize>) -> Range<usize> {
        let first = self.positions.partition_point(|position| (*position as usize) <= span.start);
        let end = self.positions.partition_point(|position| (*position as usize) < span.end);
        let start = first.checked_sub(1).map_or(0, |first| self.positions[first] as usize);
        start..self.positions[end] as usize
    }
}

/// Decodes one layer of escapes. Returns `None` if there are no escapes or invisible characters.
pub(super) fn unescape(bytes: &[u8]) -> Option<Unescaped> {
    let may_hold_any = bytes.iter().any(|byte| matches!(byte, b'\\' | b'%' | 0xe2 | 0xef | 0xc2));
    if !may_hold_any || u32::try_from(bytes.len()).is_err() {
        return None;
    }
    let (mut plain, mut positions) = (Vec::with_capacity(bytes.len()), Vec::with_capacity(bytes.len() + 1));
    let (mut i, mut found) = (0, false);
    while i < bytes.len() {
        let escape = match bytes[i] {
            b'\\' => json(&bytes[i..]),
            b'%' => hex_digits(bytes.get(i + 1..i + 3)).map(|character| (character, 3)),
            0xe2 | 0xef | 0xc2 => invisible(&bytes[i..]),
            _ => None,
        };
        found |= escape.is_some();
        let mut buffer = [0; 4];
        let (piece, taken) = match escape {
            Some((character, taken)) if INVISIBLE.contains(&character) => (&[][..], taken),
            Some((character, taken)) => (character.encode_utf8(&mut buffer).as_bytes(), taken),
            None => (&bytes[i..=i], 1),
        };
        plain.extend_from_slice(piece);
        positions.resize(plain.len(), i as u32);
        i += taken;
    }
    positions.push(bytes.len() as u32);
    found.then_some(Unescaped { bytes: plain, positions })
}

/// The invisible character at the beginning of the text, and its length in bytes.
fn invisible(here: &[u8]) -> Option<(char, usize)> {
    let mut buffer = [0; 4];
    INVISIBLE.into_iter().find_map(|character| {
        let encoded = character.encode_utf8(&mut buffer).as_bytes();
        here.starts_with(encoded).then_some((character, encoded.len()))
    })
}

/// The character of a JSON escape, and the length of the escape in bytes.
fn json(here: &[u8]) -> Option<(char, usize)> {
    match here.get(1)? {
        b'u' => {
            let unit =
                |digits: Option<&[u8]>| u16::from_str_radix(std::str::from_utf8(digits?).ok()?, 16).ok();
            let first = unit(here.get(2..6))?;
            let second = here.get(6..8).filter(|start| *start == b"\\u").and_then(|_| unit(here.get(8..12)));
            // Keys contain no unpaired surrogates, so any replacement works.
            match char::decode_utf16([Some(first), second].into_iter().flatten()).next()? {
                Ok(character) => Some((character, if character.len_utf16() == 2 { 12 } else { 6 })),
                Err(_) => Some(('\u{fffd}', 6)),
            }
        }
        b'n' | b'r' | b't' | b'b' | b'f' => Some((' ', 2)),
        next if next.is_ascii() => Some((char::from(*next), 2)),
        _ => None,
    }
}

/// The character of two hexadecimal digits. Keys are ASCII, so other characters are ignored.
fn hex_digits(digits: Option<&[u8]>) -> Option<char> {
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    let number = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    char::from_u32(number).filter(char::is_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_undone_and_every_byte_keeps_its_position() {
        let text = "a\\u0062%63\\n\\\"é%zz\\";
        let plain = unescape(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8_lossy(&plain.bytes), "abc \"é%zz\\");
        for (n, piece) in [(1, "\\u0062"), (2, "%63"), (3, "\\n")] {
            assert_eq!(&text[plain.original(&(n..n + 1))], piece);
        }
        // A span that ends within an escape is extended.
        assert_eq!(&text[plain.widen(&(0..4))], "a\\u0062");
        assert_eq!(&text[plain.widen(&(9..10))], "%63");
        assert!(unescape(b"plain, 100% & more").is_none() && unescape(b"").is_none());
        let pair = unescape(b"\\ud835\\udfd8\\ud835x").unwrap();
        assert_eq!(String::from_utf8_lossy(&pair.bytes), "\u{1d7d8}\u{fffd}x");
    }

    #[test]
    fn invisible_characters_are_dropped() {
        let text = "\u{feff}a\u{200b}b\u{ad}\\u200bc";
        let plain = unescape(text.as_bytes()).unwrap();
        assert_eq!(plain.bytes, b"abc");
        assert_eq!(&text[plain.original(&(0..3))], "a\u{200b}b\u{ad}\\u200bc");
        assert_eq!(plain.widen(&(0..3)), 0..3);
        assert!(unescape("é plain".as_bytes()).is_none());
    }
}
