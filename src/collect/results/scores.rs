//! Scores: graded answers of one model to one task at one number of shots, with every kind of missing answer
//! counted separately; and the gain from shots on the same questions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::collect::grading::{Grade, GradeKind, Grading};
use crate::disk;
use crate::error::Result;
use crate::numeric::proportions::paired_bootstrap;
pub use crate::numeric::proportions::{empirical_logit, wilson};
use crate::numeric::statistics::mean;
use crate::seed;

/// One row of scores.csv. The kinds add up to the items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The API provider, or `local`.
    pub provider: String,
    /// The requested model.
    pub model: String,
    /// The snapshots that answered, joined by `+`; for local models the SHA-256 of the weights.
    pub model_snapshot: String,
    /// The task.
    pub task: String,
    /// Examples shown before the question.
    pub shots: usize,
    /// Questions asked.
    pub n_items: usize,
    /// Answers that could be graded.
    pub n_scored: usize,
    /// Refusals.
    pub n_refused: usize,
    /// Answers withheld by a filter.
    pub n_filtered: usize,
    /// Answers cut at the token limit before they could be graded.
    pub n_truncated: usize,
    /// Empty answers.
    pub n_empty: usize,
    /// Answers no parser or grader could read.
    pub n_unreadable: usize,
    /// Requests that failed or were never sent.
    pub n_error: usize,
    /// Share of correct answers among the scored.
    pub accuracy: Option<f64>,
    /// Lower end of its 95 % Wilson interval.
    pub accuracy_low: Option<f64>,
    /// Upper end of its 95 % Wilson interval.
    pub accuracy_high: Option<f64>,
    /// Share of correct answers among all asked.
    pub accuracy_all_as_wrong: Option<f64>,
    /// Mean over scored items of the log-probability of the whole right answer in nats; empty unless it is
    /// known for all of them.
    pub mean_logprob: Option<f64>,
    /// When the last answer was collected, for models behind an API.
    pub collected_at: Option<String>,
    /// How answers of a model behind an API were graded.
    #[serde(default)]
    pub grader: Option<String>,
    /// Version of the normalisation of their texts.
    #[serde(default)]
    pub normalisation: Option<u32>,
}

impl Score {
    /// A row of which only the share of right answers is known: all `n` items count as scored. Without items
    /// there is no accuracy.
    pub fn of_accuracy(
        provider: &str,
        model: &str,
        task: &str,
        shots: usize,
        n: usize,
        correct: f64,
    ) -> Self {
        let (interval, accuracy) = (wilson(correct, n), (n > 0).then(|| correct / n as f64));
        Self {
            provider: provider.into(),
            model: model.into(),
            model_snapshot: String::new(),
            task: task.into(),
            shots,
            n_items: n,
            n_scored: n,
            n_refused: 0,
            n_filtered: 0,
            n_truncated: 0,
            n_empty: 0,
            n_unreadable: 0,
            n_error: 0,
            accuracy,
            accuracy_low: interval.map(|(low, _)| low),
            accuracy_high: interval.map(|(_, high)| high),
            accuracy_all_as_wrong: accuracy,
            mean_logprob: None,
            collected_at: None,
            grader: None,
            normalisation: None,
        }
    }
}

/// One row of gains.csv: the change in accuracy on the same questions with more shots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// The task.
    pub task: String,
    /// Fewer shots.
    pub shots_from: usize,
    /// More shots.
    pub shots_to: usize,
    /// Questions scored at both.
    pub n_pairs: usize,
    /// Accuracy with more shots minus accuracy with fewer.
    pub gain: f64,
    /// Lower end of its 95 % bootstrap interval.
    pub gain_low: f64,
    /// Upper end of its 95 % bootstrap interval.
    pub gain_high: f64,
}

/// The question of an item.
#[derive(Debug, Clone, Copy)]
pub struct QuestionRef<'a> {
    /// Its task.
    pub task: &'a str,
    /// Its number of shots.
    pub shots: usize,
    /// The same at every number of shots.
    pub question: &'a str,
}

/// Adds up the grades of one model's answers.
#[derive(Debug, Clone)]
pub struct Tally {
    provider: String,
    model: String,
    /// Tasks in the order in which they were added.
    tasks: Vec<String>,
    counts: BTreeMap<(usize, usize), TallyCell>,
    repeated: usize,
    disagreed: usize,
    graded_by: Option<(String, u32)>,
}

#[derive(Debug, Clone, Default)]
struct TallyCell {
    kinds: BTreeMap<GradeKind, usize>,
    credit: f64,
    /// Mean credit of each question scored, by half the SHA-256 of its name: there may be millions.
    questions: Vec<([u8; 16], f64)>,
    logprob: f64,
    n_logprob: usize,
    snapshots: BTreeSet<String>,
    collected_at: Option<String>,
}

