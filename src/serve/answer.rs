//! Builds the JSON of answers, complete or streamed.

use serde_json::{Map, Value, json};

use super::request::{ApiError, ApiResult};
use super::sequence::{Event, FinishReason, Scored};
use crate::model::Tokenizer;

/// The lowest log-probability in answers. It replaces lower values and minus infinity, which JSON cannot
/// express.
const LOWEST: f64 = -9999.0;
/// Maximum number of bytes of the tokens of a request, with their texts. The limit applies separately to its
/// prompts and to its choices.
pub(super) const MOST_TOKENS: usize = 48 << 20;
/// Maximum number of bytes of the texts in the log-probabilities of a request.
const MOST_TEXT: usize = 16 << 20;
/// Number of bytes that a token takes in addition to its text: its id, and the least that a string allocates.
pub(super) const TOKEN_BYTES: usize = size_of::<u32>() + size_of::<String>() + 16;
/// In the log-probabilities of a chat, each byte of a token's text counts as this many bytes, because it
/// appears in a string and again as a JSON number.
const CHAT_BYTE: usize = 8;

/// The error for token texts that exceed [`MOST_TOKENS`] or [`MOST_TEXT`].
pub(super) fn too_much_text(param: &str) -> ApiError {
    let advice = match param {
        "prompt" | "messages" => "send fewer or shorter prompts",
        _ => "ask for fewer tokens or log-probabilities",
    };
    let reason = format!("the texts of the tokens exceed the size limit; {advice}");
    ApiError::invalid(param, reason)
}

/// Decodes tokens for the log-probabilities of an answer, and limits the bytes of their texts to
/// [`MOST_TEXT`].
pub(super) struct Texts<'a> {
    tokenizer: &'a Tokenizer,
    left: usize,
}

impl<'a> Texts<'a> {
    pub fn of(tokenizer: &'a Tokenizer) -> Self {
        Self { tokenizer, left: MOST_TEXT }
    }

    fn charge(&mut self, bytes: usize) -> ApiResult<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| too_much_text("logprobs"))?;
        Ok(())
    }

    /// The text of a token after the token `before`.
    fn after(&self, before: Option<u32>, id: u32) -> String {
        let context: Vec<u32> = before.into_iter().collect();
        let skip = self.tokenizer.decode(&context).len();
        let whole = self.tokenizer.decode(&[&context[..], &[id]].concat());
        whole.get(skip..).unwrap_or_default().to_owned()
    }
}

/// A prompt as token ids, with the text of each token. The concatenated texts are the prompt.
#[derive(Debug, Clone)]
pub(super) struct EncodedPrompt {
    pub ids: Vec<u32>,
    pub pieces: Vec<String>,
}

/// A token that is reported to the client.
struct ReportedToken {
    piece: String,
    scored: Scored,
    /// The previous token, which affects the text of alternatives.
    before: Option<u32>,
}

/// One choice during generation.
#[derive(Default)]
pub(super) struct Choice {
    reported: Vec<ReportedToken>,
    text: String,
    finish: Option<FinishReason>,
    pub n_tokens: usize,
    /// Number of bytes of the text and the reported tokens of this choice.
    pub n_bytes: usize,
    pub failed: Option<String>,
}

impl Choice {
    /// Starts a choice: with the text of the prompt if `echo` is set, otherwise empty.
    pub fn begin(encoded: &EncodedPrompt, echo: bool) -> Self {
        Self { text: if echo { encoded.pieces.concat() } else { String::new() }, ..Self::default() }
    }

    /// Number of bytes of the reported tokens of a prompt.
    pub fn prompt_bytes(encoded: &EncodedPrompt) -> usize {
        let text: usize = encoded.pieces.iter().map(String::len).sum();
        text + encoded.pieces.len() * size_of::<ReportedToken>()
    }

    /// Adds an event, and returns the text that becomes visible to the client.
    pub fn take(&mut self, event: Event, encoded: &EncodedPrompt) -> String {
        match event {
            Event::Prompt(scored) => {
                let before = std::iter::once(None).chain(encoded.ids.iter().copied().map(Some));
                self.n_bytes += Self::prompt_bytes(encoded);
                let reported = scored.into_iter().zip(&encoded.pieces).zip(before);
                self.reported.extend(reported.map(|((scored, piece), before)| ReportedToken {
                    piece: piece.clone(),
                    scored,
                    before,
                }));
                String::new()
            }
            Event::Token { scored, text, piece } => {
                let before = self.reported.last().map(|last| last.scored.id).or(encoded.ids.last().copied());
                self.n_bytes += piece.len() + text.len() + size_of::<ReportedToken>();
                self.reported.push(ReportedToken { piece, scored, before });
                self.text.push_str(&text);
                text
            }
            Event::Done { finish, rest, n_tokens } => {
                self.text.push_str(&rest);
                (self.finish, self.n_tokens) = (Some(finish), n_tokens);
                rest
            }
            Event::Failed(message) => {
                self.failed = Some(message);
                String::new()
            }
        }
    }

