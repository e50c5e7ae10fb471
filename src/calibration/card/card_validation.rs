//! Checks that the members of a card are consistent. The hash detects edits; it does not authenticate the
//! author.

use super::contents::Card;
use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::factor_model::{FactorModel, MOST_FACTORS};
use crate::calibration::candidates::fitted::FittedCandidate;
use crate::calibration::intervals::method::check_level;
use crate::calibration::intervals::residuals::Residuals;
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::folds::Split;
use crate::calibration::table::sample::distinct;
use crate::calibration::validation::coverage::Backtest;

/// Upper bound of the number of folds of a split.
const MOST_FOLDS: usize = 64;

type Checked = Result<(), String>;

/// Checks a card. The error names the first member that is invalid or whose length disagrees with other
/// members.
pub(super) fn check_card(card: &Card) -> Checked {
    let p = card.columns.features.len();
    check_basis(&card.fit.basis, p)?;
    check_fitted("fit.mean", &card.fit.mean, p)?;
    card.fit.size.as_ref().map_or(Ok(()), |size| check_fitted("fit.size", size, p))?;
    let selected = [
        ("fit.known_family", &card.fit.known_family),
        ("fit.within_range", &card.fit.within_range),
        ("fit.beyond_range", &card.fit.beyond_range),
        ("fit.below_range", &card.fit.below_range),
    ];
    card.training.sample(p)?;
    for (name, selected) in selected {
        selected
            .as_ref()
            .map_or(Ok(()), |selected| check_selected(name, selected, p, card.training.cells.len()))?;
    }
    check_backtest(&card.backtest)?;
    if card.range.distances.is_empty() || !card.range.distances.is_sorted() {
        return Err("range.distances is empty or not sorted in ascending order".into());
    }
    for (name, names) in [("models", &card.rows.models), ("families", &card.rows.families)] {
        if names.is_empty() || *names != distinct(names) {
            return Err(format!("rows.{name} is empty, unsorted or has duplicates"));
        }
    }
    if card.rows.n_without_family > card.rows.n {
        return Err("rows.n_without_family is more than rows.n".into());
    }
    length("rows.models", card.rows.models.len(), card.rows.n_models)?;
    check_level(card.level).map_err(|error| error.to_string())
}

fn check_basis(basis: &Basis, p: usize) -> Checked {
    let of_features = [
        ("mean", &basis.mean),
        ("sd", &basis.sd),
        ("min", &basis.min),
        ("max", &basis.max),
        ("divisor", &basis.divisor),
        ("centre", &basis.centre),
    ];
    for (name, list) in of_features {
        length(&format!("fit.basis.{name}"), list.len(), p)?;
    }
    let FactorModel { mean, loadings, noise } = &basis.factors;
    for (name, found) in [("mean", mean.len()), ("loadings", loadings.len()), ("noise", noise.len())] {
        length(&format!("fit.basis.factors.{name}"), found, p + 1)?;
    }
    let k = loadings[0].len();
    if k > MOST_FACTORS || loadings.iter().any(|row| row.len() != k) {
        return Err(
            "fit.basis.factors.loadings has rows of different lengths, or rows with too many numbers".into(),
        );
    }
    if noise.iter().any(|value| *value <= 0.0) || basis.log10_size_sd <= 0.0 {
        return Err("fit.basis contains a noise variance or a log10_size_sd that is not above 0".into());
    }
    let positive = [("sd", &basis.sd), ("divisor", &basis.divisor), ("variances", &basis.variances)];
    for (name, list) in positive {
        if list.iter().any(|value| *value <= 0.0) {
            return Err(format!("fit.basis.{name} contains a number that is not above 0"));
        }
    }
    if basis.min.iter().zip(&basis.max).any(|(min, max)| min > max) {
        return Err(
            "fit.basis.min contains a number that is larger than the same entry of fit.basis.max".into()
        );
    }
    for component in &basis.components {
        length("a component of fit.basis", component.len(), p)?;
    }
    length("fit.basis.variances", basis.variances.len(), basis.components.len())
}

fn check_fitted(name: &str, fitted: &FittedCandidate, p: usize) -> Checked {
    fitted.model().check(p).map_err(|reason| format!("{name}.parameters.{reason}"))
}

fn check_selected(name: &str, selected: &SelectedCandidate, p: usize, n: usize) -> Checked {
    check_fitted(&format!("{name}.fitted"), &selected.fitted, p)?;
    for split in Split::ALL {
        let Residuals { held_out, effective_n } = selected.residuals.get(split);
        let name = format!("{name}.residuals.{}", split.name());
        if let Some(row) = held_out.iter().find(|row| row.row >= n || row.fold >= n.max(MOST_FOLDS)) {
            return Err(format!(
                "{name} refers to a row or fold that does not exist (row {}, fold {}; there are {n} rows)",
                row.row, row.fold
            ));
        }
        if held_out.iter().any(|row| row.weight <= 0.0) {
            return Err(format!("{name} contains a weight that is not above 0"));
        }
        if !held_out.is_empty() && *effective_n <= 0.0 {
            return Err(format!("{name}.effective_n is not above 0"));
        }
    }
    Ok(())
}

fn check_backtest(backtest: &Backtest) -> Checked {
    let Backtest { leave_model_out, leave_family_out, forward, backward, forward_new_family, .. } = backtest;
    let all = [leave_model_out, leave_family_out, forward, backward, forward_new_family];
    for coverage in all.into_iter().flatten() {
        let name = "a coverage in backtest";
        length("a list of folds in backtest", coverage.folds.len(), coverage.levels.len().max(1))?;
        if coverage.levels.iter().any(|[_, weight]| *weight <= 0.0) {
            return Err(format!("{name} contains a weight that is not above 0"));
        }
        if coverage.effective_n <= 0.0 {
            return Err("effective_n of a coverage in backtest is not above 0".into());
        }
    }
    Ok(())
}

fn length(name: &str, n: usize, expected: usize) -> Checked {
    if n == expected { Ok(()) } else { Err(format!("{name} has {n} numbers, but {expected} are expected")) }
}