impl Tally {
    /// An empty tally.
    pub fn new(provider: &str, model: &str) -> Self {
        let (tasks, counts) = (vec![], BTreeMap::new());
        let (provider, model) = (provider.into(), model.into());
        Self { provider, model, tasks, counts, repeated: 0, disagreed: 0, graded_by: None }
    }

    /// Records how answers are graded.
    pub fn graded_by(self, how: &Grading) -> Self {
        Self { graded_by: Some((how.grader.to_string(), how.normalisation.version)), ..self }
    }

    /// Adds an item with the grades of its replicates, the first answer first. An item counts once: its
    /// credit is the mean over the scored replicates; without any it has the kind of the first.
    pub fn add(&mut self, asked: QuestionRef<'_>, grades: &[Grade]) {
        let count = self.count(asked.task, asked.shots);
        let credits: Vec<f64> = grades.iter().filter_map(|grade| grade.credit).collect();
        let scored = !credits.is_empty();
        let kind = if scored {
            GradeKind::Scored
        } else {
            grades.first().map_or(GradeKind::Error, |grade| grade.kind)
        };
        *count.kinds.entry(kind).or_default() += 1;
        if scored {
            let credit = mean(&credits);
            count.credit += credit;
            count.questions.push((seed::sha256_half(asked.question.as_bytes()), credit));
            let logprobs: Vec<f64> = grades.iter().filter_map(|grade| grade.logprob).collect();
            if logprobs.len() == credits.len() {
                count.logprob += mean(&logprobs);
                count.n_logprob += 1;
            }
        }
        if let [first, others @ ..] = grades
            && !others.is_empty()
        {
            let differs = |other: &Grade| (other.kind, &other.extracted) != (first.kind, &first.extracted);
            self.repeated += 1;
            self.disagreed += usize::from(others.iter().any(differs));
        }
    }

    /// Records the snapshot that answered a question and the time, RFC 3339 in UTC.
    pub fn note(&mut self, asked: QuestionRef<'_>, snapshot: Option<&str>, collected_at: Option<&str>) {
        let count = self.count(asked.task, asked.shots);
        count.snapshots.extend(snapshot.map(Into::into));
        if let Some(at) =
            collected_at.filter(|at| count.collected_at.as_deref().is_none_or(|last| last < *at))
        {
            count.collected_at = Some(at.into());
        }
    }

    /// Questions asked more than once, and those of them whose answers differ.
    pub fn disagreement(&self) -> (usize, usize) {
        (self.repeated, self.disagreed)
    }

    /// One row per task and number of shots.
    pub fn scores(&self) -> Vec<Score> {
        self.counts.iter().map(|((task, shots), count)| self.row(&self.tasks[*task], *shots, count)).collect()
    }

    /// The gains between consecutive numbers of shots, and between the first and the last.
    pub fn gains(&self, seed: u64) -> Vec<Gain> {
        let mut gains = vec![];
        for (number, task) in self.tasks.iter().enumerate() {
            let of_task: Vec<_> = self.counts.iter().filter(|((t, _), _)| *t == number).collect();
            let mut pairs: Vec<_> = of_task.windows(2).map(|pair| (pair[0], pair[1])).collect();
            if let [first, _, .., last] = of_task.as_slice() {
                pairs.push((*first, *last));
            }
            gains.extend(pairs.into_iter().filter_map(|(fewer, more)| gain(task, fewer, more, seed)));
        }
        gains
    }

    fn count(&mut self, task: &str, shots: usize) -> &mut TallyCell {
        let number = self.tasks.iter().position(|known| known == task).unwrap_or_else(|| {
            self.tasks.push(task.into());
            self.tasks.len() - 1
        });
        self.counts.entry((number, shots)).or_default()
    }

    fn row(&self, task: &str, shots: usize, count: &TallyCell) -> Score {
        let n = |kind: GradeKind| count.kinds.get(&kind).copied().unwrap_or(0);
        let (n_items, n_scored) = (count.kinds.values().sum(), n(GradeKind::Scored));
        let share = |n: usize| (n > 0).then(|| count.credit / n as f64);
        let interval = wilson(count.credit, n_scored);
        Score {
            provider: self.provider.clone(),
            model: self.model.clone(),
            model_snapshot: count.snapshots.iter().map(String::as_str).collect::<Vec<_>>().join("+"),
            task: task.into(),
            shots,
            n_items,
            n_scored,
            n_refused: n(GradeKind::Refused),
            n_filtered: n(GradeKind::Filtered),
            n_truncated: n(GradeKind::Truncated),
            n_empty: n(GradeKind::Empty),
            n_unreadable: n(GradeKind::Unreadable),
            n_error: n(GradeKind::Error),
            accuracy: share(n_scored),
            accuracy_low: interval.map(|(low, _)| low),
            accuracy_high: interval.map(|(_, high)| high),
            accuracy_all_as_wrong: share(n_items),
            mean_logprob: (n_scored > 0 && count.n_logprob == n_scored)
                .then(|| count.logprob / n_scored as f64),
            collected_at: count.collected_at.clone(),
            grader: self.graded_by.as_ref().map(|(grader, _)| grader.clone()),
            normalisation: self.graded_by.as_ref().map(|(_, version)| *version),
        }
    }
}

