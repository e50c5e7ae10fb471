//! Skill: how much smaller the error of a candidate is than the error of the mean.

use serde::{Deserialize, Serialize};

/// `1 - error / error of the mean`, with mean absolute errors of held-out rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Skill {
    /// Skill by errors in the unit of the response.
    pub unit: f64,
    /// Skill by errors on the scale of the link.
    pub link: f64,
}

impl Skill {
    /// The larger of the two skills. Near a bound, errors in the unit of the response hardly differ between
    /// candidates. If most rows lie far from the bounds, the few rows near a bound dominate the errors on the
    /// scale of the link.
    pub fn best(self) -> f64 {
        self.unit.max(self.link)
    }

    /// The skill of a candidate. Both arguments contain the error of the candidate and the error of the mean:
    /// `unit` in the unit of the response, `link` on the scale of the link.
    pub(crate) fn of(unit: (f64, f64), link: (f64, f64)) -> Self {
        Self { unit: ratio(unit.0, unit.1), link: ratio(link.0, link.1) }
    }

    /// The mean over splits; `None` if there are no skills.
    pub(crate) fn mean(skills: &[Self]) -> Option<Self> {
        let n = Some(skills.len() as f64).filter(|n| *n > 0.0)?;
        let add = |sum: (f64, f64), skill: &Self| (sum.0 + skill.unit, sum.1 + skill.link);
        let (unit, link) = skills.iter().fold((0.0, 0.0), add);
        Some(Self { unit: unit / n, link: link / n })
    }
}

/// `1 - error / base`; 0 if both errors are 0.
pub(crate) fn ratio(error: f64, base: f64) -> f64 {
    if base > 0.0 { 1.0 - error / base } else { -f64::from(error > 0.0) }
}
