//! Writes sentences that state the facts of the embedded categories, and a model's continuations of their
//! first words.

use std::path::{Path, PathBuf};

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use surmise::corpus::category::DEFAULT;
use surmise::corpus::{Category, Relation};
use surmise::model::Model;
use surmise::model::batch::Batch;
use surmise::{Result, disk, seed};

use super::SEED;
use super::position::WINDOW;

/// Number of words in a text, slightly more than a window contains.
const WORDS: usize = WINDOW + 8;
/// Number of tokens of a text that a model continues.
const PROMPT: usize = 3;

/// Category, relation, and a sentence in which E is the entity and A the answer.
const SENTENCES: [(&str, &str, &str); 10] = [
    ("countries", "capital", "the capital of E is A ."),
    ("countries", "continent", "E is a country in A ."),
    ("countries", "language", "people in E speak A ."),
    ("animals", "class", "the E is a kind of A ."),
    ("animals", "habitat", "the E lives in the A ."),
    ("animals", "covering", "the E has A ."),
    ("colours", "hue", "E is a kind of A ."),
    ("numbers", "next", "after E comes A ."),
    ("numbers", "double", "two times E is A ."),
    ("cities", "country", "E is a city in A ."),
];

#[derive(Serialize)]
struct Row<'a> {
    group: &'a str,
    text: &'a str,
}

fn sentence(categories: &[Category], rng: &mut ChaCha8Rng) -> Option<String> {
    let (name, relation, form) = SENTENCES.choose(rng)?;
    let category = categories.iter().find(|category| category.name == *name)?;
    let relation: &Relation = category.relations.iter().find(|known| known.name == *relation)?;
    let at = rng.random_range(0..category.entities.len());
    let words = form.split(' ').map(|word| match word {
        "E" => category.entities[at].as_str(),
        "A" => relation.answers[at].as_str(),
        other => other,
    });
    Some(words.collect::<Vec<_>>().join(" "))
}

fn texts(n: usize) -> Result<Vec<String>> {
    let categories = DEFAULT.into_iter().map(Category::load).collect::<Result<Vec<_>>>()?;
    let mut rng = seed::stream("facts", "texts", SEED);
    let mut text = || {
        let mut sentences: Vec<String> = vec![];
        while sentences.iter().map(|sentence| sentence.split(' ').count()).sum::<usize>() < WORDS {
            sentences.extend(sentence(&categories, &mut rng));
        }
        sentences.join(" ")
    };
    Ok((0..n).map(|_| text()).collect())
}

/// Writes texts of facts, with a blank line between texts.
pub fn write(path: &Path, n: usize) -> Result<PathBuf> {
    disk::write(path, texts(n)?.join("\n\n").as_bytes())?;
    Ok(path.to_path_buf())
}

/// Writes texts of facts (group `facts`), and a model's continuations of the first words of each text at
/// temperature 1 (the group has the model's name).
pub fn against_generated(path: &Path, model: &Model, n: usize) -> Result<PathBuf> {
    let facts = texts(n)?;
    let mut windows: Vec<Vec<u32>> = vec![];
    let mut longest = 0;
    for text in &facts {
        let ids: Vec<u32> = model.tokenizer.encode(text)?.iter().map(|token| token.id).collect();
        longest = longest.max(ids.len());
        windows.push(ids.into_iter().take(PROMPT).collect());
    }
    let mut rng = seed::stream("facts", &model.info.id, SEED);
    for length in PROMPT..longest {
        let batch = Batch::windows(&windows);
        let logits =
            model.decoder.forward(&batch, &mut |_, _| Ok(())).and_then(|h| model.decoder.logits(&h))?;
        let logits = logits.flatten_all()?.to_vec1::<f32>()?;
        let size = model.info.vocab_size;
        for (at, window) in windows.iter_mut().enumerate() {
            let row = &logits[(at * length + length - 1) * size..][..size];
            window.push(drawn(row, &model.ends, &mut rng));
        }
    }
    let said: Vec<String> = windows.iter().map(|window| model.tokenizer.decode(window)).collect();
    let rows = facts.iter().map(|text| Row { group: "facts", text });
    let rows = rows.chain(said.iter().map(|text| Row { group: &model.info.id, text }));
    disk::write(path, &disk::csv_bytes(path, &rows.collect::<Vec<_>>())?)?;
    Ok(path.to_path_buf())
}

/// Samples a token by its probability, except tokens that end the text.
fn drawn(logits: &[f32], ends: &[u32], rng: &mut ChaCha8Rng) -> u32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight =
        |(id, z): (usize, &f32)| if ends.contains(&(id as u32)) { 0.0 } else { f64::from(z - most).exp() };
    let weights: Vec<f64> = logits.iter().enumerate().map(weight).collect();
    let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
    let at = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    at.unwrap_or(0) as u32
}
