//! Decides for each regime whether the data support predictions, and gives the reason if they do not.

use serde::{Deserialize, Serialize};

use super::calibration_fit::{CalibrationFit, SplitScores};
use super::coverage::Backtest;
use super::folds::too_many_unknown;
use super::regime::Regime;
use super::trend::has_trend;
use crate::calibration::candidates::registry::{ALL, selectable};
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::intervals::skill::Skill;
use crate::calibration::table::folds::Split;
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::{LEAST_MODELS, Sample, distinct};
use crate::numeric::shown::{count, fixed};
use crate::numeric::statistics::mean;

/// Minimum number of training families for predictions of a new family.
pub const LEAST_FAMILIES: usize = 3;

/// Minimum skill compared with the mean. Among two dozen candidates that are fitted to noise, one beats the
/// mean slightly by chance.
pub const LEAST_SKILL: f64 = 0.05;

/// Advice if no candidate predicts better than a constant.
pub(crate) const MORE_SKILL: &str = "add features that follow the target, or more models";

/// Whether predictions are supported in a regime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegimeSupport {
    /// The regime.
    pub regime: Regime,
    /// Why predictions are not supported; absent if they are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unsupported: Option<String>,
}

/// The reason why a new family cannot be predicted: too few families are known, or the families of most rows
/// are unknown. `None` if new families can be predicted.
pub(crate) fn no_new_family(families: usize, n_without_family: usize, n: usize) -> Option<String> {
    if families < LEAST_FAMILIES {
        return Some(format!(
            "{} trained on; predicting a new family needs at least {LEAST_FAMILIES}; add models of {}",
            if families == 1 { "1 family was".into() } else { format!("{families} families were") },
            count(LEAST_FAMILIES - families, "other family")
        ));
    }
    too_many_unknown(n_without_family, n).then(|| {
        format!(
            "the families of {n_without_family} of {n} rows are unknown, too many to predict a new family; \
             fill them in"
        )
    })
}

/// Minimum number of families for intervals of a level, by [`too_few_for_level`].
pub(crate) fn least_families(level: f64) -> f64 {
    // Rounding may push the quotient above a whole number: .9 / (1 - .9) is 9.000000000000002.
    (level / (1.0 - level) * (1.0 - 1e-9)).ceil()
}

/// Whether `n` families are too few for intervals of a level, if each family counts as one draw. Another draw
/// exceeds the largest of `n` exchangeable draws with probability `1 / (n + 1)`.
pub(crate) fn too_few_for_level(n: usize, level: f64) -> bool {
    (n as f64) < level * (n as f64 + 1.0) - 1e-9
}

