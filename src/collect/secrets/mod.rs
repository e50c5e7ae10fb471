//! Handles API keys. A key is read only from the environment, never printed, and redacted in everything that
//! leaves the process.
//!
//! Servers may echo keys. The following is redacted in a text:
//!
//! - the key itself, and its hexadecimal, base64 and base64url forms;
//! - long fragments of these forms: eight characters at the end; eight characters at the beginning, including
//!   four after a prefix that all keys of a provider share; or, at any other place, half of the form, but at
//!   least eight and at most sixteen characters. In the hexadecimal form, fragments at the beginning and the
//!   end must have twice this length;
//! - all of these under up to three layers of JSON escapes and percent-encoding, and with zero-width
//!   characters and soft hyphens between the characters;
//! - any text with a digit that matches the pattern of a known provider's keys or follows `Bearer `.
//!
//! Grading joins the strings of an answer, normalises them (NFKC) and removes ASCII punctuation. If that
//! would reveal the key, the answer is not stored.
//!
//! A key is not redacted if it cannot be distinguished from ordinary words: if it has fewer than eight
//! characters, or fewer than sixteen characters and no digit. JSON member names that consist only of letters
//! and underscores, and strings such as `content_filter`, are never redacted, because an answer cannot be
//! read without them.

mod escapes;
mod forms;
mod panics;
mod redactor;

pub use self::panics::hide_in_panics;
pub use self::redactor::Secrets;

#[cfg(test)]
mod tests;
