//! The prompts of a factorial design as token ids of one model.

use std::collections::{BTreeMap, BTreeSet};

use super::design::FactorialDesign;
use super::prompt_reader::PromptReader;
use super::texts::PromptText;
use super::unspelled::advice;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::numeric::shown::count;

/// The prompts of a design, tokenized.
#[derive(Debug, Clone)]
pub struct DesignPrompts {
    /// Token ids of every prompt, in the order of [`DesignPrompts::place`].
    pub windows: Vec<Vec<u32>>,
    /// For each query and relation, the first token of the answer; the output is measured only at this token.
    /// Empty for foreign queries.
    pub answer_tokens: Vec<Vec<u32>>,
    /// SHA-256 of the texts of all prompts, each followed by a line feed. The hash is the same for every
    /// tokenizer.
    pub sha256: String,
    /// For each relation and entity, the tokens of the answer.
    of_answers: Vec<Vec<BTreeSet<u32>>>,
    n_relations: usize,
    n_sets: usize,
}

impl DesignPrompts {
    /// Tokenizes every prompt and checks that the state at its last token can be used. For a chat, the chat
    /// template of the model renders the message up to the beginning of the answer.
    ///
    /// # Errors
    /// [`Error::Config`] for a chat template that does not parse. [`Error::Corpus`] for an entity or an
    /// answer that the tokenizer cannot spell, for two entities with the same tokens, and if one token
    /// contains the end of a prompt and a neighbouring text. [`Error::Window`] for a prompt with more tokens
    /// than the model has positions.
    pub fn new(design: &FactorialDesign, model: &Model) -> Result<Self> {
        let of_answers = check_words(design, model)?;
        let (reader, max_positions) = (PromptReader::new(design, model)?, model.decoder.spec().max_positions);
        let mut windows = vec![];
        for &shots in &design.shots {
            for PromptText { text, query_end, .. } in design.texts(shots) {
                windows.push(reader.window(&text, query_end)?);
            }
            // Shots increase, so the error names the smallest number of shots that is too large.
            let longest = windows.iter().map(Vec::len).max().unwrap_or_default();
            if longest > max_positions {
                let reason = format!(
                    "a prompt of {} with {} has {longest} tokens, but the model has {max_positions} \
                     positions; lower --shots, or choose a model with more positions",
                    design.category,
                    count(shots, "shot")
                );
                return Err(Error::Window { model: model.info.id.clone(), reason });
            }
        }
        let answer_tokens = reader.answer_tokens()?;
        let (n_relations, n_sets) = (design.relations.len(), design.n_sets());
        let sha256 = design.sha256();
        let prompts = Self { windows, answer_tokens, sha256, of_answers, n_relations, n_sets };
        prompts.check_pairs(design)?;
        Ok(prompts)
    }

    /// The index of a prompt in `windows`: the order is number of shots, query `x`, relation `r`, example set
    /// `s`.
    pub fn place(&self, shots_index: usize, x: usize, r: usize, s: usize) -> usize {
        let n_queries = self.n_queries();
        ((shots_index * n_queries + x) * self.n_relations + r) * self.n_sets + s
    }

    /// Number of queries, X.
    pub fn n_queries(&self) -> usize {
        self.answer_tokens.len()
    }

    /// Whether query `x` is left out of the pair of relations `p` and `q`: its answers in the two relations
    /// begin with the same token, so the next token cannot distinguish the relations.
    pub fn is_left_out(&self, p: usize, q: usize, x: usize) -> bool {
        let tokens = &self.answer_tokens[x];
        !tokens.is_empty() && tokens[p] == tokens[q]
    }

    /// Whether the answers of set `s` in relation `p` and of set `t` in relation `q` have a token in common.
    /// Models copy tokens, so a model can repeat a part of an answer, such as "one hundred" or a digit.
    pub fn shares_answer_token(
        &self,
        design: &FactorialDesign,
        shots: usize,
        (p, s): (usize, usize),
        (q, t): (usize, usize),
    ) -> bool {
        let tokens = |r: usize, set: usize| {
            let shown = design.shown[r][set][..shots].iter();
            shown.flat_map(move |entity| &self.of_answers[r][*entity])
        };
        let of_s: BTreeSet<&u32> = tokens(p, s).collect();
        tokens(q, t).any(|token| of_s.contains(token))
    }

    /// The number of queries left out of the pair of relations `p` and `q`.
    pub fn n_left_out(&self, p: usize, q: usize) -> usize {
        (0..self.n_queries()).filter(|x| self.is_left_out(p, q, *x)).count()
    }

    /// Checks that at least two queries remain for every pair of relations.
    fn check_pairs(&self, design: &FactorialDesign) -> Result<()> {
        let n = self.n_queries();
        for p in 0..self.n_relations {
            for q in 0..p {
                let left = n - self.n_left_out(p, q);
                if left < 2 {
                    let reason = format!(
                        "the answers of columns {} and {} begin with different tokens for only {left} of \
                         {n} queries, and at least 2 are needed; remove one of the columns, or raise \
                         --queries",
                        design.relations[q], design.relations[p]
                    );
                    return Err(Error::Corpus { name: design.category.clone(), reason });
                }
            }
        }
        Ok(())
    }
}

/// Checks that the tokenizer can spell every word of the design and gives different tokens to different
/// entities. Returns the tokens of the answers, by relation and entity.
fn check_words(design: &FactorialDesign, model: &Model) -> Result<Vec<Vec<BTreeSet<u32>>>> {
    let fault = |reason: String| Error::Corpus { name: design.category.clone(), reason };
    let spell = |kind: &str, word: &str, text: &str| {
        model.tokenizer.encode(text).map_err(|error| {
            // Drop the advice of the tokenizer, which is for one word. `advice` covers the whole corpus.
            let error = error.to_string();
            let why = error.split(';').next().unwrap_or_default();
            fault(format!(
                "the tokenizer of the model cannot spell {kind} {word:?} ({why}); {}",
                advice(design, model)
            ))
        })
    };
    let examples = design.sets.iter().flatten().map(|entity| &design.entities[*entity]);
    let mut seen: BTreeMap<Vec<u32>, &String> = BTreeMap::new();
    let mut entities: Vec<&String> =
        examples.chain(design.queries.iter().map(|query| &query.entity)).collect();
    entities.sort_unstable();
    entities.dedup();
    for entity in entities {
        let tokens = spell("entity", entity, &design.form.render(&[], entity).0)?;
        let ids = tokens.into_iter().map(|token| token.id).collect();
        if let Some(other) = seen.insert(ids, entity) {
            return Err(fault(format!(
                "the tokenizer of the model gives {other:?} and {entity:?} the same tokens; remove one of \
                 these entities"
            )));
        }
    }
    let tokens = |name: &String, answer: &String| -> Result<BTreeSet<u32>> {
        let tokens =
            spell(&format!("the answer of column {name},"), answer, &design.form.continuation(answer))?;
        Ok(tokens.into_iter().map(|token| token.id).collect())
    };
    let relations = design.answers.iter().zip(&design.relations);
    relations.map(|(answers, name)| answers.iter().map(|answer| tokens(name, answer)).collect()).collect()
}
