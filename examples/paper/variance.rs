//! (b) Measures the variance of emergence over inputs by number of shots, and its relation to error
//! ("hallucination").

use surmise::Result;
use surmise::collect::{Completion, local};
use surmise::corpus::Category;
use surmise::corpus::category::DEFAULT;
use surmise::emergence::semantic::{SemanticProfile, ShotSummary};

use super::designs::{self, with_examples};
use super::rank::{Correlations, correlation};
use super::series::{SHOTS, mean_at};
use super::{Run, SEED, Verdict, report_profiles};

/// Number of lists per relation from which the error is computed.
const LISTS: usize = 100;

/// The variance of the share over queries and example sets: its squared standard error, because all profiles
/// have the same design.
pub fn semantic(run: &Run) -> Result<Vec<Verdict>> {
    let profiles = run.designs.profiles(run)?;
    designs::write_summaries(profiles, &run.folder("variance")?.join("semantic.csv"))?;
    let curve = |profile: &SemanticProfile| -> Curve {
        let point = |summary: &ShotSummary| {
            let variance = summary.share_mean?.stderr?.powi(2);
            Some((summary.shots as f64, 1.0 - summary.accuracy?.value, variance))
        };
        with_examples(profile).into_iter().filter_map(point).collect()
    };
    let curves: Vec<Curve> = profiles.iter().map(curve).collect();
    Ok(vec![verdict(&curves, DEFAULT.len(), designs::SHOTS.len() - 1)])
}

pub fn positional(run: &Run) -> Result<Vec<Verdict>> {
    let profiles = run.series.profiles(run)?;
    report_profiles(profiles, "shots", &run.folder("variance")?)?;
    let tasks =
        DEFAULT.into_iter().map(|name| Completion::draw(&Category::load(name)?, SHOTS - 1, LISTS, SEED));
    let tasks = tasks.collect::<Result<Vec<_>>>()?;
    let n_corpora = tasks.len();
    let mut curves: Vec<Curve> = vec![];
    for (name, of) in run.models.iter().zip(profiles.chunks(n_corpora)) {
        let model = run.load(name)?;
        for (profile, task) in of.iter().zip(&tasks) {
            let scores = local::grade(&model, task)?;
            // Entity k of a series follows k - 1 entities, as a question with k - 1 shots follows examples.
            let curve = scores.iter().filter_map(|score| {
                let mean = mean_at(profile, score.shots + 1, None)?;
                Some((score.shots as f64, 1.0 - score.accuracy?, mean.variance_nats2))
            });
            curves.push(curve.collect());
        }
    }
    Ok(vec![verdict(&curves, n_corpora, SHOTS)])
}

/// `(shots, error, variance)` of a model and category, by increasing number of shots.
type Curve = Vec<(f64, f64, f64)>;

fn verdict(curves: &[Curve], n_corpora: usize, n_shots: usize) -> Verdict {
    let by_shots =
        curves.iter().map(|curve| correlation(&curve.iter().map(|p| (p.0, p.2)).collect::<Vec<_>>()));
    let by_error =
        curves.iter().map(|curve| correlation(&curve.iter().map(|p| (p.1, p.2)).collect::<Vec<_>>()));
    // More shots may lower both error and variance. Therefore the error is also compared within one number of
    // shots and one category, where only the models differ.
    let mut at_equal_shots = vec![];
    for category in 0..n_corpora {
        for shots in 0..n_shots {
            let points = curves.iter().skip(category).step_by(n_corpora).filter_map(|curve| curve.get(shots));
            at_equal_shots.push(correlation(&points.map(|p| (p.1, p.2)).collect::<Vec<_>>()));
        }
    }
    let (shots, error) = (Correlations::of(by_shots), Correlations::of(by_error));
    let equal = Correlations::of(at_equal_shots);
    let say = |name: &str, of: &Option<Correlations>| {
        of.as_ref().map_or(format!("{name}: too few points"), |of| format!("{name} {of}"))
    };
    // The paper does not state the direction of the relation with shots, so this test is two-sided. It states
    // that models with more errors vary more, so the test with error is one-sided.
    let with_shots = shots.as_ref().is_some_and(|of| of.p_value <= 0.025 || of.p_value >= 0.975);
    let with_error = equal.as_ref().or(error.as_ref()).is_some_and(Correlations::are_positive);
    let numbers = format!(
        "rank correlation of the variance {}; {}; {}",
        say("with shots", &shots),
        say("with error over shots", &error),
        say("with error over models at equal shots and category", &equal)
    );
    Verdict { shown: with_shots && with_error, numbers }
}
