//! `surmise measure`: measures profiles of models on corpora, and writes them to files or prints them as CSV.

mod estimand;
mod flags;
mod positional;
mod prepared;
mod semantic;
mod semantic_flags;
mod summary;

use std::path::PathBuf;

use self::estimand::estimand;
pub(super) use self::flags::Flags;
use self::semantic_flags::Estimand;
use super::status;
use crate::corpus::Category;
use crate::error::Result;

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let corpora: Vec<PathBuf> = flags.corpora.iter().map(PathBuf::from).collect();
    flags.table.check(None, corpora.iter().chain(flags.texts.files()))?;
    let categories = flags.corpora.iter().map(|name| Category::load(name)).collect::<Result<Vec<_>>>()?;
    let (estimand, note) = estimand(flags, &categories)?;
    note.iter().filter(|_| !quiet).for_each(|note| status(&format!("note: {note}")));
    match estimand {
        Estimand::Semantic => semantic::run(flags, &categories, quiet),
        Estimand::Positional => positional::run(flags, quiet),
    }
}
