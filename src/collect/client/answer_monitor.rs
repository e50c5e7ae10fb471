//! Monitors the answers of a run, and ends the run if they come from a model snapshot other than the required
//! snapshot.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::run_context::RunContext;
use crate::collect::budget::pilot::Pilot;
use crate::provider::{Answer, Outcome};

/// Totals of the answers of a run.
#[derive(Debug, Default)]
pub(crate) struct AnswerMonitor {
    totals: Mutex<Totals>,
}

#[derive(Debug, Default)]
struct Totals {
    snapshots: BTreeSet<String>,
    fingerprints: BTreeSet<String>,
    pilot: Pilot,
}

impl AnswerMonitor {
    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an answer. `is_pilot` states whether the answer counts for the forecast of time and cost. Answers
    /// to probes and answers in batches do not count.
    pub(crate) fn add(&self, run: &RunContext, is_pilot: bool, answer: &Answer, elapsed_s: f64) {
        let mut totals = self.totals();
        if let Some(snapshot) = &answer.model_snapshot {
            let is_new = totals.snapshots.insert(snapshot.clone());
            if is_new && totals.snapshots.len() == 2 {
                let names: Vec<_> = totals.snapshots.iter().map(String::as_str).collect();
                run.progress.say(&format!(
                    "{}: the model snapshot changed during the run: {}; scores.csv lists all \
                     snapshots",
                    run.endpoint,
                    names.join(" and ")
                ));
            }
            if let Some(wanted) = run.policy.model_snapshot.as_ref().filter(|wanted| *wanted != snapshot) {
                run.stop_for_endpoint(format!(
                    "model snapshot {snapshot} answered, but --require-model-snapshot is {wanted}"
                ));
            }
        }
        if let Some(fingerprint) = &answer.system_fingerprint
            && totals.fingerprints.insert(fingerprint.clone())
            && totals.fingerprints.len() == 2
        {
            run.progress.say(&format!(
                "{}: the system fingerprint changed during the run, so the server may have changed and may \
                 answer differently",
                run.endpoint
            ));
        }
        if !is_pilot || matches!(answer.outcome, Outcome::Failed(_)) {
            return;
        }
        if totals.pilot.add(answer.usage.as_ref(), elapsed_s) {
            let forecast =
                totals.pilot.forecast(run.progress.total.load(Relaxed), run.limiter.limit(), &run.budget);
            forecast.iter().for_each(|line| run.progress.say(line));
        }
    }
}
