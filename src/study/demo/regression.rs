//! The line's own regression of emergence on what can be known of a target without opening it, with its error
//! under leave-one-target-out beside that of two baselines.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::ols::{Interval, Ols};
use crate::disk::{self, Schema};
use crate::emergence::Profile;
use crate::error::{Error, Result};
use crate::mi::Scale;
use crate::observations::Observation;
use crate::seed::sha256_hex;

/// Widest gap between the bounds that a calibration accepts in its training profiles.
const WIDEST_GAP_NATS: f64 = 0.3;

/// The fitted regression with its provenance and validity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    /// Form and version of the file.
    pub schema: Schema,
    /// The column that is predicted.
    pub target: String,
    /// Its unit.
    pub unit: String,
    /// What a row must have been measured with.
    pub validity: Validity,
    /// Families of the training targets.
    pub families: Vec<String>,
    /// The training targets.
    pub models: Vec<String>,
    /// Seed of corpora, noise, random init and tasks of the training rows.
    pub seed: u64,
    /// Training rows.
    pub n: usize,
    /// The regression.
    pub ols: Ols,
    /// Root mean square error under leave-one-target-out: what scales the interval.
    pub loto_rmse_nats: f64,
    /// Mean absolute errors under leave-one-target-out.
    pub loto_mae_nats: Errors,
    /// SHA-256 of the training observations as CSV.
    pub observations_sha256: String,
}

/// The conditions a card holds for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Validity {
    /// Scale of the estimator.
    pub scale: Scale,
    /// Setting of the estimator.
    pub noise_scale: f64,
    /// Entities per series.
    pub shots: usize,
    /// Windows per profile.
    pub n_windows: usize,
    /// SHA-256 of each corpus.
    pub corpora_sha256: Vec<String>,
}

/// Mean absolute error of the calibration beside the two baselines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// The regression.
    pub calibration: f64,
    /// A line in log10 parameters, per corpus.
    pub size_line: f64,
    /// The mean of the training targets, per corpus.
    pub mean: f64,
}

/// The smallest noise scale at which the bounds of all readings of `profiles` are at most 0.3 nat apart; `None`
/// for profiles of an estimator that has no noise scale.
///
/// # Errors
/// [`Error::Fit`] if there is none.
pub fn choose_noise_scale<'a>(profiles: impl IntoIterator<Item = &'a Profile>) -> Result<Option<f64>> {
    let profiles: Vec<_> = profiles.into_iter().collect();
    let noise_scales = profiles.first().map(|p| p.estimator.noise_scales.clone()).unwrap_or_default();
    if noise_scales.is_empty() && !profiles.is_empty() {
        return Ok(None);
    }
    let fits =
        |noise_scale: &f64| profiles.iter().all(|p| p.widest_gap_nats(*noise_scale) <= WIDEST_GAP_NATS);
    noise_scales.into_iter().find(fits).map(Some).ok_or_else(|| Error::Fit {
        reason: format!(
            "at no noise_scale are all bounds within {WIDEST_GAP_NATS} nat; measure more windows (--windows) or \
             fewer shots"
        ),
    })
}

