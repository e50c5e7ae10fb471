//! Skill: how much less a choice errs than the mean.

use serde::{Deserialize, Serialize};

/// `1 - error / error of the mean`, with mean absolute errors of held-out rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Skill {
    /// Of errors in the unit of the response.
    pub unit: f64,
    /// Of errors on the scale of the link.
    pub link: f64,
}

impl Skill {
    /// The larger of both. Near a bound errors in the unit of the response tell nothing apart; far from it
    /// those on the scale of the link are led by the few rows that are near.
    pub fn best(self) -> f64 {
        self.unit.max(self.link)
    }

    /// That of an error against one of the mean, in the unit of the response and on the scale of the link.
    pub(crate) fn of(unit: (f64, f64), link: (f64, f64)) -> Self {
        Self { unit: ratio(unit.0, unit.1), link: ratio(link.0, link.1) }
    }

    /// The mean over some splits; `None` of none.
    pub(crate) fn mean(skills: &[Self]) -> Option<Self> {
        let n = Some(skills.len() as f64).filter(|n| *n > 0.0)?;
        let add = |sum: (f64, f64), skill: &Self| (sum.0 + skill.unit, sum.1 + skill.link);
        let (unit, link) = skills.iter().fold((0.0, 0.0), add);
        Some(Self { unit: unit / n, link: link / n })
    }
}

/// `1 - error / base`; 0 where both are 0.
pub(crate) fn ratio(error: f64, base: f64) -> f64 {
    if base > 0.0 { 1.0 - error / base } else { -f64::from(error > 0.0) }
}
