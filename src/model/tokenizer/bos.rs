//! The beginning-of-sequence token: left to the tokenizer, asked for, or left out.

use serde::{Deserialize, Serialize};

/// The tokens that are put before every text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bos {
    /// Those that the tokenizer puts there by itself.
    #[default]
    Auto,
    /// The beginning-of-sequence token, where the tokenizer puts none by itself.
    On,
    /// Nothing.
    Off,
}

impl Bos {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Auto, Self::On, Self::Off];

    /// Its name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }

    /// Its effect, in a line.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Auto => "what the tokenizer puts there by itself",
            Self::On => "the beginning-of-sequence token, where the tokenizer puts none by itself",
            Self::Off => "nothing",
        }
    }
}