/// Fits the regression on observations whose emergence is known.
///
/// # Errors
/// [`Error::Fit`] if rows lack their answer, were measured differently, or cannot carry the regression.
pub fn fit(rows: &[Observation], seed: u64) -> Result<Regression> {
    let first = rows.first().ok_or_else(|| Error::Fit { reason: "there are no observations".into() })?;
    let mut validity = Validity::of(first);
    for row in rows {
        if !validity.corpora_sha256.contains(&row.corpus_sha256) {
            validity.corpora_sha256.push(row.corpus_sha256.clone());
        }
        validity.admit(row)?;
    }
    let ols = regress(rows)?;
    let mut models: Vec<String> = rows.iter().map(|row| row.target_model.clone()).collect();
    models.dedup();
    let mut families: Vec<String> = rows.iter().map(|row| row.family.clone()).collect();
    families.sort_unstable();
    families.dedup();

    // Rows of one target share its scores and its proxy: a fold leaves out the whole target.
    let mut residuals: Vec<[f64; 3]> = vec![];
    for model in &models {
        let (out, rest): (Vec<_>, Vec<_>) = rows.iter().cloned().partition(|row| row.target_model == *model);
        let (regression, baseline) = (regress(&rest)?, Baseline::fit(&rest)?);
        for row in &out {
            let y = answer(row)?;
            residuals.push([
                regression.value(&row.features()) - y,
                baseline.size_line(row)? - y,
                baseline.mean(row)? - y,
            ]);
        }
    }
    let mae = |at: usize| residuals.iter().map(|r| r[at].abs()).sum::<f64>() / residuals.len() as f64;
    let csv = disk::csv_bytes(std::path::Path::new("observations.csv"), rows)?;
    Ok(Regression {
        schema: Schema::new("line", 1),
        target: "emergence_nats".into(),
        unit: "nats".into(),
        validity,
        families,
        models,
        seed,
        n: rows.len(),
        ols,
        loto_rmse_nats: (residuals.iter().map(|r| r[0] * r[0]).sum::<f64>() / residuals.len() as f64).sqrt(),
        loto_mae_nats: Errors { calibration: mae(0), size_line: mae(1), mean: mae(2) },
        observations_sha256: sha256_hex(&csv),
    })
}

fn regress(rows: &[Observation]) -> Result<Ols> {
    let p = Observation::FEATURES.len();
    let values: Vec<f64> = rows.iter().flat_map(Observation::features).collect();
    let x =
        Array2::from_shape_vec((rows.len(), p), values).map_err(|e| Error::Fit { reason: e.to_string() })?;
    let y = rows.iter().map(answer).collect::<Result<Vec<_>>>()?;
    Ols::fit(&Observation::FEATURES, &x, &y)
}

pub(crate) fn answer(row: &Observation) -> Result<f64> {
    row.emergence_nats.ok_or_else(|| Error::Fit {
        reason: format!(
            "the emergence of {} on {} is not known; fit on open models",
            row.target_model, row.corpus
        ),
    })
}

impl Regression {
    /// Predicts the emergence of a row's target, with an interval of nominal coverage `level`.
    ///
    /// The interval is the t interval of the regression with two changes that a few targets ask for: its
    /// scale is the larger of the residual standard deviation and the leave-one-target-out error, and its
    /// degrees of freedom count targets, not rows, because the rows of one target stand or fall together.
    ///
    /// # Errors
    /// [`Error::Fit`] for a row measured otherwise than the card allows, [`Error::Parameter`] for a level
    /// outside (0, 1).
    pub fn predict(&self, row: &Observation, level: f64) -> Result<Interval> {
        self.validity.admit(row)?;
        let sd = self.loto_rmse_nats.max(self.ols.residual_sd);
        self.ols.interval(&row.features(), level, sd, self.models.len().saturating_sub(1))
    }
}

impl Validity {
    fn of(row: &Observation) -> Self {
        Self {
            scale: row.scale,
            noise_scale: row.noise_scale,
            shots: row.shots,
            n_windows: row.n_windows,
            corpora_sha256: vec![row.corpus_sha256.clone()],
        }
    }

    fn admit(&self, row: &Observation) -> Result<()> {
        let asked = Self::of(row);
        let alike = (asked.scale, asked.noise_scale, asked.shots, asked.n_windows)
            == (self.scale, self.noise_scale, self.shots, self.n_windows)
            && self.corpora_sha256.contains(&row.corpus_sha256);
        if alike {
            return Ok(());
        }
        let reason = format!(
            "{} on {} was measured with {} shots, {} windows, b = {} ({:?}), corpus {:.8}; the card holds \
             for {} shots, {} windows, b = {} ({:?}) and its own corpora",
            row.target_model,
            row.corpus,
            asked.shots,
            asked.n_windows,
            asked.noise_scale,
            asked.scale,
            row.corpus_sha256,
            self.shots,
            self.n_windows,
            self.noise_scale,
            self.scale
        );
        Err(Error::Fit { reason })
    }
}
