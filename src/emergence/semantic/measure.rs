//! Measures a semantic profile: computes the states of all prompts and the estimates of all blocks, for the
//! trained model, the randomly initialised model and the controls.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::condition::Noise;
use super::estimate::{ConditionEstimate, Exclusions, estimate};
use super::jackknife::Replicated;
use super::output::{OutputEstimate, output, output_share};
use super::profile::{DesignInfo, LeftOut, SemanticProfile, ShotInfo};
use super::prompt_grid::{PromptGrid, exclusions, layout, run};
use super::reading::{Init, ReadingOf, SemanticControl, share};
use super::settings::SemanticSettings;
use super::summary::Curves;
use super::tally::TEMPERATURES;
use crate::corpus::{DesignPrompts, FactorialDesign};
use crate::disk::Schema;
use crate::emergence::profile_settings::ProfileSettings;
use crate::emergence::steps::Steps;
use crate::emergence::store::StoredProfile;
use crate::error::Result;
use crate::model::Model;
use crate::model::decoder::Decoder;
use crate::seed;

/// Number of progress steps for the states of a decoder. With 135 million parameters, computing the states
/// takes about twice as long as computing the estimates.
const STATES_STEPS: usize = 200;
/// Number of progress steps for the estimates from the states of a decoder.
const ESTIMATES_STEPS: usize = 100;

/// Measures the semantic emergence of `model` with a design, at every block and number of shots. If
/// `settings` contains a seed for the randomly initialised model, this model is measured as well.
///
/// The states of each distinct prefix of the prompts are computed once. The result is bit-identical on any
/// number of threads.
///
/// `prompts` must be the result of [`tokenize`] for the design.
///
/// # Errors
/// Returns the errors of [`DesignPrompts::new`] for the controls before the measurement starts.
/// [`Error::NonFinite`](crate::Error::NonFinite) if a state contains NaN or infinity.
pub fn measure(
    model: &Model,
    design: &FactorialDesign,
    prompts: &DesignPrompts,
    settings: &SemanticSettings,
) -> Result<SemanticProfile> {
    measure_with_progress(model, design, prompts, settings, &|_, _| ())
}

