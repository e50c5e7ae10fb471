//! The result of an estimator: a number, its kind, its uncertainty, and warnings.

use serde::{Deserialize, Deserializer, Serialize};

/// One estimate of mutual information.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The size of the noise that the estimator added: for `channel` the precision `b`, relative to the scale
    /// of `y`. `None` if the estimator adds no noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_scale: Option<f64>,
    /// The kind of estimate.
    pub kind: Kind,
    /// The estimate in nats. It can be negative by chance. It is infinite if a column of `y` is a linear
    /// function of `x`. JSON has no infinity, so files contain null in that case.
    #[serde(deserialize_with = "infinite_if_null")]
    pub mi_nats: f64,
    /// Lower bound in expectation, if the estimator has one.
    pub lower_nats: Option<f64>,
    /// Upper bound in expectation, if the estimator has one.
    pub upper_nats: Option<f64>,
    /// Standard error of the estimate.
    pub stderr_nats: Option<f64>,
    /// The smallest of `ceilings`. An estimate above this ceiling depends on the assumed model; the samples
    /// alone do not support it.
    pub ceiling_nats: f64,
    /// Each ceiling separately.
    pub ceilings: Ceilings,
    /// The training estimate minus the held-out estimate, for estimators that report both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimism_nats: Option<f64>,
    /// Number of paired rows.
    pub n: usize,
    /// Number of distinct rows of `x`, compared bit by bit.
    pub n_distinct: usize,
    /// The number of columns of `x` and the number of columns of `y`.
    pub dims: [usize; 2],
    /// Columns of `x` left out because they are constant.
    pub constant_x: Vec<usize>,
    /// Columns of `y` left out because they are constant.
    pub constant_y: Vec<usize>,
    /// Warnings about the estimate.
    pub flags: Vec<Flag>,
}

fn infinite_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

/// The statistical guarantee of an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The information through a channel of stated precision, with a lower and an upper bound in expectation.
    TwoSided,
    /// Converges to the true value as the sample grows; it is not a bound at a finite sample size.
    Consistent,
    /// Converges to the true value if the samples come from the assumed family of distributions.
    Parametric,
    /// At most the true value, in expectation.
    LowerBound,
    /// Neither a bound nor consistent: the training objective of a critic on its own training data.
    Training,
}

impl Kind {
    /// The name of the kind in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoSided => "two_sided",
            Self::Consistent => "consistent",
            Self::Parametric => "parametric",
            Self::LowerBound => "lower_bound",
            Self::Training => "training",
        }
    }
}

/// Upper limits of mutual information, or of the part of it that a sample can support.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ceilings {
    /// `log n`: no distribution-free lower bound from `n` samples certifies more than about this (McAllester
    /// & Stratos 2020).
    pub log_n_nats: f64,
    /// Plug-in entropy of the distinct rows of `x` with the Miller-Madow term `(K - 1) / 2n` (Miller 1955).
    pub input_entropy_nats: f64,
    /// Plug-in entropy of the distinct rows of `y`; `None` if the estimator adds noise to `y`.
    pub output_entropy_nats: Option<f64>,
    /// `0.5 logdet(I + Cov / sigma^2)`: the information that a Gaussian input with the covariance of `y`
    /// passes through the channel.
    pub gaussian_nats: Option<f64>,
    /// Logarithm of the number of pairs in a contrastive comparison. A contrastive bound cannot exceed it.
    pub compared_nats: Option<f64>,
}

impl Ceilings {
    /// The smallest ceiling.
    #[must_use]
    pub fn least_nats(&self) -> f64 {
        let others = [self.output_entropy_nats, self.gaussian_nats, self.compared_nats].into_iter().flatten();
        others.fold(self.log_n_nats.min(self.input_entropy_nats), f64::min)
    }
}

/// A warning about an estimate, written in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flag {
    /// Some rows share `x` but differ in `y`, so the density of `y` given `x` was also estimated.
    Grouped,
    /// A few rows share `x` but differ in `y`. They were treated as rows with different `x`, which can raise
    /// the information by at most the entropy of `y` given `x`. The lower bound is reduced by this entropy.
    Collisions,
    /// The information is too large to be measured with this number of rows. For `channel`: the lower bound
    /// is above .85 log n, or the bounds are more than half a nat apart. For `infonce`: the bound is above .8
    /// times the logarithm of the number of pairs compared.
    Saturated,
    /// The estimate is above .6 log n, where bounds begin to diverge and near neighbours become rare.
    NearCeiling,
    /// All values of one side are equal, so the information is zero by definition.
    Constant,
    /// Fewer than 50 rows.
    SmallSample,
    /// Fewer than 1.5 rows for each column: estimates of covariances are unreliable.
    FewRows,
    /// Some rows or values of a column are equal. Noise of 1e-6 standard deviations separates them, which
    /// puts their ranks in random order and does not change the information.
    Jittered,
    /// Some columns are linear combinations of other columns on their side and were removed.
    Collinear,
    /// A column of one side is a linear function of the other side, so the information of continuous
    /// variables is infinite. For a rank-based estimator, this applies to the ranks of the column.
    Infinite,
    /// The estimate is above the ceiling. A parametric estimate is reported unchanged and depends on the
    /// assumed family; a consistent estimate is capped at the ceiling.
    AboveCeiling,
    /// A column with few distinct values is a linear function of the other side. The estimate is the entropy
    /// of this column and omits the information of other columns.
    SharedValues,
    /// Some pairs occur more than once; each distinct pair was counted once.
    Copies,
    /// Pairs repeat, so the effective number of samples is smaller than `n`, and the standard error is too
    /// small.
    Repeated,
    /// The bias that was subtracted is large, because there are many values or columns for few rows.
    Undersampled,
    /// Most rows are repeated, so the values were treated as discrete.
    Discrete,
    /// The training estimate exceeds the held-out estimate by more than .1 nats.
    Optimistic,
    /// Rows depend on earlier rows, as in a time series. The effective number of independent rows is smaller
    /// than `n`, and chance similarity of two slow series counts as information.
    DependentRows,
    /// The fitted model does not describe the samples: the mean of its density ratios over unpaired rows is
    /// not one, or nearest neighbours find much information that the model misses.
    Misfit,
    /// Training diverged: a value was not finite, or the bound is far below 0. The estimate is invalid.
    Failed,
}

