//! `surmise man`: writes manual pages.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;

use super::print;
use crate::disk;
use crate::error::{Error, Result};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Folder for surmise.1 and a page for each command [default: print the main page]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn run(flags: &Flags, command: Command) -> Result<()> {
    match &flags.output {
        None => print(&page(command)?),
        Some(folder) => {
            disk::make_folder(folder)?;
            // `build` sets the full names of nested commands, such as `surmise-collect-rescore`.
            let mut command = command.disable_help_subcommand(true);
            command.build();
            write(folder, command)
        }
    }
}

fn page(command: Command) -> Result<Vec<u8>> {
    let mut bytes = vec![];
    let man = Man::new(command);
    man.render(&mut bytes).map_err(|source| Error::Write { path: "the manual page".into(), source })?;
    Ok(bytes)
}

fn write(folder: &std::path::Path, command: Command) -> Result<()> {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        write(folder, verb.clone())?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    disk::write(&folder.join(format!("{name}.1")), &page(command)?)
}
