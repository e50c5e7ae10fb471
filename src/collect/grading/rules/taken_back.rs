//! Checks whether the text after an answer takes it back: by a denial ("Paris is not the capital"), a
//! correction ("Paris. No, Rome"), or a second answer in a list ("Paris; Rome").

/// Verbs between an answer and its denial.
const VERBS: [&str; 21] = [
    "is", "was", "are", "were", "would", "could", "can", "might", "must", "should", "ist", "war", "est",
    "es", "era", "è", "é", "jest", "är", "er", "will",
];
/// Words that deny the answer before them if they follow a verb of [`VERBS`].
const DENIALS: [&str; 25] = [
    "not",
    "never",
    "wrong",
    "incorrect",
    "false",
    "neither",
    "isn't",
    "nicht",
    "falsch",
    "kein",
    "keine",
    "pas",
    "faux",
    "fausse",
    "incorrecto",
    "incorrecta",
    "falso",
    "falsa",
    "sbagliato",
    "errado",
    "errada",
    "niet",
    "inte",
    "ikke",
    "nie",
];
/// Verbs that contain a denial, and words that deny the verb after them.
const DENYING: [&str; 18] = [
    "isn't", "wasn't", "aren't", "can't", "cannot", "couldn't", "won't", "wouldn't", "n'est", "n'était",
    "no", "non", "não", "nie", "не", "nu", "ikke", "nem",
];
/// Verbs after a denial in other languages: "no es", "non è", "não é", "не является".
const DENIED_VERBS: [&str; 14] =
    ["es", "è", "é", "era", "jest", "столица", "является", "este", "er", "fue", "foi", "может", "sono", "az"];
/// Words after "not" that cancel the denial: "not only".
const NOT_ONLY: [&str; 6] = ["only", "just", "merely", "simply", "alone", "surprisingly"];
/// Denials of the preceding text in scripts without blanks.
const JOINED: [&str; 12] = [
    "不是",
    "不对",
    "不對",
    "并非",
    "並非",
    "ではな",
    "ではあり",
    "じゃな",
    "가 아니",
    "이 아니",
    "은 아니",
    "는 아니",
];
/// Words that may begin a correction.
const CORRECTIONS: [&str; 12] =
    ["no", "nope", "wait", "sorry", "correction", "actually", "scratch", "nein", "non", "nee", "hmm", "oops"];
/// Words after a word of [`CORRECTIONS`] that show that a correction follows.
const GOES_ON: [&str; 12] =
    ["wait", "sorry", "it", "it's", "its", "i", "that", "that's", "make", "actually", "rather", "the"];
/// Verdicts that take back the answer before them if they end the clause.
const VERDICTS: [&str; 8] =
    ["wrong", "incorrect", "false", "not", "falsch", "faux", "incorrecto", "sbagliato"];

/// Text after an answer that begins with one of these words is not another item of a list.
const NO_ITEMS: [&str; 31] = [
    "because",
    "since",
    "as",
    "it",
    "its",
    "the",
    "this",
    "that",
    "explanation",
    "reason",
    "reasoning",
    "note",
    "answer",
    "final",
    "source",
    "correct",
    "yes",
    "done",
    "thanks",
    "thank",
    "hope",
    "so",
    "therefore",
    "user",
    "human",
    "assistant",
    "question",
    "context",
    "end",
    "i",
    "next",
];

/// Whether the text after an answer takes it back.
pub(super) fn is_taken_back(rest: &str) -> bool {
    is_denied(rest) || is_corrected(rest)
}

fn lower(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'').to_lowercase()
}

/// Whether the text begins with a denial of the preceding answer: "is not", "isn't", "n'est pas", "no es",
/// "不是".
fn is_denied(rest: &str) -> bool {
    if JOINED.iter().any(|denial| rest.trim_start().starts_with(denial)) {
        return true;
    }
    if !rest.starts_with(' ') {
        return false;
    }
    // A punctuation mark ends the clause. "not" after the mark may deny another answer: "Paris, not Rome".
    let clause = rest.split(['.', ';', ',', '\n', ':', '!', '?', '(']).next().unwrap_or_default();
    let words: Vec<String> = clause.split_whitespace().take(6).map(lower).collect();
    let Some(first) = words.first() else { return false };
    let is_only = |at: usize| words.get(at).is_some_and(|word| NOT_ONLY.contains(&word.as_str()));
    if DENYING.contains(&first.as_str()) || first.ends_with("n't") {
        let is_english = first.ends_with("n't") || matches!(first.as_str(), "cannot" | "n'est" | "n'était");
        let has_verb = words.get(1).is_some_and(|verb| DENIED_VERBS.contains(&verb.as_str()));
        return (is_english || has_verb) && !is_only(1);
    }
    VERBS.contains(&first.as_str())
        && (1..words.len().min(3)).any(|at| DENIALS.contains(&words[at].as_str()) && !is_only(at + 1))
}

