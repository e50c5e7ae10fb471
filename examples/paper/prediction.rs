//! (f) Predicts large models from small models: the positional demonstration on any models, which predicts
//! the two largest models of each family from the smaller models. The semantic estimand uses the same split.
//! It predicts the mean share from the proxy's share and the target's answers.

use std::collections::{BTreeMap, BTreeSet};

use surmise::calibration::{
    CalibrationSpec, ErrorSummary, Outcome, PredictionRow, Table, calibrate, size_baseline,
};
use surmise::emergence::MeasureSettings;
use surmise::emergence::semantic::SemanticProfile;
use surmise::mi::Channel;
use surmise::observations::semantic::{SemanticInputs, join};
use surmise::study::demo::{self, DemoSettings, LEVEL};
use surmise::{Error, Result, disk};

use super::{Run, SEED, Verdict, designs, report};

/// Number of entities in a series, as in `surmise demo`.
const SHOTS: usize = 4;

/// Number of predicted models of each family: the largest models.
const HELD_OUT: usize = 2;
/// The response and its features. The features are the share of the proxy and the answers of the target.
const TARGET: &str = "semantic_share_mean";
const FEATURES: [&str; 3] = ["proxy_semantic_share_mean", "semantic_accuracy", "semantic_logprob_nats"];
/// Columns that the calibration does not use. The size baseline uses the sizes.
const IGNORED: [&str; 2] = ["params_b", "family"];

pub fn semantic(run: &Run) -> Result<Vec<Verdict>> {
    let folder = run.folder("prediction")?;
    let profiles = run.designs.profiles(run)?.to_vec();
    let held_out = held_out(&profiles);
    // With one example, the share is furthest from its ceiling.
    let inputs = SemanticInputs { profiles, shots: vec![designs::SHOTS[1]], ..SemanticInputs::default() };
    let made = join(&inputs).and_then(|joined| {
        let file = folder.join("semantic-observations.csv");
        let bytes = disk::csv_bytes(&file, &joined.table)?;
        disk::write(&file, &bytes)?;
        predicted(&Table::from_bytes(&file, &bytes)?, &held_out)
    });
    let made = match made {
        // Too few models for this finding do not affect the other findings.
        Err(Error::Observations { reason } | Error::Calibration { reason }) => {
            return Ok(vec![Verdict { shown: false, numbers: format!("cannot be decided: {reason}") }]);
        }
        made => made?,
    };
    let file = folder.join("semantic-predictions.csv");
    disk::write(&file, &PredictionRow::to_bytes(&file, &made)?)?;
    let outcomes: Vec<Outcome> = made.iter().map(Into::into).collect();
    Ok(vec![verdict(&ErrorSummary::new("of the share", &outcomes))])
}

fn held_out(profiles: &[SemanticProfile]) -> BTreeSet<String> {
    let mut families: BTreeMap<&str, BTreeMap<usize, &str>> = BTreeMap::new();
    for profile in profiles {
        let family = profile.model.family.as_deref().unwrap_or_default();
        families.entry(family).or_default().insert(profile.model.n_params, &profile.model.id);
    }
    // The smallest model is the proxy of the others.
    let largest = families.into_values().flat_map(|members| {
        members.into_values().skip(1).collect::<Vec<_>>().into_iter().rev().take(HELD_OUT).map(str::to_owned)
    });
    largest.collect()
}

/// Predicts the held-out rows by a calibration on the other rows.
fn predicted(table: &Table, held_out: &BTreeSet<String>) -> Result<Vec<PredictionRow>> {
    let ids = table.text("target_model")?;
    let (closed, open): (Vec<usize>, Vec<usize>) =
        (0..table.len()).partition(|&row| held_out.contains(ids[row]));
    let (closed, open) = (table.select(&closed), table.select(&open));
    let plan = CalibrationSpec {
        target: TARGET.into(),
        features: FEATURES.map(Into::into).to_vec(),
        for_api: true,
        level: LEVEL,
        unit: "of the share".into(),
        ..CalibrationSpec::default()
    };
    let card = calibrate(&open.clone().without(&IGNORED.map(Into::into))?, &plan)?;
    let mut rows = card.predict(&closed, LEVEL)?;
    let known = open.numbers("params_b")?.into_iter().zip(open.numbers(TARGET)?);
    let known = known.filter_map(|(size, share)| Some((size?.log10(), share?)));
    let (sizes, shares): (Vec<f64>, Vec<f64>) = known.unzip();
    for (row, size) in rows.iter_mut().zip(closed.numbers("params_b")?) {
        if let Some(size) = row.y_hat.and(size) {
            row.baseline_size = size_baseline(&sizes, &shares, size.log10())?;
        }
    }
    Ok(rows)
}

fn verdict(summary: &ErrorSummary) -> Verdict {
    let errors = summary.mae.zip(summary.mean_mae).zip(summary.size_line_mae);
    let shown = errors.is_some_and(|((calibration, mean), size_line)| calibration < size_line.min(mean));
    Verdict { shown, numbers: summary.sentence("held-out rows", LEVEL) }
}

pub fn positional(run: &Run) -> Result<Vec<Verdict>> {
    let folder = run.folder("prediction")?;
    let settings = DemoSettings {
        windows: run.opts.windows.max(1000),
        shots: SHOTS,
        measure: MeasureSettings::new(Channel::default(), SEED, SEED),
        family: run.opts.family.clone(),
    };
    let made = match demo::run(&run.models, &settings, None, &|_, _, _| {}) {
        // Too few models for this finding do not affect the other findings.
        Err(Error::Study { reason } | Error::Observations { reason } | Error::Calibration { reason }) => {
            return Ok(vec![Verdict { shown: false, numbers: format!("cannot be decided: {reason}") }]);
        }
        made => made?,
    };
    made.write(&folder)?;
    report("predictions", &folder)?;
    Ok(vec![verdict(&made.summary())])
}
