//! Renders messages with the chat template of a model, from chat_template.jinja or else from
//! tokenizer_config.json. Without a template, the prompt is the contents of the messages, one per line.

use std::time::Duration;

use serde_json::Value;

use super::files::ChatFiles;
use super::jinja::{Jinja, STACK, TemplateSource};
use super::message::ChatMessage;
use super::workers::{self, Failure, Workers};
use crate::error::{Error, Result};

/// Time limit for parsing or rendering in a separate process.
pub(crate) const TIME: Duration = Duration::from_secs(10);

/// The chat template of a model.
///
/// A program that uses this library renders in its own process, with limits on the source, the number of
/// steps, the depth of calls and the length of the prompt. These limits suffice for templates from a trusted
/// source, but a hostile template can still exhaust memory or run for hours. The `surmise` program renders in
/// separate processes that it can end.
#[derive(Debug)]
pub struct ChatTemplate {
    renderer: Option<Renderer>,
}

#[derive(Debug)]
enum Renderer {
    InProcess(Box<Jinja>),
    Workers(Workers),
}

impl ChatTemplate {
    /// The template among the files of a model.
    ///
    /// # Errors
    /// [`Error::Config`] if the template cannot be parsed.
    pub fn of(files: &ChatFiles) -> Result<Self> {
        let ChatFiles { path, settings: config, template } = files;
        // If there are several named templates, the template `default` is for chats.
        let named = |list: &Vec<Value>| list.iter().find(|entry| entry["name"] == "default").cloned();
        // The file takes precedence over the key, as in transformers.
        let text = match (template, &config["chat_template"]) {
            (Some(template), _) => Some(template.clone()),
            (None, Value::String(source)) => Some(source.clone()),
            (None, Value::Array(list)) => {
                named(list).and_then(|entry| entry["template"].as_str().map(str::to_owned))
            }
            (None, _) => None,
        };
        let Some(text) = text else { return Ok(Self { renderer: None }) };
        let token = |key: &str| match &config[key] {
            Value::String(token) => token.clone(),
            other => other["content"].as_str().unwrap_or_default().to_owned(),
        };
        let source = TemplateSource { text, bos_token: token("bos_token"), eos_token: token("eos_token") };
        let renderer = if workers::are_in_use() {
            Workers::parse(source, TIME).map(Renderer::Workers)
        } else {
            parse_apart(source).map(|parsed| Renderer::InProcess(Box::new(parsed)))
        };
        let renderer = renderer.map_err(|fault| Error::Config {
            path: path.clone(),
            reason: format!(
                "chat_template cannot be parsed ({fault}); correct it, or remove it to use no template"
            ),
        })?;
        Ok(Self { renderer: Some(renderer) })
    }

    /// Whether the model has a template.
    pub fn is_there(&self) -> bool {
        self.renderer.is_some()
    }

    /// The prompt up to the beginning of the model's message, and whether the prompt already contains special
    /// tokens.
    ///
    /// # Errors
    /// The reason why the template rejects the messages.
    pub fn render(&self, messages: &[ChatMessage]) -> std::result::Result<(String, bool), String> {
        self.render_within(messages, TIME).map_err(|refusal| refusal.reason)
    }

    /// Like [`ChatTemplate::render`], but with another time limit. The limit has no effect if this process
    /// renders.
    pub(crate) fn render_within(
        &self,
        messages: &[ChatMessage],
        limit: Duration,
    ) -> std::result::Result<(String, bool), Refusal> {
        let rendered = match &self.renderer {
            None => {
                let contents: Vec<&str> = messages.iter().map(|message| message.content.as_str()).collect();
                return Ok((contents.join("\n"), false));
            }
            Some(Renderer::InProcess(template)) => template.render(messages).map_err(Failure::Template),
            Some(Renderer::Workers(workers)) => workers.render(messages, limit),
        };
        rendered.map(|text| (text, true)).map_err(|failure| {
            let (reason, is_of_template) = failure.reason();
            let reason = format!("the model's chat template cannot render the messages: {reason}");
            Refusal { reason, is_of_template }
        })
    }
}

