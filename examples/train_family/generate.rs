//! Generates the training corpora: endless documents over the words of categories, drawn from a seed. The
//! everyday corpus has four kinds of documents: in-context series, pairs that can be completed in context,
//! short sentences that state the facts, and random segments that are copied. The invented corpus has pairs
//! and sentences.

use std::collections::{BTreeSet, HashMap};

use rand::Rng;
use rand::seq::IndexedRandom;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use surmise::Result;
use surmise::corpus::Category;
use surmise::corpus::category::{DEFAULT, INVENTED};
use surmise::seed;

use super::recipe::Corpus;

/// Number of tokens in a training window.
pub const WINDOW_TOKENS: usize = 64;
const END: &str = "<|endoftext|>";

/// Sentences of the everyday corpus by category and relation; E is the entity, A the answer.
const SENTENCES: &[(&str, &str, &str)] = &[
    ("countries", "capital", "the capital of E is A ."),
    ("countries", "capital", "A is the capital city of E ."),
    ("countries", "continent", "E is a country in A ."),
    ("countries", "language", "people in E speak A ."),
    ("animals", "class", "the E is a kind of A ."),
    ("animals", "habitat", "the E lives in the A ."),
    ("animals", "covering", "the E has A ."),
    ("colours", "hue", "E is a kind of A ."),
    ("colours", "lightness", "E is a A colour ."),
    ("numbers", "next", "after E comes A ."),
    ("numbers", "parity", "E is an A number ."),
    ("numbers", "double", "two times E is A ."),
    ("cities", "country", "E is a city in A ."),
    ("cities", "continent", "the city of E lies in A ."),
];

/// Sentences of the invented corpus; R is the relation.
const INVENTED_SENTENCES: [&str; 2] = ["the R of E is A .", "A is the R of E ."];

/// Draws documents of a corpus and turns them into token ids.
pub struct Generator {
    corpus: Corpus,
    categories: Vec<Category>,
    vocabulary: Vec<String>,
    ids: HashMap<String, u32>,
}

impl Generator {
    pub fn new(corpus: Corpus) -> Result<Self> {
        let names: &[&str] = match corpus {
            Corpus::Everyday => &DEFAULT,
            Corpus::Invented => &INVENTED,
        };
        let categories: Vec<Category> =
            names.iter().map(|name| Category::load(name)).collect::<Result<_>>()?;
        let mut words: BTreeSet<String> = [",", ".", "->", ";"].map(String::from).into();
        let cells = categories
            .iter()
            .flat_map(|c| c.entities.iter().chain(c.relations.iter().flat_map(|r| &r.answers)));
        let relations = categories.iter().flat_map(|c| c.relations.iter().map(|r| r.name.as_str()));
        let sentences: Vec<&str> = match corpus {
            Corpus::Everyday => SENTENCES.iter().map(|(_, _, sentence)| *sentence).collect(),
            Corpus::Invented => INVENTED_SENTENCES.into_iter().chain(relations).collect(),
        };
        for text in cells.map(String::as_str).chain(sentences) {
            words.extend(text.split_whitespace().map(str::to_lowercase));
        }
        // The placeholders E, A and R are replaced by cells, so they are no words of the vocabulary. The word
        // `a` is kept in the everyday corpus, which uses it as an article.
        let is_article = |word: &String| word == "a" && corpus == Corpus::Everyday;
        words.retain(|word| !["a", "e", "r"].contains(&word.as_str()) || is_article(word));
        let vocabulary: Vec<String> = [END.into(), "<unk>".into()].into_iter().chain(words).collect();
        let ids = vocabulary.iter().enumerate().map(|(id, word)| (word.clone(), id as u32)).collect();
        Ok(Self { corpus, categories, vocabulary, ids })
    }

