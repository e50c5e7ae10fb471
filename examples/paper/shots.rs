//! (a) Measures emergence by number of shots, in each category.

use surmise::Result;

use super::designs::{self, above, with_examples};
use super::rank::Correlations;
use super::series::{SHOTS, mean_at};
use super::{Run, Verdict, report_profiles};

/// Emergence counts as growing from one shot to another if the difference is larger than this many standard
/// errors.
const BEYOND: f64 = 2.0;

/// Verdict on how the share of semantic information (the mean over blocks) grows with the number of examples.
pub fn semantic(run: &Run) -> Result<Vec<Verdict>> {
    let profiles = run.designs.profiles(run)?;
    designs::write_summaries(profiles, &run.folder("shots")?.join("semantic.csv"))?;
    let steps = designs::SHOTS.iter().filter(|shots| **shots > 0).zip(designs::SHOTS.iter().skip(2));
    let mut steps: Vec<_> = steps.map(|(from, to)| (*from, *to, 0)).collect();
    let (mut n, mut grown, mut first_shares, mut last_shares) = (0, 0, 0.0, 0.0);
    for profile in profiles {
        let summaries = with_examples(profile);
        let (Some(first), Some(last)) = (summaries.first(), summaries.last()) else { continue };
        let Some((first, last)) = first.share_mean.zip(last.share_mean) else { continue };
        n += 1;
        first_shares += first.value;
        last_shares += last.value;
        grown += usize::from(above(first, last) > designs::BEYOND);
        for summary in summaries {
            let change = summary
                .share_mean_change
                .filter(|change| change.value > designs::BEYOND * change.stderr.unwrap_or(f64::INFINITY));
            let step = steps.iter_mut().find(|(_, to, _)| *to == summary.shots);
            step.into_iter().for_each(|step| step.2 += usize::from(change.is_some()));
        }
    }
    let by_step = steps.iter().map(|(from, to, count)| format!("from {from} to {to} in {count}"));
    let numbers = format!(
        "the share (mean over blocks) grows by more than {} standard errors from the fewest to the most \
         examples in {grown} of {n} pairs of model and category, from {:.2} to {:.2} on average; {}",
        designs::BEYOND,
        first_shares / n as f64,
        last_shares / n as f64,
        by_step.collect::<Vec<_>>().join(", ")
    );
    Ok(vec![Verdict { shown: n > 0 && grown == n, numbers }])
}

pub fn positional(run: &Run) -> Result<Vec<Verdict>> {
    let profiles = run.series.profiles(run)?;
    report_profiles(profiles, "shots", &run.folder("shots")?)?;
    let mut grown = [0, 0];
    let mut slopes = vec![];
    let mut n = 0;
    for profile in profiles {
        let curve: Vec<_> = (1..=SHOTS).filter_map(|shot| mean_at(profile, shot, None)).collect();
        let [first, second, .., last] = curve.as_slice() else { continue };
        n += 1;
        for (count, (from, to)) in grown.iter_mut().zip([(first, second), (second, last)]) {
            let spread = from.stderr_nats.hypot(to.stderr_nats);
            *count += usize::from(to.emergence_nats - from.emergence_nats > BEYOND * spread);
        }
        slopes.push(Some(last.emergence_nats - second.emergence_nats));
    }
    let late = Correlations::of(slopes);
    let late = late.map_or(String::new(), |late| {
        format!(
            "; from 2 to {SHOTS} by {:.2} nats on average, upwards in {} of {}",
            late.mean, late.n_positive, late.n
        )
    });
    let numbers = format!(
        "emergence grows by more than {BEYOND} standard errors from shot 1 to 2 in {} of {n} pairs of model \
         and category, and from shot 2 to {SHOTS} in {}{late}",
        grown[0], grown[1]
    );
    Ok(vec![Verdict { shown: n > 0 && grown == [n, n], numbers }])
}
