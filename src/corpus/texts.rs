//! Files of texts: JSON lines or CSV with one text a row, or plain text in which blank lines part one text
//! from the next. Rows may be parted into groups (human, model A, model B), each of which becomes a corpus of
//! its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::disk::{self, Lines};
use crate::error::{Error, Result};
use crate::seed;

/// The columns, or the fields of each JSON object, that hold texts and their groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The text.
    pub text: String,
    /// The group; a file need not have it.
    pub group: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self { text: "text".into(), group: "group".into() }
    }
}

/// Texts of one group, before any tokenizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The file's stem, and the group behind a dot if there are groups.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the texts in order, each ended by a line feed.
    pub sha256: String,
    /// The texts.
    pub texts: Vec<Text>,
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its text.
    pub text: String,
    /// The line it begins on, from 1.
    pub line: u64,
}

/// A text with its group, if its row names one.
type GroupedText = (Text, Option<String>);

impl Texts {
    /// Reads a file, by its extension: `.jsonl` or `.ndjson`, `.csv`, anything else as plain text. Groups
    /// come in order of their names.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Csv`] with the line of a row that is malformed, not UTF-8, lacks its text or
    /// its group, or whose text is empty or a single word, which has no context to be read in;
    /// [`Error::Corpus`] for a file without texts.
    pub fn read(path: &Path, columns: &Columns) -> Result<Vec<Self>> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let content = std::str::from_utf8(bytes).map_err(|fault| {
            let line = 1 + bytes[..fault.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u64;
            Error::Csv { path: path.into(), line, reason: "is not UTF-8; save the file as UTF-8".into() }
        })?;
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let rows = match extension.as_deref() {
            Some("jsonl" | "ndjson") => json_lines(path, content, columns)?,
            Some("csv") => csv_rows(path, content, columns)?,
            _ => paragraphs(content),
        };
        for (text, _) in &rows {
            check(path, text)?;
        }
        let stem = disk::file_stem(path);
        let mut groups: BTreeMap<Option<String>, Vec<Text>> = BTreeMap::new();
        let parted = rows.first().is_some_and(|(_, group)| group.is_some());
        for (text, group) in rows {
            if group.is_some() != parted || group.as_deref() == Some("") {
                let reason = format!("has no `{}`, which other rows have; fill it in", columns.group);
                return Err(Error::Csv { path: path.into(), line: text.line, reason });
            }
            groups.entry(group).or_default().push(text);
        }
        if groups.is_empty() {
            let reason = "holds no text; give JSON lines or CSV with a field `text`, or plain text".into();
            return Err(Error::Corpus { name: path.display().to_string(), reason });
        }
        let named = |(group, texts): (Option<String>, Vec<Text>)| {
            let mut hash = Sha256::new();
            for text in &texts {
                hash.update(&text.text);
                hash.update("\n");
            }
            // Names become parts of file names.
            let name = group.map_or_else(|| stem.clone(), |group| format!("{stem}.{group}"));
            let name = name.replace(|c: char| c == '/' || c == '\\' || c.is_control(), "--");
            Self { name, path: path.into(), sha256: seed::hex(&hash.finalize()), texts }
        };
        Ok(groups.into_iter().map(named).collect())
    }
}

/// A text of one word has no context; an empty one is nothing at all.
fn check(path: &Path, text: &Text) -> Result<()> {
    // Some scripts put no space between words.
    let unspaced = |c: char| matches!(c, '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{2e80}'..);
    let reason = match text.text.split_whitespace().count() {
        0 => "the text is empty; remove the row",
        1 if !text.text.contains(unspaced) => {
            "the text is one word, which has no context to be read in; remove it, or join it to the text it \
             belongs to"
        }
        _ => return Ok(()),
    };
    Err(Error::Csv { path: path.into(), line: text.line, reason: reason.into() })
}

fn json_lines(path: &Path, content: &str, columns: &Columns) -> Result<Vec<GroupedText>> {
    let mut rows = vec![];
    for (line, row) in (1..).zip(content.lines()).filter(|(_, row)| !row.trim().is_empty()) {
        let fault = |reason: String| Error::Csv { path: path.into(), line, reason };
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(row)
            .map_err(|source| fault(format!("is not a JSON object ({source}); give one object a line")))?;
        let field = |name: &str| match object.get(name) {
            Some(serde_json::Value::String(text)) => Ok(Some(text.clone())),
            None | Some(serde_json::Value::Null) => Ok(None),
            Some(_) => Err(fault(format!("has a `{name}` that is no string; give a string"))),
        };
        // An answer that never came is recorded by `null`: there is no text, which is not the same as one
        // that says nothing.
        if object.get(&columns.text).is_some_and(serde_json::Value::is_null) {
            continue;
        }
        let missing = || {
            let known: Vec<_> = object.keys().map(String::as_str).collect();
            let (text, known) = (&columns.text, known.join(", "));
            fault(format!(
                "has no field `{text}`, but {known}; name the one that holds the text with --text-column"
            ))
        };
        let text = field(&columns.text)?.ok_or_else(missing)?;
        rows.push((Text { text, line }, field(&columns.group)?));
    }
    Ok(rows)
}

