//! A corpus as a model reads it: windows in which every token knows its role.

use serde::{Deserialize, Serialize};

use super::control::CorpusControl;
use crate::model::Bos;

/// The role of a token in its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A token the tokenizer puts before every text.
    Prefix,
    /// Part of an entity of a series.
    Entity,
    /// Text that follows an entity.
    Separator,
    /// A token of a natural text.
    Text,
}

/// The label of one token of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenLabel {
    /// Its role.
    pub role: Role,
    /// Number of the entity it belongs to or follows, of a text that of the token in its window, from 1; 0
    /// for the prefix.
    pub reading_index: usize,
    /// Whether it is a reading point: the last token of its entity or separator.
    pub is_reading_point: bool,
}

/// One sequence of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Rows of the embedding.
    pub ids: Vec<u32>,
    /// One label per token.
    pub labels: Vec<TokenLabel>,
    /// Bytes of text that its tokens spell, the prefix left out.
    pub n_bytes: usize,
}

/// A corpus, tokenised for one model.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// Its name.
    pub name: String,
    /// SHA-256 of the texts of its windows, or of the texts its windows are cut from, in order, each ended
    /// by a line feed: the same for every tokenizer.
    pub sha256: String,
    /// The windows.
    pub windows: Vec<Window>,
    /// The special tokens that begin every window.
    pub prefix: Vec<u32>,
    /// The beginning-of-sequence token that was asked for.
    pub bos: Bos,
    /// The control that is measured beside it; none for series.
    pub control: Option<CorpusControl>,
}

impl Corpus {
    /// The reading points, from left to right.
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

    /// The reading point of each window that has one: `(window, token)`.
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
