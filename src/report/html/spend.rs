//! Makes the section on requests and spending: one row for each answer folder.

use serde_json::{Value, json};

use super::data::PageTable;
use super::folder::ResultFiles;
use super::limits::Limits;
use super::sources::Sources;

/// Counts of summary.json that the table shows under the same names.
const COUNTS: [&str; 6] =
    ["n_questions", "n_requests", "n_possibly_paid", "spent_usd", "possibly_paid_usd", "n_unpriced"];

/// Makes the section from the summary.json of each folder.
pub(super) fn spend(files: &ResultFiles, sources: &Sources, limits: &Limits) -> Value {
    let mut columns = vec!["folder", "provider", "model"];
    columns.extend(COUNTS);
    columns.extend([
        "prompt_tokens",
        "cached_tokens",
        "completion_tokens",
        "reasoning_tokens",
        "outcomes",
        "grades",
    ]);
    let mut table = PageTable::new("spend", &columns);
    let (mut spent_usd, mut n_unpriced, mut n_unknown) = (0.0, 0, 0);
    for folder in &files.answers {
        let path = folder.join("summary.json");
        if !path.is_file() {
            continue;
        }
        let Some(summary) = sources.json(&path) else { continue };
        let configuration = &summary["configuration"];
        let mut row = vec![
            json!(sources.name(folder)),
            configuration["provider"].clone(),
            configuration["model"].clone(),
        ];
        row.extend(COUNTS.map(|name| summary[name].clone()));
        let tokens =
            ["prompt", "cached", "completion", "reasoning"].map(|name| summary["tokens"][name].clone());
        row.extend(tokens);
        row.extend(["outcomes", "grades"].map(|name| json!(counts(&summary[name]))));
        table.push(row);
        n_unpriced += summary["n_unpriced"].as_u64().unwrap_or(0);
        match summary["spent_usd"].as_f64() {
            Some(usd) => spent_usd += usd,
            None => n_unknown += 1,
        }
    }
    let n = table.len();
    let spent_usd = (n > n_unknown).then(|| (spent_usd * 1e9).round() / 1e9);
    json!({
        "table": table.within(limits.spend, "answers/*/summary.json").json(), "n": n, "n_unknown": n_unknown,
        "n_unpriced": n_unpriced, "spent_usd": spent_usd,
    })
}

/// Formats counts by name as text.
fn counts(value: &Value) -> String {
    let pairs = value.as_object().into_iter().flatten().map(|(name, count)| format!("{name} {count}"));
    pairs.collect::<Vec<_>>().join(", ")
}
