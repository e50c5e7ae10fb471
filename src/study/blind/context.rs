//! Context information from outside: how much more information the next token's log-probabilities carry about
//! a whole series than about its last entity alone.
//!
//! It is the quantity of a profile, `macro - micro`, with the answer of the API in the place of a block's
//! output: the vector of the log-probabilities of the tokens that are told of most often. A token that an
//! answer does not tell of has at most the least it tells of, which stands in its place. Log-probabilities of
//! a few hundred series are all but always told apart at this precision, so that the lower bound is no more
//! than the log of their number; the upper one (Kolchinsky and Tracey 2017) goes on growing with how far
//! apart they are, and is taken.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::questions::Shown;
use crate::error::{Error, Result};
use crate::mi::{Channel, Estimator, Pairs, Scale};
use crate::provider::Answer;

/// Tokens of the vector, and likeliest tokens that are asked for.
pub(crate) const TOKENS: u8 = 20;

/// Finest precision of the channel's grid: log-probabilities owe less to the context than states do.
const PRECISION: f64 = 0.1;

/// Log-probabilities by token, and the least of them.
struct Told {
    by_token: BTreeMap<String, f64>,
    least: f64,
}

/// Upper bound on the context information of every corpus at precision `b = .1`, nats.
///
/// # Errors
/// [`Error::Study`] if an answer has no log-probabilities.
pub(crate) fn context_nats(
    shown: &[Shown],
    answers: &BTreeMap<String, Answer>,
    seed: u64,
) -> Result<BTreeMap<String, f64>> {
    let mut by_corpus: BTreeMap<&str, Vec<&Shown>> = BTreeMap::new();
    shown.iter().for_each(|series| by_corpus.entry(&series.corpus).or_default().push(series));
    let nats = by_corpus.into_iter().map(|(corpus, series)| {
        let told = |id: fn(&Shown) -> &String| {
            series.iter().map(|shown| told(id(shown), answers)).collect::<Result<Vec<Told>>>()
        };
        let (whole, alone) = (told(|shown| &shown.series)?, told(|shown| &shown.alone)?);
        let tokens = most_often(&whole);
        let series_label = labels(series.iter().map(|shown| shown.series.as_str()));
        let alone_label = labels(series.iter().map(|shown| shown.alone.as_str()));
        let wide = information(&whole, &tokens, &series_label, seed)?;
        let lone = information(&alone, &tokens, &alone_label, seed)?;
        Ok((corpus.to_owned(), wide - lone))
    });
    nats.collect()
}

fn told(id: &str, answers: &BTreeMap<String, Answer>) -> Result<Told> {
    let first = answers.get(id).and_then(|answer| answer.logprobs.as_ref()?.first());
    let first = first.filter(|token| !token.top.is_empty()).ok_or_else(|| Error::Study {
        reason: format!(
            "the answer to {id} has no log-probabilities; nothing can be said of what it owes to its context"
        ),
    })?;
    let least = first.top.iter().map(|(_, logprob)| *logprob).fold(f64::INFINITY, f64::min);
    Ok(Told { by_token: first.top.iter().cloned().collect(), least })
}

/// The tokens that most answers tell of, the likelier ones of them first.
fn most_often(told: &[Told]) -> Vec<&str> {
    let mut times: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for (token, logprob) in told.iter().flat_map(|told| &told.by_token) {
        let entry = times.entry(token).or_default();
        *entry = (entry.0 + 1, entry.1 + logprob.exp());
    }
    let mut tokens: Vec<(&str, (usize, f64))> = times.into_iter().collect();
    tokens.sort_by(|(a, (m, p)), (b, (n, q))| n.cmp(m).then(q.total_cmp(p)).then(a.cmp(b)));
    tokens.into_iter().take(usize::from(TOKENS)).map(|(token, _)| token).collect()
}

/// The same number for the same id.
fn labels<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<u32> {
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    ids.map(|id| {
        let next = known.len() as u32;
        *known.entry(id).or_insert(next)
    })
    .collect()
}

fn information(told: &[Told], tokens: &[&str], labels: &[u32], seed: u64) -> Result<f64> {
    let y = Array2::from_shape_fn((told.len(), tokens.len()), |(i, j)| {
        told[i].by_token.get(tokens[j]).copied().unwrap_or(told[i].least) as f32
    });
    let x = Array2::from_shape_fn((labels.len(), 1), |(i, _)| labels[i] as f32);
    let pairs = Pairs::new(x.view(), y.view())?.with_labels(labels)?;
    let estimates = Channel::new(Scale::Spread, vec![PRECISION])?.estimate(&pairs, seed)?;
    let one = estimates.first().map(|estimate| estimate.upper_nats.unwrap_or(estimate.mi_nats));
    one.ok_or_else(|| Error::Study { reason: "the channel has no precision".into() })
}
