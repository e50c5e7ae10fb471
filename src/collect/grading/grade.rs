//! Grades: whether an answer is right. An answer that was never given (refused, filtered, cut, empty, failed)
//! is neither right nor wrong: it is counted as what it is.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::{letter, likelihood};
use crate::collect::tasks::Item;
use crate::provider::{Answer, Outcome};

/// How an answer is graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Grader {
    /// The whole answer, normalised, is a right one.
    #[default]
    Exact,
    /// The answer begins with a right one, and no letter or digit follows.
    Prefix,
    /// The first line that is not blank, normalised, is a right one.
    FirstLine,
    /// The letter of the right choice.
    Letter,
    /// The right choice has the highest log-probability, summed over its tokens.
    Logprob,
    /// The same, divided by the choice's length in bytes.
    LogprobPerByte,
}

impl Grader {
    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::FirstLine => "first-line",
            Self::Letter => "letter",
            Self::Logprob => "logprob",
            Self::LogprobPerByte => "logprob-per-byte",
        }
    }

    /// Whether it needs the log-probabilities of the prompt: `echo`, one token generated at most.
    pub fn needs_echo(self) -> bool {
        matches!(self, Self::Logprob | Self::LogprobPerByte)
    }

    /// Whether it compares choices.
    pub fn needs_choices(self) -> bool {
        matches!(self, Self::Letter) || self.needs_echo()
    }
}

/// What is made equal before texts are compared. The rules have a version, which stands beside every result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Normalisation {
    /// Lower case.
    pub ignore_case: bool,
    /// Without ASCII punctuation.
    pub ignore_punctuation: bool,
}

/// Version 1: Unicode NFKC; without white space at the ends and in runs; without one punctuation mark at the
/// end.
pub const NORMALISATION_VERSION: u32 = 1;

impl Normalisation {
    /// A text as it is compared.
    pub fn apply(self, text: &str) -> String {
        let mut text: String = text.nfkc().collect();
        if self.ignore_case {
            text = text.to_lowercase();
        }
        if self.ignore_punctuation {
            text.retain(|c| !c.is_ascii_punctuation());
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shorter = text.strip_suffix(['.', ',', ';', ':', '!', '?', '。']).map(str::trim_end);
        // A text that is nothing but punctuation stays what it is.
        shorter.filter(|shorter| !shorter.is_empty()).map_or(text.clone(), str::to_owned)
    }
}

/// How a run is graded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grading {
    /// The grader.
    pub grader: Grader,
    /// What is made equal first.
    pub normalisation: Normalisation,
    /// Texts that end an answer.
    pub stops: Vec<String>,
}

/// What became of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GradeKind {
    /// An answer that is right or wrong.
    Scored,
    /// Declined.
    Refused,
    /// Withheld by a filter.
    Filtered,
    /// Cut before it could be told.
    Truncated,
    /// Nothing said.
    Empty,
    /// Not to be read: by the parser, or by the grader.
    Unreadable,
    /// No answer came.
    Error,
}

/// The grade of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// What became of it.
    pub kind: GradeKind,
    /// 1 for right, 0 for wrong, between them where choices tie; `None` unless scored.
    pub credit: Option<f64>,
    /// Log-probability of the whole right answer, nats, where it is known.
    pub logprob: Option<f64>,
    /// Credit by the log-probability per byte, where choices were compared.
    pub credit_per_byte: Option<f64>,
    /// What was compared, normalised; or why nothing was.
    pub extracted: String,
}

impl Grade {
    /// A grade without credit.
    pub fn none(kind: GradeKind, why: impl Into<String>) -> Self {
        Self { kind, credit: None, logprob: None, credit_per_byte: None, extracted: why.into() }
    }

    /// A right or wrong answer.
    pub fn scored(credit: f64, extracted: impl Into<String>) -> Self {
        Self { credit: Some(credit), ..Self::none(GradeKind::Scored, extracted) }
    }
}

