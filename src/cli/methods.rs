//! `surmise methods`: writes the methods paragraph of a results folder.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::put;
use crate::error::Result;
use crate::methods::{self, Recorded, paragraph};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Results folder of `run`, `measure`, `collect`, `calibrate`, `predict`, `blind`, `mi` or `compare`
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Format of the paragraph
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    /// File to write; `-` is stdout
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// Plain text, with citations by author and year
    Text,
    /// LaTeX, with \\citep and the keys that `surmise cite FOLDER` prints
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
