//! Whether the lists of a card fit each other. The hash says that a card is as somebody sealed it, not that
//! surmise did.

use super::file::Card;
use crate::calibration::candidates::Formula;
use crate::calibration::intervals::residuals::Residuals;
use crate::calibration::prediction::predict::check_level;
use crate::calibration::table::sample::distinct;
use crate::calibration::validation::fit::Chosen;

type Checked = Result<(), String>;

impl Card {
    /// The first list of a card that is not as long as the others ask for, or holds what no calibration
    /// writes.
    pub(crate) fn check_lengths(&self) -> Checked {
        let (basis, p) = (&self.fit.basis, self.columns.features.len());
        let of_features = [
            ("mean", &basis.mean),
            ("sd", &basis.sd),
            ("fill", &basis.fill),
            ("min", &basis.min),
            ("max", &basis.max),
            ("divisor", &basis.divisor),
            ("centre", &basis.centre),
        ];
        for (name, list) in of_features {
            length(&format!("fit.basis.{name}"), list.len(), p)?;
        }
        if let Some(name) = [("sd", &basis.sd), ("divisor", &basis.divisor), ("variances", &basis.variances)]
            .into_iter()
            .find_map(|(name, list)| list.iter().any(|value| *value <= 0.0).then_some(name))
        {
            return Err(format!("fit.basis.{name} holds a number that is not above 0"));
        }
        if basis.min.iter().zip(&basis.max).any(|(min, max)| min > max) {
            return Err("fit.basis.min holds a number above that of fit.basis.max".into());
        }
        for component in &basis.components {
            length("a component of fit.basis", component.len(), p)?;
        }
        length("fit.basis.variances", basis.variances.len(), basis.components.len())?;
        formula("fit.mean", &self.fit.mean, p)?;
        self.fit.size.as_ref().map_or(Ok(()), |size| formula("fit.size", size, p))?;
        for (name, chosen) in [("fit.within", &self.fit.within), ("fit.beyond", &self.fit.beyond)] {
            chosen.as_ref().map_or(Ok(()), |chosen| residuals(name, chosen, p))?;
        }
        let tried = [
            &self.backtest.target,
            &self.backtest.family,
            &self.backtest.forward,
            &self.backtest.forward_family,
        ];
        for coverage in tried.into_iter().flatten() {
            let name = "the levels and folds of a coverage in backtest";
            length(name, coverage.folds.len(), coverage.levels.len().max(1))?;
            if coverage.levels.iter().any(|[_, weight]| *weight <= 0.0) {
                return Err(format!("{name} hold a weight that is not above 0"));
            }
            if coverage.effective_n <= 0.0 {
                return Err("effective_n of a coverage in backtest is not above 0".into());
            }
        }
        if self.range.distances.is_empty() || !self.range.distances.is_sorted() {
            return Err("range.distances are not in rising order".into());
        }
        for (name, names) in [("targets", &self.rows.targets), ("families", &self.rows.families)] {
            if names.is_empty() || *names != distinct(names) {
                return Err(format!("rows.{name} are not names in sorted order"));
            }
        }
        if self.rows.n_without_family > self.rows.n {
            return Err("rows.n_without_family is more than rows.n".into());
        }
        length("rows.targets", self.rows.targets.len(), self.rows.n_targets)?;
        check_level(self.level).map_err(|error| error.to_string())
    }
}

fn length(name: &str, n: usize, asked: usize) -> Checked {
    if n == asked { Ok(()) } else { Err(format!("{name} holds {n} numbers where {asked} belong")) }
}

fn formula(name: &str, formula: &Formula, p: usize) -> Checked {
    length(&format!("{name}.coefficients"), formula.coefficients.len(), p)
}

fn residuals(name: &str, chosen: &Chosen, p: usize) -> Checked {
    formula(&format!("{name}.formula"), &chosen.formula, p)?;
    let splits = [
        ("target", &chosen.target, true),
        ("family", &chosen.family, true),
        ("forward", &chosen.forward, false),
    ];
    for (split, Residuals { folds, held, effective_n }, keep) in splits {
        folds.iter().try_for_each(|fold| formula(&format!("a fold of {name}.{split}"), fold, p))?;
        if let Some(row) = held.iter().find(|row| keep && row.fold >= folds.len()) {
            return Err(format!("{name}.{split} names fold {} of {}", row.fold, folds.len()));
        }
        if held.iter().any(|row| row.weight <= 0.0) {
            return Err(format!("{name}.{split} holds a weight that is not above 0"));
        }
        if !held.is_empty() && *effective_n <= 0.0 {
            return Err(format!("{name}.{split}.effective_n is not above 0"));
        }
    }
    Ok(())
}
