//! Formats sentences with citations, as plain text or LaTeX.

use std::collections::BTreeSet;

use crate::citations::with_keys;

/// The output format of a paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Plain text. Citations show authors and year.
    Text,
    /// LaTeX. Citations use `\citep` with the keys of `surmise cite`.
    Latex,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Words(String),
    Citation(Vec<&'static str>),
}

/// A paragraph under construction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prose {
    pieces: Vec<Piece>,
}

impl Prose {
    /// Adds text.
    pub(super) fn say(&mut self, words: impl Into<String>) -> &mut Self {
        self.pieces.push(Piece::Words(words.into()));
        self
    }

    /// Adds a citation after the last word. Adds nothing if `keys` is empty.
    pub(super) fn cite(&mut self, keys: &[&'static str]) -> &mut Self {
        if !keys.is_empty() {
            self.pieces.push(Piece::Citation(keys.to_vec()));
        }
        self
    }

    /// Whether the paragraph is empty.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The keys of all cited references.
    pub fn keys(&self) -> BTreeSet<&'static str> {
        let cited = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Citation(keys) => Some(keys.iter().copied()),
            Piece::Words(_) => None,
        });
        cited.flatten().collect()
    }

    /// The paragraph in the given format.
    pub fn written(&self, form: Form) -> String {
        let piece = |piece: &Piece| match (piece, form) {
            (Piece::Words(words), Form::Text) => words.clone(),
            (Piece::Words(words), Form::Latex) => latex(words),
            (Piece::Citation(keys), Form::Text) => {
                let short: Vec<String> =
                    with_keys(keys.iter().copied()).iter().map(|citation| citation.short()).collect();
                format!(" ({})", short.join("; "))
            }
            (Piece::Citation(keys), Form::Latex) => format!("~\\citep{{{}}}", keys.join(",")),
        };
        self.pieces.iter().map(piece).collect()
    }
}

/// Escapes the special characters of LaTeX.
fn latex(words: &str) -> String {
    let mut text = String::new();
    for c in words.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => text.extend(['\\', c]),
            '~' => text.push_str("\\textasciitilde{}"),
            '^' => text.push_str("\\textasciicircum{}"),
            '\\' => text.push_str("\\textbackslash{}"),
            other => text.push(other),
        }
    }
    text.replace(" \\%", "\\,\\%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_cite_the_same_references() {
        let mut prose = Prose::default();
        prose
            .say("The share semantic_share_mean of 90 % {a} \\ ~")
            .cite(&["miller1955note"])
            .cite(&[])
            .say(".");
        assert_eq!(
            prose.written(Form::Text),
            "The share semantic_share_mean of 90 % {a} \\ ~ (Miller 1955)."
        );
        assert_eq!(
            prose.written(Form::Latex),
            "The share semantic\\_share\\_mean of 90\\,\\% \\{a\\} \\textbackslash{} \
             \\textasciitilde{}~\\citep{miller1955note}."
        );
        assert_eq!(prose.keys().into_iter().collect::<Vec<_>>(), ["miller1955note"]);
    }
}
