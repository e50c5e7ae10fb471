//! Encodes a text in the same steps as the library, and checks the number of bytes and the elapsed time
//! between the steps. The library does not check them, and a regular expression can take hours for a long
//! text.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokenizers::pattern::Pattern;
use tokenizers::utils::SysRegex;
use tokenizers::{
    Encoding, Model, ModelWrapper, NormalizedString, Normalizer, NormalizerWrapper, OffsetReferential,
    OffsetType, PreTokenizedString, PreTokenizer, PreTokenizerWrapper, Result,
};

use super::trie;

/// Time limit for one text.
const TIME: Duration = Duration::from_secs(10);
/// Maximum number of bytes that the rules may produce from one text. If each byte becomes a token, the
/// library takes about 350 bytes of memory for each byte.
pub(super) const MOST_BYTES: usize = 2 << 20;
/// Maximum number of bytes of a text, if [`Steps::has_stripped_space`] is true.
const MOST_STRIPPED: usize = 4096;
/// Number of matches between two checks of the elapsed time.
const MATCHES: u32 = 16;

type Found = Vec<((usize, usize), bool)>;

/// The data that encoding step by step needs in addition to the tokenizer.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    /// For each rule of the normalizer, in order: the regular expression that the rule replaces, if it has
    /// one.
    replaced: Arc<[Option<SysRegex>]>,
    /// Maximum number of tokens that the model makes of one byte.
    tokens_per_byte: usize,
    /// Maximum time in nanoseconds that the model takes for one byte.
    ns_per_byte: usize,
    /// Whether an added token consists of spaces and has `lstrip` or `rstrip`. For each space in a run of
    /// spaces, the library then copies the rest of the run, which takes quadratic time.
    has_stripped_space: bool,
}

impl Steps {
    /// Prepares the steps.
    ///
    /// # Errors
    /// Returns an error for a regular expression that the library does not support, and for a vocabulary
    /// whose trie would be too large.
    pub fn of(inner: &tokenizers::Tokenizer) -> Result<Self> {
        let regex = |rule: &&NormalizerWrapper| -> Result<Option<SysRegex>> {
            let NormalizerWrapper::Replace(rule) = rule else { return Ok(None) };
            let rule = serde_json::to_value(rule)?;
            rule["pattern"]["Regex"].as_str().map(SysRegex::new).transpose()
        };
        let tokens_per_byte = match inner.get_model() {
            // With byte fallback, each byte of the prefix and of the suffix also becomes a token.
            ModelWrapper::BPE(bpe) if bpe.byte_fallback => {
                let length = |affix: &Option<String>| affix.as_ref().map_or(0, String::len);
                1 + length(&bpe.continuing_subword_prefix) + length(&bpe.end_of_word_suffix)
            }
            _ => 1,
        };
        let ns_per_byte = match inner.get_model() {
            ModelWrapper::Unigram(model) => trie::lookup_ns(model.iter().map(|(piece, _)| piece.as_str()))?,
            _ => 0,
        };
        let mut added = inner.get_added_vocabulary().get_added_tokens_decoder().iter();
        let has_stripped_space = added.any(|(id, token)| {
            let text = inner.get_added_vocabulary().simple_id_to_token(*id).unwrap_or_default();
            (token.lstrip || token.rstrip) && (is_space(&token.content) || is_space(&text))
        });
        let rules = rules(inner.get_normalizer());
        let replaced = rules.iter().map(regex).collect::<Result<Vec<_>>>()?.into();
        Ok(Self { replaced, tokens_per_byte, ns_per_byte, has_stripped_space })
    }

    /// The encoding of a text, without special tokens.
    ///
    /// # Errors
    /// Returns the errors of the library, and a message if the text exceeds a limit.
    pub fn encode(&self, inner: &tokenizers::Tokenizer, text: &str) -> Result<Encoding> {
        let clock = Clock { began: Instant::now(), looks: AtomicU32::new(0) };
        if self.has_stripped_space && text.len() > MOST_STRIPPED {
            let why = "the limit for a tokenizer that has an added token of spaces with lstrip or rstrip";
            return Err(format!("the text has {} bytes, but {why} is {MOST_STRIPPED}", text.len()).into());
        }
        let normalizer = inner.get_normalizer().map(|normalizer| Normalizing {
            rules: rules(Some(normalizer)),
            replaced: &self.replaced,
            clock: &clock,
        });
        let mut split = inner.get_added_vocabulary().extract_and_normalize(normalizer.as_ref(), text);
        // The library ignores errors of the normalizer, such as a timeout, so the time is checked again.
        clock.check()?;
        if let Some(step) = inner.get_pre_tokenizer() {
            pre_tokenize(step, &mut split, text.len(), &clock)?;
        }
        let bytes = check_bytes(&split, text.len(), self.tokens_per_byte)?;
        if (bytes as u128).saturating_mul(self.ns_per_byte as u128) > TIME.as_nanos() {
            return Err(late().into());
        }
        split.tokenize(|part| {
            clock.look()?;
            inner.get_model().tokenize(part.get())
        })?;
        let encoding = split.into_encoding(None, 0, OffsetType::Byte)?;
        clock.check()?;
        inner.post_process(encoding, None, false)
    }
}

