//! Builds the index of a journal in one pass. For each question, the index stores a few numbers and a
//! position, so that millions of answers fit into memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::batch_record::{BatchStage, OpenBatch};
use super::question_key::QuestionKey;
use super::question_state::{Last, LastOutcome, QuestionState, number};
use super::record::NOT_ASKED;
use super::scan::{self, BadLine, IndexEntry, RecordSpan};
use crate::error::{Error, Result};

/// An intent without an outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIntent {
    /// Whether the request is a probe.
    pub probe: bool,
    /// Maximum cost of the request, if prices were known.
    pub reserve_usd: Option<f64>,
    /// Position of the record.
    pub place: RecordSpan,
    /// Name of the batch that contains the request, if any.
    pub batch: Option<String>,
}

/// Totals of one route: requests that were sent individually, or requests in batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct RouteTotals {
    /// Number of requests that were sent, including probes.
    pub n_requests: u64,
    /// Number of requests that may have been billed.
    pub n_possibly_paid: u64,
    /// Sum of all costs.
    pub spent_usd: f64,
    /// Part of `spent_usd` for requests that may have been billed.
    pub possibly_paid_usd: f64,
}

/// The contents of a journal, without prompts and answers.
#[derive(Debug, Default)]
pub struct Index {
    /// State of each question, by the first half of its key.
    states: HashMap<[u8; 16], QuestionState>,
    /// Intents without an outcome.
    pub open: HashMap<(QuestionKey, u32), OpenIntent>,
    /// Answered probes, with the positions of their answers.
    pub probed: HashMap<QuestionKey, RecordSpan>,
    /// The configuration that was recorded last.
    pub configuration: Option<Value>,
    /// Whether the cost of any request is known.
    pub has_costs: bool,
    /// Sum of all costs.
    pub spent_usd: f64,
    /// Part of `spent_usd` for requests that may have been billed.
    pub possibly_paid_usd: f64,
    /// Number of requests that may have been billed.
    pub n_possibly_paid: u64,
    /// Positions of the intents and outcomes of requests that were or may have been billed while no price was
    /// known.
    pub unpriced: Vec<(Option<RecordSpan>, RecordSpan)>,
    /// Number of requests that were sent, including probes.
    pub n_requests: u64,
    /// Number of answered requests, except requests in batches.
    pub n_answered: u64,
    /// Total duration of the answered requests, except requests in batches, in seconds.
    pub answered_s: f64,
    /// Totals of the requests that were sent individually, and totals of the requests in batches.
    pub routes: [RouteTotals; 2],
    /// Batches that have not ended, by the names that surmise gave them.
    pub batches: BTreeMap<String, OpenBatch>,
    /// Names of the batches that have ended.
    ended: HashSet<String>,
    /// Questions in batches that have no outcome yet, by the first halves of their keys.
    in_batches: HashSet<[u8; 16]>,
}