/// Grades the answers to the prompts of one item, in their order.
pub fn grade(item: &Item, answers: &[Answer], how: &Grading) -> Grade {
    if how.grader.needs_echo() {
        return likelihood::grade(item, answers, how.grader);
    }
    let Some(answer) = answers.first() else { return Grade::none(GradeKind::Error, "not asked") };
    match &answer.outcome {
        Outcome::Answered { text } if how.grader == Grader::Letter => letter::grade(item, answer, text),
        // A limit of one token is no cut where one letter is the answer.
        Outcome::Truncated { text } if how.grader == Grader::Letter && letter::first(text).is_some() => {
            letter::grade(item, answer, text)
        }
        Outcome::Answered { text } => compare(item, text, true, how),
        Outcome::Truncated { text } => compare(item, text, false, how),
        outcome => without_answer(outcome),
    }
}

/// The grade of an outcome that holds no answer.
pub(crate) fn without_answer(outcome: &Outcome) -> Grade {
    match outcome {
        Outcome::Refused { text } => Grade::none(GradeKind::Refused, text),
        Outcome::Filtered { category, .. } => {
            Grade::none(GradeKind::Filtered, category.as_deref().unwrap_or_default())
        }
        Outcome::Truncated { text } => Grade::none(GradeKind::Truncated, text),
        Outcome::Empty => Grade::none(GradeKind::Empty, ""),
        Outcome::Unreadable { reason } => Grade::none(GradeKind::Unreadable, reason),
        Outcome::Failed(failure) => Grade::none(GradeKind::Error, &failure.message),
        Outcome::Answered { text } => Grade::none(GradeKind::Unreadable, text),
    }
}

/// Compares a text with the right answers. One that was cut is compared only if its end is known all the
/// same.
fn compare(item: &Item, text: &str, whole: bool, how: &Grading) -> Grade {
    let line_feed = ["\n".to_owned()];
    let (piece, ended) = match how.grader {
        Grader::FirstLine => {
            let (line, ended) = cut(text, &line_feed);
            let (piece, stopped) = cut(line, &how.stops);
            (piece, ended || stopped)
        }
        _ => cut(text, &how.stops),
    };
    let normal = how.normalisation;
    let gold = item.gold.iter().map(|gold| normal.apply(gold));
    if how.grader == Grader::Prefix {
        return prefix(&gold.collect::<Vec<_>>(), piece, whole || ended, normal);
    }
    let extracted = normal.apply(piece);
    match (whole || ended, extracted.is_empty()) {
        (false, _) => Grade::none(GradeKind::Truncated, extracted),
        // Nothing before the end: "\n", or "," at once.
        (true, true) => Grade::none(GradeKind::Empty, extracted),
        (true, false) => {
            Grade::scored(f64::from(u8::from(gold.into_iter().any(|gold| gold == extracted))), extracted)
        }
    }
}

/// The text up to the first of some ends, blanks before it left out; and whether one was there.
fn cut<'a>(text: &'a str, stops: &[String]) -> (&'a str, bool) {
    let text = text.trim_start();
    match stops.iter().filter_map(|stop| text.find(stop.as_str())).min() {
        Some(end) => (&text[..end], true),
        None => (text, false),
    }
}

