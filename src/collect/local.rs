//! Grades the in-context task on a local model: an answer is right if greedy decoding gives exactly its tokens and the comma after them. Teacher forcing decides
//! the same in one pass, because greedy decoding leaves the right path at the first token that is not the most likely one.

use super::scores::{Score, wilson};
use super::task::Task;
use crate::error::{Error, Result};
use crate::model::{Model, Point, States};

/// Scores of `model` on `task`, one per number of shots from 0.
///
/// # Errors
/// If the model's tokenizer does not know a word, or a list is longer than its positions.
pub fn grade(model: &Model, task: &Task) -> Result<Vec<Score>> {
    let mut windows = Vec::with_capacity(task.items.len());
    // For each item and shot the points whose next token is part of the answer.
    let mut asked: Vec<(usize, usize, Vec<Point>)> = vec![];
    for (w, item) in task.items.iter().enumerate() {
        let tokens = model.tokenizer.encode(&item.text)?;
        let prefix = model.tokenizer.prefix().len();
        for (shots, answer) in item.answers.iter().enumerate() {
            let inside = |end: usize| answer.start < end && end <= answer.end;
            let ours = tokens.iter().enumerate().filter(|(_, token)| inside(token.span.end));
            // The token before an answer predicts its first token; no answer begins a window, because its head stands before it.
            let points: Vec<Point> = ours.filter_map(|(t, _)| Some((w, (prefix + t).checked_sub(1)?))).collect();
            if points.is_empty() {
                let reason = format!("the model's tokenizer leaves nothing of an answer in {:?}", item.text);
                return Err(Error::Corpus { name: task.name.clone(), reason });
            }
            asked.push((w, shots, points));
        }
        windows.push(
            model.tokenizer.prefix().iter().copied().chain(tokens.iter().map(|token| token.id)).collect::<Vec<_>>(),
        );
    }
    let points: Vec<Point> = asked.iter().flat_map(|(_, _, points)| points.iter().copied()).collect();
    let states = States::of(&model.decoder, &model.card.id, &windows, &points)?;
    let mut tally = vec![Tally::default(); task.shots + 1];
    for chunk in asked.chunks(512) {
        let points: Vec<Point> = chunk.iter().flat_map(|(_, _, points)| points.iter().copied()).collect();
        let rows = states.rows(model.card.n_layers, &points)?;
        let mut next =
            model.decoder.next_tokens(rows.view(), points.iter().map(|(w, t)| windows[*w][t + 1]))?.into_iter();
        for (_, shots, points) in chunk {
            let answer: Vec<_> = next.by_ref().take(points.len()).collect();
            tally[*shots].n += 1;
            tally[*shots].correct += usize::from(answer.iter().all(|(_, greedy)| *greedy));
            tally[*shots].logprob += answer.iter().map(|(logprob, _)| logprob).sum::<f64>();
        }
    }
    Ok(tally.iter().enumerate().map(|(shots, tally)| tally.score(model, &task.name, shots)).collect())
}

#[derive(Debug, Clone, Default)]
struct Tally {
    n: usize,
    correct: usize,
    logprob: f64,
}

impl Tally {
    fn score(&self, model: &Model, task: &str, shots: usize) -> Score {
        let (n, interval) = (self.n as f64, wilson(self.correct, self.n));
        let share = |value: f64| (self.n > 0).then(|| value / n);
        Score {
            provider: "local".into(),
            model: model.card.id.clone(),
            model_snapshot: model.card.weights_sha256.clone(),
            task: task.into(),
            shots,
            n_items: self.n,
            n_scored: self.n,
            n_refused: 0,
            n_filtered: 0,
            n_truncated: 0,
            n_empty: 0,
            n_unreadable: 0,
            n_error: 0,
            accuracy: share(self.correct as f64),
            accuracy_low: interval.map(|(low, _)| low),
            accuracy_high: interval.map(|(_, high)| high),
            accuracy_all_as_wrong: share(self.correct as f64),
            mean_logprob: share(self.logprob),
            collected_at: None,
        }
    }
}