impl Flag {
    /// All flags in declaration order.
    pub const ALL: [Self; 20] = [
        Self::Grouped,
        Self::Collisions,
        Self::Saturated,
        Self::NearCeiling,
        Self::Constant,
        Self::SmallSample,
        Self::FewRows,
        Self::Jittered,
        Self::Collinear,
        Self::Infinite,
        Self::AboveCeiling,
        Self::SharedValues,
        Self::Copies,
        Self::Repeated,
        Self::Undersampled,
        Self::Discrete,
        Self::Optimistic,
        Self::DependentRows,
        Self::Misfit,
        Self::Failed,
    ];

    /// The name of the flag in files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Grouped => "grouped",
            Self::Collisions => "collisions",
            Self::Saturated => "saturated",
            Self::NearCeiling => "near_ceiling",
            Self::Constant => "constant",
            Self::SmallSample => "small_sample",
            Self::FewRows => "few_rows",
            Self::Jittered => "jittered",
            Self::Collinear => "collinear",
            Self::Infinite => "infinite",
            Self::AboveCeiling => "above_ceiling",
            Self::SharedValues => "shared_values",
            Self::Copies => "copies",
            Self::Repeated => "repeated",
            Self::Undersampled => "undersampled",
            Self::Discrete => "discrete",
            Self::Optimistic => "optimistic",
            Self::DependentRows => "dependent_rows",
            Self::Misfit => "misfit",
            Self::Failed => "failed",
        }
    }

    /// Whether the flag only describes how the estimate was computed, rather than warning about it.
    #[must_use]
    pub fn is_descriptive(&self) -> bool {
        matches!(self, Self::Grouped | Self::Jittered | Self::Collinear | Self::Copies | Self::Discrete)
    }

    /// Explains in one line what the flag means for the estimate.
    #[must_use]
    pub fn meaning(&self) -> &'static str {
        match self {
            Self::Grouped => {
                "some rows share x but differ in y, so the density of y given x was also estimated"
            }
            Self::Collisions => {
                "a few rows share x but differ in y; the lower bound was reduced to allow for this"
            }
            Self::Saturated => "the information is too large to be measured with so few rows; use more rows",
            Self::NearCeiling => {
                "the estimate is above .6 log n, where near neighbours are rare; treat it as a lower bound"
            }
            Self::Constant => "all values of one side are equal, so the information is 0 by definition",
            Self::SmallSample => "fewer than 50 rows: the standard error is unreliable",
            Self::FewRows => {
                "fewer than 1.5 rows for each column: covariances are unreliable; reduce the \
                              number of columns"
            }
            Self::Jittered => "equal values were put in random order, which does not change the information",
            Self::Collinear => "columns that are linear functions of others were removed",
            Self::Infinite => {
                "a column of one side is a linear function of the other side, so the \
                               information is infinite"
            }
            Self::AboveCeiling => {
                "the estimate is above what the samples can support, so it depends on the assumed model"
            }
            Self::SharedValues => {
                "the estimate is the entropy of a column that both sides share; other columns are ignored"
            }
            Self::Copies => "some pairs occur more than once; each distinct pair was counted once",
            Self::Repeated => "some pairs are repeated, so the standard error is too small",
            Self::Undersampled => "there are many values for few rows, so a large bias was subtracted",
            Self::Discrete => "values were treated as discrete; their order was ignored",
            Self::Optimistic => "the training estimate exceeds the held-out estimate by more than .1 nats",
            Self::DependentRows => {
                "rows depend on earlier rows: chance similarity of slow series counts as information, and \
                 the standard error is too small"
            }
            Self::Misfit => {
                "the model does not describe the samples: the estimate may be far too high or too low; \
                 compare other estimators"
            }
            Self::Failed => "training diverged: the estimate is invalid",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_flag_is_listed_once_and_named_as_in_files() {
        let names: BTreeSet<&str> = Flag::ALL.iter().map(Flag::name).collect();
        assert_eq!(names.len(), Flag::ALL.len());
        for flag in Flag::ALL {
            assert_eq!(serde_json::to_value(flag).expect("a name"), flag.name());
        }
    }

    #[test]
    fn the_page_on_estimators_has_every_flag() {
        let page = include_str!("../../docs/estimators.md");
        for flag in Flag::ALL {
            let row = format!("| `{}` |", flag.name());
            assert!(page.contains(&row), "{row}");
        }
    }
}
