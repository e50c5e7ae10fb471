//! Builds the equivalent of a tokenizer_config.json for the tokenizer in a GGUF file.

use serde_json::{Value, json};

use super::pre_tokenizer::PreTokenizer;
use super::vocabulary::{TOKENS, id};
use crate::error::Result;
use crate::model::weights::gguf::Gguf;

/// The beginning- and end-of-sequence tokens, whether they are added to a text, and the chat template.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) for metadata of the wrong type.
pub(in crate::model) fn settings(gguf: &Gguf) -> Result<Value> {
    let metadata = gguf.metadata();
    let tokens = metadata.texts(TOKENS)?.unwrap_or_default();
    let token =
        |key: &str| -> Result<Option<&String>> { Ok(id(metadata, key)?.and_then(|id| tokens.get(id))) };
    let mut settings = json!({});
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            settings[key] = value;
        }
    };
    let text = |token: Option<&String>| token.map(|text| Value::from(text.as_str()));
    set("bos_token", text(token("tokenizer.ggml.bos_token_id")?));
    set("eos_token", text(token("tokenizer.ggml.eos_token_id")?));
    let begins = match metadata.flag("tokenizer.ggml.add_bos_token")? {
        Some(begins) => begins,
        None => begins_by_itself(gguf)?,
    };
    set("add_bos_token", Some(begins.into()));
    set("add_eos_token", metadata.flag("tokenizer.ggml.add_eos_token")?.map(Value::from));
    set("chat_template", metadata.text("tokenizer.chat_template")?.map(Value::from));
    Ok(settings)
}

/// Whether texts begin with the beginning-of-sequence token if the file does not specify it.
fn begins_by_itself(gguf: &Gguf) -> Result<bool> {
    let metadata = gguf.metadata();
    Ok(match metadata.text("tokenizer.ggml.model")? {
        Some("llama") => true,
        _ => {
            metadata.text("tokenizer.ggml.pre")?.and_then(PreTokenizer::of).is_some_and(PreTokenizer::begins)
        }
    })
}