/// `None` if fewer than two questions were scored at both numbers of shots.
fn gain(
    task: &str,
    fewer: (&(usize, usize), &TallyCell),
    more: (&(usize, usize), &TallyCell),
    seed: u64,
) -> Option<Gain> {
    let (shots_from, shots_to) = (fewer.0.1, more.0.1);
    let (before, after) = (by_question(fewer.1), by_question(more.1));
    let pair = |(question, after): &([u8; 16], f64)| {
        let at = before.binary_search_by_key(question, |(question, _)| *question).ok()?;
        Some(after - before[at].1)
    };
    let differences: Vec<f64> = after.iter().filter_map(pair).collect();
    let label = format!("{task}/{shots_from}/{shots_to}");
    let (gain, gain_low, gain_high) = paired_bootstrap(&differences, &label, seed)?;
    Some(Gain {
        task: task.into(),
        shots_from,
        shots_to,
        n_pairs: differences.len(),
        gain,
        gain_low,
        gain_high,
    })
}

/// Credits in the order of their questions. Of two items with the same question the last counts.
fn by_question(count: &TallyCell) -> Vec<([u8; 16], f64)> {
    let mut questions = count.questions.clone();
    questions.reverse();
    questions.sort_by_key(|(question, _)| *question);
    questions.dedup_by_key(|(question, _)| *question);
    questions
}

/// Writes rows as CSV, whole or not at all.
///
/// # Errors
/// [`crate::error::Error::Write`]
pub fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    disk::write(path, &disk::csv_bytes(path, rows)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(shots: usize, question: &str) -> QuestionRef<'_> {
        QuestionRef { task: "t", shots, question }
    }

    #[test]
    fn kinds_add_up_to_the_items_and_accuracy_is_over_the_scored() {
        let mut tally = Tally::new("p", "m");
        for (question, grade) in [
            ("1", Grade::scored(1.0, "a")),
            ("2", Grade::scored(0.0, "b")),
            ("3", Grade::scored(1.0, "a")),
            ("4", Grade::none(GradeKind::Refused, "")),
            ("5", Grade::none(GradeKind::Error, "")),
        ] {
            tally.add(asked(0, question), &[grade]);
            tally.note(asked(0, question), Some("m-1"), Some("2026-01-01T00:00:00Z"));
        }
        tally.note(asked(0, "5"), Some("m-2"), Some("2026-01-02T00:00:00Z"));
        let [row] = tally.scores().try_into().unwrap();
        assert_eq!((row.n_items, row.n_scored, row.n_refused, row.n_error), (5, 3, 1, 1));
        assert_eq!((row.accuracy, row.accuracy_all_as_wrong), (Some(2.0 / 3.0), Some(0.4)));
        assert_eq!((row.accuracy_low, row.mean_logprob), (wilson(2.0, 3).map(|i| i.0), None));
        assert_eq!(
            (row.model_snapshot.as_str(), row.collected_at.as_deref()),
            ("m-1+m-2", Some("2026-01-02T00:00:00Z"))
        );
    }

    #[test]
    fn replicates_count_once() {
        let mut tally = Tally::new("p", "m");
        tally.add(asked(0, "1"), &[Grade::scored(1.0, "a"), Grade::scored(0.0, "b")]);
        tally.add(asked(0, "2"), &[Grade::none(GradeKind::Empty, ""), Grade::scored(1.0, "a")]);
        tally.add(asked(0, "3"), &[Grade::scored(1.0, "a"), Grade::scored(1.0, "a")]);
        let [row] = tally.scores().try_into().unwrap();
        assert_eq!((row.n_items, row.n_scored, row.n_empty, row.accuracy), (3, 3, 0, Some(2.5 / 3.0)));
        assert_eq!(tally.disagreement(), (3, 2));
    }

    #[test]
    fn gains_are_paired() {
        let mut tally = Tally::new("p", "m");
        for i in 0..50 {
            let question = i.to_string();
            tally.add(asked(0, &question), &[Grade::scored(f64::from(u8::from(i < 10)), "")]);
            tally.add(asked(1, &question), &[Grade::scored(f64::from(u8::from(i < 30)), "")]);
            if i < 40 {
                tally.add(asked(4, &question), &[Grade::scored(1.0, "")]);
            }
        }
        let gains = tally.gains(1);
        let shots: Vec<_> =
            gains.iter().map(|gain| (gain.shots_from, gain.shots_to, gain.n_pairs, gain.gain)).collect();
        assert_eq!(shots, [(0, 1, 50, 0.4), (1, 4, 40, 0.25), (0, 4, 40, 0.75)]);
        assert!(gains.iter().all(|gain| gain.gain_low < gain.gain && gain.gain < gain.gain_high));
    }
}