/// Like [`measure`], but calls `progress` with the number of completed steps and the total.
///
/// # Errors
/// Returns the errors of [`measure`].
pub fn measure_with_progress(
    model: &Model,
    design: &FactorialDesign,
    prompts: &DesignPrompts,
    settings: &SemanticSettings,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<SemanticProfile> {
    let with_permuted = settings.permuted_answers.then(|| design.with_permuted_answers());
    let with_foreign =
        settings.foreign.as_ref().map(|other| design.with_foreign_queries(other)).transpose()?;
    let controls =
        [(SemanticControl::PermutedAnswers, with_permuted), (SemanticControl::ForeignQuery, with_foreign)];
    let controls = controls.into_iter().filter_map(|(control, design)| Some((control, design?)));
    let controls = controls
        .map(|(control, design)| Ok((control, tokenize(model, &design)?, design)))
        .collect::<Result<Vec<_>>>()?;

    let noise = Noise::draw(layout(design), model.decoder.spec().d_model, settings.estimate.seed);
    let n_reads = 1 + usize::from(settings.random_init_seed.is_some()) + controls.len();
    let steps = Steps::new(n_reads * (STATES_STEPS + ESTIMATES_STEPS), progress);
    let reader = Reader { model, settings, noise: &noise, steps: &steps };
    let trained = reader.read(&model.decoder, &model.info.id, design, prompts, true)?;
    let random_init = match settings.random_init_seed {
        Some(seed) => {
            let name = format!("the randomly initialised model of {}", model.info.id);
            Some(reader.read(&model.random_init(seed)?, &name, design, prompts, true)?)
        }
        None => None,
    };
    let mut profile = without_readings(model, design, prompts, settings);
    let mut curves: Vec<Curves> = vec![];
    for (i, shots) in design.shots.iter().enumerate() {
        curves.push(trained.curves(i, random_init.as_ref(), settings.estimate.default_noise_scale));
        let before = i.checked_sub(1).map(|i| &curves[i]);
        profile.shots.push(curves[i].summary(*shots, before));
    }
    let mut add = |read: &Read, init, control| {
        for (i, &shots) in design.shots.iter().enumerate() {
            // There are no conditions, and therefore no readings, at 0 shots.
            for (l, condition) in read.conditions[i].iter().enumerate() {
                let source = ReadingOf { shots, block: l + 1, init, control, layout: layout(design) };
                profile.readings.extend(source.readings(condition, read.lens[i][l].as_ref()));
            }
        }
    };
    add(&trained, Init::Trained, None);
    random_init.iter().for_each(|read| add(read, Init::RandomInit, None));
    for (control, prompts, design) in &controls {
        let read = reader.read(&model.decoder, &model.info.id, design, prompts, false)?;
        add(&read, Init::Trained, Some(*control));
    }
    Ok(profile)
}

/// Tokenizes the prompts of a design with the tokenizer of `model`.
///
/// # Errors
/// Returns the errors of [`DesignPrompts::new`].
pub fn tokenize(model: &Model, design: &FactorialDesign) -> Result<DesignPrompts> {
    DesignPrompts::new(design, model)
}

/// All settings that determine the results of a profile.
pub fn settings_of(
    model: &Model,
    design: &FactorialDesign,
    prompts: &DesignPrompts,
    settings: &SemanticSettings,
) -> ProfileSettings {
    let all = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join(" ");
    let tokens: Vec<u8> = prompts.windows.iter().flat_map(|ids| format!("{ids:?}\n").into_bytes()).collect();
    let seed = settings.random_init_seed;
    let own = [
        ("corpus_sha256", design.category_sha256.clone()),
        ("prompts_sha256", prompts.sha256.clone()),
        ("tokens_sha256", seed::sha256_hex(&tokens)),
        ("sets", design.n_sets().to_string()),
        ("queries", design.queries.len().to_string()),
        ("shots", all(&mut design.shots.iter().map(usize::to_string))),
        ("form", design.form.name.to_owned()),
        // How the control `no_shared_answer` compares answers.
        ("shared_answer", "tokens".to_owned()),
        ("bos", model.tokenizer.bos().name().to_owned()),
        ("noise_scales", all(&mut settings.estimate.noise_scales.iter().map(f64::to_string))),
        ("noise_scale", settings.estimate.default_noise_scale.to_string()),
        ("seed", design.seed.to_string()),
        ("noise_seed", settings.estimate.seed.to_string()),
        ("random_init", if seed.is_some() { "on" } else { "off" }.to_owned()),
        ("random_init_seed", seed.map_or_else(String::new, |seed| seed.to_string())),
        ("permuted_answers", if settings.permuted_answers { "on" } else { "off" }.to_owned()),
        ("foreign_sha256", settings.foreign.as_ref().map_or_else(String::new, |other| other.sha256.clone())),
    ];
    ProfileSettings::of_estimand(SemanticProfile::ESTIMAND, model, own)
}

fn without_readings(
    model: &Model,
    design: &FactorialDesign,
    prompts: &DesignPrompts,
    settings: &SemanticSettings,
) -> SemanticProfile {
    let n = prompts.windows.len() / design.shots.len();
    let shots = design.shots.iter().zip(prompts.windows.chunks(n)).map(|(&shots, windows)| ShotInfo {
        shots,
        overlap: design.overlap(shots),
        longest_prompt_tokens: windows.iter().map(Vec::len).max().unwrap_or_default(),
    });
    let mut left_out = vec![];
    for p in 0..design.relations.len() {
        for q in p + 1..design.relations.len() {
            let (relation, other) = (design.relations[p].clone(), design.relations[q].clone());
            let queries = prompts.n_left_out(p, q);
            left_out.extend((queries > 0).then_some(LeftOut { relation, other, queries }));
        }
    }
    SemanticProfile {
        schema: Schema::new(SemanticProfile::SCHEMA, SemanticProfile::VERSION),
        settings: settings_of(model, design, prompts, settings),
        model: model.info.clone(),
        corpus: DesignInfo {
            name: design.category.clone(),
            sha256: design.category_sha256.clone(),
            prompts_sha256: prompts.sha256.clone(),
            relations: design.relations.clone(),
            sets: design.n_sets(),
            queries: design.queries.len(),
            form: design.form.name.into(),
            bos: model.tokenizer.bos(),
            shots: shots.collect(),
            left_out,
        },
        noise_scales: settings.estimate.noise_scales.clone(),
        default_noise_scale: settings.estimate.default_noise_scale,
        temperatures: TEMPERATURES.to_vec(),
        seed: settings.estimate.seed,
        random_init_seed: settings.random_init_seed,
        shots: vec![],
        readings: vec![],
    }
}

/// The parameters that are the same for all decoders.
struct Reader<'a> {
    model: &'a Model,
    settings: &'a SemanticSettings,
    noise: &'a Noise,
    steps: &'a Steps<'a>,
}

