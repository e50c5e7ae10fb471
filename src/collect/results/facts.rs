//! Stores facts for which the files of other tools have no member: the kind of a missing answer, and the
//! log-probability of the right answer. Exports write the facts as members that the tools ignore, and imports
//! read them.

use serde_json::{Map, Value};

use super::item_row::ItemRow;
use crate::collect::grading::{Grade, GradeKind};

const KIND: &str = "surmise_kind";
const LOGPROB: &str = "surmise_logprob_nats";

/// The facts of a row.
pub(crate) fn facts(row: &ItemRow) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert(KIND.into(), row.kind.name().into());
    if let Some(logprob) = row.logprob_nats {
        facts.insert(LOGPROB.into(), logprob.to_string().into());
    }
    facts
}

/// Adds the facts, if there are any, to a grade from another tool's file.
pub(crate) fn with_facts(grade: Grade, facts: &Value) -> Grade {
    let kind = facts[KIND].as_str().map(|kind| Value::String(kind.into()));
    let kind = kind.and_then(|kind| serde_json::from_value::<GradeKind>(kind).ok());
    let logprob = facts[LOGPROB].as_str().and_then(|text| text.parse().ok());
    let grade = match kind.filter(|kind| *kind != GradeKind::Scored) {
        Some(kind) => Grade::none(kind, grade.extracted),
        None => grade,
    };
    Grade { logprob: logprob.filter(|logprob: &f64| logprob.is_finite()).or(grade.logprob), ..grade }
}