fn csv_rows(path: &Path, content: &str, columns: &Columns) -> Result<Vec<GroupedText>> {
    let mut reader = csv::Reader::from_reader(content.as_bytes());
    let malformed = |error: csv::Error| {
        let line = Lines::at(content.as_bytes(), error.position());
        let reason = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
                "has {len} fields where the header has {expected_len}; put a text that holds a comma in \
                 quotes, leave none out"
            ),
            _ => format!("{error}; correct the file"),
        };
        Error::Csv { path: path.into(), line, reason }
    };
    let header = reader.headers().map_err(malformed)?.clone();
    let at = |name: &str| header.iter().position(|column| column.trim() == name);
    let Some(text) = at(&columns.text) else {
        let known: Vec<_> = header.iter().collect();
        let reason = format!(
            "has no column `{}`, but {}; name the one that holds the text with --text-column",
            columns.text,
            known.join(", ")
        );
        return Err(Error::Csv { path: path.into(), line: 1, reason });
    };
    let group = at(&columns.group);
    let mut lines = Lines::new(content.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row.map_err(malformed)?;
        let line = lines.of(row.position());
        let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
        Ok((Text { text: cell(text), line }, group.map(cell)))
    });
    rows.collect()
}

fn paragraphs(content: &str) -> Vec<GroupedText> {
    let mut texts: Vec<GroupedText> = vec![];
    let mut open = false;
    for (line, row) in (1..).zip(content.lines()) {
        let blank = row.trim().is_empty();
        match texts.last_mut().filter(|_| open) {
            Some((text, _)) if !blank => {
                text.text.push('\n');
                text.text.push_str(row);
            }
            None if !blank => texts.push((Text { text: row.into(), line }, None)),
            _ => {}
        }
        open = !blank;
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, bytes: &[u8]) -> Result<Vec<Texts>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Texts::read(&path, &Columns::default())
    }

    #[test]
    fn the_three_forms_hold_the_same_texts() {
        let wanted = ["One two,\nthree.", "Four \"five\"."];
        let plain = read("a.txt", b"\n\nOne two,\nthree.\n \nFour \"five\".").unwrap();
        let csv = read("a.csv", b"id,text\n1,\"One two,\nthree.\"\n2,\"Four \"\"five\"\".\"\n").unwrap();
        let lines = br#"{"text": "One two,\nthree."}

{"text": "Four \"five\".", "more": 1}"#;
        let json = read("a.jsonl", lines).unwrap();
        for (form, lines) in [(&plain, [3, 6]), (&csv, [2, 4]), (&json, [1, 3])] {
            assert_eq!(form.len(), 1);
            let texts: Vec<_> = form[0].texts.iter().map(|text| text.text.as_str()).collect();
            assert_eq!(texts, wanted);
            assert_eq!(form[0].texts.iter().map(|text| text.line).collect::<Vec<_>>(), lines);
            assert_eq!((&form[0].sha256, form[0].name.as_str()), (&plain[0].sha256, "a"));
        }
    }

    #[test]
    fn groups_become_corpora_in_order_of_their_names() {
        let texts = read("s.csv", b"group,text\nmodel/b,x y\nhuman,z w\nmodel/b,u v\n").unwrap();
        let names: Vec<_> = texts.iter().map(|group| (group.name.as_str(), group.texts.len())).collect();
        assert_eq!(names, [("s.human", 1), ("s.model--b", 2)]);
    }

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let says = |name: &str, bytes: &[u8]| read(name, bytes).unwrap_err().to_string();
        assert!(says("a.csv", b"text\nx y\n\"\"\n").contains("a.csv, line 3: the text is empty"));
        assert!(says("a.csv", b"text,n\nx y,1\nword,2\n").contains("line 3: the text is one word"));
        assert!(says("a.csv", b"body\nx y\n").contains("line 1: has no column `text`, but body"));
        assert!(says("a.csv", b"text\nx y\nx, y\n").contains("line 3: has 2 fields where the header has 1"));
        assert!(says("a.csv", b"text,group\nx y,a\nz w,\n").contains("line 3: has no `group`"));
        assert!(
            says("a.jsonl", b"{\"text\": \"x y\"}\n{\"text\": 3}")
                .contains("line 2: has a `text` that is no string")
        );
        assert!(
            says("a.jsonl", b"{\"text\": \"x y\"}\n\n{\"body\": \"x\"}")
                .contains("line 3: has no field `text`, but body")
        );
        assert!(says("a.jsonl", b"x y").contains("line 1: is not a JSON object"));
        assert!(says("a.txt", b"x y\n\nPrologue\n\nz w").contains("line 3: the text is one word"));
        assert!(says("a.txt", b"x y\nz\xff").contains("line 2: is not UTF-8"));
        assert!(says("a.txt", b" \n\n").contains("holds no text"));
        assert!(says("a.csv", b"text\n").contains("holds no text"));
        // A script without spaces has no single words to be found by them.
        assert!(read("a.txt", "春眠不覺曉".as_bytes()).is_ok());
    }
}
