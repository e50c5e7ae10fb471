//! Checks whether the answers of a run are usable: the first answers while it runs, and all answers at its
//! end.

use std::collections::BTreeMap;

use crate::collect::grading::{Grade, GradeKind, Grader, Grading, grade as grade_of};
use crate::collect::item::Item;
use crate::provider::{Answer, FailureClass, Outcome};

/// Number of answers after which a run is checked.
pub const ANSWERS: usize = 20;
/// Number of answers that a finding shows.
const SHOWN: usize = 3;
/// Maximum number of characters of an answer that a finding shows.
const SHOWN_CHARS: usize = 120;
/// Maximum share of truncated answers among the first answers. A larger share shows that the token limit is
/// too low.
const MOST_TRUNCATED: f64 = 0.05;
/// Maximum share of truncated answers among all answers. Answers are billed, so they are kept unless most of
/// them are unusable.
const MOST_TRUNCATED_OF_ALL: f64 = 0.5;
/// Settings to try on answers that are not right, from the strictest to the most lenient: another grader, if
/// any, and whether case is ignored.
const OTHERS: [(Option<&str>, bool); 7] = [
    (None, true),
    (Some("first-line"), false),
    (Some("prefix"), false),
    (Some("first-line"), true),
    (Some("prefix"), true),
    (Some("contains"), false),
    (Some("contains"), true),
];

/// Problems of the answers that do not end a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tolerated {
    /// No answer is right.
    pub wrong: bool,
    /// No answer can be graded.
    pub ungraded: bool,
    /// Many answers are truncated at the token limit.
    pub truncated: bool,
}

impl Tolerated {
    /// Whether no problem of the answers ends the run.
    pub(crate) fn all(self) -> bool {
        self.wrong && self.ungraded && self.truncated
    }
}

/// The advice that a finding may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints {
    /// Whether to suggest another rendering of in-context questions.
    pub rendering: bool,
    /// Whether to suggest another grader.
    pub grader: bool,
    /// Whether to suggest a higher limit of short answers. Some answers may reach this limit, because a small
    /// model does not always stop by itself.
    pub short_limit: bool,
}

/// Counts of grades, and samples of answers that are not right.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunCheck {
    kinds: BTreeMap<GradeKind, usize>,
    n_right: usize,
    /// Number of free texts, which have no right answer.
    n_texts: usize,
    n_texts_truncated: usize,
    /// Samples of answers, unprocessed.
    samples: Vec<String>,
    /// Numbers of right answers with the settings in [`OTHERS`], among the first answers.
    others: [usize; OTHERS.len()],
}

impl RunCheck {
    /// Adds the grade of an item. An item with a question that was not asked is not counted.
    pub fn add(&mut self, item: &Item, answers: &[Answer], how: &Grading, grade: &Grade) {
        if grade.kind == GradeKind::Error && (answers.is_empty() || answers.iter().any(is_not_asked)) {
            return;
        }
        *self.kinds.entry(grade.kind).or_default() += 1;
        let is_right = grade.credit.is_some_and(|credit| credit > 0.0);
        self.n_right += usize::from(is_right);
        if is_right || grade.kind == GradeKind::Error || self.n_answers() > ANSWERS {
            return;
        }
        let text = answers.first().and_then(|answer| text_of(&answer.outcome));
        if self.samples.len() < SHOWN {
            self.samples.extend(text.map(shown));
        }
        if how.grader.needs_choices() {
            return;
        }
        for (n, (name, ignores_case)) in self.others.iter_mut().zip(OTHERS) {
            let mut how = how.clone();
            how.normalisation.ignore_case |= ignores_case;
            if let Some(name) = name {
                let Ok(grader) = name.parse::<Grader>() else { continue };
                how.grader = grader;
            }
            let is_right = || grade_of(item, answers, &how).credit == Some(1.0);
            *n += usize::from(how.check().is_ok() && is_right());
        }
    }

    /// Adds a text that is not graded.
    pub fn add_text(&mut self, outcome: &Outcome) {
        self.n_texts += usize::from(!matches!(outcome, Outcome::Failed(_)));
        self.n_texts_truncated += usize::from(matches!(outcome, Outcome::Truncated { .. }));
    }

    fn n(&self, kind: GradeKind) -> usize {
        self.kinds.get(&kind).copied().unwrap_or(0)
    }

    /// Number of answers of any kind.
    pub fn n_answers(&self) -> usize {
        self.kinds.values().sum::<usize>() - self.n(GradeKind::Error) + self.n_texts
    }

