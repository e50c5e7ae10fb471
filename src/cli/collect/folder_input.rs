//! The folder of a collection that `rescore` and `repair` work on.

use std::path::{Path, PathBuf};

use clap::Args;

/// A folder with a journal.
#[derive(Debug, Args)]
pub(super) struct FolderInput {
    /// The folder that `surmise collect -o` wrote
    #[arg(value_name = "DIR", required_unless_present = "output")]
    folder: Option<PathBuf>,
    /// Now DIR, without a flag
    #[arg(short, long, hide = true, value_name = "DIR", conflicts_with = "folder")]
    output: Option<PathBuf>,
}

impl FolderInput {
    /// The folder.
    pub(super) fn path(&self) -> &Path {
        // One of both is required.
        self.folder.as_deref().or(self.output.as_deref()).unwrap_or(Path::new(""))
    }
}
