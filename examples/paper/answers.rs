//! Makes a category from the answers of a model: the table of facts, with the model's answers in place of the
//! right answers.

use std::path::Path;

use surmise::corpus::{Category, Relation};
use surmise::model::{Model, PromptStates};
use surmise::{Result, disk};

/// Number of examples before each question.
const EXAMPLES: usize = 2;
/// Maximum number of tokens of an answer.
const LONGEST: usize = 8;

/// The category with the model's answers: greedy tokens after two example facts, up to a comma. If the model
/// gives no answer, the fact is kept. Also returns the share of answers that equal the facts.
pub fn stated(category: &Category, model: &Model, file: &Path) -> Result<(Category, f64)> {
    let mut answers: Vec<Vec<String>> = vec![];
    for relation in &category.relations {
        answers.push(greedy(category, relation, model)?);
    }
    let mut rows = vec![
        ["entity".to_owned()]
            .into_iter()
            .chain(category.relations.iter().map(|relation| relation.name.clone()))
            .collect::<Vec<_>>(),
    ];
    let (mut right, mut n) = (0.0, 0.0);
    for (at, entity) in category.entities.iter().enumerate() {
        let mut row = vec![entity.clone()];
        for (relation, stated) in category.relations.iter().zip(&answers) {
            let fact = &relation.answers[at];
            row.push(if stated[at].is_empty() { fact.clone() } else { stated[at].clone() });
            right += f64::from(u8::from(stated[at].eq_ignore_ascii_case(fact)));
            n += 1.0;
        }
        rows.push(row);
    }
    disk::write(file, &disk::csv_bytes(file, &rows)?)?;
    // The category keeps the name of the facts, so that the same entities are drawn.
    Ok((Category { name: category.name.clone(), ..Category::load(&file.to_string_lossy())? }, right / n))
}

fn greedy(category: &Category, relation: &Relation, model: &Model) -> Result<Vec<String>> {
    let n = category.entities.len();
    let prompt = |at: usize| {
        let examples = (1..=EXAMPLES).map(|k| (at + k * n / (EXAMPLES + 1)) % n);
        let examples = examples.map(|e| format!("{} -> {}, ", category.entities[e], relation.answers[e]));
        format!("{}{} ->", examples.collect::<String>(), category.entities[at])
    };
    let mut windows: Vec<Vec<u32>> = vec![];
    for at in 0..n {
        let tokens = model.tokenizer.encode(&prompt(at))?;
        let prefix = model.tokenizer.prefix().iter().copied();
        windows.push(prefix.chain(tokens.into_iter().map(|token| token.id)).collect());
    }
    let starts: Vec<usize> = windows.iter().map(Vec::len).collect();
    let mut open: Vec<usize> = (0..n).collect();
    for _ in 0..LONGEST {
        let asked: Vec<Vec<u32>> = open.iter().map(|at| windows[*at].clone()).collect();
        if asked.is_empty() {
            break;
        }
        let states = PromptStates::of(&model.decoder, &model.info.id, &asked, &[0], None)?;
        let tops: Vec<Option<u32>> = (0..open.len()).map(|i| states.top_token(i)).collect();
        let mut still = vec![];
        for (at, top) in open.into_iter().zip(tops) {
            let Some(top) = top.filter(|top| !model.ends.contains(top)) else { continue };
            windows[at].push(top);
            if !ends(&model.tokenizer.decode(&windows[at][starts[at]..])) {
                still.push(at);
            }
        }
        open = still;
    }
    let said = windows.iter().zip(&starts).map(|(window, start)| {
        let text = model.tokenizer.decode(&window[*start..]);
        text.split(is_end).next().unwrap_or_default().trim().trim_matches('"').to_owned()
    });
    Ok(said.collect())
}

fn is_end(c: char) -> bool {
    c == ',' || c.is_control()
}

fn ends(text: &str) -> bool {
    text.trim_start().contains(is_end)
}
