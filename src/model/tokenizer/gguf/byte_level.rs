//! Builds a byte-level BPE tokenizer from tokens, merges and a pre-tokenizer.

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{AddedToken, Tokenizer};

use super::pre_tokenizer::PreTokenizer;
use super::vocabulary::{Vocabulary, fault};
use crate::error::Result;
use crate::model::tokenizer::sentencepiece::Kind;
use crate::model::weights::gguf::Gguf;

const MERGES: &str = "tokenizer.ggml.merges";
const PRE: &str = "tokenizer.ggml.pre";

/// Builds the tokenizer.
///
/// # Errors
/// [`Error::Tokenizer`](crate::Error::Tokenizer) if merges are missing or do not match the tokens, or if the
/// pre-tokenizer is unknown.
pub(super) fn tokenizer(gguf: &Gguf, vocabulary: &Vocabulary) -> Result<Tokenizer> {
    let metadata = gguf.metadata();
    let again = "; download the file again, or put the model's tokenizer.json in the same folder";
    let merges = metadata.texts(MERGES)?.unwrap_or_default();
    if merges.is_empty() {
        return Err(fault(gguf, format!("has a tokenizer without merges (key `{MERGES}`){again}")));
    }
    let mut pairs = Vec::with_capacity(merges.len());
    for (at, merge) in merges.iter().enumerate() {
        // The first character never separates the pieces, because a piece may begin with an unescaped space.
        let cut = merge.char_indices().skip(1).find(|(_, letter)| *letter == ' ').map(|(at, _)| at);
        let Some((left, right)) = cut.and_then(|cut| Some((merge.get(..cut)?, merge.get(cut + 1..)?))) else {
            return Err(fault(gguf, format!("merge {at} of `{MERGES}` is not a pair of pieces{again}")));
        };
        pairs.push((left.to_owned(), right.to_owned()));
    }
    let name = metadata.text(PRE)?.unwrap_or("default");
    let cut = pre_tokenizer(gguf, name)?;
    let vocab: Vocab = vocabulary.texts.iter().zip(0_u32..).map(|(text, id)| (text.clone(), id)).collect();
    let failed = |source: &dyn std::fmt::Display| {
        fault(gguf, format!("its merges do not match its tokens ({source}){again}"))
    };
    let bpe = BPE::builder().vocab_and_merges(vocab, pairs).ignore_merges(cut.ignores_merges()).build();
    let mut tokenizer = Tokenizer::new(bpe.map_err(|source| failed(&source))?);
    if cut.composes(name) {
        tokenizer.with_normalizer(Some(NFC)).map_err(|source| failed(&source))?;
    }
    tokenizer.with_pre_tokenizer(Some(Sequence::new(cut.steps().map_err(|source| failed(&source))?)));
    tokenizer.with_decoder(Some(ByteLevel::new(false, false, false)));
    let added = |kind: Kind, special: bool| {
        let tokens = vocabulary.of(kind).filter(|(_, text)| !text.is_empty());
        tokens.map(|(_, text)| AddedToken::from(text, special).normalized(false)).collect::<Vec<_>>()
    };
    tokenizer
        .add_tokens(added(Kind::UserDefined, false))
        .and_then(|_| tokenizer.add_special_tokens(added(Kind::Control, true)))
        .and_then(|_| tokenizer.add_special_tokens(added(Kind::Unknown, true)))
        .map_err(|source| failed(&source))?;
    Ok(tokenizer)
}

/// The pre-tokenizer with this name. The name `default` selects the pre-tokenizer of the architecture.
fn pre_tokenizer(gguf: &Gguf, name: &str) -> Result<PreTokenizer> {
    let metadata = gguf.metadata();
    let architecture = metadata.text("general.architecture")?.unwrap_or_default();
    let found =
        if name == "default" { PreTokenizer::of_architecture(architecture) } else { PreTokenizer::of(name) };
    found.ok_or_else(|| {
        let reason = format!(
            "`{PRE}` is `{name}`, an unsupported pre-tokenizer for `{architecture}`; put the model's \
             tokenizer.json in the same folder (supported: {})",
            PreTokenizer::NAMES
        );
        fault(gguf, reason)
    })
}
