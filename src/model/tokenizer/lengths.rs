//! Checks the lengths of strings in a finished tokenizer from any kind of file: the tokens, and the strings
//! that the model may repeat for every character of a text.

use std::collections::HashMap;

use tokenizers::{ModelWrapper, Tokenizer};

use super::growth::Growth;

/// Maximum length in bytes of a string that the model may repeat for every character of a text. Published
/// files have up to twenty.
const MOST_REPEATED: usize = 64;

/// Checks a tokenizer.
///
/// # Errors
/// A message that names a string that is too long, or an id that two pieces share.
pub(super) fn check(inner: &Tokenizer, growth: Growth) -> Result<(), String> {
    let vocab = inner.get_vocab(true);
    let added = inner.get_added_vocabulary();
    // Added tokens are decoded from their normalized text.
    let normalized = added.get_added_tokens_decoder().keys().filter_map(|id| added.simple_id_to_token(*id));
    let longest = normalized.map(|text| text.len()).chain(vocab.keys().map(String::len)).max();
    growth.admits_piece(longest.unwrap_or(0))?;
    for (name, text) in repeated(inner.get_model()) {
        let length = text.map_or(0, String::len);
        if length > MOST_REPEATED {
            return Err(format!("{name} has {length} bytes; at most {MOST_REPEATED} are allowed"));
        }
    }
    // If two pieces share an id, the library may give a token of one piece the text of the other, so a long
    // text could repeat for every character.
    let mut of_id: HashMap<u32, usize> = HashMap::with_capacity(vocab.len());
    for (piece, id) in &vocab {
        let length = of_id.entry(*id).or_default();
        if *length > 0 && piece.len().max(*length) > MOST_REPEATED {
            return Err(format!("model.vocab has the id {id} twice"));
        }
        *length = piece.len().max(*length).max(1);
    }
    Ok(())
}

/// The strings that a model may put into the token of every character, with the names of their members in
/// tokenizer.json.
fn repeated(model: &ModelWrapper) -> [(&'static str, Option<&String>); 3] {
    let (prefix, suffix, unknown) = match model {
        ModelWrapper::BPE(model) => (
            model.continuing_subword_prefix.as_ref(),
            model.end_of_word_suffix.as_ref(),
            model.unk_token.as_ref(),
        ),
        ModelWrapper::WordPiece(model) => {
            (Some(&model.continuing_subword_prefix), None, Some(&model.unk_token))
        }
        ModelWrapper::WordLevel(model) => (None, None, Some(&model.unk_token)),
        ModelWrapper::Unigram(_) => (None, None, None),
    };
    [
        ("model.continuing_subword_prefix", prefix),
        ("model.end_of_word_suffix", suffix),
        ("model.unk_token", unknown),
    ]
}
