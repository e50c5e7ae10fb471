//! The forms of the prompts of a factorial design.

use std::ops::Range;

use crate::names;

/// A form of prompts. An example consists of `before`, the entity, `cue`, a space and the answer. `between`
/// separates examples and the query. The prompt ends with the cue of the query. A chat message begins with
/// `instruction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptForm {
    /// The name of the form in flags and files.
    pub name: &'static str,
    instruction: &'static str,
    before: &'static str,
    cue: &'static str,
    between: &'static str,
    /// Stop sequences: texts that end an answer.
    stops: &'static [&'static str],
    is_chat: bool,
}

/// The instruction for a chat model, before the list.
pub const CONTINUE: &str =
    "Continue the list with the one answer that comes next. Reply with that answer alone.";

/// The default form, for example "France -> Paris, Peru ->".
pub(super) const ARROW: PromptForm = PromptForm {
    name: "arrow",
    instruction: "",
    before: "",
    cue: " ->",
    between: ", ",
    stops: &[",", "\n"],
    is_chat: false,
};

/// The arrow form as a user message in a chat, after an instruction. The answer is the beginning of the
/// reply.
const CHAT: PromptForm = PromptForm { name: "chat", instruction: CONTINUE, is_chat: true, ..ARROW };

/// All forms, the default first.
static FORMS: &[PromptForm] = &[
    ARROW,
    PromptForm { name: "colon", cue: ":", between: "\n", stops: &["\n"], ..ARROW },
    PromptForm {
        name: "sentence",
        before: "For ",
        cue: ", the answer is",
        between: ". ",
        stops: &[". ", "\n"],
        ..ARROW
    },
    CHAT,
];

impl PromptForm {
    /// Finds a form by name.
    pub fn find(name: &str) -> Option<Self> {
        names::find(name, FORMS, |form| form.name).copied()
    }

    /// The names of all forms.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FORMS.iter().map(|form| form.name)
    }

    /// Whether a prompt is a user message in a chat, rather than a text to continue.
    pub fn is_chat(&self) -> bool {
        self.is_chat
    }

    /// Stop sequences, which end an answer: the separator between examples, and a line feed.
    pub fn stops(&self) -> &'static [&'static str] {
        self.stops
    }

    /// A sample prompt of this form, for messages and documentation.
    pub fn describe(&self) -> String {
        self.render(&[("France", "Paris")], "Peru").0
    }

    /// Returns the text of a prompt, and the byte range of the query in it.
    pub(super) fn render(&self, examples: &[(&str, &str)], query: &str) -> (String, Range<usize>) {
        let Self { instruction, before, cue, between, .. } = self;
        let mut text = if instruction.is_empty() { String::new() } else { format!("{instruction}\n\n") };
        for (entity, answer) in examples {
            text.extend([before, entity, cue, " ", answer, between]);
        }
        text.push_str(before);
        let start = text.len();
        text.push_str(query);
        let end = text.len();
        text.push_str(cue);
        (text, start..end)
    }

    /// The text of an answer as it follows a prompt, with a leading space if needed.
    pub fn continuation(&self, answer: &str) -> String {
        if self.is_chat { answer.to_owned() } else { format!(" {answer}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_ends_with_the_cue_of_its_query() {
        let (text, query) = ARROW.render(&[("France", "Paris"), ("Japan", "Tokyo")], "Peru");
        assert_eq!(text, "France -> Paris, Japan -> Tokyo, Peru ->");
        assert_eq!(&text[query], "Peru");
        let sentence = PromptForm::find("sentence").expect("a form");
        assert_eq!(sentence.describe(), "For France, the answer is Paris. For Peru, the answer is");
        assert_eq!(PromptForm::find("colon").expect("a form").describe(), "France: Paris\nPeru:");
        let chat = PromptForm::find("chat").expect("a form");
        assert!(chat.describe().ends_with(".\n\nFrance -> Paris, Peru ->"), "{}", chat.describe());
        assert_eq!((chat.continuation("Lima"), ARROW.continuation("Lima")), ("Lima".into(), " Lima".into()));
    }

    #[test]
    fn what_separates_examples_ends_an_answer() {
        for form in FORMS {
            let (text, _) = form.render(&[("France", "Paris")], "Peru");
            let (_, rest) = text.split_once("Paris").expect("an answer");
            assert!(form.stops.iter().any(|stop| rest.starts_with(stop)), "{}", form.name);
        }
    }
}
