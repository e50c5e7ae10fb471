//! Advice on a corpus whose words a tokenizer cannot spell.

use super::design::FactorialDesign;
use crate::corpus::Category;
use crate::corpus::category::{DEFAULT, INVENTED};
use crate::model::{Model, Tokenizer, embedded};

/// The number of rows with a word that the tokenizer of the model cannot spell, and what to do. If most rows
/// have such a word, removing rows does not help, and the advice is to choose another model or corpus.
pub(super) fn advice(design: &FactorialDesign, model: &Model) -> String {
    let (n, of) = (n_not_spelled(design, &model.tokenizer), design.entities.len());
    let what = format!("{n} of {of} rows have such a word");
    if 2 * n <= of {
        return format!("{what}; remove these rows, or choose another model");
    }
    if embedded().any(|member| member.name == model.info.id) {
        return format!(
            "{what}; {} is an embedded model, which has tokens only for the words of its own corpora ({}); \
             choose one of these corpora, or a real model: a folder, a GGUF file, or owner/name on a hub",
            model.info.id,
            spelled(&model.tokenizer).join(", ")
        );
    }
    format!("{what}; choose another model, or a corpus in the language of this model")
}

/// The number of entities with a name or an answer that the tokenizer cannot spell.
fn n_not_spelled(design: &FactorialDesign, tokenizer: &Tokenizer) -> usize {
    let cannot = |text: &str| tokenizer.encode(text).is_err();
    let is_bad = |(i, entity): (usize, &String)| {
        cannot(&design.form.render(&[], entity).0)
            || design.answers.iter().any(|answers| cannot(&design.form.continuation(&answers[i])))
    };
    design.entities.iter().enumerate().filter(|row| is_bad(*row)).count()
}

/// The names of the default and invented corpora in which the tokenizer can spell every word.
fn spelled(tokenizer: &Tokenizer) -> Vec<&'static str> {
    let can = |category: &Category| {
        let answers = category.relations.iter().flat_map(|relation| &relation.answers);
        category.entities.iter().chain(answers).all(|word| tokenizer.encode(word).is_ok())
    };
    let names = DEFAULT.into_iter().chain(INVENTED);
    names.filter(|name| Category::load(name).is_ok_and(|category| can(&category))).collect()
}
