//! `surmise card`: describes a card.

use std::path::PathBuf;

use clap::Args;

use super::print;
use crate::calibration::Card;
use crate::error::Result;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The card
    #[arg(value_name = "FILE")]
    card: PathBuf,
}

pub(super) fn run(flags: &Flags) -> Result<()> {
    print(Card::read(&flags.card)?.to_string().as_bytes())
}
