//! The id of a model on a hub: `owner/name`, or `owner/name@revision`.

use std::path::Path;

use super::layout;
use crate::error::{Error, Result};

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
}

impl Id {
    /// The id that a name has the form of; `revision` is for names without one.
    ///
    /// # Errors
    /// [`Error::Parameter`] for what cannot be a revision.
    pub(super) fn parse(name: &str, revision: &str) -> Result<Self> {
        let (repository, revision) = name.split_once('@').unwrap_or((name, revision));
        check_revision(revision)?;
        Ok(Self { repository: repository.to_owned(), revision: revision.to_owned() })
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

/// Whether a name has the form of an id, `owner/name` or `owner/name@revision` or one of the oldest without
/// owner, and is no folder.
pub fn is_id(name: &str) -> bool {
    let repository = name.split_once('@').map_or(name, |(repository, _)| repository);
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
