//! (c) Measures emergence by position in natural sentences, compared with the same words shuffled. With the
//! semantic estimand, measures the share by sentence in a list of facts, compared with the same list with
//! permuted answers.

use surmise::corpus::texts::Columns;
use surmise::corpus::{Category, CorpusControl, DesignSettings, PromptForm, Texts, WindowSettings};
use surmise::emergence;
use surmise::emergence::Profile;
use surmise::emergence::semantic::{self, Init, SemanticProfile, SemanticSettings};
use surmise::{Error, Result};

use super::designs::{self, above, how, measured, with_examples};
use super::rank::correlation;
use super::series::mean_at;
use super::{Run, SEED, Verdict, facts, report_profiles, settings};

/// Number of tokens in a window.
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

/// Categories of the lists of facts.
const LISTS: [&str; 2] = ["countries", "animals"];

/// Measures the share at the end of a list of facts by the number of its sentences ("For France, the answer
/// is Paris. For Peru, the answer is"), and the share for the same list with the answers permuted within
/// their relation. If a word-level tokenizer cannot spell the sentence, the form `arrow` is used.
pub fn semantic(run: &Run) -> Result<Vec<Verdict>> {
    let settings = SemanticSettings { permuted_answers: true, ..SemanticSettings::new(SEED, None) };
    let sentence = PromptForm::find("sentence").unwrap_or(how().form);
    let mut profiles = vec![];
    for name in run.readers() {
        let model = run.load(&name)?;
        for category in LISTS {
            let category = Category::load(category)?;
            let of = |form| measured(run, &model, &category, &DesignSettings { form, ..how() }, &settings);
            profiles.push(match of(sentence) {
                Err(Error::Corpus { .. }) => of(how().form)?,
                other => other?,
            });
        }
    }
    designs::write_summaries(&profiles, &run.folder("position")?.join("semantic.csv"))?;
    Ok(profiles.iter().map(by_sentence).collect())
}

fn by_sentence(profile: &SemanticProfile) -> Verdict {
    let summaries = with_examples(profile);
    let shares: Vec<_> = summaries.iter().filter_map(|summary| summary.share_mean).collect();
    let permuted = |shots: usize| {
        let rows = profile.readings.iter().filter(|reading| {
            (reading.shots, reading.init) == (shots, Init::Trained)
                && reading.control == Some(semantic::SemanticControl::PermutedAnswers)
                && reading.noise_scale == profile.default_noise_scale
                && reading.block > 1
        });
        let values: Vec<f64> = rows.map(|reading| reading.macro_share).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let list = |values: &mut dyn Iterator<Item = f64>| {
        values.map(|value| format!("{value:.2}")).collect::<Vec<_>>().join(" ")
    };
    let grown = match shares.as_slice() {
        [first, .., last] => above(*first, *last) > designs::BEYOND,
        _ => false,
    };
    let numbers = format!(
        "{} on {} ({}), after {} sentences: share {}; with permuted answers {}",
        profile.model.id,
        profile.corpus.name,
        profile.corpus.form,
        summaries.iter().map(|summary| summary.shots.to_string()).collect::<Vec<_>>().join(", "),
        list(&mut shares.iter().map(|share| share.value)),
        list(&mut summaries.iter().map(|summary| permuted(summary.shots)))
    );
    Verdict { shown: grown, numbers }
}

pub fn positional(run: &Run) -> Result<Vec<Verdict>> {
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
            "{} on {}: rank correlation with position {:.2}, for the shuffled control {:.2}; mean of the \
             second half {:.2} nats, for the control {:.2} nats",
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
