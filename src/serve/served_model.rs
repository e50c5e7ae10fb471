//! A served model: its id, limits, chat template and decoding engine.

use super::engine::Engine;
use super::prepare::Preparation;
use super::settings::ServerSettings;
use crate::error::Result;
use crate::model::{ChatTemplate, Model, Tokenizer};

/// A model that the server offers.
pub(super) struct ServedModel {
    pub(super) id: String,
    pub(super) max_positions: usize,
    pub(super) vocab_size: usize,
    pub(super) template: ChatTemplate,
    /// Limits how many chats are rendered at the same time.
    pub(super) rendering: Preparation,
    /// Limits how many requests are tokenized at the same time.
    pub(super) tokenizing: Preparation,
    /// Limits how many long answers are written as JSON at the same time.
    pub(super) answering: Preparation,
    /// The tokenizer for prompts that the template renders.
    pub(super) chat_tokenizer: Tokenizer,
    pub(super) engine: Engine,
}

impl ServedModel {
    /// Reads the chat template and starts the engine.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a template that cannot be parsed,
    /// [`Error::Threads`](crate::Error::Threads) if no thread can be started.
    pub(super) fn start(model: Model, settings: &ServerSettings) -> Result<Self> {
        let template = ChatTemplate::of(&model.chat)?;
        Ok(Self {
            id: model.info.id.clone(),
            max_positions: model.decoder.spec().max_positions,
            vocab_size: model.info.vocab_size,
            chat_tokenizer: match template.is_there() {
                true => model.tokenizer.with_special_tokens_in_text(),
                false => model.tokenizer.clone(),
            },
            template,
            rendering: Preparation::new(),
            tokenizing: Preparation::new(),
            answering: Preparation::new(),
            engine: Engine::start(model, settings)?,
        })
    }
}
