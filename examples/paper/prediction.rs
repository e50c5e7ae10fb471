//! (f) Small models predict large ones: the demonstration of the bare command on any models, the two largest
//! of each family predicted from the others.

use surmise::emergence::MeasureSettings;
use surmise::mi::Channel;
use surmise::study::demo::{self, DemoSettings, LEVEL};
use surmise::{Error, Result};

use super::{Run, SEED, Verdict, report};

/// Entities of a series, as many as the bare command takes.
const SHOTS: usize = 4;

pub fn semantic(_: &Run) -> Result<Vec<Verdict>> {
    Ok(vec![])
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
        // Too few models are no failure of the other findings.
        Err(Error::Study { reason } | Error::Observations { reason } | Error::Calibration { reason }) => {
            return Ok(vec![Verdict { shown: false, numbers: format!("cannot be told: {reason}") }]);
        }
        made => made?,
    };
    made.write(&folder)?;
    report("predictions", &folder)?;
    let summary = made.summary();
    let errors = summary.mae.zip(summary.mean_mae).zip(summary.size_line_mae);
    let shown = errors.is_some_and(|((calibration, mean), size_line)| calibration < size_line.min(mean));
    Ok(vec![Verdict { shown, numbers: summary.sentence("held-out rows", LEVEL) }])
}
