//! Presents the choices of multiple-choice items, and builds the prompts that each grader needs.

use crate::collect::grading::rules::letter::{letter, letter_index};
use crate::collect::grading::{Grader, QuestionForm};
use crate::collect::item::Item;
use crate::provider::Prompt;

/// Separates a question from its answer.
const DELIMITER: &str = " ";
/// The instruction to answer with a letter.
const LETTER_INSTRUCTION: &str = "Answer with the letter alone.\nAnswer:";

/// Gives an item the prompts that its grader needs.
///
/// # Errors
/// Returns the reason as a phrase. The caller adds the line number of the item.
pub(crate) fn render(item: &mut Item, grader: &Grader) -> Result<(), String> {
    grader.check(item)?;
    let form = grader.question_form();
    // The prompt may already contain the choices; the right answer is then a letter.
    let is_listed = item.choices.is_empty() && grader.steps().iter().any(|step| step.rule.name() == "choice");
    if form == QuestionForm::Open || is_listed {
        return Ok(());
    }
    if !(2..=26).contains(&item.choices.len()) {
        return Err(format!(
            "has {} `choices`; the grader {grader} needs 2 to 26 choices",
            item.choices.len()
        ));
    }
    if let Some(i) = (1..item.choices.len()).find(|i| item.choices[..*i].contains(&item.choices[*i])) {
        return Err(format!("has the choice {:?} twice", item.choices[i]));
    }
    if let Some(gold) = item.gold.iter().find(|gold| !item.choices.contains(gold)) {
        return Err(format!("has the answer {gold:?}, which is not one of its choices"));
    }
    match (form, &mut item.prompts[0]) {
        (QuestionForm::Letters, prompt) => {
            // Choices that are letters refer to a list that the prompt already contains.
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
                *text = format!("{}\n{list}{LETTER_INSTRUCTION}", text.trim_end());
            }
        }
        (_, Prompt::Messages(_)) => {
            return Err(format!(
                "has `messages`; the grader {grader} needs a `prompt`, to which it appends each choice"
            ));
        }
        (_, Prompt::Text(text)) => {
            // The context has no blank at the end, because tokenizers treat that blank as part of the choice.
            let context = text.trim_end().to_owned();
            item.boundary = context.chars().count();
            item.prompts =
                item.choices.iter().map(|c| Prompt::Text(format!("{context}{DELIMITER}{c}"))).collect();
        }
    }
    Ok(())
}
