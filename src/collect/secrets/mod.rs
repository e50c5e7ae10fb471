//! API keys: read from the environment only, never printed, and redacted in everything that leaves the
//! process.
//!
//! Servers echo keys. Redacted in a text are:
//!
//! - the key itself, and its hexadecimal, base64 and base64url form;
//! - long fragments of these: at least eight characters at the beginning (and four after a prefix that all
//!   keys of a provider share) or at the end, and any other fragment of half the length or of sixteen
//!   characters; of the hexadecimal form twice as many digits;
//! - all of these behind up to three layers of JSON escapes and percent-encoding, and with zero-width
//!   characters and soft hyphens in them;
//! - any text with the pattern of a known provider's keys and a digit, and what follows `Bearer `.
//!
//! An answer is not stored if the key appears when its strings are joined, NFKC-normalised or stripped of
//! ASCII punctuation, as grading does.
//!
//! Not redacted are: a key of fewer than eight characters, or of fewer than sixteen without a digit, which
//! cannot be distinguished from ordinary words; JSON member names that are letters and underscores only,
//! and strings such as `content_filter`, without which an answer cannot be read.

mod escapes;
mod forms;
mod panics;
mod redactor;

pub use self::panics::hide_in_panics;
pub use self::redactor::Secrets;

#[cfg(test)]
mod tests;
