//! Stores the answers to the factorial design of one category.

use super::prompt_answer::{Logprob, PromptAnswer};
use crate::collect::grading::first_token::FirstToken;
use crate::collect::grading::{Grading, Normalisation};
use crate::collect::tasks::{Item, LogprobSource};
use crate::corpus::FactorialDesign;
use crate::emergence::semantic::Layout;
use crate::provider::{Answer, Prompt};

/// The answers to the factorial design of one category.
#[derive(Debug)]
pub(super) struct CategoryAnswers {
    pub(super) design: FactorialDesign,
    pub(super) layout: Layout,
    pub(super) logprobs_from: LogprobSource,
    /// The answers in the order of the items: by number of shots, then in the order of [`Layout::place`].
    pub(super) prompts: Vec<PromptAnswer>,
    /// For each query and relation, the first token of the answer as the server tokenizes it, if the server
    /// echoes prompts.
    first_tokens: Vec<Option<String>>,
    /// Number of items with scored prompts that were read so far.
    n_scored: usize,
    /// The first reason why the log-probabilities of a prompt could not be read.
    pub(super) unreadable: Option<String>,
}

impl CategoryAnswers {
    pub(super) fn new(design: FactorialDesign, logprobs_from: LogprobSource) -> Self {
        let layout = Layout {
            queries: design.queries.len(),
            relations: design.relations.len(),
            sets: design.n_sets(),
        };
        let first_tokens = vec![None; layout.queries * layout.relations];
        Self { design, layout, logprobs_from, prompts: vec![], first_tokens, n_scored: 0, unreadable: None }
    }

    /// The right answers to a query, one per relation.
    fn answers(&self, query: usize) -> &[String] {
        self.design.queries[query].answers.as_deref().unwrap_or_default()
    }

    /// The query of the item with this number.
    fn query(&self, number: usize) -> usize {
        number % self.layout.len() / (self.layout.relations * self.layout.sets)
    }

    /// Adds the short answer to the next prompt, if there is one.
    pub(super) fn add(&mut self, item: &Item, answer: Option<&Answer>, how: &Grading) {
        let answers = self.answers(self.query(self.prompts.len()));
        let read = answer.map(|answer| PromptAnswer::read(item, answers, answer, how, self.logprobs_from));
        self.prompts.push(read.unwrap_or_else(|| PromptAnswer::unanswered(answers.len())));
    }

    /// Adds the log-probabilities of the next prompt with each relation's answer appended.
    pub(super) fn add_likelihoods(&mut self, item: &Item, answers: &[Answer]) {
        let number = self.n_scored;
        self.n_scored += 1;
        let query = self.query(number);
        let relation = number / self.layout.sets % self.layout.relations;
        let Some(prompt) = self.prompts.get_mut(number) else { return };
        for (r, (answer, text)) in answers.iter().zip(&item.prompts).enumerate() {
            let Prompt::Text(text) = text else { continue };
            match FirstToken::echoed(answer, text, item.boundary) {
                Ok(Some(first)) => {
                    prompt.logprobs[r] = Logprob::Nats(first.logprob_nats);
                    if r == relation {
                        prompt.is_top = first.is_top;
                    }
                    self.first_tokens[query * self.layout.relations + r].get_or_insert(first.text);
                }
                Ok(None) => {}
                Err(why) => drop(self.unreadable.get_or_insert(why)),
            }
        }
    }

    /// Whether query `x` is excluded from the comparison of the outputs of relations `p` and `q`, because
    /// their answers begin with the same token. If the server's tokens are unknown, the first characters in
    /// lower case are compared instead: if these characters differ, no token can begin both answers.
    pub(super) fn is_output_left_out(&self, p: usize, q: usize, x: usize) -> bool {
        if self.logprobs_from == LogprobSource::Echo {
            let token = |r: usize| self.first_tokens[x * self.layout.relations + r].as_ref();
            return token(p).is_some_and(|token_of_p| Some(token_of_p) == token(q));
        }
        let answers = self.answers(x);
        let first = |r: usize| answers.get(r).and_then(|answer| answer.to_lowercase().chars().next());
        first(p) == first(q)
    }

    /// Whether query `x` is excluded from the comparison of the answers under relations `p` and `q`, because
    /// the right answers are the same.
    pub(super) fn is_answer_left_out(&self, p: usize, q: usize, x: usize, normal: Normalisation) -> bool {
        let answers = self.answers(x);
        let of = |r: usize| answers.get(r).map(|answer| normal.apply(answer));
        of(p) == of(q)
    }

    /// Whether the echo and the short answer to a prompt contradict each other. This is so if the first token
    /// of the right answer is the most likely token but does not begin the short answer, or if another token
    /// is the most likely token but the short answer is right. `None` if the echo or the short answer is
    /// missing.
    pub(super) fn is_contradicted(&self, place: usize) -> Option<bool> {
        let prompt = self.prompts.get(place)?;
        let (text, is_top) = (prompt.text.as_deref()?, prompt.is_top?);
        let relation = place / self.layout.sets % self.layout.relations;
        let token = self.first_tokens[self.query(place) * self.layout.relations + relation].as_deref()?;
        let normal = Normalisation::default();
        let begins = normal.apply(text).to_lowercase().starts_with(&normal.apply(token).to_lowercase());
        Some(if is_top { !begins } else { prompt.credit == Some(1.0) })
    }

    /// The number of excluded queries, summed over all pairs of relations.
    pub(super) fn n_left_out(&self, is_left_out: impl Fn(usize, usize, usize) -> bool) -> usize {
        let Layout { queries, relations, .. } = self.layout;
        let pairs = (0..relations).flat_map(|p| (0..p).map(move |q| (p, q)));
        pairs.map(|(p, q)| (0..queries).filter(|x| is_left_out(p, q, *x)).count()).sum()
    }
}
