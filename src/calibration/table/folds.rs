//! Cross-validation folds of whole groups, so that no group is both in training and in test.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sample::Sample;

/// What a cross-validation leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// One model at a time. This tests a new model, whose family may be in the training set.
    LeaveModelOut,
    /// A whole family at a time. This tests a new family. Rows of unknown family are neither fitted nor
    /// predicted.
    LeaveFamilyOut,
    /// The stronger models: all models above a size, or above a score on the first principal component.
    Forward,
    /// The weaker models: all models below a size, or below a score on the first principal component.
    Backward,
}

impl Split {
    /// Every split.
    pub const ALL: [Self; 4] = [Self::LeaveModelOut, Self::LeaveFamilyOut, Self::Forward, Self::Backward];

    /// Whether the folds train on nearly all rows. The predictions of such folds vary about as much as the
    /// predictions of a fit on all rows.
    pub(crate) fn trains_on_most_rows(self) -> bool {
        matches!(self, Self::LeaveModelOut | Self::LeaveFamilyOut)
    }

    /// The name of the split in cards.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeaveModelOut => "leave_model_out",
            Self::LeaveFamilyOut => "leave_family_out",
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

/// One value for each split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BySplit<T> {
    /// The value for folds that leave out models.
    pub leave_model_out: T,
    /// The value for folds that leave out families.
    pub leave_family_out: T,
    /// The value for folds that train on the weaker models and test on the stronger models.
    pub forward: T,
    /// The value for folds that train on the stronger models and test on the weaker models.
    pub backward: T,
}

impl<T> BySplit<T> {
    /// Computes one value for each split.
    ///
    /// # Errors
    /// The first error of `value`.
    pub(crate) fn try_new<E>(value: impl Fn(Split) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self {
            leave_model_out: value(Split::LeaveModelOut)?,
            leave_family_out: value(Split::LeaveFamilyOut)?,
            forward: value(Split::Forward)?,
            backward: value(Split::Backward)?,
        })
    }

    /// The value of a split.
    pub fn get(&self, split: Split) -> &T {
        match split {
            Split::LeaveModelOut => &self.leave_model_out,
            Split::LeaveFamilyOut => &self.leave_family_out,
            Split::Forward => &self.forward,
            Split::Backward => &self.backward,
        }
    }
}

/// One training set and its test set, as indices of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Rows that are fitted.
    pub train: Vec<usize>,
    /// Rows that are predicted.
    pub test: Vec<usize>,
}

/// Folds of whole clusters, for tuning penalties. A cluster is a family, or a model whose family is unknown.
/// Returns at most `most` folds.
pub fn by_cluster(sample: &Sample, most: usize) -> Vec<Fold> {
    let clusters: Vec<String> = (0..sample.len()).map(|row| sample.cluster_id(row).to_owned()).collect();
    grouped(&clusters, most)
}

/// One fold per group. More than `most` groups are merged into `most` folds with about equal numbers of rows.
pub(crate) fn grouped(groups: &[String], most: usize) -> Vec<Fold> {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, name) in groups.iter().enumerate() {
        rows.entry(name).or_default().push(row);
    }
    let mut parts: Vec<Vec<usize>> = rows.into_values().collect();
    // Sort by first row, not by name. If every family has one model, the folds of families then equal the
    // folds of models.
    parts.sort_unstable();
    if parts.len() > most {
        parts.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
        let mut merged: Vec<Vec<usize>> = vec![vec![]; most];
        for rows in parts {
            // Ties go to the first of the smallest folds, so that the folds are the same on every machine.
            let least = merged.iter().map(Vec::len).enumerate().min_by_key(|(at, n)| (*n, *at));
            merged[least.map_or(0, |(at, _)| at)].extend(rows);
        }
        parts = merged;
    }
    let folds = parts.into_iter().map(|mut test| {
        test.sort_unstable();
        let train = (0..groups.len()).filter(|row| test.binary_search(row).is_err()).collect();
        Fold { train, test }
    });
    folds.filter(|fold| !fold.train.is_empty()).collect()
}
