//! Checks the first answers of a run, those of earlier runs included, so that a run whose answers cannot be
//! graded or are never right ends before it is paid for.

use std::collections::HashMap;

use super::grading::{Grade, GradeKind, Grading, grade};
use super::item::Item;
use super::journal::{Journal, JournalReader};
use super::plan::{KeyedQuestion, Pending, Plan, Question};
use super::results::check::{ANSWERS, Hints, RunCheck, Tolerated};
use super::results::{decode, replay};
use super::tasks::TaskKind;
use crate::error::Result;
use crate::provider::Answer;

/// The first answers of a run.
pub(super) struct FirstAnswers {
    grading: Grading,
    tolerated: Tolerated,
    hints: Hints,
    check: RunCheck,
    /// Answers to some of the prompts of an item: task and item, then the prompts.
    waiting: HashMap<(u32, u32), HashMap<u32, Answer>>,
    is_done: bool,
}

impl FirstAnswers {
    pub(super) fn new(grading: &Grading, tolerated: Tolerated, hints: Hints) -> Self {
        Self {
            grading: grading.clone(),
            tolerated,
            hints,
            check: RunCheck::default(),
            waiting: HashMap::new(),
            is_done: tolerated.all(),
        }
    }

    /// Adds answers of earlier runs, spread over all that there are. Returns what is wrong with them.
    ///
    /// # Errors
    /// Those of reading the journal or an item.
    pub(super) fn add_earlier(
        &mut self,
        plan: &Plan,
        pending: &Pending,
        journal: &Journal,
    ) -> Result<Option<String>> {
        if self.is_done || pending.answered.is_empty() {
            return Ok(None);
        }
        let mut reader = JournalReader::open(&journal.path)?;
        for (task, item) in spread(&pending.answered) {
            let (item, questions) = plan.first_questions(task, item, &journal.index)?;
            let mut answers = vec![];
            for KeyedQuestion { key, .. } in &questions {
                if let Some(arrival) = replay::arrival(&journal.index, &mut reader, key)? {
                    answers.push(decode::answer(plan.provider, &arrival));
                }
            }
            self.note(plan, task, &item, &answers);
        }
        Ok(self.finding())
    }

    /// Adds an answer. Returns what is wrong with all so far once they are enough to tell.
    ///
    /// # Errors
    /// Those of reading an item.
    pub(super) fn add(&mut self, plan: &Plan, question: &Question, answer: Answer) -> Result<Option<String>> {
        if self.is_done || question.replicate != 0 {
            return Ok(None);
        }
        let item = plan.item(question)?;
        let place = (question.task, question.item);
        let waiting = self.waiting.entry(place).or_default();
        waiting.insert(question.prompt, answer);
        if waiting.len() < item.prompts.len() {
            return Ok(None);
        }
        let mut waiting = self.waiting.remove(&place).unwrap_or_default();
        let answers: Vec<Answer> =
            (0..item.prompts.len() as u32).filter_map(|prompt| waiting.remove(&prompt)).collect();
        self.note(plan, question.task, &item, &answers);
        Ok(self.finding())
    }

    fn note(&mut self, plan: &Plan, task: u32, item: &Item, answers: &[Answer]) {
        let task = &plan.tasks[task as usize];
        match task.kind {
            TaskKind::Graded => {
                let mut how = self.grading.clone();
                how.stops.extend(task.stops.iter().cloned());
                let graded: Grade = grade(item, answers, &how);
                if graded.kind != GradeKind::Error {
                    self.check.add(item, answers, &how, &graded);
                }
            }
            TaskKind::Texts => answers.iter().take(1).for_each(|answer| self.check.add_text(&answer.outcome)),
            TaskKind::Likelihoods => {}
        }
    }

    fn finding(&mut self) -> Option<String> {
        if self.is_done || self.check.n_answers() < ANSWERS {
            return None;
        }
        self.is_done = true;
        self.waiting.clear();
        self.check.finding(self.tolerated, self.hints)
    }
}

/// As many as are checked, spread over a list.
fn spread<T: Copy>(list: &[T]) -> Vec<T> {
    let n = list.len().min(ANSWERS);
    (0..n).map(|k| list[k * list.len() / n]).collect()
}

/// Moves questions from all parts of a list to its beginning, so that the first answers are of all tasks and
/// numbers of shots.
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
