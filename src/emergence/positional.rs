//! Estimates positional emergence, `IE_l = macro_l - micro_l`: the macro and micro information of every
//! block.
//!
//! * macro ([`PositionalStates::macro_mi`]): `I(h_{l-1} ; h_l)` at a token in context.
//! * micro ([`PositionalStates::micro_mi`]): `I(h_{l-1} ; h_l)` at the token without context, pooled over the
//!   tokens of all reading points.
//!
//! # References
//! Chen, Yang, Zhu, Wang, arXiv 2405.12617.

use rayon::prelude::*;

use super::block_mi::block_mi;
use super::lone_tokens::LoneTokens;
use super::profile::Micro;
use super::settings::MeasureSettings;
use super::steps::Steps;
use crate::corpus::{Corpus, Role};
use crate::error::Result;
use crate::mi::Estimate;
use crate::model::decoder::Decoder;
use crate::model::{Point, States};

/// Macro and micro information of one block.
pub(super) struct BlockInformation {
    /// Macro estimates, by reading point and noise scale.
    pub(super) macro_mi: Vec<Vec<Estimate>>,
    /// Micro estimates, by noise scale.
    pub(super) micro_mi: Vec<Estimate>,
}

impl BlockInformation {
    /// Macro minus micro information, at the indices of a reading point and a noise scale.
    pub(super) fn emergence_nats(&self, reading_point: usize, noise_scale: usize) -> f64 {
        self.macro_mi[reading_point][noise_scale].mi_nats - self.micro_mi[noise_scale].mi_nats
    }
}

/// Computes the information of every block of a model, in block order. The progress has two steps for each
/// block: one step for the states and one step for the estimates.
pub(super) fn block_information(
    decoder: &Decoder,
    name: &str,
    corpus: &Corpus,
    settings: &MeasureSettings,
    room_bytes: Option<u64>,
    steps: &Steps<'_>,
) -> Result<Vec<BlockInformation>> {
    let n_layers = decoder.spec().n_layers;
    let part = steps.part(n_layers);
    let batch = |done: usize, total: usize| part.reach(done, total);
    let states = PositionalStates::new(decoder, name, corpus, settings, room_bytes, &batch)?;
    part.reach(1, 1);
    let blocks = (1..=n_layers).into_par_iter().map(|block| {
        let information =
            BlockInformation { macro_mi: states.macro_mi(block)?, micro_mi: states.micro_mi(block)? };
        steps.add(1);
        Ok(information)
    });
    blocks.collect()
}

/// The states of a corpus at its reading points, with and without their context.
struct PositionalStates<'a> {
    settings: &'a MeasureSettings,
    in_context: States,
    /// The reading points, with the positions of their tokens.
    reading_points: Vec<((Role, usize), Vec<Point>)>,
    /// States of tokens without context; `None` if `in_context` contains them.
    alone: Option<States>,
    micro_points: Vec<Point>,
}

impl<'a> PositionalStates<'a> {
    fn new(
        decoder: &Decoder,
        name: &str,
        corpus: &Corpus,
        settings: &'a MeasureSettings,
        room_bytes: Option<u64>,
        batch: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        let windows: Vec<Vec<u32>> = corpus.windows.iter().map(|window| window.ids.clone()).collect();
        let reading_points: Vec<((Role, usize), Vec<Point>)> = corpus
            .reading_points()
            .into_iter()
            .map(|(role, index)| ((role, index), corpus.at(role, index)))
            .collect();
        let mut wanted: Vec<Point> = reading_points.iter().flat_map(|(_, points)| points.clone()).collect();
        if settings.micro == Micro::First {
            let first: Vec<Point> = (0..windows.len()).map(|w| (w, corpus.prefix.len())).collect();
            wanted.extend_from_slice(&first);
            let in_context = States::with_progress(decoder, name, &windows, &wanted, room_bytes, batch)?;
            return Ok(Self { settings, in_context, reading_points, alone: None, micro_points: first });
        }
        let in_context = States::with_progress(decoder, name, &windows, &wanted, room_bytes, batch)?;

        // Pool the tokens at the reading points of entities and texts over all windows. Each token is alone
        // in its window, after the prefix of the tokenizer. Separators are left out: they are all the same
        // token, so they carry no information.
        let pooled: Vec<u32> = reading_points
            .iter()
            .filter(|((role, _), _)| *role != Role::Separator)
            .flat_map(|(_, points)| points.iter().map(|(w, t)| windows[*w][*t]))
            .collect();
        let alone = LoneTokens::new(decoder, name, &corpus.prefix, pooled.iter().copied(), room_bytes)?;
        let micro_points = alone.points(pooled.into_iter());
        let alone = Some(alone.states);
        Ok(Self { settings, in_context, reading_points, alone, micro_points })
    }

    /// Macro information of a block at every reading point, from the states of tokens in context.
    fn macro_mi(&self, block: usize) -> Result<Vec<Vec<Estimate>>> {
        let of_point = |((role, index), points): &((Role, usize), Vec<Point>)| {
            block_mi(self.settings, &self.in_context, points, &format!("{role:?}/{index}"), block)
        };
        self.reading_points.par_iter().map(of_point).collect()
    }

    /// Micro information of a block, from the states of tokens without context.
    fn micro_mi(&self, block: usize) -> Result<Vec<Estimate>> {
        match &self.alone {
            Some(alone) => block_mi(self.settings, alone, &self.micro_points, "alone", block),
            None => block_mi(self.settings, &self.in_context, &self.micro_points, "first", block),
        }
    }
}
