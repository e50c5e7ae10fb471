//! The block loop: states at the reading points, macro and micro information per block, the same for the
//! randomly initialised model.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{CorpusCard, EstimatorCard, Micro, Profile, Reading, Side, VERSION};
use crate::corpus::{Corpus, Role};
use crate::disk::Schema;
use crate::error::{Error, Result};
use crate::mi::{Channel, Estimate, Estimator, of_states};
use crate::model::decoder::Decoder;
use crate::model::{Model, Point, States};
use crate::seed;

/// How a profile is measured.
#[derive(Clone)]
pub struct Settings {
    /// The estimator, unless another is named.
    pub channel: Channel,
    /// Another estimator in its place.
    pub other: Option<&'static dyn Estimator>,
    /// What stands for a token without its context.
    pub micro: Micro,
    /// Seed of whatever the estimator draws.
    pub seed: u64,
    /// Seed of the randomly initialised model's initial weights.
    pub random_init_seed: u64,
}

impl Settings {
    /// `channel` with these seeds, against tokens alone.
    #[must_use]
    pub fn new(channel: Channel, seed: u64, random_init_seed: u64) -> Self {
        Self { channel, other: None, micro: Micro::Alone, seed, random_init_seed }
    }

    /// The estimator.
    #[must_use]
    pub fn estimator(&self) -> &dyn Estimator {
        self.other.unwrap_or(&self.channel)
    }

    /// Settings of the estimator; a single 0 where it has none.
    fn settings(&self) -> Vec<f64> {
        if self.other.is_some() { vec![0.0] } else { self.channel.precisions().to_vec() }
    }

    /// The noise scale of the headline.
    fn headline(&self) -> f64 {
        if self.other.is_some() { 0.0 } else { self.channel.scale().headline_precision() }
    }
}

/// Whether a profile is what measuring would give again: the same weights, texts, estimator, seeds and tool.
pub fn is_current(profile: &Profile, model: &Model, corpus: &Corpus, settings: &Settings) -> bool {
    let wanted = blank(model, corpus, settings);
    (&profile.schema, &profile.model, &profile.corpus, &profile.estimator, profile.random_init_seed)
        == (&wanted.schema, &wanted.model, &wanted.corpus, &wanted.estimator, wanted.random_init_seed)
}

/// A profile without its readings.
fn blank(model: &Model, corpus: &Corpus, settings: &Settings) -> Profile {
    let points = corpus.reading_points();
    let mut roles: Vec<Role> = points.iter().map(|(role, _)| *role).collect();
    roles.sort_unstable();
    roles.dedup();
    Profile {
        schema: Schema::new("profile", VERSION),
        model: model.info.clone(),
        corpus: CorpusCard {
            name: corpus.name.clone(),
            sha256: corpus.sha256.clone(),
            n_windows: corpus.windows.len(),
            n_distinct: corpus.n_distinct(),
            window_tokens: corpus.windows.iter().map(|window| window.ids.len()).max().unwrap_or(0),
            n_tokens: corpus.windows.iter().map(|window| window.ids.len() - corpus.prefix.len()).sum(),
            n_bytes: corpus.windows.iter().map(|window| window.n_bytes).sum(),
            shots: points.iter().map(|(_, shot)| *shot).max().unwrap_or(0),
            roles,
            bos: corpus.bos,
            control: corpus.control,
        },
        estimator: EstimatorCard {
            name: settings.estimator().name().into(),
            scale: settings.channel.scale(),
            settings: settings.settings(),
            micro: settings.micro,
            seed: settings.seed,
        },
        random_init_seed: settings.random_init_seed,
        headline: None,
        blocks: vec![],
    }
}

/// Measures the emergence of `model` on `corpus` at every block and reading point, with the randomly initialised model
/// beside it.
///
/// Each distinct prefix and each distinct token is computed once; only reading points are estimated. The
/// result is the same to the bit on any number of threads.
///
/// # Errors
/// If a window does not fit the model, or a residual stream holds NaN or infinity.
pub fn measure(model: &Model, corpus: &Corpus, settings: &Settings) -> Result<Profile> {
    let mut profile = blank(model, corpus, settings);
    let points = corpus.reading_points();
    let room = model.room_for_states()?;
    let trained = Measured::of(&model.decoder, &model.info.id, corpus, &points, settings, room)?;
    let random_init_name = format!("the randomly initialised model of {}", model.info.id);
    let random_init = Measured::of(
        &model.random_init(settings.random_init_seed)?,
        &random_init_name,
        corpus,
        &points,
        settings,
        room,
    )?;
    for (block, (ours, theirs)) in trained.blocks.iter().zip(&random_init.blocks).enumerate() {
        for (at, (role, shot)) in points.iter().enumerate() {
            let position = position(corpus, *role, *shot);
            for s in 0..profile.estimator.settings.len() {
                let emergence_nats = ours.emergence_nats(at, s);
                let random_init_nats = theirs.emergence_nats(at, s);
                let (wide, alone) = (&ours.wide[at][s], &ours.alone[s]);
                let stderr = |e: &Estimate| e.stderr_nats;
                profile.blocks.push(Reading {
                    block: block + 1,
                    position,
                    role: *role,
                    shot: *shot,
                    control: None,
                    noise_scale: wide.noise_scale,
                    macro_mi: Side::from(wide),
                    micro_mi: Side::from(alone),
                    emergence_nats,
                    stderr_nats: stderr(wide).zip(stderr(alone)).map(|(a, b)| a.hypot(b)),
                    variance_nats2: stderr(wide).map(|e| e * e * wide.n as f64),
                    random_init_nats,
                    learned_nats: emergence_nats - random_init_nats,
                });
            }
        }
    }
    profile.headline = profile.headline_at(settings.headline());
    Ok(profile)
}

