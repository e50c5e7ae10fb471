//! `surmise measure`: profiles of models on corpora, as files or as CSV on stdout.

mod flags;
mod positional;
mod summary;

pub(super) use self::flags::Flags;
use crate::error::Result;

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    positional::run(flags, quiet)
}
