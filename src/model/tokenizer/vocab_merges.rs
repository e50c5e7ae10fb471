//! Byte-level BPE in two files, as tokenizers that are written in Python save it: vocab.json gives every
//! piece its id, merges.txt has a pair of pieces on each line, the first to be joined first.
//!
//! # References
//! How text is cut before the merges is what `GPT2Tokenizer` and `Qwen2Tokenizer` of transformers do.

use std::path::PathBuf;

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

use super::TokenizerFiles;
use super::settings::TokenizerSettings;
use crate::error::{Error, Result};

pub(super) const VOCAB: &str = "vocab.json";
pub(super) const MERGES: &str = "merges.txt";

/// Cut into contractions, words with the sign before them, single digits, signs with their line ends, and
/// blanks.
const QWEN2: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);

/// Classes that cut as GPT-2 does; their files have these names.
const LIKE_GPT2: [&str; 5] =
    ["GPT2Tokenizer", "CodeGenTokenizer", "PreTrainedTokenizer", "TokenizersBackend", "BloomTokenizer"];

/// Reads the two files; `model_type` decides where no class is named.
///
/// # Errors
/// [`Error::Tokenizer`] if one does not parse, they do not belong together, or the class cuts text in a way
/// that is not known here.
pub(super) fn read(
    files: &dyn TokenizerFiles,
    settings: &TokenizerSettings,
    model_type: &str,
) -> Result<Tokenizer> {
    let fault = |path: PathBuf, reason: String| Error::Tokenizer { path, reason };
    let again = "; download or save it again";
    let text = |name: &str| -> Result<String> {
        let bytes = files.read(name)?.unwrap_or_default();
        String::from_utf8(bytes.into_owned())
            .map_err(|_| fault(files.path(name), format!("is no text{again}")))
    };
    let is_qwen2 = match settings.class.as_deref() {
        Some("Qwen2Tokenizer") => true,
        None => model_type.starts_with("qwen"),
        Some(class) if LIKE_GPT2.contains(&class) => false,
        Some(class) => {
            let reason = format!(
                "belongs to a {class}, which is not read from it; make a tokenizer.json with transformers \
                 (`AutoTokenizer.from_pretrained(folder).save_pretrained(folder)`)"
            );
            return Err(fault(files.path(VOCAB), reason));
        }
    };
    let mut vocab: Vocab = serde_json::from_str(&text(VOCAB)?).map_err(|source| {
        fault(files.path(VOCAB), format!("is no map of pieces to ids ({source}){again}"))
    })?;
    let mut merges = vec![];
    for (at, line) in text(MERGES)?.lines().enumerate() {
        // The first line may be a comment; `#` is also a piece.
        if line.trim().is_empty() || (at == 0 && line.starts_with("#version")) {
            continue;
        }
        let Some((left, right)) = line.trim_end_matches('\r').split_once(' ') else {
            let reason = format!("line {} is no pair of pieces{again}", at + 1);
            return Err(fault(files.path(MERGES), reason));
        };
        merges.push((left.to_owned(), right.to_owned()));
    }
    if merges.is_empty() {
        return Err(fault(files.path(MERGES), format!("holds no merges{again}")));
    }
    // In the vocabulary an added token keeps its id; no merge leads to it.
    for (id, token) in &settings.added {
        vocab.entry(token.content.clone()).or_insert(*id);
    }
    let bpe = BPE::builder().vocab_and_merges(vocab, merges).build().map_err(|source| {
        fault(files.path(MERGES), format!("does not belong to its vocab.json ({source}){again}"))
    })?;
    let mut tokenizer = Tokenizer::new(bpe);
    let has_prefix = settings.add_prefix_space.unwrap_or(false);
    let bytes = ByteLevel::new(has_prefix, false, !is_qwen2);
    if is_qwen2 {
        let cut = Split::new(SplitPattern::Regex(QWEN2.into()), SplitDelimiterBehavior::Isolated, false);
        let cut = cut.map_err(|source| fault(files.path(VOCAB), source.to_string()))?;
        let both: Vec<PreTokenizerWrapper> = vec![cut.into(), bytes.into()];
        tokenizer.with_pre_tokenizer(Some(Sequence::new(both)));
        tokenizer
            .with_normalizer(Some(NFC))
            .map_err(|source| fault(files.path(VOCAB), source.to_string()))?;
    } else {
        tokenizer.with_pre_tokenizer(Some(bytes));
    }
    tokenizer.with_decoder(Some(bytes));
    Ok(tokenizer)
}
