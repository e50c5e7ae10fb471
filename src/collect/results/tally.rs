//! Aggregates the grades of one model's answers into scores and gains.

use std::collections::{BTreeMap, BTreeSet};

use super::item_row::ItemRow;
use super::scores::{Gain, Score};
use crate::collect::grading::{Grade, GradeKind, Grading, Normalisation};
use crate::collect::tasks::Rendering;
use crate::numeric::proportions::{paired_bootstrap, wilson};
use crate::numeric::statistics::mean;
use crate::seed;

/// The questions of a task, and how they were asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedTask {
    /// SHA-256 of the questions.
    pub sha256: Option<String>,
    /// How in-context questions are rendered.
    pub rendering: Option<Rendering>,
    /// Seed of in-context questions.
    pub seed: Option<u64>,
}

/// The question of an item.
#[derive(Debug, Clone, Copy)]
pub struct QuestionRef<'a> {
    /// Name of the task.
    pub task: &'a str,
    /// Number of shots.
    pub shots: usize,
    /// Name of the question, the same at every number of shots.
    pub question: &'a str,
}

/// Aggregates the grades of one model's answers.
#[derive(Debug, Clone)]
pub struct Tally {
    provider: String,
    model: String,
    /// Tasks in the order in which they were added.
    tasks: Vec<String>,
    counts: BTreeMap<(usize, usize), TallyCell>,
    repeated: usize,
    disagreed: usize,
    graded_by: Option<(String, Normalisation)>,
    /// The questions, by task.
    asked: BTreeMap<usize, AskedTask>,
}

