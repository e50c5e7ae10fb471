//! `surmise cite`: prints the BibTeX entries to cite.

use std::path::PathBuf;

use clap::Args;

use super::print;
use crate::citations::{Citation, PAPER, TOOL, with_keys};
use crate::error::Result;
use crate::methods::{Recorded, paragraph};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Results folder whose methods are cited too [default: only the tool and the paper]
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(super) fn run(flags: &Flags) -> Result<()> {
    let mut keys = vec![TOOL, PAPER];
    if let Some(folder) = &flags.folder {
        keys.extend(paragraph(&Recorded::read(folder)?)?.keys());
    }
    let entries: Vec<String> = with_keys(keys).into_iter().map(|Citation { bibtex, .. }| bibtex).collect();
    print(format!("{}\n", entries.join("\n\n")).as_bytes())
}
