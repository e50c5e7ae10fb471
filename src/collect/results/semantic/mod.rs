//! Semantic emergence from outside: what the answers of an API tell of the relation, in `semantic.csv`.
//!
//! | file | contents |
//! |---|---|
//! | `prompt_answer.rs` | what the server said to one prompt |
//! | `category_answers.rs` | the answers to a design, and which queries tell two relations apart |
//! | `row.rs` | estimates at one number of shots: a row of the file |
//! | `file.rs` | the answers of a run, and the file |

mod category_answers;
mod file;
mod prompt_answer;
mod row;

pub(crate) use self::file::FILE;
pub(super) use self::file::SemanticAnswers;
pub use self::row::SemanticScore;
