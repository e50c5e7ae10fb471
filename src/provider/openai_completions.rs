//! OpenAI's older text format, `POST {base}/completions`, which continues a text. vLLM and other local
//! servers can return the log-probabilities of the prompt (`echo`), which no chat API does.

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, AnswerParts, TokenLogprob};
use super::batch::{BatchWire, OpenAiBatches};
use super::conventions::Conventions;
use super::failure::ErrorClassifier;
use super::generation_params::Capabilities;
use super::json;
use super::openai::{self, finish, token};
use super::request::{KeyHeader, Prompt, Request, WireRequest};
use super::wire_format::Provider;
use crate::error::{Error, Result};

/// OpenAI's completions API.
#[derive(Debug, Clone, Copy)]
pub struct OpenAiCompletions;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    prompt: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<u8>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    echo: bool,
}

impl Provider for OpenAiCompletions {
    fn name(&self) -> &'static str {
        "openai-completions"
    }

    fn default_base_url(&self) -> &'static str {
        openai::BASE_URL
    }

    fn key_variable(&self) -> &'static str {
        openai::KEY_VARIABLE
    }

    fn key_header(&self) -> KeyHeader {
        KeyHeader::Bearer
    }

    fn conventions(&self) -> &'static Conventions {
        &openai::CONVENTIONS
    }

    fn batch(&self) -> Option<&'static dyn BatchWire> {
        Some(&OpenAiBatches)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            chats: false,
            stops: 4,
            blank_stops: true,
            max_temperature: 2.0,
            max_seed: Some(i64::MAX as u64),
            top_logprobs: Some(5),
            echo: true,
            efforts: &[],
        }
    }

    fn render(&self, request: &Request) -> Result<WireRequest> {
        let params = &request.params;
        params.check(self.name(), &self.capabilities())?;
        let Prompt::Text(prompt) = &request.prompt else {
            let reason = "continues texts and does not accept chats; give `prompt` instead of `messages`, or \
                          use --provider openai-chat";
            return Err(Error::Parameter { name: "--provider", reason: format!("{} {reason}", self.name()) });
        };
        let body = Body {
            model: &request.model,
            prompt,
            max_tokens: params.max_tokens,
            temperature: params.temperature,
            top_p: params.top_p,
            stop: &params.stop,
            seed: params.seed,
            logprobs: params.logprobs,
            echo: params.echo,
        };
        Ok(WireRequest::json("/completions", vec![], &body, params)?.whole())
    }

    fn read_success(&self, value: &Value, errors: &ErrorClassifier) -> Answer {
        let choice = &value["choices"][0];
        let text = choice["text"].as_str().map(Into::into);
        let parts = AnswerParts { text, ..AnswerParts::default() };
        let mut answer = finish(parts, value, errors);
        answer.logprobs = tokens(&choice["logprobs"]);
        answer
    }
}

/// Reads parallel lists of texts, log-probabilities and offsets. The first token of an echoed prompt has no
/// log-probability. The server of llama.cpp lists generated tokens in the format of chats.
fn tokens(logprobs: &Value) -> Option<Vec<TokenLogprob>> {
    if let Some(list) = logprobs["content"].as_array() {
        return Some(list.iter().map(token).collect());
    }
    let texts = logprobs["tokens"].as_array()?;
    let one = |(i, text): (usize, &Value)| {
        let top = logprobs["top_logprobs"][i].as_object().into_iter().flatten();
        TokenLogprob {
            token: text.as_str().unwrap_or_default().into(),
            bytes: None,
            logprob: logprobs["token_logprobs"][i].as_f64(),
            top: top.filter_map(|(token, value)| Some((token.clone(), value.as_f64()?))).collect(),
            offset: json::count(&logprobs["text_offset"][i]),
        }
    };
    Some(texts.iter().enumerate().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Headers, read};

    #[test]
    fn tokens_that_are_listed_as_in_chats_are_read() {
        let body = br#"{"choices": [{"text": " Lima", "index": 0, "finish_reason": "length", "logprobs":
            {"content": [{"id": 7, "token": " Lima", "bytes": [32], "logprob": -0.5,
            "top_logprobs": [{"id": 7, "token": " Lima", "logprob": -0.5}]}]}}]}"#;
        let answer = read(&OpenAiCompletions, 200, &Headers::default(), body);
        let tokens = answer.logprobs.expect("log-probabilities");
        assert_eq!((tokens[0].token.as_str(), tokens[0].logprob), (" Lima", Some(-0.5)));
        assert_eq!(tokens[0].top, [(" Lima".to_owned(), -0.5)]);
    }
}
