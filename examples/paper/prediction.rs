//! (f) Small models tell large ones: the line of the bare command on any models, the two largest of each
//! family predicted from the others.

use surmise::mi::Scale;
use surmise::study::demo;
use surmise::study::demo::LEVEL;
use surmise::{Error, Result, disk};

use super::{Run, SEED, Verdict, report};

/// Entities of a series, as many as the bare command takes.
const SHOTS: usize = 4;

pub fn measure(run: &Run) -> Result<Vec<Verdict>> {
    let folder = run.folder("prediction")?;
    let settings = demo::Settings {
        windows: run.opts.windows.max(1000),
        shots: SHOTS,
        seed: SEED,
        scale: Scale::Spread,
    };
    let done = match demo::run(&run.models, &settings, &|_, _, _| {}) {
        // Too few models are no failure of the other findings.
        Err(Error::Fit { reason }) => {
            return Ok(vec![Verdict { shown: false, numbers: format!("cannot be told: {reason}") }]);
        }
        done => done?,
    };
    let file = folder.join("predictions.csv");
    disk::write(&file, &disk::csv_bytes(&file, &done.rows)?)?;
    report("predictions", &folder)?;
    let errors = done.errors();
    let numbers = format!(
        "{} rows held out: mean absolute error {:.3} nats, of the line in log parameters {:.3}, of the mean \
         {:.3}; {} inside the {:.0} % interval",
        done.rows.len(),
        errors.calibration,
        errors.size_line,
        errors.mean,
        done.n_inside(),
        100.0 * LEVEL
    );
    Ok(vec![Verdict { shown: errors.calibration < errors.size_line.min(errors.mean), numbers }])
}
