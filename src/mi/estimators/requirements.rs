//! What estimators require of samples, and the checks that are the same for all of them.

use crate::mi::neighbours::ksg::{need_neighbours, need_ranked_neighbours};
use crate::mi::samples::paired::{RawEstimate, Samples};
use crate::mi::{Estimate, Estimator, Pairs};
use crate::{Error, Result};

/// What an estimator requires of samples whose joint covariance can be estimated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requirements {
    /// Fewest rows that can be divided into training and test; 0 for an estimator without training.
    pub(super) least_rows: usize,
    /// Whether nearest neighbours are searched.
    pub(super) neighbours: Neighbours,
    /// How copies of pairs are treated.
    pub(super) copies: Copies,
    /// What the estimate depends on.
    pub(super) reads: Reads,
}

/// Where an estimator searches nearest neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Neighbours {
    /// Nowhere.
    None,
    /// Among the values, hardly any of which may be equal.
    OfValues,
    /// Among the ranks, equal values in random order: half of the pairs must differ.
    OfRanks,
}

/// How an estimator treats copies of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copies {
    /// Copies are used.
    Used,
    /// Copies are used, and flagged where there are many.
    Flagged,
    /// Each pair is used once.
    UsedOnce,
}

/// What an estimator reads of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// The values.
    Values,
    /// The ranks of each column; noise breaks ties of equal rows.
    Ranks,
}

/// Checks the samples, and leaves those that meet the requirements to `measure`.
///
/// Constant sides and linear functions are answered here, because their information is known.
///
/// # Errors
/// [`Error::NonFinite`]; [`Error::Samples`] for samples that do not meet the requirements; those of
/// `measure`.
pub(super) fn estimate_checked(
    estimator: &dyn Estimator,
    pairs: &Pairs<'_>,
    required: Requirements,
    seed: u64,
    measure: impl FnOnce(&mut Samples) -> Result<RawEstimate>,
) -> Result<Vec<Estimate>> {
    let kind = estimator.about().kind;
    let mut samples = Samples::new(estimator.name(), pairs)?;
    if let Some(zero) = samples.constant(kind) {
        return Ok(vec![zero]);
    }
    if required.copies == Copies::UsedOnce {
        samples.count_copies_once();
    }
    samples.need_covariance()?;
    if required.copies == Copies::Flagged {
        samples.flag_duplicates();
    }
    if samples.n < required.least_rows {
        let (n, least) = (samples.n, required.least_rows);
        let reason = format!("{n} rows are too few to train and to test; give at least {least}");
        return Err(Error::Samples { estimator: estimator.name(), reason });
    }
    match required.neighbours {
        Neighbours::None => {}
        Neighbours::OfValues => need_neighbours(&samples)?,
        Neighbours::OfRanks => need_ranked_neighbours(&samples)?,
    }
    let infinite = match required.reads {
        Reads::Values => samples.need_independence(kind),
        Reads::Ranks => samples.need_independent_ranks(kind),
    };
    if let Some(infinite) = infinite {
        return Ok(vec![infinite]);
    }
    if required.reads == Reads::Ranks {
        samples.jitter(seed);
    }
    let found = measure(&mut samples)?;
    Ok(vec![samples.report(kind, found)])
}
