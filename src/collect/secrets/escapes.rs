//! What a key can hide behind: the escapes of JSON, percent signs of URLs, entities of HTML. One pass undoes
//! one layer of all of them.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// Names of HTML for characters that keys are made of, or that stand beside them.
const ENTITIES: [(&[u8], u8); 26] = [
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"plus", b'+'),
    (b"sol", b'/'),
    (b"equals", b'='),
    (b"lowbar", b'_'),
    (b"period", b'.'),
    (b"colon", b':'),
    (b"semi", b';'),
    (b"comma", b','),
    (b"commat", b'@'),
    (b"num", b'#'),
    (b"dollar", b'$'),
    (b"percnt", b'%'),
    (b"excl", b'!'),
    (b"quest", b'?'),
    (b"ast", b'*'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"bsol", b'\\'),
    (b"Hat", b'^'),
    (b"verbar", b'|'),
    (b"Tab", b'\t'),
];
/// No entity is longer than this, from its ampersand to its semicolon.
const LONGEST_ENTITY: usize = 12;

/// Bytes with one layer of escapes undone, and for each of them and for the end the place where it stood.
pub(super) struct Plain {
    pub(super) bytes: Vec<u8>,
    places: Vec<u32>,
}

impl Plain {
    /// Where a span stood, without an escape that is cut in two.
    pub(super) fn place(&self, span: &Range<usize>) -> Range<usize> {
        // Several bytes of one character stand at one place.
        let last = self.places[span.end - 1];
        let behind = self.places.partition_point(|place| *place <= last);
        self.places[span.start] as usize..self.places[behind] as usize
    }

    /// A span of the text before, made so long that it cuts no escape in two.
    pub(super) fn widen(&self, span: &Range<usize>) -> Range<usize> {
        let first = self.places.partition_point(|place| (*place as usize) <= span.start);
        let end = self.places.partition_point(|place| (*place as usize) < span.end);
        self.places[first - 1] as usize..self.places[end] as usize
    }
}

/// Undoes one layer; `None` where there is none.
pub(super) fn undo(bytes: &[u8]) -> Option<Plain> {
    if !bytes.iter().any(|byte| matches!(byte, b'\\' | b'%' | b'&')) || u32::try_from(bytes.len()).is_err() {
        return None;
    }
    let (mut plain, mut places) = (Vec::with_capacity(bytes.len()), Vec::with_capacity(bytes.len() + 1));
    let (mut i, mut found) = (0, false);
    while i < bytes.len() {
        let escape = match bytes[i] {
            b'\\' => json(&bytes[i..]),
            b'%' => number(bytes.get(i + 1..i + 3), 16).map(|character| (character, 3)),
            b'&' => entity(&bytes[i..]),
            _ => None,
        };
        let mut buffer = [0; 4];
        let (piece, taken) = match escape {
            Some((character, taken)) => (character.encode_utf8(&mut buffer).as_bytes(), taken),
            None => (&bytes[i..=i], 1),
        };
        found |= escape.is_some();
        plain.extend_from_slice(piece);
        places.resize(plain.len(), i as u32);
        i += taken;
    }
    places.push(bytes.len() as u32);
    found.then_some(Plain { bytes: plain, places })
}

/// Makes the letters of other alphabets plain as grading does (NFKC), and all white space blanks; `None`
/// where there is nothing to make.
pub(super) fn fold(bytes: &[u8]) -> Option<Plain> {
    if bytes.is_ascii() || u32::try_from(bytes.len()).is_err() {
        return None;
    }
    let (mut plain, mut places) = (Vec::with_capacity(bytes.len()), Vec::with_capacity(bytes.len() + 1));
    let (mut at, mut found, mut buffer) = (0, false, [0; 4]);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            // What does not become ASCII is part of no key, and some of it becomes very long.
            let made = std::iter::once(character).nfkc().map(|c| if c.is_whitespace() { ' ' } else { c });
            if !character.is_ascii() && made.clone().all(|c| c.is_ascii()) {
                plain.extend(made.map(|c| c as u8));
                found = true;
            } else {
                plain.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            }
            places.resize(plain.len(), at as u32);
            at += character.len_utf8();
        }
        for byte in chunk.invalid() {
            plain.push(*byte);
            places.push(at as u32);
            at += 1;
        }
    }
    places.push(bytes.len() as u32);
    found.then_some(Plain { bytes: plain, places })
}