fn is_space(text: &str) -> bool {
    !text.is_empty() && text.trim().is_empty()
}

/// The rules of a normalizer, in order.
fn rules(normalizer: Option<&NormalizerWrapper>) -> Vec<&NormalizerWrapper> {
    let (mut rules, mut open) = (vec![], Vec::from_iter(normalizer));
    while let Some(rule) = open.pop() {
        match rule {
            NormalizerWrapper::Sequence(all) => open.extend(all.as_ref().iter().rev()),
            rule => rules.push(rule),
        }
    }
    rules
}

/// A normalizer that checks the elapsed time between its rules, and between the matches of a regular
/// expression.
struct Normalizing<'a> {
    rules: Vec<&'a NormalizerWrapper>,
    replaced: &'a [Option<SysRegex>],
    clock: &'a Clock,
}

impl Normalizer for Normalizing<'_> {
    fn normalize(&self, text: &mut NormalizedString) -> Result<()> {
        for (rule, regex) in self.rules.iter().zip(self.replaced) {
            self.clock.check()?;
            match (rule, regex) {
                (NormalizerWrapper::Replace(rule), Some(regex)) => {
                    text.replace(Matches { regex, is_inverted: false, clock: self.clock }, &rule.content)?;
                }
                _ => rule.normalize(text)?,
            }
        }
        Ok(())
    }
}

fn pre_tokenize(
    step: &PreTokenizerWrapper,
    split: &mut PreTokenizedString,
    given: usize,
    clock: &Clock,
) -> Result<()> {
    match step {
        PreTokenizerWrapper::Sequence(steps) => {
            return steps.as_ref().iter().try_for_each(|step| pre_tokenize(step, split, given, clock));
        }
        // The step puts a space before each part and turns each byte into a character of up to two bytes.
        PreTokenizerWrapper::ByteLevel(step) if step.add_prefix_space => check_bytes(split, given, 4)?,
        PreTokenizerWrapper::ByteLevel(_) => check_bytes(split, given, 2)?,
        PreTokenizerWrapper::Metaspace(step) => {
            check_bytes(split, given, 1 + step.get_replacement().len_utf8())?
        }
        _ => check_bytes(split, given, 1)?,
    };
    clock.check()?;
    match step {
        PreTokenizerWrapper::Split(step) => split.split(|_, part| {
            part.split(Matches { regex: &step.regex, is_inverted: step.invert, clock }, step.behavior)
        }),
        step => step.pre_tokenize(split),
    }
}

/// The number of bytes of all parts. Returns an error if a step that turns each byte into up to `times` bytes
/// could exceed the limit.
fn check_bytes(split: &PreTokenizedString, given: usize, times: usize) -> Result<usize> {
    let parts = split.get_splits(OffsetReferential::Normalized, OffsetType::None);
    let bytes: usize = parts.iter().map(|(part, ..)| part.len()).sum();
    match bytes.saturating_mul(times) {
        ..=MOST_BYTES => Ok(bytes),
        most => Err(excess(most, given).into()),
    }
}

/// The error about rules that could make a text too long.
pub(super) fn excess(most: usize, given: usize) -> String {
    format!("the tokenizer's rules could produce {most} bytes from {given} bytes, which exceeds the limit")
}

fn late() -> String {
    format!("encoding takes longer than {} s", TIME.as_secs())
}

/// Measures the time since the encoding of a text began.
struct Clock {
    began: Instant,
    looks: AtomicU32,
}

impl Clock {
    fn check(&self) -> Result<()> {
        if self.began.elapsed() > TIME { Err(late().into()) } else { Ok(()) }
    }

    /// Like [`Clock::check`], but only every [`MATCHES`]-th call reads the clock, because calls are frequent.
    fn look(&self) -> Result<()> {
        let looks = self.looks.fetch_add(1, Relaxed);
        if looks.is_multiple_of(MATCHES) { self.check() } else { Ok(()) }
    }
}

/// The matches of a regular expression and the parts between them.
struct Matches<'a> {
    regex: &'a SysRegex,
    is_inverted: bool,
    clock: &'a Clock,
}

impl Pattern for Matches<'_> {
    fn find_matches(&self, inside: &str) -> Result<Found> {
        if inside.is_empty() {
            return Ok(vec![((0, 0), self.is_inverted)]);
        }
        let (mut found, mut end) = (vec![], 0);
        for (start, stop) in self.regex.find_iter(inside) {
            self.clock.look()?;
            if end != start {
                found.push(((end, start), self.is_inverted));
            }
            found.push(((start, stop), !self.is_inverted));
            end = stop;
        }
        if end != inside.len() {
            found.push(((end, inside.len()), self.is_inverted));
        }
        Ok(found)
    }
}
