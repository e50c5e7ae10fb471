//! The table of estimators. `surmise list estimators`, `--help` and the contract tests read it.

use super::Estimator;
use super::estimators::cca_ksg::CcaKsg;
use super::estimators::channel::Channel;
use super::estimators::dv::Dv;
use super::estimators::ensemble::Ensemble;
use super::estimators::gaussian::Gaussian;
use super::estimators::hybrid::Hybrid;
use super::estimators::infonce::InfoNce;
use super::estimators::ksg::Ksg;
use super::estimators::mine_paper::MinePaper;
use super::estimators::plugin::Plugin;
use super::estimators::t_copula::TCopula;
use crate::{Result, names};

/// All estimators in listing order. The first is the default of `measure`.
pub static ALL: &[&dyn Estimator] = &[
    &Channel::DEFAULT,
    &Hybrid,
    &Ensemble,
    &TCopula,
    &Gaussian,
    &CcaKsg,
    &Ksg,
    &Plugin,
    &Dv,
    &InfoNce,
    &MinePaper,
];

/// The default estimator for arbitrary samples: the most accurate one.
pub static DEFAULT: &dyn Estimator = &Ensemble;

/// Finds an estimator by name.
///
/// # Errors
/// [`crate::Error::Unknown`], which lists the known names.
pub fn find(name: &str) -> Result<&'static dyn Estimator> {
    names::find(name, ALL, |estimator| estimator.name()).copied().ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|estimator| estimator.name()).collect();
        let hint = format!("choose one of {}", known.join(", "));
        names::unknown("estimator", name, known, &hint)
    })
}
