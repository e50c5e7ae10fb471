//! Loads and generates tasks: questions with known answers at several numbers of shots, prompts for free
//! texts, and the factorial designs of semantic emergence. A task is a built-in name or a file; its [`Item`]s
//! are sent to the model.

mod choices;
pub mod completion;
mod file;
mod items;
mod registry;
mod row_item;
mod rows;
mod semantic;
mod task;
mod texts;

pub use self::completion::{Completion, List};
pub use self::items::Items;
pub use self::registry::{COMPLETION, built_in, load};
pub use self::semantic::{LogprobSource, SemanticTask};
pub use self::task::{Rendering, Task, TaskKind, TaskOptions};
pub use self::texts::TEXTS;
pub use super::item::Item;
