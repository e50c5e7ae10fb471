//! Finds the answer that a text states, by the marks that prompts ask for (`\boxed{}`, answer tags, a member
//! of a JSON object, `####`) and by words for "answer" in many languages.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::documents::documents;
use crate::collect::grading::plain::latex;

const TAG: &str =
    r"(?is)<(?:answer|final_answer|final|solution)\s?>(.*?)</(?:answer|final_answer|final|solution)\s?>";
static TAGS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(TAG).ok());

/// Names of the JSON member that contains the answer.
const MEMBERS: [&str; 14] = [
    "answer",
    "final_answer",
    "finalanswer",
    "final answer",
    "choice",
    "correct_choice",
    "option",
    "correct_option",
    "correct_answer",
    "letter",
    "answer_choice",
    "selected_option",
    "result",
    "value",
];

/// Words for "answer" in scripts with blanks, longer words first. They match only as whole words.
const WORDS: &str = "final answer|correct answer|answer|ans|correct option|correct choice|best option|\
    best choice|solution|antwort|lösung|réponse|reponse|respuesta|risposta|resposta|antwoord|svaret|svar|\
    vastaus|odpowiedź|odpowiedz|odpověď|odpověd|odpoveď|válasz|răspunsul|răspuns|cevap|cevabı|yanıt|ответ|\
    відповідь|отговор|одговор|odgovor|απάντηση|đáp án|câu trả lời|trả lời|jawaban|jawapan|jibu|erantzuna|\
    atsakymas|atbilde|vastus|უპასუხე|პასუხი|պատասխան|उत्तर|जवाब|উত্তর|பதில்|సమాధానం|ഉത്തരം|جواب|پاسخ|\
    الجواب|الإجابة|إجابة|תשובה|התשובה";
/// Words for "answer" in scripts without blanks.
const JOINED: &str = "最终答案|正确的是|正確的是|正确答案|正確答案|正确选项|正確選項|答案|答え|回答|解答|正解|選択|选择|選擇|\
    应选|應選|选|選|정답|답변|답|คำตอบ";
static LEADS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = [WORDS, JOINED].map(|words| words.split('|').map(str::trim).collect::<Vec<_>>().join("|"));
    Regex::new(&format!(r"(?i)\b(?:{})s?\b|(?:{})", words[0], words[1])).ok()
});

/// The contents of all complete `\boxed{...}`.
pub(super) fn boxed(text: &str) -> Vec<&str> {
    latex::boxes(text)
}

/// The content of the last complete pair of answer tags.
pub(super) fn tagged(text: &str) -> Option<&str> {
    if !text.contains("</") {
        return None;
    }
    let last = TAGS.as_ref()?.captures_iter(text).last()?;
    last.get(1).map(|inner| inner.as_str().trim())
}

/// The answer in the last JSON object that has a member for the answer.
pub(super) fn in_json(text: &str) -> Option<String> {
    if !text.contains('{') || !text.contains("\":") && !text.contains("\" :") {
        return None;
    }
    documents(text).iter().rev().find_map(|document| {
        let members = document.as_object()?;
        let named = |name: &&'static str| members.iter().find(|(member, _)| member.to_lowercase() == **name);
        match MEMBERS.iter().find_map(named)?.1 {
            Value::String(text) => Some(text.clone()),
            number @ Value::Number(_) => Some(number.to_string()),
            _ => None,
        }
    })
}

/// The rest of the line after the last `####`.
pub(super) fn hashed(text: &str) -> Option<&str> {
    let (_, behind) = text.rsplit_once("####")?;
    behind.trim_start_matches('#').lines().next().map(str::trim).filter(|line| !line.is_empty())
}

/// The text after each word for "answer", in order: the rest of its line, or the next non-blank line if the
/// rest is empty.
pub(super) fn led(text: &str) -> Vec<&str> {
    leads(text).into_iter().map(|(_, said)| said).collect()
}

/// Like [`led`], but each text has the position at which the word for "answer" ends.
pub(super) fn leads(text: &str) -> Vec<(usize, &str)> {
    let Some(leads) = LEADS.as_ref() else { return vec![] };
    let mut found = vec![];
    for lead in leads.find_iter(text) {
        let behind = &text[lead.end()..];
        let line = behind.lines().next().unwrap_or_default();
        let said = line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '*' | '='));
        if said.is_empty() {
            let next = behind.lines().skip(1).map(str::trim).find(|line| !line.is_empty());
            found.extend(next.map(|next| (lead.end(), next)));
        } else {
            found.push((lead.end(), line));
        }
    }
    found
}
