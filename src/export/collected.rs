//! Reads the graded answers of a collection folder for the exporters.

use std::path::Path;

use crate::collect::Replicate;
use crate::collect::grading::GradeKind;
use crate::collect::results::ItemRow;
use crate::collect::results::graded::{self, Visited};
use crate::collect::results::scores::Score;
use crate::collect::results::tally::{AskedTask, QuestionRef, Tally};
use crate::collect::results::writer::text_of;
use crate::collect::tasks::{Item, Task};
use crate::error::{Error, Result};
use crate::numeric::shown::count;
use crate::numeric::statistics::mean_of_means;
use crate::provider::{Message, Prompt, Role};
use crate::seed;

/// The graded answers of one folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// The API provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The grader of the answers.
    pub grader: String,
    /// The tasks. Each number of shots of a task is a separate entry.
    pub tasks: Vec<CollectedTask>,
    /// Number of questions without an answer yet.
    pub n_open: usize,
    /// Notes on answers that are not exported.
    pub notes: Vec<String>,
}

/// One task with one number of shots.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectedTask {
    /// Name of the task.
    pub name: String,
    /// Number of examples before each question.
    pub shots: usize,
    /// The row of the task in scores.csv.
    pub score: Score,
    /// The items of the task.
    pub items: Vec<CollectedItem>,
}

/// One question with its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectedItem {
    /// The id of the item.
    pub id: String,
    /// The prompt as messages. A text prompt becomes one user message.
    pub prompt: Vec<Message>,
    /// Correct answers.
    pub gold: Vec<String>,
    /// Choices; empty for a question without choices.
    pub choices: Vec<String>,
    /// The answers so far, in the order of the replicates.
    pub answers: Vec<CollectedAnswer>,
    /// Number of answers that the item has once the collection is complete.
    pub n_asked: usize,
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectedAnswer {
    /// The text of the answer; empty if the model returned none.
    pub text: String,
    /// The row of the answer in items.csv.
    pub row: ItemRow,
}

impl Collected {
    /// Reads a folder of `surmise collect` and grades its answers with the grader of its configuration.
    ///
    /// # Errors
    /// [`Error::Journal`], [`Error::Read`], [`Error::Parameter`]
    pub fn read(folder: &Path) -> Result<Self> {
        let mut tasks: Vec<(CollectedTask, Questions)> = vec![];
        let Visited { configuration, n_others, n_open, n_in_batches } =
            graded::visit(folder, |task, item, (answers, n_asked)| {
                let place = tasks
                    .iter()
                    .position(|(known, _)| (&known.name, known.shots) == (&item.task, item.shots));
                let place = place.unwrap_or_else(|| {
                    tasks.push(empty(task, item));
                    tasks.len() - 1
                });
                tasks[place].0.items.push(collected_item(item, answers, n_asked));
                Ok(())
            })?;
        let (provider, model) = (configuration.provider.clone(), configuration.model.clone());
        let drawn = Some((configuration.rendering, configuration.seed));
        for (task, questions) in &mut tasks {
            // Rendering and seed apply only to drawn tasks, not to questions from a file.
            let (rendering, seed) = drawn.filter(|_| questions.is_drawn).unzip();
            let mut tally = Tally::new(&provider, &model).graded_by(&configuration.grading);
            tally.asked(&task.name, AskedTask { sha256: Some(questions.sha256.clone()), rendering, seed });
            task.add_up(&mut tally);
            if let Some(score) = tally.scores().into_iter().next() {
                task.score = score;
            }
        }
        let (tasks, unanswered): (Vec<_>, Vec<_>) =
            tasks.into_iter().map(|(task, _)| task).partition(|task| task.n_answered() > 0);
        if tasks.is_empty() {
            let reason =
                format!("{} contains no graded answers, so there is nothing to export", folder.display());
            return Err(Error::Parameter { name: "DIR", reason });
        }
        let note = format!(
            "{n_others} prompts for texts or log-probabilities are not exported, because they are not graded"
        );
        let mut notes = if n_others > 0 { vec![note] } else { vec![] };
        if n_open > 0 {
            let of_batch = match n_in_batches {
                0 => String::new(),
                n => format!(", {n} of them in a batch that has not ended"),
            };
            notes.push(format!(
                "{n_open} questions have no answer yet{of_batch}; the export contains the other answers and \
                 is marked as incomplete"
            ));
        }
        notes.extend(unanswered.iter().map(|task| {
            format!(
                "{} with {} is not exported, because it has no answer yet",
                task.name,
                count(task.shots, "shot")
            )
        }));
        Ok(Self { provider, model, grader: configuration.grading.grader.to_string(), tasks, n_open, notes })
    }

