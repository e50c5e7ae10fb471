//! Reads a byte-level BPE tokenizer from two files, as tokenizers written in Python save it. vocab.json maps
//! each piece to its id; merges.txt has one pair of pieces per line, in order of priority.
//!
//! # References
//! The pre-tokenization follows `GPT2Tokenizer` and `Qwen2Tokenizer` of transformers.

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

/// Qwen2's expression. It matches contractions, words with a preceding symbol, single digits, symbols with
/// line ends, and whitespace.
const QWEN2: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);

/// Tokenizer classes that split text like GPT-2.
const LIKE_GPT2: [&str; 5] =
    ["GPT2Tokenizer", "CodeGenTokenizer", "PreTrainedTokenizer", "TokenizersBackend", "BloomTokenizer"];

/// Reads the two files. If the settings name no tokenizer class, `model_type` determines how text is split.
///
/// # Errors
/// [`Error::Tokenizer`] if a file cannot be parsed, the two files do not match, or the class is not
/// supported.
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
            .map_err(|_| fault(files.path(name), format!("is not UTF-8{again}")))
    };
    let is_qwen2 = match settings.class.as_deref() {
        Some("Qwen2Tokenizer") => true,
        None => model_type.starts_with("qwen"),
        Some(class) if LIKE_GPT2.contains(&class) => false,
        Some(class) => {
            let reason = format!(
                "belongs to a {class}, which surmise cannot build from vocab.json; create a tokenizer.json \
                 with transformers (`AutoTokenizer.from_pretrained(folder).save_pretrained(folder)`)"
            );
            return Err(fault(files.path(VOCAB), reason));
        }
    };
    let mut vocab: Vocab = serde_json::from_str(&text(VOCAB)?).map_err(|source| {
        fault(files.path(VOCAB), format!("is not a map of pieces to ids ({source}){again}"))
    })?;
    let mut merges = vec![];
    for (at, line) in text(MERGES)?.lines().enumerate() {
        // The first line may be a comment. A later line that begins with `#` is a merge of the piece `#`.
        if line.trim().is_empty() || (at == 0 && line.starts_with("#version")) {
            continue;
        }
        let Some((left, right)) = line.trim_end_matches('\r').split_once(' ') else {
            let reason = format!("line {} is not a pair of pieces{again}", at + 1);
            return Err(fault(files.path(MERGES), reason));
        };
        merges.push((left.to_owned(), right.to_owned()));
    }
    if merges.is_empty() {
        return Err(fault(files.path(MERGES), format!("contains no merges{again}")));
    }
    // No merge produces an added token, so added tokens are entered in the vocabulary with their ids.
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
