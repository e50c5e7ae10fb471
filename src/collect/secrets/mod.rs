//! API keys: read from the environment only, never printed, and taken out of everything that leaves the
//! process.
//!
//! Servers echo keys. What is redacted in a text is:
//!
//! - the key itself, and its hexadecimal, base64 and base64url form;
//! - long fragments of these: eight characters from the beginning (four more than a prefix that all keys of a
//!   provider share) or at the end, any other half of it or sixteen characters;
//! - all of this behind up to three layers of JSON escapes and percent-encoding, and with zero-width
//!   characters and soft hyphens in it;
//! - whatever looks like a key of a known provider.
//!
//! An answer is not kept if the key appears when its strings are joined, NFKC-normalised or stripped of ASCII
//! punctuation, as grading does.
//!
//! What is not redacted: a key of fewer than eight characters, or of fewer than sixteen without a digit,
//! which cannot be told from ordinary words; JSON member names that are letters and underscores only, and
//! strings such as `content_filter`, without which an answer cannot be read.

mod escapes;
mod forms;
mod panics;
mod redactor;

pub use self::panics::hide_in_panics;
pub use self::redactor::Secrets;

#[cfg(test)]
mod tests;
