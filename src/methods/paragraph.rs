//! Combines the sentences into the methods paragraph.

use super::prose::Prose;
use super::recorded::Recorded;
use super::{asked, calibrated, estimated, measured};
use crate::citations::TOOL;
use crate::error::Result;

/// Writes the methods paragraph for the records of a folder.
///
/// # Errors
/// [`crate::Error::Config`] with the file that names a method which this version does not support.
pub fn paragraph(recorded: &Recorded) -> Result<Prose> {
    let mut prose = Prose::default();
    measured::semantic(&recorded.semantic, &mut prose);
    measured::positional(&recorded.positional, &mut prose)?;
    asked::studies(&recorded.studies, &mut prose)?;
    asked::collections(&recorded.collections, &mut prose);
    calibrated::cards(&recorded.cards, &mut prose)?;
    calibrated::predictions(&recorded.predictions, &mut prose)?;
    calibrated::blind(&recorded.blind, &mut prose);
    estimated::estimates(&recorded.estimates, &mut prose)?;
    estimated::comparisons(&recorded.comparisons, &mut prose)?;
    let versions: Vec<&str> = recorded.versions.iter().map(String::as_str).collect();
    let version = match versions.as_slice() {
        [] => String::new(),
        [one] => format!(" version {one}"),
        several => format!(" versions {}", super::words::list(several)),
    };
    prose.say(format!("All steps were run with surmise{version}")).cite(&[TOOL]).say(".");
    Ok(prose)
}
