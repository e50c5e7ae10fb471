//! Measures how well the output of the model identifies the relation, from the first tokens of the answers.
//!
//! # Formula
//! ```text
//! O = mean over pairs, sets and queries of [ 1 - log2(1 + p(answer of q) / p(answer of p)) ]
//! ```
//!
//! `p(answer)` is the probability of the first token of the answer after the prompt `(p, s, x)`. `O` is at
//! most 1, is 0 if both answers are equally likely, and has no lower bound.

use std::f64::consts::LN_2;

use super::condition::{Crossing, Layout};
use super::jackknife::{Cell, Replicated};
use super::prompt_grid::PromptGrid;

/// Accuracy and log-probability of the correct answers at one number of shots.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputEstimate {
    /// The share of prompts whose most likely next token is the first token of the correct answer.
    pub accuracy: Replicated,
    /// The mean log-probability of the first token of the correct answer.
    pub logprob_nats: Replicated,
}

/// `O` from the logit lens after a block; after the last block, this is `O` of the output of the model.
/// `None` if the model has no output head or there are no answers.
pub(super) fn output_share(grid: &PromptGrid<'_>, shots_index: usize, block: usize) -> Option<Replicated> {
    let is_left_out = |p: usize, q: usize, x: usize| grid.prompts.is_left_out(p, q, x);
    share_of(grid.layout, is_left_out, |at, r| grid.logit(shots_index, block, at, r))
}

/// Accuracy and log-probability. `None` if the model has no output head or there are no answers.
pub(super) fn output(grid: &PromptGrid<'_>, shots_index: usize) -> Option<OutputEstimate> {
    let (prompts, states) = (grid.prompts, grid.states);
    let of_prompts = |value: &dyn Fn(usize, u32) -> Option<f64>| {
        mean_of_prompts(grid.layout, |(r, s, x)| {
            value(prompts.place(shots_index, x, r, s), *prompts.answer_tokens[x].get(r)?)
        })
    };
    Some(OutputEstimate {
        accuracy: of_prompts(&|prompt, token| Some(f64::from(states.top_token(prompt)? == token)))?,
        logprob_nats: of_prompts(&|prompt, token| states.log_probability(prompt, token))?,
    })
}

/// `O` from log-probabilities of any source. `log_probability(prompt, r)` returns the log-probability of the
/// answer of relation `r` after a prompt, up to a constant for each prompt. Comparisons with a missing
/// log-probability are left out. `None` if no comparison remains.
pub fn share_of(
    layout: Layout,
    is_left_out: impl Fn(usize, usize, usize) -> bool,
    log_probability: impl Fn(Crossing, usize) -> Option<f64>,
) -> Option<Replicated> {
    mean_of_cells(layout, |s, x| {
        let (mut sum, mut count) = (0.0, 0.0);
        for p in 0..layout.relations {
            for q in (0..layout.relations).filter(|q| *q != p && !is_left_out(p, *q, x)) {
                let of = |r: usize| log_probability((p, s, x), r);
                let Some((own, other)) = of(p).zip(of(q)) else { continue };
                let ratio = other - own;
                let log = if ratio > 0.0 { ratio + (-ratio).exp().ln_1p() } else { ratio.exp().ln_1p() };
                sum += 1.0 - log / LN_2;
                count += 1.0;
            }
        }
        (sum, count)
    })
}

/// The mean of a value over all prompts that have a value; `None` if no prompt has a value.
pub fn mean_of_prompts(layout: Layout, value: impl Fn(Crossing) -> Option<f64>) -> Option<Replicated> {
    mean_of_cells(layout, |s, x| {
        let values = (0..layout.relations).filter_map(|r| value((r, s, x)));
        values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0))
    })
}

fn mean_of_cells(layout: Layout, of_cell: impl Fn(usize, usize) -> Cell) -> Option<Replicated> {
    let cells = (0..layout.queries * layout.sets).map(|cell| of_cell(cell % layout.sets, cell / layout.sets));
    Replicated::mean_of_cells(&cells.collect::<Vec<_>>(), layout.sets)
}
