//! Defines whether texts begin with a beginning-of-sequence token.

use serde::{Deserialize, Serialize};

/// Which tokens begin every text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bos {
    /// The tokens that the tokenizer prepends by default.
    #[default]
    Auto,
    /// The beginning-of-sequence token, even if the tokenizer does not prepend one by default.
    On,
    /// No token.
    Off,
}

impl Bos {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Auto, Self::On, Self::Off];

    /// The name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }

    /// A one-line description.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Auto => "the tokens that the tokenizer prepends by default",
            Self::On => {
                "the beginning-of-sequence token, even if the tokenizer does not prepend one by default"
            }
            Self::Off => "no token",
        }
    }
}
