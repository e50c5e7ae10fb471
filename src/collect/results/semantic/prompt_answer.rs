//! Reads the answer of the server to one prompt of a design.

use crate::collect::grading::first_token::{begins, first_visible, listed_logprob, most_likely};
use crate::collect::grading::{GradeKind, Grading, grade};
use crate::collect::tasks::{Item, LogprobSource};
use crate::provider::Answer;

/// A log-probability of the first token of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Logprob {
    /// The server did not return the log-probability.
    #[default]
    Missing,
    /// The server does not list the token, so its log-probability is only known to be low.
    Unlisted,
    /// The log-probability in nats.
    Nats(f64),
}

/// The answer of the server to one prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PromptAnswer {
    /// The normalised short answer. It may be empty, or truncated at the token limit.
    pub(super) text: Option<String>,
    /// 1 if the answer is right, 0 if it is wrong; `None` if it cannot be graded.
    pub(super) credit: Option<f64>,
    /// Whether the most likely next token begins the right answer.
    pub(super) is_top: Option<bool>,
    /// For each relation, the log-probability of the first token of the relation's answer.
    pub(super) logprobs: Vec<Logprob>,
}

impl PromptAnswer {
    /// A prompt without an answer, for `n_relations` relations.
    pub(super) fn unanswered(n_relations: usize) -> Self {
        Self { logprobs: vec![Logprob::Missing; n_relations], ..Self::default() }
    }

    /// Reads the short answer: its text, and the tokens that the server lists at the position of the first
    /// visible token. `answers` contains the right answer under each relation; `item` asks for one of them.
    pub(super) fn read(
        item: &Item,
        answers: &[String],
        answer: &Answer,
        how: &Grading,
        from: LogprobSource,
    ) -> Self {
        let graded = grade(item, std::slice::from_ref(answer), how);
        let is_text = match graded.kind {
            GradeKind::Scored | GradeKind::Empty => true,
            // Reasoning may use up all tokens before the answer begins.
            GradeKind::Truncated => !graded.extracted.is_empty(),
            _ => false,
        };
        let mut read = Self { credit: graded.credit, ..Self::unanswered(answers.len()) };
        if !is_text {
            return read;
        }
        if let (LogprobSource::Top, Some(token)) = (from, first_visible(answer)) {
            let ignore_case = how.normalisation.ignore_case;
            read.is_top = item.gold.first().map(|gold| begins(most_likely(token), gold, ignore_case));
            let of = |answer: &String| {
                listed_logprob(token, answer, ignore_case).map_or(Logprob::Unlisted, Logprob::Nats)
            };
            read.logprobs = answers.iter().map(of).collect();
        }
        read.text = Some(graded.extracted);
        read
    }

    /// The log-probability of the first token of a relation's answer, if it is known.
    pub(super) fn nats(&self, relation: usize) -> Option<f64> {
        match self.logprobs.get(relation) {
            Some(Logprob::Nats(nats)) => Some(*nats),
            _ => None,
        }
    }
}
