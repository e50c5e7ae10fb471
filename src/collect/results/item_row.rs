//! Defines the rows of items.csv.

use serde::{Deserialize, Serialize};

use crate::collect::grading::{Grade, GradeKind};
use crate::collect::item::Item;
use crate::provider::{Answer, Usage};

/// One answer to each prompt of an item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replicate {
    /// One answer per prompt, in the order of the prompts.
    pub answers: Vec<Answer>,
    /// Time at which the last of these answers was collected, RFC 3339 in UTC.
    pub collected_at: Option<String>,
}

/// A row of items.csv.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemRow {
    /// The task.
    pub task: String,
    /// Number of examples shown before the question.
    pub shots: usize,
    /// Id of the item.
    pub id: String,
    /// Name of the question, the same at every number of shots.
    pub question: String,
    /// Number of the replicate, from 0.
    pub replicate: usize,
    /// Kind of the grade.
    pub kind: GradeKind,
    /// 1 for a right answer, 0 for a wrong one, a fraction if choices tie; empty unless the answer is scored.
    pub credit: Option<f64>,
    /// Credit by log-probability per byte, if choices were compared by log-probability.
    pub credit_per_byte: Option<f64>,
    /// Log-probability of the right answer.
    pub logprob_nats: Option<f64>,
    /// The normalised text that was compared, or the reason why no text was compared.
    pub answer: String,
    /// Right answers, as a JSON list.
    pub gold: String,
    /// Finish reason.
    pub finish_reason: Option<String>,
    /// Model snapshot that answered.
    pub model_snapshot: Option<String>,
    /// The server's system fingerprint.
    pub system_fingerprint: Option<String>,
    /// Number of tokens in the prompts.
    pub prompt_tokens: Option<u64>,
    /// Number of tokens in the answers.
    pub completion_tokens: Option<u64>,
    /// Time at which the answer was collected.
    pub collected_at: Option<String>,
}

impl ItemRow {
    /// The grade in this row.
    pub fn grade(&self) -> Grade {
        Grade {
            kind: self.kind,
            credit: self.credit,
            logprob: self.logprob_nats,
            credit_per_byte: self.credit_per_byte,
            extracted: self.answer.clone(),
        }
    }
}

/// Builds the row of a graded answer.
pub(super) fn row(item: &Item, number: usize, replicate: &Replicate, grade: Grade) -> ItemRow {
    let first = replicate.answers.first();
    let usage = || replicate.answers.iter().filter_map(|answer| answer.usage);
    let sum = |tokens: fn(Usage) -> Option<u64>| usage().filter_map(tokens).reduce(u64::saturating_add);
    ItemRow {
        task: item.task.clone(),
        shots: item.shots,
        id: item.id.clone(),
        question: item.question.clone(),
        replicate: number,
        kind: grade.kind,
        credit: grade.credit,
        credit_per_byte: grade.credit_per_byte,
        logprob_nats: grade.logprob,
        answer: grade.extracted,
        gold: serde_json::json!(item.gold).to_string(),
        finish_reason: first.and_then(|answer| answer.finish_reason.clone()),
        model_snapshot: first.and_then(|answer| answer.model_snapshot.clone()),
        system_fingerprint: first.and_then(|answer| answer.system_fingerprint.clone()),
        prompt_tokens: sum(|usage| usage.prompt_tokens),
        completion_tokens: sum(|usage| usage.completion_tokens),
        collected_at: replicate.collected_at.clone(),
    }
}
