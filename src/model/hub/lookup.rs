//! Finds the folder of a model on a hub by its id, in the cache or by downloading it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::cache::Cache;
#[cfg(feature = "hub")]
use super::cached_headers::CachedHeaders;
#[cfg(feature = "hub")]
use super::connection::Connection;
use super::id::{Id, MAIN, check_revision};
use super::required_files::RequiredFiles;
use super::settings::HubSettings;
#[cfg(feature = "hub")]
use super::{cache, fetch, latest};
use crate::error::Result;
#[cfg(feature = "hub")]
use crate::machine;
use crate::model::weights::FileHeader;

/// A hub and its cache on this machine.
#[derive(Debug)]
pub struct Hub {
    settings: HubSettings,
    /// The folder that the first lookup of each id returned. Later lookups return the same folder, even if
    /// the branch has a new commit.
    known: Mutex<BTreeMap<Id, PathBuf>>,
    /// Receives notes for the user, which are not errors.
    note: fn(&str),
}

impl Hub {
    /// A hub with the settings from the environment variables.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a variable with an invalid value.
    pub fn from_env() -> Result<Self> {
        Ok(Self { settings: HubSettings::from_env()?, known: Mutex::default(), note: |_| {} })
    }

    /// Sets the branch, tag or commit for ids without a revision.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for an invalid revision.
    pub fn with_revision(mut self, revision: &str) -> Result<Self> {
        check_revision(revision)?;
        self.settings.revision = revision.to_owned();
        Ok(self)
    }

    /// Uses only the cache, regardless of the environment.
    pub fn offline(mut self) -> Self {
        self.settings.offline = true;
        self
    }

    /// Sets the base model for adapters whose folder has no weights.
    pub fn with_base(mut self, name: &str) -> Self {
        self.settings.base = Some(name.to_owned());
        self
    }

    /// The base model for folders and ids with an adapter and no model weights.
    pub(in crate::model) fn base(&self) -> Option<&str> {
        self.settings.base.as_deref()
    }

    /// The same hub without a base model, for opening the base model itself.
    pub(in crate::model) fn without_base(&self) -> Self {
        let settings = HubSettings { base: None, ..self.settings.clone() };
        Self { settings, known: Mutex::default(), note: self.note }
    }

    /// Sets the function that receives notes about models, which are not errors.
    pub fn with_notes(mut self, note: fn(&str)) -> Self {
        self.note = note;
        self
    }

    /// Passes a note to the user.
    pub fn note(&self, line: &str) {
        (self.note)(line);
    }

    /// Shows a progress bar of bytes on stderr if stderr is a terminal.
    pub fn with_progress(mut self) -> Self {
        self.settings.progress = true;
        self
    }

    /// The name of a model in tables: the repository, the revision unless it is `main`, and the file if the
    /// id names one.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for an invalid revision or file.
    pub fn label(&self, name: &str) -> Result<String> {
        let Id { repository, revision, file } = Id::parse(name, &self.settings.revision)?;
        let label = if revision == MAIN { repository } else { format!("{repository}@{revision}") };
        Ok(file.map_or_else(|| label.clone(), |file| format!("{label}:{file}")))
    }

    /// The cached folder with the `required` files of an id, or the path of the file that the id names.
    /// Downloads missing files first. If the hub is unreachable but the cache has the model, returns the
    /// cached files, with a note.
    ///
    /// # Errors
    /// [`Error::Hub`](crate::Error::Hub) if the hub refuses or cannot provide the model,
    /// [`Error::Cache`](crate::Error::Cache) if the cache cannot be written,
    /// [`Error::Parameter`](crate::Error::Parameter) for an invalid revision, file or endpoint.
    pub fn folder(&self, name: &str, required: RequiredFiles) -> Result<PathBuf> {
        let id = Id::parse(name, &self.settings.revision)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known.get(&id) {
            return Ok(folder.clone());
        }
        let folder = self.look_up(&id, required)?;
        known.insert(id, folder.clone());
        Ok(folder)
    }

