//! Cuts texts into windows of equal length that begin at sentence starts and do not overlap.

use rand::seq::index::sample;

use super::texts::Texts;
use super::{Corpus, CorpusControl, Role, TokenLabel, Window};
use crate::error::{Error, Result};
use crate::model::Tokenizer;
use crate::seed;

/// Initial number of bytes to tokenize for each token needed. Tokens of natural language have fewer bytes.
const BYTES_PER_TOKEN: usize = 16;

/// Settings for cutting texts into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSettings {
    /// Number of tokens in a window, without the prefix that the tokenizer adds.
    pub window_tokens: usize,
    /// Maximum number of windows. If the texts have more, a random sample is drawn.
    pub windows: usize,
    /// Seed of the sample and of the control.
    pub seed: u64,
    /// The control to measure in addition to the texts.
    pub control: Option<CorpusControl>,
}

impl WindowSettings {
    /// Cuts texts into windows and builds a corpus. If the texts have more than `windows` windows, a sample
    /// without replacement is drawn; its windows stay in order.
    ///
    /// # Errors
    /// Returns the errors of [`WindowSettings::all`].
    pub fn corpus(&self, texts: &Texts, tokenizer: &Tokenizer) -> Result<Corpus> {
        let all = self.all(texts, tokenizer)?;
        let windows = self.draw(&texts.name, all.len()).into_iter().map(|w| all[w].1.clone()).collect();
        Ok(self.of(texts, tokenizer, windows))
    }

    /// Builds a corpus from given windows of the texts.
    pub fn of(&self, texts: &Texts, tokenizer: &Tokenizer, windows: Vec<Window>) -> Corpus {
        Corpus {
            name: texts.name.clone(),
            sha256: texts.sha256.clone(),
            windows,
            prefix: tokenizer.prefix().to_vec(),
            bos: tokenizer.bos(),
            control: self.control,
        }
    }

    /// Draws the windows to use out of `n` windows, and returns their sorted indices.
    pub fn draw(&self, name: &str, n: usize) -> Vec<usize> {
        let mut drawn =
            sample(&mut seed::stream("windows", name, self.seed), n, n.min(self.windows)).into_vec();
        drawn.sort_unstable();
        drawn
    }

    /// All windows of the texts, each with the index of its text. A window begins at the first sentence start
    /// after the previous window. A text shorter than a window has no windows.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the settings ask for windows of fewer than two tokens or for fewer than two
    /// windows; [`Error::Corpus`] if the texts have fewer than two windows in total; [`Error::Csv`] with the
    /// line of a text that the tokenizer cannot encode.
    pub fn all(&self, texts: &Texts, tokenizer: &Tokenizer) -> Result<Vec<(usize, Window)>> {
        if self.window_tokens < 2 {
            let reason = format!("must be at least 2, but is {}", self.window_tokens);
            return Err(Error::Parameter { name: "--window-tokens", reason });
        }
        if self.windows < 2 {
            return Err(Error::Parameter {
                name: "--windows",
                reason: format!("must be at least 2, but is {}", self.windows),
            });
        }
        let (mut windows, mut longest) = (vec![], 0);
        for (number, text) in texts.texts.iter().enumerate() {
            let fault = |error: Error| match error {
                Error::Tokenizer { reason, path } => Error::Csv {
                    path: texts.path.clone(),
                    line: text.line,
                    reason: format!("the tokenizer {} {reason}", path.display()),
                },
                other => other,
            };
            let (of_text, seen) = self.windows_of(&text.text, tokenizer).map_err(fault)?;
            longest = longest.max(seen);
            windows.extend(of_text.into_iter().map(|window| (number, window)));
        }
        if windows.len() < 2 {
            let reason = format!(
                "its {} texts give {} windows of {} tokens, but at least two are needed (the longest part \
                 that begins at a sentence start has {longest} tokens); lower --window-tokens or give longer \
                 texts",
                texts.texts.len(),
                windows.len(),
                self.window_tokens
            );
            return Err(Error::Corpus { name: texts.path.display().to_string(), reason });
        }
        Ok(windows)
    }

    /// The windows of one text. Also returns the largest number of tokens that follow a sentence start, for
    /// the error about texts that are too short.
    fn windows_of(&self, text: &str, tokenizer: &Tokenizer) -> Result<(Vec<Window>, usize)> {
        let (mut windows, mut from, mut longest) = (vec![], 0, 0);
        for start in sentence_starts(text) {
            if start < from {
                continue;
            }
            let tokens = first_tokens(&text[start..], self.window_tokens, tokenizer)?;
            longest = longest.max(tokens.len());
            // The remaining text is too short for a window, so stop.
            let Some(last) = self.window_tokens.checked_sub(1).and_then(|last| tokens.get(last)) else {
                break;
            };
            from = start + last.span.end;
            let ids: Vec<u32> = tokens.iter().take(self.window_tokens).map(|token| token.id).collect();
            windows.push(window(tokenizer.prefix(), &ids, last.span.end));
        }
        Ok((windows, longest))
    }
}

