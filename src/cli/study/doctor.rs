//! `surmise doctor`: why there is no number, or why an interval is wide, and what to add.

use clap::Args;

use super::opened::{Opened, StudyFlags};
use crate::cli::print;
use crate::disk;
use crate::error::{Error, Result};
use crate::study::{Diagnosis, doctor};

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    #[command(flatten)]
    study: StudyFlags,
    /// Print the findings as CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let Opened { study, tasks, folder, .. } = flags.study.open(false, false, quiet)?;
    let mut found = doctor(&study, &tasks, &folder)?;
    found.iter_mut().for_each(|diagnosis| diagnosis.finding = study.redacted(&diagnosis.finding));
    if flags.json {
        let json = serde_json::to_vec_pretty(&found);
        let json = json.map_err(|source| Error::Json { path: "stdout".into(), source })?;
        return print(&[json, b"\n".to_vec()].concat());
    }
    if flags.csv {
        return print(&disk::csv_bytes("stdout".as_ref(), &found)?);
    }
    print(text(&found).as_bytes())
}

/// The findings, model by model.
fn text(found: &[Diagnosis]) -> String {
    if found.is_empty() {
        return "nothing to mend: every task is done, and every closed model has a prediction\n".into();
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