#[derive(Debug, Clone, Default)]
struct TallyCell {
    kinds: BTreeMap<GradeKind, usize>,
    credit: f64,
    /// Sum over all items of the mean credit of their replicates. A replicate without a score counts as
    /// wrong.
    credit_all: f64,
    /// Mean credit of each scored question, with half the SHA-256 of its name. Half of the hash saves memory,
    /// because there may be millions of questions.
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
        Self {
            provider,
            model,
            tasks,
            counts,
            repeated: 0,
            disagreed: 0,
            graded_by: None,
            asked: BTreeMap::new(),
        }
    }

    /// Records how answers are graded.
    pub fn graded_by(self, how: &Grading) -> Self {
        Self { graded_by: Some((how.grader.to_string(), how.normalisation)), ..self }
    }

    /// Records the questions of a task.
    pub fn asked(&mut self, task: &str, asked: AskedTask) {
        let number = self.number(task);
        self.asked.insert(number, asked);
    }

    /// Adds an item with the grades of its replicates, in order. An item counts once. Its credit is the mean
    /// over the scored replicates. For [`Score::accuracy_all_as_wrong`], it is the mean over all replicates,
    /// where replicates without a score count as 0. If no replicate was scored, the item has the kind of the
    /// first replicate.
    pub fn add(&mut self, asked: QuestionRef<'_>, grades: &[Grade]) {
        let count = self.count(asked.task, asked.shots);
        let credits: Vec<f64> = grades.iter().filter_map(|grade| grade.credit).collect();
        let scored = !credits.is_empty();
        if scored {
            let all: Vec<f64> = grades.iter().map(|grade| grade.credit.unwrap_or(0.0)).collect();
            count.credit_all += mean(&all);
        }
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

    /// Records the model snapshot that answered a question, and the time, RFC 3339 in UTC.
    pub fn note(&mut self, asked: QuestionRef<'_>, snapshot: Option<&str>, collected_at: Option<&str>) {
        let count = self.count(asked.task, asked.shots);
        count.snapshots.extend(snapshot.map(Into::into));
        if let Some(at) =
            collected_at.filter(|at| count.collected_at.as_deref().is_none_or(|last| last < *at))
        {
            count.collected_at = Some(at.into());
        }
    }

    /// Adds an item with the rows of its replicates, in order.
    pub fn add_rows(&mut self, asked: QuestionRef<'_>, rows: &[&ItemRow]) {
        let grades: Vec<Grade> = rows.iter().map(|row| row.grade()).collect();
        self.add(asked, &grades);
        for row in rows {
            self.note(asked, row.model_snapshot.as_deref(), row.collected_at.as_deref());
        }
    }

    /// The number of questions that were asked more than once, and how many of these have different answers.
    pub fn disagreement(&self) -> (usize, usize) {
        (self.repeated, self.disagreed)
    }

    /// The scores, one row per task and number of shots.
    pub fn scores(&self) -> Vec<Score> {
        self.counts.iter().map(|((task, shots), count)| self.row(*task, *shots, count)).collect()
    }

    /// The gains between consecutive numbers of shots, and between the first and the last number.
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

    fn number(&mut self, task: &str) -> usize {
        self.tasks.iter().position(|known| known == task).unwrap_or_else(|| {
            self.tasks.push(task.into());
            self.tasks.len() - 1
        })
    }

    fn count(&mut self, task: &str, shots: usize) -> &mut TallyCell {
        let number = self.number(task);
        self.counts.entry((number, shots)).or_default()
    }

    fn row(&self, task: usize, shots: usize, count: &TallyCell) -> Score {
        let n = |kind: GradeKind| count.kinds.get(&kind).copied().unwrap_or(0);
        let (n_items, n_scored) = (count.kinds.values().sum(), n(GradeKind::Scored));
        let share = |credit: f64, n: usize| (n > 0).then(|| credit / n as f64);
        let interval = wilson(count.credit, n_scored);
        let graded_by = self.graded_by.as_ref();
        let asked = self.asked.get(&task).cloned().unwrap_or_default();
        let score = Score {
            provider: self.provider.clone(),
            model: self.model.clone(),
            model_snapshot: count.snapshots.iter().map(String::as_str).collect::<Vec<_>>().join("+"),
            task: self.tasks[task].clone(),
            shots,
            n_items,
            n_scored,
            n_refused: n(GradeKind::Refused),
            n_filtered: n(GradeKind::Filtered),
            n_truncated: n(GradeKind::Truncated),
            n_empty: n(GradeKind::Empty),
            n_unreadable: n(GradeKind::Unreadable),
            n_error: n(GradeKind::Error),
            accuracy: share(count.credit, n_scored),
            accuracy_low: interval.map(|(low, _)| low),
            accuracy_high: interval.map(|(_, high)| high),
            accuracy_all_as_wrong: share(count.credit_all, n_items),
            mean_logprob: (n_scored > 0 && count.n_logprob == n_scored)
                .then(|| count.logprob / n_scored as f64),
            collected_at: count.collected_at.clone(),
            grader: graded_by.map(|(grader, _)| grader.clone()),
            normalisation: graded_by.map(|(_, normalisation)| normalisation.version),
            ignore_case: graded_by.map(|(_, normalisation)| normalisation.ignore_case),
            ignore_punctuation: graded_by.map(|(_, normalisation)| normalisation.ignore_punctuation),
            rendering: asked.rendering.map(|rendering| rendering.name().to_owned()),
            task_sha256: asked.sha256,
            seed: asked.seed,
            settings_sha256: None,
        };
        let is_stated = score.settings().iter().any(|(_, value)| value.is_some());
        Score { settings_sha256: is_stated.then(|| score.settings_hash()), ..score }
    }
}

/// The gain between two numbers of shots; `None` if fewer than two questions were scored at both numbers of
/// shots.
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

/// Credits, sorted by question. If two items have the same question, the last item counts.
fn by_question(count: &TallyCell) -> Vec<([u8; 16], f64)> {
    let mut questions = count.questions.clone();
    questions.reverse();
    questions.sort_by_key(|(question, _)| *question);
    questions.dedup_by_key(|(question, _)| *question);
    questions
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
        // A replicate without a score counts as wrong.
        assert_eq!(row.accuracy_all_as_wrong, Some(2.0 / 3.0));
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
