//! Settings of a factorial design: sizes, shots, seed and form.

use super::prompt_form::{ARROW, PromptForm};
use crate::error::{Error, Result};

/// The settings of a factorial design.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesignSettings {
    /// Number of example sets, S.
    pub sets: usize,
    /// Number of queries, X.
    pub queries: usize,
    /// Numbers of examples in a prompt; at least one must be above 0. With 0 examples a prompt shows no
    /// relation, so only accuracy and log-probability are measured.
    pub shots: Vec<usize>,
    /// Seed with which entities are drawn.
    pub seed: u64,
    /// The form of the prompts.
    pub form: PromptForm,
}

impl Default for DesignSettings {
    fn default() -> Self {
        Self { sets: 16, queries: 16, shots: vec![1, 4], seed: 0, form: ARROW }
    }
}

/// Minimum number of example sets. The estimate is repeated on each half of the sets. Every estimate leaves
/// out the set of the prompt, so each half needs at least two sets.
const FEWEST_SETS: usize = 4;
/// Minimum number of queries. The temperature of a query is chosen on the other queries, and the jackknife
/// leaves out one more query, so a third query is needed.
const FEWEST_QUERIES: usize = 3;
/// Maximum number of sets, queries and shots. The cost grows with the square of the number of prompts of a
/// query.
const MOST: usize = 256;

impl DesignSettings {
    /// The numbers of shots in increasing order, without duplicates.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a size or a number of shots out of range.
    pub(super) fn checked_shots(&self) -> Result<Vec<usize>> {
        let range = |name, value, fewest| {
            if (fewest..=MOST).contains(&value) {
                return Ok(());
            }
            Err(Error::Parameter { name, reason: format!("must be from {fewest} to {MOST}, but is {value}") })
        };
        range("--sets", self.sets, FEWEST_SETS)?;
        range("--queries", self.queries, FEWEST_QUERIES)?;
        let mut shots = self.shots.clone();
        shots.sort_unstable();
        shots.dedup();
        match shots.last() {
            Some(0) => {
                let reason = "has no number above 0: without examples, a prompt shows no relation; add a \
                              number above 0, such as --shots 0,1";
                Err(Error::Parameter { name: "--shots", reason: reason.into() })
            }
            Some(most) if *most <= MOST => Ok(shots),
            most => {
                let given = most.map_or("empty".into(), usize::to_string);
                let reason = format!("must be one or more numbers up to {MOST}, but is {given}");
                Err(Error::Parameter { name: "--shots", reason })
            }
        }
    }
}