    pub fn is_over(&self) -> bool {
        self.finish.is_some() || self.failed.is_some()
    }

    pub fn finish(&self) -> Value {
        match self.finish {
            Some(FinishReason::Stop) => "stop".into(),
            Some(FinishReason::Length) => "length".into(),
            None => Value::Null,
        }
    }

    /// Number of tokens reported so far.
    pub fn n_emitted(&self) -> usize {
        self.reported.len()
    }

    /// The choice in the format of `/v1/completions`.
    pub fn completion(&self, index: usize, logprobs: bool, texts: &mut Texts) -> ApiResult<Value> {
        let logprobs = if logprobs { self.completion_logprobs(0, 0, texts)?.0 } else { Value::Null };
        Ok(json!({"text": self.text, "index": index, "logprobs": logprobs, "finish_reason": self.finish()}))
    }

    /// The log-probabilities of the tokens from index `first` on, and the `text_offset` of the token after
    /// them. `offset` is the `text_offset` of token `first`.
    pub fn completion_logprobs(
        &self,
        first: usize,
        offset: usize,
        texts: &mut Texts,
    ) -> ApiResult<(Value, usize)> {
        let (mut tokens, mut token_logprobs, mut top_logprobs, mut offsets) =
            (vec![], vec![], vec![], vec![]);
        let mut offset = offset;
        for token in &self.reported[first..] {
            texts.charge(2 * token.piece.len())?;
            tokens.push(json!(token.piece));
            token_logprobs.push(token.scored.logprob.map_or(Value::Null, number));
            top_logprobs.push(match token.scored.logprob {
                None => Value::Null,
                Some(logprob) => {
                    let top = token.scored.top.iter();
                    let mut map: Map<String, Value> = top
                        .rev()
                        .filter(|(id, _)| *id != token.scored.id)
                        .map(|(id, logprob)| {
                            let text = texts.after(token.before, *id);
                            texts.charge(text.len())?;
                            Ok((text, number(*logprob)))
                        })
                        .collect::<ApiResult<_>>()?;
                    map.insert(token.piece.clone(), number(logprob));
                    Value::Object(map)
                }
            });
            offsets.push(offset);
            // Offsets count characters, as in OpenAI's API.
            offset += token.piece.chars().count();
        }
        let value = json!({
            "tokens": tokens, "token_logprobs": token_logprobs, "top_logprobs": top_logprobs,
            "text_offset": offsets
        });
        Ok((value, offset))
    }

    /// The choice in the format of `/v1/chat/completions`.
    pub fn chat(&self, index: usize, logprobs: bool, texts: &mut Texts) -> ApiResult<Value> {
        let logprobs = if logprobs { self.chat_logprobs(0, texts)? } else { Value::Null };
        let message = json!({"role": "assistant", "content": self.text, "refusal": null});
        let finish = self.finish();
        Ok(json!({"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}))
    }

    /// The log-probabilities of the tokens from index `first` on.
    pub fn chat_logprobs(&self, first: usize, texts: &mut Texts) -> ApiResult<Value> {
        let entry = |texts: &mut Texts, piece: &str, logprob: f64| {
            texts.charge(CHAT_BYTE * piece.len())?;
            let bytes = piece.as_bytes();
            Ok(json!({"token": piece, "logprob": number(logprob), "bytes": bytes}))
        };
        let one = |token: &ReportedToken| {
            let mut value = entry(texts, &token.piece, token.scored.logprob.unwrap_or(LOWEST))?;
            let top = token.scored.top.iter().map(|(id, logprob)| {
                let text = texts.after(token.before, *id);
                entry(texts, &text, *logprob)
            });
            value["top_logprobs"] = top.collect::<ApiResult<_>>()?;
            Ok(value)
        };
        let content: Vec<Value> = self.reported[first..].iter().map(one).collect::<ApiResult<_>>()?;
        Ok(json!({"content": content, "refusal": null}))
    }
}

fn number(logprob: f64) -> Value {
    json!(logprob.max(LOWEST))
}

/// The token counts of a request.
pub(super) fn usage(prompt_tokens: usize, completion_tokens: usize) -> Value {
    json!({
        "prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens
    })
}
