//! `surmise methods`: the methods paragraph of a folder of results.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::put;
use crate::error::Result;
use crate::methods::{self, Recorded, paragraph};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// A folder of results of `run`, `measure`, `collect`, `calibrate`, `predict`, `blind`, `mi`, `compare`
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Form of the paragraph
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    /// Where to write it; `-` is stdout
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// Plain text; citations are authors and year
    Text,
    /// LaTeX; citations are \\citep with the keys that `surmise cite FOLDER` prints
    Latex,
}

pub(super) fn run(flags: &Flags) -> Result<()> {
    let form = match flags.format {
        Form::Text => methods::Form::Text,
        Form::Latex => methods::Form::Latex,
    };
    let written = paragraph(&Recorded::read(&flags.folder)?)?.written(form);
    put(&flags.output, format!("{written}\n").as_bytes())
}
