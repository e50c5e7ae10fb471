//! Decodes a growing sequence of tokens. The text of a token depends on its neighbours (the space before a
//! word, bytes that form one character), so the new text is the difference between the decoded texts with and
//! without the new token.

use crate::model::Tokenizer;

/// Number of previous tokens to decode together with a token, so that a word keeps the space before it.
pub(super) const CONTEXT: usize = 8;

/// The text of an answer.
pub(super) struct StreamedText {
    ids: Vec<u32>,
    before: usize,
    text: String,
}

impl StreamedText {
    /// Starts an empty answer to a prompt.
    pub fn after(prompt: &[u32], tokenizer: &Tokenizer) -> Self {
        let ids = prompt[prompt.len().saturating_sub(CONTEXT)..].to_vec();
        let before = tokenizer.decode(&ids).len();
        Self { ids, before, text: String::new() }
    }

    /// Adds a token, and returns the new text, which is empty while a character is incomplete.
    pub fn push(&mut self, id: u32, tokenizer: &Tokenizer) -> String {
        self.ids.push(id);
        let whole = tokenizer.decode(&self.ids);
        let answer = whole.get(self.before..).unwrap_or_default();
        let complete = answer.trim_end_matches('\u{fffd}');
        let new = complete.get(self.text.len()..).unwrap_or_default().to_owned();
        self.text.push_str(&new);
        new
    }

    /// The text up to now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Truncates the text to `len` bytes.
    pub fn cut(&mut self, len: usize) {
        self.text.truncate(len);
    }
}

/// The position of the first stop string in `text` that ends after byte `from`.
pub(super) fn first_stop(text: &str, from: usize, stops: &[String]) -> Option<usize> {
    let longest = stops.iter().map(String::len).max().unwrap_or(0);
    let mut start = from.saturating_sub(longest);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    stops.iter().filter_map(|stop| text[start..].find(stop.as_str()).map(|at| start + at)).min()
}

/// The number of bytes of `text` before a possible incomplete stop string at its end.
pub(super) fn certain_len(text: &str, stops: &[String]) -> usize {
    let begun = |stop: &String| {
        (1..stop.len()).rev().find(|n| stop.is_char_boundary(*n) && text.ends_with(&stop[..*n])).unwrap_or(0)
    };
    text.len() - stops.iter().map(begun).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_string_is_found_even_if_it_began_earlier() {
        let stops = ["\n\n".to_owned(), "end".to_owned()];
        assert_eq!(first_stop("the end", 6, &stops), Some(4));
        assert_eq!(first_stop("a\n\nend", 2, &stops), Some(1));
        assert_eq!(first_stop("nothing", 0, &stops), None);
        assert_eq!(first_stop("\u{e9}\u{e9}end", 4, &stops), Some(4));
    }

    #[test]
    fn text_that_may_become_a_stop_string_is_held_back() {
        let stops = ["END".to_owned(), "\n".to_owned()];
        assert_eq!(certain_len("the EN", &stops), 4);
        assert_eq!(certain_len("the E", &stops), 4);
        assert_eq!(certain_len("the end", &stops), 7);
        assert_eq!(certain_len("", &stops), 0);
    }
}
