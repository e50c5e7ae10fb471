//! Reads plain text in which blank lines separate texts.

use super::text::{GroupedText, Text};

/// The texts, each with the number of its first line.
pub(super) fn paragraphs(content: &str) -> Vec<GroupedText> {
    let mut texts: Vec<GroupedText> = vec![];
    let mut open = false;
    for (line, row) in (1..).zip(content.lines()) {
        let blank = row.trim().is_empty();
        match texts.last_mut().filter(|_| open) {
            Some((text, _)) if !blank => {
                text.text.push('\n');
                text.text.push_str(row);
            }
            None if !blank => texts.push((Text { text: row.into(), line }, None)),
            _ => {}
        }
        open = !blank;
    }
    texts
}
