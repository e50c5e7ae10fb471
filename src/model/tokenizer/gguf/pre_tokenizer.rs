//! Selects the pre-tokenizer of a byte-level BPE by the name in `tokenizer.ggml.pre`.
//!
//! # References
//! The names follow llama.cpp's `convert_hf_to_gguf_update.py`. The rules equal the rules of the original
//! tokenizers; llama.cpp's expressions are equivalent.

use tokenizers::SplitDelimiterBehavior::{Contiguous, Isolated};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::punctuation::Punctuation;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};

/// Llama 3's expression. It matches contractions, words with a preceding symbol, up to three digits, symbols
/// with line ends, and whitespace.
const LLAMA3: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
/// Like [`LLAMA3`], but matches each digit separately.
const QWEN2: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
/// GPT-4o's expression. It splits words by capitalisation, and keeps contractions with the word before them.
const GPT4O: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
/// Like [`GPT4O`], but matches each digit separately and does not match contractions.
const TEKKEN: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
/// BLOOM's expression. It splits text at spaces and punctuation.
const BLOOM: &str = r" ?[^(\s|[.,!?…。，、।۔،])]+";

/// A rule for splitting text before the merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PreTokenizer {
    /// GPT-2's expression.
    Gpt2,
    /// GPT-2's expression after splitting off single digits.
    DigitsGpt2,
    Falcon,
    Llama3,
    /// Llama 3's expression, but words that are tokens are also built by merges.
    Dbrx,
    Qwen2,
    Gpt4o,
    Tekken,
    Bloom,
}

impl PreTokenizer {
    /// The pre-tokenizer with this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "gpt-2" | "phi-2" | "olmo" | "mpt" | "jina-es" | "jina-de" | "gigachat" | "jais" => Self::Gpt2,
            "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" | "minerva-7b" => {
                Self::DigitsGpt2
            }
            "falcon" => Self::Falcon,
            "llama3" | "llama-v3" | "llama-bpe" | "falcon3" | "pixtral" | "midm-2.0" | "lfm2" => Self::Llama3,
            "dbrx" | "smaug-bpe" | "chatglm-bpe" | "glm4" => Self::Dbrx,
            "qwen2" | "stablelm2" | "deepseek-r1-qwen" | "megrez" => Self::Qwen2,
            "gpt-4o" | "llama4" => Self::Gpt4o,
            "tekken" => Self::Tekken,
            "bloom" | "poro-chat" | "gpt3-finnish" => Self::Bloom,
            _ => return None,
        })
    }

    /// The pre-tokenizer of an architecture; `None` unless all its published models use the same
    /// pre-tokenizer.
    pub(super) fn of_architecture(name: &str) -> Option<Self> {
        Some(match name {
            "gpt2" | "gptneox" | "phi2" => Self::Gpt2,
            "starcoder2" => Self::DigitsGpt2,
            "falcon" => Self::Falcon,
            "qwen2" | "qwen3" => Self::Qwen2,
            "bloom" => Self::Bloom,
            _ => return None,
        })
    }

    /// The supported names, for errors.
    pub(super) const NAMES: &'static str = concat!(
        "gpt-2, smollm, starcoder, falcon, llama-bpe, dbrx, qwen2, stablelm2, olmo, phi-2, refact, ",
        "command-r, gpt-4o, tekken, bloom"
    );

    /// Whether texts begin with the beginning-of-sequence token if the file does not specify it.
    pub(super) fn begins(self) -> bool {
        matches!(self, Self::Llama3 | Self::Tekken)
    }

    /// Whether a word that is a token is used whole, without its merges.
    pub(super) fn ignores_merges(self) -> bool {
        matches!(self, Self::Llama3 | Self::Tekken)
    }

    /// Whether the published tokenizer applies NFC normalisation first.
    pub(super) fn composes(self, name: &str) -> bool {
        self == Self::Qwen2 || name == "olmo"
    }

    /// The steps of the pre-tokenizer; the last one maps bytes to characters.
    ///
    /// # Errors
    /// Returns the error of the library for an expression that it does not support.
    pub(super) fn steps(self) -> tokenizers::Result<Vec<PreTokenizerWrapper>> {
        let split = |pattern: &str| Split::new(SplitPattern::Regex(pattern.into()), Isolated, false);
        let (bytes, gpt2) = (ByteLevel::new(false, false, false), ByteLevel::new(false, false, true));
        Ok(match self {
            Self::Gpt2 => vec![gpt2.into()],
            Self::DigitsGpt2 => vec![Digits::new(true).into(), gpt2.into()],
            Self::Falcon => vec![
                Punctuation::new(Contiguous).into(),
                gpt2.into(),
                Digits::new(false).into(),
                split("[0-9][0-9][0-9]")?.into(),
            ],
            Self::Llama3 | Self::Dbrx => vec![split(LLAMA3)?.into(), bytes.into()],
            Self::Qwen2 => vec![split(QWEN2)?.into(), bytes.into()],
            Self::Gpt4o => vec![split(GPT4O)?.into(), bytes.into()],
            Self::Tekken => vec![split(TEKKEN)?.into(), bytes.into()],
            Self::Bloom => vec![split(BLOOM)?.into(), bytes.into()],
        })
    }
}
