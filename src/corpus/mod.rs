//! Builds the input of local models. A corpus is a set of windows whose tokens are labelled with their roles.
//! Windows are series, which are in-context lists of entities of one category, or parts of natural texts. The
//! prompts of semantic emergence are a [`factorial`] design of entities and their answers.

pub mod category;
pub mod control;
pub mod factorial;
pub mod series;
mod shuffle;
pub mod text_windows;
pub mod texts;
mod windows;

pub use self::category::{Category, Relation};
pub use self::control::CorpusControl;
pub use self::factorial::{DesignPrompts, DesignSettings, FactorialDesign, PromptForm};
pub use self::series::Series;
pub use self::text_windows::WindowSettings;
pub use self::texts::Texts;
pub use self::windows::{Corpus, Role, TokenLabel, Window};
