//! Parses and renders a chat template on the current thread. The limits bound the number of instructions and
//! most of the memory, but not the work of a single instruction, such as the comparison of two large lists.

use minijinja::{Environment, Error as Fault, ErrorKind, context, syntax::SyntaxConfig};
use serde::{Deserialize, Serialize};

use super::message::ChatMessage;
use super::{python_json, source};
use crate::guard::guarded;
use crate::terminal::shortened;

const NAME: &str = "chat";
/// Limit on the work of one rendering. An instruction costs 1. Each 64 bytes that it produces or reads cost 1
/// more.
const FUEL: u64 = 1_000_000;
/// Additional work allowed per byte of the messages.
const FUEL_PER_BYTE: u64 = 4;
/// Maximum depth of nested macro calls and loops.
const DEEPEST: usize = 100;
/// Maximum length of a prompt in bytes.
const LONGEST: usize = 16 << 20;
/// Stack size in bytes of a thread that parses or renders a template. Both operations are recursive.
pub(super) const STACK: usize = 128 << 20;

/// The source of a template, and the special tokens available to it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TemplateSource {
    pub text: String,
    pub bos_token: String,
    pub eos_token: String,
}

/// A parsed template.
#[derive(Debug)]
pub(super) struct Jinja {
    environment: Environment<'static>,
    bos_token: String,
    eos_token: String,
}

impl Jinja {
    /// Parses a template. The thread needs a stack of [`STACK`] bytes.
    ///
    /// # Errors
    /// The reason why the template cannot be used.
    pub fn parse(source: TemplateSource) -> Result<Self, String> {
        let TemplateSource { text, bos_token, eos_token } = source;
        let text = source::checked(&text)?;
        let environment = guarded(|| parse(text))?.map_err(|fault| said(&fault))?;
        Ok(Self { environment, bos_token, eos_token })
    }

    /// The prompt up to the beginning of the model's message.
    ///
    /// # Errors
    /// The reason why the template rejects the messages, or the limit that is exceeded.
    pub fn render(&self, messages: &[ChatMessage]) -> Result<String, String> {
        let mut environment = self.environment.clone();
        let bytes: usize = messages.iter().map(|message| message.role.len() + message.content.len()).sum();
        environment.set_fuel(Some(FUEL + FUEL_PER_BYTE * bytes as u64));
        let template = environment.get_template(NAME);
        let render = || {
            template.and_then(|template| {
                let (bos_token, eos_token) = (self.bos_token.as_str(), self.eos_token.as_str());
                let one = |m: &ChatMessage| {
                    minijinja::Value::from_pairs([("role", m.role.clone()), ("content", m.content.clone())])
                };
                let messages: minijinja::Value = messages.iter().map(one).collect();
                template.render(context! { messages, bos_token, eos_token, add_generation_prompt => true })
            })
        };
        match guarded(render)? {
            Ok(text) if text.len() <= LONGEST => Ok(text),
            Ok(text) => Err(format!(
                "the prompt would have {} bytes, which exceeds the limit of {LONGEST}",
                text.len()
            )),
            Err(fault) if fault.kind() == ErrorKind::OutOfFuel => {
                Err("rendering takes too many steps or produces too much text".into())
            }
            Err(fault) => Err(said(&fault)),
        }
    }
}

/// The message of an error. It is shortened, because it may quote a text of any length.
fn said(fault: &Fault) -> String {
    shortened(&fault.to_string()).into_owned()
}

fn parse(text: String) -> Result<Environment<'static>, Fault> {
    let mut environment = Environment::new();
    // The same settings as transformers.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax?);
    environment.set_recursion_limit(DEEPEST);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    let raise = |message: String| Err::<String, _>(Fault::new(ErrorKind::InvalidOperation, message));
    environment.add_function("raise_exception", raise);
    environment.add_filter("tojson", python_json::tojson);
    environment.add_template_owned(NAME, text)?;
    Ok(environment)
}