/// The results of one decoder, by number of shots.
struct Read {
    /// The estimates of each block; empty at 0 shots, where the prompts of all relations are equal.
    conditions: Vec<Vec<ConditionEstimate>>,
    /// The output share `O` of each block; empty at 0 shots.
    lens: Vec<Vec<Option<Replicated>>>,
    output: Vec<Option<OutputEstimate>>,
}

impl Reader<'_> {
    /// Runs a decoder and estimates every condition. `is_whole` is false for controls, which omit the control
    /// `no_shared_answer`.
    fn read(
        &self,
        decoder: &Decoder,
        name: &str,
        design: &FactorialDesign,
        prompts: &DesignPrompts,
        is_whole: bool,
    ) -> Result<Read> {
        let part = self.steps.part(STATES_STEPS);
        let batch = |done: usize, total: usize| part.reach(done, total);
        let states = run(decoder, name, prompts, self.model.room_for_states()?, &batch)?;
        let grid = PromptGrid::new(design, prompts, &states);
        let (n_shots, n_blocks) = (design.shots.len(), states.n_blocks());
        let left_out: Vec<Exclusions> = design
            .shots
            .iter()
            .map(|shots| {
                let found = exclusions(design, prompts, *shots);
                if is_whole { found } else { Exclusions { no_shared_answer: vec![], ..found } }
            })
            .collect();
        // The numbers of shots increase, so 0 shots, which has no conditions, comes first.
        let n_without = design.shots.iter().filter(|shots| **shots == 0).count();
        let (part, done) = (self.steps.part(ESTIMATES_STEPS), AtomicUsize::new(0));
        let total = (n_shots - n_without) * n_blocks;
        let conditions: Vec<ConditionEstimate> = (n_without * n_blocks..n_shots * n_blocks)
            .into_par_iter()
            .map(|condition| {
                let (i, block) = (condition / n_blocks, condition % n_blocks + 1);
                let rows = grid.rows(i, block)?;
                let estimated =
                    estimate(rows.view(), grid.layout, self.noise, &left_out[i], &self.settings.estimate);
                part.reach(1 + done.fetch_add(1, Ordering::Relaxed), total);
                estimated
            })
            .collect::<Result<_>>()?;
        let lens = |i: usize| (1..=n_blocks).map(|block| output_share(&grid, i, block)).collect();
        let without = std::iter::repeat_n(vec![], n_without);
        Ok(Read {
            conditions: without.chain(conditions.chunks(n_blocks).map(<[_]>::to_vec)).collect(),
            lens: (0..n_shots).map(|i| if i < n_without { vec![] } else { lens(i) }).collect(),
            output: (0..n_shots).map(|i| output(&grid, i)).collect(),
        })
    }
}

impl Read {
    /// The curves over depth at the default noise scale.
    fn curves(&self, shots_index: usize, random_init: Option<&Self>, noise_scale: f64) -> Curves {
        let at_default = |read: &Self| -> Vec<_> {
            let of = |condition: &ConditionEstimate| {
                condition.information.iter().find(|at| at.noise_scale == noise_scale).cloned()
            };
            read.conditions[shots_index].iter().filter_map(of).collect()
        };
        let own = at_default(self);
        let shares =
            |of: &[super::estimate::Information]| of.iter().map(|at| share(&at.macro_nats)).collect();
        Curves {
            shares: shares(&own),
            micro_nats: own.iter().map(|at| at.micro_nats.clone()).collect(),
            emergence_nats: own.iter().map(|at| at.macro_nats.zip(&at.micro_nats, |a, b| a - b)).collect(),
            random_init_shares: random_init.map(|read| shares(&at_default(read))),
            output_share: self.lens[shots_index].last().cloned().flatten(),
            output: self.output[shots_index].clone(),
        }
    }
}