/// Whether a text begins with a right answer. One that was cut is graded if no continuation could change the
/// grade.
fn prefix(gold: &[String], piece: &str, whole: bool, normal: Normalisation) -> Grade {
    // The final punctuation mark of the piece may stand right after the answer: a stroke keeps it from being
    // stripped.
    let kept = normal.apply(&format!("{}\u{2502}", piece.trim_end()));
    let text = kept.strip_suffix('\u{2502}').unwrap_or(&kept).trim_end();
    if text.is_empty() {
        return Grade::none(if whole { GradeKind::Empty } else { GradeKind::Truncated }, "");
    }
    let mut open = false;
    for gold in gold {
        match text.strip_prefix(gold.as_str()).map(|rest| rest.chars().next()) {
            Some(Some(next)) if !next.is_alphanumeric() => return Grade::scored(1.0, text),
            Some(None) if whole => return Grade::scored(1.0, text),
            Some(None) => open = true,
            _ => open |= gold.starts_with(text),
        }
    }
    if open && !whole { Grade::none(GradeKind::Truncated, text) } else { Grade::scored(0.0, text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Prompt;

    fn item(gold: &[&str]) -> Item {
        Item {
            id: "1".into(),
            task: "t".into(),
            shots: 0,
            question: "1".into(),
            prompts: vec![Prompt::Text("?".into())],
            gold: gold.iter().map(|gold| (*gold).into()).collect(),
            choices: vec![],
            boundary: 0,
        }
    }

    fn how(grader: Grader, stops: &[&str]) -> Grading {
        Grading {
            grader,
            normalisation: Normalisation::default(),
            stops: stops.iter().map(|stop| (*stop).into()).collect(),
        }
    }

    fn answered(text: &str) -> [Answer; 1] {
        [Answer::of(Outcome::Answered { text: text.into() })]
    }

    fn truncated(text: &str) -> [Answer; 1] {
        [Answer::of(Outcome::Truncated { text: text.into() })]
    }

    #[test]
    fn normalisation_makes_equal_what_reads_the_same() {
        let plain = Normalisation::default();
        for (text, normal) in [
            (" Paris.\n", "Paris"),
            ("Ｐａｒｉｓ！", "Paris"),
            ("New\u{a0} York", "New York"),
            ("ﬁne", "fine"),
            ("e\u{301}", "\u{e9}"),
            ("?", "?"),
            ("U.S.", "U.S"),
            ("", ""),
        ] {
            assert_eq!(plain.apply(text), normal);
        }
        assert_eq!(
            Normalisation { ignore_case: true, ignore_punctuation: true }.apply("\"Saint-Denis\"?!"),
            "saintdenis"
        );
    }

    #[test]
    fn exact_means_the_whole_answer() {
        let credit = |text: &str| {
            grade(&item(&["Paris", "City of Paris"]), &answered(text), &how(Grader::Exact, &[])).credit
        };
        assert_eq!(credit(" Paris."), Some(1.0));
        assert_eq!(credit("City of Paris"), Some(1.0));
        assert_eq!(credit("Paris, France"), Some(0.0));
        assert_eq!(credit("paris"), Some(0.0));
    }

    #[test]
    fn an_end_that_is_seen_makes_a_cut_answer_whole() {
        let of = |text: &str| grade(&item(&["Paris"]), &truncated(text), &how(Grader::Exact, &[",", "\n"]));
        assert_eq!(of(" Paris, Peru -> Li").credit, Some(1.0));
        assert_eq!(of("\nRome\nBerlin").credit, Some(0.0));
        assert_eq!(of(" Paris").kind, GradeKind::Truncated);
        assert_eq!(of("").kind, GradeKind::Truncated);
        assert_eq!(of(", Peru").kind, GradeKind::Empty);
        let line = |text: &str| grade(&item(&["Paris"]), &truncated(text), &how(Grader::FirstLine, &[]));
        assert_eq!(line("\n Paris\nBecause").credit, Some(1.0));
        assert_eq!(line("Paris Bec").kind, GradeKind::Truncated);
    }

    #[test]
    fn a_prefix_ends_at_a_word() {
        let of = |answer: &[Answer]| grade(&item(&["Paris"]), answer, &how(Grader::Prefix, &[]));
        for right in ["Paris", "Paris.", "Paris, of course", " Paris\nBecause"] {
            assert_eq!(of(&answered(right)).credit, Some(1.0), "{right}");
        }
        for wrong in ["Parisian", "It is Paris", "Par"] {
            assert_eq!(of(&answered(wrong)).credit, Some(0.0), "{wrong}");
        }
        // Cut: graded where nothing that might follow could change the grade.
        assert_eq!(of(&truncated("Paris is")).credit, Some(1.0));
        assert_eq!(of(&truncated("It is Pa")).credit, Some(0.0));
        assert_eq!(of(&truncated("Paris")).kind, GradeKind::Truncated);
        assert_eq!(of(&truncated("Par")).kind, GradeKind::Truncated);
        assert_eq!(of(&truncated("")).kind, GradeKind::Truncated);
    }

    #[test]
    fn what_is_no_answer_is_neither_right_nor_wrong() {
        let of =
            |outcome: Outcome| grade(&item(&["Paris"]), &[Answer::of(outcome)], &how(Grader::Exact, &[]));
        let refused = of(Outcome::Refused { text: "Paris".into() });
        assert_eq!((refused.kind, refused.credit), (GradeKind::Refused, None));
        assert_eq!(of(Outcome::Empty).kind, GradeKind::Empty);
        assert_eq!(of(Outcome::Unreadable { reason: "x".into() }).kind, GradeKind::Unreadable);
        assert_eq!(grade(&item(&["Paris"]), &[], &how(Grader::Exact, &[])).kind, GradeKind::Error);
    }
}
