//! study.toml: one file that names the models of a study, what is asked of them, and what is made of it. It
//! is read and checked whole before anything runs, and everything that is wrong is reported at once.

mod finding;
mod parse;
mod scan;
mod section;
mod study_file;
mod template;

pub use self::finding::{Finding, Findings, Located};
pub(in crate::study) use self::parse::is_pattern;
pub use self::scan::{FoundModel, scan};
pub use self::study_file::{ClosedModel, OpenModels, REPORTS, StudyCalibration, StudyDesign, StudyFile};
pub use self::template::{EMBEDDED, of_models};
