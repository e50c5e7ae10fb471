//! What the model's own output tells of the relation, from the first tokens of the answers.
//!
//! # Formula
//! ```text
//! O = mean over pairs, sets and queries of [ 1 - log2(1 + p(answer of q) / p(answer of p)) ]
//! ```
//!
//! `p(answer)` is the probability of the answer's first token after the prompt `(p, s, x)`. `O` is at most 1,
//! 0 where both answers are equally likely, and has no lower bound.

use std::f64::consts::LN_2;

use super::jackknife::{Cell, Replicated};
use super::prompt_grid::PromptGrid;

/// Accuracy and log-probability of the right answers at one number of shots.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputEstimate {
    /// The share of prompts whose most likely next token begins the right answer.
    pub accuracy: Replicated,
    /// The mean log-probability of the first token of the right answer.
    pub logprob_nats: Replicated,
}

/// `O` by the logit lens after a block, for the last block of the model's own output. `None` without a head
/// or without answers.
pub(super) fn output_share(grid: &PromptGrid<'_>, shots_index: usize, block: usize) -> Option<Replicated> {
    let n_relations = grid.layout.relations;
    let of_cell = |x: usize, s: usize| -> Option<Cell> {
        let (mut sum, mut count) = (0.0, 0.0);
        for p in 0..n_relations {
            let logit = |r: usize| grid.logit(shots_index, block, (p, s, x), r);
            for q in (0..n_relations).filter(|q| *q != p && !grid.prompts.is_left_out(p, *q, x)) {
                let ratio = logit(q)? - logit(p)?;
                let log = if ratio > 0.0 { ratio + (-ratio).exp().ln_1p() } else { ratio.exp().ln_1p() };
                sum += 1.0 - log / LN_2;
                count += 1.0;
            }
        }
        Some((sum, count))
    };
    mean(grid, of_cell)
}

/// Accuracy and log-probability; `None` without a head or without answers.
pub(super) fn output(grid: &PromptGrid<'_>, shots_index: usize) -> Option<OutputEstimate> {
    let of_prompts = |value: &dyn Fn(usize, u32) -> Option<f64>| {
        mean(grid, |x, s| {
            let values = (0..grid.layout.relations).map(|r| {
                value(grid.prompts.place(shots_index, x, r, s), *grid.prompts.answer_tokens[x].get(r)?)
            });
            Some((values.sum::<Option<f64>>()?, grid.layout.relations as f64))
        })
    };
    let states = grid.states;
    Some(OutputEstimate {
        accuracy: of_prompts(&|prompt, token| Some(f64::from(states.top_token(prompt)? == token)))?,
        logprob_nats: of_prompts(&|prompt, token| states.log_probability(prompt, token))?,
    })
}

fn mean(grid: &PromptGrid<'_>, of_cell: impl Fn(usize, usize) -> Option<Cell>) -> Option<Replicated> {
    let (n_queries, n_sets) = (grid.layout.queries, grid.layout.sets);
    let cells = (0..n_queries * n_sets).map(|cell| of_cell(cell / n_sets, cell % n_sets));
    Replicated::mean_of_cells(&cells.collect::<Option<Vec<_>>>()?, n_sets)
}
