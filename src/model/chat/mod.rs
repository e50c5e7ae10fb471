//! Renders messages as one prompt, by the chat template of a model.
//!
//! A chat template is a program that others wrote. One instruction of it can take all memory or run for
//! hours, and no limit within the process can stop it there. The command-line tool therefore renders in
//! [`workers`]: processes that it can end. The library renders in the process by default.
//!
//! | file | what it does |
//! |---|---|
//! | `files.rs` | reads the files that define the template |
//! | `template.rs` | the template of a model, in this process or in workers |
//! | `source.rs` | checks a source before parsing |
//! | `jinja.rs` | parses and renders with limits, on the current thread |
//! | `python_json.rs` | the filter `tojson` |
//! | `workers.rs` | starts, asks and ends the processes that render |
//! | `worker.rs` | what such a process does |

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
