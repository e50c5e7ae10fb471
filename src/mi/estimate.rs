//! The result of an estimator: a number, its kind, its uncertainty, and warnings.

use serde::{Deserialize, Deserializer, Serialize};

/// One estimate of mutual information.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The size of the noise that was added, for `channel` the precision `b`, a fraction of the spread of
    /// `y`; `None` for an estimator that adds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_scale: Option<f64>,
    /// The kind of estimate.
    pub kind: Kind,
    /// The estimate. May be negative by chance; the sign is kept. Infinite where `y` holds a linear function
    /// of `x`; JSON has no infinity, so it is null there.
    #[serde(deserialize_with = "infinite_if_null")]
    pub mi_nats: f64,
    /// Lower bound in expectation, if the estimator has one.
    pub lower_nats: Option<f64>,
    /// Upper bound in expectation, if the estimator has one.
    pub upper_nats: Option<f64>,
    /// Standard error of the estimate.
    pub stderr_nats: Option<f64>,
    /// The smallest of `ceilings`: an estimate above it is not supported by these samples but follows from
    /// a model of them.
    pub ceiling_nats: f64,
    /// The ceilings one by one.
    pub ceilings: Ceilings,
    /// The estimate on training data minus that on held-out data, for an estimator that reports the former.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimism_nats: Option<f64>,
    /// Paired rows.
    pub n: usize,
    /// Rows of `x` that differ in at least one bit.
    pub n_distinct: usize,
    /// Columns of `x` and of `y`.
    pub dims: [usize; 2],
    /// Columns of `x` left out because they are constant.
    pub constant_x: Vec<usize>,
    /// Columns of `y` left out because they are constant.
    pub constant_y: Vec<usize>,
    /// What a reader must know before trusting the number.
    pub flags: Vec<Flag>,
}

fn infinite_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

/// The kind of an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The information through a channel of stated precision, between a lower and an upper bound in
    /// expectation.
    TwoSided,
    /// Tends to the truth as the sample grows, without being a bound at any size.
    Consistent,
    /// Tends to the truth if the samples belong to the family that is assumed.
    Parametric,
    /// In expectation at most the truth.
    LowerBound,
    /// Neither a bound nor consistent: the training objective of a critic on its own training data.
    Training,
}

impl Kind {
    /// Its name in files.
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
    /// The same of `y`; not of a `y` that noise is added to.
    pub output_entropy_nats: Option<f64>,
    /// `0.5 logdet(I + Cov / sigma^2)`: the information through the channel of a Gaussian input with the
    /// covariance of `y`.
    pub gaussian_nats: Option<f64>,
    /// Logarithm of the number of pairs that are compared with each other, which a contrastive bound cannot
    /// exceed.
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
    /// Rows that share `x` have different `y`: the density of the channel given `x` was itself estimated.
    Grouped,
    /// A few rows that share `x` have different `y`, and were treated as different: the lower bound is
    /// reduced by the most that this can add.
    Collisions,
    /// The lower bound is above .85 log n, or the bounds are more than half a nat apart: the estimate only
    /// shows that the information is large.
    Saturated,
    /// The estimate is above .6 log n, where bounds begin to diverge and neighbours become scarce.
    NearCeiling,
    /// One side takes one value: the information is zero by definition.
    Constant,
    /// Fewer than 50 rows.
    SmallSample,
    /// Fewer than 1.5 rows for each column: estimates of covariances are unreliable.
    FewRows,
    /// Some rows, or values of a column, are equal; noise of 1e-6 standard deviations was added to separate
    /// them, which puts their ranks in random order and leaves the information as it is.
    Jittered,
    /// Some columns are linear combinations of others on their side and were removed.
    Collinear,
    /// A column of one side, or for an estimator of ranks its ranks, is a linear function of the other side:
    /// the information of continuous variables is infinite.
    Infinite,
    /// The estimate is above the ceiling: a parametric one depends on the assumed family, a consistent one is
    /// capped at the ceiling.
    AboveCeiling,
    /// A column of one side that takes few values is a linear function of the other side: the number is its
    /// entropy, and information of other columns beyond it is not counted.
    SharedValues,
    /// Some pairs are copies of others, and each was counted once.
    Copies,
    /// Pairs repeat, so that the effective number of samples is smaller: the standard error, if there is
    /// one, is too small.
    Repeated,
    /// There are many values for few rows, so that the bias exceeds .05 nats; it was subtracted.
    Undersampled,
    /// Most of the rows are repeated: the values were treated as discrete.
    Discrete,
    /// The estimate on training data exceeds that on held-out data by more than a tenth of a nat.
    Optimistic,
    /// Rows depend on earlier rows, as those of a time series do: they are worth fewer independent rows, and
    /// what two slow series share by chance is read as information.
    DependentRows,
    /// The model that the estimate rests on does not describe the samples: its density ratio is none, or
    /// nearest neighbours see more than it allows for.
    Misfit,
    /// Training diverged: a number was not finite, or the bound is far below 0. The estimate is invalid.
    Failed,
}

impl Flag {
    /// All of them, in the order in which they are declared.
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

    /// Its name in files.
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

    /// Whether it says how the number was made, and nothing against it.
    #[must_use]
    pub fn is_descriptive(&self) -> bool {
        matches!(self, Self::Grouped | Self::Jittered | Self::Collinear | Self::Copies | Self::Discrete)
    }

    /// What it means for the number, in a line.
    #[must_use]
    pub fn meaning(&self) -> &'static str {
        match self {
            Self::Grouped => "rows that share x differ in y; the density of y given x was estimated as well",
            Self::Collisions => {
                "a few rows that share x differ in y; the lower bound is reduced by that much"
            }
            Self::Saturated => "the information is large; how large, so many rows cannot show",
            Self::NearCeiling => "above .6 log n, where neighbours are scarce: read it as at least so much",
            Self::Constant => "one side takes one value: 0 by definition",
            Self::SmallSample => "fewer than 50 rows: the standard error is itself a guess",
            Self::FewRows => "fewer than 1.5 rows for each column: drop or project columns",
            Self::Jittered => "equal values were put in random order, which changes nothing",
            Self::Collinear => "columns that are linear functions of others were left out",
            Self::Infinite => "a column of one side is a function of the other side",
            Self::AboveCeiling => "more than the samples can show: it follows from the model",
            Self::SharedValues => {
                "the entropy of a column that both sides have; other columns are not counted"
            }
            Self::Copies => "pairs that are copies of others were counted once",
            Self::Repeated => "pairs repeat: the standard error is too small",
            Self::Undersampled => "many values for few rows: a bias above .05 nats was subtracted",
            Self::Discrete => "values were counted, not ordered",
            Self::Optimistic => "training pairs give over .1 nats more than held-out pairs",
            Self::DependentRows => {
                "rows depend on earlier rows: what two slow series share by chance is read as information, \
                 and the standard error is too small"
            }
            Self::Misfit => {
                "the model does not describe the samples: the number may be far off either way; compare \
                 other estimators"
            }
            Self::Failed => "training diverged: the number is invalid",
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
