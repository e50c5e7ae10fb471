//! Multiple choice: how choices are shown, and what is asked of each.

use super::grader::Grader;
use super::item::Item;
use crate::provider::Prompt;

/// What stands between a question and its answer.
const DELIMITER: &str = " ";
/// What asks for a letter.
const CUE: &str = "Answer with the letter alone.\nAnswer:";

/// Gives an item the prompts its grader needs.
///
/// # Errors
/// What is missing, as a fragment that follows the item's line.
pub(crate) fn render(item: &mut Item, grader: Grader) -> Result<(), String> {
    if !grader.needs_choices() {
        return Ok(());
    }
    if !(2..=26).contains(&item.choices.len()) {
        return Err(format!(
            "has {} `choices`; the grader {} needs 2 to 26 of them",
            item.choices.len(),
            grader.name()
        ));
    }
    if let Some(i) = (1..item.choices.len()).find(|i| item.choices[..*i].contains(&item.choices[*i])) {
        return Err(format!("has the choice {:?} twice", item.choices[i]));
    }
    if let Some(gold) = item.gold.iter().find(|gold| !item.choices.contains(gold)) {
        return Err(format!("has the answer {gold:?}, which is none of its choices"));
    }
    match (grader, &mut item.prompts[0]) {
        (Grader::Letter, prompt) => {
            // Choices that are letters stand for what the prompt already shows.
            let shown = item.choices.iter().enumerate().all(|(i, choice)| letter_index(choice) == Some(i));
            if !shown {
                let list: String =
                    item.choices.iter().enumerate().map(|(i, c)| format!("{}. {c}\n", letter(i))).collect();
                let text = match prompt {
                    Prompt::Text(text) => text,
                    Prompt::Messages(messages) => match messages.last_mut() {
                        Some(last) => &mut last.content,
                        None => return Err("has no message in `messages`".into()),
                    },
                };
                *text = format!("{}\n{list}{CUE}", text.trim_end());
            }
        }
        (_, Prompt::Messages(_)) => {
            return Err(format!(
                "has `messages`; the grader {} reads a `prompt` and each choice after it",
                grader.name()
            ));
        }
        (_, Prompt::Text(text)) => {
            // No blank at the end: tokenizers make it part of the choice.
            let context = text.trim_end().to_owned();
            item.boundary = context.chars().count();
            item.prompts =
                item.choices.iter().map(|c| Prompt::Text(format!("{context}{DELIMITER}{c}"))).collect();
        }
    }
    Ok(())
}

/// A for 0, B for 1 ...
pub(crate) fn letter(index: usize) -> char {
    char::from(b'A' + u8::try_from(index.min(25)).unwrap_or(25))
}

/// 0 for "A", 1 for "B" ...; `None` for anything that is not one capital letter.
pub(crate) fn letter_index(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [byte @ b'A'..=b'Z'] => Some(usize::from(byte - b'A')),
        _ => None,
    }
}
