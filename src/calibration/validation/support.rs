//! What the data support: for each regime, whether predictions can be made, or why not.

use serde::{Deserialize, Serialize};

use super::calibration_fit::{CalibrationFit, SplitScores};
use super::coverage::Backtest;
use super::folds::too_many_unknown;
use super::regime::Regime;
use crate::calibration::candidates::registry::{ALL, selectable};
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::folds::Split;
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::{LEAST_MODELS, Sample, distinct};

/// Fewest families in a training set for predictions of another family.
pub const LEAST_FAMILIES: usize = 3;

/// Least skill against the mean: of two dozen candidates on noise one beats it by a little.
pub const LEAST_SKILL: f64 = 0.05;

/// Least rank correlation of held-out predictions within the range.
const LEAST_RANK_CORRELATION: f64 = 0.2;

/// Whether predictions are supported in a regime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegimeSupport {
    /// The regime.
    pub regime: Regime,
    /// Why they are not; absent where they are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unsupported: Option<String>,
}

/// Why nothing can be predicted for a family that was not trained on: too few families are known, or those of
/// most rows are not.
pub(crate) fn no_new_family(families: usize, n_without_family: usize, n: usize) -> Option<String> {
    if families < LEAST_FAMILIES {
        return Some(format!(
            "{families} families were trained on; predicting another needs at least {LEAST_FAMILIES}"
        ));
    }
    too_many_unknown(n_without_family, n).then(|| {
        format!("the families of {n_without_family} of {n} rows are unknown, too many to predict another")
    })
}

/// Whether `n` families, each one draw, are too few for intervals of a level: of `n` exchangeable draws the
/// largest is exceeded by another with probability `1 / (n + 1)`.
pub(crate) fn too_few_for_level(n: usize, level: f64) -> bool {
    (n as f64) < level * (n as f64 + 1.0) - 1e-9
}

/// What a fit supports in each regime.
pub(crate) fn supports(
    fit: &CalibrationFit,
    scores: &SplitScores,
    backtest: &Backtest,
    sample: &Sample,
    link: Link,
) -> Vec<RegimeSupport> {
    let judge = Judge { fit, scores, backtest, sample, link };
    Regime::ALL.map(|regime| RegimeSupport { regime, unsupported: judge.unsupported(regime) }).to_vec()
}

struct Judge<'a> {
    fit: &'a CalibrationFit,
    scores: &'a SplitScores,
    backtest: &'a Backtest,
    sample: &'a Sample,
    link: Link,
}

impl Judge<'_> {
    fn unsupported(&self, regime: Regime) -> Option<String> {
        let sample = self.sample;
        let models = distinct(&sample.models).len();
        if models < LEAST_MODELS {
            return Some(format!("{models} models were trained on; {LEAST_MODELS} are the least"));
        }
        if regime == Regime::NewFamily {
            let families = sample.known_families().len();
            if let Some(reason) = no_new_family(families, sample.n_without_family(), sample.len()) {
                return Some(reason);
            }
        }
        if regime.scores(self.scores).is_empty() {
            let what = match regime {
                Regime::Interpolation => "leave one out",
                Regime::NewFamily => "leave a family out",
                Regime::Extrapolation => "train on the weaker and test on the stronger",
                Regime::BelowRange => "train on the stronger and test on the weaker",
            };
            return Some(format!("there are too few models to {what}"));
        }
        let Some(selected) = regime.selected(self.fit) else {
            let best = self.best_failure(regime);
            return Some(format!("no candidate beats the mean in back-tests: {best}"));
        };
        if regime.coverage(self.backtest).is_none() {
            return Some(
                "the coverage of its intervals could not be back-tested: no part of the rows is enough for \
                 the whole procedure"
                    .into(),
            );
        }
        if self.is_without_error(regime, selected) {
            return Some(
                "every error is 0 where shares are clipped near a bound, so that no interval can be made; \
                 give a narrower --range, or --link identity"
                    .into(),
            );
        }
        let (name, skill) = (selected.name(), selected.skill.best());
        if skill < LEAST_SKILL {
            return Some(format!(
                "{name} hardly beats the mean here: skill {skill:.2}, {LEAST_SKILL} is the least"
            ));
        }
        self.does_not_rank(regime, name)
    }

    /// Why predictions within the range that beat the mean tell rows apart no better than chance: a constant
    /// near the median can beat the mean where responses are skewed.
    fn does_not_rank(&self, regime: Regime, name: &str) -> Option<String> {
        let score = regime.score_of(name, self.scores).filter(|_| !regime.is_beyond())?;
        (score.spearman < LEAST_RANK_CORRELATION).then(|| {
            format!(
                "{name} does not tell rows apart: the rank correlation of its held-out predictions is {:.2}, \
                 {LEAST_RANK_CORRELATION} is the least",
                score.spearman
            )
        })
    }

    fn is_without_error(&self, regime: Regime, selected: &SelectedCandidate) -> bool {
        let splits = regime.interval_method().splits().iter();
        let mut residuals = splits.flat_map(|split| &selected.residuals.get(*split).held_out);
        self.link.is_bounded() && residuals.all(|row| row.residual < 1e-9)
    }

    /// The candidate that comes nearest to being selected, and where it fails. The splits are those that
    /// [`fit`](super::fit::fit) selects by.
    fn best_failure(&self, regime: Regime) -> String {
        let inside = match self.scores.leave_family_out.is_empty() || regime == Regime::Interpolation {
            true => ("leaving out models", Split::LeaveModelOut),
            false => ("leaving out families", Split::LeaveFamilyOut),
        };
        let splits = match regime {
            Regime::Interpolation | Regime::NewFamily => vec![inside],
            Regime::Extrapolation => {
                vec![inside, ("trained on the weaker and tested on the stronger", Split::Forward)]
            }
            Regime::BelowRange => {
                vec![inside, ("trained on the stronger and tested on the weaker", Split::Backward)]
            }
        };
        let worst = |name: &str| {
            let skills = splits.iter().map(|(words, split)| {
                let score = self.scores.get(*split).iter().find(|score| score.candidate == name)?;
                Some((score.unit_skill_mean.max(score.skill_mean), *words))
            });
            skills.collect::<Option<Vec<_>>>()?.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))
        };
        let names = selectable(self.sample.len()).into_iter().map(|at| ALL[at].name());
        let best = names.filter_map(|name| Some((name, worst(name)?))).max_by(|a, b| a.1.0.total_cmp(&b.1.0));
        best.map_or("no candidate can be fitted".into(), |(name, (skill, words))| {
            format!("the best, {name}, has skill {skill:.2} against the mean {words}")
        })
    }
}
