//! `surmise completions`: prints a shell completion script.

use clap::{Args, Command};
use clap_complete::Shell;

use super::print;
use crate::error::Result;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Shell for which to print the script
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(flags: &Flags, mut command: Command) -> Result<()> {
    let mut script = vec![];
    clap_complete::generate(flags.shell, &mut command, "surmise", &mut script);
    print(&script)
}
