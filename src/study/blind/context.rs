//! Context information from API answers: how much more information the next token's log-probabilities carry
//! about a whole series than about its last entity alone.
//!
//! It is the quantity of a profile, `macro - micro`, with the answer of the API in place of a block's output:
//! the vector of the log-probabilities of the tokens that are reported most often. A token that an answer
//! does not report has at most the least log-probability that it reports, and is given that one. At this
//! precision a few hundred series are almost always distinguishable, so that the lower bound saturates at the
//! log of their number. The upper bound (Kolchinsky and Tracey 2017) still grows with their distances, and is
//! used.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::questions::SeriesQuestions;
use crate::error::{Error, Result};
use crate::mi::{Channel, Estimator, Pairs, Scale};
use crate::provider::Answer;

/// Tokens of the vector, and likeliest tokens that are asked for.
pub(crate) const TOKENS: u8 = 20;

/// Finest precision of the channel's grid: log-probabilities depend less on the context than states do.
const PRECISION: f64 = 0.1;

/// Log-probabilities of the likeliest next tokens, and the least of them.
struct NextTokenLogprobs {
    by_token: BTreeMap<String, f64>,
    least: f64,
}

/// Upper bound on the context information of every corpus at precision `b = .1`, nats.
///
/// # Errors
/// [`Error::Study`] if an answer has no log-probabilities.
pub(crate) fn context_nats(
    questions: &[SeriesQuestions],
    answers: &BTreeMap<String, Answer>,
    seed: u64,
) -> Result<BTreeMap<String, f64>> {
    let mut by_corpus: BTreeMap<&str, Vec<&SeriesQuestions>> = BTreeMap::new();
    questions.iter().for_each(|series| by_corpus.entry(&series.corpus).or_default().push(series));
    let nats = by_corpus.into_iter().map(|(corpus, series)| {
        let logprobs = |id: fn(&SeriesQuestions) -> &String| {
            series.iter().map(|of| next_token(id(of), answers)).collect::<Result<Vec<_>>>()
        };
        let (whole, alone) = (logprobs(|of| &of.series)?, logprobs(|of| &of.alone)?);
        let tokens = most_reported(&whole);
        let series_label = labels(series.iter().map(|of| of.series.as_str()));
        let alone_label = labels(series.iter().map(|of| of.alone.as_str()));
        let of_series = information(&whole, &tokens, &series_label, seed)?;
        let of_last = information(&alone, &tokens, &alone_label, seed)?;
        Ok((corpus.to_owned(), of_series - of_last))
    });
    nats.collect()
}

fn next_token(id: &str, answers: &BTreeMap<String, Answer>) -> Result<NextTokenLogprobs> {
    let first = answers.get(id).and_then(|answer| answer.logprobs.as_ref()?.first());
    let first = first.filter(|token| !token.top.is_empty()).ok_or_else(|| Error::Study {
        reason: format!(
            "the answer to {id} has no log-probabilities, from which context_nats is computed; leave that \
             feature to models whose API gives them"
        ),
    })?;
    let least = first.top.iter().map(|(_, logprob)| *logprob).fold(f64::INFINITY, f64::min);
    Ok(NextTokenLogprobs { by_token: first.top.iter().cloned().collect(), least })
}

/// The tokens that most answers report, among equally frequent ones the likelier first.
fn most_reported(answers: &[NextTokenLogprobs]) -> Vec<&str> {
    let mut times: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for (token, logprob) in answers.iter().flat_map(|answer| &answer.by_token) {
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

fn information(answers: &[NextTokenLogprobs], tokens: &[&str], labels: &[u32], seed: u64) -> Result<f64> {
    let y = Array2::from_shape_fn((answers.len(), tokens.len()), |(i, j)| {
        answers[i].by_token.get(tokens[j]).copied().unwrap_or(answers[i].least) as f32
    });
    let x = Array2::from_shape_fn((labels.len(), 1), |(i, _)| labels[i] as f32);
    let pairs = Pairs::new(x.view(), y.view())?.with_labels(labels)?;
    let estimates = Channel::new(Scale::Spread, vec![PRECISION])?.estimate(&pairs, seed)?;
    let one = estimates.first().map(|estimate| estimate.upper_nats.unwrap_or(estimate.mi_nats));
    one.ok_or_else(|| Error::Study { reason: "the channel has no precision".into() })
}
