//! (a) Emergence by number of shots, in each category.

use surmise::Result;

use super::rank::Correlations;
use super::series::{SHOTS, mean_at};
use super::{Run, Verdict, report_profiles};

/// Standard errors by which one shot has to be above another.
const BEYOND: f64 = 2.0;

pub fn measure(run: &Run) -> Result<Vec<Verdict>> {
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
        "by more than {BEYOND} standard errors from shot 1 to 2 in {} of {n} (model, category), from 2 to \
         {SHOTS} in {}{late}",
        grown[0], grown[1]
    );
    Ok(vec![Verdict { shown: n > 0 && grown == [n, n], numbers }])
}
