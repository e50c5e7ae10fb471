//! `surmise init`: writes a first study file.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::status;
use crate::disk;
use crate::error::{Error, Result};
use crate::model::embedded;
use crate::names;
use crate::study::file::{EMBEDDED, FoundModel, of_models, scan};

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Study file to write; it must not exist yet
    #[arg(value_name = "STUDY", default_value = "study.toml")]
    study: PathBuf,
    /// List the checkpoints and GGUF files below this folder as open models [default: the embedded models]
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
}

/// Makes paths relative to the folder of the study file if they lie below it, and absolute otherwise.
fn relative_to(models: Vec<FoundModel>, folder: &Path) -> Result<Vec<FoundModel>> {
    let absolute =
        |path: &Path| std::path::absolute(path).map_err(|source| Error::Read { path: path.into(), source });
    let folder = absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    let relative = |model: FoundModel| {
        let path = absolute(&model.path)?;
        let path = path.strip_prefix(&folder).map_or(path.clone(), Path::to_path_buf);
        // The prefix `./` distinguishes a folder from the embedded model with the same name.
        let is_embedded = |name: &str| names::find(name, embedded(), |member| member.name).is_some();
        let path = if path.to_str().is_some_and(is_embedded) { Path::new(".").join(path) } else { path };
        Ok(FoundModel { path, ..model })
    };
    models.into_iter().map(relative).collect()
}

pub(in crate::cli) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    if flags.study.exists() {
        let reason = format!("is {}, which already exists; choose another file", flags.study.display());
        return Err(Error::Parameter { name: "STUDY", reason });
    }
    let folder = flags.study.parent().unwrap_or(Path::new(""));
    let text = match &flags.from {
        None => EMBEDDED.to_owned(),
        Some(from) => {
            let models = scan(from)?;
            if models.is_empty() {
                let reason = format!(
                    "is {}, which contains no checkpoint (config.json and weights) and no GGUF file",
                    from.display()
                );
                return Err(Error::Parameter { name: "--from", reason });
            }
            if !quiet {
                status(&format!("{} models found", models.len()));
            }
            let models = relative_to(models, folder)?;
            of_models(&models)
        }
    };
    disk::make_folder(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    disk::write(&flags.study, text.as_bytes())?;
    if !quiet {
        let path = flags.study.display();
        status(&format!(
            "wrote {path}; `surmise plan {path}` shows the cost, `surmise run {path}` runs the study"
        ));
    }
    Ok(())
}
