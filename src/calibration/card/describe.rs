//! Describes a card in words: the rows that it was fitted on, the regimes that it supports, and how its
//! errors compare with the errors of the mean and of the regression on log size.

use std::fmt::{self, Display, Formatter};

use super::contents::Card;
use crate::calibration::table::link::Link;
use crate::calibration::validation::coverage::{Coverage, undercovers};
use crate::calibration::validation::regime::Regime;
use crate::calibration::validation::score::CandidateScore;
use crate::calibration::validation::support::too_few_for_level;
use crate::numeric::shown::fixed;

impl Display for Card {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.provenance(out)?;
        for regime in Regime::ALL {
            writeln!(out, "{}", self.regime(regime))?;
        }
        self.tables(out)?;
        writeln!(out, "\nfeatures")?;
        let basis = &self.fit.basis;
        for (j, name) in self.columns.features.iter().enumerate() {
            let imputed = self.diagnostics.imputed_cells.iter().find(|imputed| imputed.feature == *name);
            let imputed = imputed.map_or(String::new(), |imputed| format!(", {} imputed", imputed.n));
            writeln!(out, "  {name}: {} to {}{imputed}", short(basis.min[j]), short(basis.max[j]))?;
        }
        for note in &self.notes {
            writeln!(out, "note: {note}")?;
        }
        Ok(())
    }
}

