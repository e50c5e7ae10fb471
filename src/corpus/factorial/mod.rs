//! Builds the factorial design of semantic emergence: relations x example sets x queries, at several numbers
//! of shots.
//!
//! The prompt `(r, s, x)` shows the `k` entities of example set `s` with their answers in relation `r`, and
//! then asks about query `x`: "e1 -> a1, ..., ek -> ak, x ->". All relations use the same example entities
//! and the same queries. So two prompts with the same set and query differ only in the relation.
//!
//! | file | contents |
//! |---|---|
//! | `settings.rs` | sizes, shots, seed |
//! | `prompt_form.rs` | the form of examples and queries |
//! | `design.rs` | drawing of entities, and checks |
//! | `variants.rs` | designs that serve as controls: permuted answers, foreign queries |
//! | `texts.rs` | the prompts as texts |
//! | `prompt_reader.rs` | tokenization of a text or a chat message for one model |
//! | `prompts.rs` | the prompts as token ids of one model |
//! | `unspelled.rs` | advice on words that a tokenizer cannot spell |

mod design;
mod prompt_form;
mod prompt_reader;
mod prompts;
mod settings;
mod texts;
mod unspelled;
mod variants;

pub use self::design::{FactorialDesign, Query};
pub use self::prompt_form::{CONTINUE, PromptForm};
pub use self::prompts::DesignPrompts;
pub use self::settings::DesignSettings;
pub use self::texts::PromptText;
