//! A card in words: what it was fitted on, what it may be used for, how good it was beside mean and size.

use std::fmt::{self, Display, Formatter};

use super::file::Card;
use crate::calibration::link::Link;
use crate::calibration::prediction::caveats::too_few;
use crate::calibration::validation::backtest::{Coverage, falls_short};

use crate::calibration::prediction::support::Regime;

impl Display for Card {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.fitted_on(out)?;
        for regime in Regime::ALL {
            self.regime(out, regime)?;
        }
        self.tables(out)?;
        writeln!(out, "\nfeatures")?;
        let basis = &self.fit.basis;
        for (j, name) in self.columns.features.iter().enumerate() {
            let filled = self.diagnostics.filled_cells.iter().find(|filled| filled.feature == *name);
            let filled = filled.map_or(String::new(), |filled| format!(", {} filled", filled.n));
            writeln!(out, "  {name}: {} to {}{filled}", short(basis.min[j]), short(basis.max[j]))?;
        }
        for note in &self.notes {
            writeln!(out, "note: {note}")?;
        }
        Ok(())
    }
}

impl Card {
    fn fitted_on(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" ({})", self.unit) };
        writeln!(out, "card {:.12}: {}{unit}", self.card_sha256, self.target)?;
        let rows = &self.rows;
        let unknown = match rows.n_without_family {
            0 => String::new(),
            n => format!(", {n} of the rows in none that is known"),
        };
        writeln!(
            out,
            "fitted on {} rows of {} targets in {} families{unknown}, table {:.12}, by surmise {}",
            rows.n,
            rows.n_targets,
            rows.families.len(),
            rows.observations_sha256,
            self.schema.tool_version
        )?;
        let d = &self.diagnostics;
        let dof = d
            .effective_dof
            .map_or(String::new(), |dof| format!(", {} effective degrees of freedom", short(dof)));
        let link = match self.link {
            Link::Identity => "identity".into(),
            Link::Logit { low, high } => format!("logit of {low} to {high}"),
        };
        writeln!(
            out,
            "link {link}; {} features of rank {}, condition number {}{dof}; {:.1} % of the cells were \
             missing",
            d.p,
            d.rank,
            short(d.condition_number),
            100.0 * d.missing_share
        )?;
        self.noise(out)?;
        if let Some([low, high]) = self.range.log10_size {
            writeln!(out, "sizes from {} to {}", short(10f64.powf(low)), short(10f64.powf(high)))?;
        }
        for (column, values) in &self.columns.same {
            writeln!(out, "only for rows whose {column} is {}", values.join(", "))?;
        }
        if self.for_api {
            writeln!(out, "every feature can be had of a model behind an API")?;
        }
        Ok(())
    }

    fn regime(&self, out: &mut Formatter<'_>, regime: Regime) -> fmt::Result {
        let name = match regime {
            Regime::Interpolation => "a new model of a known family, within the range",
            Regime::NewFamily => "a new family, within the range",
            Regime::Extrapolation => "beyond the range of size or strength",
        };
        let reason = self.support.iter().find(|s| s.regime == regime).and_then(|s| s.unsupported.as_ref());
        if let Some(reason) = reason {
            return writeln!(out, "{name}: UNSUPPORTED, {reason}");
        }
        if regime == Regime::NewFamily && self.rows.families.len() == self.rows.n_targets {
            return writeln!(out, "{name}: as a new model; every family has one, and nothing more was seen");
        }
        let Some(chosen) = regime.chosen(&self.fit) else { return Ok(()) };
        let score = regime.scores(&self.scores).iter().find(|score| score.candidate == chosen.candidate);
        let coverage = regime.coverage(&self.backtest);
        let skill = score.map_or(String::new(), |s| {
            let [low, high] = s.skill_interval;
            let interval = format!("(90 %: {low:.2} to {high:.2})");
            let flag = if s.skill_mean > 0.0 { "" } else { ", NO BETTER THAN THE MEAN" };
            let against = match s.skill_size {
                Some(skill) => {
                    format!("{skill:.2} against size {interval}, {:.2} against the mean{flag}", s.skill_mean)
                }
                None => format!("{:.2} against the mean {interval}", s.skill_mean),
            };
            let unit = match (self.link, s.unit_skill_size) {
                (Link::Identity, _) => String::new(),
                (_, Some(skill)) => {
                    format!(
                        " on the scale of the link ({skill:.2} and {:.2} by mean absolute error)",
                        s.unit_skill_mean
                    )
                }
                (_, None) => {
                    format!(" on the scale of the link ({:.2} by mean absolute error)", s.unit_skill_mean)
                }
            };
            format!("; mean absolute error {}, skill {against}{unit}", short(s.mae))
        });
        let mut told = coverage.map_or("; coverage could not be back-tested".into(), |coverage| {
            format!("; {}", self.held(coverage, ""))
        });
        if regime == Regime::Extrapolation {
            let worst = coverage.and_then(|coverage| coverage.worst_fold(self.level));
            if let Some((worst, n)) = worst.filter(|(worst, _)| falls_short(*worst, self.level)) {
                told.push_str(&format!(", IN ONE PART ONLY {:.0} % of {n}", 100.0 * worst));
            }
            let both = regime.of(&self.backtest.forward_family);
            let both =
                both.map(|coverage| format!("; {}", self.held(coverage, " of families left out besides")));
            told.push_str(&both.unwrap_or_default());
        }
        let families = self.rows.families.len();
        let few = if regime == Regime::NewFamily && too_few(families, self.level) {
            format!("; ONLY {families} FAMILIES, which carry no level of {}", self.level)
        } else {
            String::new()
        };
        let refused =
            regime.refused(&self.backtest).filter(|share| *share > 0.0).map_or(String::new(), |share| {
                format!(
                    "; of {:.0} % of the rows asked about in back-test nothing could be said, and coverage \
                     says nothing of them",
                    100.0 * share
                )
            });
        writeln!(out, "{name}: {}{skill}{told}{refused}{few}", chosen.candidate)
    }

    /// What intervals held, loud where it is much less than their level.
    fn held(&self, coverage: &Coverage, of: &str) -> String {
        let held = coverage.at(self.level);
        format!(
            "{:.0} % intervals {} {:.0} % of {} back-tested predictions{of}, mean width {}",
            100.0 * self.level,
            if falls_short(held, self.level) { "HELD ONLY" } else { "held" },
            100.0 * held,
            coverage.levels.len(),
            short(coverage.width)
        )
    }

    /// The ceiling that the target's own noise sets.
    fn noise(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Some(noise) = &self.diagnostics.noise else { return Ok(()) };
        let chosen = self.fit.within.as_ref();
        let score = chosen
            .and_then(|chosen| self.scores.family.iter().find(|score| score.candidate == chosen.candidate));
        let share = score.map_or(String::new(), |score| {
            let share = 100.0 * (noise.rms / score.rmse.max(f64::MIN_POSITIVE)).powi(2).min(1.0);
            format!(
                ": {share:.0} % of the squared error over left-out families, which no candidate can take \
                 away"
            )
        });
        writeln!(
            out,
            "the target's own standard error ({}) is {} in root mean square{share}",
            noise.column,
            short(noise.rms)
        )
    }

    fn coverages(&self, regime: Regime) -> &[Coverage] {
        match regime {
            Regime::Interpolation => &self.backtest.target,
            Regime::NewFamily => &self.backtest.family,
            Regime::Extrapolation => &self.backtest.forward,
        }
    }

    fn tables(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let titles =
            ["leaving out targets", "leaving out families", "trained on the weaker, tested on the stronger"];
        for (regime, title) in Regime::ALL.into_iter().zip(titles) {
            writeln!(
                out,
                "\n{title:<46}{:>9} {:>9} {:>7} {:>7} {:>8}",
                "mae", "rmse", "v mean", "v size", "spearman"
            )?;
            for s in regime.scores(&self.scores) {
                let size = s.skill_size.map_or(String::new(), |skill| format!("{skill:.2}"));
                let (name, mae, rmse) = (&s.candidate, short(s.mae), short(s.rmse));
                let mean = format!("{:.2}", s.skill_mean);
                writeln!(out, "  {name:<44}{mae:>9} {rmse:>9} {mean:>7} {size:>7} {:>8.2}", s.spearman)?;
            }
            for c in self.coverages(regime) {
                let (name, share) = (c.recipe.name(), 100.0 * c.at(self.level));
                let level = 100.0 * self.level;
                writeln!(
                    out,
                    "  {level:.0} % intervals by {name:<16} hold {share:5.1} %, mean width {}",
                    short(c.width)
                )?;
            }
        }
        Ok(())
    }
}

/// Four significant digits, for people.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = (3 - value.abs().log10().floor() as i32).clamp(0, 12) as usize;
    format!("{value:.digits$}")
}
