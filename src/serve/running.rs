//! Runs a request: encodes its prompts, queues its sequences, and returns the answer as one body or as a
//! stream.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use http_body_util::channel::Sender;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::answer::{Choice, EncodedPrompt, MOST_TOKENS, TOKEN_BYTES, Texts, too_much_text, usage};
use super::engine::QueueFull;
use super::request::{ApiError, ApiResult, CommonParams, Prompt};
use super::sequence::{Event, SequenceRequest};
use super::served_model::ServedModel;
use super::text::CONTEXT;
use crate::model::Tokenizer;
use crate::seed;

/// Approximate number of bytes of a log-probability in an answer.
const LOGPROB: usize = 64;
/// Maximum approximate size of an answer that is written as JSON on a thread that handles sockets.
const INLINE: usize = 16 << 10;

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AnswerShape {
    Completion { echo: bool },
    Chat,
}

impl AnswerShape {
    /// The parameter of a request that contains its prompt.
    pub fn prompt_param(self) -> &'static str {
        match self {
            Self::Completion { .. } => "prompt",
            Self::Chat => "messages",
        }
    }
}

/// A request that is being answered.
pub(super) struct RunningRequest {
    shape: AnswerShape,
    number: u64,
    created: u64,
    pub common: CommonParams,
    served: Arc<ServedModel>,
    encoded: Vec<EncodedPrompt>,
    choices: Vec<Choice>,
    /// Number of bytes of the texts and reported tokens in all choices.
    held: usize,
    events: UnboundedReceiver<(usize, Event)>,
}

/// Encodes the prompts in the parameter `param`. The texts of all their tokens are kept for the answer.
pub(super) fn encode_all(
    served: &ServedModel,
    tokenizer: &Tokenizer,
    (prompts, param): (&[Prompt], &str),
    special: bool,
) -> ApiResult<Vec<EncodedPrompt>> {
    let mut held = 0;
    prompts.iter().map(|prompt| encode(served, tokenizer, (prompt, param), special, &mut held)).collect()
}

/// Encodes one prompt. `held` counts the bytes of the ids and texts of the tokens of all prompts of the
/// request, with their allocations.
fn encode(
    served: &ServedModel,
    tokenizer: &Tokenizer,
    (prompt, param): (&Prompt, &str),
    special: bool,
    held: &mut usize,
) -> ApiResult<EncodedPrompt> {
    let encoded = match prompt {
        Prompt::Ids(ids) => {
            if let Some(id) = ids.iter().find(|id| **id as usize >= served.vocab_size) {
                let reason =
                    format!("token id {id} is out of range: the vocabulary has {} tokens", served.vocab_size);
                return Err(ApiError::invalid(param, reason));
            }
            let piece = |n: usize| {
                let context = &ids[n.saturating_sub(CONTEXT)..n];
                let before = tokenizer.decode(context).len();
                let text = tokenizer.decode(&ids[n.saturating_sub(CONTEXT)..=n]);
                text.get(before..).unwrap_or_default().to_owned()
            };
            let n = ids.len().min(served.max_positions + 1);
            let bounded = |n: usize| {
                let piece = piece(n);
                *held += TOKEN_BYTES + piece.len();
                if *held > MOST_TOKENS { Err(too_much_text(param)) } else { Ok(piece) }
            };
            EncodedPrompt { ids: ids.clone(), pieces: (0..n).map(bounded).collect::<ApiResult<_>>()? }
        }
        Prompt::Text(text) => {
            // Refuse without tokenizing if the text fits only with more than 64 bytes per token on average.
            if text.len() > 64 * served.max_positions {
                return Err(too_long(
                    served,
                    param,
                    format!("{} bytes (more than 64 per token of this length)", text.len()),
                    0,
                ));
            }
            let (ids, pieces) = tokenizer
                .encode_any(text, special)
                .map_err(|error| ApiError::invalid(param, error.to_string()))?;
            // Return at once, so that a prompt that is too long takes no memory while the other prompts are
            // encoded.
            if ids.len() > served.max_positions {
                return Err(too_long(served, param, ids.len(), 0));
            }
            *held += pieces.iter().map(|piece| TOKEN_BYTES + piece.len()).sum::<usize>();
            if *held > MOST_TOKENS {
                return Err(too_much_text(param));
            }
            EncodedPrompt { ids, pieces }
        }
    };
    if encoded.ids.is_empty() {
        return Err(ApiError::invalid(param, "the prompt has no tokens"));
    }
    Ok(encoded)
}

