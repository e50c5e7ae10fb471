//! The prompts of a design with the states and outputs of one model.

use ndarray::Array2;

use super::condition::Layout;
use super::estimate::Exclusions;
use crate::corpus::{DesignPrompts, FactorialDesign};
use crate::error::Result;
use crate::model::PromptStates;
use crate::model::decoder::Decoder;

/// The prompts of a design as tokens, with the states and outputs of one decoder.
pub(super) struct PromptGrid<'a> {
    pub(super) layout: Layout,
    pub(super) prompts: &'a DesignPrompts,
    pub(super) states: &'a PromptStates,
}

impl<'a> PromptGrid<'a> {
    pub(super) fn new(
        design: &FactorialDesign,
        prompts: &'a DesignPrompts,
        states: &'a PromptStates,
    ) -> Self {
        Self { layout: layout(design), prompts, states }
    }

    /// The states of all prompts with a number of shots, after a block.
    pub(super) fn rows(&self, shots_index: usize, block: usize) -> Result<Array2<f32>> {
        let first = shots_index * self.layout.len();
        self.states.rows(block, first..first + self.layout.len())
    }

    /// The logit of the answer of relation `r` after prompt `(p, s, x)`.
    pub(super) fn logit(
        &self,
        shots_index: usize,
        block: usize,
        (p, s, x): (usize, usize, usize),
        r: usize,
    ) -> Option<f64> {
        let token = *self.prompts.answer_tokens[x].get(r)?;
        self.states.logit(block, self.prompts.place(shots_index, x, p, s), token)
    }
}

/// The sizes of a design.
pub(super) fn layout(design: &FactorialDesign) -> Layout {
    Layout { queries: design.queries.len(), relations: design.relations.len(), sets: design.n_sets() }
}

/// Runs a decoder over the prompts. `progress` receives the number of batches done and their total.
pub(super) fn run(
    decoder: &Decoder,
    name: &str,
    prompts: &DesignPrompts,
    room_bytes: Option<u64>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<PromptStates> {
    let tokens = prompts.answer_tokens.concat();
    PromptStates::with_progress(decoder, name, &prompts.windows, &tokens, room_bytes, progress)
}

/// The comparisons to leave out at a number of shots.
pub(super) fn exclusions(design: &FactorialDesign, prompts: &DesignPrompts, shots: usize) -> Exclusions {
    let Layout { queries, relations, sets } = layout(design);
    let mut left_out = vec![];
    for x in 0..queries {
        for p in 0..relations {
            left_out.extend((0..relations).map(|q| prompts.is_left_out(p, q, x)));
        }
    }
    let shared =
        |r: usize, q: usize, s: usize, t: usize| prompts.shares_answer_token(design, shots, (r, s), (q, t));
    let mut no_shared_answer = vec![];
    for p in 0..relations {
        for q in 0..relations {
            for s in 0..sets {
                // Keep the same sets for both relations and both directions of a comparison. Then a state
                // that depends only on the examples scores 0, and all relations have equal weight.
                let pairs = [(p, p), (p, q), (q, p), (q, q)];
                no_shared_answer
                    .extend((0..sets).map(|t| t != s && !pairs.iter().any(|(a, b)| shared(*a, *b, s, t))));
            }
        }
    }
    Exclusions { left_out, no_shared_answer }
}
