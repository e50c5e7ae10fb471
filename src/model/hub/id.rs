//! Parses the id of a model on a hub: `owner/name` or `owner/name@revision`, each optionally followed by
//! `:file.gguf`.

use std::path::Path;

use super::layout;
use crate::error::{Error, Result};
use crate::model::weights::gguf::is_gguf;

/// The default revision.
pub(super) const MAIN: &str = "main";
/// Maximum length of an owner or a name on a hub.
const LONGEST_NAME: usize = 96;

/// A model on a hub.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    /// `owner/name`, or only the name for some of the oldest models.
    pub(super) repository: String,
    /// Branch, tag or commit.
    pub(super) revision: String,
    /// The GGUF file of the repository that contains the model, if the id names one.
    pub(super) file: Option<String>,
}

impl Id {
    /// Parses a name for which [`is_id`] is true. `revision` is the default for names without a revision.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an invalid revision or file.
    pub(super) fn parse(name: &str, revision: &str) -> Result<Self> {
        let (name, file) = split_file(name);
        let (repository, revision) = name.split_once('@').unwrap_or((name, revision));
        check_revision(revision)?;
        if let Some(file) = file.filter(|file| !is_gguf(file) || !layout::stays_inside(file)) {
            let reason = format!(
                "has `{}` after the colon; give the name of a GGUF file in the repository",
                file.escape_debug()
            );
            return Err(Error::Parameter { name: "MODEL", reason });
        }
        let file = file.map(str::to_owned);
        Ok(Self { repository: repository.to_owned(), revision: revision.to_owned(), file })
    }

    /// Owner and name, as segments of a URL path.
    #[cfg(feature = "hub")]
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.repository.split('/')
    }
}

/// Language models whose ids have no owner. The hub redirects these ids to current ones. New ids always have
/// an owner.
const WITHOUT_OWNER: [&str; 10] = [
    "ctrl",
    "distilgpt2",
    "gpt2",
    "gpt2-large",
    "gpt2-medium",
    "gpt2-xl",
    "openai-gpt",
    "transfo-xl-wt103",
    "xlnet-base-cased",
    "xlnet-large-cased",
];

/// Splits a name into the id and the file after the colon.
fn split_file(name: &str) -> (&str, Option<&str>) {
    name.split_once(':').map_or((name, None), |(name, file)| (name, Some(file)))
}

/// Endings of the names of model files.
const FILE_ENDINGS: [&str; 6] = [".gguf", ".safetensors", ".bin", ".pt", ".pth", ".json"];

/// Whether a name denotes a path below `folder`, even if the path does not exist. A path begins with `/`, `.`
/// or `~`. A name without `@` and `:` is also a path if it ends like a model file or if its first folder
/// exists.
pub fn is_path(name: &str, folder: &Path) -> bool {
    let has_folder = || name.split_once('/').is_some_and(|(first, _)| folder.join(first).is_dir());
    let is_plain = !name.contains(['@', ':']);
    name.starts_with(['/', '.', '~']) || is_plain && (is_file_name(name) || has_folder())
}

/// Whether a name ends like a model file.
pub fn is_file_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    FILE_ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

/// Whether a name has the form of an id and does not denote a path. The forms are `owner/name`,
/// `owner/name@revision`, or one of the oldest ids without an owner, each optionally followed by
/// `:file.gguf`.
pub fn is_id(name: &str) -> bool {
    let (id, _) = split_file(name);
    let repository = id.split_once('@').map_or(id, |(repository, _)| repository);
    let part = |part: &str| {
        (1..=LONGEST_NAME).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && !part.starts_with(['.', '-'])
            && !part.ends_with(['.', '-'])
            && !part.contains("--")
            && !part.contains("..")
    };
    !Path::new(name).exists()
        && !is_path(name, Path::new(""))
        && repository
            .split_once('/')
            .map_or_else(|| WITHOUT_OWNER.contains(&repository), |(owner, model)| part(owner) && part(model))
}

/// Checks a revision. The revision becomes part of a path in the cache, and the path must stay inside the
/// cache.
pub(super) fn check_revision(revision: &str) -> Result<()> {
    let fits = revision.len() <= 255 && revision.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if fits && layout::stays_inside(revision) {
        return Ok(());
    }
    let reason = format!("must be a branch, a tag or a commit, but is `{}`", revision.escape_debug());
    Err(Error::Parameter { name: "--revision", reason })
}
