//! Reads the channels of the harmony format (gpt-oss): `<|channel|>analysis<|message|>...<|end|>` is
//! reasoning, and `<|channel|>final<|message|>...` is the answer. If a server drops the special tokens,
//! `analysis...assistantfinal...` remains.

const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
/// The header of the final channel, without its special tokens.
const FINAL: &str = "assistantfinal";
const ENDS: [&str; 4] = ["<|end|>", "<|return|>", "<|call|>", "<|start|>"];

/// Whether a text without special tokens may be in the harmony format.
pub(super) fn may_begin(text: &str) -> bool {
    let text = text.trim_start();
    let has_final = text.contains(FINAL);
    text.starts_with(FINAL)
        || ["analysis", "commentary", "assistantanalysis"].iter().any(|channel| {
            text.strip_prefix(channel).is_some_and(|rest| has_final || rest.starts_with(char::is_alphabetic))
        })
}

/// The last message of the final channel of a text in this format. `Some(None)` if there is no such message
/// yet; `None` if the text has another format.
pub(super) fn last_message(text: &str) -> Option<Option<&str>> {
    if !text.contains(CHANNEL) {
        return may_begin(text).then(|| text.rsplit_once(FINAL).map(|(_, last)| last));
    }
    let mut last = None;
    for part in text.split(CHANNEL).skip(1) {
        let Some((header, message)) = part.split_once(MESSAGE) else { continue };
        let is_final = header.trim_start().strip_prefix("final");
        if is_final.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric())) {
            let end = ENDS.iter().filter_map(|end| message.find(end)).min();
            last = Some(&message[..end.unwrap_or(message.len())]);
        }
    }
    Some(last)
}