    /// A hash of the answers. Equal answers have equal hashes.
    pub(super) fn identity(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.provider, self.model, self.grader);
        for task in &self.tasks {
            text.push_str(&format!("{}\n{}\n", task.name, task.shots));
            for item in &task.items {
                for answer in &item.answers {
                    text.push_str(&format!("{}\n{}\n{:?}\n", item.id, answer.text, answer.row.credit));
                }
            }
        }
        seed::sha256_hex(text.as_bytes())
    }

    /// The time at which the last answer was collected.
    pub(super) fn last(&self) -> jiff::Timestamp {
        let times = self.tasks.iter().filter_map(|task| task.score.collected_at.as_ref()?.parse().ok());
        times.max().unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl CollectedTask {
    /// Number of items with an answer.
    pub(super) fn n_answered(&self) -> usize {
        self.items.iter().filter(|item| !item.answers.is_empty()).count()
    }

    /// Whether every item has all its answers.
    pub(super) fn is_whole(&self) -> bool {
        self.items.iter().all(|item| item.answers.len() == item.n_asked)
    }

    fn add_up(&self, tally: &mut Tally) {
        for item in &self.items {
            let Some(first) = item.answers.first() else { continue };
            let asked = QuestionRef { task: &self.name, shots: self.shots, question: &first.row.question };
            tally.add_rows(asked, &item.answers.iter().map(|answer| &answer.row).collect::<Vec<_>>());
        }
    }

    /// Maximum number of answers to an item.
    pub(super) fn n_replicates(&self) -> usize {
        self.items.iter().map(|item| item.answers.len()).max().unwrap_or(1)
    }

    /// Mean over items of the mean credit of their answers, and the number of items. Answers without credit
    /// count as wrong. With `without_failed`, failed requests are excluded.
    pub(super) fn mean(&self, without_failed: bool) -> (Option<f64>, usize) {
        let is_counted = |answer: &&CollectedAnswer| !(without_failed && answer.row.kind == GradeKind::Error);
        mean_of_means(self.items.iter().map(|item| {
            let counted = item.answers.iter().filter(is_counted);
            counted.map(|answer| answer.row.credit.unwrap_or(0.0)).collect()
        }))
    }

    /// Standard error of a proportion.
    pub(super) fn standard_error(share: f64, n: usize) -> Option<f64> {
        (n > 1).then(|| (share * (1.0 - share) / (n - 1) as f64).sqrt())
    }
}

impl CollectedItem {
    /// The last message of the prompt, without the examples and instructions in earlier messages.
    pub(super) fn question(&self) -> &str {
        self.prompt.last().map_or("", |message| &message.content)
    }
}

/// The source of the questions of a task.
struct Questions {
    sha256: String,
    is_drawn: bool,
}

fn empty(task: &Task, item: &Item) -> (CollectedTask, Questions) {
    let score = Score::of_accuracy("", "", &item.task, item.shots, 0, 0.0);
    let questions = Questions { sha256: task.sha256.clone(), is_drawn: task.is_drawn() };
    (CollectedTask { name: item.task.clone(), shots: item.shots, score, items: vec![] }, questions)
}

fn collected_item(item: &Item, answers: Vec<(Replicate, ItemRow)>, n_asked: usize) -> CollectedItem {
    let prompt = match item.prompts.first() {
        // If choices are compared by log-probability, each prompt ends with a choice, which is removed here.
        Some(Prompt::Text(text)) if item.prompts.len() > 1 => {
            vec![user(text.chars().take(item.boundary).collect())]
        }
        Some(Prompt::Text(text)) => vec![user(text.clone())],
        Some(Prompt::Messages(messages)) => messages.clone(),
        None => vec![],
    };
    let answers = answers.into_iter().map(|(replicate, row)| {
        let text = if item.prompts.len() > 1 { Some(row.answer.clone()) } else { first_text(&replicate) };
        CollectedAnswer { text: text.unwrap_or_default(), row }
    });
    let (gold, choices) = (item.gold.clone(), item.choices.clone());
    CollectedItem { id: item.id.clone(), prompt, gold, choices, answers: answers.collect(), n_asked }
}

fn first_text(replicate: &Replicate) -> Option<String> {
    text_of(&replicate.answers.first()?.outcome).map(Into::into)
}

fn user(content: String) -> Message {
    Message { role: Role::User, content }
}
