//! Writes the sentences about profiles: the measurements inside models.

use super::prose::Prose;
use super::recorded::Filed;
use super::words::{distinct, examples, numbers, sizes};
use crate::citations::{PAPER, of_estimator};
use crate::emergence::semantic::{SemanticControl, SemanticProfile};
use crate::emergence::{Micro, Profile};
use crate::error::{Error, Result};
use crate::model::ModelInfo;
use crate::numeric::shown::count;

/// Maximum number of models that a sentence lists by name.
const NAMED: usize = 8;

/// Describes a set of models, such as `3 models (a, b and c; 1.00 million to 2.00 million parameters)`.
fn models<'a>(all: impl Iterator<Item = &'a ModelInfo> + Clone) -> String {
    let mut ids: Vec<&str> = all.clone().map(|model| model.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let families: Option<Vec<&str>> = all.clone().map(|model| model.family.as_deref()).collect();
    let named = match families {
        _ if ids.len() <= NAMED => format!("{}; ", distinct(ids.iter())),
        Some(families) => {
            let mut distinct_families = families.clone();
            distinct_families.sort_unstable();
            distinct_families.dedup();
            let what = if distinct_families.len() == 1 { "family" } else { "families" };
            format!("of the {what} {}; ", distinct(families))
        }
        None => String::new(),
    };
    format!("{} ({named}{})", count(ids.len(), "model"), sizes(all.map(|model| model.n_params as f64)))
}

/// Describes the precision of the weights, and the device unless it is a CPU.
fn precision<'a>(all: impl Iterator<Item = &'a ModelInfo> + Clone) -> String {
    let dtypes = distinct(all.clone().map(|model| model.dtype.name()));
    let devices = distinct(all.map(|model| model.device.to_string()));
    let device = if devices == "cpu" { String::new() } else { format!(" on {devices}") };
    format!("Weights were used as {dtypes}{device}.")
}

/// Describes semantic profiles.
pub(super) fn semantic(profiles: &[SemanticProfile], prose: &mut Prose) {
    if profiles.is_empty() {
        return;
    }
    let all = profiles.iter();
    prose.say("We measured the semantic emergence").cite(&[PAPER]);
    prose.say(format!(
        " of {} on {} {} with prompts of a factorial design: S = {} example sets and X = {} queries for each \
         relation, {} in a prompt of the form {}, seed {}.",
        models(all.clone().map(|profile| &profile.model)),
        if profiles.iter().any(|profile| profile.corpus.name != profiles[0].corpus.name) {
            "the categories"
        } else {
            "the category"
        },
        distinct(all.clone().map(|profile| profile.corpus.name.as_str())),
        distinct(all.clone().map(|profile| profile.corpus.sets)),
        distinct(all.clone().map(|profile| profile.corpus.queries)),
        examples(all.clone().flat_map(|profile| profile.shots.iter().map(|summary| summary.shots))),
        distinct(all.clone().map(|profile| profile.corpus.form.as_str())),
        distinct(all.clone().map(|profile| profile.seed)),
    ));
    prose.say(format!(
        " The macro information of a block is a lower bound in expectation on the information that its \
         state at the last token has about the relation, computed from states with Gaussian noise of scale \
         b = {} relative to their spread. As a share of log 2 it is 0 at chance and 1 if every pair of \
         relations is distinguished. The headline is the mean share over blocks 2 to L. The information in \
         the output is computed with the logit lens",
        numbers(all.clone().map(|profile| profile.default_noise_scale)),
    ));
    prose.cite(&["nostalgebraist2020interpreting"]);
    prose.say("; standard errors are from a jackknife over queries and example sets");
    prose.cite(&["efron1981jackknife", "cameron2011robust"]).say(".");
    let seeds: Vec<u64> = all.clone().filter_map(|profile| profile.random_init_seed).collect();
    if !seeds.is_empty() {
        let seeds = distinct(seeds);
        prose.say(format!(" Randomly initialised copies (seed {seeds}) were measured on the same prompts."));
    }
    let control = |control: SemanticControl| {
        let has = |profile: &&SemanticProfile| {
            profile.readings.iter().any(|reading| reading.control == Some(control))
        };
        all.clone().any(|profile| has(&profile))
    };
    for (asked, what) in [
        (SemanticControl::PermutedAnswers, "the answers of the examples were permuted within their relation"),
        (SemanticControl::ForeignQuery, "the query was an entity of another category"),
    ] {
        if control(asked) {
            prose.say(format!(" In a control, {what}."));
        }
    }
    prose.say(format!(" {} ", precision(all.map(|profile| &profile.model))));
}

/// Describes positional profiles.
pub(super) fn positional(profiles: &[Filed<Profile>], prose: &mut Prose) -> Result<()> {
    if profiles.is_empty() {
        return Ok(());
    }
    let all = profiles.iter().map(|filed| &filed.record);
    prose.say("We measured the positional emergence");
    prose.cite(&[PAPER]).say(format!(
        " of {} on {}: the macro minus the micro mutual information between input and output of each block",
        models(all.clone().map(|profile| &profile.model)),
        distinct(all.clone().map(|profile| profile.corpus.name.as_str())),
    ));
    let first = all.clone().any(|profile| profile.estimator.micro == Micro::First);
    let alone = all.clone().any(|profile| profile.estimator.micro == Micro::Alone);
    prose.say(match (alone, first) {
        (true, false) => ", where the micro information uses the token without context",
        (false, _) => ", where the micro information uses the first token of each window",
        (true, true) => {
            ", where the micro information uses the token without context or the first token of each window"
        }
    });
    prose.say(format!(
        ". The measurement used {} windows of {} entities or tokens, seed {}. Mutual information was \
         estimated with ",
        distinct(all.clone().map(|profile| profile.corpus.n_windows)),
        distinct(all.clone().map(|profile| profile.corpus.shots)),
        distinct(all.clone().map(|profile| profile.estimator.seed)),
    ));
    let mut named: Vec<(&str, &Filed<Profile>)> =
        profiles.iter().map(|filed| (filed.record.estimator.name.as_str(), filed)).collect();
    named.sort_by_key(|(name, _)| *name);
    named.dedup_by_key(|(name, _)| *name);
    for (at, (name, filed)) in named.iter().enumerate() {
        prose.say(format!("{}the estimator {name}", if at == 0 { "" } else { " and " }));
        prose.cite(known_estimator(name, filed)?);
    }
    let scales: Vec<f64> =
        all.clone().flat_map(|profile| profile.estimator.noise_scales.iter().copied()).collect();
    if !scales.is_empty() {
        let relative = distinct(all.clone().map(|profile| profile.estimator.scale.name()));
        prose.say(format!(
            " at noise scales b = {} relative to the {relative} of the states",
            numbers(scales)
        ));
    }
    let seeds = distinct(all.clone().map(|profile| profile.random_init_seed));
    prose.say(format!(". Randomly initialised copies (seed {seeds}) were measured on the same windows"));
    if all.clone().any(|profile| profile.corpus.control.is_some()) {
        prose.say(", and shuffled texts were measured as a control");
    }
    prose.say(format!(". {} ", precision(all.map(|profile| &profile.model))));
    Ok(())
}

/// The references of an estimator named in a file.
pub(super) fn known_estimator<T>(name: &str, filed: &Filed<T>) -> Result<&'static [&'static str]> {
    of_estimator(name).ok_or_else(|| {
        let reason = format!(
            "names the estimator `{name}`, which this version of surmise does not support; use the version \
             that wrote the file"
        );
        Error::Config { path: filed.path.clone(), reason }
    })
}
