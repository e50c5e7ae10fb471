//! How one model reads the prompts of a design: as texts, or as messages that its chat template renders.

use std::borrow::Cow;

use super::design::{FactorialDesign, Query};
use crate::error::{Error, Result};
use crate::model::{ChatMessage, ChatTemplate, Model, Tokenizer};

/// The tokenizer and the template of a model, for the prompts of a design.
pub(super) struct PromptReader<'a> {
    design: &'a FactorialDesign,
    tokenizer: Cow<'a, Tokenizer>,
    template: Option<ChatTemplate>,
}

impl<'a> PromptReader<'a> {
    /// # Errors
    /// [`Error::Config`] for a template that does not parse.
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

    /// A prompt as the model reads it, where it stands there, and whether special tokens are written out.
    fn rendered<'b>(&self, text: &'b str) -> Result<(Cow<'b, str>, usize, bool)> {
        let Some(template) = &self.template else { return Ok((text.into(), 0, false)) };
        let message = ChatMessage { role: "user".into(), content: text.into() };
        let (whole, has_special) = template.render(&[message]).map_err(|reason| self.fault(reason))?;
        match whole.find(text) {
            Some(start) => Ok((whole.into(), start, has_special)),
            None => Err(self.fault(format!(
                "the model's chat template changes the message {text:?}; take another form of prompt"
            ))),
        }
    }

    /// The ids of a prompt whose query ends before byte `end`.
    ///
    /// # Errors
    /// [`Error::Corpus`] where the tokenizer joins query and end of the prompt.
    pub(super) fn window(&self, text: &str, end: usize) -> Result<Vec<u32>> {
        let (whole, start, has_special) = self.rendered(text)?;
        let tokens = self.tokenizer.encode(&whole)?;
        if tokens.last().is_none_or(|last| last.span.start < start + end) {
            return Err(self.fault(format!(
                "the model's tokenizer joins the query and the end of {text:?} in one token, so that \
                 the state there cannot be read apart from the query; take another form of prompt or \
                 another model"
            )));
        }
        let prefix = if has_special { &[] } else { self.tokenizer.prefix() };
        Ok(prefix.iter().copied().chain(tokens.into_iter().map(|token| token.id)).collect())
    }

    /// For each query and relation the token that an answer begins with behind the prompt.
    ///
    /// # Errors
    /// [`Error::Corpus`] where the tokenizer joins the end of the prompt with the answer.
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
                "the model's tokenizer joins the end of {prompt:?} with the answer {answer:?}, so that the \
                 answer has no first token; take another form of prompt or another model"
            ))),
        }
    }
}
