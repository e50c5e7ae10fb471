//! Contains the steps of the normalisation: characters, markdown and LaTeX, the ends of a text, punctuation.

pub mod ends;
pub mod folding;
pub mod invisible;
pub mod latex;
pub mod markdown;
pub mod punctuation;
