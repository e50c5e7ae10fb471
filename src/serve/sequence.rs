//! Decodes one sequence: stores its tokens, samples the next token, and detects the end.

use candle_core::{Device, Tensor};
use candle_transformers::generation::LogitsProcessor;
use tokio::sync::mpsc::UnboundedSender;

use super::sampling::SamplingParams;
use super::text::{StreamedText, certain_len, first_stop};
use crate::error::{Error, Result};
use crate::model::Tokenizer;
use crate::model::cache::Cache;

/// A request for one sequence.
pub(super) struct SequenceRequest {
    pub prompt: Vec<u32>,
    pub sampling: SamplingParams,
    /// The index among the sequences of the request.
    pub index: usize,
    pub reply: UnboundedSender<(usize, Event)>,
}

/// A token with its log-probability in nats, and the most likely tokens at its position, most likely first.
#[derive(Debug, Clone)]
pub(super) struct Scored {
    pub id: u32,
    pub logprob: Option<f64>,
    pub top: Vec<(u32, f64)>,
}

/// Progress of a sequence.
#[derive(Debug)]
pub(super) enum Event {
    /// The scored tokens of the prompt. The first token has no log-probability.
    Prompt(Vec<Scored>),
    /// A sampled token. `text` is the text that can be shown now, and `piece` is the text of the token.
    Token { scored: Scored, text: String, piece: String },
    /// The sequence has ended. `rest` is the text not shown so far.
    Done { finish: FinishReason, rest: String, n_tokens: usize },
    /// The model failed; the request was valid.
    Failed(String),
}

/// Why the sequence ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FinishReason {
    Stop,
    Length,
}

pub(super) struct Sequence {
    request: SequenceRequest,
    processor: LogitsProcessor,
    ids: Vec<u32>,
    rows: Vec<u32>,
    /// Number of tokens in the cache.
    computed: usize,
    /// Number of further tokens that the current step computes.
    piece: usize,
    scored: Vec<Scored>,
    streamed: Option<StreamedText>,
    shown: usize,
    over: bool,
}

impl Sequence {
    pub fn begin(request: SequenceRequest) -> Self {
        let processor = request.sampling.processor();
        let ids = request.prompt.clone();
        let first = Scored { id: ids[0], logprob: None, top: vec![] };
        Self {
            request,
            processor,
            ids,
            rows: vec![],
            computed: 0,
            piece: 0,
            scored: vec![first],
            streamed: None,
            shown: 0,
            over: false,
        }
    }

    /// Chooses the tokens of the next step and reserves cache rows for them. Their number is at most
    /// `tokens`, and they read at most about `rows` cache rows together; at least one token is chosen.
    pub fn begin_piece(&mut self, tokens: usize, rows: usize, cache: &mut Cache) {
        let most = tokens.min(rows / (self.computed + tokens)).max(1);
        self.piece = most.min(self.ids.len() - self.computed);
        self.rows.extend(cache.take(self.computed + self.piece - self.rows.len()));
    }

    /// Marks the tokens of the current step as computed.
    pub fn end_piece(&mut self) {
        self.computed += std::mem::take(&mut self.piece);
    }

    /// Whether a part of the prompt is not computed yet.
    pub fn is_in_prompt(&self) -> bool {
        self.computed < self.request.prompt.len()
    }

    pub fn prompt_len(&self) -> usize {
        self.request.prompt.len()
    }

    /// The tokens of the current step.
    pub fn new_ids(&self) -> &[u32] {
        &self.ids[self.computed..self.computed + self.piece]
    }

    /// The cache rows of all tokens up to the end of the current step.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Whether the sequence has ended, or its request no longer receives events.
    pub fn is_over(&self) -> bool {
        self.over || self.request.reply.is_closed()
    }

    /// Whether the prompt is being scored.
    fn is_scoring(&self) -> bool {
        self.request.sampling.score_prompt && !self.scored.is_empty()
    }

    /// Number of tokens at the end of the current step whose logits are needed.
    pub fn n_logits(&self) -> usize {
        match self.is_scoring() {
            true => self.piece,
            false => usize::from(self.computed + self.piece == self.ids.len()),
        }
    }

    pub fn fail(&mut self, error: &Error) {
        self.send(Event::Failed(error.to_string()));
        self.over = true;
    }

    fn send(&mut self, event: Event) {
        // Without a receiver the sequence is not needed any more.
        self.over |= self.request.reply.send((self.request.index, event)).is_err();
    }

    /// Accepts the logits of the next row.
    pub fn accept_logits(&mut self, logits: &[f32], tokenizer: &Tokenizer, ends: &[u32]) -> Result<()> {
        if self.over {
            return Ok(());
        }
        let top = self.request.sampling.logprobs.unwrap_or(0);
        if self.is_scoring() {
            if self.scored.len() < self.ids.len() {
                self.scored.push(score(logits, self.ids[self.scored.len()], top));
                return Ok(());
            }
            let scored = std::mem::take(&mut self.scored);
            self.send(Event::Prompt(scored));
        }
        if self.request.sampling.max_tokens == 0 {
            self.finish(FinishReason::Length);
            return Ok(());
        }
        let id = self.processor.sample(&Tensor::from_slice(logits, logits.len(), &Device::Cpu)?)?;
        if ends.contains(&id) {
            self.finish(FinishReason::Stop);
            return Ok(());
        }
        self.push(score(logits, id, top), tokenizer);
        Ok(())
    }

    fn push(&mut self, scored: Scored, tokenizer: &Tokenizer) {
        let stops = &self.request.sampling.stop;
        let streamed =
            self.streamed.get_or_insert_with(|| StreamedText::after(&self.request.prompt, tokenizer));
        let before = streamed.text().len();
        let piece = streamed.push(scored.id, tokenizer);
        self.ids.push(scored.id);
        let n = self.ids.len() - self.request.prompt.len();
        let stopped = first_stop(streamed.text(), before, stops);
        if let Some(at) = stopped {
            streamed.cut(at);
        }
        let certain =
            if stopped.is_some() { streamed.text().len() } else { certain_len(streamed.text(), stops) };
        let text = streamed.text().get(self.shown..certain).unwrap_or_default().to_owned();
        self.shown += text.len();
        self.send(Event::Token { scored, text, piece });
        if stopped.is_some() {
            self.finish(FinishReason::Stop);
        } else if n >= self.request.sampling.max_tokens {
            self.finish(FinishReason::Length);
        }
    }

    fn finish(&mut self, finish: FinishReason) {
        let text = self.streamed.as_ref().map_or("", StreamedText::text);
        let rest = text.get(self.shown..).unwrap_or_default().to_owned();
        self.send(Event::Done { finish, rest, n_tokens: self.ids.len() - self.request.prompt.len() });
        self.over = true;
    }
}

/// The log-probability of a token, and the `top` most likely tokens.
fn score(logits: &[f32], id: u32, top: usize) -> Scored {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let log_sum = f64::from(most) + logits.iter().map(|x| f64::from(x - most).exp()).sum::<f64>().ln();
    let logprob = |id: u32| f64::from(logits[id as usize]) - log_sum;
    let mut best: Vec<u32> = if top == 0 { vec![] } else { (0..logits.len() as u32).collect() };
    let order = |a: &u32, b: &u32| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b));
    if top > 0 && top < best.len() {
        best.select_nth_unstable_by(top, order);
        best.truncate(top);
    }
    best.sort_unstable_by(order);
    Scored { id, logprob: Some(logprob(id)), top: best.into_iter().map(|id| (id, logprob(id))).collect() }
}
