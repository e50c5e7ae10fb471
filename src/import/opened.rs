//! Detects the format of a file from its bytes, so that importers can recognise their files.

use std::path::Path;

/// The format of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A ZIP archive.
    Archive,
    /// One JSON object, with the names of its members.
    Object(Vec<String>),
    /// One JSON value per line, with the member names of the first value.
    Lines(Vec<String>),
    /// An HTML page.
    Page,
    /// Any other format, including a JSON list.
    Other,
}

/// A file and its content.
#[derive(Debug, Clone, Copy)]
pub struct Opened<'a> {
    /// The path of the file.
    pub path: &'a Path,
    /// The content of the file.
    pub bytes: &'a [u8],
    /// The format of the file.
    pub form: &'a Form,
}

impl Form {
    /// Detects the format. A truncated file has the format of its beginning.
    pub fn of(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        if bytes.starts_with(b"PK\x03\x04") {
            return Self::Archive;
        }
        if text.first() == Some(&b'{') {
            let (members, end) = members(text);
            let is_last = text[end..].trim_ascii().is_empty();
            return if is_last { Self::Object(members) } else { Self::Lines(members) };
        }
        let head: Vec<u8> = text.iter().take(512).map(u8::to_ascii_lowercase).collect();
        let is_page = head.starts_with(b"<!doctype html") || head.starts_with(b"<html");
        if is_page { Self::Page } else { Self::Other }
    }
}

impl Opened<'_> {
    /// Whether the JSON object has all of these members. If the file has one value per line, only the first
    /// value is checked.
    pub fn has(&self, wanted: &[&str]) -> bool {
        match self.form {
            Form::Object(members) | Form::Lines(members) => {
                wanted.iter().all(|name| members.iter().any(|member| member == name))
            }
            _ => false,
        }
    }
}

/// The member names of the object at the start of a text, and the position of the object's end. Values are
/// not parsed, because tools may write invalid JSON, such as the NaN of Python.
fn members(text: &[u8]) -> (Vec<String>, usize) {
    let (mut names, mut depth, mut at) = (vec![], 0_usize, 0);
    let mut last: Option<&[u8]> = None;
    while at < text.len() {
        match text[at] {
            b'"' => {
                let start = at + 1;
                at = start;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                last = (depth == 1).then(|| text.get(start..at)).flatten();
            }
            b':' if depth == 1 => {
                names.extend(last.take().map(|name| String::from_utf8_lossy(name).into_owned()));
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return (names, at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    (names, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_that_of_the_bytes() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (text, form) in [
            ("{\"a\": {\"b\": 1}, \"c\": NaN}", Form::Object(names(&["a", "c"]))),
            ("\u{feff} {\"a:\\\"}\": [\"x\", \"y\"]}\n", Form::Object(names(&["a:\\\"}"]))),
            ("{\"a\": 1}\n{\"b\": 2}\n", Form::Lines(names(&["a"]))),
            ("{\"a\": {\"b\": [1, 2", Form::Object(names(&["a"]))),
            ("{\"a\": \"cut\\", Form::Object(names(&["a"]))),
            ("[{\"a\": 1}]", Form::Other),
            ("PK\u{3}\u{4}rest", Form::Archive),
            ("<!DOCTYPE html>\n<html>", Form::Page),
            ("", Form::Other),
            ("item,correct\n", Form::Other),
        ] {
            assert_eq!(Form::of(text.as_bytes()), form, "{text}");
        }
    }
}
