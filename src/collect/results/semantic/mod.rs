//! Estimates semantic emergence from the answers of an API: how much the answers reveal about the relation.
//! Writes `semantic.csv`.
//!
//! | file | contents |
//! |---|---|
//! | `prompt_answer.rs` | the answer of the server to one prompt |
//! | `category_answers.rs` | the answers to a design, and which queries can distinguish two relations |
//! | `row.rs` | the estimates at one number of shots: one row of the file |
//! | `file.rs` | the answers of a run, and the file |

mod category_answers;
mod file;
mod prompt_answer;
mod row;

pub(crate) use self::file::FILE;
pub(super) use self::file::SemanticAnswers;
pub use self::row::SemanticScore;