/// The token index of a reading point, if it is the same in every window.
fn position(corpus: &Corpus, role: Role, shot: usize) -> Option<usize> {
    let mut at = corpus.at(role, shot).into_iter().map(|(_, t)| t);
    let first = at.next()?;
    at.all(|t| t == first).then_some(first)
}

/// The information of one block: per reading point with its context, and once for the entities' tokens alone;
/// per noise scale.
struct BlockInformation {
    wide: Vec<Vec<Estimate>>,
    alone: Vec<Estimate>,
}

impl BlockInformation {
    fn emergence_nats(&self, at: usize, noise_scale: usize) -> f64 {
        self.wide[at][noise_scale].mi_nats - self.alone[noise_scale].mi_nats
    }
}

struct Measured {
    blocks: Vec<BlockInformation>,
}

impl Measured {
    fn of(
        decoder: &Decoder,
        name: &str,
        corpus: &Corpus,
        points: &[(Role, usize)],
        settings: &Settings,
        room_bytes: Option<u64>,
    ) -> Result<Self> {
        let windows: Vec<Vec<u32>> = corpus.windows.iter().map(|window| window.ids.clone()).collect();
        let at: Vec<Vec<Point>> = points.iter().map(|(role, shot)| corpus.at(*role, *shot)).collect();
        let first = (settings.micro == Micro::First)
            .then(|| (0..windows.len()).map(|w| (w, corpus.prefix.len())).collect());
        let firsts: Vec<Point> = first.unwrap_or_default();
        let states =
            States::within(decoder, name, &windows, &[at.concat(), firsts.clone()].concat(), room_bytes)?;

        // The tokens read of entities and texts, pooled over windows and shots, each alone behind the
        // tokenizer's prefix. Separators are one token and carry nothing.
        let entities = points.iter().zip(&at).filter(|((role, _), _)| *role != Role::Separator);
        let pooled: Vec<u32> =
            entities.flat_map(|(_, points)| points.iter().map(|(w, t)| windows[*w][*t])).collect();
        let mut alone: BTreeMap<u32, usize> = pooled.iter().map(|id| (*id, 0)).collect();
        for (place, slot) in alone.values_mut().enumerate() {
            *slot = place;
        }
        let lone: Vec<Vec<u32>> =
            alone.keys().map(|id| corpus.prefix.iter().copied().chain([*id]).collect()).collect();
        let lone_points: Vec<Point> = (0..lone.len()).map(|w| (w, corpus.prefix.len())).collect();
        let lone_states = States::within(decoder, name, &lone, &lone_points, room_bytes)?;
        let pooled_points: Vec<Point> = pooled.iter().map(|id| lone_points[alone[id]]).collect();

        let estimate = |states: &States, points: &[Point], label: &str, l: usize| {
            let noise = seed::derive("noise", &format!("{label}/{l}"), settings.seed);
            let y = states.rows(l, points)?;
            if let Some(other) = settings.other {
                let found = of_states(other, states.rows(l - 1, points)?.view(), y.view(), noise)?;
                if let Some(infinite) = found.iter().find(|estimate| !estimate.mi_nats.is_finite()) {
                    let reason = format!(
                        "the output of block {l} holds a linear function of its input over these {} rows, \
                         so that their information is infinite; choose channel",
                        infinite.n
                    );
                    return Err(Error::Samples { estimator: other.name(), reason });
                }
                return Ok(found);
            }
            if l == 1 {
                return settings.channel.estimate(states.rows(0, points)?.view(), y.view(), noise);
            }
            // From the second block on the input determines the context, which is known by its node; in f32
            // two contexts may round to one state.
            settings.channel.estimate_labelled(&states.contexts(points), y.view(), noise)
        };
        let blocks = (1..=decoder.spec().n_layers)
            .into_par_iter()
            .map(|l| {
                let wide = points
                    .par_iter()
                    .zip(&at)
                    .map(|((role, shot), at)| estimate(&states, at, &format!("{role:?}/{shot}"), l));
                Ok(BlockInformation {
                    wide: wide.collect::<Result<_>>()?,
                    alone: match settings.micro {
                        Micro::Alone => estimate(&lone_states, &pooled_points, "alone", l)?,
                        Micro::First => estimate(&states, &firsts, "first", l)?,
                    },
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { blocks })
    }
}
