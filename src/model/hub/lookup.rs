//! A hub as the rest of the program sees it: an id becomes a folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::cache::Cache;
#[cfg(feature = "hub")]
use super::fetch;
use super::id::{Id, MAIN, check_revision};
use super::settings::HubSettings;
use crate::error::Result;

/// A hub and its cache on this machine.
#[derive(Debug)]
pub struct Hub {
    settings: HubSettings,
    /// A revision may move; within one run an id stays what it was at first sight.
    known: Mutex<BTreeMap<Id, PathBuf>>,
}

impl Hub {
    /// A hub by the settings of the environment.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a variable that cannot be used.
    pub fn from_env() -> Result<Self> {
        Ok(Self { settings: HubSettings::from_env()?, known: Mutex::default() })
    }

    /// Takes this branch, tag or commit of ids that do not name one themselves.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for what cannot be a revision.
    pub fn with_revision(mut self, revision: &str) -> Result<Self> {
        check_revision(revision)?;
        self.settings.revision = revision.to_owned();
        Ok(self)
    }

    /// Uses the cache alone, whatever the environment says.
    pub fn offline(mut self) -> Self {
        self.settings.offline = true;
        self
    }

    /// Shows a progress bar of bytes on stderr, where that is a terminal.
    pub fn with_progress(mut self) -> Self {
        self.settings.progress = true;
        self
    }

    /// The name of a model in tables: the id, and the revision unless it is `main`.
    ///
    /// # Errors
    /// Those of [`Hub::folder`] about the id.
    pub fn label(&self, name: &str) -> Result<String> {
        let Id { repository, revision } = Id::parse(name, &self.settings.revision)?;
        Ok(if revision == MAIN { repository } else { format!("{repository}@{revision}") })
    }

    /// The folder in the cache with the files of an id, fetched first if they are not there.
    ///
    /// # Errors
    /// [`Error::Hub`](crate::Error::Hub) with what to do about it, [`Error::Cache`](crate::Error::Cache),
    /// [`Error::Parameter`](crate::Error::Parameter).
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let id = Id::parse(name, &self.settings.revision)?;
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
        if self.settings.offline {
            return self.cached(id, "HF_HUB_OFFLINE or --offline is set");
        }
        // A thread of its own: blocking requests panic on one that drives an asynchronous program.
        let fetched = std::thread::scope(|scope| scope.spawn(|| fetch::folder(&self.settings, id)).join());
        fetched.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    #[cfg(not(feature = "hub"))]
    fn look_up(&self, id: &Id) -> Result<PathBuf> {
        self.cached(id, "this build lacks the feature `hub` and fetches nothing")
    }

    /// The folder of an id as it is in the cache.
    fn cached(&self, id: &Id, why: &str) -> Result<PathBuf> {
        Cache::new(&self.settings.cache, &id.repository).folder(&id.revision).map_err(|missing| {
            let reason = format!(
                "{why}, and {missing} in the cache {}; fetch it once with the network, or give a folder",
                self.settings.cache.display()
            );
            self.settings.fault(id, reason, None)
        })
    }
}
