//! The status lines about a positional profile: the headline with its error and bounds, and advice if the
//! headline is unreliable.

use std::collections::BTreeSet;

use crate::corpus::CorpusControl;
use crate::emergence::{Headline, Profile};
use crate::mi::Flag;

/// How to read an estimate of an estimator other than `channel`.
pub(super) const DETERMINISTIC: &str = "states are deterministic functions of tokens: without noise, the \
                                        information of every model from the second block on equals the \
                                        entropy of the context; the estimate shows how much of this entropy \
                                        the estimator detects with this number of windows, and may reflect \
                                        the estimator's ceiling rather than the model";

/// The note on the comparability of positional emergence.
pub(super) const NOT_ACROSS_FAMILIES: &str = "note: positional emergence depends on tokenizer, BOS and \
                                              attention sinks; it is not comparable across families of \
                                              models";

/// Describes how the estimate was made: the noise scale or, for an estimator without noise scales, its name
/// and its warnings.
fn how(profile: &Profile, noise_scale: Option<f64>) -> String {
    if let Some(noise_scale) = noise_scale {
        return format!("at b = {noise_scale}");
    }
    let sides = profile.blocks.iter().flat_map(|reading| [&reading.macro_mi, &reading.micro_mi]);
    let flags: BTreeSet<&str> = sides.flat_map(|side| side.flags.iter().map(Flag::name)).collect();
    let flags: Vec<&str> = flags.into_iter().collect();
    let warned = if flags.is_empty() { String::new() } else { format!(" [{}]", flags.join(", ")) };
    format!("by {}{warned}", profile.estimator.name)
}

fn stderr(headline: &Headline) -> String {
    headline.stderr_nats.map_or("unknown".into(), |stderr| format!("{stderr:.3}"))
}

/// The bounds of the headline, if the estimator has any.
fn bounds(profile: &Profile) -> String {
    let bounds = profile.reliability().bounds_nats;
    bounds.map_or_else(String::new, |[lower, upper]| format!(", bounds {lower:.3} to {upper:.3}"))
}

/// One line of status about a profile.
pub(super) fn summary(profile: &Profile) -> String {
    let (model, corpus) = (&profile.model.id, &profile.corpus.name);
    let bos = profile.corpus.bos.name();
    match (&profile.headline, profile.control_headline()) {
        (Some(h), Some(control)) => format!(
            "{model} on {corpus}: {} windows, BOS {bos}, emergence at the last position {:.3} +- {} nats \
             {}{}; {} {:.3}, difference {:.3}",
            profile.corpus.n_windows,
            h.emergence_nats,
            stderr(h),
            how(profile, h.noise_scale),
            bounds(profile),
            profile.corpus.control.map_or("", CorpusControl::name),
            control.emergence_nats,
            h.emergence_nats - control.emergence_nats,
        ),
        (Some(h), None) => format!(
            "{model} on {corpus}: BOS {bos}, emergence {:.3} +- {} nats {}{} (randomly initialised model \
             {:.3}, learned {:.3})",
            h.emergence_nats,
            stderr(h),
            how(profile, h.noise_scale),
            bounds(profile),
            h.random_init_nats,
            h.learned_nats
        ),
        (None, _) => {
            format!(
                "{model} on {corpus}: the model has only one block, so it has no headline, which is a mean \
                 over the blocks from the second on; the rows contain the measurements"
            )
        }
    }
}

/// Warnings about a profile, a line each.
pub(super) fn advice(profile: &Profile) -> Vec<String> {
    let (model, corpus) = (&profile.model.id, &profile.corpus.name);
    let advice = profile.reliability().advice();
    advice.into_iter().map(|advice| format!("warning: {model} on {corpus}: {advice}")).collect()
}
