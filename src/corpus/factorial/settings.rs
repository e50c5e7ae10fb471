//! Sizes, shots and seed of a factorial design.

use super::prompt_form::{ARROW, PromptForm};
use crate::error::{Error, Result};

/// How a factorial design is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesignSettings {
    /// Example sets, S.
    pub sets: usize,
    /// Queries, X.
    pub queries: usize,
    /// Numbers of examples in a prompt. At 0 there is no relation to tell; accuracy alone is read there,
    /// beside another number.
    pub shots: Vec<usize>,
    /// Seed of the entities that are drawn.
    pub seed: u64,
    /// How a prompt is written.
    pub form: PromptForm,
}

impl Default for DesignSettings {
    fn default() -> Self {
        Self { sets: 16, queries: 16, shots: vec![1, 4], seed: 0, form: ARROW }
    }
}

/// The estimator leaves out a prompt's own example set and is repeated on half of the sets, which must keep
/// another one.
const FEWEST_SETS: usize = 4;
/// The temperature of a query is chosen on the others, of which the jackknife leaves out one more.
const FEWEST_QUERIES: usize = 3;
/// Prompts of a query are compared with each other, at a cost that grows with the square of their number.
const MOST: usize = 256;

impl DesignSettings {
    /// The numbers of shots in increasing order, each once.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a size or a number of shots out of range.
    pub(super) fn checked_shots(&self) -> Result<Vec<usize>> {
        let range = |name, value, fewest| {
            if (fewest..=MOST).contains(&value) {
                return Ok(());
            }
            Err(Error::Parameter { name, reason: format!("must be from {fewest} to {MOST}, and is {value}") })
        };
        range("--sets", self.sets, FEWEST_SETS)?;
        range("--queries", self.queries, FEWEST_QUERIES)?;
        let mut shots = self.shots.clone();
        shots.sort_unstable();
        shots.dedup();
        match shots.last() {
            Some(0) => {
                let reason = "has no number above 0: without an example no prompt says which relation is \
                              meant; add a number above 0, such as --shots 0,1";
                Err(Error::Parameter { name: "--shots", reason: reason.into() })
            }
            Some(most) if *most <= MOST => Ok(shots),
            most => {
                let given = most.map_or("empty".into(), usize::to_string);
                let reason = format!("must be one or more numbers up to {MOST}, and is {given}");
                Err(Error::Parameter { name: "--shots", reason })
            }
        }
    }
}
