//! Makes the section on answers: scores and semantic estimates.

use serde_json::{Value, json};

use super::data::PageTable;
use super::folder::ResultFiles;
use super::limits::Limits;
use super::sources::Sources;
use crate::collect::results::scores::Score;
use crate::collect::results::semantic::SemanticScore;

/// Makes the section without single answers. [`items`](super::items) selects the single answers that fit into
/// the remaining space of the page.
pub(super) fn answers(files: &ResultFiles, sources: &Sources, limits: &Limits) -> Value {
    let (mut scores, mut semantic) = (scores_table(), semantic_table());
    for folder in &files.answers {
        let path = folder.join("scores.csv");
        if path.is_file() {
            sources.rows::<Score>(&path).iter().for_each(|row| scores.push(score_cells(row)));
        }
        let path = folder.join("semantic.csv");
        if path.is_file() {
            sources.rows::<SemanticScore>(&path).iter().for_each(|row| semantic.push(semantic_cells(row)));
        }
    }
    json!({
        "n_folders": files.answers.len(),
        "scores": scores.within(limits.scores, "answers/*/scores.csv").json(),
        "semantic": semantic.within(limits.scores, "answers/*/semantic.csv").json(),
    })
}

fn scores_table() -> PageTable {
    PageTable::new(
        "scores",
        &[
            "model",
            "task",
            "shots",
            "accuracy",
            "accuracy_low",
            "accuracy_high",
            "n_items",
            "n_scored",
            "n_refused",
            "n_filtered",
            "n_truncated",
            "n_empty",
            "n_unreadable",
            "n_error",
            "mean_logprob",
        ],
    )
}

fn score_cells(row: &Score) -> Vec<Value> {
    vec![
        json!(row.model),
        json!(row.task),
        json!(row.shots),
        json!(row.accuracy),
        json!(row.accuracy_low),
        json!(row.accuracy_high),
        json!(row.n_items),
        json!(row.n_scored),
        json!(row.n_refused),
        json!(row.n_filtered),
        json!(row.n_truncated),
        json!(row.n_empty),
        json!(row.n_unreadable),
        json!(row.n_error),
        json!(row.mean_logprob),
    ]
}

fn semantic_table() -> PageTable {
    PageTable::new(
        "semantic",
        &[
            "model",
            "corpus",
            "shots",
            "accuracy",
            "accuracy_stderr",
            "logprob_nats",
            "output_share",
            "output_share_stderr",
            "answer_share",
            "answer_share_stderr",
            "n_prompts",
            "n_answered",
        ],
    )
}

fn semantic_cells(row: &SemanticScore) -> Vec<Value> {
    vec![
        json!(row.model),
        json!(row.corpus),
        json!(row.shots),
        json!(row.accuracy),
        json!(row.accuracy_stderr),
        json!(row.logprob_nats),
        json!(row.output_share),
        json!(row.output_share_stderr),
        json!(row.answer_share),
        json!(row.answer_share_stderr),
        json!(row.n_prompts),
        json!(row.n_answered),
    ]
}
