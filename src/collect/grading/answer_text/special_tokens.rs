//! Removes special tokens that a server returned as text. The patterns come from the vocabularies of open
//! models.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

const TOKEN: &str = concat!(
    r"(?i)<\|[^|<>\s]{1,48}\|>|<\|(?:begin|end).of.sentence\|>|",
    r"<\x{ff5c}[^\x{ff5c}<>\n]{1,48}\x{ff5c}>|</?s>|</?turn\|>|<\|turn>|",
    r"<(?:bos|eos|pad|unk|mask|eod|eop|eot|sep|cls|endoftext|endofturn)>|",
    r"</?(?:start|end|begin)_of_(?:turn|utterance|text|sentence|image)>|",
    r"\[/?INST\]|<</?SYS>>|\[(?:EOS|BOS|PAD|UNK|SEP|CLS|MASK)\]|",
    r"<extra_id_\d{1,3}>|<unused\d{1,4}>|<0x[0-9A-F]{2}>",
);
static TOKENS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(TOKEN).ok());

/// Substrings of the names of tokens that end a turn or begin the next turn.
const TURNS: [&str; 22] = [
    "im_end",
    "im_start",
    "eot",
    "eom",
    "eod",
    "eop",
    "eos",
    "end_of",
    "endof",
    "end\u{2581}of",
    "|end|",
    "|return|",
    "|start|",
    "|assistant|",
    "</s>",
    "turn|",
    "|turn",
    "start_of_turn",
    "start_header",
    "user",
    "inst]",
    "[sep]",
];
/// Names of the model's role in a template.
const ROLES: [&str; 4] = ["assistant", "model", "bot", "gpt"];

/// Removes the special tokens of a text, and truncates it at the first token that ends the turn. Returns the
/// remaining text, and whether a token ended the turn.
pub(super) fn remove(text: &str) -> (String, bool) {
    // Some tokenizers write a blank as U+2581.
    let text =
        if text.contains('\u{2581}') { text.replace('\u{2581}', " ").into() } else { Cow::Borrowed(text) };
    let Some(tokens) = TOKENS.as_ref().filter(|_| text.contains(['<', '['])) else {
        return (text.into_owned(), false);
    };
    let (mut kept, mut from) = (String::with_capacity(text.len()), 0);
    for token in tokens.find_iter(&text) {
        kept.push_str(&text[from..token.start()]);
        from = token.end();
        // The names in `TURNS` contain U+2581 in place of blanks.
        let name = token.as_str().to_ascii_lowercase().replace(' ', "\u{2581}");
        if TURNS.iter().any(|part| name.contains(part)) {
            if !kept.trim().is_empty() {
                return (kept, true);
            }
            // Skips the role in the header of the model's own turn.
            let rest = &text[from..];
            let role = ROLES.iter().find(|role| {
                rest.strip_prefix(**role).is_some_and(|rest| rest.starts_with(['\n', '<', ' ', '\r']))
            });
            from += role.map_or(0, |role| role.len());
        } else if name == "<0x0a>" {
            kept.push('\n');
        }
    }
    kept.push_str(&text[from..]);
    (kept, false)
}
