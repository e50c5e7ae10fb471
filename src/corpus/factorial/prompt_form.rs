//! How a prompt of the factorial design is written.

use std::ops::Range;

/// A way to write examples and query. An example is `before`, its entity, `cue`, a space, its answer;
/// examples and query are separated by `between`; the prompt ends with the query's cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptForm {
    /// Its name in flags and files.
    pub name: &'static str,
    before: &'static str,
    cue: &'static str,
    between: &'static str,
}

/// "France -> Paris, Peru ->"
pub(super) const ARROW: PromptForm = PromptForm { name: "arrow", before: "", cue: " ->", between: ", " };

/// Every form, the default first.
pub static FORMS: &[PromptForm] = &[
    ARROW,
    PromptForm { name: "colon", before: "", cue: ":", between: "\n" },
    PromptForm { name: "sentence", before: "For ", cue: ", the answer is", between: ". " },
];

impl PromptForm {
    /// The form of a name.
    pub fn find(name: &str) -> Option<Self> {
        FORMS.iter().find(|form| form.name == name).copied()
    }

    /// The names of all forms.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FORMS.iter().map(|form| form.name)
    }

    /// One example in words, for messages and documentation.
    pub fn describe(&self) -> String {
        self.render(&[("France", "Paris")], "Peru").0
    }

    /// The text of a prompt, and the bytes of the query in it.
    pub(super) fn render(&self, examples: &[(&str, &str)], query: &str) -> (String, Range<usize>) {
        let Self { before, cue, between, .. } = self;
        let mut text = String::new();
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

    /// The text that the answer begins with when it follows a prompt.
    pub(super) fn answer(answer: &str) -> String {
        format!(" {answer}")
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
    }
}