fn window(prefix: &[u32], ids: &[u32], n_bytes: usize) -> Window {
    let before =
        prefix.iter().map(|_| TokenLabel { role: Role::Prefix, reading_index: 0, is_reading_point: false });
    let text = (1..=ids.len()).map(|reading_index| TokenLabel {
        role: Role::Text,
        reading_index,
        is_reading_point: true,
    });
    Window { ids: [prefix, ids].concat(), labels: before.chain(text).collect(), n_bytes }
}

/// Returns at least the first `n` tokens of a text, or all tokens if there are fewer. Tokenizes only a
/// beginning of the text, because texts can be far longer than a window.
fn first_tokens(text: &str, n: usize, tokenizer: &Tokenizer) -> Result<Vec<crate::model::tokenizer::Token>> {
    let mut bytes = n.saturating_mul(BYTES_PER_TOKEN);
    loop {
        let part = whole_words(text, bytes);
        let tokens = tokenizer.encode(part)?;
        if tokens.len() > n || part.len() == text.len() {
            return Ok(tokens);
        }
        bytes = bytes.saturating_mul(4);
    }
}

/// Returns the shortest beginning of a text that has at least `bytes` bytes and ends with a whole word.
/// Returns the whole text if it is shorter.
fn whole_words(text: &str, bytes: usize) -> &str {
    let end = text.char_indices().find(|(at, c)| *at >= bytes && c.is_whitespace());
    end.map_or(text, |(at, _)| &text[..at])
}

/// The bytes at which sentences start. A sentence starts at the first character of the text, and after an end
/// mark (`.`, `!`, `?` or an ellipsis), optional closing quotes or brackets, and white space. Full stops of
/// scripts without spaces need no white space. The rules of Unicode Standard Annex 29 are not used, because
/// they depend on capital letters and find no sentences in generated texts without capitals. As a
/// consequence, some abbreviations count as sentence ends.
fn sentence_starts(text: &str) -> Vec<usize> {
    enum State {
        Inside,
        Ended,
        EndedWide,
        Between,
    }
    let closes = |c: char| {
        matches!(
            c,
            '"' | '\'' | ')' | ']' | '}' | '\u{bb}' | '\u{2019}' | '\u{201d}' | '\u{300d}' | '\u{300f}'
        )
    };
    let (mut state, mut starts) = (State::Between, vec![]);
    for (at, c) in text.char_indices() {
        state = match (state, c) {
            (State::Inside, c) if !ends(c) && !ends_wide(c) => State::Inside,
            (State::Inside | State::Ended | State::EndedWide, c) if ends_wide(c) => State::EndedWide,
            (State::Inside | State::Ended, c) if ends(c) => State::Ended,
            (State::Ended, c) if closes(c) => State::Ended,
            (State::EndedWide, c) if closes(c) || ends(c) => State::EndedWide,
            (State::Between | State::Ended | State::EndedWide, c) if c.is_whitespace() => State::Between,
            (State::Ended | State::Inside, _) => State::Inside,
            (State::Between | State::EndedWide, _) => {
                starts.push(at);
                if ends(c) { State::Ended } else { State::Inside }
            }
        };
    }
    starts
}

fn ends(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '\u{2026}')
}

fn ends_wide(c: char) -> bool {
    matches!(c, '\u{3002}' | '\u{ff01}' | '\u{ff1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_start_behind_their_marks() {
        let starts = |text: &str| {
            sentence_starts(text).into_iter().map(|at| text[at..].to_owned()).collect::<Vec<_>>()
        };
        let first = |text: &str| starts(text).iter().map(|s| s.chars().next().unwrap()).collect::<String>();
        assert_eq!(first("  A b. C d! \"E f?\" G 3.14 h... I"), "AC\"GI");
        assert_eq!(first("one two . three four . five"), "otf");
        assert_eq!(first("A b.\nC d"), "AC");
        assert_eq!(first("春眠。處處！夜來"), "春處夜");
        assert_eq!(first(""), "");
        assert_eq!(first(" . a"), ".a");
    }

    #[test]
    fn a_part_of_a_text_ends_with_a_word() {
        assert_eq!(whole_words("one two three", 4), "one two");
        assert_eq!(whole_words("one two three", 3), "one");
        assert_eq!(whole_words("one two three", 9), "one two three");
        assert_eq!(whole_words("\u{fc}\u{fc} b c", 1), "\u{fc}\u{fc}");
    }
}
