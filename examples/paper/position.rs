//! (c) Emergence by position in natural sentences, beside the same words shuffled.

use surmise::Result;
use surmise::corpus::texts::Columns;
use surmise::corpus::{CorpusControl, Texts, WindowSettings};
use surmise::emergence;
use surmise::emergence::Profile;

use super::rank::correlation;
use super::series::mean_at;
use super::{Run, SEED, Verdict, facts, report_profiles, settings};

/// Tokens of a window.
pub const WINDOW: usize = 32;

pub fn measure_texts(run: &Run, name: &str, groups: &[Texts]) -> Result<Vec<Profile>> {
    let model = run.load(name)?;
    groups
        .iter()
        .map(|texts| {
            emergence::measure(&model, &window_settings(run).corpus(texts, &model.tokenizer)?, &settings())
        })
        .collect()
}

pub fn window_settings(run: &Run) -> WindowSettings {
    WindowSettings {
        window_tokens: WINDOW,
        windows: run.opts.windows,
        seed: SEED,
        control: Some(CorpusControl::Shuffled),
    }
}

pub fn measure(run: &Run) -> Result<Vec<Verdict>> {
    let folder = run.folder("position")?;
    let file = match &run.opts.texts {
        Some(file) => file.clone(),
        None => facts::write(&folder.join("facts.txt"), run.opts.windows)?,
    };
    let groups = Texts::read(&file, &Columns::default())?;
    let mut profiles = vec![];
    for name in run.readers() {
        profiles.extend(measure_texts(run, &name, &groups)?);
    }
    report_profiles(&profiles, "shots", &folder)?;
    let verdict = |profile: &Profile| {
        let curve = |control| -> Vec<(f64, f64)> {
            let point = |at: usize| Some((at as f64, mean_at(profile, at, control)?.emergence_nats));
            (1..=WINDOW).filter_map(point).collect()
        };
        let (text, shuffled) = (curve(None), curve(Some(CorpusControl::Shuffled.name())));
        let last = |curve: &[(f64, f64)]| {
            curve.iter().rev().take(WINDOW / 2).map(|point| point.1).sum::<f64>() / (WINDOW / 2) as f64
        };
        let rank = |curve: &[(f64, f64)]| correlation(curve).unwrap_or(f64::NAN);
        let end = mean_at(profile, WINDOW, None).zip(mean_at(profile, 1, None));
        let grown = end.is_some_and(|(end, start)| {
            end.emergence_nats - start.emergence_nats > 2.0 * end.stderr_nats.hypot(start.stderr_nats)
        });
        let numbers = format!(
            "{} on {}: rank correlation with position {:.2}, of the shuffled control {:.2}; mean of the \
             second half {:.2} nats, of the control {:.2}",
            profile.model.id,
            profile.corpus.name,
            rank(&text),
            rank(&shuffled),
            last(&text),
            last(&shuffled)
        );
        Verdict { shown: grown && rank(&text) > 0.5, numbers }
    };
    Ok(profiles.iter().map(verdict).collect())
}
