//! Tests the graders on the tables of tests/golden/grading, whose expected grades were judged by hand, and on
//! texts of any kind.

use std::collections::BTreeMap;
use std::path::Path;

use surmise::collect::grading::registry;
use surmise::collect::{GradeKind, Grading, Item, grade};
use surmise::provider::{Answer, Outcome};

/// A row of a table.
#[derive(Debug, serde::Deserialize)]
struct Case {
    form: String,
    grader: String,
    text: String,
    is_truncated: bool,
    answer: String,
    choices: String,
    expected: String,
}

impl Case {
    fn item(&self) -> Item {
        let choices: Vec<String> =
            self.choices.split('|').filter(|choice| !choice.is_empty()).map(Into::into).collect();
        // As in a file of items, the text of the choice replaces its letter.
        let letter = |letter: u8| choices.get(usize::from(letter.wrapping_sub(b'A')));
        let gold = match self.answer.as_bytes() {
            [byte] if !choices.contains(&self.answer) => letter(*byte).unwrap_or(&self.answer),
            _ => &self.answer,
        };
        Item {
            id: self.form.clone(),
            task: "t".into(),
            shots: 0,
            question: self.form.clone(),
            prompts: vec![],
            gold: vec![gold.clone()],
            choices,
            tolerance: None,
            boundary: 0,
        }
    }

    fn graded(&self) -> (String, String) {
        let text = self.text.clone();
        let outcome =
            if self.is_truncated { Outcome::Truncated { text } } else { Outcome::Answered { text } };
        let grader = self.grader.parse().unwrap_or_else(|why| panic!("{}: {why}", self.grader));
        let how = Grading { grader, ..Grading::default() };
        let grade = grade(&self.item(), &[Answer::of(outcome)], &how);
        let kind = match (grade.kind, grade.credit) {
            (GradeKind::Scored, Some(credit)) if credit > 0.0 => "right",
            (GradeKind::Scored, _) => "wrong",
            (kind, _) => kind.name(),
        };
        (kind.into(), grade.extracted)
    }
}

fn tables() -> BTreeMap<String, Vec<Case>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/grading");
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let tables =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "csv")).map(|path| {
            let mut reader = csv::Reader::from_path(&path).expect("a table");
            let rows = reader.deserialize().map(|row| row.expect("a row")).collect();
            (path.file_stem().expect("a name").to_string_lossy().into_owned(), rows)
        });
    tables.collect()
}

#[test]
fn every_grader_gives_the_grades_of_the_tables() {
    let tables = tables();
    for rule in registry::ALL.iter().filter(|rule| !rule.name().starts_with("logprob")) {
        let n = tables.get(rule.name()).map_or(0, Vec::len);
        assert!(n >= 30, "{} has {n} cases", rule.name());
    }
    let mut wrong = vec![];
    for case in tables.values().flatten() {
        let (kind, extracted) = case.graded();
        if kind != case.expected {
            wrong.push(format!(
                "{} {:?} {:?} against {:?}: {kind} ({extracted:?}), expected {}",
                case.grader, case.form, case.text, case.answer, case.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_text_makes_a_grader_panic_and_the_same_text_gets_the_same_grade() {
    let cases: Vec<Case> = tables().into_values().flatten().collect();
    let texts: Vec<&str> = cases.iter().map(|case| case.text.as_str()).collect();
    let mut state = 1_u64;
    let mut next = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % n
    };
    for case in &cases {
        for _ in 0..4 {
            let (a, b) = (texts[next(texts.len())], texts[next(texts.len())]);
            let cut = |text: &str, at: usize| text.chars().take(at).collect::<String>();
            let text = format!("{}{}", cut(a, next(12)), cut(b, next(60)));
            let of =
                |text: &str| {
                    Case { text: text.into(), ..serde_json::from_value(serde_json::json!({
                    "form": case.form, "grader": case.grader, "text": "", "is_truncated": case.is_truncated,
                    "answer": case.answer, "choices": case.choices, "expected": "",
                })).expect("a case") }
                };
            assert_eq!(of(&text).graded(), of(&text).graded());
        }
    }
}
