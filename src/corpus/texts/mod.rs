//! Reads files of texts: a JSON array, JSON lines, CSV or TSV with one text per row, or plain text in which
//! blank lines separate texts. Files may be compressed with gzip. Texts may belong to groups (human, model A,
//! model B); each group becomes a separate corpus.

mod content;
mod format;
mod json;
mod plain;
mod table;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use self::format::TextFormat;
pub use self::text::{Columns, Text};
use crate::disk;
use crate::error::{Error, Result};
use crate::seed;

/// The texts of one group, independent of any tokenizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The stem of the file name, followed by a dot and the group if there are groups.
    pub name: String,
    /// The path of the file.
    pub path: PathBuf,
    /// SHA-256 of the texts in order, each followed by a line feed.
    pub sha256: String,
    /// The texts.
    pub texts: Vec<Text>,
}

impl Texts {
    /// Reads a file and detects its format from its content. Groups are sorted by name.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Csv`] with the line of a row that is malformed, is not UTF-8, lacks its text
    /// or group, or whose text is empty or a single word; [`Error::Corpus`] for a file without texts or in an
    /// unsupported format.
    pub fn read(path: &Path, columns: &Columns) -> Result<Vec<Self>> {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let content = content::text(path, bytes)?;
        let rows = match TextFormat::of(path, &content, columns)? {
            TextFormat::JsonArray => json::array(path, &content, columns)?,
            TextFormat::JsonLines => json::lines(path, &content, columns)?,
            TextFormat::Table(separator) => table::rows(path, &content, columns, separator)?,
            TextFormat::Plain => plain::paragraphs(&content),
        };
        for (text, _) in &rows {
            check(path, text)?;
        }
        let stem = disk::file_stem(path);
        let is_gzip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let stem = if is_gzip { disk::file_stem(stem.as_ref()) } else { stem };
        let mut groups: BTreeMap<Option<String>, Vec<Text>> = BTreeMap::new();
        let parted = rows.first().is_some_and(|(_, group)| group.is_some());
        for (text, group) in rows {
            if group.is_some() != parted || group.as_deref() == Some("") {
                let reason = format!("has no `{}`, but other rows do; add the missing value", columns.group);
                return Err(Error::Csv { path: path.into(), line: text.line, reason });
            }
            groups.entry(group).or_default().push(text);
        }
        if groups.is_empty() {
            let reason = "contains no texts; give JSON, CSV or TSV with a field `text`, or plain text".into();
            return Err(Error::Corpus { name: path.display().to_string(), reason });
        }
        let named = |(group, texts): (Option<String>, Vec<Text>)| {
            let mut hash = Sha256::new();
            for text in &texts {
                hash.update(&text.text);
                hash.update("\n");
            }
            // The name becomes part of file names, so replace path separators.
            let name = group.map_or_else(|| stem.clone(), |group| format!("{stem}.{group}"));
            let name = name.replace(|c: char| c == '/' || c == '\\' || c.is_control(), "--");
            Self { name, path: path.into(), sha256: seed::hex(&hash.finalize()), texts }
        };
        Ok(groups.into_iter().map(named).collect())
    }
}