/// Sends an error as the last event of a stream. A disconnected client is ignored.
pub(super) async fn fail(sender: &mut Sender<Bytes>, kind: &'static str, status: u16, message: &str) {
    let refusal = ApiError { status, kind, ..ApiError::invalid("", message) };
    sender.send_data(format!("data: {}\n\n", refusal.body()).into()).await.unwrap_or_default();
}

fn too_long(
    served: &ServedModel,
    param: &str,
    prompt: impl std::fmt::Display,
    max_tokens: usize,
) -> ApiError {
    let message = format!(
        "This model's maximum context length is {} tokens. However, you requested {prompt} in the prompt \
         and {max_tokens} in the completion.",
        served.max_positions
    );
    ApiError { code: Some("context_length_exceeded"), ..ApiError::invalid(param, message) }
}

impl RunningRequest {
    pub fn begin(
        shape: AnswerShape,
        number: u64,
        common: CommonParams,
        served: Arc<ServedModel>,
        encoded: Vec<EncodedPrompt>,
    ) -> ApiResult<Self> {
        let sampling = &common.sampling;
        for prompt in &encoded {
            // The last sampled token needs no position, because it is never an input. It counts nevertheless,
            // as in OpenAI's API.
            if prompt.ids.len() + sampling.max_tokens > served.max_positions {
                return Err(too_long(&served, shape.prompt_param(), prompt.ids.len(), sampling.max_tokens));
            }
            let most = served.engine.most_prompt_tokens();
            if prompt.ids.len() > most {
                let reason = format!(
                    "the prompt has {} tokens, but this server has memory for the keys and values of only \
                     {most} tokens; send a shorter prompt",
                    prompt.ids.len()
                );
                return Err(ApiError::invalid(shape.prompt_param(), reason));
            }
        }
        if sampling.score_prompt {
            let bytes: usize = encoded.iter().map(Choice::prompt_bytes).sum();
            if bytes * common.n > MOST_TOKENS {
                return Err(too_much_text(shape.prompt_param()));
            }
        }
        let (reply, events) = unbounded_channel();
        let sequences = encoded.iter().enumerate().flat_map(|(p, prompt)| {
            let reply = &reply;
            let again = encoded[..p].iter().filter(|before| before.ids == prompt.ids).count();
            (0..common.n).map(move |i| {
                let mut sampling = sampling.clone();
                // Different prompts with the same seed get different random numbers, so that their answers
                // are independent.
                sampling.seed = seed::derive("prompt", &format!("{:?}", prompt.ids), sampling.seed);
                // Equal prompts in one request get different random numbers too.
                if again > 0 {
                    sampling.seed = seed::derive("again", &again.to_string(), sampling.seed);
                }
                if i > 0 {
                    sampling.seed = seed::derive("choice", &i.to_string(), sampling.seed);
                }
                SequenceRequest {
                    prompt: prompt.ids.clone(),
                    sampling,
                    index: p * common.n + i,
                    reply: reply.clone(),
                }
            })
        });
        let full = |full| match full {
            QueueFull::Now => ApiError::overloaded("too many requests are waiting; try again later"),
            QueueFull::Always(most) => ApiError::invalid(
                "n",
                format!(
                    "the number of prompts times `n` exceeds the limit of {most} waiting sequences; send \
                     fewer prompts"
                ),
            ),
        };
        served.engine.enqueue(sequences.collect()).map_err(full)?;
        let echo = shape == AnswerShape::Completion { echo: true };
        let choices = encoded
            .iter()
            .flat_map(|prompt| (0..common.n).map(move |_| Choice::begin(prompt, echo)))
            .collect();
        let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Ok(Self { shape, number, created, common, served, encoded, choices, held: 0, events })
    }

