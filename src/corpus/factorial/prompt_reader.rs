//! Tokenizes the prompts of a design for one model: as texts, or as messages rendered by its chat template.

use std::borrow::Cow;

use super::design::{FactorialDesign, Query};
use crate::error::{Error, Result};
use crate::model::{ChatMessage, ChatTemplate, Model, Tokenizer};

/// The tokenizer and the chat template of a model, for the prompts of a design.
pub(super) struct PromptReader<'a> {
    design: &'a FactorialDesign,
    tokenizer: Cow<'a, Tokenizer>,
    template: Option<ChatTemplate>,
}

impl<'a> PromptReader<'a> {
    /// Prepares the tokenizer and, for a chat form, the chat template.
    ///
    /// # Errors
    /// [`Error::Config`] for a chat template that does not parse.
    pub(super) fn new(design: &'a FactorialDesign, model: &'a Model) -> Result<Self> {
        let template = if design.form.is_chat() { Some(ChatTemplate::of(&model.chat)?) } else { None };
        let has_special = template.as_ref().is_some_and(ChatTemplate::is_there);
        let tokenizer = match has_special {
            true => Cow::Owned(model.tokenizer.with_special_tokens_in_text()),
            false => Cow::Borrowed(&model.tokenizer),
        };
        Ok(Self { design, tokenizer, template })
    }

    fn fault(&self, reason: String) -> Error {
        Error::Corpus { name: self.design.category.clone(), reason }
    }

    /// Returns the whole text that the model reads, the byte at which the prompt starts in it, and whether
    /// the text contains special tokens.
    fn rendered<'b>(&self, text: &'b str) -> Result<(Cow<'b, str>, usize, bool)> {
        let Some(template) = &self.template else { return Ok((text.into(), 0, false)) };
        let message = ChatMessage { role: "user".into(), content: text.into() };
        let (whole, has_special) = template.render(&[message]).map_err(|reason| self.fault(reason))?;
        match whole.find(text) {
            Some(start) => Ok((whole.into(), start, has_special)),
            None => Err(self.fault(format!(
                "the chat template of the model changes the message {text:?}; choose another \
                 form of prompt (--form)"
            ))),
        }
    }

    /// The token ids of a prompt whose query ends before byte `end`.
    ///
    /// # Errors
    /// [`Error::Corpus`] if one token contains both the query and the end of the prompt.
    pub(super) fn window(&self, text: &str, end: usize) -> Result<Vec<u32>> {
        let (whole, start, has_special) = self.rendered(text)?;
        let tokens = self.tokenizer.encode(&whole)?;
        if tokens.last().is_none_or(|last| last.span.start < start + end) {
            return Err(self.fault(format!(
                "the tokenizer of the model joins the query and the end of {text:?} in one token, so the \
                 state at the end cannot be separated from the query; choose another form of prompt \
                 (--form) or another model"
            )));
        }
        let prefix = if has_special { &[] } else { self.tokenizer.prefix() };
        Ok(prefix.iter().copied().chain(tokens.into_iter().map(|token| token.id)).collect())
    }

    /// For each query and relation, the first token of the answer after the prompt.
    ///
    /// # Errors
    /// [`Error::Corpus`] if one token contains both the end of the prompt and the beginning of the answer.
    pub(super) fn answer_tokens(&self) -> Result<Vec<Vec<u32>>> {
        let of_query = |query: &Query| {
            query.answers.iter().flatten().map(|answer| self.first_token(&query.entity, answer)).collect()
        };
        self.design.queries.iter().map(of_query).collect()
    }

    fn first_token(&self, entity: &str, answer: &str) -> Result<u32> {
        let form = &self.design.form;
        let (prompt, _) = form.render(&[], entity);
        let (whole, ..) = self.rendered(&prompt)?;
        let ids = |text: &str| -> Result<Vec<u32>> {
            Ok(self.tokenizer.encode(text)?.into_iter().map(|token| token.id).collect())
        };
        let with_answer = ids(&format!("{whole}{}", form.continuation(answer)))?;
        match with_answer.strip_prefix(ids(&whole)?.as_slice()) {
            Some([first, ..]) => Ok(*first),
            _ => Err(self.fault(format!(
                "the tokenizer of the model joins the end of {prompt:?} with the answer {answer:?}, so the \
                 answer has no first token of its own; choose another form of prompt (--form) or \
                 another model"
            ))),
        }
    }
}