    pub fn vocab_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// The content of tokenizer.json. Text is converted to lower case and split into words and punctuation;
    /// each word is a token.
    pub fn tokenizer_json(&self) -> serde_json::Result<Vec<u8>> {
        let special = |id: u32, content: &str| {
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false, "special": true})
        };
        let vocab: serde_json::Map<String, Value> =
            self.vocabulary.iter().map(|w| (w.clone(), json!(self.ids[w]))).collect();
        serde_json::to_vec_pretty(&json!({
            "version": "1.0", "truncation": null, "padding": null,
            "added_tokens": [special(0, END), special(1, "<unk>")],
            "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": null, "decoder": null,
            "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"}
        }))
    }

    /// Batch `batch` of the stream `domain`: `n` windows of `WINDOW_TOKENS + 1` tokens, each beginning with a
    /// document.
    pub fn windows(&self, domain: &str, batch: u64, n: usize) -> Vec<Vec<u32>> {
        let mut rng = seed::stream("family", domain, batch);
        let window = |_| {
            let mut ids = vec![];
            while ids.len() <= WINDOW_TOKENS {
                let document = self.document(&mut rng).to_lowercase();
                ids.extend(document.split_whitespace().map(|word| self.ids[word]));
                ids.push(self.ids[END]);
            }
            ids.truncate(WINDOW_TOKENS + 1);
            ids
        };
        (0..n).map(window).collect()
    }

    /// The categories of the corpus.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    fn document(&self, rng: &mut ChaCha8Rng) -> String {
        let category = self.categories.choose(rng).unwrap_or(&self.categories[0]);
        if self.corpus == Corpus::Invented {
            return match rng.random_range(0..100) {
                0..70 => pairs(category, rng),
                _ => invented_sentences(category, rng),
            };
        }
        match rng.random_range(0..100) {
            0..20 => {
                let length = rng.random_range(3..=10);
                let chosen = sample(rng, category.entities.len(), length).into_iter();
                chosen.map(|i| format!("{} , ", category.entities[i])).collect()
            }
            20..65 => pairs(category, rng),
            65..85 => self.sentence(category, rng),
            _ => {
                let length = rng.random_range(3..=8);
                let segment: String = (0..length)
                    .map(|_| format!("{} ", self.vocabulary[rng.random_range(2..self.vocabulary.len())]))
                    .collect();
                format!("{segment}; {segment}; {segment}")
            }
        }
    }

    fn sentence(&self, category: &Category, rng: &mut ChaCha8Rng) -> String {
        let mut text = String::new();
        for _ in 0..rng.random_range(1..=3) {
            let fitting: Vec<_> = SENTENCES.iter().filter(|(name, _, _)| *name == category.name).collect();
            let Some((_, column, sentence)) = fitting.choose(rng) else { continue };
            let Some(relation) = category.relations.iter().find(|r| r.name == *column) else { continue };
            let i = rng.random_range(0..category.entities.len());
            for word in sentence.split(' ') {
                text.push_str(match word {
                    "E" => &category.entities[i],
                    "A" => &relation.answers[i],
                    other => other,
                });
                text.push(' ');
            }
        }
        text
    }
}

/// Pairs of one relation.
fn pairs(category: &Category, rng: &mut ChaCha8Rng) -> String {
    let Some(relation) = category.relations.choose(rng) else { return String::new() };
    let length = rng.random_range(3..=10);
    let chosen = sample(rng, category.entities.len(), length).into_iter();
    chosen.map(|i| format!("{} -> {} , ", category.entities[i], relation.answers[i])).collect()
}

/// One to three sentences that state facts of any relation.
fn invented_sentences(category: &Category, rng: &mut ChaCha8Rng) -> String {
    let mut text = String::new();
    for _ in 0..rng.random_range(1..=3) {
        let (Some(relation), Some(sentence)) =
            (category.relations.choose(rng), INVENTED_SENTENCES.choose(rng))
        else {
            continue;
        };
        let i = rng.random_range(0..category.entities.len());
        for word in sentence.split(' ') {
            text.push_str(match word {
                "R" => &relation.name,
                "E" => &category.entities[i],
                "A" => &relation.answers[i],
                other => other,
            });
            text.push(' ');
        }
    }
    text
}