/// The reason why messages were not rendered.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    /// Whether the template or the messages are at fault. If false, no process for rendering could be
    /// started.
    pub(crate) is_of_template: bool,
}

/// Parses a template on a thread with a stack large enough for deep nesting.
fn parse_apart(source: TemplateSource) -> std::result::Result<Jinja, String> {
    let parse = move || Jinja::parse(source);
    let started = std::thread::Builder::new().name("template".into()).stack_size(STACK).spawn(parse);
    let ended = started.map_err(|error| format!("cannot start a thread: {error}"))?.join();
    ended.unwrap_or_else(|_| Err("the template parser crashed".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(role: &str, content: &str) -> ChatMessage {
        ChatMessage { role: role.into(), content: content.into() }
    }

    #[test]
    fn a_template_of_the_published_kind_is_rendered_and_can_refuse() {
        let source = "{{ bos_token }}{% for message in messages %}\n  {% if message.role == 'tool' %}{{ \
                      raise_exception('no tools') }}{% endif %}\n<|{{ message['role'] }}|>{{ \
                      message['content'].strip() }}{{ eos_token }}\n{% endfor %}\n{% if \
                      add_generation_prompt %}<|assistant|>{% endif %}";
        let settings = serde_json::json!({
            "chat_template": source, "bos_token": "<s>", "eos_token": {"content": "</s>"}
        });
        let template = ChatTemplate::of(&ChatFiles { settings, ..ChatFiles::default() }).unwrap();
        let (text, special) = template.render(&[message("user", " hi "), message("user", "you")]).unwrap();
        assert!(special);
        assert_eq!(text.replace('\n', ""), "<s><|user|>hi</s><|user|>you</s><|assistant|>");
        let refusal = template.render(&[message("tool", "x")]).unwrap_err();
        assert!(refusal.contains("no tools"), "{refusal}");
    }

    #[test]
    fn a_template_without_end_is_refused_with_its_fault() {
        let render = |source: &str| {
            let files = ChatFiles { template: Some(source.into()), ..ChatFiles::default() };
            ChatTemplate::of(&files).map_err(|error| error.to_string())?.render(&[message("user", "red")])
        };
        let double = "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}\
                      {% endfor %}{{ ns.x }}";
        let nested = "{% for a in range(99999) %}{% for b in range(99999) %}{{ b }}{% endfor %}{% endfor %}";
        let call = "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}";
        for source in [
            nested,
            double,
            call,
            "{{ 'a' | indent(10000000000, true) }}",
            "{{ 'a' * 10000000000 }}",
            "{{ [0] * 10000000000 }}",
            "{{ 'aaaaaaaa'.replace('a', 'b' * 60000000) }}",
            "{{ (range(99999) | list) | join('x' * 100000) }}",
            "{{ '%1000000000d' | format(1) }}",
            "{{ 2 ** 100000 }}",
        ] {
            let refusal = render(source).expect_err(source);
            assert!(refusal.contains("cannot render the messages"), "{refusal}");
        }
        let chain = format!("{{{{ {}true }}}}", "not ".repeat(100_000));
        assert!(render(&chain).expect_err("a chain").contains("words and symbols"));
        let deep = format!("{{{{ {}true }}}}", "not ".repeat(2500));
        assert!(render(&deep).is_ok(), "{deep:.20}");
    }

    #[test]
    fn a_file_of_its_own_goes_before_the_key() {
        let settings = serde_json::json!({ "chat_template": "of the key" });
        let template = Some("of the file".to_owned());
        let of = |template| ChatFiles { settings: settings.clone(), template, ..ChatFiles::default() };
        let text = |files: &ChatFiles| ChatTemplate::of(files).unwrap().render(&[]).unwrap().0;
        assert_eq!(text(&of(template)), "of the file");
        assert_eq!(text(&of(None)), "of the key");
    }

    #[test]
    fn without_a_template_the_contents_are_the_prompt() {
        let template = ChatTemplate::of(&ChatFiles::default()).unwrap();
        let text = template.render(&[message("system", "a"), message("user", "b")]).unwrap();
        assert_eq!(text, ("a\nb".to_owned(), false));
    }
}