impl Card {
    fn provenance(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" ({})", self.unit) };
        writeln!(out, "card {:.12}: {}{unit}", self.card_sha256, self.target)?;
        let rows = &self.rows;
        let unknown = match rows.n_without_family {
            0 => String::new(),
            n => format!(" (the family of {n} rows is unknown)"),
        };
        writeln!(
            out,
            "fitted on {} rows of {} models in {} families{unknown}, table hash {:.12}, by surmise {}",
            rows.n,
            rows.n_models,
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
            Link::Logit { low, high } => format!("logit between {low} and {high}"),
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
            writeln!(out, "valid only for rows whose {column} is {}", values.join(" or "))?;
        }
        if self.for_api {
            writeln!(out, "every feature is available for a model behind an API")?;
        }
        Ok(())
    }

    /// The line of a regime that has no figures of its own. It gives the reason why the regime is not
    /// supported, or names the regime with the same figures.
    pub(super) fn without_figures(&self, regime: Regime) -> Option<String> {
        let name = name_of(regime);
        let reason = self.support.iter().find(|s| s.regime == regime).and_then(|s| s.unsupported.as_ref());
        if let Some(reason) = reason {
            return Some(format!("{name}: UNSUPPORTED, {reason}"));
        }
        let is_new_model = regime == Regime::NewFamily && self.rows.families.len() == self.rows.n_models;
        is_new_model.then(|| {
            format!("{name}: the figures for a new model apply, because every family has only one model")
        })
    }

    /// Whether predictions are supported in a regime, and how good they are.
    fn regime(&self, regime: Regime) -> String {
        if let Some(line) = self.without_figures(regime) {
            return line;
        }
        let (name, families) = (name_of(regime), self.rows.families.len());
        let Some(selected) = regime.selected(&self.fit) else { return name.into() };
        let score = regime.score_of(selected.name(), &self.scores);
        let skill = score.map_or(String::new(), |score| self.skill(score));
        let few = match regime == Regime::NewFamily && too_few_for_level(families, self.level) {
            true => format!("; ONLY {families} FAMILIES, too few for intervals of level {}", self.level),
            false => String::new(),
        };
        let refused = regime.refused(&self.backtest).filter(|share| *share > 0.0);
        let refused = refused.map_or(String::new(), |share| {
            format!(
                "; the coverage leaves out {:.0} % of the back-tested rows, for which no candidate could be \
                 selected",
                100.0 * share
            )
        });
        format!("{name}: {}{skill}; {}{refused}{few}", selected.description(), self.coverage(regime))
    }

    fn skill(&self, score: &CandidateScore) -> String {
        let [low, high] = score.skill_interval;
        let interval = format!("(90 % interval: {} to {})", fixed(low, 2), fixed(high, 2));
        let flag = if score.skill_mean > 0.0 { "" } else { ", NO BETTER THAN THE MEAN" };
        let mean = fixed(score.skill_mean, 2);
        let against = match score.skill_size {
            Some(size) => {
                format!("{} against the size line {interval}, {mean} against the mean{flag}", fixed(size, 2))
            }
            None => format!("{mean} against the mean {interval}"),
        };
        let mean = fixed(score.unit_skill_mean, 2);
        let unit = match (self.link, score.unit_skill_size) {
            (Link::Identity, _) => String::new(),
            (_, Some(size)) => {
                format!(" on the scale of the link ({} and {mean} in the unit of the target)", fixed(size, 2))
            }
            (_, None) => format!(" on the scale of the link ({mean} in the unit of the target)"),
        };
        format!("; mean absolute error {}, skill {against}{unit}", short(score.mae))
    }

    /// The back-tested coverage of a regime, with warnings if it is far below the level of the card.
    pub(super) fn coverage(&self, regime: Regime) -> String {
        let coverage = regime.coverage(&self.backtest);
        let mut told =
            coverage.map_or("coverage could not be back-tested".into(), |coverage| self.held(coverage, ""));
        if regime == Regime::Extrapolation {
            let worst = coverage.and_then(|coverage| coverage.worst_fold(self.level));
            if let Some((worst, n)) = worst.filter(|(worst, _)| undercovers(*worst, self.level)) {
                told.push_str(&format!(", IN ONE FOLD ONLY {:.0} % of {n} true values", 100.0 * worst));
            }
            let both = regime.regime_coverage(&self.backtest.forward_new_family);
            let both = both.map(|coverage| format!("; {}", self.held(coverage, " of new families")));
            told.push_str(&both.unwrap_or_default());
        }
        told
    }

    /// The coverage of back-tested intervals, in capitals if it is far below their level.
    fn held(&self, coverage: &Coverage, of: &str) -> String {
        let held = coverage.at(self.level);
        format!(
            "{:.0} % intervals {} {:.0} % of the true values in {} back-tested predictions{of}, mean width \
             {}",
            100.0 * self.level,
            if undercovers(held, self.level) { "HELD ONLY" } else { "held" },
            100.0 * held,
            coverage.levels.len(),
            short(coverage.width)
        )
    }

    /// Writes the share of the error that the noise of the target explains.
    fn noise(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Some(noise) = &self.diagnostics.noise else { return Ok(()) };
        let selected = self.fit.within_range.as_ref();
        let score = selected.and_then(|selected| Regime::NewFamily.score_of(selected.name(), &self.scores));
        let share = score.map_or(String::new(), |score| {
            let share = 100.0 * (noise.rms / score.rmse.max(f64::MIN_POSITIVE)).powi(2).min(1.0);
            format!(
                ": it explains {share:.0} % of the squared error over left-out families, and no candidate \
                 can remove this part"
            )
        });
        writeln!(
            out,
            "the standard error of the target ({}) has a root mean square of {}{share}",
            noise.column,
            short(noise.rms)
        )
    }

    /// Writes the errors of every candidate and the coverage of every interval method, split by split.
    fn tables(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let titles = [
            "leaving out models",
            "leaving out families",
            "trained on weaker models, tested on stronger",
            "trained on stronger models, tested on weaker",
        ];
        for (regime, title) in Regime::ALL.into_iter().zip(titles) {
            writeln!(
                out,
                "\n{title:<46}{:>9} {:>9} {:>7} {:>7} {:>8}",
                "mae", "rmse", "v mean", "v size", "spearman"
            )?;
            for s in regime.scores(&self.scores) {
                let size = s.skill_size.map_or(String::new(), |skill| fixed(skill, 2));
                let (name, mae, rmse) = (&s.candidate, short(s.mae), short(s.rmse));
                let (mean, spearman) = (fixed(s.skill_mean, 2), fixed(s.spearman, 2));
                writeln!(out, "  {name:<44}{mae:>9} {rmse:>9} {mean:>7} {size:>7} {spearman:>8}")?;
            }
            for c in regime.coverages(&self.backtest) {
                let (name, share) = (c.interval_method.name(), 100.0 * c.at(self.level));
                let level = 100.0 * self.level;
                writeln!(
                    out,
                    "  {level:.0} % intervals by {name:<16} hold {share:5.1} % of the true values, mean \
                     width {}",
                    short(c.width)
                )?;
            }
        }
        Ok(())
    }
}

/// The rows of a regime, in words.
pub(super) fn name_of(regime: Regime) -> &'static str {
    match regime {
        Regime::Interpolation => "a new model of a known family, within the range",
        Regime::NewFamily => "a new family, within the range",
        Regime::Extrapolation => "beyond the range of size or strength",
        Regime::BelowRange => "weaker than every training row",
    }
}

/// A number with four significant digits.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = (3 - value.abs().log10().floor() as i32).clamp(0, 12) as usize;
    format!("{value:.digits$}")
}
