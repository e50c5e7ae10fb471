//! Models by their id on a Hugging Face hub: `owner/name`, or `owner/name@revision`, becomes a folder in the
//! cache that the Python tools share. What is in a folder is read elsewhere; here it is only made complete.
//!
//! `HF_ENDPOINT`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HOME`, `HF_HUB_CACHE`, `HF_HUB_OFFLINE` and
//! `HF_HUB_DOWNLOAD_TIMEOUT` mean what they mean to the Python tools. A build without the feature `hub` reads
//! the cache and fetches nothing.
//!
//! # References
//! The routes and the cache's layout are those of `huggingface_hub` (`hf_hub_download`).

mod cache;
#[cfg(feature = "hub")]
mod fetch;
mod files;
#[cfg(feature = "hub")]
mod retry;
#[cfg(feature = "hub")]
mod route;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use self::cache::Cache;
use crate::error::{Error, Result};

/// Where ids are looked up when HF_ENDPOINT says nothing else.
const ENDPOINT: &str = "https://huggingface.co";
/// The revision of an id that names none.
const MAIN: &str = "main";
/// How long a server may be silent, in seconds; three times what the Python tools allow, for slow mirrors.
const IDLE_S: f64 = 30.0;
/// The longest owner or name a hub allows is 96 characters.
const LONGEST_NAME: usize = 96;

/// Where ids are looked up, where their files are kept, and how.
#[derive(Debug)]
pub struct Hub {
    endpoint: String,
    cache: PathBuf,
    #[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "only a download sends it"))]
    token: Option<Token>,
    revision: String,
    offline: bool,
    progress: bool,
    #[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "only a download waits"))]
    idle: Duration,
    /// A revision may move; within one run an id stays what it was at first sight.
    known: Mutex<BTreeMap<Id, PathBuf>>,
}

/// A secret that no message can hold: it has no `Display`, and its `Debug` says nothing.
#[derive(Clone)]
#[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "only a download sends it"))]
struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(...)")
    }
}

/// A model on a hub.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    /// `owner/name`
    repository: String,
    /// Branch, tag or commit.
    revision: String,
}

/// Whether a name has the form of an id, `owner/name` or `owner/name@revision`, and is no folder.
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
        && repository.split_once('/').is_some_and(|(owner, model)| part(owner) && part(model))
}

impl Hub {
    /// The settings of the environment.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a variable that cannot be used.
    pub fn from_env() -> Result<Self> {
        let text =
            |name: &str| std::env::var(name).ok().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = path("HF_HOME").unwrap_or_else(|| {
            let caches = path("XDG_CACHE_HOME");
            caches
                .unwrap_or_else(|| std::env::home_dir().unwrap_or_default().join(".cache"))
                .join("huggingface")
        });
        let stored = || {
            let file = path("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"));
            std::fs::read_to_string(file).ok().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
        };
        let idle_s = match text("HF_HUB_DOWNLOAD_TIMEOUT") {
            None => IDLE_S,
            Some(text) => {
                text.parse().ok().filter(|idle_s| (0.01..=86_400.0).contains(idle_s)).ok_or_else(|| {
                    let reason = format!("must be a number of seconds from 0.01 to 86400, and is `{text}`");
                    Error::Parameter { name: "HF_HUB_DOWNLOAD_TIMEOUT", reason }
                })?
            }
        };
        let endpoint =
            text("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.into()).trim_end_matches('/').to_owned();
        if endpoint.contains('@') {
            // It stands in messages.
            let reason = "must hold no user and no password; a token goes into HF_TOKEN".into();
            return Err(Error::Parameter { name: "HF_ENDPOINT", reason });
        }
        let offline = text("HF_HUB_OFFLINE").unwrap_or_default().to_uppercase();
        Ok(Self {
            endpoint,
            cache: path("HF_HUB_CACHE").unwrap_or_else(|| home.join("hub")),
            token: text("HF_TOKEN").or_else(stored).map(Token),
            revision: MAIN.into(),
            offline: ["1", "ON", "YES", "TRUE"].contains(&&*offline),
            progress: false,
            idle: Duration::from_secs_f64(idle_s),
            known: Mutex::default(),
        })
    }

    /// Takes this branch, tag or commit of ids that do not name one themselves.
    ///
    /// # Errors
    /// [`Error::Parameter`] for what cannot be a revision.
    pub fn with_revision(mut self, revision: &str) -> Result<Self> {
        check_revision(revision)?;
        self.revision = revision.to_owned();
        Ok(self)
    }

    /// Uses the cache alone, whatever the environment says.
    pub fn offline(mut self) -> Self {
        self.offline = true;
        self
    }

    /// Shows a progress bar of bytes on stderr, where that is a terminal.
    pub fn with_progress(mut self) -> Self {
        self.progress = true;
        self
    }

    /// What a model is called in tables: the id, and the revision unless it is `main`.
    ///
    /// # Errors
    /// As [`Hub::folder`], for the id alone.
    pub fn label(&self, name: &str) -> Result<String> {
        let Id { repository, revision } = self.id(name)?;
        Ok(if revision == MAIN { repository } else { format!("{repository}@{revision}") })
    }

    /// The folder in the cache with the files of an id, fetched first if they are not there.
    ///
    /// # Errors
    /// [`Error::Hub`] with what to do about it, [`Error::Cache`], [`Error::Parameter`].
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let id = self.id(name)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known.get(&id) {
            return Ok(folder.clone());
        }
        let folder = self.look_up(&id)?;
        known.insert(id, folder.clone());
        Ok(folder)
    }

    #[cfg(feature = "hub")]
    fn look_up(&self, id: &Id) -> Result<PathBuf> {
        if self.offline {
            return self.cached(id, "HF_HUB_OFFLINE or --offline is set");
        }
        // A thread of its own: blocking requests panic on one that drives an asynchronous program.
        let fetched = std::thread::scope(|scope| scope.spawn(|| fetch::folder(self, id)).join());
        fetched.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    #[cfg(not(feature = "hub"))]
    fn look_up(&self, id: &Id) -> Result<PathBuf> {
        self.cached(id, "this build lacks the feature `hub` and fetches nothing")
    }

    /// The folder of an id as it is in the cache.
    fn cached(&self, id: &Id, why: &str) -> Result<PathBuf> {
        Cache::new(&self.cache, &id.repository).folder(&id.revision).map_err(|missing| {
            let reason = format!(
                "{why}, and {missing} in the cache {}; fetch it once with the network, or give a folder",
                self.cache.display()
            );
            self.fault(id, reason, None)
        })
    }

    fn id(&self, name: &str) -> Result<Id> {
        let (repository, revision) = name.split_once('@').unwrap_or((name, &self.revision));
        check_revision(revision)?;
        Ok(Id { repository: repository.to_owned(), revision: revision.to_owned() })
    }

    fn fault(&self, id: &Id, reason: String, source: Option<Cause>) -> Error {
        let Id { repository, revision } = id.clone();
        Error::Hub { id: repository, revision, endpoint: self.endpoint.clone(), reason, source }
    }
}

/// What lies behind an error.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A revision is also the path of a file in the cache: it must stay there.
fn check_revision(revision: &str) -> Result<()> {
    let fits = revision.len() <= 255 && revision.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if fits && files::stays_inside(revision) {
        return Ok(());
    }
    let reason = format!("must be a branch, a tag or a commit, and is `{}`", revision.escape_debug());
    Err(Error::Parameter { name: "--revision", reason })
}
