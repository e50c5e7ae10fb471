//! How a prompt of the factorial design is written.

use std::ops::Range;

use crate::names;

/// A way to write examples and query. An example is `before`, its entity, `cue`, a space, its answer;
/// examples and query are separated by `between`; the prompt ends with the query's cue. The message of a chat
/// begins with an `instruction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptForm {
    /// Its name in flags and files.
    pub name: &'static str,
    instruction: &'static str,
    before: &'static str,
    cue: &'static str,
    between: &'static str,
    /// Sequences that end an answer.
    stops: &'static [&'static str],
    is_chat: bool,
}

/// The instruction to a chat model before a list.
pub const CONTINUE: &str =
    "Continue the list with the one answer that comes next. Reply with that answer alone.";

/// "France -> Paris, Peru ->"
pub(super) const ARROW: PromptForm = PromptForm {
    name: "arrow",
    instruction: "",
    before: "",
    cue: " ->",
    between: ", ",
    stops: &[",", "\n"],
    is_chat: false,
};

/// The list of the arrow as the user's message of a chat, after an instruction. The answer is the beginning
/// of the model's message.
const CHAT: PromptForm = PromptForm { name: "chat", instruction: CONTINUE, is_chat: true, ..ARROW };

/// Every form, the default first.
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
    /// The form of a name.
    pub fn find(name: &str) -> Option<Self> {
        names::find(name, FORMS, |form| form.name).copied()
    }

    /// The names of all forms.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FORMS.iter().map(|form| form.name)
    }

    /// Whether a prompt is the user's message of a chat, and not a text that is continued.
    pub fn is_chat(&self) -> bool {
        self.is_chat
    }

    /// Sequences that end an answer: what stands between two examples, and a line feed.
    pub fn stops(&self) -> &'static [&'static str] {
        self.stops
    }

    /// One example in words, for messages and documentation.
    pub fn describe(&self) -> String {
        self.render(&[("France", "Paris")], "Peru").0
    }

    /// The text of a prompt, and the bytes of the query in it.
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

    /// The text of an answer that directly follows a prompt.
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
