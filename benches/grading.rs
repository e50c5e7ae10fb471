//! Measures the seconds to grade 200,000 answers with each grader on one core: short answers, sentences, and
//! answers with two thousand characters of reasoning before them.
//!
//! Run with `cargo bench --bench grading`.

use std::time::Instant;

use surmise::collect::{Grading, Item, grade};
use surmise::provider::{Answer, Outcome};

const ANSWERS: usize = 200_000;

fn main() {
    let reasoning = format!("<think>{}</think>", "The capital might be Rome, or not. ".repeat(57));
    let forms = [
        "Paris".to_owned(),
        "**Paris**.".into(),
        "The answer is B. Paris, as it is said everywhere.".into(),
        "Answer: 1,234.50".into(),
        "“Paris” – the capital of France.\nIt stands on the Seine.".into(),
        "{\"answer\": \"Paris\"}".into(),
        "$\\boxed{\\text{B}}$".into(),
        "Paris<|im_end|>".into(),
        "答案：B".into(),
        format!("{reasoning}\n\nParis"),
    ];
    let answers: Vec<[Answer; 1]> =
        forms.into_iter().map(|text| [Answer::of(Outcome::Answered { text })]).collect();
    println!("grader                    seconds of {ANSWERS} answers");
    for name in [
        "exact",
        "prefix",
        "contains",
        "first-line",
        "choice",
        "letter",
        "number",
        "regex:Answer: (.+)",
        "json:/answer",
        "number,choice,contains",
    ] {
        let how = Grading { grader: name.parse().expect("a grader"), ..Grading::default() };
        let item = Item {
            id: "1".into(),
            task: "t".into(),
            shots: 0,
            question: "1".into(),
            prompts: vec![],
            gold: vec![if name.starts_with("number") { "1234.5" } else { "Paris" }.into()],
            choices: ["Rome", "Paris", "Lima", "Oslo"].map(Into::into).to_vec(),
            tolerance: None,
            boundary: 0,
        };
        let began = Instant::now();
        let mut right = 0.0;
        for i in 0..ANSWERS {
            right += grade(&item, &answers[i % answers.len()], &how).credit.unwrap_or(0.0);
        }
        println!(
            "{name:24} {:8.2} ({:.0} % right)",
            began.elapsed().as_secs_f64(),
            100.0 * right / ANSWERS as f64
        );
    }
}
