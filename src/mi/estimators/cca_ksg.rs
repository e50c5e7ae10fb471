//! `cca-ksg`: `ksg` on the leading canonical variates, for many dimensions that share few.
//!
//! Coordinates are brought to normal scores; of the canonical correlations those above what independent
//! samples would show, `sqrt(d_x / n) + sqrt(d_y / n)`, are kept, one to three. Projections lose information
//! and never add any, so the number errs downwards, except that the directions were chosen on the same
//! samples.
//!
//! # References
//! Hotelling 1936; Kraskov, Stögbauer, Grassberger 2004; Wachter 1980 (largest correlation of independent
//! samples).

use ndarray::{Array2, ArrayView2, s};

use super::ksg::{mean_and_stderr, need_neighbours, terms_nats, together};
use crate::mi::samples::paired::{Found, Samples};
use crate::mi::{About, Estimate, Estimator, Kind};
use crate::numeric::linear::{Canonical, canonical, covariance};
use crate::numeric::normal_scores::normal_scores;
use crate::{Error, Result};

/// Variates that are kept at most.
const MOST_VARIATES: usize = 3;

/// The estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct CcaKsg;

impl Estimator for CcaKsg {
    fn name(&self) -> &'static str {
        "cca-ksg"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Consistent,
            what: "ksg on one to three leading canonical variates of the normal scores",
            reference: "Hotelling 1936; Kraskov, Stoegbauer, Grassberger 2004",
            cost: "n d^2 and ksg in at most 3 + 3 columns: .03 s at n = 5000",
            limits: "n >= d_x + d_y + 2; of what is shared it sees three linear projections",
        }
    }

    fn estimate(&self, x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let mut samples = Samples::new(self.name(), x, y)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        samples.need_covariance()?;
        need_neighbours(&samples)?;
        if let Some(infinite) = samples.need_independent_ranks(kind) {
            return Ok(vec![infinite]);
        }
        samples.jitter(seed);
        let scores = samples.take_scores();
        let dx = samples.dx();
        let Some(view) = View::new(&scores, dx) else {
            let reason =
                "the covariance of the normal scores is singular; drop columns that are functions of others";
            return Err(Error::Samples { estimator: self.name(), reason: reason.to_owned() });
        };
        let (u, v) = view.project(&scores, dx);
        let (mi_nats, stderr) = mean_and_stderr(&terms_nats(&u, &v));
        let stderr = stderr * together(&u, &v, stderr);
        Ok(vec![samples.report(kind, Found { mi_nats, stderr_nats: Some(stderr), ..Found::default() })])
    }
}

/// Leading canonical directions.
#[derive(Debug, Clone)]
pub(crate) struct View {
    directions: Canonical,
    variates: usize,
}

impl View {
    /// The variates of joint normal scores above what independent samples would show; `None` where a block is
    /// singular.
    pub(crate) fn new(scores: &Array2<f64>, dx: usize) -> Option<Self> {
        let (n, d) = scores.dim();
        let directions = canonical(&covariance(scores.view()), dx, 0.0)?;
        let edge = (dx as f64 / n as f64).sqrt() + ((d - dx) as f64 / n as f64).sqrt();
        let above = directions.correlations.iter().filter(|r| **r > edge).count();
        let variates = above.clamp(1, MOST_VARIATES.min(directions.correlations.len()));
        Some(Self { directions, variates })
    }

    /// The variates of other samples in the same coordinates, as normal scores.
    pub(crate) fn project(&self, scores: &Array2<f64>, dx: usize) -> (Array2<f64>, Array2<f64>) {
        let take = |directions: &Array2<f64>| directions.slice(s![..self.variates, ..]).t().to_owned();
        let u = scores.slice(s![.., ..dx]).dot(&take(&self.directions.x_directions));
        let v = scores.slice(s![.., dx..]).dot(&take(&self.directions.y_directions));
        (normal_scores(&u), normal_scores(&v))
    }
}
