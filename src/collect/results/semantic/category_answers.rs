//! The answers to the design of one category.

use super::prompt_answer::{Logprob, PromptAnswer};
use crate::collect::grading::first_token::FirstToken;
use crate::collect::grading::{Grading, Normalisation};
use crate::collect::tasks::{Item, LogprobSource};
use crate::corpus::FactorialDesign;
use crate::emergence::semantic::Layout;
use crate::provider::{Answer, Prompt};

/// The answers to the design of one category.
#[derive(Debug)]
pub(super) struct CategoryAnswers {
    pub(super) design: FactorialDesign,
    pub(super) layout: Layout,
    pub(super) logprobs_from: LogprobSource,
    /// In the order of the items: at each number of shots, as [`Layout::place`] has them.
    pub(super) prompts: Vec<PromptAnswer>,
    /// For each query and relation the first token of the answer as the server writes it, where it echoes it.
    first_tokens: Vec<Option<String>>,
    /// Items with log-probabilities that were read so far.
    n_scored: usize,
    /// Why the log-probabilities of a prompt cannot be read, the first time.
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

    /// The answers of all relations to a query.
    fn answers(&self, query: usize) -> &[String] {
        self.design.queries[query].answers.as_deref().unwrap_or_default()
    }

    /// The query of an item, of those in their order.
    fn query(&self, number: usize) -> usize {
        number % self.layout.len() / (self.layout.relations * self.layout.sets)
    }

    /// Adds the short answer to the next prompt, if there is one.
    pub(super) fn add(&mut self, item: &Item, answer: Option<&Answer>, how: &Grading) {
        let answers = self.answers(self.query(self.prompts.len()));
        let read = answer.map(|answer| PromptAnswer::read(item, answers, answer, how, self.logprobs_from));
        self.prompts.push(read.unwrap_or_else(|| PromptAnswer::unanswered(answers.len())));
    }

    /// Adds what the server says of the next prompt with each relation's answer behind it.
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

    /// Whether query `x` is left out of the comparison of the outputs of relations `p` and `q`: their answers
    /// begin with the same token; where the server's tokens are not known, with the same character in lower
    /// case, so that no token can begin both.
    pub(super) fn is_output_left_out(&self, p: usize, q: usize, x: usize) -> bool {
        if self.logprobs_from == LogprobSource::Echo {
            let token = |r: usize| self.first_tokens[x * self.layout.relations + r].as_ref();
            return token(p).is_some_and(|token_of_p| Some(token_of_p) == token(q));
        }
        let answers = self.answers(x);
        let first = |r: usize| answers.get(r).and_then(|answer| answer.to_lowercase().chars().next());
        first(p) == first(q)
    }

    /// Whether query `x` is left out of the comparison of the answers in relations `p` and `q`: the right
    /// ones are the same.
    pub(super) fn is_answer_left_out(&self, p: usize, q: usize, x: usize, normal: Normalisation) -> bool {
        let answers = self.answers(x);
        let of = |r: usize| answers.get(r).map(|answer| normal.apply(answer));
        of(p) == of(q)
    }

    /// Whether the echo and the short answer to a prompt contradict each other: the first token of the right
    /// answer is the most likely one and does not begin the short answer, or it is not and the short answer
    /// is right. `None` where one of the two is missing.
    pub(super) fn is_contradicted(&self, place: usize) -> Option<bool> {
        let prompt = self.prompts.get(place)?;
        let (text, is_top) = (prompt.text.as_deref()?, prompt.is_top?);
        let relation = place / self.layout.sets % self.layout.relations;
        let token = self.first_tokens[self.query(place) * self.layout.relations + relation].as_deref()?;
        let normal = Normalisation::default();
        let begins = normal.apply(text).to_lowercase().starts_with(&normal.apply(token).to_lowercase());
        Some(if is_top { !begins } else { prompt.credit == Some(1.0) })
    }

    /// How many queries are left out of pairs of relations, over all pairs.
    pub(super) fn n_left_out(&self, is_left_out: impl Fn(usize, usize, usize) -> bool) -> usize {
        let Layout { queries, relations, .. } = self.layout;
        let pairs = (0..relations).flat_map(|p| (0..p).map(move |q| (p, q)));
        pairs.map(|(p, q)| (0..queries).filter(|x| is_left_out(p, q, *x)).count()).sum()
    }
}