    /// Numbers of answers by grade: `right`, `wrong`, and the kinds that could not be graded.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let mut add = |name: &str, n: usize| {
            if n > 0 {
                counts.insert(name.to_owned(), n as u64);
            }
        };
        add("right", self.n_right);
        add("wrong", self.n(GradeKind::Scored) - self.n_right);
        for kind in self.kinds.keys().filter(|kind| **kind != GradeKind::Scored) {
            add(kind.name(), self.n(*kind));
        }
        counts
    }

    /// Describes the problem of the answers and what to try. `None` if there is no problem, or too few
    /// answers to detect one.
    pub fn finding(&self, tolerated: Tolerated, hints: Hints) -> Option<String> {
        self.finding_of(ANSWERS, tolerated, hints)
    }

    /// Like [`RunCheck::finding`], but requires at least `fewest` answers instead of [`ANSWERS`].
    pub fn finding_of(&self, fewest: usize, tolerated: Tolerated, hints: Hints) -> Option<String> {
        let n_answers = self.n_answers();
        if n_answers < fewest {
            return None;
        }
        let truncated = self.n(GradeKind::Truncated) + self.n_texts_truncated;
        let is_first = n_answers == ANSWERS && !hints.short_limit;
        let most = if is_first { MOST_TRUNCATED } else { MOST_TRUNCATED_OF_ALL };
        if truncated as f64 > most * n_answers as f64 && !tolerated.truncated {
            return Some(format!(
                "{truncated} of the first {n_answers} answers were truncated at the token limit{}{}{}; raise \
                 --max-tokens and choose another folder (or --new-config), or keep the answers with \
                 --keep-truncated",
                if hints.short_limit { " of short answers" } else { "" },
                if self.kinds.is_empty() { "" } else { " before they could be graded" },
                self.shown()
            ));
        }
        let n_asked: usize = self.kinds.values().sum::<usize>() - self.n(GradeKind::Error);
        let n_graded = self.n(GradeKind::Scored);
        // If the user keeps truncated answers, they are not a problem.
        let n_expected = if tolerated.truncated { truncated } else { 0 };
        let is_tolerated = if n_graded == 0 { tolerated.ungraded } else { tolerated.wrong };
        if self.n_right > 0 || n_asked < fewest || n_expected == n_asked || is_tolerated {
            return None;
        }
        let what = if n_graded == 0 {
            let kinds = self.kinds.iter().filter(|(kind, _)| **kind != GradeKind::Error);
            let kinds: Vec<_> = kinds.map(|(kind, n)| format!("{n} {}", kind.name())).collect();
            format!("none of {n_asked} answers could be graded ({})", kinds.join(", "))
        } else {
            format!("none of {n_graded} graded answers is right")
        };
        let advice = self.advice(hints);
        let again = if hints.grader {
            "with another --grader, or with --ignore-case, grades them again, and "
        } else {
            ""
        };
        Some(format!(
            "{what}{}{}. The answers are kept. The same command {again}with --keep-going continues the run; \
             use --keep-going if the task may be too hard for the model",
            self.shown(),
            if advice.is_empty() { String::new() } else { format!("; try {advice}") },
        ))
    }

    fn advice(&self, hints: Hints) -> String {
        let mut advice = vec![];
        // Among equally good settings, the first is the strictest.
        let most = self.others.iter().copied().max().filter(|most| *most > 0 && hints.grader);
        let best = self.others.iter().zip(OTHERS).find(|(n, _)| Some(**n) == most).map(|(_, other)| other);
        if let (Some((grader, ignores_case)), Some(n)) = (best, most) {
            let grader = grader.map(|grader| format!("--grader {grader}"));
            let case = ignores_case.then(|| "--ignore-case".to_owned());
            advice.push(format!(
                "{}, with which {n} of the first {} answers are right",
                grader.into_iter().chain(case).collect::<Vec<_>>().join(" "),
                self.n_answers().min(ANSWERS)
            ));
        }
        if hints.rendering {
            advice.push("--rendering turns".into());
        }
        if self.n(GradeKind::Truncated) > 0 || self.n(GradeKind::Empty) > 0 {
            advice.push("a higher --max-tokens".into());
        }
        if best.is_none() && hints.grader {
            advice.push("another --grader (contains, choice, number; `surmise list graders`)".into());
        }
        advice.join(", or ")
    }

    fn shown(&self) -> String {
        if self.samples.is_empty() {
            String::new()
        } else {
            format!(" (such as {})", self.samples.join(", "))
        }
    }
}

/// Whether the question of an answer was never sent.
fn is_not_asked(answer: &Answer) -> bool {
    matches!(&answer.outcome, Outcome::Failed(failure) if failure.class == FailureClass::NotSent)
}

/// The model's text in an outcome.
fn text_of(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Answered { text } | Outcome::Refused { text } | Outcome::Truncated { text } => Some(text),
        Outcome::Filtered { text, .. } => text.as_deref(),
        Outcome::Empty => Some(""),
        Outcome::Unreadable { reason } => Some(reason),
        Outcome::Failed(_) => None,
    }
}

