//! Grades the in-context task on a local model. The model is right if greedy decoding produces exactly the
//! tokens of the expected answer and the comma after it. One forward pass with teacher forcing gives the same
//! grade: it checks that each of these tokens is the most likely token given the tokens before it.

use super::grading::Grade;
use super::results::scores::Score;
use super::results::tally::{AskedTask, QuestionRef, Tally};
use super::tasks::{Completion, Rendering};
use crate::error::{Error, Result};
use crate::model::{Model, Point, States};

/// Returns the scores of `model` on `task`, one for each number of shots from 0.
///
/// # Errors
/// Returns an error if the model's tokenizer cannot encode a word, or a list is longer than the model's
/// context.
pub fn grade(model: &Model, task: &Completion) -> Result<Vec<Score>> {
    let mut windows = Vec::with_capacity(task.lists.len());
    // For each list and number of shots, the positions whose next token is part of the answer.
    let mut asked: Vec<(usize, usize, Vec<Point>)> = vec![];
    for (w, list) in task.lists.iter().enumerate() {
        let tokens = model.tokenizer.encode(&list.text)?;
        let prefix = model.tokenizer.prefix().len();
        for (shots, answer) in list.answers.iter().enumerate() {
            let inside = |end: usize| answer.start < end && end <= answer.end;
            let ours = tokens.iter().enumerate().filter(|(_, token)| inside(token.span.end));
            // The token before an answer predicts the answer's first token. An answer never begins a window,
            // because the first head of the list precedes it.
            let points: Vec<Point> =
                ours.filter_map(|(t, _)| Some((w, (prefix + t).checked_sub(1)?))).collect();
            if points.is_empty() {
                let reason =
                    format!("the model's tokenizer produces no token for an answer in {:?}", list.text);
                return Err(Error::Corpus { name: task.name.clone(), reason });
            }
            asked.push((w, shots, points));
        }
        windows.push(
            model
                .tokenizer
                .prefix()
                .iter()
                .copied()
                .chain(tokens.iter().map(|token| token.id))
                .collect::<Vec<_>>(),
        );
    }
    let points: Vec<Point> = asked.iter().flat_map(|(_, _, points)| points.iter().copied()).collect();
    let states = States::of(&model.decoder, &model.info.id, &windows, &points)?;
    let mut tally = Tally::new("local", &model.info.id);
    let (sha256, seed) = (Some(task.sha256()), Some(task.seed));
    tally.asked(&task.name, AskedTask { sha256, rendering: Some(Rendering::Text), seed });
    for chunk in asked.chunks(512) {
        let points: Vec<Point> = chunk.iter().flat_map(|(_, _, points)| points.iter().copied()).collect();
        let rows = states.rows(model.info.n_layers, &points)?;
        let mut next = model
            .decoder
            .next_tokens(rows.view(), points.iter().map(|(w, t)| windows[*w][t + 1]))?
            .into_iter();
        for (list, shots, points) in chunk {
            let answer: Vec<_> = next.by_ref().take(points.len()).collect();
            let right = answer.iter().all(|(_, greedy)| *greedy);
            let logprob = Some(answer.iter().map(|(logprob, _)| logprob).sum());
            let grade = Grade { logprob, ..Grade::scored(f64::from(u8::from(right)), "") };
            let asked = QuestionRef { task: &task.name, shots: *shots, question: &list.to_string() };
            tally.add(asked, &[grade]);
            tally.note(asked, Some(&model.info.weights_sha256), None);
        }
    }
    Ok(tally.scores())
}
