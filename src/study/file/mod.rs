//! Reads `study.toml`, which names the models of a study, the questions, and the reports. The whole file is
//! checked before anything runs, and all mistakes are reported at once.

mod finding;
mod parse;
mod scan;
mod section;
mod study_file;
mod syntax;
mod template;

pub use self::finding::{Finding, Findings, Located};
pub(in crate::study) use self::parse::is_pattern;
pub use self::scan::{FoundModel, scan};
pub use self::study_file::{ClosedModel, OpenModels, REPORTS, StudyCalibration, StudyDesign, StudyFile};
pub use self::template::{EMBEDDED, of_models};
