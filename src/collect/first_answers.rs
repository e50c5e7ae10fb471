//! Checks the first answers of a run, including answers of earlier runs. A run whose answers cannot be graded
//! or are never right ends early, before the remaining questions cost money.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::echo_rows::EchoRows;
use super::grading::{GradeKind, Grading, QuestionForm, grade};
use super::item::Item;
use super::journal::{Journal, JournalReader};
use super::plan::{KeyedQuestion, Pending, Plan, Question};
use super::results::check::{ANSWERS, Hints, RunCheck, Tolerated};
use super::results::{decode, replay};
use super::tasks::TaskKind;
use crate::error::Result;
use crate::provider::{Answer, Outcome};

/// If more than one in this many pending questions would be sent individually before batches, none is sent
/// individually, because a request costs twice as much outside a batch.
const SMALL_SHARE: usize = 10;

/// A question whose answer is checked.
pub(crate) struct CheckedQuestion {
    question: Question,
    item: Item,
    kind: TaskKind,
    how: Grading,
}

impl CheckedQuestion {
    fn new(plan: &Plan, grading: &Grading, question: Question, item: &Item) -> Self {
        let task = &plan.tasks[question.task as usize];
        let mut how = grading.clone();
        how.stops.extend(task.stops.iter().cloned());
        Self { question, item: item.clone(), kind: task.kind, how }
    }
}

/// The first answers of a run.
pub(crate) struct FirstAnswers {
    grading: Grading,
    tolerated: Tolerated,
    hints: Hints,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    check: RunCheck,
    rows: EchoRows,
    /// Answers to items that still lack the answer to some prompt: by task and item, then by prompt.
    waiting: HashMap<(u32, u32), HashMap<u32, Answer>>,
    is_done: bool,
}