/// Returns an error for an empty text, and for a text of one word, which has no context.
fn check(path: &Path, text: &Text) -> Result<()> {
    // In scripts without spaces between words, one "word" can be a whole text.
    let unspaced = |c: char| matches!(c, '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{2e80}'..);
    let reason = match text.text.split_whitespace().count() {
        0 => "the text is empty; remove the row",
        1 if !text.text.contains(unspaced) => {
            "the text is one word, which has no context; remove the row, or join the word to the text it \
             belongs to"
        }
        _ => return Ok(()),
    };
    Err(Error::Csv { path: path.into(), line: text.line, reason: reason.into() })
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

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_content_decides_the_form_and_not_the_extension() {
        let wanted = [("a.human", "One two, three."), ("a.model", "Four five.")];
        let forms: [&[u8]; 7] = [
            br#"[{"text": "One two, three.", "group": "human"},
                {"group": "model", "text": "Four five."}]"#,
            b"{\"text\": \"One two, three.\", \"group\": \"human\"}\n\
              {\"text\": \"Four five.\", \"group\": \"model\"}",
            b"text\tgroup\nOne two, three.\thuman\nFour five.\tmodel\n",
            b"group,text\nhuman,\"One two, three.\"\nmodel,Four five.\n",
            b"group;text\nhuman;One two, three.\nmodel;Four five.\n",
            b"\xef\xbb\xbftext\tgroup\r\nOne two, three.\thuman\r\nFour five.\tmodel\r\n",
            b"\n[{\"text\": \"One two, three.\", \"group\": \"human\"}, null, {\"text\": null},\n\
              {\"group\": \"model\", \
              \"text\": \"Four five.\"}]\n",
        ];
        for bytes in forms {
            for name in ["a.txt", "a", "a.csv", "a.tsv", "a.json", "a.jsonl"] {
                // The extensions .jsonl and .json determine the format, so content in another format is an
                // error.
                let (is_json, is_array) =
                    (b"[{".contains(&bytes.trim_ascii()[0]), bytes.trim_ascii()[0] == b'[');
                if (name == "a.jsonl" && (!is_json || is_array)) || (name == "a.json" && !is_json) {
                    assert!(read(name, bytes).is_err(), "{name}");
                    continue;
                }
                let zipped = format!("{name}.gz");
                for (name, bytes) in [(name, bytes.to_vec()), (zipped.as_str(), gzip(bytes))] {
                    let found = read(name, &bytes).unwrap();
                    let found: Vec<_> =
                        found.iter().map(|of| (of.name.as_str(), of.texts[0].text.as_str())).collect();
                    assert_eq!(found, wanted, "{name}: {}", String::from_utf8_lossy(&bytes));
                }
            }
        }
        let strings = read("a.json", b"[\"One two.\",\n\n\"Three four.\"]").unwrap();
        let lines: Vec<_> = strings[0].texts.iter().map(|text| (text.text.as_str(), text.line)).collect();
        assert_eq!(lines, [("One two.", 1), ("Three four.", 3)]);
        let strings = read("a.jsonl", b"\"One two.\"\n\"Three four.\"\n").unwrap();
        assert_eq!(strings[0].texts.len(), 2);
    }

    #[test]
    fn prose_with_brackets_commas_and_tabs_is_prose() {
        for text in [
            "[Chapter 1] It was late.",
            "{stage left} Enter the king.",
            "\tIt was late.\n\n\tThe king slept.",
            "Send a text, please.\n\nThen wait.",
            "\"Stop!\" he said, and ran.",
            "a < b and b > c",
            "<he was late> they said",
            "name\tof the king\n\nThe king slept.",
        ] {
            let found = read("a.txt", text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(found[0].texts[0].text, text.split("\n\n").next().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        let says = |name: &str, bytes: &[u8]| read(name, bytes).unwrap_err().to_string();
        assert!(says("a.json", b"[\"x y\", 3]").contains("line 1: is not a JSON object or string"));
        assert!(
            says("a.json", b"[\n{\"text\": \"x y\"},\n{\"body\": \"x y\"}]").contains("line 3: has no field")
        );
        assert!(says("a.txt", b"[\"x y\",\n \"z w\"").contains("line 2: looks like JSON but does not parse"));
        assert!(says("a.txt", b"{\n\"data\": [\"x y\"]}").contains("is one JSON object"));
        assert!(says("a.txt", b"{\n\"text\": \"x y\"}\n{\n\"text\": \"x y\"}").contains("looks like JSON"));
        assert!(says("a.json", b"x y").contains("looks like JSON but does not parse"));
        assert!(says("a.json", b"\"x y\"").contains("not an array"));
        assert!(says("a.txt", b"id\tbody\n1\tx y\n2\tz w\n").contains("a table of 2 columns"));
        assert!(
            says("a.tsv", b"id\tbody\n1\tx y\n").contains("has no column `text`; its columns are id, body")
        );
        assert!(says("a.html", b" <!DOCTYPE html><p>x y").contains("is HTML or XML"));
        assert!(says("a.txt", b"PK\x03\x04...").contains("a zip archive"));
        assert!(says("a.txt", b"PAR1...").contains("Parquet"));
        assert!(says("a.txt", b"\xff\xfex\0").contains("UTF-16"));
        assert!(says("a.txt", b"x y\0z").contains("NUL bytes"));
        let mut cut = gzip(b"x y z");
        cut.truncate(cut.len() - 6);
        assert!(says("a.txt.gz", &cut).contains("a damaged gzip file"));
        assert!(says("a.txt.gz", &gzip(b"x y\nz\xff")).contains("line 2: is not UTF-8"));
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
        assert!(says("a.csv", b"body\nx y\n").contains("line 1: has no column `text`; its columns are body"));
        assert!(says("a.csv", b"text\nx y\nx, y\n").contains("line 3: has 2 fields where the header has 1"));
        assert!(says("a.csv", b"text,group\nx y,a\nz w,\n").contains("line 3: has no `group`"));
        assert!(
            says("a.jsonl", b"{\"text\": \"x y\"}\n{\"text\": 3}")
                .contains("line 2: has a `text` that is not a string")
        );
        assert!(
            says("a.jsonl", b"{\"text\": \"x y\"}\n\n{\"body\": \"x\"}")
                .contains("line 3: has no field `text`; its fields are body")
        );
        assert!(says("a.jsonl", b"x y").contains("line 1: is not a JSON object"));
        assert!(says("a.txt", b"x y\n\nPrologue\n\nz w").contains("line 3: the text is one word"));
        assert!(says("a.txt", b"x y\nz\xff").contains("line 2: is not UTF-8"));
        assert!(says("a.txt", b" \n\n").contains("contains no texts"));
        assert!(says("a.csv", b"text\n").contains("contains no texts"));
        // In a script without spaces, a text without spaces is not a single word.
        assert!(read("a.txt", "春眠不覺曉".as_bytes()).is_ok());
    }
}