impl Index {
    fn add(&mut self, place: RecordSpan, entry: IndexEntry) {
        match entry {
            IndexEntry::Configuration { configuration, .. } => self.configuration = Some(configuration),
            IndexEntry::Batch(record) => match record.stage {
                BatchStage::Ended => {
                    self.batches.remove(&record.batch);
                    self.ended.insert(record.batch);
                }
                _ => self.batches.entry(record.batch.clone()).or_default().note(&record),
            },
            IndexEntry::Intent { key, attempt, probe, reserve_usd, batch } => {
                self.n_requests += 1;
                self.routes[usize::from(batch.is_some())].n_requests += 1;
                if batch.is_some() {
                    self.in_batches.insert(key.half());
                }
                self.open.insert((key, attempt), OpenIntent { probe, reserve_usd, place, batch });
                let state = self.states.entry(key.half()).or_default();
                state.attempts = state.attempts.max(attempt);
            }
            IndexEntry::Outcome {
                key,
                attempt,
                probe,
                elapsed_s,
                outcome,
                class,
                cost_usd,
                possibly_paid,
                batch,
            } => {
                let open = self.open.remove(&(key, attempt));
                let was_open = open.is_some();
                let state = self.states.entry(key.half()).or_default();
                // An attempt has one outcome. If another tool added a second outcome, the first outcome
                // counts.
                if !was_open && attempt <= state.closed {
                    return;
                }
                state.closed = state.closed.max(attempt);
                let was_in_batch = open.as_ref().is_some_and(|open| open.batch.is_some());
                if was_in_batch {
                    self.in_batches.remove(&key.half());
                }
                let is_in_batch = was_in_batch || batch.is_some();
                let route = &mut self.routes[usize::from(is_in_batch)];
                // An answer counts even if its damaged intent was removed, because it was billed.
                if !was_open {
                    self.n_requests += 1;
                    route.n_requests += 1;
                    state.attempts = state.attempts.max(attempt);
                }
                if matches!(class.as_deref(), Some("not_sent" | NOT_ASKED)) {
                    self.n_requests -= 1;
                    route.n_requests -= 1;
                }
                self.has_costs |= cost_usd.is_some();
                self.spent_usd += cost_usd.unwrap_or(0.0);
                route.spent_usd += cost_usd.unwrap_or(0.0);
                if possibly_paid {
                    self.possibly_paid_usd += cost_usd.unwrap_or(0.0);
                    self.n_possibly_paid += 1;
                    route.possibly_paid_usd += cost_usd.unwrap_or(0.0);
                    route.n_possibly_paid += 1;
                }
                if cost_usd.is_none() && (possibly_paid || outcome != "failed") {
                    self.unpriced.push((open.map(|open| open.place), place));
                }
                if outcome != "failed" && !is_in_batch {
                    self.n_answered += 1;
                    self.answered_s += elapsed_s;
                }
                self.record_outcome(key, place, probe, &outcome, class.as_deref());
            }
        }
    }

    /// Adds a durable outcome.
    pub fn record_outcome(
        &mut self,
        key: QuestionKey,
        place: RecordSpan,
        probe: bool,
        outcome: &str,
        class: Option<&str>,
    ) {
        if probe {
            if outcome != "failed" {
                self.probed.insert(key, place);
            }
            return;
        }
        let state = self.states.entry(key.half()).or_default();
        let end = match (outcome, class) {
            // The run ended before the request was sent.
            (_, Some(NOT_ASKED)) => return,
            ("failed", class) => LastOutcome::Failure(number(class.unwrap_or_default())),
            (kind, _) => LastOutcome::Answer(number(kind)),
        };
        // The first answer counts; any later outcome replaces a failure.
        if !matches!(state.last, Some(Last { end: LastOutcome::Answer(_), .. })) {
            let n_bytes = u32::try_from(place.n_bytes).unwrap_or(u32::MAX);
            state.last = Some(Last { offset: place.offset, n_bytes, end });
        }
    }

    /// The state of a question.
    pub fn state(&self, key: &QuestionKey) -> Option<&QuestionState> {
        self.states.get(&key.half())
    }

    /// Number of requests sent for a question so far.
    pub fn attempts(&self, key: &QuestionKey) -> u32 {
        self.state(key).map_or(0, |state| state.attempts)
    }

    /// Whether any question other than a probe has an outcome.
    pub fn has_outcomes(&self) -> bool {
        self.states.values().any(|state| state.last.is_some())
    }

    /// Whether a question is in a batch and has no outcome yet.
    pub fn is_in_batch(&self, key: &QuestionKey) -> bool {
        self.in_batches.contains(&key.half())
    }

    /// Removes and returns the open intents that no batch will answer. Their requests were sent individually,
    /// or were not sent because the preparation of their batch was interrupted.
    pub fn take_interrupted(&mut self) -> Vec<((QuestionKey, u32), OpenIntent)> {
        let is_open =
            |intent: &OpenIntent| intent.batch.as_ref().is_some_and(|b| self.batches.contains_key(b));
        let (kept, taken): (Vec<_>, Vec<_>) = self.open.drain().partition(|(_, intent)| is_open(intent));
        self.open = kept.into_iter().collect();
        for ((key, _), _) in taken.iter().filter(|(_, intent)| intent.batch.is_some()) {
            self.in_batches.remove(&key.half());
        }
        taken
    }

    /// Whether the requests of a batch may have been sent, because its preparation was complete.
    pub fn was_prepared(&self, batch: &str) -> bool {
        self.batches.contains_key(batch) || self.ended.contains(batch)
    }

