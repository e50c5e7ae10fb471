//! Reads the settings of a hub from the environment: its address, cache, token and timeout.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::id::{Id, MAIN};
use crate::disk;
use crate::error::{Error, Result};

/// The default hub.
const ENDPOINT: &str = "https://huggingface.co";
/// Default timeout in seconds without data from a server. It is three times the timeout of the Python tools,
/// for slow mirrors.
const IDLE_S: f64 = 30.0;

/// The cause of an error.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The settings of a hub.
#[derive(Debug, Clone)]
pub(super) struct HubSettings {
    pub(super) endpoint: String,
    pub(super) cache: PathBuf,
    #[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "only a download sends it"))]
    pub(super) token: Option<Token>,
    /// The default revision, for ids without one.
    pub(super) revision: String,
    pub(super) offline: bool,
    /// The base model for folders and ids with an adapter and no model weights.
    pub(super) base: Option<String>,
    /// Whether a download shows a progress bar.
    pub(super) progress: bool,
    /// Timeout without data from a server.
    #[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "only a download waits"))]
    pub(super) idle: Duration,
}

/// A token, which cannot appear in messages: the type has no `Display`, and its `Debug` hides the value.
#[derive(Clone)]
#[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "only a download sends it"))]
pub(super) struct Token(pub(super) String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(...)")
    }
}

impl HubSettings {
    /// Reads the settings from the environment variables.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a variable with an invalid value.
    pub(super) fn from_env() -> Result<Self> {
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
            disk::read_text(file).ok().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
        };
        let idle_s = match text("HF_HUB_DOWNLOAD_TIMEOUT") {
            None => IDLE_S,
            Some(text) => {
                text.parse().ok().filter(|idle_s| (0.01..=86_400.0).contains(idle_s)).ok_or_else(|| {
                    let reason = format!("must be a number of seconds from 0.01 to 86400, but is `{text}`");
                    Error::Parameter { name: "HF_HUB_DOWNLOAD_TIMEOUT", reason }
                })?
            }
        };
        let endpoint =
            text("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.into()).trim_end_matches('/').to_owned();
        if endpoint.contains('@') {
            // The endpoint appears in messages, so it must not contain secrets.
            let reason = "must not contain a user or a password; set HF_TOKEN to a token instead".into();
            return Err(Error::Parameter { name: "HF_ENDPOINT", reason });
        }
        let is_on = |name: &str| {
            let value = text(name).unwrap_or_default().to_uppercase();
            ["1", "ON", "YES", "TRUE"].contains(&&*value)
        };
        Ok(Self {
            endpoint,
            cache: path("HF_HUB_CACHE")
                .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
                .unwrap_or_else(|| home.join("hub")),
            token: text("HF_TOKEN").or_else(|| text("HUGGING_FACE_HUB_TOKEN")).or_else(stored).map(Token),
            revision: MAIN.into(),
            offline: is_on("HF_HUB_OFFLINE") || is_on("TRANSFORMERS_OFFLINE"),
            base: None,
            progress: false,
            idle: Duration::from_secs_f64(idle_s),
        })
    }

    /// An error about a model on this hub.
    pub(super) fn fault(&self, id: &Id, reason: String, source: Option<Cause>) -> Error {
        let Id { repository, revision, .. } = id.clone();
        Error::Hub { id: repository, revision, endpoint: self.endpoint.clone(), reason, source }
    }
}
