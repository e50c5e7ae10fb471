//! Writes the sentences about the questions that models were asked.

use super::prose::Prose;
use super::recorded::Filed;
use super::records::{CollectionRecord, StudyRecord};
use super::words::{distinct, examples, list};
use crate::error::{Error, Result};
use crate::numeric::shown::count;

/// Maximum number of models that a sentence lists by name.
const NAMED: usize = 8;

/// Describes the closed models of each study.json.
pub(super) fn studies(studies: &[Filed<StudyRecord>], prose: &mut Prose) -> Result<()> {
    for Filed { path, record: study } in studies {
        if study.settings.estimand != "semantic" {
            let estimand = &study.settings.estimand;
            let reason = format!(
                "names the estimand `{estimand}`, which this version of surmise does not support; use the \
                 version that wrote the file"
            );
            return Err(Error::Config { path: path.clone(), reason });
        }
        let targets: Vec<String> = study
            .targets
            .iter()
            .map(|target| {
                let name = if target.id == target.model {
                    target.id.clone()
                } else {
                    format!("{}, with the API name {}", target.id, target.model)
                };
                let place = match &target.base_url {
                    Some(url) => format!("{} at {url}", target.provider),
                    None => target.provider.clone(),
                };
                format!("{name} ({place})")
            })
            .collect();
        prose.say(format!(
            "In the study (seed {}), {} {} treated as closed: {}.",
            study.seed,
            count(targets.len(), "model"),
            if targets.len() == 1 { "was" } else { "were" },
            list(targets)
        ));
        if !study.settings.tasks.is_empty() {
            prose.say(format!(" Every model was also tested on the tasks {}.", list(&study.settings.tasks)));
        }
        prose.say(if study.settings.sizes {
            " The published sizes of closed models were used as a feature. "
        } else {
            " The sizes of closed models were not used. "
        });
    }
    Ok(())
}

/// Describes the collections of each summary.json. Models with the same settings share a sentence.
pub(super) fn collections(collections: &[CollectionRecord], prose: &mut Prose) {
    let mut groups: Vec<(String, Vec<&CollectionRecord>)> = vec![];
    for collection in collections {
        let how = how(collection);
        match groups.iter_mut().find(|(other, _)| *other == how) {
            Some((_, group)) => group.push(collection),
            None => groups.push((how, vec![collection])),
        }
    }
    for (how, group) in &groups {
        let models: Vec<&str> = group.iter().map(|one| one.configuration.model.as_str()).collect();
        let who = if models.len() > NAMED {
            count(models.len(), "model")
        } else {
            format!("The {} {}", if models.len() == 1 { "model" } else { "models" }, distinct(models.clone()))
        };
        let was = if models.len() == 1 { "was" } else { "were" };
        prose.say(format!("{who} {was} asked through {how}"));
        let snapshots: Vec<&str> =
            group.iter().flat_map(|one| one.model_snapshots.iter().map(String::as_str)).collect();
        if snapshots.len() <= NAMED && snapshots.iter().any(|snapshot| !models.contains(snapshot)) {
            prose.say(format!("; according to the API, the answers came from {}", distinct(snapshots)));
        }
        prose.say(". ");
    }
    let is_semantic = |one: &CollectionRecord| one.configuration.semantic.is_some();
    if collections.iter().any(is_semantic) {
        prose.say(
            "The examples of each prompt show one relation. The information that short answers carry about \
             this relation is estimated from the counts of the answers",
        );
        prose.cite(&["krichevsky1981performance"]).say(". ");
    }
    if !collections.iter().all(is_semantic) {
        prose.say("Intervals of accuracies are Wilson intervals").cite(&["wilson1927probable"]).say(". ");
    }
}

/// Describes how one model was asked.
fn how(collection: &CollectionRecord) -> String {
    let asked = &collection.configuration;
    let params = &asked.params;
    let is_here =
        ["://localhost", "://127.0.0.1", "://[::1]"].iter().any(|here| asked.base_url.contains(here));
    let place = if is_here { "of a server on this machine".into() } else { format!("at {}", asked.base_url) };
    let mut parts = vec![format!("the API {} {place}", asked.provider)];
    match &asked.semantic {
        Some(task) => {
            parts.push(format!(
                "with the prompts of the design on {} (S = {}, X = {}, {}, form {}, seed {})",
                list(&asked.sources),
                task.sets,
                task.queries,
                examples(task.shots.iter().copied()),
                task.form,
                asked.seed
            ));
            parts.push(match task.logprobs_from.name() {
                "none" => "without log-probabilities".into(),
                source => format!("with log-probabilities from {source}"),
            });
        }
        None => {
            let tasks =
                list(asked.tasks.iter().map(|task| format!("{} ({} items)", task.name, task.n_items)));
            parts.push(format!(
                "with the tasks {tasks}, at most {}, seed {}",
                examples([asked.shots]),
                asked.seed
            ));
            parts.push(format!("graded by {}", asked.grading.grader));
        }
    }
    let temperature = params.temperature.map_or("no temperature".to_owned(), |t| format!("temperature {t}"));
    parts.push(format!("{temperature}, answers of at most {} tokens", params.max_tokens));
    if let Some(top_p) = params.top_p {
        parts.push(format!("top-p {top_p}"));
    }
    if asked.repeats.replicates > 1 {
        parts.push(format!("{} answers to each question", asked.repeats.replicates));
    }
    parts.join(", ")
}
