//! Parses and formats graders: a rule (`number`), a rule with an argument (`regex:PATTERN`), or several rules
//! in order (`number,contains`). The first rule that can read the answer determines the grade.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::registry;
use super::{Argument, QuestionForm, Rule};
use crate::collect::item::Item;
use crate::names;

/// Maximum number of rules.
const MOST_RULES: usize = 8;

/// A rule with its argument.
#[derive(Clone)]
pub struct Step {
    /// The rule.
    pub rule: &'static dyn Rule,
    /// The argument of the rule.
    pub argument: Argument,
}

/// One or more rules, in order.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Grader {
    steps: Vec<Step>,
}

impl Grader {
    /// The rules in order. There is at least one.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What a question must show to the model.
    pub fn question_form(&self) -> QuestionForm {
        let forms = || self.steps.iter().map(|step| step.rule.question_form());
        forms().find(|form| *form != QuestionForm::Open).unwrap_or(QuestionForm::Open)
    }

    /// Whether the grader needs the log-probabilities of prompts (`echo`).
    pub fn needs_echo(&self) -> bool {
        self.question_form() == QuestionForm::EachChoice
    }

    /// Whether items must have choices.
    pub fn needs_choices(&self) -> bool {
        self.question_form() != QuestionForm::Open
    }

    /// Checks that at least one rule can compare the right answers of an item.
    ///
    /// # Errors
    /// Returns the reason of the last rule, as a phrase. The caller adds the line number of the item.
    pub fn check(&self, item: &Item) -> Result<(), String> {
        let mut checked = self.steps.iter().map(|step| step.rule.check(item));
        let first = checked.next().unwrap_or(Ok(()));
        checked.fold(first, |so_far, next| so_far.or(next))
    }
}

impl Default for Grader {
    fn default() -> Self {
        Self { steps: vec![Step { rule: &super::rules::exact::Exact, argument: Argument::None }] }
    }
}

impl FromStr for Grader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut steps: Vec<Step> = vec![];
        for part in parts(text) {
            let (name, argument) = match part.split_once(':') {
                Some((name, argument)) => (name, Some(argument)),
                None => (part, None),
            };
            let name = name.trim();
            let Some(rule) = registry::find(name) else {
                let near = names::suggestion(name, registry::ALL.iter().map(|rule| rule.name()));
                return Err(format!(
                    "there is no grader {name:?}; {near}the graders are {}",
                    registry::names().join(", ")
                ));
            };
            let name = rule.name();
            if steps.iter().any(|step| step.rule.name() == name && argument.is_none()) {
                return Err(format!("{name} is given twice"));
            }
            let argument = rule.argument(argument).map_err(|why| format!("{name} {why}"))?;
            steps.push(Step { rule, argument });
        }
        if steps.len() > MOST_RULES {
            return Err(format!(
                "at most {MOST_RULES} graders can be combined, but {} are given",
                steps.len()
            ));
        }
        let grader = Self { steps };
        if grader.steps.len() > 1
            && let Some(step) =
                grader.steps.iter().find(|s| s.rule.question_form() == QuestionForm::EachChoice)
        {
            let name = step.rule.name();
            return Err(format!("{name} compares log-probabilities, not texts; use it alone"));
        }
        Ok(grader)
    }
}

/// Splits a text at commas. Patterns may contain commas, so a comma after an argument separates graders only
/// if the name of a grader follows it.
fn parts(text: &str) -> Vec<&str> {
    let begins_part = |rest: &str| {
        let name = rest.split([',', ':']).next().unwrap_or_default().trim();
        registry::find(name).is_some()
    };
    let (mut parts, mut start) = (vec![], 0);
    for (at, _) in text.match_indices(',') {
        let before = text[start..at].split(':').next().unwrap_or_default().trim();
        let takes_text = registry::find(before).is_some_and(|rule| rule.argument_form().is_some());
        if !(takes_text && text[start..at].contains(':')) || begins_part(&text[at + 1..]) {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

impl fmt::Display for Grader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma}{}", step.rule.name())?;
            match &step.argument {
                Argument::None => {}
                Argument::Text(text) => write!(f, ":{text}")?,
                Argument::Pattern(pattern) => write!(f, ":{}", pattern.as_str())?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Grader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grader({self})")
    }
}

impl PartialEq for Grader {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Grader {}

impl From<Grader> for String {
    fn from(grader: Grader) -> Self {
        grader.to_string()
    }
}

impl TryFrom<String> for Grader {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_what_is_recorded() {
        let given = [
            "exact",
            "logprob-per-byte",
            "number,contains",
            r"regex:(\d{1,3}),number",
            r"regex:a,b",
            "json:/answer/0,choice",
            "number:0.5,regex:^(x)$,contains",
        ];
        for text in given {
            let grader: Grader = text.parse().unwrap();
            assert_eq!(grader.to_string(), text);
            let json = serde_json::to_string(&grader).unwrap();
            assert_eq!(serde_json::from_str::<Grader>(&json).unwrap(), grader);
        }
        let steps = |text: &str| text.parse::<Grader>().unwrap().steps().len();
        assert_eq!(
            (steps(r"regex:(\d{1,3}),number"), steps("regex:a,b"), steps("number,contains")),
            (2, 1, 2)
        );
    }

    #[test]
    fn what_cannot_grade_is_refused_by_name() {
        for (text, part) in [
            ("", "the graders are exact"),
            ("exakt", "the graders are exact"),
            ("exact,", "no grader \"\""),
            ("exact,foo", "no grader \"foo\""),
            ("exact,exact", "twice"),
            ("exact:x", "takes no argument"),
            ("regex", "needs a pattern"),
            ("regex:(", "regular expression"),
            ("regex:(a{1000}){1000}", "regular expression"),
            ("json", "needs"),
            ("number:-1", "tolerance"),
            ("logprob,exact", "use it alone"),
        ] {
            let error = text.parse::<Grader>().expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
