//! Formats a reference as BibTeX and as a short citation.

/// One publication or program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// The BibTeX key.
    pub key: String,
    /// The BibTeX entry, without a final newline.
    pub bibtex: String,
}

impl Citation {
    /// Parses a BibTeX entry with one field per line.
    pub(super) fn new(bibtex: &str) -> Self {
        let key = bibtex.split_once('{').and_then(|(_, rest)| rest.split_once(','));
        Self { key: key.map_or_else(String::new, |(key, _)| key.into()), bibtex: bibtex.into() }
    }

    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.bibtex.lines().find_map(|line| {
            let value = line.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim();
            value.strip_prefix('{')?.strip_suffix("},")
        })
    }

    /// The short citation: authors and year.
    pub fn short(&self) -> String {
        let authors = self.field("author").unwrap_or_default();
        let last = |author: &str| -> String {
            let name = author.split(',').next().unwrap_or_default();
            name.chars().filter(|c| !matches!(c, '{' | '}')).collect()
        };
        let names: Vec<String> = authors.split(" and ").map(last).collect();
        let who = match names.as_slice() {
            [one] => one.clone(),
            [one, other] => format!("{one} and {other}"),
            [first, ..] => format!("{first} et al."),
            [] => String::new(),
        };
        format!("{who} {}", self.field("year").unwrap_or_default())
    }
}