    /// Adds an event to its choice, and returns the text that becomes visible.
    fn take(&mut self, index: usize, event: Event) -> ApiResult<String> {
        let choice = &mut self.choices[index];
        let before = choice.n_bytes;
        let text = choice.take(event, &self.encoded[index / self.common.n]);
        self.held += choice.n_bytes - before;
        match &choice.failed {
            Some(message) => Err(ApiError::failed(message.as_str())),
            None if self.held > MOST_TOKENS => Err(too_much_text("max_tokens")),
            None => Ok(text),
        }
    }

    fn usage(&self) -> Value {
        let prompt_tokens: usize = self.encoded.iter().map(|prompt| prompt.ids.len()).sum();
        usage(prompt_tokens, self.choices.iter().map(|choice| choice.n_tokens).sum())
    }

    fn envelope(&self, whole: bool) -> Value {
        let (id, object) = match (self.shape, whole) {
            (AnswerShape::Completion { .. }, _) => ("cmpl", "text_completion"),
            (AnswerShape::Chat, true) => ("chatcmpl", "chat.completion"),
            (AnswerShape::Chat, false) => ("chatcmpl", "chat.completion.chunk"),
        };
        let id = format!("{id}-{}", self.number);
        json!({"id": id, "object": object, "created": self.created, "model": self.served.id, "choices": []})
    }

    /// Waits until all choices are complete, and returns the JSON of the answer.
    pub async fn whole(mut self) -> ApiResult<String> {
        while !self.choices.iter().all(Choice::is_over) {
            let Some((index, event)) = self.events.recv().await else {
                return Err(ApiError::failed(
                    "the server stopped decoding before the answer was complete; send the request again",
                ));
            };
            self.take(index, event)?;
        }
        let tokens = self.choices.iter().map(Choice::n_emitted).sum();
        let (served, bytes) = (self.served.clone(), self.held + self.n_bytes(tokens));
        let write = move || self.body().map(|body| body.to_string());
        if bytes <= INLINE { write() } else { served.answering.places(bytes).run(write).await }
    }

    /// The approximate size of the log-probabilities of `tokens` tokens.
    fn n_bytes(&self, tokens: usize) -> usize {
        tokens * self.common.sampling.logprobs.map_or(0, |top| 1 + top) * LOGPROB
    }

    /// Adds an event to its choice. Returns the text that becomes visible, and the new part of the choice.
    fn add(&mut self, index: usize, event: Event, offset: &mut (usize, usize)) -> ApiResult<(String, Value)> {
        let text = self.take(index, event)?;
        let piece = self.piece(index, &text, offset)?;
        Ok((text, piece))
    }

    /// The JSON of the complete answer.
    fn body(&self) -> ApiResult<Value> {
        let logprobs = self.common.sampling.logprobs.is_some();
        let mut texts = Texts::of(self.served.engine.tokenizer());
        let choices = self.choices.iter().enumerate().map(|(index, choice)| match self.shape {
            AnswerShape::Completion { .. } => choice.completion(index, logprobs, &mut texts),
            AnswerShape::Chat => choice.chat(index, logprobs, &mut texts),
        });
        let mut body = self.envelope(true);
        body["choices"] = choices.collect::<ApiResult<_>>()?;
        body["usage"] = self.usage();
        Ok(body)
    }

