//! Measures semantic profiles, each model on each category, and stores or prints them.

use super::flags::Flags;
use super::prepared::{Prepared, kept};
use crate::cli::{Progress, TableBytes, status};
use crate::corpus::{Category, FactorialDesign};
use crate::emergence::semantic::{self, SemanticProfile, SemanticRow, WithError};
use crate::emergence::{Origin, measure_once};
use crate::error::Result;
use crate::numeric::shown::{count, fixed};

/// The tables next to profiles.csv.
const READINGS: &str = "readings.csv";
const SUMMARIES: &str = "summaries.csv";
/// Progress steps for one model and category.
const STEPS: u64 = 1000;

pub(super) fn run(flags: &Flags, categories: &[Category], quiet: bool) -> Result<()> {
    let seed = flags.sampling.seed;
    let how = flags.semantic.design(&flags.sampling.shots, seed);
    let designs = categories
        .iter()
        .map(|category| FactorialDesign::draw(category, &how))
        .collect::<Result<Vec<_>>>()?;
    if let Some(foreign) = flags.semantic.settings(seed, 0)?.foreign {
        designs.iter().try_for_each(|design| design.with_foreign_queries(&foreign).map(drop))?;
    }
    let prepared =
        Prepared::new::<SemanticProfile>(flags, categories.iter().map(|c| c.name.as_str()), quiet)?;
    let store = prepared.store.as_ref();
    let mut profiles: Vec<(SemanticProfile, Origin)> = vec![];
    let ended = measure_all(flags, &designs, &prepared, quiet, &mut profiles);
    if profiles.is_empty() {
        return ended;
    }
    if let Some(store) = store {
        store.write_table::<SemanticProfile>()?;
        store.write_rows(READINGS, SemanticProfile::reading_rows)?;
        store.write_rows(SUMMARIES, SemanticProfile::summary_rows)?;
    }
    if store.is_none() || flags.table.is_given() {
        let rows: Vec<SemanticRow> = profiles.iter().flat_map(|(profile, _)| profile.rows()).collect();
        flags.table.write_to(None, &TableBytes::of_rows("profiles", &rows)?)?;
    }
    for (profile, origin) in profiles.iter().filter(|_| !quiet) {
        let note = kept(&profile.model.id, &profile.corpus.name, &profile.settings, origin);
        note.iter().chain(&lines(profile)).for_each(|line| status(line));
    }
    ended
}

/// Measures every model on every design. After an error, `profiles` contains the finished profiles, which the
/// caller still writes.
fn measure_all(
    flags: &Flags,
    designs: &[FactorialDesign],
    prepared: &Prepared,
    quiet: bool,
    profiles: &mut Vec<(SemanticProfile, Origin)>,
) -> Result<()> {
    let (seed, store) = (flags.sampling.seed, prepared.store.as_ref());
    let progress = Progress::start((flags.models.len() * designs.len()) as u64 * STEPS, quiet);
    for name in &flags.models {
        let model = prepared.open(name, flags.semantic.may_need_random_init())?;
        let settings = flags.semantic.settings(seed, model.info.n_params)?;
        // All categories are tokenized first, so that an error appears before the first computation.
        let prompts = designs.iter().map(|design| semantic::tokenize(&model, design));
        let prompts = prompts.collect::<Result<Vec<_>>>()?;
        for (design, prompts) in designs.iter().zip(&prompts) {
            progress.set_message(format!("{}, {}", model.info.id, design.category));
            let wanted = semantic::settings_of(&model, design, prompts, &settings);
            let before = profiles.len() as u64 * STEPS;
            let step = |done: usize, total: usize| {
                progress.set_position(before + STEPS * done as u64 / total.max(1) as u64);
            };
            let measure = || semantic::measure_with_progress(&model, design, prompts, &settings, &step);
            profiles.push(measure_once(store, &model.info, &design.category, &wanted, measure)?);
            progress.set_position(before + STEPS);
        }
    }
    progress.finish();
    Ok(())
}

/// The status lines about a profile: the semantic share and the accuracy at each number of shots, and notes
/// on the design.
fn lines(profile: &SemanticProfile) -> Vec<String> {
    let (model, corpus) = (&profile.model.id, &profile.corpus);
    let shown = |value: Option<WithError>| match value {
        Some(WithError { value, stderr: Some(stderr) }) => format!("{} +- {stderr:.2}", two(value)),
        Some(WithError { value, stderr: None }) => two(value),
        None => "unknown".into(),
    };
    let mut lines: Vec<String> = vec![];
    for summary in &profile.shots {
        if summary.shots == 0 {
            lines.push(format!(
                "{model} on {}, 0 shots, BOS {}: accuracy {}; without examples, prompts do not show the \
                 relation, so no share is measured",
                corpus.name,
                corpus.bos.name(),
                shown(summary.accuracy)
            ));
            continue;
        }
        let random_init = match summary.share_mean_random_init {
            Some(share) => format!(" (random init {})", two(share.value)),
            None => String::new(),
        };
        lines.push(format!(
            "{model} on {}, {}, BOS {}: share of semantic information {}{random_init}, last block {}; \
             accuracy {}, output share {}",
            corpus.name,
            count(summary.shots, "shot"),
            corpus.bos.name(),
            shown(summary.share_mean),
            shown(summary.share_last),
            shown(summary.accuracy),
            shown(summary.output_share),
        ));
    }
    for shots in corpus.shots.iter().filter(|shots| shots.overlap > 0.0) {
        lines.push(format!(
            "note: {} has too few entities for disjoint example sets with {}: two sets share {:.0} % of \
             their entities on average",
            corpus.name,
            count(shots.shots, "shot"),
            100.0 * shots.overlap
        ));
    }
    for left_out in &corpus.left_out {
        lines.push(format!(
            "note: {} of {} queries of {} are left out when comparing {} with {}, because the two answers \
             begin with the same token",
            left_out.queries, corpus.queries, corpus.name, left_out.relation, left_out.other
        ));
    }
    lines
}

fn two(value: f64) -> String {
    fixed(value, 2)
}