/// An escape of JSON, and `\xNN` of other languages.
fn json(here: &[u8]) -> Option<(char, usize)> {
    match here.get(1)? {
        b'u' => {
            let unit =
                |digits: Option<&[u8]>| u16::from_str_radix(std::str::from_utf8(digits?).ok()?, 16).ok();
            let first = unit(here.get(2..6))?;
            let second = here.get(6..8).filter(|start| *start == b"\\u").and_then(|_| unit(here.get(8..12)));
            // Half of a pair of surrogates is part of no key, whatever stands for it here.
            match char::decode_utf16([Some(first), second].into_iter().flatten()).next()? {
                Ok(character) => Some((character, if character.len_utf16() == 2 { 12 } else { 6 })),
                Err(_) => Some(('\u{fffd}', 6)),
            }
        }
        b'x' if number(here.get(2..4), 16).is_some() => Some((number(here.get(2..4), 16)?, 4)),
        b'n' | b'r' | b't' | b'b' | b'f' => Some((' ', 2)),
        next if next.is_ascii() => Some((char::from(*next), 2)),
        _ => None,
    }
}

fn entity(here: &[u8]) -> Option<(char, usize)> {
    let end = here.iter().take(LONGEST_ENTITY).position(|byte| *byte == b';')?;
    let name = &here[1..end];
    let character = match name {
        [b'#', b'x' | b'X', digits @ ..] => number(Some(digits), 16)?,
        [b'#', digits @ ..] => number(Some(digits), 10)?,
        _ => char::from(ENTITIES.iter().find(|(known, _)| *known == name)?.1),
    };
    Some((character, end + 1))
}

/// The ASCII character of a number: keys have no others.
fn number(digits: Option<&[u8]>, radix: u32) -> Option<char> {
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_alphanumeric))?;
    let number = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    char::from_u32(number).filter(char::is_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_other_alphabets_are_made_plain_and_keep_their_places() {
        let text = "é\u{ff41}\u{1d7d8}\u{2028}㏒x\u{fdfa}";
        let plain = fold(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8_lossy(&plain.bytes), "éa0 logx\u{fdfa}");
        for (n, piece) in [(2, "\u{ff41}"), (3, "\u{1d7d8}"), (4, "\u{2028}"), (6, "㏒"), (8, "x")] {
            assert_eq!(&text[plain.place(&(n..n + 1))], piece);
        }
        assert!(fold("plain é".as_bytes()).is_none() && fold(b"plain\xff").is_none());
        let pair = undo(b"\\ud835\\udfd8\\ud835x").unwrap();
        assert_eq!(String::from_utf8_lossy(&pair.bytes), "\u{1d7d8}\u{fffd}x");
    }

    #[test]
    fn every_escape_is_undone_and_every_byte_keeps_its_place() {
        let text = "a\\u0062%63&#100;&#x65;&plus;\\x66\\n\\\"é%zz&nothing;\\";
        let plain = undo(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8_lossy(&plain.bytes), "abcde+f \"é%zz&nothing;\\");
        for (n, piece) in
            [(1, "\\u0062"), (2, "%63"), (3, "&#100;"), (4, "&#x65;"), (5, "&plus;"), (6, "\\x66")]
        {
            assert_eq!(&text[plain.place(&(n..n + 1))], piece);
        }
        // A span that ends within an escape is made longer.
        assert_eq!(&text[plain.widen(&(0..4))], "a\\u0062");
        assert_eq!(&text[plain.widen(&(9..10))], "%63");
        assert!(undo(b"plain, 100% & more").is_none() && undo(b"").is_none());
    }
}
