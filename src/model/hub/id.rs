//! The id of a model on a hub: `owner/name`, or `owner/name@revision`, and behind either `:file.gguf`.

use std::path::Path;

use super::layout;
use crate::error::{Error, Result};
use crate::model::weights::gguf::is_gguf;

/// The revision of an id that names none.
pub(super) const MAIN: &str = "main";
/// The longest owner or name a hub allows is 96 characters.
const LONGEST_NAME: usize = 96;

/// A model on a hub.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    /// `owner/name`, or the name alone of the oldest models.
    pub(super) repository: String,
    /// Branch, tag or commit.
    pub(super) revision: String,
    /// The one file of the repository that is the model.
    pub(super) file: Option<String>,
}

impl Id {
    /// The id that a name has the form of; `revision` is for names without one.
    ///
    /// # Errors
    /// [`Error::Parameter`] for what cannot be a revision or a file.
    pub(super) fn parse(name: &str, revision: &str) -> Result<Self> {
        let (name, file) = split_file(name);
        let (repository, revision) = name.split_once('@').unwrap_or((name, revision));
        check_revision(revision)?;
        if let Some(file) = file.filter(|file| !is_gguf(file) || !layout::stays_inside(file)) {
            let reason = format!(
                "names `{}` behind a colon, where the name of a GGUF file in the repository stands",
                file.escape_debug()
            );
            return Err(Error::Parameter { name: "MODEL", reason });
        }
        let file = file.map(str::to_owned);
        Ok(Self { repository: repository.to_owned(), revision: revision.to_owned(), file })
    }

    /// Owner and name, as parts of a route.
    #[cfg(feature = "hub")]
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.repository.split('/')
    }
}

/// The language models whose ids have no owner; the hub gives such ids to no new model, and passes these on.
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

/// A name, and the file behind its colon.
fn split_file(name: &str) -> (&str, Option<&str>) {
    name.split_once(':').map_or((name, None), |(name, file)| (name, Some(file)))
}

/// Whether a name has the form of an id, `owner/name` or `owner/name@revision` or one of the oldest without
/// owner, with or without `:file.gguf`, and is no folder.
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
        && repository
            .split_once('/')
            .map_or_else(|| WITHOUT_OWNER.contains(&repository), |(owner, model)| part(owner) && part(model))
}

/// A revision is also the path of a file in the cache: it must stay there.
pub(super) fn check_revision(revision: &str) -> Result<()> {
    let fits = revision.len() <= 255 && revision.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if fits && layout::stays_inside(revision) {
        return Ok(());
    }
    let reason = format!("must be a branch, a tag or a commit, and is `{}`", revision.escape_debug());
    Err(Error::Parameter { name: "--revision", reason })
}
