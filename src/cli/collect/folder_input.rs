//! The folder argument of `rescore` and `repair`.

use std::path::{Path, PathBuf};

use clap::Args;

/// A folder that contains a journal.
#[derive(Debug, Args)]
pub(super) struct FolderInput {
    /// Folder of collected answers, written by `surmise collect -o`
    #[arg(value_name = "DIR", required_unless_present = "output")]
    folder: Option<PathBuf>,
    /// Now DIR, without a flag
    #[arg(short, long, hide = true, value_name = "DIR", conflicts_with = "folder")]
    output: Option<PathBuf>,
}

impl FolderInput {
    /// The path of the folder.
    pub(super) fn path(&self) -> &Path {
        // clap ensures that `folder` or `output` is given.
        self.folder.as_deref().or(self.output.as_deref()).unwrap_or(Path::new(""))
    }
}
