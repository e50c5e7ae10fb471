//! `surmise doctor`: explains why a prediction is missing or an interval is wide, and what to add.

use super::opened::{ListingFlags, Opened};
use crate::cli::TableBytes;
use crate::error::Result;
use crate::study::{Diagnosis, doctor};

pub(in crate::cli) fn run(flags: &ListingFlags, quiet: bool) -> Result<()> {
    let Opened { study, tasks, folder, .. } = flags.open(quiet)?;
    let mut found = doctor(&study, &tasks, &folder)?;
    found.iter_mut().for_each(|diagnosis| diagnosis.finding = study.redacted(&diagnosis.finding));
    flags.table.write(&TableBytes::of_rows("doctor", &found)?, text(&found).as_bytes())
}

/// Formats the findings, grouped by model.
fn text(found: &[Diagnosis]) -> String {
    if found.is_empty() {
        return "nothing to repair: every task is done, and every closed model has a prediction\n".into();
    }
    let mut models: Vec<&str> = vec![];
    for diagnosis in found {
        if !models.contains(&diagnosis.model.as_str()) {
            models.push(&diagnosis.model);
        }
    }
    let mut text = String::new();
    for model in models {
        text.push_str(if model.is_empty() { "the study" } else { model });
        text.push('\n');
        for Diagnosis { finding, remedy, .. } in found.iter().filter(|diagnosis| diagnosis.model == model) {
            text.push_str(&format!("  - {}\n    {remedy}\n", finding.replace('\n', "\n    ")));
        }
    }
    text
}
