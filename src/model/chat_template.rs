//! Renders messages as one prompt. The chat template comes from chat_template.jinja or else from
//! tokenizer_config.json. Without a template, the prompt is the contents of the messages, one per line.

use minijinja::{Environment, Error as Fault, ErrorKind, context, syntax::SyntaxConfig};
use serde_json::Value;

use super::chat_files::ChatFiles;
use super::chat_template_source as source;
use crate::error::{Error, Result};
use crate::guard::guarded;

const NAME: &str = "chat";
/// Limit on the work of one rendering, which bounds time and memory: an instruction counts 1, and so do 64
/// bytes that are produced or read.
const FUEL: u64 = 1_000_000;
/// Additional work allowed per byte of the messages.
const FUEL_PER_BYTE: u64 = 4;
/// Maximum depth of nested macro calls and loops.
const DEEPEST: usize = 100;
/// Maximum length of a prompt in bytes.
const LONGEST: usize = 16 << 20;
/// Stack size in bytes of the thread that parses a template: the parser is recursive.
const STACK: usize = 128 << 20;

/// A message of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// `system`, `user`, `assistant`, or another role that the template supports.
    pub role: String,
    /// The text.
    pub content: String,
}

/// The chat template of a model.
#[derive(Debug)]
pub struct ChatTemplate {
    /// The template, and the special tokens available to it.
    template: Option<(Environment<'static>, Value)>,
}

impl ChatTemplate {
    /// The template among the files of a model.
    ///
    /// # Errors
    /// [`Error::Config`] if the template cannot be parsed.
    pub fn of(files: &ChatFiles) -> Result<Self> {
        let ChatFiles { path, settings: config, template } = files;
        // Of several named templates, `default` is the one for chats.
        let named = |list: &Vec<Value>| list.iter().find(|entry| entry["name"] == "default").cloned();
        // The file takes precedence over the key, as in transformers.
        let source = match (template, &config["chat_template"]) {
            (Some(template), _) => Some(template.clone()),
            (None, Value::String(source)) => Some(source.clone()),
            (None, Value::Array(list)) => {
                named(list).and_then(|entry| entry["template"].as_str().map(str::to_owned))
            }
            (None, _) => None,
        };
        let Some(source) = source else { return Ok(Self { template: None }) };
        let environment = parse_apart(source).map_err(|fault| Error::Config {
            path: path.clone(),
            reason: format!(
                "chat_template cannot be parsed ({fault}); correct it, or remove it to use no template"
            ),
        })?;
        let token = |key: &str| match &config[key] {
            Value::String(token) => token.clone(),
            other => other["content"].as_str().unwrap_or_default().to_owned(),
        };
        let tokens = serde_json::json!({"bos_token": token("bos_token"), "eos_token": token("eos_token")});
        Ok(Self { template: Some((environment, tokens)) })
    }

    /// Whether the model has a template.
    pub fn is_there(&self) -> bool {
        self.template.is_some()
    }

    /// The prompt up to the beginning of the model's message, and whether the prompt already contains special
    /// tokens.
    ///
    /// # Errors
    /// The reason why the template rejects the messages.
    pub fn render(&self, messages: &[ChatMessage]) -> std::result::Result<(String, bool), String> {
        let Some((environment, tokens)) = &self.template else {
            let contents: Vec<&str> = messages.iter().map(|message| message.content.as_str()).collect();
            return Ok((contents.join("\n"), false));
        };
        let mut environment = environment.clone();
        let bytes: usize = messages.iter().map(|message| message.role.len() + message.content.len()).sum();
        environment.set_fuel(Some(FUEL + FUEL_PER_BYTE * bytes as u64));
        let template = environment.get_template(NAME);
        let render = || {
            template.and_then(|template| {
                let (bos_token, eos_token) = (tokens["bos_token"].as_str(), tokens["eos_token"].as_str());
                let one = |m: &ChatMessage| {
                    minijinja::Value::from_pairs([("role", m.role.clone()), ("content", m.content.clone())])
                };
                let messages: minijinja::Value = messages.iter().map(one).collect();
                template.render(context! { messages, bos_token, eos_token, add_generation_prompt => true })
            })
        };
        let refused = |reason: String| format!("the model's chat template rejects the messages: {reason}");
        match guarded(render) {
            Ok(Ok(text)) if text.len() <= LONGEST => Ok((text, true)),
            Ok(Ok(text)) => Err(refused(format!("the prompt would have {} bytes", text.len()))),
            Ok(Err(fault)) if fault.kind() == ErrorKind::OutOfFuel => {
                Err(refused("rendering takes too many steps or produces too much text".into()))
            }
            Ok(Err(fault)) => Err(refused(fault.to_string())),
            Err(reason) => Err(refused(reason)),
        }
    }
}

/// Parses a template on a thread with a stack large enough for deep nesting.
fn parse_apart(source: String) -> std::result::Result<Environment<'static>, String> {
    source::check(&source)?;
    let parse =
        move || guarded(|| parse(source)).and_then(|parsed| parsed.map_err(|fault| fault.to_string()));
    let started = std::thread::Builder::new().name("template".into()).stack_size(STACK).spawn(parse);
    let ended = started.map_err(|error| format!("cannot start a thread: {error}"))?.join();
    ended.unwrap_or_else(|_| Err("the template parser crashed".into()))
}

fn parse(source: String) -> std::result::Result<Environment<'static>, Fault> {
    let mut environment = Environment::new();
    // The same settings as transformers.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax?);
    environment.set_recursion_limit(DEEPEST);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    let raise = |message: String| Err::<String, _>(Fault::new(ErrorKind::InvalidOperation, message));
    environment.add_function("raise_exception", raise);
    environment.add_template_owned(NAME, source)?;
    Ok(environment)
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
            assert!(refusal.contains("rejects the messages"), "{refusal}");
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
