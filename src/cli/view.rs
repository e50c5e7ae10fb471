//! `surmise view`: shows the page of a results folder in a browser, and updates it while a study runs.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args;

use super::{print, status};
use crate::error::Result;
use crate::view::view;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Results folder of a study, `measure`, `collect` or `blind`
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Port to listen on; 0 selects a free port; the URL is printed on stdout
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    view(&flags.folder, flags.port, |url| {
        print(format!("{url}\n").as_bytes()).unwrap_or_default();
        if !quiet {
            let folder = flags.folder.display();
            status(&format!("the page of {folder} is at {url}; interrupt (Ctrl-C) to stop"));
        }
        if flags.open && !opens(url) {
            status(&format!("no browser could be started; open {url} in a browser"));
        }
    })
}

/// Starts the system's program that opens URLs. Returns whether the program started.
fn opens(url: &str) -> bool {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let command =
        Command::new(program).args(before).arg(url).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    command.is_ok()
}
