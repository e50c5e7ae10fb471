//! Controls of corpora of texts. Texts of higher entropy have a higher mutual information because they leave
//! more states to tell apart, whatever they say; a control keeps the tokens and destroys what is to be shown.

use serde::{Deserialize, Serialize};

/// A control that is made of a corpus, for comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorpusControl {
    /// The same tokens in each window, in random order.
    Shuffled,
}

impl CorpusControl {
    /// Every control.
    pub const ALL: [Self; 1] = [Self::Shuffled];

    /// Its name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shuffled => "shuffled",
        }
    }
}
