//! What the data support: for each regime, whether predictions can be made, or why not.

use serde::{Deserialize, Serialize};

use super::coverage::Backtest;
use super::fit::{CalibrationFit, SplitScores};
use super::folds::too_many_unknown;
use super::regime::Regime;
use super::score::CandidateScore;
use crate::calibration::candidates::registry::{ALL, selectable};
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::folds::Split;
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::{LEAST_MODELS, Sample, distinct};

/// Fewest families in a training set for predictions of another family.
pub const LEAST_FAMILIES: usize = 3;

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
    /// Name of the stronger baseline.
    fn baseline(&self) -> &'static str {
        if self.fit.size.is_some() { "the size line" } else { "the mean" }
    }

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
            return Some("there are too few models to train on the weaker and test on the stronger".into());
        }
        let Some(selected) = regime.selected(self.fit) else {
            let baselines =
                if self.fit.size.is_some() { "both the size line and the mean" } else { "the mean" };
            let best = self.best_failure(regime);
            return Some(format!("no candidate beats {baselines} in back-tests: {best}"));
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
        self.lacks_skill(regime, selected.name())
    }

    fn is_without_error(&self, regime: Regime, selected: &SelectedCandidate) -> bool {
        let splits = regime.interval_method().splits().iter();
        let mut residuals = splits.flat_map(|split| &selected.residuals.get(*split).held_out);
        self.link.is_bounded() && residuals.all(|row| row.residual < 1e-9)
    }

    /// Why a selected candidate is not good enough in a regime.
    fn lacks_skill(&self, regime: Regime, name: &str) -> Option<String> {
        match regime.score_of(name, self.scores) {
            // The mean of the weaker models is no rival for the stronger: there the notes mention it,
            // prediction by prediction.
            Some(score) if regime != Regime::Extrapolation && score.skill_mean <= 0.0 => Some(format!(
                "{name} does not beat the mean here: skill {}",
                in_both_units(score.skill_mean, score.unit_skill_mean)
            )),
            Some(score) if score.skill() > 0.0 => None,
            Some(score) => Some(format!(
                "{name} does not beat {} here: skill {}",
                self.baseline(),
                in_both_units(score.skill(), score.unit_skill())
            )),
            None => Some(format!("{name} could not be back-tested here")),
        }
    }

    /// The candidate that comes nearest to being selected, and where it fails. The splits are those that
    /// [`fit`](super::fit::fit) selects by.
    fn best_failure(&self, regime: Regime) -> String {
        let inside = match self.scores.leave_family_out.is_empty() {
            true => ("leaving out models", Split::LeaveModelOut),
            false => ("leaving out families", Split::LeaveFamilyOut),
        };
        let forward = ("trained on the weaker and tested on the stronger", Split::Forward);
        let splits = if regime == Regime::Extrapolation { vec![inside, forward] } else { vec![inside] };
        let best = selectable(self.sample.len())
            .into_iter()
            .filter_map(|at| Some((ALL[at].name(), self.worst_skill(ALL[at].name(), &splits)?)))
            .max_by(|a, b| a.1.skill.total_cmp(&b.1.skill));
        best.map_or("no candidate can be fitted".into(), |(name, worst)| {
            let skill = in_both_units(worst.skill, worst.unit_skill);
            format!("the best, {name}, has skill {skill} against {} {}", worst.baseline, worst.split)
        })
    }

    /// The worst skill of a candidate over some splits. Within the range, which is the first, the mean is a
    /// rival too: the worse of the two skills counts.
    fn worst_skill<'a>(&self, name: &str, splits: &[(&'a str, Split)]) -> Option<WorstSkill<'a>> {
        let skills = splits.iter().enumerate().map(|(at, (words, split))| {
            let score: &CandidateScore =
                self.scores.get(*split).iter().find(|score| score.candidate == name)?;
            let (skill, unit_skill) = (score.skill(), score.unit_skill());
            Some(if at == 0 && score.skill_mean < skill {
                let (skill, unit_skill) = (score.skill_mean, score.unit_skill_mean);
                WorstSkill { skill, unit_skill, baseline: "the mean", split: words }
            } else {
                WorstSkill { skill, unit_skill, baseline: self.baseline(), split: words }
            })
        });
        let skills = skills.collect::<Option<Vec<_>>>()?;
        skills.into_iter().min_by(|a, b| a.skill.total_cmp(&b.skill))
    }
}

/// A skill, on the scale of the link and in the unit of the response, and what it is against.
struct WorstSkill<'a> {
    skill: f64,
    unit_skill: f64,
    baseline: &'static str,
    split: &'a str,
}

/// A skill on the scale of the link, and that in the unit of the target where it differs.
fn in_both_units(link: f64, unit: f64) -> String {
    if (link - unit).abs() < 1e-9 {
        format!("{link:.2}")
    } else {
        format!("{link:.2} (in the unit of the target {unit:.2})")
    }
}