    /// Whether the journal records no request.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty() && self.open.is_empty()
    }

    /// Reads a journal. Another process may be writing it, so an incomplete last line is ignored. A missing
    /// journal counts as empty.
    ///
    /// # Errors
    /// [`Error::Journal`] if a line is damaged; [`Error::Storage`] if the file cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("journal.jsonl");
        let mut index = Self::default();
        if path.is_file() {
            index.fill(&path)?;
        }
        Ok(index)
    }

    /// Adds the records of a file. Returns the position of an incomplete last line, if there is one.
    pub(super) fn fill(&mut self, path: &Path) -> Result<Option<u64>> {
        let bad = scan::scan(path, |place, entry| self.add(place, entry))?;
        match bad.first() {
            None => Ok(None),
            // A crash leaves an incomplete last line. Any other bad line is damage, which may affect billed
            // answers.
            Some(first) if first.is_torn => Ok(Some(first.place.offset)),
            Some(BadLine { line, place, reason, .. }) => {
                let (path, reason) = (path.into(), reason.clone());
                Err(Error::Journal { path, line: *line, offset: place.offset, reason })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(key: QuestionKey, attempt: u32) -> IndexEntry {
        IndexEntry::Intent { key, attempt, probe: false, reserve_usd: Some(2.0), batch: None }
    }

    fn outcome(key: QuestionKey, attempt: u32, outcome: &str, class: Option<&str>) -> IndexEntry {
        let (outcome, class, cost_usd) = (outcome.into(), class.map(Into::into), Some(1.0));
        IndexEntry::Outcome {
            key,
            attempt,
            probe: false,
            elapsed_s: 0.5,
            outcome,
            class,
            cost_usd,
            possibly_paid: false,
            batch: None,
        }
    }

    #[test]
    fn every_request_counts_once_whatever_the_order_and_number_of_its_records() {
        let key = |n: u8| QuestionKey::new("p", "e", "m", &[n], 0);
        let [whole, bare, late, turned] = [1, 2, 3, 4].map(key);
        let mut index = Index::default();
        let entries = [
            // An outcome that was restored twice.
            intent(whole, 1),
            outcome(whole, 1, "answered", None),
            outcome(whole, 1, "answered", None),
            // An outcome whose damaged intent was removed.
            outcome(bare, 1, "refused", None),
            outcome(bare, 1, "refused", None),
            // A request without a response: its question was asked again, and then its answer was restored.
            intent(late, 1),
            outcome(late, 1, "failed", Some("unknown")),
            intent(late, 2),
            outcome(late, 2, "truncated", None),
            outcome(late, 1, "answered", None),
            // Outcomes in another order than their intents.
            intent(turned, 1),
            intent(turned, 2),
            outcome(turned, 2, "answered", None),
            outcome(turned, 1, "failed", Some("rejected")),
        ];
        for (n, entry) in entries.into_iter().enumerate() {
            index.add(RecordSpan { offset: n as u64, n_bytes: 1 }, entry);
        }
        assert_eq!((index.n_requests, index.spent_usd, index.open.len()), (6, 6.0, 0));
        let known = |key| {
            let state: &QuestionState = index.state(&key).unwrap();
            (state.answer(), state.place().unwrap().offset, state.attempts)
        };
        assert_eq!(known(whole), (Some("answered"), 1, 1));
        assert_eq!(known(bare), (Some("refused"), 3, 1));
        assert_eq!(known(late), (Some("truncated"), 8, 2));
        assert_eq!(known(turned), (Some("answered"), 12, 2));
        assert_eq!((index.n_answered, index.answered_s), (4, 2.0));
        // The state of a question must be small, because a journal may contain millions of questions.
        assert!(size_of::<([u8; 16], QuestionState)>() <= 40);
    }

    #[test]
    fn an_outcome_of_another_version_is_still_an_answer() {
        let key = QuestionKey::new("p", "e", "m", b"", 0);
        let mut index = Index::default();
        index.add(RecordSpan { offset: 0, n_bytes: 1 }, outcome(key, 1, "something_new", None));
        assert_eq!(index.state(&key).and_then(QuestionState::answer), Some("other"));
    }
}