    /// Sends each new part of a choice as soon as it is decoded. An error is the last event of the stream.
    pub async fn stream(mut self, sender: &mut Sender<Bytes>) {
        let mut offsets = vec![(0, 0); self.choices.len()];
        for index in 0..self.choices.len() {
            let echoed = match self.shape {
                AnswerShape::Chat => Some(json!({
                    "index": index, "delta": {"role": "assistant", "content": ""}, "logprobs": null,
                    "finish_reason": null
                })),
                // The text of the echoed prompt comes first. The log-probabilities of its tokens follow once
                // they are computed.
                AnswerShape::Completion { echo: true } => {
                    let text = self.encoded[index / self.common.n].pieces.concat();
                    Some(json!({"text": text, "index": index, "logprobs": null, "finish_reason": null}))
                }
                AnswerShape::Completion { echo: false } => None,
            };
            if let Some(choice) = echoed
                && !self.send(sender, choice).await
            {
                return;
            }
        }
        while !self.choices.iter().all(Choice::is_over) {
            let Some((index, event)) = self.events.recv().await else {
                return fail(
                    sender,
                    "server_error",
                    500,
                    "the server stopped decoding before the answer was complete; send the request again",
                )
                .await;
            };
            let is_prompt = matches!(event, Event::Prompt(_));
            let n_scored = if let Event::Prompt(scored) = &event { scored.len() } else { 0 };
            let bytes = self.n_bytes(n_scored);
            let made = if n_scored > 0 && bytes > INLINE {
                let (served, mut offset) = (self.served.clone(), offsets[index]);
                let add = move || {
                    let mut request = self;
                    let made = request.add(index, event, &mut offset);
                    Ok((request, offset, made))
                };
                match served.answering.places(bytes).run(add).await {
                    Ok((request, offset, made)) => {
                        (self, offsets[index]) = (request, offset);
                        made
                    }
                    Err(refusal) => {
                        return fail(sender, refusal.kind, refusal.status, &refusal.message).await;
                    }
                }
            } else {
                self.add(index, event, &mut offsets[index])
            };
            let (text, piece) = match made {
                Ok(made) => made,
                Err(refusal) => return fail(sender, refusal.kind, refusal.status, &refusal.message).await,
            };
            let choice = &self.choices[index];
            if (is_prompt || !text.is_empty() || choice.is_over() || !piece["logprobs"].is_null())
                && !self.send(sender, piece).await
            {
                return;
            }
        }
        if self.common.include_usage {
            let mut body = self.envelope(false);
            body["usage"] = self.usage();
            if sender.send_data(format!("data: {body}\n\n").into()).await.is_err() {
                return;
            }
        }
        sender.send_data("data: [DONE]\n\n".into()).await.unwrap_or_default();
    }

    /// The new part of a choice: `text`, and the log-probabilities of the tokens since the previous part.
    fn piece(&self, index: usize, text: &str, (reported, offset): &mut (usize, usize)) -> ApiResult<Value> {
        let (choice, mut texts) = (&self.choices[index], Texts::of(self.served.engine.tokenizer()));
        let has_new = self.common.sampling.logprobs.is_some() && choice.n_emitted() > *reported;
        let first = std::mem::replace(reported, choice.n_emitted());
        Ok(match self.shape {
            AnswerShape::Completion { .. } => {
                let logprobs = has_new.then(|| choice.completion_logprobs(first, *offset, &mut texts));
                let logprobs = logprobs.transpose()?.map_or(Value::Null, |(logprobs, end)| {
                    *offset = end;
                    logprobs
                });
                json!({"text": text, "index": index, "logprobs": logprobs, "finish_reason": choice.finish()})
            }
            AnswerShape::Chat => {
                let logprobs = if has_new { choice.chat_logprobs(first, &mut texts)? } else { Value::Null };
                let delta = if text.is_empty() { json!({}) } else { json!({"content": text}) };
                json!({
                    "index": index, "delta": delta, "logprobs": logprobs, "finish_reason": choice.finish()
                })
            }
        })
    }

    /// Sends the new part of a choice. Returns whether the client is still connected.
    async fn send(&self, sender: &mut Sender<Bytes>, choice: Value) -> bool {
        let mut body = self.envelope(false);
        body["choices"] = json!([choice]);
        sender.send_data(format!("data: {body}\n\n").into()).await.is_ok()
    }
}
