//! Defines categories: entities of one kind with facts about them. Each category is a CSV file. The first
//! column is `entity`. Every other column is a relation, which gives an answer for each entity ("capital",
//! "class", "next" ...).

use std::path::Path;

use crate::disk::{self, Lines};
use crate::error::{Error, Result};
use crate::names;
use crate::seed;

/// The categories embedded in the binary: the name and the CSV file from `data/`.
pub static EMBEDDED: &[(&str, &[u8])] = &[
    ("countries", include_bytes!("../../data/countries.csv")),
    ("animals", include_bytes!("../../data/animals.csv")),
    ("colours", include_bytes!("../../data/colours.csv")),
    ("numbers", include_bytes!("../../data/numbers.csv")),
    ("cities", include_bytes!("../../data/cities.csv")),
    ("nations", include_bytes!("../../data/nations.csv")),
    ("states", include_bytes!("../../data/states.csv")),
    ("elements", include_bytes!("../../data/elements.csv")),
    ("numerals", include_bytes!("../../data/numerals.csv")),
    ("nouns", include_bytes!("../../data/nouns.csv")),
    ("verbs", include_bytes!("../../data/verbs.csv")),
    ("adjectives", include_bytes!("../../data/adjectives.csv")),
    ("people", include_bytes!("../../data/people.csv")),
    ("works", include_bytes!("../../data/works.csv")),
    ("companies", include_bytes!("../../data/companies.csv")),
    ("creatures", include_bytes!("../../data/creatures.csv")),
    ("moons", include_bytes!("../../data/moons.csv")),
    ("guilds", include_bytes!("../../data/guilds.csv")),
    ("potions", include_bytes!("../../data/potions.csv")),
];

/// The default categories. The tokenizers of the embedded models can spell all of their words.
pub static DEFAULT: [&str; 5] = ["countries", "animals", "colours", "numbers", "cities"];

/// The embedded categories of invented things. Only a model that was trained on this data can have learned
/// the facts.
pub static INVENTED: [&str; 3] = ["moons", "guilds", "potions"];

/// Entities of one kind, with facts about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// The name of an embedded category, or the stem of the file name.
    pub name: String,
    /// SHA-256 of the CSV file.
    pub sha256: String,
    /// The distinct entities.
    pub entities: Vec<String>,
    /// The facts about the entities.
    pub relations: Vec<Relation>,
}

/// One fact about every entity of a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The name of the column.
    pub name: String,
    /// The answer for each entity, in the order of the entities.
    pub answers: Vec<String>,
}

impl Category {
    /// Loads an embedded category by name, or a CSV file by path.
    ///
    /// # Errors
    /// [`Error::Unknown`] if `name` is neither an embedded category nor a file; [`Error::Csv`] for a
    /// malformed file; [`Error::Corpus`] for a file without entities.
    pub fn load(name: &str) -> Result<Self> {
        if let Some((name, bytes)) = EMBEDDED.iter().find(|(known, _)| *known == name) {
            return Self::parse(name, Path::new(name), bytes);
        }
        let path = Path::new(name);
        if !path.is_file() {
            if let Some((name, bytes)) = names::find(name, EMBEDDED, |(known, _)| known) {
                return Self::parse(name, Path::new(name), bytes);
            }
            let known: Vec<_> = EMBEDDED.iter().map(|(name, _)| *name).collect();
            let hint = format!(
                "it is neither a file nor an embedded category; choose one of {}, or give a CSV file with a \
                 column `entity`",
                known.join(", ")
            );
            return Err(names::unknown("corpus", name, known, &hint));
        }
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Self::parse(&disk::file_stem(path), path, &bytes)
    }

    fn parse(name: &str, path: &Path, bytes: &[u8]) -> Result<Self> {
        let fault = |line: u64, reason: String| Error::Csv { path: path.into(), line, reason };
        // Remove the byte order mark of spreadsheets, which would become part of the first column name.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.trim_ascii().is_empty() {
            let reason = "is empty; give a CSV file with a column `entity` and one row for each \
                          entity"
                .into();
            return Err(Error::Corpus { name: path.display().to_string(), reason });
        }
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let malformed = |error: csv::Error| malformed(path, bytes, &error);
        let mut lines = Lines::new(bytes);
        let header = reader.headers().map_err(malformed)?.clone();
        if header.get(0) != Some("entity") {
            return Err(fault(1, "the first column must be named `entity`".into()));
        }
        let names = header.iter().skip(1);
        let mut relations: Vec<_> =
            names.map(|name| Relation { name: name.into(), answers: vec![] }).collect();
        let mut entities: Vec<String> = vec![];
        let mut known = std::collections::HashSet::new();
        for row in reader.records() {
            let row = row.map_err(malformed)?;
            let line = lines.of(row.position());
            let entity = row.get(0).unwrap_or_default().to_owned();
            if entity.is_empty() || entity.contains(',') || entity.contains(char::is_control) {
                let reason = "is empty or contains a comma, which separates entities, or a control character";
                return Err(fault(
                    line,
                    format!(
                        "entity {entity:?} {reason}; rename the entity or remove the \
                                                row"
                    ),
                ));
            }
            if !known.insert(entity.clone()) {
                return Err(fault(line, format!("entity {entity:?} occurs twice; remove one of the rows")));
            }
            entities.push(entity);
            for (relation, answer) in relations.iter_mut().zip(row.iter().skip(1)) {
                relation.answers.push(answer.into());
            }
        }
        if entities.is_empty() {
            let reason = "is empty: it has no row after its header; add entities, one on each row".into();
            return Err(Error::Corpus { name: path.display().to_string(), reason });
        }
        Ok(Self { name: name.into(), sha256: seed::sha256_hex(bytes), entities, relations })
    }
}

/// Converts a CSV error and finds its line.
fn malformed(path: &Path, bytes: &[u8], error: &csv::Error) -> Error {
    Error::Csv { path: path.into(), line: Lines::at(bytes, error.position()), reason: csv_reason(error) }
}

/// Describes why a row of a CSV file cannot be read, and what to do.
pub(crate) fn csv_reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!(
                "has {len} fields where the header has {expected_len}; put fields that contain a comma in \
                 quotes, and add missing fields"
            )
        }
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8; save the file as UTF-8".into(),
        _ => format!("{error}; correct the file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_category_parses_and_has_sixty_entities_with_answers() {
        for (name, _) in EMBEDDED {
            let category = Category::load(name).unwrap();
            assert!(category.entities.len() >= 60, "{name}");
            assert!(!category.relations.is_empty(), "{name}");
            for relation in &category.relations {
                assert_eq!(relation.answers.len(), category.entities.len());
                assert!(
                    relation.answers.iter().all(|answer| !answer.is_empty()),
                    "{name}, {}",
                    relation.name
                );
            }
        }
    }

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let parse =
            |text: &str| Category::parse("c", Path::new("c.csv"), text.as_bytes()).unwrap_err().to_string();
        assert!(parse("entity,x\na,1\nb,1,2\n").contains("line 3"));
        assert!(parse("entity,x\na,1\na,1\n").contains("line 3"));
        assert!(parse("name\na\n").contains("line 1"));
        assert!(parse("entity,x\n").contains("empty"));
        assert!(parse("entity,x\r\na,1\r\n\r\na,1\r\n").contains("line 4"));
        assert!(parse("entity,x\r\na,1\r\nb,1,2\r\n").contains("line 3"));
    }
}