    /// The folder that contains the config of an id, and the headers of its weights, if the weights are not
    /// in the cache. If the hub is unreachable, returns the headers of the last request. Returns `None` if
    /// the weights are in the cache, or if their headers cannot be downloaded separately.
    ///
    /// # Errors
    /// Returns the errors of [`Hub::folder`].
    #[cfg(feature = "hub")]
    pub(in crate::model) fn headers(&self, name: &str) -> Result<Option<(PathBuf, Vec<FileHeader>)>> {
        let id = Id::parse(name, &self.settings.revision)?;
        if self.in_cache(&id).is_ok() {
            return Ok(None);
        }
        let fetch = || in_thread(|| fetch::headers(&self.settings, &id));
        let Some(kept) = CachedHeaders::read(&self.settings, &id) else {
            return if self.settings.offline { Ok(None) } else { fetch() };
        };
        if self.settings.offline || cache::is_commit(&id.revision) {
            return Ok(kept.open(&self.settings, &id));
        }
        match latest::ask(&self.settings, &id) {
            latest::Answer::Listing(listing) if listing.sha == kept.commit => {
                kept.open(&self.settings, &id).map_or_else(fetch, |headers| Ok(Some(headers)))
            }
            latest::Answer::Listing(_) => fetch(),
            latest::Answer::Away(why) => {
                let (repository, commit) = (&id.repository, &kept.commit);
                self.note(&format!("{repository}: {why}; using the stored file headers of commit {commit}"));
                Ok(kept.open(&self.settings, &id))
            }
            latest::Answer::Refused(error) => Err(error),
        }
    }

    /// Returns `None`, because this build cannot download headers.
    #[cfg(not(feature = "hub"))]
    pub(in crate::model) fn headers(&self, _name: &str) -> Result<Option<(PathBuf, Vec<FileHeader>)>> {
        Ok(None)
    }

    #[cfg(feature = "hub")]
    fn look_up(&self, id: &Id, required: RequiredFiles) -> Result<PathBuf> {
        if self.settings.offline {
            return self.cached(id, "HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE or --offline is set");
        }
        let Ok(folder) = self.in_cache(id) else {
            return in_thread(|| fetch::folder(&self.settings, id, required));
        };
        // The files of a commit never change, so no request is needed.
        if cache::is_commit(&id.revision) {
            return Ok(folder);
        }
        let kept = |why: &dyn std::fmt::Display| {
            let (repository, commit) = (&id.repository, self.cache(id).commit(&id.revision));
            let commit = commit.unwrap_or_default();
            self.note(&format!("{repository}: {why}; using the cached commit {commit}"));
            Ok(folder.clone())
        };
        match latest::ask(&self.settings, id) {
            latest::Answer::Listing(listing) => {
                let complete = || fetch::complete(&Connection::new(&self.settings, id)?, &listing, required);
                in_thread(complete).or_else(|error| kept(&error))
            }
            latest::Answer::Away(why) => kept(&why),
            latest::Answer::Refused(error) => Err(error),
        }
    }

    #[cfg(not(feature = "hub"))]
    fn look_up(&self, id: &Id, _required: RequiredFiles) -> Result<PathBuf> {
        self.cached(id, "this build lacks the feature `hub` and cannot download models")
    }

    fn cache(&self, id: &Id) -> Cache {
        Cache::new(&self.settings.cache, &id.repository)
    }

    fn in_cache(&self, id: &Id) -> std::result::Result<PathBuf, String> {
        self.cache(id).find(id)
    }

    /// The folder of an id in the cache.
    fn cached(&self, id: &Id, why: &str) -> Result<PathBuf> {
        self.in_cache(id).map_err(|missing| {
            let reason = format!(
                "{why}, and {missing} in the cache {}; download the model once with a network connection, or \
                 give a folder",
                self.settings.cache.display()
            );
            self.settings.fault(id, reason, None)
        })
    }
}

/// Runs a closure on a new thread, because blocking requests panic on a thread that runs an asynchronous
/// runtime.
#[cfg(feature = "hub")]
fn in_thread<T: Send>(run: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let done = std::thread::scope(|scope| {
        let started = std::thread::Builder::new().spawn_scoped(scope, run);
        started.map(std::thread::ScopedJoinHandle::join)
    });
    done.map_err(|error| machine::no_thread(&error))?.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
