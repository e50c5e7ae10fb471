//! Renders messages as one prompt, with the chat template of a model.
//!
//! A chat template is a program that others wrote. A single instruction of a template can take all memory or
//! run for hours, and no limit within the process can interrupt it. The command-line tool therefore renders
//! in separate processes that it can end ([`workers`]). Other programs that use the library render in their
//! own process.
//!
//! | file | what it does |
//! |---|---|
//! | `files.rs` | reads the files that define the template |
//! | `template.rs` | renders with the template of a model, in this process or in workers |
//! | `source.rs` | checks the source of a template before parsing |
//! | `jinja.rs` | parses and renders with limits, on the current thread |
//! | `python_json.rs` | defines the filter `tojson` |
//! | `workers.rs` | starts the processes that render, sends them messages, and ends them |
//! | `worker.rs` | runs in such a process: reads messages and writes prompts |

mod files;
mod jinja;
mod message;
mod python_json;
mod source;
mod template;
mod worker;
mod workers;

pub use self::files::ChatFiles;
pub use self::message::ChatMessage;
pub use self::template::ChatTemplate;
pub(crate) use self::template::TIME;
pub(crate) use self::worker::{ARGUMENT, work};
pub(crate) use self::workers::use_workers;
