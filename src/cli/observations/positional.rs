//! Makes the table of observations from positional profiles.

use std::path::PathBuf;

use super::flags::{Flags, Rows};
use super::read::{all_rows, comparisons, profiles, published, selected};
use crate::emergence::Profile;
use crate::error::{Error, Result};
use crate::observations::{
    JoinInputs, WIDEST_GAP_NATS, check_profiles, choose_noise_scale, join, named, wide_bounds,
};

pub(super) fn rows(flags: &Flags) -> Result<Rows> {
    let given = [("--shots", !flags.shots.is_empty()), ("--answers", !flags.answers.is_empty())];
    if let Some((name, _)) = given.into_iter().find(|(_, given)| *given) {
        let reason =
            "applies to semantic profiles, but the given profiles are positional; leave out this flag";
        return Err(Error::Parameter { name, reason: reason.into() });
    }
    let found = selected(profiles::<Profile>(&flags.profiles)?, &flags.select)?;
    check_profiles(&found)?;
    let noise_scale = match flags.noise_scale {
        Some(noise_scale) => Some(measured_at(&found, noise_scale)?),
        None => choose_noise_scale(&found)?,
    };
    let (dirs, files): (Vec<PathBuf>, Vec<PathBuf>) =
        flags.readings.iter().cloned().partition(|path| path.is_dir());
    let inputs = JoinInputs {
        profiles: found,
        scores: all_rows(&flags.scores)?,
        published: published(flags.models.as_ref())?,
        readings: profiles(&dirs)?,
        comparisons: files.iter().map(|file| comparisons(file)).collect::<Result<Vec<_>>>()?.concat(),
        mixed_scores: flags.mixed_scores,
        proxy: flags.proxy.clone(),
        noise_scale,
    };
    let of = noise_scale.map_or("without added noise".into(), |b| format!("at b = {b}"));
    // At the default noise scale, the upper and lower bounds are close. At a noise scale that the user
    // chooses, they may be far apart.
    let wide = wide_bounds(&inputs.profiles, noise_scale);
    let notes = (!wide.is_empty()).then(|| {
        let n = wide.len();
        format!(
            "upper and lower bounds are more than {WIDEST_GAP_NATS} nats apart {of} in {n} profile(s): {}",
            named(&wide)
        )
    });
    Ok(Rows { joined: join(&inputs)?, of, notes: notes.into_iter().collect() })
}

fn measured_at(profiles: &[Profile], noise_scale: f64) -> Result<f64> {
    match profiles.iter().find(|profile| !profile.estimator.noise_scales.contains(&noise_scale)) {
        None => Ok(noise_scale),
        Some(profile) => {
            let known: Vec<String> = profile.estimator.noise_scales.iter().map(ToString::to_string).collect();
            let reason = format!(
                "is {noise_scale}, but {} was measured at {} only",
                profile.model.id,
                known.join(", ")
            );
            Err(Error::Parameter { name: "--noise-scale", reason })
        }
    }
}
