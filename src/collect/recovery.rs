//! Recovers from crashes and full disks: closes requests without an outcome, and stores answers that cannot
//! be written to the journal.

use std::path::PathBuf;
use std::sync::Arc;

use super::journal::{Index, Journal, OpenIntent, OutcomeRecord, Record};
use super::progress::Progress;
use crate::error::Result;

/// Closes requests that were in flight when an earlier process ended. Each may have been answered and billed,
/// so its reservation counts as spent. Requests of a batch that was not sent yet count as not asked. Requests
/// of a batch that the provider may have received stay open.
pub(super) async fn close_open(journal: &mut Journal, progress: &Progress) -> Result<()> {
    let mut open = journal.index.take_interrupted();
    open.sort_unstable_by_key(|(key, _)| *key);
    let writer = journal.writer();
    let (mut unsent, mut commits) = (vec![], vec![]);
    let is_unsent = |intent: &OpenIntent, index: &Index| {
        intent.batch.as_ref().is_some_and(|batch| !index.was_prepared(batch))
    };
    for ((key, attempt), intent) in open.iter().filter(|(_, intent)| is_unsent(intent, &journal.index)) {
        let why = "the process ended before the batch was sent";
        let outcome = OutcomeRecord::not_asked(*key, *attempt, why);
        let outcome = OutcomeRecord { batch: intent.batch.clone(), ..outcome };
        unsent.push(writer.append(&Record::Outcome(Box::new(outcome)))?);
    }
    for commit in unsent {
        commit.durable().await?;
    }
    open.retain(|(_, intent)| !is_unsent(intent, &journal.index));
    for ((key, attempt), intent) in &open {
        let arrival = OutcomeRecord::crashed(*key, *attempt, intent.probe, intent.reserve_usd);
        let arrival = OutcomeRecord { batch: intent.batch.clone(), ..arrival };
        commits.push((*key, intent, writer.append(&Record::Outcome(Box::new(arrival)))?));
    }
    for (key, intent, commit) in commits {
        let place = commit.durable().await?;
        journal.index.record_outcome(key, place, intent.probe, "failed", Some("unknown"));
        match intent.reserve_usd {
            Some(usd) => journal.index.spent_usd += usd,
            None => journal.index.unpriced.push((Some(intent.place), place)),
        }
    }
    if !open.is_empty() {
        let n = open.len();
        progress.say(&format!(
            "{n} request(s) were in flight when an earlier run ended; they may have been billed, so they \
             count as billed"
        ));
    }
    Ok(())
}

/// Returns a function that stores answers which cannot be written to the journal: in a temporary file, or in
/// a status message if that fails, too.
pub(super) fn fallback_writer(progress: Arc<Progress>, folder: PathBuf) -> impl FnMut(&[u8]) + Send {
    use std::io::Write;
    let mut file: Option<(std::fs::File, PathBuf)> = None;
    move |line: &[u8]| {
        if file.is_none()
            && let Ok((made, path)) = tempfile::Builder::new()
                .prefix("surmise-rescued-")
                .suffix(".jsonl")
                .tempfile()
                .and_then(|f| Ok(f.keep()?))
        {
            progress.say(&format!(
                "answers that cannot be written to the journal are written to {name}; once there is space \
                 again, run: cat {name} >> {journal}",
                name = path.display(),
                journal = folder.join("journal.jsonl").display()
            ));
            file = Some((made, path));
        }
        let written = file
            .as_mut()
            .is_some_and(|(file, _)| file.write_all(line).and_then(|()| file.sync_data()).is_ok());
        if !written {
            progress.say(String::from_utf8_lossy(line).trim_end());
        }
    }
}
