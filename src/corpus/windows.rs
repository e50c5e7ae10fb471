//! Defines a corpus as the input of a model: windows of labelled tokens.

use serde::{Deserialize, Serialize};

use super::control::CorpusControl;
use crate::model::Bos;

/// The role of a token in its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A token that the tokenizer adds before every text.
    Prefix,
    /// A token of an entity in a series.
    Entity,
    /// A token of the separator after an entity.
    Separator,
    /// A token of a natural text.
    Text,
}

/// The label of one token of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenLabel {
    /// The role of the token.
    pub role: Role,
    /// In a series, the number (from 1) of the entity that the token belongs to or follows. In a text, the
    /// number (from 1) of the token. For the prefix, 0.
    pub reading_index: usize,
    /// Whether the token is a reading point: the last token of an entity or separator, or any token of a
    /// text.
    pub is_reading_point: bool,
}

/// One sequence of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Token ids.
    pub ids: Vec<u32>,
    /// One label per token.
    pub labels: Vec<TokenLabel>,
    /// Number of bytes of text in the window, without the prefix.
    pub n_bytes: usize,
}

/// A corpus, tokenised for one model.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// The name of the corpus.
    pub name: String,
    /// SHA-256 of the series, or of the texts that the windows were cut from, in order, each followed by a
    /// line feed. It is the same for every tokenizer.
    pub sha256: String,
    /// The windows.
    pub windows: Vec<Window>,
    /// The special tokens that begin every window.
    pub prefix: Vec<u32>,
    /// The requested handling of the beginning-of-sequence token.
    pub bos: Bos,
    /// The control to measure in addition; `None` for series.
    pub control: Option<CorpusControl>,
}

impl Corpus {
    /// The distinct reading points as pairs of role and number, from left to right.
    pub fn reading_points(&self) -> Vec<(Role, usize)> {
        let mut points: Vec<_> = self
            .windows
            .iter()
            .flat_map(|w| &w.labels)
            .filter(|label| label.is_reading_point)
            .map(|label| (label.reading_index, label.role))
            .collect();
        points.sort_unstable();
        points.dedup();
        points.into_iter().map(|(reading_index, role)| (role, reading_index)).collect()
    }

    /// The positions `(window, token)` of a reading point, in all windows that have it.
    pub fn at(&self, role: Role, reading_index: usize) -> Vec<(usize, usize)> {
        let wanted = TokenLabel { role, reading_index, is_reading_point: true };
        let find = |window: &Window| window.labels.iter().position(|label| *label == wanted);
        self.windows.iter().enumerate().filter_map(|(w, window)| Some((w, find(window)?))).collect()
    }

    /// Number of distinct windows.
    pub fn n_distinct(&self) -> usize {
        self.windows.iter().map(|window| &window.ids).collect::<std::collections::HashSet<_>>().len()
    }
}
