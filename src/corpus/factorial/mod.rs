//! The factorial design of semantic emergence: relations x example sets x queries, at several numbers of
//! shots.
//!
//! The prompt `(r, s, x)` shows the `k` entities of example set `s` with their answers in relation `r`, and
//! then asks about query `x`: "e1 -> a1, ..., ek -> ak, x ->". Every relation is shown with the same example
//! entities, and the same queries are asked everywhere, so that only the relation tells two prompts of a set
//! and a query apart.
//!
//! | file | contents |
//! |---|---|
//! | `settings.rs` | sizes, shots, seed |
//! | `prompt_form.rs` | how examples and query are written |
//! | `design.rs` | the entities that are drawn, and what is refused |
//! | `variants.rs` | designs that serve as controls: permuted answers, foreign queries |
//! | `texts.rs` | the prompts as texts |
//! | `prompt_reader.rs` | how one model reads a text or a message of a chat |
//! | `prompts.rs` | the prompts as token ids of one model |

mod design;
mod prompt_form;
mod prompt_reader;
mod prompts;
mod settings;
mod texts;
mod variants;

pub use self::design::{FactorialDesign, Query};
pub use self::prompt_form::{CONTINUE, PromptForm};
pub use self::prompts::DesignPrompts;
pub use self::settings::DesignSettings;
pub use self::texts::PromptText;
