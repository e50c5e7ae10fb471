//! Converts a sentencepiece model to a tokenizer of the `tokenizers` library.

use std::collections::{BTreeMap, HashSet};

use tokenizers::decoders::DecoderWrapper;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence as Decoders;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::BPE;
use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{NormalizerWrapper, Precompiled, Prepend, Replace, Sequence};
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, ModelWrapper, SplitDelimiterBehavior, Tokenizer};

use super::sentencepiece::{Kind, Method, Piece, SentencePiece};

/// The character that sentencepiece writes for a space.
const SPACE: &str = "\u{2581}";
/// The score of pieces that must not occur in a text. Any segmentation without such a piece scores higher.
const NEVER: f64 = -1e9;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

impl SentencePiece {
    /// Adds the tokens whose ids follow the vocabulary. If an added token has the id of a piece, such as a
    /// placeholder, it replaces the text and the kind of this piece.
    ///
    /// # Errors
    /// A message if the ids of the added tokens leave a gap after the vocabulary.
    pub(super) fn extend(&mut self, added: &BTreeMap<u32, AddedToken>) -> Result<(), String> {
        let mut known: HashSet<String> = self.pieces.iter().map(|piece| piece.text.clone()).collect();
        for (id, token) in added {
            let text = token.content.clone();
            if !known.insert(text.clone()) {
                continue;
            }
            let kind = if token.special { Kind::Control } else { Kind::UserDefined };
            let n = self.pieces.len();
            match self.pieces.get_mut(*id as usize) {
                Some(piece) => {
                    known.remove(&piece.text);
                    *piece = Piece { text, kind, ..*piece };
                }
                None if *id as usize == n => self.pieces.push(Piece { text, score: 0.0, kind }),
                None => {
                    return Err(format!(
                        "the added token {text:?} has the id {id}, but no token has the id {n}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Builds the tokenizer. Also returns the id of the piece for unknown text.
    ///
    /// # Errors
    /// Returns the errors of the `tokenizers` library.
    pub(super) fn tokenizer(&self) -> Fallible<(Tokenizer, u32)> {
        let unknown = self.pieces.iter().position(|piece| piece.kind == Kind::Unknown).unwrap_or(0);
        let model: ModelWrapper = match self.method {
            Method::Unigram => self.unigram(unknown)?.into(),
            Method::Bpe => self.bpe(unknown)?.into(),
        };
        let mut tokenizer = Tokenizer::new(model);
        tokenizer.with_normalizer(Some(Sequence::new(self.normalizers()?)))?;
        let whole: Vec<&str> = self.texts(Kind::UserDefined).collect();
        if !whole.is_empty() {
            let cut =
                Split::new(SplitPattern::Regex(any_of(whole)), SplitDelimiterBehavior::Isolated, false)?;
            tokenizer.with_pre_tokenizer(Some(cut));
        }
        tokenizer.with_decoder(Some(Decoders::new(self.decoders()?)));
        tokenizer.add_special_tokens(self.texts(Kind::Control).map(|text| AddedToken::from(text, true)))?;
        Ok((tokenizer, unknown as u32))
    }

    fn texts(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter(move |piece| piece.kind == kind).map(|piece| piece.text.as_str())
    }

    fn unigram(&self, unknown: usize) -> Fallible<Unigram> {
        let score = |piece: &Piece| match piece.kind {
            Kind::Normal => f64::from(piece.score),
            // The pre-tokenizer isolates these pieces, so their score does not matter.
            Kind::UserDefined => 0.0,
            Kind::Unknown | Kind::Control | Kind::Unused | Kind::Byte => NEVER,
        };
        let scored = self.pieces.iter().map(|piece| (piece.text.clone(), score(piece))).collect();
        let mut model = Unigram::from(scored, Some(unknown), self.has_byte_fallback)?;
        // The library scores an unknown character below `min_score`, which must not be the artificial score
        // `NEVER`.
        let normal = self.pieces.iter().filter(|piece| piece.kind == Kind::Normal);
        let lowest = normal.map(|piece| f64::from(piece.score)).min_by(f64::total_cmp);
        model.min_score = lowest.unwrap_or(0.0);
        Ok(model)
    }

    fn bpe(&self, unknown: usize) -> Fallible<BPE> {
        let vocab = self.pieces.iter().zip(0_u32..).map(|(piece, id)| (piece.text.clone(), id));
        let has_whole = self.pieces.iter().any(|piece| piece.kind == Kind::UserDefined);
        BPE::builder()
            .vocab_and_merges(vocab.collect::<tokenizers::models::bpe::Vocab>(), self.merges())
            .unk_token(self.pieces[unknown].text.clone())
            .fuse_unk(true)
            .byte_fallback(self.has_byte_fallback)
            // User-defined pieces have no merges, so the library must use each as a whole.
            .ignore_merges(has_whole)
            .build()
    }

    /// All pairs of pieces that form a third piece, ordered by the score of the result, highest first.
    fn merges(&self) -> Vec<(String, String)> {
        let normal: HashSet<&str> = self.texts(Kind::Normal).collect();
        let mut pairs: Vec<(f32, usize, &str, &str)> = vec![];
        for (id, piece) in self.pieces.iter().enumerate().filter(|(_, piece)| piece.kind == Kind::Normal) {
            for (at, _) in piece.text.char_indices().skip(1) {
                let (left, right) = piece.text.split_at(at);
                if normal.contains(left) && normal.contains(right) {
                    pairs.push((piece.score, id, left, right));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        pairs.into_iter().map(|(_, _, left, right)| (left.to_owned(), right.to_owned())).collect()
    }

    /// The steps of normalization, in sentencepiece's order: the charsmap (replacement rules), the rules for
    /// spaces, and the space before the first word.
    fn normalizers(&self) -> Fallible<Vec<NormalizerWrapper>> {
        let regex = |pattern: &str, by: &str| Replace::new(ReplacePattern::Regex(pattern.into()), by);
        let mut all: Vec<NormalizerWrapper> = vec![];
        if !self.charsmap.is_empty() {
            let rules = Precompiled::from(&self.charsmap).map_err(|error| error.to_string())?;
            all.push(rules.into());
        }
        if self.removes_extra_spaces {
            all.push(regex(r"\A +| +\z", "")?.into());
            all.push(regex(" {2,}", " ")?.into());
        }
        if self.escapes_spaces {
            all.push(Replace::new(" ", SPACE)?.into());
        }
        if self.has_dummy_prefix {
            all.push(Prepend::new(self.space().into()).into());
        }
        Ok(all)
    }

    fn space(&self) -> &'static str {
        if self.escapes_spaces { SPACE } else { " " }
    }

    fn decoders(&self) -> Fallible<Vec<DecoderWrapper>> {
        let space: DecoderWrapper = Replace::new(SPACE, " ")?.into();
        let mut all = vec![space, ByteFallback::default().into(), Fuse::default().into()];
        if self.has_dummy_prefix {
            all.push(Strip::new(' ', 1, 0).into());
        }
        Ok(all)
    }
}

/// A pattern that matches any of the texts, longest first.
fn any_of(mut texts: Vec<&str>) -> String {
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    let mut pattern = String::new();
    for text in texts {
        if !pattern.is_empty() {
            pattern.push('|');
        }
        for letter in text.chars() {
            if r"\.+*?()|[]{}^$".contains(letter) {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
    }
    pattern
}