impl FirstAnswers {
    pub(super) fn new(grading: &Grading, tolerated: Tolerated, hints: Hints) -> Self {
        let state = State { is_done: tolerated.all(), ..State::default() };
        Self { grading: grading.clone(), tolerated, hints, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a sample of the answers of earlier runs, evenly spaced over all of them. Returns the fault of the
    /// answers, if they have one.
    ///
    /// # Errors
    /// Returns an error if the journal or an item cannot be read.
    pub(super) fn add_earlier(
        &self,
        plan: &Plan,
        pending: &Pending,
        journal: &Journal,
    ) -> Result<Option<String>> {
        let mut state = self.state();
        if state.is_done || pending.answered.is_empty() {
            return Ok(None);
        }
        let mut reader = JournalReader::open(&journal.path)?;
        for (task, number) in spread(&pending.answered) {
            let (item, questions) = plan.first_questions(task, number, &journal.index)?;
            let mut answers = vec![];
            for KeyedQuestion { key, .. } in &questions {
                if let Some(arrival) = replay::arrival(&journal.index, &mut reader, key)? {
                    answers.push(decode::answer(plan.provider, &arrival));
                }
            }
            let question = Question { task, item: number, prompt: 0, replicate: 0 };
            state.note(&CheckedQuestion::new(plan, &self.grading, question, &item), &answers);
        }
        Ok(self.finding(&mut state))
    }

    /// Checks only the answers of earlier runs, and does not add them to this check. Returns the fault, if
    /// there is one.
    ///
    /// # Errors
    /// Returns an error if the journal or an item cannot be read.
    pub(super) fn of_earlier(
        &self,
        plan: &Plan,
        pending: &Pending,
        journal: &Journal,
    ) -> Result<Option<String>> {
        Self::new(&self.grading, self.tolerated, self.hints).add_earlier(plan, pending, journal)
    }

    /// Prepares the check of the answer to a question; `None` if this answer is not checked.
    pub(super) fn question(
        &self,
        plan: &Plan,
        question: &Question,
        item: &Item,
    ) -> Option<Box<CheckedQuestion>> {
        let is_checked = question.replicate == 0 && !self.state().is_done;
        is_checked.then(|| Box::new(CheckedQuestion::new(plan, &self.grading, *question, item)))
    }

    /// Adds an answer. Once there are enough answers, returns their fault, if they have one.
    pub(crate) fn add(&self, checked: Option<&CheckedQuestion>, answer: &Answer) -> Option<String> {
        let checked = checked.filter(|_| !matches!(answer.outcome, Outcome::Failed(_)))?;
        let mut state = self.state();
        if state.is_done {
            return None;
        }
        let (place, n) = ((checked.question.task, checked.question.item), checked.item.prompts.len());
        let waiting = state.waiting.entry(place).or_default();
        waiting.insert(checked.question.prompt, answer.clone());
        if waiting.len() < n {
            return None;
        }
        let mut waiting = state.waiting.remove(&place).unwrap_or_default();
        let answers: Vec<Answer> = (0..n as u32).filter_map(|prompt| waiting.remove(&prompt)).collect();
        state.note(checked, &answers);
        self.finding(&mut state)
    }

    fn finding(&self, state: &mut State) -> Option<String> {
        if state.is_done {
            return None;
        }
        if let Some(reason) = state.rows.finding().filter(|_| !self.tolerated.wrong) {
            state.is_done = true;
            state.waiting.clear();
            return Some(reason);
        }
        if state.check.n_answers() < ANSWERS {
            return None;
        }
        state.is_done = true;
        state.waiting.clear();
        state.check.finding(self.tolerated, self.hints)
    }
}

impl State {
    fn note(&mut self, checked: &CheckedQuestion, answers: &[Answer]) {
        match checked.kind {
            TaskKind::Graded => {
                let graded = grade(&checked.item, answers, &checked.how);
                if graded.kind == GradeKind::Scored
                    && checked.how.grader.question_form() == QuestionForm::EachChoice
                {
                    self.rows.add(answers, is_tied(&checked.item, graded.credit));
                }
                if graded.kind != GradeKind::Error {
                    self.check.add(&checked.item, answers, &checked.how, &graded);
                }
            }
            TaskKind::Texts => answers.iter().take(1).for_each(|answer| self.check.add_text(&answer.outcome)),
            TaskKind::Likelihoods => {}
        }
    }
}

/// Whether all choices of an item have the same log-probability. The credit of such an item is the share of
/// right choices.
fn is_tied(item: &Item, credit: Option<f64>) -> bool {
    let n_right = item.choices.iter().filter(|choice| item.gold.contains(choice)).count();
    n_right < item.choices.len() && credit == Some(n_right as f64 / item.choices.len() as f64)
}

/// At most [`ANSWERS`] elements, evenly spaced over a list.
fn spread<T: Copy>(list: &[T]) -> Vec<T> {
    let n = list.len().min(ANSWERS);
    (0..n).map(|k| list[k * list.len() / n]).collect()
}

/// The questions to send individually before batches. A batch is billed as a whole, so a run with unusable
/// answers should end before its first batch. The check needs answers to [`ANSWERS`] items. The result
/// contains the questions of the items that still lack answers, or is empty if it would contain more than one
/// in [`SMALL_SHARE`] of the pending questions.
pub(super) fn before_batches(plan: &Plan, pending: &Pending) -> Vec<Question> {
    let is_checked = |question: &&Question| {
        let kind = plan.tasks[question.task as usize].kind;
        question.replicate == 0 && !matches!(kind, TaskKind::Likelihoods)
    };
    let checked = || pending.questions.iter().filter(is_checked);
    let mut items: Vec<(u32, u32)> = checked().map(|question| (question.task, question.item)).collect();
    items.dedup();
    let n = ANSWERS.saturating_sub(pending.answered.len()).min(items.len());
    let chosen: HashSet<(u32, u32)> = (0..n).map(|k| items[k * items.len() / n]).collect();
    let first: Vec<Question> =
        checked().filter(|question| chosen.contains(&(question.task, question.item))).copied().collect();
    if first.len() * SMALL_SHARE > pending.questions.len() { vec![] } else { first }
}

/// Moves evenly spaced questions to the beginning of a list, so that the first answers come from all tasks
/// and numbers of shots.
pub(super) fn spread_first(questions: &mut Vec<Question>) {
    let n = questions.len();
    if n <= ANSWERS {
        return;
    }
    let chosen: Vec<usize> = (0..ANSWERS).map(|k| k * n / ANSWERS).collect();
    let first: Vec<Question> = chosen.iter().map(|at| questions[*at]).collect();
    let mut next = chosen.iter().copied().peekable();
    let rest = questions.iter().enumerate().filter(|(at, _)| next.next_if_eq(at).is_none());
    let rest: Vec<Question> = rest.map(|(_, question)| *question).collect();
    *questions = first;
    questions.extend(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_questions_are_of_all_parts_and_none_is_lost() {
        let question = |item: u32| Question { task: 0, item, prompt: 0, replicate: 0 };
        let mut questions: Vec<Question> = (0..100).map(question).collect();
        spread_first(&mut questions);
        let items: Vec<u32> = questions.iter().map(|question| question.item).collect();
        assert_eq!(items[..4], [0, 5, 10, 15]);
        assert_eq!((items[19], items[20], items[24]), (95, 1, 6));
        let mut sorted = items.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<u32>>());
        assert_eq!(spread(&[1, 2, 3]), [1, 2, 3]);
        assert_eq!(spread(&(0..40).collect::<Vec<_>>()).len(), 20);
    }
}