/// Shows an answer with control characters escaped, in one line of limited length.
fn shown(text: &str) -> String {
    let begins: String = text.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    let more = if text.chars().nth(SHOWN_CHARS).is_some() { "..." } else { "" };
    format!("\"{begins}{more}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Failure;

    const NONE: Tolerated = Tolerated { wrong: false, ungraded: false, truncated: false };
    const HINTS: Hints = Hints { rendering: false, grader: true, short_limit: false };
    const TRUNCATED: Tolerated = Tolerated { truncated: true, ..NONE };

    fn item() -> Item {
        Item {
            id: "1".into(),
            task: "t".into(),
            shots: 0,
            question: "1".into(),
            prompts: vec![],
            gold: vec!["Paris".into()],
            choices: vec![],
            tolerance: None,
            boundary: 0,
        }
    }

    fn check(texts: &[&str], is_truncated: bool) -> RunCheck {
        let (how, mut check) = (Grading::default(), RunCheck::default());
        for text in texts {
            let text = (*text).to_owned();
            let outcome = if is_truncated { Outcome::Truncated { text } } else { Outcome::Answered { text } };
            let answers = [Answer::of(outcome)];
            check.add(&item(), &answers, &how, &grade_of(&item(), &answers, &how));
        }
        check
    }

    #[test]
    fn a_run_without_a_right_answer_says_what_came_and_what_to_try() {
        let finding = check(&["It is\u{1b}[31m Paris."; 20], false)
            .finding(NONE, Hints { rendering: true, ..HINTS })
            .unwrap();
        for part in [
            "none of 20",
            "It is\\u{1b}[31m Paris.",
            "--grader contains",
            "20 of the first 20",
            "--keep-going",
        ] {
            assert!(finding.contains(part), "{part}: {finding}");
        }
        assert_eq!(finding.matches("It is").count(), 3);
        assert!(finding.contains("--rendering turns"));
        let long = "x".repeat(5000);
        assert!(check(&[long.as_str(); 20], false).finding(NONE, HINTS).unwrap().len() < 1200);
    }

    #[test]
    fn the_strictest_settings_that_grade_most_answers_as_right_are_proposed() {
        let proposed = |text: &str| check(&[text; 20], false).finding(NONE, HINTS).unwrap();
        let case = proposed(" paris ");
        assert!(case.contains("; try --ignore-case, with which 20 of the first 20"), "{case}");
        assert!(!case.contains("--grader contains"), "{case}");
        let both = proposed("paris\nIt is the capital of France.");
        assert!(both.contains("; try --grader first-line --ignore-case, with which 20"), "{both}");
        // The grader `contains` ignores case by itself.
        assert!(proposed("it is paris, of course").contains("; try --grader contains, with which 20"));
        assert!(proposed("Rome").contains("; try another --grader"));
    }

    #[test]
    fn questions_that_were_not_asked_have_no_grade() {
        let (how, mut check) = (Grading::default(), RunCheck::default());
        let failure = |class| Failure { class, message: "".into(), code: None, param: None, names: vec![] };
        for class in [FailureClass::NotSent, FailureClass::Unknown] {
            let answers = [Answer::of(Outcome::Failed(failure(class)))];
            check.add(&item(), &answers, &how, &grade_of(&item(), &answers, &how));
        }
        assert_eq!(check.counts(), [("error".to_owned(), 1)].into());
    }

    #[test]
    fn a_right_answer_or_too_few_answers_are_no_finding() {
        let mut texts = ["Rome"; 20];
        let wrong = Tolerated { wrong: true, ..NONE };
        assert!(check(&texts, false).finding(wrong, HINTS).is_none());
        assert!(check(&["<think></think>"; 20], false).finding(wrong, HINTS).is_some());
        assert!(check(&texts[..19], false).finding(NONE, HINTS).is_none());
        texts[7] = "Paris";
        assert!(check(&texts, false).finding(NONE, HINTS).is_none());
        assert!(check(&["Paris"; 40], false).finding(NONE, HINTS).is_none());
    }

    #[test]
    fn truncated_answers_are_counted_only_where_they_cannot_be_graded() {
        let cut = check(&["<think>hm"; 20], true).finding(NONE, HINTS).unwrap();
        assert!(cut.contains("20 of the first 20") && cut.contains("--max-tokens"), "{cut}");
        assert!(check(&["<think>hm"; 20], true).finding(TRUNCATED, HINTS).is_none());
        // With the limit of short answers, a few truncated answers are no problem.
        let short = Hints { short_limit: true, ..HINTS };
        let mut some = check(&["Paris"; 16], false);
        some.kinds.insert(GradeKind::Truncated, 4);
        assert!(some.finding(NONE, HINTS).is_some() && some.finding(NONE, short).is_none());
        assert!(
            check(&["hm"; 20], true).finding(NONE, short).is_some_and(|why| why.contains("of short answers"))
        );
        // Over a whole run, a few truncated answers are no problem.
        let mut some = check(&["Paris"; 60], false);
        some.kinds.insert(GradeKind::Truncated, 10);
        assert!(some.finding(NONE, HINTS).is_none());
        // A special token ended these answers before the limit.
        assert!(check(&["Paris</s>"; 20], true).finding(NONE, HINTS).is_none());
    }
}
