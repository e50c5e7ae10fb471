//! Defines controls for text corpora. Texts with higher entropy have higher mutual information regardless of
//! their content, because they lead to more distinct states. A control keeps the tokens and destroys the
//! property that is measured.

use serde::{Deserialize, Serialize};

/// A control: a modified corpus for comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorpusControl {
    /// Each window keeps its tokens, in random order.
    Shuffled,
}

impl CorpusControl {
    /// Every control.
    pub const ALL: [Self; 1] = [Self::Shuffled];

    /// The name of the control in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shuffled => "shuffled",
        }
    }
}