/// Whether a fit supports predictions in each regime.
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
            return Some(format!(
                "{} trained on; at least {LEAST_MODELS} are needed; add models",
                if models == 1 { "1 model was".into() } else { format!("{models} models were") }
            ));
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
                Regime::Extrapolation => "train on the weaker models and test on the stronger models",
                Regime::BelowRange => "train on the stronger models and test on the weaker models",
            };
            return Some(format!("there are too few models to {what}; add models"));
        }
        let Some(selected) = regime.selected(self.fit) else {
            let best = self.best_failure(regime);
            return Some(format!("no candidate beats the mean in back-tests: {best}; {MORE_SKILL}"));
        };
        if regime.coverage(self.backtest).is_none() {
            return Some(
                "the coverage of its intervals could not be back-tested: no subset of the rows is large \
                 enough to repeat the whole procedure; add models"
                    .into(),
            );
        }
        if self.is_without_error(regime, selected) {
            return Some(
                "all held-out errors are 0, because shares near a bound are clipped, so no interval can be \
                 made; give a narrower --range, or --link identity"
                    .into(),
            );
        }
        let (name, skill) = (selected.name(), selected.skill.best());
        if skill < LEAST_SKILL {
            return Some(format!(
                "{name} hardly beats the mean here: its skill is {skill:.2}, but at least {LEAST_SKILL} is \
                 needed; {MORE_SKILL}"
            ));
        }
        self.unproven(regime, name)
    }

    /// Reason to refuse a candidate that was selected because it beats the mean; `None` if there is no
    /// reason. Within the range, the whole procedure must have a skill of at least [`LEAST_SKILL`] in the
    /// back-test of the regime's split. Beyond the range, it must have this skill on the regime's split or on
    /// a split within the range, or the target must have a trend.
    fn unproven(&self, regime: Regime, name: &str) -> Option<String> {
        let skill = &self.backtest.skill;
        let inside = [skill.leave_model_out, skill.leave_family_out];
        let own = skill.get(regime.split());
        let all = if regime.is_beyond() { [own].into_iter().chain(inside).collect() } else { vec![own] };
        let best = all.into_iter().flatten().map(Skill::best).max_by(f64::total_cmp)?;
        if best >= LEAST_SKILL || regime.is_beyond() && has_trend(self.sample, &self.fit.basis) {
            return None;
        }
        let trend = if regime.is_beyond() {
            ", and the target neither rises nor falls with size or with the features"
        } else {
            ""
        };
        Some(format!(
            "{name} does no better than a constant when selection is repeated on other folds: its skill \
             against the better of mean and median is {}, but at least {LEAST_SKILL} is needed{trend}; \
             {MORE_SKILL}",
            fixed(best, 2)
        ))
    }

    fn is_without_error(&self, regime: Regime, selected: &SelectedCandidate) -> bool {
        let splits = regime.interval_method().splits().iter();
        let mut residuals = splits.flat_map(|split| &selected.residuals.get(*split).held_out);
        self.link.is_bounded() && residuals.all(|row| row.residual < 1e-9)
    }

    /// Names the candidate that came closest to selection, and its skill by the rules of
    /// [`select`](super::select). Within the range, this is the skill in the unit of the target. Beyond the
    /// range, it is the mean of the skills on two splits: in the unit of the target or on the scale of the
    /// link, whichever is larger.
    fn best_failure(&self, regime: Regime) -> String {
        let (units, inside) = match self.scores.leave_family_out.is_empty() || regime == Regime::Interpolation
        {
            true => ("models", Split::LeaveModelOut),
            false => ("families", Split::LeaveFamilyOut),
        };
        let both = |order: &str| {
            format!(
                ", averaged over two back-tests: one leaves out {units}, and the other trains on the {order}"
            )
        };
        let (splits, how) = match regime {
            Regime::Interpolation | Regime::NewFamily => {
                (vec![inside], format!(" when {units} are left out"))
            }
            Regime::Extrapolation => {
                (vec![inside, Split::Forward], both("weaker models and tests on the stronger"))
            }
            Regime::BelowRange => {
                (vec![inside, Split::Backward], both("stronger models and tests on the weaker"))
            }
        };
        let of = |name: &str| {
            let scores = splits.iter().map(|split| {
                let score = self.scores.get(*split).iter().find(|score| score.candidate == name)?;
                Some((score.unit_skill_mean, score.skill_mean))
            });
            let scores = scores.collect::<Option<Vec<(f64, f64)>>>()?;
            let mean = |which: fn(&(f64, f64)) -> f64| mean(&scores.iter().map(which).collect::<Vec<_>>());
            Some(if regime.is_beyond() { mean(|s| s.0).max(mean(|s| s.1)) } else { mean(|s| s.0) })
        };
        let names = selectable(self.sample.len()).into_iter().map(|at| ALL[at].name());
        let best = names.filter_map(|name| Some((name, of(name)?))).max_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or("no candidate can be fitted".into(), |(name, skill)| {
            let skill = fixed(skill, 2);
            format!("the best candidate, {name}, has a skill of {skill} against the mean{how}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_number_of_families_is_the_smallest_that_is_not_too_few() {
        for level in [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999] {
            let smallest = (0..2000).find(|&n| !too_few_for_level(n, level)).expect("a number");
            assert_eq!(least_families(level), smallest as f64, "{level}");
        }
        assert_eq!([0.8, 0.9, 0.95].map(least_families), [4.0, 9.0, 19.0]);
    }
}
