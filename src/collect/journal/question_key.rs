//! Computes the identity of a question.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::seed;

/// The identity of a question: the SHA-256 of everything that determines the answer, and of nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuestionKey([u8; 32]);

impl QuestionKey {
    /// A placeholder that is not the key of any question.
    pub const NONE: Self = Self([0; 32]);

    /// The key of one replicate of a request. `endpoint` contains scheme, host and path; `body` contains the
    /// bytes that are sent.
    ///
    /// The model is hashed separately, because not every wire format has it in the body. API keys, timeouts,
    /// concurrency and prices are not part of the hash. The length of each part is hashed before the part, so
    /// that different sequences of parts never yield the same bytes.
    pub fn new(provider: &str, endpoint: &str, model: &str, body: &[u8], replicate: u32) -> Self {
        let mut hash = Sha256::new();
        let parts: [&[u8]; 5] =
            [b"surmise-collect-1", provider.as_bytes(), endpoint.as_bytes(), model.as_bytes(), body];
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(replicate.to_le_bytes());
        Self(hash.finalize().into())
    }

    /// The first half of the key, which suffices to distinguish keys: a collision is expected only among
    /// about 2^64 keys.
    pub fn half(&self) -> [u8; 16] {
        let mut half = [0; 16];
        half.copy_from_slice(&self.0[..16]);
        half
    }

    /// Parses the text form, 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        let mut key = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(key))
    }
}

impl std::fmt::Display for QuestionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&seed::hex(&self.0))
    }
}

impl std::fmt::Debug for QuestionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for QuestionKey {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for QuestionKey {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a key must have 64 hexadecimal digits"))
    }
}
