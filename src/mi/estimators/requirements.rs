//! Defines the requirements of an estimator on its samples, and checks them.

use crate::mi::neighbours::ksg::{need_neighbours, need_ranked_neighbours};
use crate::mi::samples::paired::{RawEstimate, Samples};
use crate::mi::{Estimate, Estimator, Pairs};
use crate::{Error, Result};

/// The requirements of an estimator, in addition to enough rows for a joint covariance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requirements {
    /// Minimum number of rows for a training set and a test set; 0 for an estimator without training.
    pub(super) least_rows: usize,
    /// Whether, and in which coordinates, nearest neighbours are searched.
    pub(super) neighbours: Neighbours,
    /// How repeated pairs are treated.
    pub(super) copies: Copies,
    /// Whether the estimate depends on values or on ranks.
    pub(super) reads: Reads,
}

/// The coordinates in which an estimator searches nearest neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Neighbours {
    /// The estimator does not use nearest neighbours.
    None,
    /// The values. At most 1 % of the rows may be repeated.
    OfValues,
    /// The ranks, with equal values in random order. At least half of the pairs must differ.
    OfRanks,
}

/// How an estimator treats repeated pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copies {
    /// Uses all copies.
    Used,
    /// Uses all copies, and flags the estimate if there are many.
    Flagged,
    /// Uses each distinct pair once.
    UsedOnce,
}

/// The form of the samples that an estimate depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// The values.
    Values,
    /// The ranks of each column; noise breaks ties.
    Ranks,
}

/// Checks the samples, and calls `measure` if they meet the requirements.
///
/// If a side is constant or a linear function of the other side, the information is known and `measure` is
/// not called.
///
/// # Errors
/// [`Error::NonFinite`] for NaN and infinity, [`Error::Samples`] for samples that do not meet the
/// requirements, and the errors of `measure`.
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
        let reason = format!("{n} rows are too few for training and testing; give at least {least} rows");
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