/// Whether the text begins with a correction of the preceding answer: ". No, Rome", " - wait, it is Rome", "
/// (wrong)".
fn is_corrected(rest: &str) -> bool {
    let is_mark = |c: char| matches!(c, '.' | ',' | '-' | '!' | ';' | ':' | '(' | '"' | '*' | ' ');
    let behind = rest.trim_start_matches(is_mark);
    // A blank alone does not introduce a correction.
    if behind.is_empty() || rest[..rest.len() - behind.len()].trim().is_empty() {
        return false;
    }
    let end = behind.find(|c: char| !c.is_alphanumeric() && c != '\'').unwrap_or(behind.len());
    let (word, after) = (behind[..end].to_lowercase(), &behind[end..]);
    let next = after.split_whitespace().next().map(lower).unwrap_or_default();
    if VERDICTS.contains(&word.as_str()) && word != "not" {
        return after.trim_start().is_empty() || after.starts_with([')', '.', '!', ';']);
    }
    let has_mark = after.trim_start().starts_with([',', '.', '-', '!', ':', ';']);
    let has_more = after.contains(char::is_alphanumeric);
    match word.as_str() {
        // "Paris. Actually, it is also the largest city" continues about Paris.
        "actually" | "sorry" | "hmm" => false,
        _ => {
            CORRECTIONS.contains(&word.as_str()) && has_more && (has_mark || GOES_ON.contains(&next.as_str()))
        }
    }
}

/// Whether the unseen continuation of a truncated text may extend the answer before `rest`, or take it back.
pub(super) fn may_go_on(rest: &str) -> bool {
    let is_mark = |c: char| matches!(c, '.' | ';' | ',' | ':' | '!' | '?' | '(' | '-');
    let clause = rest.split(is_mark).next().unwrap_or_default();
    let n_words = clause.split_whitespace().count();
    if n_words > 0 || clause.len() == rest.len() {
        // Two words may be the beginning of a denial: "is definitely not".
        return n_words < 3 && clause.len() == rest.len();
    }
    let behind = rest.trim_start_matches(|c: char| is_mark(c) || c.is_whitespace());
    let mut words = behind.split_whitespace().map(lower);
    match words.next() {
        None => true,
        Some(word) => {
            CORRECTIONS.iter().any(|known| known.starts_with(word.as_str())) && words.next().is_none()
        }
    }
}

/// Whether an answer is the first item of a list: after a semicolon, bullet, bar or line break, a text
/// follows that has at most one word more than the answer and consists of plain words.
pub(super) fn is_listed(answer: &str, rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '.', ',']);
    let Some(mut rest) = rest.strip_prefix([';', '|', '\n', '\u{2022}', '\u{ff1b}', '\u{3001}']) else {
        return false;
    };
    rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{2022}' | '*' | '-'));
    let item = rest.split([';', '|', '\n', '\u{2022}', '\u{ff1b}', '\u{3001}']).next().unwrap_or_default();
    let item = item.trim().trim_end_matches(['.', ',']);
    // An item may begin with its number in the list.
    let numbered = item.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(['.', ')']);
    let item = numbered.filter(|rest| rest.starts_with(' ')).map_or(item, str::trim);
    let most_words = answer.split_whitespace().count() + 1;
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '\'' | '.' | ',' | '%' | '$');
    let same_case = |a: &str, b: &str| {
        let is_lower = |text: &str| text.starts_with(char::is_lowercase);
        a.starts_with(char::is_numeric) == b.starts_with(char::is_numeric) && is_lower(a) == is_lower(b)
    };
    let first = item.split_whitespace().next().map(lower).unwrap_or_default();
    !item.is_empty()
        && item != answer
        && !NO_ITEMS.contains(&first.as_str())
        && item.split_whitespace().count() <= most_words
        && item.chars().all(is_plain)
        && same_case(answer, item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denials_and_corrections_take_an_answer_back() {
        for rest in [
            " is not the capital; Rome is.",
            " isn't the capital.",
            " was never the capital",
            " is incorrect.",
            " can't be right",
            " cannot be it",
            " would be wrong",
            " is definitely not right",
            " n'est pas la capitale",
            " no es la capital",
            " non è la capitale",
            " não é a capital",
            " ist nicht die Hauptstadt",
            "不是首都",
            "ではない",
            ". No, Rome.",
            " - no, wait, Rome",
            "... wait, it is Rome",
            ", no, Rome",
            ". Correction: Rome",
            ". Nope, it's Rome",
            " (wrong)",
            ": incorrect.",
        ] {
            assert!(is_taken_back(rest), "{rest}");
        }
        for rest in [
            "",
            ".",
            " is the capital, not Rome.",
            ", not Rome",
            " is not only the capital but the largest city",
            " is the capital. It is not on the coast.",
            ". No explanation is needed.",
            ", no doubt.",
            ". Actually, it is also the largest city.",
            " has no rival",
            ". Wrong answers would be Rome and Bonn",
            " no doubt",
        ] {
            assert!(!is_taken_back(rest), "{rest}");
        }
    }

    #[test]
    fn a_list_goes_on_with_what_looks_like_another_answer() {
        for (answer, rest) in [
            ("Paris", "; Rome"),
            ("Paris", "\nRome"),
            ("Paris", "\nRome\nBerlin"),
            ("Paris", "; New York; Rome"),
            ("Paris", " | Rome"),
            ("5", "; 6"),
            ("dog", "\ncat"),
            ("New York", "\nLos Angeles"),
            ("Paris", "\n2. Rome"),
            ("巴黎", "、罗马"),
        ] {
            assert!(is_listed(answer, rest), "{answer}{rest}");
        }
        for (answer, rest) in [
            ("Paris", ""),
            ("Paris", ", France"),
            ("Paris", "; it is the capital"),
            ("Paris", "\n\nIt is on the Seine."),
            ("Paris", "\nQ: What is the capital of Italy?"),
            ("Paris", "\nParis"),
            ("Paris", "\nPeru -> Lima"),
            ("Paris", "\n(the capital of France)"),
            ("5", "\nBecause two and three make five"),
            ("Paris", "\nBecause"),
            ("Paris", "\nExplanation:"),
        ] {
            assert!(!is_listed(answer, rest), "{answer}{rest}");
        }
    }
}
